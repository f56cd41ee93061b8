//! See `git_ml::cli`.
fn main() -> std::process::ExitCode {
    git_ml::cli::main(git_ml::cli::Tool::MlRun)
}
