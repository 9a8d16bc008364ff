//! The files that sources name, and what they hold.

pub mod read;
pub mod source_lists;
pub mod vocabulary;

use crate::error::Result;
use crate::storage::source::expand_all;
use crate::task::Task;

/// The files that sources name now, each once: what bronze would copy.
pub fn list_sources(sources: &[String], task: &Task) -> Result<Vec<String>> {
    task.enter("sources");
    let files = expand_all(
        sources,
        "a file, a folder with files, a glob or a URI of them",
        task,
    )?;
    Ok(files.into_iter().map(|file| file.uri).collect())
}
