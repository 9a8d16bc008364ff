//! A graph of any size on its way to `drug_graph.json`: its tables are sorted on scratch files and never held.
//!
//! What stays in memory are the drugs, the names of the journals, and which journal mentions which drug.

mod rows;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};

use chrono::NaiveDate;

use super::DrugNode;
use super::answers::{AnswerSettings, AnswerTotals, write_published};
use super::grouping::DrugGrouping;
use super::model::GraphBuilder;
use super::shelf::Shelf;
use super::writer::{self, GraphTable, List, Object};
use crate::error::{Error, Result};
use crate::schema::{DrugUnit, PublicationKind};
use crate::sorting::{Bound, SortRecord, Sorted, Sorter};
use crate::task::Task;
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
    settings: AnswerSettings,
    grouping: DrugGrouping,
    /// The publication whose mentions come at the moment, and its number from 1 in their order.
    current: Option<(PublicationKind, String)>,
    number: u64,
    /// For each drug, and for the group of each first drug, the number of the publication that mentioned it last.
    last_of_drug: Vec<u64>,
    last_of_group: Vec<u64>,
    /// How many publications of each kind were added.
    publications_added: [u64; PublicationKind::ALL.len()],
    pairs: u64,
}

/// What a graph holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrittenGraph {
    /// Codes.
    pub drugs: u64,
    pub substances: u64,
    pub publications: u64,
    /// Pairs of what counts as a drug and a publication.
    pub pairs: u64,
    pub answers: AnswerTotals,
}

