//! The answers that the gold step publishes beside the graph, each as a JSON file.

use std::io::Write;

use super::exclusive_drugs::{self, ExclusiveDrugs};
use super::top_journals;
use crate::error::{Error, Result};
use crate::graph::grouping::DrugGrouping;
use crate::graph::model::{DrugGraph, DrugNode};
use crate::graph::shelf::Shelf;
use crate::schema::DrugUnit;
use crate::task::Task;

/// What the answers count, and how much of them is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerSettings {
    pub unit: DrugUnit,
    /// How many drugs the lists of `exclusive_drugs.json` have at most, together; 0 is no limit.
    pub max_exclusive: u64,
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self {
            unit: DrugUnit::default(),
            max_exclusive: 1_000_000,
        }
    }
}

/// Counts of the answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerTotals {
    /// Journals with a mention.
    pub journals: u64,
    /// Every journal that shares the first place, with its number of different drugs.
    pub top_journals: Vec<(String, u64)>,
    /// Lists of `exclusive_drugs.json` that were cut.
    pub exclusive_cut: u64,
}

/// Writes `top_journals.json` and `exclusive_drugs.json` of a graph in memory.
pub fn write_answers(
    graph: &DrugGraph,
    settings: AnswerSettings,
    out: (&mut dyn Write, &mut dyn Write),
    task: &Task,
) -> Result<AnswerTotals> {
    let grouping = DrugGrouping::of(graph.drugs(), settings.unit);
    let shelf = Shelf::of(graph, &grouping);
    let drugs = (graph.drugs(), &grouping);
    write_published(
        drugs,
        (graph.journals(), &shelf),
        settings.max_exclusive,
        out,
        task,
    )
}

/// Writes both answers from a grouped shelf.
pub(in crate::graph) fn write_published(
    (drugs, grouping): (&[DrugNode], &DrugGrouping),
    (journals, shelf): (&[String], &Shelf),
    max_exclusive: u64,
    (top, exclusive): (&mut dyn Write, &mut dyn Write),
    task: &Task,
) -> Result<AnswerTotals> {
    let failed = |error| Error::storage("the answers", "write", error);
    top_journals::write(top, &shelf.ranking(journals)).map_err(failed)?;
    let lists = ExclusiveDrugs::of(shelf, drugs.len(), max_exclusive, task)?;
    exclusive_drugs::write(exclusive, drugs, grouping, &lists).map_err(failed)?;
    let first = shelf.top(journals).into_iter();
    Ok(AnswerTotals {
        journals: shelf.journals() as u64,
        top_journals: first
            .map(|(name, drugs)| (name.to_owned(), drugs as u64))
            .collect(),
        exclusive_cut: lists.cut(),
    })
}
