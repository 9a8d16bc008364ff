//! Places of names become gaps: counted by name, ranked, as a table.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use chrono::NaiveDate;
use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, IntoSeries, NamedFrom, Series, StructChunked,
};

use super::finder::{FIELDS, GapSighting};
use crate::choice::Choice as _;
use crate::error::Result;
use crate::gaps::{GapConfidence, GapRule};
use crate::row_frame::RowFrame;
use crate::schema::{PublicationKind, VOCABULARY_GAPS};

/// Examples of a gap.
const MOST_EXAMPLES: usize = 3;

/// Spellings of a gap that a row has, and that are counted.
const MOST_SPELLINGS: usize = 5;
const COUNTED_SPELLINGS: usize = 100;

/// A substance is one that patients are treated with, if at least this number of publications with it are about giving a drug,
/// and this share of them in percent.
const TREATMENTS: u64 = 2;
const TREATMENT_SHARE: u64 = 15;

/// A name that the vocabulary probably lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VocabularyGap {
    pub name: String,
    pub confidence: GapConfidence,
    pub rules: Vec<GapRule>,
    pub publications: u64,
    pub mentions: u64,
    pub journals: u64,
    pub dates: [Option<NaiveDate>; 2],
    pub spellings: Vec<String>,
    pub examples: Vec<GapSighting>,
}

/// The surest and most frequent gap is the least.
type GapRank = (GapConfidence, Reverse<u64>, String);

/// Counts the places of one name after the other, and keeps the first gaps.
pub(super) struct RankedGaps {
    min_publications: u64,
    limit: Option<usize>,
    open: Option<OpenGap>,
    /// The last one of the kept gaps on top.
    ranks: BinaryHeap<GapRank>,
    gaps: BTreeMap<GapRank, VocabularyGap>,
}

impl RankedGaps {
    pub(super) fn new(min_publications: u64, limit: Option<usize>) -> Self {
        Self {
            min_publications,
            limit,
            open: None,
            ranks: BinaryHeap::new(),
            gaps: BTreeMap::new(),
        }
    }

    /// Adds the next place; the places come sorted.
    pub(super) fn add(&mut self, sighting: GapSighting) {
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.last.key != sighting.key)
        {
            self.close();
        }
        match &mut self.open {
            Some(open) => open.add(sighting),
            None => self.open = Some(OpenGap::of(sighting)),
        }
    }

    fn close(&mut self) {
        let Some(open) = self
            .open
            .take()
            .filter(|open| open.publications >= self.min_publications)
        else {
            return;
        };
        let key = open.last.key.clone();
        let gap = open.finish();
        let rank = (gap.confidence, Reverse(gap.publications), key);
        self.gaps.insert(rank.clone(), gap);
        self.ranks.push(rank);
        if self.limit.is_some_and(|limit| self.ranks.len() > limit)
            && let Some(last) = self.ranks.pop()
        {
            self.gaps.remove(&last);
        }
    }

    /// The gaps in their order.
    pub(super) fn finish(mut self) -> Vec<VocabularyGap> {
        self.close();
        self.gaps.into_values().collect()
    }
}

/// The places of a name so far.
struct OpenGap {
    last: GapSighting,
    publications: u64,
    mentions: u64,
    journals: u64,
    dates: [Option<NaiveDate>; 2],
    /// By the number of the rule: whether it found the name, and whether it was sure.
    rules: [[bool; 2]; GapRule::CHOICES.len()],
    /// Publications whose list has the substance, and those of them about giving a drug.
    substances: [u64; 2],
    spellings: BTreeMap<String, u64>,
    examples: Vec<GapSighting>,
}

impl OpenGap {
    fn of(first: GapSighting) -> Self {
        let mut open = Self {
            publications: 1,
            mentions: 0,
            journals: u64::from(first.journal.is_some()),
            dates: [first.date; 2],
            rules: Default::default(),
            substances: [0, 0],
            spellings: BTreeMap::new(),
            examples: vec![first.clone()],
            last: first.clone(),
        };
        open.count(first);
        open
    }

    fn add(&mut self, next: GapSighting) {
        let is_other_journal = next.journal != self.last.journal;
        if is_other_journal {
            self.journals += 1;
        }
        if (next.kind, &next.publication_id) != (self.last.kind, &self.last.publication_id) {
            self.publications += 1;
            // An example of another journal takes the place of the second one of a journal.
            if self.examples.len() < MOST_EXAMPLES {
                self.examples.push(next.clone());
            } else if is_other_journal
                && let Some(same) = (1..MOST_EXAMPLES)
                    .find(|place| self.examples[*place].journal == self.examples[*place - 1].journal)
            {
                self.examples.remove(same);
                self.examples.push(next.clone());
            }
        }
        self.count(next);
    }

