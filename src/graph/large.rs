//! A graph of any size on its way to `drug_graph.json`: its tables are sorted on scratch files and never held.
//!
//! What stays in memory are the drugs, the names and the publications of the journals, and which journal mentions which
//! drug. A graph that nobody wants as a file ([`LargeGraph::without_file`]) sorts what the answers need alone.

mod rows;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Write};

use chrono::NaiveDate;

use super::DrugNode;
use super::answers::{AnswerSettings, AnswerTotals, write_published};
use super::grouping::DrugGrouping;
use super::model::GraphBuilder;
use super::shelf::Shelf;
use super::writer::{GraphRows, GraphTable, PublicationSink, write_graph};
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
    /// The groups of codes of one substance, and for each first drug of one the publication that mentioned it last.
    substances: DrugGrouping,
    last_of_substance: Vec<u64>,
    /// How many publications each journal has.
    journal_publications: Vec<u64>,
    /// Whether the graph is written.
    has_file: bool,
    /// How many publications of each kind were added.
    publications_added: [u64; PublicationKind::ALL.len()],
    pairs: u64,
}

/// A journal of a graph, for the tables of journals.
#[derive(Debug)]
pub struct JournalTotals<'j> {
    pub name: &'j str,
    pub publications: u64,
    /// Different codes that its publications mention.
    pub codes: u64,
    /// For each substance and kind the publications that mention it, in the order of first codes.
    pub pairs: &'j [(&'j str, PublicationKind, u64)],
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
            last_of_substance: vec![0; drugs.len()],
            substances: DrugGrouping::of(&drugs, DrugUnit::Substance),
            journal_publications: vec![0; journals.len()],
            has_file: true,
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

    /// A graph that is never written as a file: what only that needs is not kept.
    #[must_use]
    pub fn without_file(mut self) -> Self {
        self.has_file = false;
        self
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
        let journal = self.journal(journal)?;
        if let Some(journal) = journal {
            self.journal_publications[journal as usize] += 1;
        }
        self.publications_added[kind as usize] += 1;
        if !self.has_file {
            return Ok(());
        }
        let id = id.into();
        let row = PublicationRow {
            kind,
            id,
            date,
            journal,
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
        let substance = self.substances.first(drug) as usize;
        let is_pair = std::mem::replace(&mut self.last_of_substance[substance], self.number) < self.number;
        if let Some(journal) = self.journal(journal)? {
            let row = JournalRow {
                is_pair,
                journal,
                drug,
                date,
                kind,
            };
            self.by_journal.push(row).map_err(failed)?;
        }
        if !self.has_file {
            return Ok(());
        }
        let row = DrugRow {
            drug,
            kind,
            id: id.into(),
        };
        self.by_drug.push(row).map_err(failed)
    }

    /// Writes `drug_graph.json`, unless the graph is [`without_file`](Self::without_file), `top_journals.json` and
    /// `exclusive_drugs.json`; `shown` is the first one's name in messages. Hands over every journal in the order of names.
    pub fn write(
        self,
        shown: &str,
        graph: &mut dyn Write,
        answers: (&mut dyn Write, &mut dyn Write),
        each_journal: &mut dyn FnMut(JournalTotals<'_>) -> Result<()>,
        task: &Task,
    ) -> Result<WrittenGraph> {
        let substances = self.substances.firsts().count();
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
        let mut rows = SortedRows {
            drugs: &drugs,
            journals: &journals,
            substances: &self.substances,
            journal_publications: &self.journal_publications,
            each_journal,
            seen: 0,
            failed: None,
            publications: self.publications.finish().map_err(failed)?,
            by_drug: SortedLater::Collected(Some(self.by_drug)),
            by_journal: SortedLater::Collected(Some(self.by_journal)),
            shelf: Shelf::default(),
        };
        let walked = if self.has_file {
            write_graph(graph, &tables, &drugs, &mut rows)
        } else {
            rows.each_mention_of_each_journal()
        };
        if let Err(error) = walked {
            let failed = rows.failed.take();
            return Err(failed.unwrap_or_else(|| Error::storage(shown, "write", error)));
        }
        rows.skip_journals(journals.len())?;
        let shelf = rows.shelf.grouped(&grouping);
        let most = settings.max_exclusive;
        written.answers = write_published((&drugs, &grouping), (&journals, &shelf), most, answers, task)?;
        Ok(written)
    }
}

/// The rows of a graph on scratch files. What the answers need is noted on the way.
struct SortedRows<'g> {
    drugs: &'g [DrugNode],
    journals: &'g [String],
    substances: &'g DrugGrouping,
    journal_publications: &'g [u64],
    each_journal: &'g mut dyn FnMut(JournalTotals<'_>) -> Result<()>,
    /// The journals that were handed over.
    seen: usize,
    /// Why one could not be.
    failed: Option<Error>,
    publications: Sorted<PublicationRow>,
    by_drug: SortedLater<DrugRow>,
    by_journal: SortedLater<JournalRow>,
    shelf: Shelf,
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

