//! A partition of publications: cleans files in parallel into a draft, and writes the table from it without the rows
//! that merging removes.

use std::sync::Arc;

use polars::prelude::DataFrame;

use super::snapshot::SnapshotGuard;
use super::{SilverPartition, WrittenTable};
use crate::error::Result;
use crate::ingest::collector::{Collected, Collector, recount};
use crate::ingest::journal_ids::JournalIdFile;
use crate::ingest::parallel_reader::{FilePiece, Opened, clean_files};
use crate::ingest::rejects::Deleted;
use crate::ingest::row_store::{Forms, Grouping, RowStore, StoredRowSink};
use crate::lake::layout;
use crate::quality::FileTally;
use crate::schema::{DELETED, PUBLICATIONS, PublicationKind};
use crate::silver::merge::{Fates, Merger, Plan};
use crate::silver::{publications, shapes};
use crate::storage::Transaction;
use crate::tables::pages::Encoder;
use crate::tables::row_group::RowGroup;
use crate::tables::spill_buffer::SpillBuffer;
use crate::tables::table_writer::TableWriter;
use crate::task::Task;

impl SilverPartition<'_> {
    pub(super) fn write_publications(
        &self,
        kind: PublicationKind,
        mut seen: Option<&mut SnapshotGuard>,
        transaction: &mut dyn Transaction,
    ) -> Result<WrittenTable> {
        let shapes = shapes::shapes(kind);
        let aside = self.aside(transaction)?;
        let waiting = SpillBuffer::new(&DELETED, transaction.scratch("deleted")?, self.settings.memory.0)?;
        let mut deleted = Deleted::new(layout::deleted(kind, self.dt), waiting);
        let mut journals = JournalIdFile::default();
        let path = layout::silver_part(self.table, self.dt);
        let encoder = Arc::new(Encoder::counting(&PUBLICATIONS, self.rules(&PUBLICATIONS))?);
        let forms = Forms::new(self.settings.memory);
        let mut spool = RowStore::new(transaction, path.clone(), Arc::clone(&encoder), &forms)?;
        let mut names = ["keys", "halves", "lent", "changes"].into_iter();
        let merger = Merger::new(self.settings.memory, || {
            transaction.scratch(names.next().unwrap_or("more"))
        })?;
        let mut collector = Collector::new(self.tallies(), aside, merger);
        let sizes: Vec<u64> = self.inputs.iter().map(|input| input.file.bytes).collect();
        let open = |number: usize| -> Result<Opened<'_>> {
            let input = &self.inputs[number];
            let reader = self.open(input, shapes)?;
            let context = publications::Context {
                kind,
                uri: input.file.uri.clone(),
                file: number as u32,
                order: self.settings.order,
            };
            Ok((reader, context))
        };
        let on_bad_file = self.settings.on_bad_file;
        let maker = || Grouping::new(&encoder, &forms);
        clean_files(
            &sizes,
            &open,
            on_bad_file,
            maker,
            self.task,
            |piece| match piece {
                FilePiece::Batch(file, mut batch) => {
                    journals.add(std::mem::take(&mut batch.journals));
                    deleted.add(&batch.deletions, &batch.uri)?;
                    if let Some(seen) = &mut seen {
                        seen.see(file as u32, &batch)?;
                    }
                    collector.batch(file, batch)
                }
                FilePiece::Made(group) => spool.push(group, transaction),
                FilePiece::End(file, format, notes) => {
                    journals.settle();
                    deleted.settle(transaction)?;
                    collector.end(file, format, notes)
                }
                FilePiece::Bad(file, error) => {
                    self.inputs[file].check(self.storage, self.task)?;
                    journals.drop_file();
                    if let Some(seen) = &mut seen {
                        seen.drop_file(file as u32);
                    }
                    deleted.drop_file();
                    collector.bad(file, &error)
                }
            },
        )?;
        let Collected {
            mut tallies,
            aside,
            plan,
        } = collector.finish()?;
        let spooled = spool.finish()?;
        let (output, counts) = if plan.changes_nothing() && spooled.is_file() {
            spooled.publish(transaction)?
        } else {
            let mut publishing = Publishing {
                plan,
                writer: TableWriter::encoded(transaction, path, encoder)?,
                tallies: &mut tallies,
                task: self.task,
            };
            spooled.drain(&mut publishing)?;
            publishing.writer.finish_counting()?
        };
        let mut outputs = vec![output, aside.finish().finish()?];
        outputs.extend(deleted.finish()?);
        outputs.extend(journals.finish(transaction, layout::journal_ids(kind, self.dt))?);
        Ok(WrittenTable {
            tallies,
            outputs,
            counts,
        })
    }
}

/// The sink that writes stored rows to the table as merging decided.
struct Publishing<'p> {
    plan: Plan,
    writer: TableWriter,
    tallies: &'p mut [FileTally],
    task: &'p Task,
}

impl StoredRowSink for Publishing<'_> {
    fn fates(&mut self, rows: u64) -> Result<Fates> {
        let tallies = &mut *self.tallies;
        self.plan.next(rows, |change| recount(tallies, change))
    }

    fn take_group(&mut self, group: &RowGroup) -> Result<()> {
        self.task.check()?;
        self.writer.write_group(group).map(|_| ())
    }

    fn take_whole(&mut self, frame: &DataFrame) -> Result<()> {
        self.writer.end_group()?;
        self.take_rows(frame)?;
        self.writer.end_group()
    }

    fn take_rows(&mut self, frame: &DataFrame) -> Result<()> {
        self.task.check()?;
        self.writer.write(frame)
    }
}
