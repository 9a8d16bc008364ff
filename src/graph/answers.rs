//! The two questions: which journal mentions the most different drugs, and which drugs share journals.

use super::model::DrugGraph;
use crate::schema::PublicationKind;

/// Which drugs each journal mentions, and in which kinds of publications: all that the answers need to know. It grows with
/// journals and drugs, not with publications.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    journals: Vec<Journal>,
}

#[derive(Debug, Clone)]
struct Journal {
    number: u32,
    /// The drugs in order, each with the kinds of publications that mention it.
    drugs: Vec<(u32, Kinds)>,
}

/// A set of kinds of publications.
#[derive(Debug, Clone, Copy, Default)]
struct Kinds(u8);

impl Kinds {
    fn insert(&mut self, kind: PublicationKind) {
        self.0 |= 1 << kind as u8;
    }

    fn contains(self, kind: PublicationKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

impl Shelf {
    /// The shelf of a graph.
    pub fn of(graph: &DrugGraph) -> Self {
        let mut shelf = Self::default();
        for (journal, links) in graph.links_by_journal() {
            for link in links {
                shelf.add(journal, link.drug, link.kind);
            }
        }
        shelf
    }

    /// Adds a mention. They must come in the order of journals, and of drugs within a journal.
    pub fn add(&mut self, journal: u32, drug: u32, kind: PublicationKind) {
        if self.journals.last().is_none_or(|last| last.number != journal) {
            self.journals.push(Journal {
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

    /// For each drug, by number, the numbers of its exclusive drugs: those that a journal mentions which mentions the drug in
    /// a PubMed article, less those that a journal mentions which mentions it in a trial.
    pub fn exclusive(&self, drugs: usize) -> Vec<Vec<u32>> {
        let width = drugs.div_ceil(64);
        // A journal of many drugs is united as a set of bits, one of few drug by drug.
        let sets: Vec<Option<BitSet>> = self
            .journals
            .iter()
            .map(|journal| {
                (journal.drugs.len() > width).then(|| {
                    let mut set = BitSet(vec![0; width]);
                    journal.drugs.iter().for_each(|(drug, _)| set.insert(*drug));
                    set
                })
            })
            .collect();
        // For each drug the journals that mention it.
        let mut journals_of: Vec<Vec<(usize, Kinds)>> = vec![Vec::new(); drugs];
        for (place, journal) in self.journals.iter().enumerate() {
            for (drug, kinds) in &journal.drugs {
                journals_of[*drug as usize].push((place, *kinds));
            }
        }
        let union = |journals: &[(usize, Kinds)], wanted: PublicationKind| {
            let mut union = BitSet(vec![0; width]);
            for (place, _) in journals.iter().filter(|(_, kinds)| kinds.contains(wanted)) {
                match &sets[*place] {
                    Some(set) => union.extend(set),
                    None => {
                        let drugs = &self.journals[*place].drugs;
                        drugs.iter().for_each(|(drug, _)| union.insert(*drug));
                    }
                }
            }
            union
        };
        (0_u32..)
            .zip(&journals_of)
            .map(|(drug, journals)| {
                let near = union(journals, PublicationKind::Pubmed);
                let far = union(journals, PublicationKind::ClinicalTrial);
                near.numbers()
                    .filter(|other| *other != drug && !far.contains(*other))
                    .collect()
            })
            .collect()
    }
}

/// Every journal with a mention and its number of different drugs: largest first, ties in name order.
pub fn journal_ranking(graph: &DrugGraph) -> Vec<(&str, usize)> {
    Shelf::of(graph).ranking(graph.journals())
}

/// Every journal that shares the first place.
pub fn top_journals(graph: &DrugGraph) -> Vec<(&str, usize)> {
    Shelf::of(graph).top(graph.journals())
}

/// For each drug, by number, the numbers of its exclusive drugs.
pub fn exclusive_drugs(graph: &DrugGraph) -> Vec<Vec<u32>> {
    Shelf::of(graph).exclusive(graph.drugs().len())
}

/// A set of small numbers. Unions of thousands of drugs over thousands of journals are a few words each.
#[derive(Debug, Clone, Default)]
struct BitSet(Vec<u64>);

impl BitSet {
    fn insert(&mut self, number: u32) {
        self.0[number as usize / 64] |= 1 << (number % 64);
    }

    fn contains(&self, number: u32) -> bool {
        self.0[number as usize / 64] & (1 << (number % 64)) != 0
    }

    fn extend(&mut self, other: &Self) {
        for (mine, others) in self.0.iter_mut().zip(&other.0) {
            *mine |= others;
        }
    }

    fn numbers(&self) -> impl Iterator<Item = u32> {
        (0_u32..).zip(&self.0).flat_map(|(place, word)| {
            (0..64)
                .filter(move |bit| word & (1 << bit) != 0)
                .map(move |bit| place * 64 + bit)
        })
    }
}
