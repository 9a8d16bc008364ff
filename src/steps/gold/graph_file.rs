//! `drug_graph.json`, from the current publications and mentions of all chunks.

use chrono::NaiveDate;
use polars::prelude::{DataFrame, DataType};

use super::ChunkState;
use super::attempt::Attempt;
use crate::error::Result;
use crate::gold::journals::DisplayNames;
use crate::graph::{DrugNode, LargeGraph};
use crate::schema::PublicationKind;
use crate::sorting::Bound;
use crate::storage::Transaction;
use crate::tables::table_writer::read_frames;

/// A graph that chunks are added to.
pub(super) struct GraphFile(LargeGraph);

impl GraphFile {
    pub(super) fn new(
        drugs: &[DrugNode],
        journals: Vec<String>,
        memory: Bound,
        transaction: &mut dyn Transaction,
    ) -> Result<Self> {
        LargeGraph::new(drugs.to_vec(), journals, memory, |name| transaction.scratch(name)).map(Self)
    }

    /// Adds live rows of silver and their mentions.
    pub(super) fn add(
        &mut self,
        kind: PublicationKind,
        frame: &DataFrame,
        names: &DisplayNames,
        mentions: &DataFrame,
    ) -> Result<()> {
        let keys = frame.column("journal_key")?.str()?;
        self.add_publications(kind, frame, keys.iter().map(|key| names.get(key?)))?;
        self.add_mentions(kind, mentions)
    }

    /// Adds a chunk whose tables are kept.
    pub(super) fn add_kept(
        &mut self,
        attempt: &Attempt<'_>,
        kind: PublicationKind,
        chunk: &ChunkState,
    ) -> Result<()> {
        let read = |path: &str, columns: &[&str], each: &mut dyn FnMut(&DataFrame) -> Result<()>| {
            read_frames(attempt.storage, path, Some(columns), |frame| {
                attempt.task.check()?;
                each(&frame)
            })
        };
        read(
            &chunk.publications.path,
            &["publication_id", "date", "journal", "status"],
            &mut |frame| self.add_publications(kind, frame, frame.column("journal")?.str()?.iter()),
        )?;
        let columns = ["atccode", "publication_id", "journal", "date"];
        read(&chunk.mentions.path, &columns, &mut |frame| {
            self.add_mentions(kind, frame)
        })
    }

    fn add_publications<'j>(
        &mut self,
        kind: PublicationKind,
        frame: &DataFrame,
        journals: impl Iterator<Item = Option<&'j str>>,
    ) -> Result<()> {
        let dates = frame.column("date")?.cast(&DataType::Int32)?;
        let ids = frame.column("publication_id")?.str()?;
        let statuses = frame.column("status")?.str()?.iter();
        let places = journals.zip(dates.i32()?.iter());
        for ((id, status), (journal, date)) in ids.iter().zip(statuses).zip(places) {
            let date = date.and_then(NaiveDate::from_epoch_days);
            let status = status.and_then(|status| status.parse().ok());
            self.0
                .add_publication(kind, id.unwrap_or_default(), (date, journal), status)?;
        }
        Ok(())
    }

    fn add_mentions(&mut self, kind: PublicationKind, mentions: &DataFrame) -> Result<()> {
        let codes = mentions.column("atccode")?.str()?;
        let ids = mentions.column("publication_id")?.str()?;
        let journals = mentions.column("journal")?.str()?;
        let dates = mentions.column("date")?.cast(&DataType::Int32)?;
        let places = journals.iter().zip(dates.i32()?.iter());
        for ((code, id), (journal, date)) in codes.iter().zip(ids.iter()).zip(places) {
            let (code, id) = (code.unwrap_or_default(), id.unwrap_or_default());
            let date = date.and_then(NaiveDate::from_epoch_days);
            self.0.add_mention(code, kind, id, date, journal)?;
        }
        Ok(())
    }

    /// Writes the file; `shown` is its name in messages.
    pub(super) fn write(self, shown: &str, out: &mut dyn std::io::Write) -> Result<()> {
        self.0.write(shown, out)
    }
}
