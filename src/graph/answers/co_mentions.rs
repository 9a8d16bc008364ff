//! Which drugs the same publications mention.
//!
//! Memory grows with the pairs of drugs that occur, and with the links of the graph: about 60 bytes for each pair, at most
//! n²/2 of n drugs, and 12 bytes for each link. For one drug there are at most n pairs.

use std::collections::HashMap;

use chrono::NaiveDate;
use polars::prelude::DataFrame;

use super::question::{Answer, AnswerOption, OptionValue, Question};
use crate::error::Result;
use crate::row_frame::RowFrame;
use crate::schema::PublicationKind;
use crate::task::Task;

pub(super) const ANSWER: Answer = Answer {
    name: "co_mentions",
    sentence: "Pairs of drugs that the same publications mention, the most frequent first.",
    options: &[AnswerOption::DRUG, MIN_COUNT, AnswerOption::UNIT],
    table,
};

const MIN_COUNT: AnswerOption = AnswerOption {
    name: "min_count",
    flag: "min-count",
    sentence: "Only pairs that at least this many publications mention",
    value: OptionValue::Number {
        default: 2,
        least: 1,
    },
};

/// The publications that mention both drugs of a pair.
#[derive(Default)]
struct Shared {
    by_kind: [u32; PublicationKind::ALL.len()],
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
}

impl Shared {
    fn add(&mut self, kind: PublicationKind, date: Option<NaiveDate>) {
        self.by_kind[kind as usize] += 1;
        if let Some(date) = date {
            self.first = Some(self.first.map_or(date, |first| first.min(date)));
            self.last = Some(self.last.map_or(date, |last| last.max(date)));
        }
    }

    fn count(&self) -> u64 {
        self.by_kind.iter().map(|count| u64::from(*count)).sum()
    }
}

fn table(question: &Question<'_>, task: &Task) -> Result<DataFrame> {
    let least = question.number(MIN_COUNT.name);
    let mut pairs: Vec<((u32, u32), Shared)> = count(question, task)?
        .into_iter()
        .filter(|(_, shared)| shared.count() >= least)
        .collect();
    let order = |pair: (u32, u32)| (question.name(pair.0), question.name(pair.1), pair);
    pairs.sort_by(|(left, one), (right, other)| {
        let counts = other.count().cmp(&one.count());
        counts.then_with(|| order(*left).cmp(&order(*right)))
    });
    let mut frame = RowFrame::of(&pairs)
        .column("atccode", |((drug, _), _)| question.code(*drug))
        .column("drug", |((drug, _), _)| question.name(*drug))
        .column("other_atccode", |((_, other), _)| question.code(*other))
        .column("other_drug", |((_, other), _)| question.name(*other))
        .count("publications", |(_, shared)| shared.count());
    for kind in question.graph.kinds() {
        frame = frame.count(kind.name(), |(_, shared)| shared.by_kind[kind as usize].into());
    }
    frame
        .column("first_date", |(_, shared)| shared.first)
        .column("last_date", |(_, shared)| shared.last)
        .finish()
}

/// Every pair with its publications: the drug that was asked for first, otherwise the two in the order of their names.
fn count(question: &Question<'_>, task: &Task) -> Result<HashMap<(u32, u32), Shared>> {
    let graph = question.graph;
    let mut mentions: Vec<(PublicationKind, u32, u32)> = question
        .grouping
        .links(graph.links())
        .into_iter()
        .map(|link| (link.kind, link.publication, link.drug))
        .collect();
    mentions.sort_unstable();
    let mut pairs: HashMap<(u32, u32), Shared> = HashMap::new();
    for together in mentions.chunk_by(|left, right| (left.0, left.1) == (right.0, right.1)) {
        let (kind, publication, _) = together[0];
        let date = graph.publications(kind)[publication as usize].date;
        let drugs = || together.iter().map(|(_, _, drug)| *drug);
        for (place, drug) in drugs().enumerate() {
            // A thousand drugs in one publication are half a million pairs.
            task.check()?;
            let others: &mut dyn Iterator<Item = u32> = match question.drug() {
                None => &mut drugs().skip(place + 1),
                Some(asked) if asked == drug => &mut drugs().filter(|other| *other != drug),
                Some(_) => continue,
            };
            for other in others {
                let named = |drug: u32| (question.name(drug), drug);
                let is_in_order = question.drug().is_some() || named(drug) < named(other);
                let pair = if is_in_order { (drug, other) } else { (other, drug) };
                pairs.entry(pair).or_default().add(kind, date);
            }
        }
    }
    Ok(pairs)
}
