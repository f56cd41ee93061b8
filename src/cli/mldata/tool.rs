//! The subcommands of `git mldata`, and which function each one is.

use clap::{Parser, Subcommand};

use crate::cli::context::Context;
use crate::cli::invocation::Arguments;
use crate::cli::options::CommonOptions;
use crate::cli::report::Outcome;

use super::{
    add, cat, checkout, demo, diff, drop, du, export, fetch, filter_process, fsck, gc, get, hook, hooks,
    import, init, ls, manual, merge_driver, merge_file, mv, pull, push, remote, resolve, rm, status, track,
    uninit, untrack, update,
};

/// What the short help leaves out.
const MORE: &str = "\
Exit codes:
  0    done
  1    the answer is no: differences with --exit-code, a commit that is stopped, data that is damaged or lost
  128  it could not be done
  129  it was asked for in the wrong way

Environment:
  GIT_MLDATA_STORE  where the local store lies, instead of below the Git directory
  GIT_MLDATA_TRUST  where data may be sent, as 'git mldata remote trust' says it for a clone: URL;URL…
  GIT_MLDATA_SKIP_SMUDGE
                    1: what is tracked in place comes into the work tree as its pointer
  GIT_ADVICE=0      no hints (as the setting advice.mldata=false)
  NO_COLOR          no colour (as the setting color.ui=false)
  CI                nothing is set up that was not asked for";

/// Version large data with Git
///
/// Git keeps small pointer files; the content goes, deduplicated, packed and compressed, to any bucket or folder. What
/// changed in the data is seen where the code is reviewed.
#[derive(Debug, Parser)]
#[command(
    name = "git-mldata",
    bin_name = "git mldata",
    version,
    after_long_help = MORE,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct MlData {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Add(add::AddArgs),
    Status(status::StatusArgs),
    Checkout(checkout::CheckoutArgs),
    #[command(subcommand)]
    Remote(remote::RemoteCommand),
    Push(push::PushArgs),
    Fetch(fetch::FetchArgs),
    Pull(pull::PullArgs),
    Diff(diff::DiffArgs),
    MergeFile(merge_file::MergeFileArgs),
    Resolve(resolve::ResolveArgs),
    #[command(hide = true)]
    MergeDriver(merge_driver::MergeDriverArgs),
    Cat(cat::CatArgs),
    Ls(ls::LsArgs),
    Export(export::ExportArgs),
    Get(get::GetArgs),
    Rm(rm::RmArgs),
    Mv(mv::MvArgs),
    Track(track::TrackArgs),
    Untrack(untrack::UntrackArgs),
    Du(du::DuArgs),
    Fsck(fsck::FsckArgs),
    Drop(drop::DropArgs),
    Gc(gc::GcArgs),
    #[command(subcommand)]
    Import(import::ImportCommand),
    Update(update::UpdateArgs),
    Uninit(uninit::UninitArgs),
    #[command(subcommand)]
    Hooks(hooks::HooksCommand),
    #[command(hide = true)]
    Hook(hook::HookArgs),
    #[command(hide = true)]
    FilterProcess(filter_process::FilterProcessArgs),
    Demo(demo::DemoArgs),
    #[command(subcommand)]
    Manual(manual::ManualCommand),
}

impl Arguments for MlData {
    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            Command::Init(args) => init::run(context, args),
            Command::Add(args) => add::run(context, args),
            Command::Status(args) => status::run(context, args),
            Command::Checkout(args) => checkout::run(context, args),
            Command::Remote(command) => remote::run(context, command),
            Command::Push(args) => push::run(context, args),
            Command::Fetch(args) => fetch::run(context, args),
            Command::Pull(args) => pull::run(context, args),
            Command::Diff(args) => diff::run(context, args),
            Command::MergeFile(args) => merge_file::run(context, args),
            Command::Resolve(args) => resolve::run(context, args),
            Command::MergeDriver(args) => merge_driver::run(context, args),
            Command::Cat(args) => cat::run(context, args),
            Command::Ls(args) => ls::run(context, args),
            Command::Export(args) => export::run(context, args),
            Command::Get(args) => get::run(context, args),
            Command::Rm(args) => rm::run(context, args),
            Command::Mv(args) => mv::run(context, args),
            Command::Track(args) => track::run(context, args),
            Command::Untrack(args) => untrack::run(context, args),
            Command::Du(args) => du::run(context, args),
            Command::Drop(args) => drop::run(context, args),
            Command::Fsck(args) => fsck::run(context, args),
            Command::Gc(args) => gc::run(context, args),
            Command::Import(command) => import::run(context, command),
            Command::Update(args) => update::run(context, args),
            Command::Uninit(args) => uninit::run(context, args),
            Command::Hooks(command) => hooks::run(context, command),
            Command::Hook(args) => hook::run(context, args),
            Command::FilterProcess(_) => filter_process::run(context),
            Command::Demo(args) => demo::run(context, args),
            Command::Manual(command) => manual::run(context, command),
        }
    }
}
