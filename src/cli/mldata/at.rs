//! `[REV:]PATH`, as Git writes it.

use std::path::Path;

use crate::cli::context::Context;
use crate::cli::report::CliError;
use crate::data::read::At;

/// Reads `REV:PATH` or `PATH`. A path is relative to the current folder; after `REV:` it is relative to the top, as
/// with `git show`, unless it begins with `./` or `../`. A file whose own name holds a colon can be named with `./`.
pub(super) fn parse(context: &Context, text: &str) -> Result<At, CliError> {
    let repository = context.repository()?;
    let is_relative = |path: &str| path.starts_with("./") || path.starts_with("../");
    match text.split_once(':').filter(|_| !is_relative(text)) {
        Some((revision, path)) => {
            let from_top = repository.work_dir()?.join(path);
            let path = if is_relative(path) { Path::new(path) } else { &from_top };
            Ok(At { revision: Some(revision.to_owned()), path: repository.resolve_or_top(path)? })
        }
        None => Ok(At { revision: None, path: repository.resolve_or_top(text)? }),
    }
}
