//! The tables `journals` and `journal_drugs`, journal by journal.

use polars::prelude::{Column, DataFrame};

use crate::error::Result;
use crate::graph::JournalTotals;
use crate::lake::layout;
use crate::schema::{ColumnType, JOURNAL_DRUGS, JOURNALS, Table, TableColumn};
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::TableWriter;

/// Rows that wait until they are written as one frame.
const ROWS_AT_ONCE: usize = 1 << 14;

/// The tables `journals` and `journal_drugs`, journal by journal.
pub(super) struct JournalTables {
    journals: RowsOfTable,
    drugs: RowsOfTable,
}

impl JournalTables {
    pub(super) fn create(transaction: &mut dyn Transaction) -> Result<Self> {
        Ok(Self {
            journals: RowsOfTable::create(transaction, &JOURNALS)?,
            drugs: RowsOfTable::create(transaction, &JOURNAL_DRUGS)?,
        })
    }

    pub(super) fn add(&mut self, journal: &JournalTotals<'_>) -> Result<()> {
        let mut substances: Vec<&str> = journal.pairs.iter().map(|(substance, ..)| *substance).collect();
        substances.dedup();
        let counts = [journal.publications, substances.len() as u64, journal.codes];
        self.journals.push(&[journal.name], &counts)?;
        for (substance, kind, pairs) in journal.pairs {
            self.drugs
                .push(&[journal.name, substance, kind.name()], &[*pairs])?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<[OutputFile; 2]> {
        Ok([self.journals.finish()?, self.drugs.finish()?])
    }
}

/// A table that is written row by row. Its texts come before its numbers.
struct RowsOfTable {
    table: &'static Table,
    file: TableWriter,
    texts: Vec<Vec<String>>,
    numbers: Vec<Vec<i64>>,
}

impl RowsOfTable {
    fn create(transaction: &mut dyn Transaction, table: &'static Table) -> Result<Self> {
        let is_number = |column: &&TableColumn| column.column_type == ColumnType::Number;
        let numbers = table.columns.iter().filter(is_number).count();
        Ok(Self {
            table,
            file: TableWriter::create(transaction, layout::table_file(table), table)?,
            texts: vec![Vec::new(); table.columns.len() - numbers],
            numbers: vec![Vec::new(); numbers],
        })
    }

    fn push(&mut self, texts: &[&str], numbers: &[u64]) -> Result<()> {
        let columns = self.texts.iter_mut().zip(texts);
        columns.for_each(|(column, text)| column.push((*text).to_owned()));
        let columns = self.numbers.iter_mut().zip(numbers);
        columns.for_each(|(column, number)| column.push(number.cast_signed()));
        if self.texts[0].len() == ROWS_AT_ONCE {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        let height = self.texts[0].len();
        let mut names = self.table.columns.iter().map(|column| column.name);
        let mut columns: Vec<Column> = Vec::with_capacity(self.table.columns.len());
        for (name, texts) in names.by_ref().zip(&mut self.texts) {
            columns.push(Column::new(name.into(), std::mem::take(texts)));
        }
        let names = &self.table.columns[self.texts.len()..];
        for (column, numbers) in names.iter().zip(&mut self.numbers) {
            columns.push(Column::new(column.name.into(), std::mem::take(numbers)));
        }
        self.file.write(&DataFrame::new(height, columns)?)
    }

    fn finish(mut self) -> Result<OutputFile> {
        self.write()?;
        self.file.finish()
    }
}
