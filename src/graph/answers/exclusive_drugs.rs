//! Which drugs share journals with a drug through PubMed alone: for all drugs within a bound, or for one.
//!
//! A journal of n drugs may give n lists of n drugs. Drugs that the same journals mention share one list, a list costs no
//! more than the drugs of its journals, and the lists that are held are cut to what the caller asked for.

use std::collections::HashMap;
use std::io::{self, Write};

use polars::prelude::DataFrame;

use super::question::{Answer, AnswerOption, OptionValue, Question};
use crate::error::Result;
use crate::graph::grouping::DrugGrouping;
use crate::graph::model::DrugNode;
use crate::graph::shelf::{Kinds, Shelf};
use crate::graph::writer::{List, Object, text};
use crate::row_frame::RowFrame;
use crate::schema::PublicationKind;
use crate::task::Task;

pub(super) const ANSWER: Answer = Answer {
    name: "exclusive_drugs",
    sentence: "Drugs that share a journal with a drug through PubMed alone.",
    options: &[AnswerOption::DRUG, MAX_EXCLUSIVE, AnswerOption::UNIT],
    table,
};

const MAX_EXCLUSIVE: AnswerOption = AnswerOption {
    name: "max_exclusive",
    flag: "max-exclusive",
    sentence: "At most this many rows where all drugs are asked for: longer lists are cut to one length (0 = no limit)",
    value: OptionValue::Number {
        default: 1_000_000,
        least: 0,
    },
};

fn table(question: &Question<'_>, task: &Task) -> Result<DataFrame> {
    let (shelf, drugs) = (question.shelf(), question.graph.drugs().len());
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    let mut add = |drug: u32, list: &mut dyn Iterator<Item = u32>| {
        pairs.extend(list.map(|other| (drug, other)));
    };
    match question.drug() {
        Some(drug) => add(drug, &mut shelf.exclusive(drug, drugs).into_iter()),
        None => {
            let lists = ExclusiveDrugs::of(&shelf, drugs, question.number(MAX_EXCLUSIVE.name), task)?;
            for drug in question.grouping.firsts() {
                task.check()?;
                add(drug, &mut lists.list(drug));
            }
        }
    }
    RowFrame::of(&pairs)
        .column("atccode", |(drug, _)| question.code(*drug))
        .column("drug", |(drug, _)| question.name(*drug))
        .column("other_atccode", |(_, other)| question.code(*other))
        .column("other_drug", |(_, other)| question.name(*other))
        .finish()
}

/// `exclusive_drugs.json`, with an entry for each group of drugs.
pub(super) fn write(
    out: &mut dyn Write,
    drugs: &[DrugNode],
    grouping: &DrugGrouping,
    exclusive: &ExclusiveDrugs,
) -> io::Result<()> {
    let code = |drug: u32| drugs[drug as usize].atccode.as_str();
    let mut table = Object::begin(out)?;
    for drug in grouping.firsts() {
        let mut list = List::begin(table.entry(code(drug))?)?;
        for other in exclusive.list(drug) {
            text(list.item()?, code(other))?;
        }
        list.end()?;
    }
    table.end()?;
    out.write_all(b"\n")
}

/// The journals that mention a drug, each with the kinds of publications that do.
type JournalKinds = Vec<(u32, Kinds)>;

/// The exclusive drugs of all drugs of a shelf.
#[derive(Debug, Clone, Default)]
pub struct ExclusiveDrugs {
    /// For each drug the number of its list.
    list_of: Vec<u32>,
    /// The lists, in order; with them the drugs whose lists they are.
    lists: Vec<Vec<u32>>,
    /// Longer lists are cut to this length.
    longest: usize,
    cut: u64,
}