impl SortedRows<'_> {
    fn each_mention_of_each_journal(&mut self) -> io::Result<()> {
        while self.next_journal()?.is_some() {
            self.each_mention(&mut |_, _| Ok(()))?;
        }
        Ok(())
    }

    /// Hands over the journals before `end` that were not: those without a mention.
    fn skip_journals(&mut self, end: usize) -> Result<()> {
        while self.seen < end {
            self.hand_over(self.seen, 0, &[])?;
        }
        Ok(())
    }

    fn hand_over(
        &mut self,
        journal: usize,
        codes: u64,
        pairs: &[(&str, PublicationKind, u64)],
    ) -> Result<()> {
        self.seen = journal + 1;
        (self.each_journal)(JournalTotals {
            name: &self.journals[journal],
            publications: self.journal_publications[journal],
            codes,
            pairs,
        })
    }

    /// Hands over a journal with its mentions, and those before it without any.
    fn finish_journal(
        &mut self,
        journal: u32,
        codes: u64,
        pairs: &BTreeMap<(u32, PublicationKind), u64>,
    ) -> io::Result<()> {
        let drugs = self.drugs;
        let pairs: Vec<(&str, PublicationKind, u64)> = pairs
            .iter()
            .map(|((drug, kind), count)| (&*drugs[*drug as usize].substance, *kind, *count))
            .collect();
        let handed = self
            .skip_journals(journal as usize)
            .and_then(|()| self.hand_over(journal as usize, codes, &pairs));
        handed.map_err(|error| {
            self.failed = Some(error);
            io::Error::other("a table of journals")
        })
    }
}

impl GraphRows for SortedRows<'_> {
    fn each_publication(&mut self, kind: PublicationKind, write: &mut PublicationSink<'_>) -> io::Result<()> {
        while let Some(row) = self.publications.next_if(|row| row.kind == kind)? {
            let journal = row
                .journal
                .map(|journal| self.journals[journal as usize].as_str());
            write(&row.id, row.date, journal)?;
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
        let mut codes = 0;
        let mut last = None;
        let mut pairs: BTreeMap<(u32, PublicationKind), u64> = BTreeMap::new();
        while let Some(row) = by_journal.next_if(|row| row.journal == journal)? {
            self.shelf.add(journal, row.drug, row.kind);
            codes += u64::from(last.replace(row.drug) != Some(row.drug));
            if row.is_pair {
                *pairs
                    .entry((self.substances.first(row.drug), row.kind))
                    .or_default() += 1;
            }
            write(row.drug, row.date)?;
        }
        self.finish_journal(journal, codes, &pairs)
    }
}

fn failed(error: io::Error) -> Error {
    Error::storage("the scratch files of the graph", "use", error)
}
