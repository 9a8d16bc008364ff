//! The answers from counts: how many publications of which journal mention which drug.
//!
//! The counts add up over the parts of a lake, so that a change of one part changes the sums and needs no other part.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};

use super::DrugNode;
use super::answers::{AnswerSettings, AnswerTotals, write_published};
use super::grouping::DrugGrouping;
use super::shelf::Shelf;
use crate::error::{Error, Result};
use crate::schema::{DrugUnit, PublicationKind};
use crate::sorting::{Bound, Sorter, sort_record};
use crate::task::Task;

/// A journal, for the tables of journals.
#[derive(Debug)]
pub struct JournalTotals<'j> {
    pub name: &'j str,
    pub publications: u64,
    /// Different codes that its publications mention.
    pub codes: u64,
    /// For each substance and kind the publications that mention it, in the order of first codes.
    pub pairs: &'j [(&'j str, PublicationKind, u64)],
}

/// The numbers of a graph beside its answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CountedGraph {
    /// Codes.
    pub drugs: u64,
    pub substances: u64,
    /// Pairs of what counts as a drug and a publication.
    pub pairs: u64,
    pub answers: AnswerTotals,
}

/// The counts of one journal, drug and kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct CountRow {
    journal: u32,
    drug: u32,
    kind: PublicationKind,
    codes: u64,
    pairs: u64,
}

sort_record! { CountRow { journal, drug, kind, codes, pairs } }

/// Collects the counts of journals in any order.
pub struct JournalCounter {
    drugs: Vec<DrugNode>,
    /// The names in order, each with its number of publications.
    journals: BTreeMap<String, u64>,
    settings: AnswerSettings,
    rows: Sorter<CountRow>,
    pairs: u64,
}

impl JournalCounter {
    /// For these drugs in the order of codes, and these journals with their numbers of publications; `scratch` is an empty
    /// file.
    pub fn new(
        drugs: Vec<DrugNode>,
        journals: BTreeMap<String, u64>,
        settings: AnswerSettings,
        (scratch, bound): (File, Bound),
    ) -> Self {
        Self {
            drugs,
            journals,
            settings,
            rows: Sorter::new(scratch, bound),
            pairs: 0,
        }
    }

    /// Adds publications of the journal with this number in the order of names (`None` is no journal), which mention the drug
    /// with this number in the order of codes. `codes` of them mention the code; `pairs` counts those in which it is the
    /// first code of its substance, so that their sum over the codes of a substance is what mentions the substance.
    pub fn add(
        &mut self,
        journal: Option<u32>,
        (drug, kind): (u32, PublicationKind),
        (codes, pairs): (u64, u64),
    ) -> Result<()> {
        self.pairs += match self.settings.unit {
            DrugUnit::Code => codes,
            DrugUnit::Substance => pairs,
        };
        let Some(journal) = journal else { return Ok(()) };
        let row = CountRow {
            journal,
            drug,
            kind,
            codes,
            pairs,
        };
        self.rows.push(row).map_err(failed)
    }

    /// Writes `top_journals.json` and `exclusive_drugs.json`. Hands over every journal in the order of names.
    pub fn write(
        self,
        answers: (&mut dyn Write, &mut dyn Write),
        each_journal: &mut dyn FnMut(JournalTotals<'_>) -> Result<()>,
        task: &Task,
    ) -> Result<CountedGraph> {
        let (drugs, settings) = (self.drugs, self.settings);
        let substances = DrugGrouping::of(&drugs, DrugUnit::Substance);
        let grouping = DrugGrouping::of(&drugs, settings.unit);
        let mut rows = self.rows.finish().map_err(failed)?;
        let mut shelf = Shelf::default();
        let mut names = Vec::with_capacity(self.journals.len());
        for (number, (name, publications)) in (0_u32..).zip(self.journals) {
            task.check()?;
            let (mut codes, mut last) = (0, None);
            let mut by_substance: BTreeMap<(u32, PublicationKind), u64> = BTreeMap::new();
            while let Some(row) = rows.next_if(|row| row.journal == number).map_err(failed)? {
                shelf.add(number, row.drug, row.kind);
                codes += u64::from(last.replace(row.drug) != Some(row.drug));
                *by_substance
                    .entry((substances.first(row.drug), row.kind))
                    .or_default() += row.pairs;
            }
            let pairs: Vec<(&str, PublicationKind, u64)> = by_substance
                .iter()
                .map(|((drug, kind), count)| (&*drugs[*drug as usize].substance, *kind, *count))
                .collect();
            each_journal(JournalTotals {
                name: &name,
                publications,
                codes,
                pairs: &pairs,
            })?;
            names.push(name);
        }
        let shelf = shelf.grouped(&grouping);
        let most = settings.max_exclusive;
        Ok(CountedGraph {
            drugs: drugs.len() as u64,
            substances: substances.firsts().count() as u64,
            pairs: self.pairs,
            answers: write_published((&drugs, &grouping), (&names, &shelf), most, answers, task)?,
        })
    }
}

fn failed(error: io::Error) -> Error {
    Error::storage("the scratch file of journals", "use", error)
}