impl ExclusiveDrugs {
    /// For each drug of a shelf, by number, its exclusive drugs: those that a journal mentions which mentions the drug in a
    /// PubMed article, less those that a journal mentions which mentions it in a trial. Where all lists together would
    /// have more than `most` drugs, every list is cut to the same longest length with which they do not; 0 is no limit.
    pub fn of(shelf: &Shelf, drugs: usize, most: u64, task: &Task) -> Result<Self> {
        let mut places: Vec<JournalKinds> = vec![Vec::new(); drugs];
        for (number, journal) in (0_u32..).zip(&shelf.journals) {
            for (drug, kinds) in counted(&journal.drugs) {
                places[*drug as usize].push((number, *kinds));
            }
        }
        let mut lists_by_places: HashMap<&JournalKinds, u32> = HashMap::new();
        let mut different: Vec<&JournalKinds> = Vec::new();
        let mut drugs_with: Vec<u64> = Vec::new();
        let list_of: Vec<u32> = places
            .iter()
            .map(|its| {
                let list = *lists_by_places.entry(its).or_insert_with(|| {
                    different.push(its);
                    drugs_with.push(0);
                    different.len() as u32 - 1
                });
                drugs_with[list as usize] += 1;
                list
            })
            .collect();

        let mut scratch = DrugSets::with_large_journals(shelf, drugs);
        let (mut lists, mut lengths, mut total) = (Vec::new(), Vec::new(), 0_u64);
        for (its, drugs) in different.iter().zip(&drugs_with) {
            task.check()?;
            let list = scratch.list(its);
            let length = list.len().saturating_sub(usize::from(holds_its_drug(its)));
            total = total.saturating_add(drugs.saturating_mul(length as u64));
            lengths.push((length, *drugs));
            if most == 0 || total <= most {
                lists.push(list);
            } else {
                lists = Vec::new();
            }
        }
        let mut longest = usize::MAX;
        if most > 0 && total > most {
            longest = longest_within(&lengths, most);
            for its in &different {
                task.check()?;
                let mut list = scratch.list(its);
                list.truncate(longest + 1);
                list.shrink_to_fit();
                lists.push(list);
            }
        }
        let cut = lengths.iter().filter(|(length, _)| *length > longest);
        Ok(Self {
            cut: cut.map(|(_, drugs)| drugs).sum(),
            list_of,
            lists,
            longest,
        })
    }

    /// The exclusive drugs of a drug, in order, as far as its list goes.
    pub fn list(&self, drug: u32) -> impl Iterator<Item = u32> + '_ {
        let list = &self.lists[self.list_of[drug as usize] as usize];
        list.iter()
            .copied()
            .filter(move |other| *other != drug)
            .take(self.longest)
    }

    /// How many lists were cut.
    pub fn cut(&self) -> u64 {
        self.cut
    }
}

impl Shelf {
    /// The exclusive drugs of one drug, all of them, in order. `drugs` is how many there are.
    pub fn exclusive(&self, drug: u32, drugs: usize) -> Vec<u32> {
        let mut places = JournalKinds::new();
        for (number, journal) in (0_u32..).zip(&self.journals) {
            if let Ok(place) = journal.drugs.binary_search_by_key(&drug, |(its, _)| *its) {
                places.push((number, journal.drugs[place].1));
            }
        }
        let mut list = DrugSets::new(self, drugs).list(&places);
        list.retain(|other| *other != drug);
        list
    }
}

/// The drugs of a journal that are mentioned in articles or trials: other kinds of publications do not count.
fn counted(drugs: &[(u32, Kinds)]) -> impl Iterator<Item = &(u32, Kinds)> {
    let counts = |kinds: Kinds| {
        kinds.contains(PublicationKind::Pubmed) || kinds.contains(PublicationKind::ClinicalTrial)
    };
    drugs.iter().filter(move |(_, kinds)| counts(*kinds))
}

/// Whether a list of these journals has the drug itself: they mention it in articles, and in no trial.
fn holds_its_drug(places: &JournalKinds) -> bool {
    let any = |kind| places.iter().any(|(_, kinds)| kinds.contains(kind));
    any(PublicationKind::Pubmed) && !any(PublicationKind::ClinicalTrial)
}

/// The longest length to which lists can be cut so that they have no more than `most` drugs. Each length comes with the
/// number of drugs that have a list of it.
fn longest_within(lengths: &[(usize, u64)], most: u64) -> usize {
    let fits = |longest: usize| {
        let sum = lengths.iter().fold(0_u64, |sum, (length, drugs)| {
            sum.saturating_add(drugs.saturating_mul((*length).min(longest) as u64))
        });
        sum <= most
    };
    let (mut fitting, mut too_long) = (0, usize::MAX);
    while too_long - fitting > 1 {
        let middle = fitting + (too_long - fitting) / 2;
        if fits(middle) {
            fitting = middle;
        } else {
            too_long = middle;
        }
    }
    fitting
}

