//! The files that a partition is made from: opened, checked and listed.

use super::SilverPartition;
use crate::error::{Error, Result};
use crate::formats::{self, Fields, RowReader};
use crate::lake::bronze_files::{InputFile, may_be_damage};
use crate::lake::documents::SourceCopy;
use crate::lake::manifest;
use crate::quality::FileTally;
use crate::silver::corrections::CorrectingReader;

impl SilverPartition<'_> {
    /// Opens a file, with corrected rows in the places of its rejected ones.
    pub(super) fn open(&self, input: &InputFile, shapes: &'static [Fields]) -> Result<Box<dyn RowReader>> {
        let bytes = input.open(self.storage, self.settings.reading(), self.task)?;
        let reader = formats::open_shaped(bytes, shapes)?;
        Ok(CorrectingReader::over(
            reader,
            self.table,
            &input.path,
            &self.corrections,
        ))
    }

    pub(super) fn check_inputs(&self) -> Result<()> {
        let mut inputs = self.inputs.iter();
        inputs.try_for_each(|input| input.check(self.storage, self.task))
    }

    /// The cause behind an error about the inputs: files that are damaged, or that another run replaced meanwhile.
    pub(super) fn cause(&self, error: Error) -> Error {
        if !may_be_damage(&error) && !matches!(error, Error::Storage { .. }) {
            return error;
        }
        match (
            manifest::first_changed(self.storage, &self.versions),
            may_be_damage(&error),
        ) {
            (Ok(Some(conflict)), _) => conflict,
            (Ok(None), true) => self.check_inputs().err().unwrap_or(error),
            _ => error,
        }
    }

    pub(super) fn copies(&self) -> Vec<SourceCopy> {
        let copies = self.inputs.iter().map(|input| SourceCopy {
            uri: input.file.uri.clone(),
            path: input.path.clone(),
            sha256: input.file.sha256.clone(),
        });
        copies.collect()
    }

    pub(super) fn tallies(&self) -> Vec<FileTally> {
        let tallies = self.inputs.iter().map(|input| FileTally {
            uri: input.file.uri.clone(),
            table: self.table.name().to_owned(),
            bytes: input.file.bytes,
            ..FileTally::default()
        });
        tallies.collect()
    }
}
