//! The counts of a comparison, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use polars::prelude::DataFrame;
use serde::Serialize;

use super::cause::{MentionCause, MentionChange};
use super::drug_changes::{DrugChange, DrugChangeKind};
use crate::choice::Choice as _;
use crate::error::Result;
use crate::lake::states::StateRecord;
use crate::row_frame::RowFrame;
use crate::share::percentage;

/// Examples of each cause, and drugs, that the text has.
const MOST_EXAMPLES: usize = 3;
const MOST_DRUGS: usize = 10;
/// Longer texts are cut in the text.
const LONGEST: usize = 50;

/// Mentions, and the pairs that came or went with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ChangeCount {
    pub mentions: u64,
    pub pairs: u64,
}

/// How many mentions came or went for a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CauseCount {
    pub change: MentionChange,
    pub cause: MentionCause,
    #[serde(flatten)]
    pub count: ChangeCount,
}

/// How many mentions of a substance came and went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubstanceCount {
    pub substance: String,
    pub gained: ChangeCount,
    pub lost: ChangeCount,
}

/// A mention that came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeExample {
    pub change: MentionChange,
    pub cause: MentionCause,
    pub kind: &'static str,
    pub publication_id: String,
    pub drug: String,
    pub surface: String,
    pub cause_dt: Option<String>,
}

/// A state, as its record describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateSummary {
    pub state: u64,
    pub committed_at: String,
    pub version: String,
    pub as_of: String,
    pub publications: u64,
    pub mentions: u64,
    pub pairs: u64,
}

impl StateSummary {
    pub(in crate::api) fn of(record: &StateRecord) -> Self {
        Self {
            state: record.state,
            committed_at: record.committed_at.clone(),
            version: record.version.clone(),
            as_of: record.as_of.clone(),
            publications: record.publications,
            mentions: record.mentions,
            pairs: record.pairs,
        }
    }
}

/// What changed between two states, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffSummary {
    pub from: StateSummary,
    pub to: StateSummary,
    pub gained: ChangeCount,
    pub lost: ChangeCount,
    /// By change and cause.
    pub causes: Vec<CauseCount>,
    /// The substance with the most changes first.
    pub substances: Vec<SubstanceCount>,
    pub drugs: Vec<DrugChange>,
    pub examples: Vec<ChangeExample>,
    /// Files of mentions that both states share, and that were read.
    pub files_shared: u64,
    pub files_compared: u64,
}

/// Adds the changes up as they are found.
#[derive(Default)]
pub(super) struct ChangeCounter {
    causes: BTreeMap<(MentionChange, MentionCause), ChangeCount>,
    substances: BTreeMap<String, [ChangeCount; 2]>,
    /// Gained and lost mentions of each code.
    pub codes: BTreeMap<String, [u64; 2]>,
    examples: BTreeMap<(MentionChange, MentionCause), Vec<ChangeExample>>,
}

impl ChangeCounter {
    /// Counts a mention; `is_pair` says that it is the first one of a pair that came or went.
    pub(super) fn add(&mut self, example: ChangeExample, substance: &str, atccode: &str, is_pair: bool) {
        let key = (example.change, example.cause);
        let side = usize::from(example.change == MentionChange::Lost);
        if !self.substances.contains_key(substance) {
            self.substances.insert(substance.to_owned(), Default::default());
        }
        let of_substance = self.substances.get_mut(substance).map(|counts| &mut counts[side]);
        for count in of_substance
            .into_iter()
            .chain([self.causes.entry(key).or_default()])
        {
            count.mentions += 1;
            count.pairs += u64::from(is_pair);
        }
        if !self.codes.contains_key(atccode) {
            self.codes.insert(atccode.to_owned(), [0, 0]);
        }
        if let Some(counts) = self.codes.get_mut(atccode) {
            counts[side] += 1;
        }
        let examples = self.examples.entry(key).or_default();
        if examples.len() < MOST_EXAMPLES {
            examples.push(example);
        }
    }

    /// The counts of everything.
    pub(super) fn finish(
        self,
        [from, to]: [StateSummary; 2],
        drugs: Vec<DrugChange>,
        files: [u64; 2],
    ) -> DiffSummary {
        let total = |change: MentionChange| {
            let of_change = self.causes.iter().filter(|((of, _), _)| *of == change);
            of_change.fold(ChangeCount::default(), |sum, (_, count)| ChangeCount {
                mentions: sum.mentions + count.mentions,
                pairs: sum.pairs + count.pairs,
            })
        };
        let (gained, lost) = (total(MentionChange::Gained), total(MentionChange::Lost));
        let causes = self.causes.iter();
        let causes = causes.map(|((change, cause), count)| CauseCount {
            change: *change,
            cause: *cause,
            count: *count,
        });
        let causes = causes.collect();
        let mut substances: Vec<SubstanceCount> = self
            .substances
            .into_iter()
            .map(|(substance, [gained, lost])| SubstanceCount {
                substance,
                gained,
                lost,
            })
            .collect();
        substances.sort_by_key(|one| std::cmp::Reverse(one.gained.mentions + one.lost.mentions));
        DiffSummary {
            from,
            to,
            gained,
            lost,
            causes,
            substances,
            drugs,
            examples: self.examples.into_values().flatten().collect(),
            files_shared: files[1],
            files_compared: files[0],
        }
    }
}

