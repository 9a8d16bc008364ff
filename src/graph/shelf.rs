//! Which journals mention which drugs: what the published answers need to know of a graph.

use super::grouping::DrugGrouping;
use super::model::DrugGraph;
use crate::schema::PublicationKind;

/// Which drugs each journal mentions, and in which kinds of publications: all that the answers need to know. It grows with
/// journals and drugs, not with publications.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    pub(super) journals: Vec<JournalAnswer>,
}

#[derive(Debug, Clone)]
pub(super) struct JournalAnswer {
    number: u32,
    /// The drugs in order, each with the kinds of publications that mention it.
    pub drugs: Vec<(u32, Kinds)>,
}

/// A set of kinds of publications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Kinds(u8);

impl Kinds {
    fn insert(&mut self, kind: PublicationKind) {
        self.0 |= 1 << kind as u8;
    }

    pub(super) fn contains(self, kind: PublicationKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

impl Shelf {
    /// The shelf of a graph, with the first drug of its group in the place of every drug.
    pub fn of(graph: &DrugGraph, grouping: &DrugGrouping) -> Self {
        let mut shelf = Self::default();
        for (journal, links) in graph.by_journal(&grouping.links(graph.links())) {
            for link in links {
                shelf.add(journal, link.drug, link.kind);
            }
        }
        shelf
    }

    /// Adds a mention. They must come in the order of journals, and of drugs within a journal.
    pub fn add(&mut self, journal: u32, drug: u32, kind: PublicationKind) {
        if self.journals.last().is_none_or(|last| last.number != journal) {
            self.journals.push(JournalAnswer {
                number: journal,
                drugs: Vec::new(),
            });
        }
        let Some(journal) = self.journals.last_mut() else {
            return;
        };
        if journal.drugs.last().is_none_or(|(last, _)| *last != drug) {
            journal.drugs.push((drug, Kinds::default()));
        }
        if let Some((_, kinds)) = journal.drugs.last_mut() {
            kinds.insert(kind);
        }
    }

    /// The shelf with the first drug of its group in the place of every drug.
    #[must_use]
    pub fn grouped(mut self, grouping: &DrugGrouping) -> Self {
        for journal in &mut self.journals {
            for (drug, _) in &mut journal.drugs {
                *drug = grouping.first(*drug);
            }
            journal.drugs.sort_unstable();
            journal.drugs.dedup_by(|later, first| {
                let same = later.0 == first.0;
                if same {
                    first.1.0 |= later.1.0;
                }
                same
            });
        }
        self
    }

    /// How many journals mention a drug.
    pub fn journals(&self) -> usize {
        self.journals.len()
    }

    /// Every journal with a mention and its number of different drugs: largest first, ties in name order.
    pub fn ranking<'n>(&self, names: &'n [String]) -> Vec<(&'n str, usize)> {
        let mut ranking: Vec<(&str, usize)> = self
            .journals
            .iter()
            .map(|journal| (names[journal.number as usize].as_str(), journal.drugs.len()))
            .collect();
        ranking.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(right.0)));
        ranking
    }

    /// Every journal that shares the first place.
    pub fn top<'n>(&self, names: &'n [String]) -> Vec<(&'n str, usize)> {
        let mut ranking = self.ranking(names);
        let most = ranking.first().map_or(0, |(_, drugs)| *drugs);
        ranking.retain(|(_, drugs)| *drugs == most);
        ranking
    }
}
