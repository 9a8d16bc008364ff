//! Counting the rows that break the rules of a table, in the frames that they come in.

use std::collections::BTreeMap;

use polars::prelude::{AnyValue, Column, DataFrame, StringChunked};
use xxhash_rust::xxh3::Xxh3;

use super::rule::{ContractRule, RuleMetric, RuleResult};
use crate::error::Result;
use crate::schema::{Flag, Table};

/// The rules of a contract for one table.
#[derive(Debug, Clone)]
pub struct TableRules {
    table: &'static Table,
    rules: Vec<ContractRule>,
}

impl TableRules {
    pub(super) fn new(table: &'static Table, rules: Vec<ContractRule>) -> Self {
        Self { table, rules }
    }

    pub fn table(&self) -> &'static Table {
        self.table
    }

    /// The columns that rules look at, in the order of the table.
    pub fn columns(&self) -> Vec<&'static str> {
        let columns = self.table.all_columns().map(|column| column.name);
        let is_read = |name: &&'static str| {
            self.rules.iter().any(|rule| match &rule.metric {
                RuleMetric::DuplicateValues(key) => key.contains(name),
                RuleMetric::RowCount | RuleMetric::Elsewhere => false,
                _ => rule.column == Some(*name),
            })
        };
        columns.filter(is_read).collect()
    }

    /// For each rule how many rows of a frame it counts; flags only if `with_flags`. Columns that the frame lacks, such as
    /// those of partitions, have no row that is counted. The number of rows and duplicates are no matter of one frame: see
    /// [`TableRules::results`].
    pub fn count(&self, frame: &DataFrame, with_flags: bool) -> Result<Vec<u64>> {
        let count = |rule: &ContractRule| match (&rule.metric, rule.column) {
            (RuleMetric::FlaggedRows(_), _) if !with_flags => Ok(0),
            (metric, Some(name)) => match frame.column(name) {
                Ok(column) => count_column(metric, column),
                Err(_) => Ok(0),
            },
            (_, None) => Ok(0),
        };
        self.rules.iter().map(count).collect()
    }

    /// The rules of duplicates: where each stands among the counts, and the columns of its key.
    pub fn keys(&self) -> impl Iterator<Item = (usize, &[&'static str])> {
        let rules = self.rules.iter().enumerate();
        rules.filter_map(|(place, rule)| match &rule.metric {
            RuleMetric::DuplicateValues(key) => Some((place, key.as_slice())),
            _ => None,
        })
    }

    /// What the rules found in `rows` rows, with the summed counts of their frames. `flags` are the rows with each flag,
    /// where these were counted before.
    pub fn results(
        &self,
        counts: &[u64],
        rows: u64,
        flags: Option<&BTreeMap<String, u64>>,
    ) -> Vec<RuleResult> {
        let rules = self.rules.iter().enumerate();
        let result = |(place, rule): (usize, &ContractRule)| {
            let count = match (&rule.metric, flags) {
                (RuleMetric::RowCount, _) => rows,
                (RuleMetric::FlaggedRows(flag), Some(flags)) => {
                    flags.get(flag.name()).copied().unwrap_or_default()
                }
                _ => counts.get(place).copied().unwrap_or_default(),
            };
            rule.result(self.table.name, count, rows)
        };
        rules
            .filter(|(_, rule)| !matches!(rule.metric, RuleMetric::Elsewhere))
            .map(result)
            .collect()
    }
}

/// A hash of the values of a key in each row.
pub fn key_hashes(frame: &DataFrame, key: &[&str]) -> Result<Vec<u128>> {
    let mut hashes = vec![Xxh3::new(); frame.height()];
    for name in key {
        let column = frame.column(name)?;
        if let Ok(texts) = column.str() {
            for (hash, text) in hashes.iter_mut().zip(texts.iter()) {
                match text {
                    Some(text) => {
                        hash.update(&(text.len() as u64).to_le_bytes());
                        hash.update(text.as_bytes());
                    }
                    None => hash.update(&u64::MAX.to_le_bytes()),
                }
            }
            continue;
        }
        for (row, hash) in hashes.iter_mut().enumerate() {
            match column.get(row)? {
                AnyValue::Null => hash.update(&[0]),
                value => hash.update(value.to_string().as_bytes()),
            }
        }
    }
    Ok(hashes.iter().map(Xxh3::digest128).collect())
}

fn count_column(metric: &RuleMetric, column: &Column) -> Result<u64> {
    let nulls = column.null_count() as u64;
    Ok(match metric {
        RuleMetric::NullValues => nulls,
        RuleMetric::MissingValues(values) if values.is_empty() => nulls,
        RuleMetric::MissingValues(values) => {
            nulls + count_texts(column.str()?, |text| values.iter().any(|value| value == text))
        }
        RuleMetric::InvalidValues { valid, pattern } => count_texts(column.str()?, |text| {
            !(valid
                .as_ref()
                .is_none_or(|valid| valid.iter().any(|value| value == text))
                && pattern.as_ref().is_none_or(|pattern| pattern.is_match(text)))
        }),
        RuleMetric::FlaggedRows(flag) => count_flag(column, *flag)?,
        RuleMetric::RowCount | RuleMetric::DuplicateValues(_) | RuleMetric::Elsewhere => 0,
    })
}

/// How many texts are of this kind. A text that is the one before costs a comparison.
fn count_texts(texts: &StringChunked, is_counted: impl Fn(&str) -> bool) -> u64 {
    if texts.null_count() == texts.len() {
        return 0;
    }
    let mut last: Option<(&str, bool)> = None;
    let mut count = 0;
    for text in texts.iter().flatten() {
        let counted = match last {
            Some((before, counted)) if before == text => counted,
            _ => is_counted(text),
        };
        last = Some((text, counted));
        count += u64::from(counted);
    }
    count
}

/// How many lists of texts hold the name of a flag.
fn count_flag(column: &Column, flag: Flag) -> Result<u64> {
    let mut count = 0;
    let lists = column.list()?;
    for row in 0..lists.len() {
        if let Some(list) = lists.get_as_series(row) {
            count += u64::from(list.str()?.iter().flatten().any(|text| text == flag.name()));
        }
    }
    Ok(count)
}
