//! Reads the files of an archive as one source: one after the other, each in its own format.

use super::batch::{RawBatch, ReaderNotes, RowReader};
use super::bytes::compression::EXPORT;
use super::bytes::input::{BOMB_REMEDY, Input, ReadOptions, refusal};
use super::bytes::members::Archive;
use super::fields::Fields;
use super::open::open_plain;
use crate::error::{Error, Result};
use crate::task::Task;

/// Whether a file belongs to an office document, which is a ZIP archive; the order of its files varies.
fn is_office(name: &str) -> bool {
    let inside = ["docProps/", "xl/", "word/"];
    matches!(name, "[Content_Types].xml" | "mimetype")
        || (name.ends_with(".xml") && inside.iter().any(|folder| name.starts_with(folder)))
}

pub(crate) struct ArchiveReader<'f> {
    uri: String,
    archive: Archive,
    reading: ReadOptions,
    task: Task,
    shapes: &'f [Fields],
    current: Option<(String, Box<dyn RowReader + 'f>)>,
    files: u64,
    notes: ReaderNotes,
}

impl<'f> ArchiveReader<'f> {
    /// Opens the first file.
    pub(crate) fn open(
        uri: String,
        archive: Archive,
        reading: ReadOptions,
        shapes: &'f [Fields],
        task: Task,
    ) -> Result<Box<dyn RowReader + 'f>> {
        let mut reader = Self {
            uri,
            archive,
            reading,
            task,
            shapes,
            current: None,
            files: 0,
            notes: ReaderNotes::default(),
        };
        if !reader.next_file()? {
            let found = format!("a {} archive without a file", reader.archive.kind());
            return Err(Error::format(
                &reader.uri,
                "byte 0",
                found,
                "expected files of publications or drugs in it",
            ));
        }
        Ok(Box::new(reader))
    }

    /// Opens the next file that is not empty.
    fn next_file(&mut self) -> Result<bool> {
        loop {
            let member = self.archive.next_member();
            let member = member.map_err(|error| {
                let byte = format!("byte {} of the archive", self.archive.position());
                if error.kind() == std::io::ErrorKind::FileTooLarge {
                    let place = format!("{byte}, after {} files", self.files);
                    return Error::format(&self.uri, place, error.to_string(), BOMB_REMEDY);
                }
                if let Some(refusal) = refusal(&error) {
                    return Error::format(&self.uri, byte, &refusal.found, refusal.remedy);
                }
                let found = format!(
                    "the {} archive is cut off or broken after {} files ({error})",
                    self.archive.kind(),
                    self.files
                );
                Error::format(&self.uri, byte, found, "deliver the file again")
            })?;
            let Some(member) = member else {
                self.notes
                    .remarks
                    .extend(self.archive.odd_end().map(str::to_owned));
                return Ok(false);
            };
            let uri = format!("{}/{}", self.uri, member.name);
            if is_office(&member.name) {
                let found = "an office document, such as a workbook of Excel";
                return Err(Error::format(&self.uri, "byte 0", found, EXPORT));
            }
            let Some(mut input) = Input::open_or_empty(&uri, member.bytes, self.reading)? else {
                self.notes.remarks.push(format!("`{}` is empty", member.name));
                continue;
            };
            input.look()?;
            if input.archive_kind().is_some() {
                return Err(Error::format(
                    &uri,
                    "byte 0",
                    "an archive in an archive",
                    "pack the files once",
                ));
            }
            let reader = open_plain(input.under(&self.task), self.shapes)?;
            self.files += 1;
            self.current = Some((member.name, reader));
            return Ok(true);
        }
    }

    fn leave(&mut self, name: &str, notes: ReaderNotes) {
        self.notes.blank_lines += notes.blank_lines;
        for column in notes.extra_columns {
            if !self.notes.extra_columns.contains(&column) {
                self.notes.extra_columns.push(column);
            }
        }
        let room = 20_usize.saturating_sub(self.notes.remarks.len());
        let remarks = notes.remarks.into_iter().take(room);
        self.notes
            .remarks
            .extend(remarks.map(|remark| format!("{name}: {remark}")));
    }
}

impl RowReader for ArchiveReader<'_> {
    fn format(&self) -> &'static str {
        match self.archive.kind() {
            "ZIP" => "zip",
            _ => "tar",
        }
    }

    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>> {
        loop {
            let Some((name, mut reader)) = self.current.take() else {
                return Ok(None);
            };
            if let Some(mut batch) = reader.next_batch(task)? {
                batch.member = Some(name.clone());
                self.current = Some((name, reader));
                return Ok(Some(batch));
            }
            self.leave(&name, reader.notes());
            drop(reader);
            if !self.next_file()? {
                return Ok(None);
            }
        }
    }

    fn notes(&self) -> ReaderNotes {
        let mut notes = self.notes.clone();
        notes
            .remarks
            .insert(0, format!("{} files in the archive", self.files));
        notes
    }
}
