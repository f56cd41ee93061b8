//! Calls of OpenDAL, put together to what a remote does.

use std::time::SystemTime;

use futures_util::{StreamExt, TryStreamExt, stream};
use opendal::options::ListOptions;
use opendal::{ErrorKind, Metadata, Operator};

use super::answer::kind_of;
use super::connection::Listed;
use super::error::RemoteErrorKind;
use super::index_page::IndexPages;

/// Larger objects than this are not ours: a pack of 64 MiB and its footer lie well below.
pub(super) const LARGEST_OBJECT: usize = 80 << 20;
/// How many sizes are asked for at once where a listing does not tell them.
const HEADS_AT_ONCE: usize = 16;

/// All bytes of an object; `None` where they are more than any object of ours has.
pub(super) async fn read_whole(operator: Operator, path: String) -> opendal::Result<Option<Vec<u8>>> {
    let mut stream = operator.reader(&path).await?.into_stream(..).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = stream.try_next().await? {
        if bytes.len() + piece.len() > LARGEST_OBJECT {
            return Ok(None);
        }
        for part in piece {
            bytes.extend_from_slice(&part);
        }
    }
    Ok(Some(bytes))
}

/// Begins a listing of everything.
pub(super) async fn first_of(operator: &Operator) -> opendal::Result<()> {
    let options = ListOptions { limit: Some(1), ..ListOptions::default() };
    operator.lister_options("/", options).await?.try_next().await.map(|_| ())
}

/// Size and time of an object; `None` where there is none.
pub(super) async fn stat_of(operator: &Operator, path: &str) -> opendal::Result<Option<Listed>> {
    match operator.stat(path).await {
        Ok(metadata) => Ok(Some(listed(path, &metadata))),
        Err(error) if error.kind() == ErrorKind::NotFound && kind_of(&error) == RemoteErrorKind::NotFound => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// All objects below a folder.
pub(super) async fn list_service(operator: Operator, folder: &str) -> opendal::Result<Vec<Listed>> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let entries = operator.list_options(&format!("{folder}/"), options).await?;
    let files = entries.into_iter().filter(|entry| entry.metadata().is_file());
    Ok(files.map(|entry| listed(entry.path(), entry.metadata())).collect())
}

/// A page tells names alone; sizes and times are asked for, some at once.
pub(super) async fn list_pages(
    operator: Operator,
    pages: IndexPages,
    folder: &str,
) -> opendal::Result<Vec<Listed>> {
    let names = pages.files(folder).await?;
    let sizes = stream::iter(names).map(|name| {
        let operator = operator.clone();
        async move { stat_of(&operator, &name).await }
    });
    let found: Vec<Option<Listed>> = sizes.buffer_unordered(HEADS_AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

fn listed(name: &str, metadata: &Metadata) -> Listed {
    let modified = metadata.last_modified().map(SystemTime::from);
    Listed { name: name.to_owned(), size: metadata.content_length(), modified }
}
