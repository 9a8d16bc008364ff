//! Opens the files that sources name.

use crate::error::Result;
use crate::formats::{Input, ReadOptions};
use crate::quality::FileTally;
use crate::schema::SourceTable;
use crate::storage::source::SourceFile;
use crate::task::Task;

/// An empty tally for each of some files.
pub(crate) fn tallies(files: &[SourceFile], table: SourceTable) -> Result<Vec<FileTally>> {
    let tallies = files.iter().map(|file| {
        Ok(FileTally {
            uri: file.uri.clone(),
            table: table.name().to_owned(),
            bytes: file.size()?,
            ..FileTally::default()
        })
    });
    tallies.collect()
}

/// Opens a source file. A pipe is opened only once, because it would be empty the second time.
pub(crate) fn open_source(file: &SourceFile, reading: ReadOptions, task: &Task) -> Result<Input> {
    let input = match file.open_file()? {
        Some(seekable) => Input::of_file(&file.uri, seekable, reading),
        None => Input::new(&file.uri, file.open()?, reading),
    };
    Ok(input?.under(task))
}

/// Opens a source file; `None` for an empty one.
pub(crate) fn open_source_or_empty(
    file: &SourceFile,
    reading: ReadOptions,
    task: &Task,
) -> Result<Option<Input>> {
    let input = match file.open_file()? {
        Some(seekable) => Input::of_file_or_empty(&file.uri, seekable, reading),
        None => Input::open_or_empty(&file.uri, file.open()?, reading),
    };
    Ok(input?.map(|input| input.under(task)))
}
