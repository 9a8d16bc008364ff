//! The tables `journals` and `journal_drugs`, journal by journal.

use polars::prelude::{Column, DataFrame, IntoColumn, StringChunkedBuilder};

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
    rows: usize,
    texts: Vec<StringChunkedBuilder>,
    numbers: Vec<Vec<i64>>,
}

impl RowsOfTable {
    fn create(transaction: &mut dyn Transaction, table: &'static Table) -> Result<Self> {
        let is_number = |column: &&TableColumn| column.column_type == ColumnType::Number;
        let numbers = table.columns.iter().filter(is_number).count();
        Ok(Self {
            table,
            file: TableWriter::create(transaction, layout::table_file(table), table)?,
            rows: 0,
            texts: builders(&table.columns[..table.columns.len() - numbers]),
            numbers: vec![Vec::new(); numbers],
        })
    }

    fn push(&mut self, texts: &[&str], numbers: &[u64]) -> Result<()> {
        let columns = self.texts.iter_mut().zip(texts);
        columns.for_each(|(column, text)| column.append_value(text));
        let columns = self.numbers.iter_mut().zip(numbers);
        columns.for_each(|(column, number)| column.push(number.cast_signed()));
        self.rows += 1;
        if self.rows == ROWS_AT_ONCE {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        let height = std::mem::take(&mut self.rows);
        let of_texts = &self.table.columns[..self.texts.len()];
        let texts = std::mem::replace(&mut self.texts, builders(of_texts));
        let mut columns: Vec<Column> = texts
            .into_iter()
            .map(|builder| builder.finish().into_column())
            .collect();
        let names = &self.table.columns[columns.len()..];
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

fn builders(columns: &[TableColumn]) -> Vec<StringChunkedBuilder> {
    let builder = |column: &TableColumn| StringChunkedBuilder::new(column.name.into(), ROWS_AT_ONCE);
    columns.iter().map(builder).collect()
}