impl LargeGraph {
    /// A graph of drugs, each a code and a name, and of all names that journals may have; `scratch` makes empty files.
    pub fn new<'d>(
        drugs: impl IntoIterator<Item = (&'d str, &'d str)>,
        mut journals: Vec<String>,
        settings: AnswerSettings,
        bound: Bound,
        mut scratch: impl FnMut(&str) -> Result<File>,
    ) -> Result<Self> {
        let mut builder = GraphBuilder::default();
        drugs
            .into_iter()
            .for_each(|(atccode, drug)| builder.add_drug(atccode, drug));
        journals.sort_unstable();
        journals.dedup();
        let numbers = (0..)
            .zip(&journals)
            .map(|(number, name)| (name.clone(), number))
            .collect();
        let drugs = builder.finish().drugs;
        let grouping = DrugGrouping::of(&drugs, settings.unit);
        Ok(Self {
            last_of_drug: vec![0; drugs.len()],
            last_of_group: vec![0; drugs.len()],
            drugs,
            grouping,
            settings,
            journals,
            numbers,
            publications: Sorter::new(scratch("graph-publications")?, bound),
            by_drug: Sorter::new(scratch("graph-drugs")?, bound),
            by_journal: Sorter::new(scratch("graph-journals")?, bound),
            current: None,
            number: 0,
            publications_added: [0; PublicationKind::ALL.len()],
            pairs: 0,
        })
    }

    /// The drugs by code.
    pub fn drugs(&self) -> &[DrugNode] {
        &self.drugs
    }

    fn journal(&self, name: Option<&str>) -> Result<Option<u32>> {
        name.map(|name| {
            self.numbers.get(name).copied().ok_or_else(|| Error::Internal {
                message: format!("the journal {name}, which is not in the graph"),
            })
        })
        .transpose()
    }

    /// Adds a publication; its id must be new among its kind.
    pub fn add_publication(
        &mut self,
        kind: PublicationKind,
        id: &str,
        date: Option<NaiveDate>,
        journal: Option<&str>,
    ) -> Result<()> {
        let row = PublicationRow {
            kind,
            id: id.into(),
            date,
            journal: self.journal(journal)?,
        };
        self.publications_added[kind as usize] += 1;
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
        let found = self
            .drugs
            .binary_search_by(|drug| drug.atccode.as_str().cmp(atccode));
        let drug = found
            .ok()
            .and_then(|place| u32::try_from(place).ok())
            .ok_or_else(|| Error::Internal {
                message: format!("a mention of {atccode}, which is not in the graph"),
            })?;
        let same = matches!(&self.current, Some((its, known)) if *its == kind && known == id);
        if !same {
            self.current = Some((kind, id.to_owned()));
            self.number += 1;
        }
        let group = self.grouping.first(drug) as usize;
        if std::mem::replace(&mut self.last_of_group[group], self.number) < self.number {
            self.pairs += 1;
        }
        if std::mem::replace(&mut self.last_of_drug[drug as usize], self.number) == self.number {
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

    /// Writes `drug_graph.json`, `top_journals.json` and `exclusive_drugs.json`; `shown` is the first one's name in messages.
    pub fn write(
        self,
        shown: &str,
        graph: &mut dyn Write,
        answers: (&mut dyn Write, &mut dyn Write),
        task: &Task,
    ) -> Result<WrittenGraph> {
        let substances = DrugGrouping::of(&self.drugs, DrugUnit::Substance)
            .firsts()
            .count();
        let mut written = WrittenGraph {
            drugs: self.drugs.len() as u64,
            substances: substances as u64,
            publications: self.publications_added.iter().sum(),
            pairs: self.pairs,
            answers: AnswerTotals::default(),
        };
        let (settings, grouping) = (self.settings, self.grouping);
        let (drugs, journals) = (self.drugs, self.journals);
        let added = self.publications_added;
        let tables =
            GraphTable::all(|kind| kind.description().is_always_in_graph || added[kind as usize] > 0);
        let sorted = (self.publications, self.by_drug, self.by_journal);
        let shelf = write_graph(&tables, &drugs, &journals, sorted, graph)
            .map_err(|error| Error::storage(shown, "write", error))?
            .grouped(&grouping);
        let most = settings.max_exclusive;
        written.answers = write_published((&drugs, &grouping), (&journals, &shelf), most, answers, task)?;
        Ok(written)
    }
}

type Sorters = (Sorter<PublicationRow>, Sorter<DrugRow>, Sorter<JournalRow>);

/// Writes `drug_graph.json`; gives what the answers need to know of it.
fn write_graph(
    all: &[GraphTable],
    drugs: &[DrugNode],
    journals: &[String],
    (publications, by_drug, by_journal): Sorters,
    out: &mut dyn Write,
) -> io::Result<Shelf> {
    let mut publications = publications.finish()?;
    let mut shelf = Shelf::default();
    let mut tables = Object::begin(out)?;
    let (mut by_drug, mut by_journal) = (Some(by_drug), Some(by_journal));
    for table in all {
        let out = tables.entry(table.name())?;
        match table {
            GraphTable::Drugs => write_drugs(take(&mut by_drug)?, drugs, all, out)?,
            GraphTable::Journals => write_journals(take(&mut by_journal)?, journals, drugs, &mut shelf, out)?,
            GraphTable::Publications(kind) => write_publications(&mut publications, *kind, journals, out)?,
        }
    }
    tables.end()?;
    out.write_all(b"\n")?;
    Ok(shelf)
}

/// Each table is written once.
fn take<T: SortRecord>(rows: &mut Option<Sorter<T>>) -> io::Result<Sorted<T>> {
    let rows = rows
        .take()
        .ok_or_else(|| io::Error::other("a table that is written twice"))?;
    rows.finish()
}

fn failed(error: io::Error) -> Error {
    Error::storage("the scratch files of the graph", "use", error)
}

fn write_publications(
    publications: &mut Sorted<PublicationRow>,
    kind: PublicationKind,
    journals: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = Object::begin(out)?;
    while let Some(row) = publications.next_if(|row| row.kind == kind)? {
        let journal = row.journal.map(|journal| journals[journal as usize].as_str());
        writer::publication(&mut table, &row.id, row.date, journal)?;
    }
    table.end()
}

fn write_drugs(
    mut mentioned: Sorted<DrugRow>,
    drugs: &[DrugNode],
    tables: &[GraphTable],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = Object::begin(out)?;
    for (number, drug) in (0_u32..).zip(drugs) {
        writer::drug(&mut table, drug, tables, |kind, ids| {
            while let Some(row) = mentioned.next_if(|row| row.drug == number && row.kind == kind)? {
                writer::text(ids.item()?, &row.id)?;
            }
            Ok(())
        })?;
    }
    table.end()
}

/// Notes what the answers need on the way.
fn write_journals(
    mut mentioned: Sorted<JournalRow>,
    journals: &[String],
    drugs: &[DrugNode],
    shelf: &mut Shelf,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = Object::begin(out)?;
    while let Some(journal) = mentioned.peek().map(|row| row.journal) {
        let mut mentions = List::begin(table.entry(&journals[journal as usize])?)?;
        while let Some(row) = mentioned.next_if(|row| row.journal == journal)? {
            shelf.add(journal, row.drug, row.kind);
            let drug = &drugs[row.drug as usize];
            writer::mention(&mut mentions, &drug.atccode, row.date, &drug.name)?;
        }
        mentions.end()?;
    }
    table.end()
}
