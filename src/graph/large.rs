//! A graph of any size on its way to `drug_graph.json`: its tables are sorted on scratch files and never held.
//!
//! What stays in memory are the drugs, the names of the journals, and which journal mentions which drug.

mod rows;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};

use chrono::NaiveDate;

use super::DrugNode;
use super::answers::Shelf;
use super::model::GraphBuilder;
use super::writer::{self, List, Object};
use crate::error::{Error, Result};
use crate::schema::PublicationKind;
use crate::sorting::{Bound, Sorted, Sorter};
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
    /// The publication whose mentions come at the moment, and its drugs up to now.
    current: Option<(PublicationKind, String)>,
    seen: Vec<u32>,
    counts: Written,
}

/// What a graph holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    pub drugs: u64,
    pub publications: u64,
    /// Pairs of a drug and a publication.
    pub mentions: u64,
    /// Journals with a mention.
    pub journals: u64,
    /// Every journal that shares the first place, with its number of different drugs.
    pub top_journals: Vec<(String, u64)>,
}

impl LargeGraph {
    /// A graph of drugs, each a code and a name, and of all names that journals may have; `scratch` makes empty files.
    pub fn new<'d>(
        drugs: impl IntoIterator<Item = (&'d str, &'d str)>,
        mut journals: Vec<String>,
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
        Ok(Self {
            drugs: builder.finish().drugs,
            journals,
            numbers,
            publications: Sorter::new(scratch("graph-publications")?, bound),
            by_drug: Sorter::new(scratch("graph-drugs")?, bound),
            by_journal: Sorter::new(scratch("graph-journals")?, bound),
            current: None,
            seen: Vec::new(),
            counts: Written::default(),
        })
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
        self.counts.publications += 1;
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
            self.seen.clear();
        }
        if self.seen.contains(&drug) {
            return Ok(());
        }
        self.seen.push(drug);
        self.counts.mentions += 1;
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

    /// Writes `drug_graph.json`, `top_journals.json` and `exclusive_drugs.json`.
    pub fn write(
        self,
        graph: &mut dyn Write,
        top_journals: &mut dyn Write,
        exclusive: &mut dyn Write,
    ) -> io::Result<Written> {
        let Self {
            drugs,
            journals,
            mut counts,
            ..
        } = self;
        let mut publications = self.publications.finish()?;
        let mut shelf = Shelf::default();
        let mut tables = Object::begin(graph)?;
        let trials = tables.entry("clinical_trial")?;
        write_publications(
            &mut publications,
            PublicationKind::ClinicalTrial,
            &journals,
            trials,
        )?;
        write_drugs(self.by_drug.finish()?, &drugs, tables.entry("drug")?)?;
        let mentioned = self.by_journal.finish()?;
        write_journals(mentioned, &journals, &drugs, &mut shelf, tables.entry("journal")?)?;
        let articles = tables.entry("pubmed")?;
        write_publications(&mut publications, PublicationKind::Pubmed, &journals, articles)?;
        tables.end()?;
        graph.write_all(b"\n")?;
        writer::top_journals(top_journals, &shelf.ranking(&journals))?;
        writer::exclusive_drugs(exclusive, &drugs, &shelf.exclusive(drugs.len()))?;
        counts.drugs = drugs.len() as u64;
        counts.journals = shelf.journals() as u64;
        counts.top_journals = shelf
            .top(&journals)
            .into_iter()
            .map(|(name, drugs)| (name.to_owned(), drugs as u64))
            .collect();
        Ok(counts)
    }
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

fn write_drugs(mut mentioned: Sorted<DrugRow>, drugs: &[DrugNode], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Object::begin(out)?;
    for (number, drug) in (0_u32..).zip(drugs) {
        let mut write_ids = |kind: PublicationKind, out: &mut dyn Write| {
            let mut ids = List::begin(out)?;
            while let Some(row) = mentioned.next_if(|row| row.drug == number && row.kind == kind)? {
                writer::text(ids.item()?, &row.id)?;
            }
            ids.end()
        };
        let out = table.entry(&drug.atccode)?;
        out.write_all(b"{\"clinical_trial_id\": ")?;
        write_ids(PublicationKind::ClinicalTrial, out)?;
        out.write_all(b", \"name\": ")?;
        writer::text(out, &drug.name)?;
        out.write_all(b", \"pubmed_id\": ")?;
        write_ids(PublicationKind::Pubmed, out)?;
        out.write_all(b"}")?;
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