/// Sets of drugs that are used again for every list.
struct DrugSets<'s> {
    shelf: &'s Shelf,
    /// The drugs of journals that mention many, to be united 64 at a time. They take no more memory than the journals.
    large: Vec<Option<BitSet>>,
    near: BitSet,
    far: BitSet,
}

impl<'s> DrugSets<'s> {
    /// For one list.
    fn new(shelf: &'s Shelf, drugs: usize) -> Self {
        Self {
            shelf,
            large: Vec::new(),
            near: BitSet::new(drugs),
            far: BitSet::new(drugs),
        }
    }

    /// For many lists.
    fn with_large_journals(shelf: &'s Shelf, drugs: usize) -> Self {
        let mut scratch = Self::new(shelf, drugs);
        let large = shelf.journals.iter().map(|journal| {
            (journal.drugs.len() > scratch.near.0.len()).then(|| {
                let mut set = BitSet::new(drugs);
                counted(&journal.drugs).for_each(|(drug, _)| set.insert(*drug));
                set
            })
        });
        scratch.large = large.collect();
        scratch
    }

    /// The drugs of the journals with articles, less those of the journals with trials.
    fn list(&mut self, places: &JournalKinds) -> Vec<u32> {
        let with = |wanted: PublicationKind| {
            let journals = places.iter().filter(move |(_, kinds)| kinds.contains(wanted));
            journals.map(|(journal, _)| *journal as usize)
        };
        let drugs_of = |journal: usize| counted(&self.shelf.journals[journal].drugs).map(|(drug, _)| *drug);
        let size = |journal: usize| self.shelf.journals[journal].drugs.len();
        // To look through a set costs as much as there are drugs at all, so few drugs are taken one by one.
        let few = |kind| with(kind).map(size).sum::<usize>() < self.near.0.len();
        let (few_near, few_far) = (few(PublicationKind::Pubmed), few(PublicationKind::ClinicalTrial));
        let unite = |set: &mut BitSet, journal: usize| match self.large.get(journal) {
            Some(Some(drugs)) => set.extend(drugs),
            _ => drugs_of(journal).for_each(|drug| set.insert(drug)),
        };
        with(PublicationKind::ClinicalTrial).for_each(|journal| unite(&mut self.far, journal));
        let list = if few_near {
            let near = with(PublicationKind::Pubmed).flat_map(drugs_of);
            let mut list: Vec<u32> = near.filter(|drug| !self.far.contains(*drug)).collect();
            list.sort_unstable();
            list.dedup();
            list
        } else {
            with(PublicationKind::Pubmed).for_each(|journal| unite(&mut self.near, journal));
            let list = self.near.without(&self.far).collect();
            self.near.0.fill(0);
            list
        };
        if few_far {
            let far = with(PublicationKind::ClinicalTrial).flat_map(drugs_of);
            far.for_each(|drug| self.far.remove(drug));
        } else {
            self.far.0.fill(0);
        }
        list
    }
}

/// A set of small numbers.
struct BitSet(Vec<u64>);

impl BitSet {
    fn new(numbers: usize) -> Self {
        Self(vec![0; numbers.div_ceil(64)])
    }

    fn insert(&mut self, number: u32) {
        self.0[number as usize / 64] |= 1 << (number % 64);
    }

    fn remove(&mut self, number: u32) {
        self.0[number as usize / 64] &= !(1 << (number % 64));
    }

    fn contains(&self, number: u32) -> bool {
        self.0[number as usize / 64] & (1 << (number % 64)) != 0
    }

    fn extend(&mut self, other: &Self) {
        for (mine, others) in self.0.iter_mut().zip(&other.0) {
            *mine |= others;
        }
    }

    /// The numbers that another set does not have, in order.
    fn without(&self, other: &Self) -> impl Iterator<Item = u32> {
        let words = self.0.iter().zip(&other.0).map(|(mine, others)| mine & !others);
        (0_u32..).zip(words).flat_map(|(place, mut word)| {
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                word &= word.checked_sub(1)?;
                Some(place * 64 + bit)
            })
        })
    }
}
