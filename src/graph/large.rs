//! A graph of any size on its way to `drug_graph.json`: its tables are sorted on scratch files and never held.
//!
//! What stays in memory are the drugs and the names of the journals.

mod rows;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Write};

use chrono::NaiveDate;

use super::DrugNode;
use super::writer::{GraphRows, GraphTable, PublicationSink, write_graph};
use crate::error::{Error, Result};
use crate::schema::{PublicationKind, PublicationStatus};
use crate::sorting::{Bound, SortRecord, Sorted, Sorter};
use rows::{DrugRow, JournalRow, PublicationRow};

/// Takes publications and mentions in any order, but all mentions of a publication one after the other.
pub struct LargeGraph {
    drugs: Vec<DrugNode>,
    /// The names in order.
    journals: Vec<String>,
    numbers: HashMap<String, u32>,
    publications: Sorter<PublicationRow>,
    by_drug: Sorter<DrugRow>,
    by_journal: Sorter<JournalRow>,
    /// The publication whose mentions come at the moment, and the drugs that it mentioned.
    current: Option<(PublicationKind, String)>,
    mentioned: HashSet<u32>,
    /// How many publications of each kind were added.
    publications_added: [u64; PublicationKind::ALL.len()],
}

impl LargeGraph {
    /// A graph of drugs in the order of codes, and of all names that journals may have; `scratch` makes empty files.
    pub fn new(
        drugs: Vec<DrugNode>,
        mut journals: Vec<String>,
        bound: Bound,
        mut scratch: impl FnMut(&str) -> Result<File>,
    ) -> Result<Self> {
        journals.sort_unstable();
        journals.dedup();
        let numbers = (0..)
            .zip(&journals)
            .map(|(number, name)| (name.clone(), number))
            .collect();
        Ok(Self {
            drugs,
            journals,
            numbers,
            publications: Sorter::new(scratch("graph-publications")?, bound),
            by_drug: Sorter::new(scratch("graph-drugs")?, bound),
            by_journal: Sorter::new(scratch("graph-journals")?, bound),
            current: None,
            mentioned: HashSet::new(),
            publications_added: [0; PublicationKind::ALL.len()],
        })
    }

    fn journal(&self, name: Option<&str>) -> Result<Option<u32>> {
        name.map(|name| {
            self.numbers
                .get(name)
                .copied()
                .ok_or_else(|| Error::internal(format!("the journal {name}, which is not in the graph")))
        })
        .transpose()
    }

    /// Adds a publication; its id must be new among its kind.
    pub fn add_publication(
        &mut self,
        kind: PublicationKind,
        id: &str,
        (date, journal): (Option<NaiveDate>, Option<&str>),
        status: Option<PublicationStatus>,
    ) -> Result<()> {
        let journal = self.journal(journal)?;
        self.publications_added[kind as usize] += 1;
        let id = id.into();
        let row = PublicationRow {
            kind,
            id,
            date,
            journal,
            status,
        };
        self.publications.push(row).map_err(failed)
    }

    /// Adds a mention; the same pair may come again.
    pub fn add_mention(
        &mut self,
        atccode: &str,
        kind: PublicationKind,
        id: &str,
        date: Option<NaiveDate>,
        journal: Option<&str>,
    ) -> Result<()> {
        let drug = drug_of(&self.drugs, atccode)?;
        let same = matches!(&self.current, Some((its, known)) if *its == kind && known == id);
        if !same {
            self.current = Some((kind, id.to_owned()));
            self.mentioned.clear();
        }
        if !self.mentioned.insert(drug) {
            return Ok(());
        }
        if let Some(journal) = self.journal(journal)? {
            let row = JournalRow {
                journal,
                drug,
                date,
                kind,
            };
            self.by_journal.push(row).map_err(failed)?;
        }
        let row = DrugRow {
            drug,
            kind,
            id: id.into(),
        };
        self.by_drug.push(row).map_err(failed)
    }

    /// Writes `drug_graph.json`; `shown` is its name in messages.
    pub fn write(self, shown: &str, graph: &mut dyn Write) -> Result<()> {
        let added = self.publications_added;
        let tables =
            GraphTable::all(|kind| kind.description().is_always_in_graph || added[kind as usize] > 0);
        let mut rows = SortedRows {
            journals: &self.journals,
            publications: self.publications.finish().map_err(failed)?,
            by_drug: SortedLater::Collected(Some(self.by_drug)),
            by_journal: SortedLater::Collected(Some(self.by_journal)),
        };
        write_graph(graph, &tables, &self.drugs, &mut rows)
            .map_err(|error| Error::storage(shown, "write", error))
    }
}

/// The number of a drug in the order of codes.
pub fn drug_of(drugs: &[DrugNode], atccode: &str) -> Result<u32> {
    let found = drugs.binary_search_by(|drug| drug.atccode.as_str().cmp(atccode));
    found
        .ok()
        .and_then(|place| u32::try_from(place).ok())
        .ok_or_else(|| Error::internal(format!("a mention of {atccode}, which is not in the graph")))
}

/// The rows of a graph on scratch files.
struct SortedRows<'g> {
    journals: &'g [String],
    publications: Sorted<PublicationRow>,
    by_drug: SortedLater<DrugRow>,
    by_journal: SortedLater<JournalRow>,
}

/// Records that are sorted when the first is wanted, so that one table at a time reads ahead.
enum SortedLater<R> {
    Collected(Option<Sorter<R>>),
    Sorted(Sorted<R>),
}

impl<R: SortRecord> SortedLater<R> {
    fn sorted(&mut self) -> io::Result<&mut Sorted<R>> {
        if let Self::Collected(sorter) = self {
            let sorter = sorter.take();
            let sorter = sorter.ok_or_else(|| io::Error::other("records that could not be sorted before"))?;
            *self = Self::Sorted(sorter.finish()?);
        }
        match self {
            Self::Sorted(sorted) => Ok(sorted),
            Self::Collected(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

impl GraphRows for SortedRows<'_> {
    fn each_publication(&mut self, kind: PublicationKind, write: &mut PublicationSink<'_>) -> io::Result<()> {
        while let Some(row) = self.publications.next_if(|row| row.kind == kind)? {
            let journal = row
                .journal
                .map(|journal| self.journals[journal as usize].as_str());
            write(&row.id, (row.date, journal), row.status)?;
        }
        Ok(())
    }

    fn each_id(
        &mut self,
        drug: u32,
        kind: PublicationKind,
        write: &mut dyn FnMut(&str) -> io::Result<()>,
    ) -> io::Result<()> {
        let by_drug = self.by_drug.sorted()?;
        while let Some(row) = by_drug.next_if(|row| row.drug == drug && row.kind == kind)? {
            write(&row.id)?;
        }
        Ok(())
    }

    fn next_journal(&mut self) -> io::Result<Option<String>> {
        let journal = self.by_journal.sorted()?.peek().map(|row| row.journal);
        Ok(journal.map(|journal| self.journals[journal as usize].clone()))
    }

    fn each_mention(
        &mut self,
        write: &mut dyn FnMut(u32, Option<NaiveDate>) -> io::Result<()>,
    ) -> io::Result<()> {
        let by_journal = self.by_journal.sorted()?;
        let Some(journal) = by_journal.peek().map(|row| row.journal) else {
            return Ok(());
        };
        while let Some(row) = by_journal.next_if(|row| row.journal == journal)? {
            write(row.drug, row.date)?;
        }
        Ok(())
    }
}

fn failed(error: io::Error) -> Error {
    Error::storage("the scratch files of the graph", "use", error)
}
