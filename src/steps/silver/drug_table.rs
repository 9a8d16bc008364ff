//! A partition of drugs: the vocabularies of all its files as one table.

use super::SilverPartition;
use crate::error::Result;
use crate::ingest::vocabulary::combine_files;
use crate::lake::layout;
use crate::quality::FileTally;
use crate::schema::DRUGS;
use crate::silver::{drugs, vocabulary};
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::TableWriter;

impl SilverPartition<'_> {
    pub(super) fn write_drugs(
        &self,
        transaction: &mut dyn Transaction,
    ) -> Result<(Vec<FileTally>, Vec<OutputFile>)> {
        // Vocabularies are small, and an unreadable one may be rejected as a whole.
        self.check_inputs()?;
        let mut tallies = self.tallies();
        let mut aside = self.aside(transaction)?;
        let open = |number: usize| self.open(&self.inputs[number], vocabulary::shapes());
        let on_bad_file = self.settings.on_bad_file;
        let combined = combine_files(&mut tallies, open, on_bad_file, &mut aside, self.task)?;
        let uris: Vec<String> = self.inputs.iter().map(|input| input.file.uri.clone()).collect();
        let path = layout::silver_part(self.table, self.dt);
        let mut writer = TableWriter::create(transaction, path, &DRUGS)?;
        writer.write(&drugs::frame(&combined.drugs, &uris)?)?;
        Ok((tallies, vec![writer.finish()?, aside.finish().finish()?]))
    }
}