impl DiffSummary {
    /// The counts by change and cause as a table.
    pub fn cause_frame(&self) -> Result<DataFrame> {
        RowFrame::of(&self.causes)
            .column("change", |row| row.change.name())
            .column("cause", |row| row.cause.choice_name())
            .count("mentions", |row| row.count.mentions)
            .count("pairs", |row| row.count.pairs)
            .column("meaning", |row| row.cause.meaning())
            .finish()
    }

    /// The counts by substance as a table.
    pub fn substance_frame(&self) -> Result<DataFrame> {
        RowFrame::of(&self.substances)
            .column("substance", |row| row.substance.as_str())
            .count("gained", |row| row.gained.mentions)
            .count("lost", |row| row.lost.mentions)
            .count("gained_pairs", |row| row.gained.pairs)
            .count("lost_pairs", |row| row.lost.pairs)
            .finish()
    }

    /// The comparison for people.
    pub fn to_text(&self) -> String {
        let Self { from, to, .. } = self;
        let mut text = format!(
            "From state {} (up to {}) to state {} (up to {})\n",
            from.state, from.as_of, to.state, to.as_of
        );
        let (pairs, lost) = (from.pairs, self.lost.pairs);
        let _ = writeln!(
            text,
            "  mentions  {} gained, {} lost\n  pairs     {} gained, {} lost: {} of the {} before; {} now",
            self.gained.mentions,
            self.lost.mentions,
            self.gained.pairs,
            lost,
            percentage(lost, pairs),
            pairs,
            to.pairs
        );
        if !self.causes.is_empty() {
            let rows = self.causes.iter().map(|row| {
                let numbers = [row.count.mentions, row.count.pairs].map(|count| count.to_string());
                let [mentions, pairs] = numbers;
                let meaning = row.cause.meaning().to_owned();
                vec![
                    row.change.name().to_owned(),
                    row.cause.choice_name().to_owned(),
                    mentions,
                    pairs,
                    meaning,
                ]
            });
            section(
                &mut text,
                "Causes",
                &["", "cause", "mentions", "pairs", ""],
                rows.collect(),
                0,
            );
        }
        if !self.substances.is_empty() {
            let rows = self.substances.iter().take(MOST_DRUGS).map(|row| {
                let numbers = [row.gained.mentions, row.lost.mentions].map(|count| count.to_string());
                [vec![cut(&row.substance)], numbers.to_vec()].concat()
            });
            let more = self.substances.len().saturating_sub(MOST_DRUGS);
            section(
                &mut text,
                "Substances",
                &["substance", "gained", "lost"],
                rows.collect(),
                more,
            );
        }
        if !self.drugs.is_empty() {
            let mut counts: BTreeMap<DrugChangeKind, u64> = BTreeMap::new();
            for drug in &self.drugs {
                *counts.entry(drug.change).or_default() += 1;
            }
            let counts = counts
                .iter()
                .map(|(change, count)| format!("{count} {}", change.name().replace('_', " ")));
            let title = format!("Vocabulary: {}", counts.collect::<Vec<_>>().join(", "));
            let mut first: Vec<&DrugChange> = self.drugs.iter().collect();
            first.sort_by_key(|drug| std::cmp::Reverse(drug.gained + drug.lost));
            let rows = first.iter().take(MOST_DRUGS).map(|drug| {
                let before = match (&drug.atccode_before, &drug.drug_before) {
                    (Some(code), _) if drug.change == DrugChangeKind::Recoded => format!("was {code}"),
                    (_, Some(name)) if drug.change == DrugChangeKind::Renamed => format!("was {}", cut(name)),
                    _ => String::new(),
                };
                let numbers = [drug.gained.to_string(), drug.lost.to_string()];
                let names = [
                    drug.change.name().to_owned(),
                    drug.atccode.clone(),
                    cut(&drug.drug),
                ];
                [&names[..], &numbers[..], &[before][..]].concat()
            });
            let more = self.drugs.len().saturating_sub(MOST_DRUGS);
            let header = ["change", "atccode", "drug", "gained", "lost", ""];
            section(&mut text, &title, &header, rows.collect(), more);
        }
        if !self.examples.is_empty() {
            let rows = self.examples.iter().map(|row| {
                let words = [
                    row.change.name(),
                    row.cause.choice_name(),
                    row.kind,
                    &row.publication_id,
                    &row.drug,
                ];
                let mut cells: Vec<String> = words.map(cut).to_vec();
                cells.push(row.cause_dt.clone().unwrap_or_default());
                cells
            });
            let header = ["", "cause", "kind", "publication", "drug", "by"];
            section(&mut text, "Examples", &header, rows.collect(), 0);
        }
        text
    }
}

/// A text of a table cell: without control characters, and not too long.
fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown.replace(char::is_control, "\u{fffd}")
}

/// Adds a table under a title, with aligned columns, numbers to the right.
fn section(text: &mut String, title: &str, header: &[&str], rows: Vec<Vec<String>>, more: usize) {
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let is_number = |cell: &str| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
    let _ = writeln!(text, "\n{title}");
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| match is_number(cell) {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            });
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "  {}", line.trim_end());
    }
    if more > 0 {
        let _ = writeln!(text, "  … and {more} more");
    }
}
