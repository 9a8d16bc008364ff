//! What an answer is, and what it knows of the graph and of its options.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::DataFrame;

use crate::choice::{Choice, UnknownChoice, close_names};
use crate::error::{Error, Result};
use crate::graph::grouping::DrugGrouping;
use crate::graph::model::{DrugGraph, DrugNode};
use crate::graph::shelf::Shelf;
use crate::schema::DrugUnit;
use crate::task::Task;
use crate::text::{BETWEEN_NAMES, form};

/// A question that a graph answers with a table.
pub struct Answer {
    pub name: &'static str,
    /// What the table holds, in a sentence.
    pub sentence: &'static str,
    pub options: &'static [AnswerOption],
    pub table: fn(&Question<'_>, &Task) -> Result<DataFrame>,
}

/// An option of an answer. Options of one name mean the same in all answers: they are one flag of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerOption {
    /// The keyword in Python; the flag of the command has dashes.
    pub name: &'static str,
    pub flag: &'static str,
    pub sentence: &'static str,
    pub value: OptionValue,
}

/// What an option may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionValue {
    /// One drug, by its code or one of its names; all drugs by default.
    Drug,
    /// A whole number.
    Number { default: u64, least: u64 },
    /// What counts as one drug.
    Unit,
}

impl AnswerOption {
    /// `drug`: what the answer is about.
    pub const DRUG: Self = Self {
        name: "drug",
        flag: "drug",
        sentence: "Only this drug: a code, or a name of the vocabulary",
        value: OptionValue::Drug,
    };

    /// `unit`, which every answer has.
    pub const UNIT: Self = Self {
        name: "unit",
        flag: "unit",
        sentence: "What counts as one drug: substance or code",
        value: OptionValue::Unit,
    };
}

/// A graph and the options of one question to it.
pub struct Question<'g> {
    pub graph: &'g DrugGraph,
    /// What counts as one drug.
    pub unit: DrugUnit,
    pub grouping: DrugGrouping,
    drug: Option<u32>,
    numbers: BTreeMap<&'static str, u64>,
}

impl<'g> Question<'g> {
    /// Checks the options.
    pub fn new(graph: &'g DrugGraph, answer: &Answer, given: &[(String, String)]) -> Result<Self> {
        let names = || answer.options.iter().map(|option| option.name);
        if let Some((name, _)) = given.iter().find(|(name, _)| !names().any(|known| known == name)) {
            return Err(UnknownChoice::among(name, names()).of(&format!("option of {}", answer.name)));
        }
        let value_of = |wanted: &str| {
            let mut given = given.iter();
            given
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        let unit = match value_of(AnswerOption::UNIT.name) {
            Some(name) => {
                DrugUnit::from_choice_name(name).map_err(|unknown| unknown.of(AnswerOption::UNIT.name))?
            }
            None => DrugUnit::default(),
        };
        let mut question = Self {
            graph,
            unit,
            grouping: DrugGrouping::of(graph.drugs(), unit),
            drug: None,
            numbers: BTreeMap::new(),
        };
        for option in answer.options {
            match (option.value, value_of(option.name)) {
                (OptionValue::Drug, Some(text)) => {
                    question.drug = Some(question.find_drug(option.name, text)?);
                }
                (OptionValue::Number { default, least }, text) => {
                    let number = text.map_or(Ok(default), |text| number(option.name, text, least))?;
                    question.numbers.insert(option.name, number);
                }
                (OptionValue::Drug | OptionValue::Unit, _) => {}
            }
        }
        Ok(question)
    }

    /// The drug that was asked for, as the first of its group.
    pub fn drug(&self) -> Option<u32> {
        self.drug
    }

    /// The value of an option of [`OptionValue::Number`].
    pub fn number(&self, option: &str) -> u64 {
        self.numbers.get(option).copied().unwrap_or_default()
    }

    /// Which drugs each journal mentions.
    pub fn shelf(&self) -> Shelf {
        Shelf::of(self.graph, &self.grouping)
    }

    /// The name of a group of drugs by its first drug: that of the substance where substances count.
    pub fn name(&self, drug: u32) -> &'g str {
        let drug = self.node(drug);
        match self.unit {
            DrugUnit::Substance => &drug.substance,
            DrugUnit::Code => &drug.name,
        }
    }

    /// The code of a group of drugs by its first drug.
    pub fn code(&self, drug: u32) -> &'g str {
        &self.node(drug).atccode
    }

    fn node(&self, drug: u32) -> &'g DrugNode {
        &self.graph.drugs()[drug as usize]
    }

    fn find_drug(&self, argument: &str, text: &str) -> Result<u32> {
        let drugs = self.graph.drugs();
        if let Some(number) = self.graph.drug_number(text) {
            return Ok(self.grouping.first(number));
        }
        let wanted = form(text);
        let is_named = |drug: &DrugNode| {
            let mut names = drug.name.split(BETWEEN_NAMES);
            // Tables show all names of a code as one.
            drug.name == text || names.any(|name| form(name) == wanted) || form(&drug.substance) == wanted
        };
        let numbered = (0_u32..).zip(drugs).filter(|(_, drug)| is_named(drug));
        let found: BTreeSet<u32> = numbered.map(|(number, _)| self.grouping.first(number)).collect();
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(drug), None) => Ok(drug),
            (Some(first), Some(second)) => {
                let [first, second] = [first, second].map(|drug| &self.node(drug).atccode);
                let found_text = format!("`{text}`, the name of several drugs");
                let expected = format!("a code, such as {first} or {second}");
                Err(Error::argument(argument, found_text, expected))
            }
            (None, _) => {
                let names = drugs.iter().flat_map(|drug| drug.name.split(BETWEEN_NAMES));
                let known = drugs.iter().map(|drug| drug.atccode.as_str()).chain(names);
                let close: Vec<String> = close_names(text, known, MOST_NAMED)
                    .into_iter()
                    .map(|name| format!("\"{name}\""))
                    .collect();
                let mut expected = "a code or a name of the vocabulary".to_owned();
                if !close.is_empty() {
                    expected.push_str(&format!("; did you mean {}?", close.join(" or ")));
                }
                Err(Error::argument(
                    argument,
                    format!("`{text}` is no drug of this graph"),
                    expected,
                ))
            }
        }
    }
}

/// The most codes or names that an error suggests.
const MOST_NAMED: usize = 3;

fn number(argument: &str, text: &str, least: u64) -> Result<u64> {
    let parsed = text.parse().ok().filter(|number| *number >= least);
    parsed.ok_or_else(|| {
        Error::argument(
            argument,
            format!("`{text}`"),
            format!("a whole number, {least} or more"),
        )
    })
}
