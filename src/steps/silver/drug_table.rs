//! A partition of drugs: the vocabularies of all its files as one table.

use super::{SilverPartition, WrittenTable};
use crate::error::Result;
use crate::ingest::vocabulary::combine_files;
use crate::lake::layout;
use crate::schema::DRUGS;
use crate::silver::{drugs, vocabulary};
use crate::storage::Transaction;
use crate::tables::table_writer::TableWriter;

impl SilverPartition<'_> {
    pub(super) fn write_drugs(&self, transaction: &mut dyn Transaction) -> Result<WrittenTable> {
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
        let frame = drugs::frame(&combined.drugs, &uris)?;
        writer.write(&frame)?;
        let rules = self.rules(&DRUGS);
        Ok(WrittenTable {
            tallies,
            outputs: vec![writer.finish()?, aside.finish().finish()?],
            counts: rules.map_or(Ok(Vec::new()), |rules| rules.count(&frame, true))?,
        })
    }
}