    fn count(&mut self, sighting: GapSighting) {
        self.mentions += 1;
        let [first, last] = &mut self.dates;
        *first = [*first, sighting.date].into_iter().flatten().min();
        *last = (*last).max(sighting.date);
        if let Some([is_found, is_sure]) = self.rules.get_mut(usize::from(sighting.rule)) {
            *is_found = true;
            *is_sure |= sighting.is_sure;
        }
        if sighting.rule == GapRule::Substance as u8 {
            self.substances[0] += 1;
            self.substances[1] += u64::from(sighting.is_treatment);
        }
        let is_counted = self.spellings.len() < COUNTED_SPELLINGS;
        match self.spellings.get_mut(&sighting.spelling) {
            Some(count) => *count += 1,
            None if is_counted => {
                self.spellings.insert(sighting.spelling.clone(), 1);
            }
            None => {}
        }
        self.last = sighting;
    }

    fn found(&self, rule: GapRule) -> bool {
        self.rules[rule as usize][0]
    }

    fn confidence(&self) -> GapConfidence {
        let is_sure = self.rules.iter().any(|[_, is_sure]| *is_sure);
        let [all, treatments] = self.substances;
        let is_given = treatments >= TREATMENTS && treatments * 100 >= all * TREATMENT_SHARE;
        let [intervention, substance, context] =
            [GapRule::Intervention, GapRule::Substance, GapRule::Context].map(|rule| self.found(rule));
        let agree = [intervention, substance, context]
            .into_iter()
            .filter(|found| *found)
            .count()
            > 1;
        if is_sure || is_given || agree {
            GapConfidence::High
        } else if intervention || context {
            GapConfidence::Medium
        } else {
            GapConfidence::Low
        }
    }

    fn finish(self) -> VocabularyGap {
        let confidence = self.confidence();
        let found = |rule: &&GapRule| self.found(**rule);
        let rules = GapRule::CHOICES.iter().filter(found).copied().collect();
        let mut spellings: Vec<(String, u64)> = self.spellings.into_iter().collect();
        spellings.sort_by_key(|(_, count)| Reverse(*count));
        spellings.truncate(MOST_SPELLINGS);
        let spellings: Vec<String> = spellings.into_iter().map(|(spelling, _)| spelling).collect();
        VocabularyGap {
            name: spellings.first().cloned().unwrap_or_default(),
            confidence,
            rules,
            publications: self.publications,
            mentions: self.mentions,
            journals: self.journals,
            dates: self.dates,
            spellings,
            examples: self.examples,
        }
    }
}

/// The gaps as a table.
pub(super) fn gap_frame(gaps: &[VocabularyGap]) -> Result<DataFrame> {
    if gaps.is_empty() {
        return Ok(VOCABULARY_GAPS.empty());
    }
    let day = |date: Option<NaiveDate>| {
        let days = date.map(|date| (date - NaiveDate::default()).num_days());
        days.and_then(|days| i32::try_from(days).ok())
    };
    let texts = |name: &str, of: &dyn Fn(&VocabularyGap) -> Vec<String>| -> Column {
        let lists: Vec<Series> = gaps.iter().map(|gap| Series::new("".into(), of(gap))).collect();
        Series::new(name.into(), lists).into_column()
    };
    let examples: Vec<Series> = gaps
        .iter()
        .map(|gap| example_series(&gap.examples))
        .collect::<Result<_>>()?;
    let rules = |gap: &VocabularyGap| {
        let names = gap.rules.iter().map(|rule| rule.choice_name().to_owned());
        names.collect()
    };
    let mut frame = RowFrame::of(gaps)
        .column("name", |gap| gap.name.as_str())
        .column("confidence", |gap| gap.confidence.choice_name())
        .with(texts("rules", &rules))
        .count("publications", |gap| gap.publications)
        .count("mentions", |gap| gap.mentions)
        .count("journals", |gap| gap.journals)
        .column("first_date", |gap| day(gap.dates[0]))
        .column("last_date", |gap| day(gap.dates[1]))
        .with(texts("spellings", &|gap| gap.spellings.clone()))
        .with(Series::new("examples".into(), examples).into_column())
        .finish()?;
    for name in ["first_date", "last_date"] {
        frame.apply(name, |column| {
            column.cast(&DataType::Date).unwrap_or_else(|_| column.clone())
        })?;
    }
    VOCABULARY_GAPS.check(&frame)?;
    Ok(frame)
}

/// The examples of a gap as structs.
fn example_series(examples: &[GapSighting]) -> Result<Series> {
    let text = |name: &str, of: fn(&GapSighting) -> &str| {
        Series::new(name.into(), examples.iter().map(of).collect::<Vec<_>>())
    };
    let number = |name: &str, of: fn(&GapSighting) -> i64| {
        Series::new(name.into(), examples.iter().map(of).collect::<Vec<_>>())
    };
    let field = |example: &GapSighting| {
        FIELDS
            .get(usize::from(example.field))
            .copied()
            .unwrap_or_default()
    };
    let fields = [
        text("kind", |example| PublicationKind::name(example.kind)),
        text("publication_id", |example| &example.publication_id),
        Series::new("field".into(), examples.iter().map(field).collect::<Vec<_>>()),
        number("start", |example| example.start),
        number("end", |example| example.end),
        text("surface", |example| &example.surface),
        text("text", |example| &example.text),
    ];
    Ok(StructChunked::from_series("".into(), examples.len(), fields.iter())?.into_series())
}
