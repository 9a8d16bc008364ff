//! The two questions: which journal mentions the most different drugs, and which drugs share journals.

use super::model::DrugGraph;
use crate::schema::PublicationKind;

/// Every journal with a mention and its number of different drugs: largest first, ties in name order.
pub fn journal_ranking(graph: &DrugGraph) -> Vec<(&str, usize)> {
    let mut ranking: Vec<(&str, usize)> = graph
        .links_by_journal()
        .into_iter()
        .map(|(journal, mut links)| {
            // Links come by drug, so equal drugs stand together.
            links.dedup_by_key(|link| link.drug);
            (graph.journals()[journal as usize].as_str(), links.len())
        })
        .collect();
    ranking.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(right.0)));
    ranking
}

/// Every journal that shares the first place.
pub fn top_journals(graph: &DrugGraph) -> Vec<(&str, usize)> {
    let mut ranking = journal_ranking(graph);
    let most = ranking.first().map_or(0, |(_, drugs)| *drugs);
    ranking.retain(|(_, drugs)| *drugs == most);
    ranking
}

/// For each drug, by number, the numbers of its exclusive drugs: those that a journal mentions which mentions the drug in
/// a PubMed article, less those that a journal mentions which mentions it in a trial.
pub fn exclusive_drugs(graph: &DrugGraph) -> Vec<Vec<u32>> {
    let width = graph.drugs().len().div_ceil(64);
    let journals = graph.links_by_journal();
    let mut mentioned = vec![BitSet::default(); graph.journals().len()];
    // For each drug the journals that mention it, with the kinds of publication.
    let mut journals_of: Vec<Vec<(u32, PublicationKind)>> = vec![Vec::new(); graph.drugs().len()];
    for (&journal, links) in &journals {
        let drugs = &mut mentioned[journal as usize];
        drugs.0.resize(width, 0);
        for link in links {
            drugs.insert(link.drug);
            journals_of[link.drug as usize].push((journal, link.kind));
        }
    }
    (0_u32..)
        .zip(&mut journals_of)
        .map(|(drug, journals)| {
            journals.sort_unstable();
            journals.dedup();
            let union = |wanted: PublicationKind| {
                let mut union = BitSet(vec![0; width]);
                for (journal, _) in journals.iter().filter(|(_, kind)| *kind == wanted) {
                    union.extend(&mentioned[*journal as usize]);
                }
                union
            };
            let (near, far) = (
                union(PublicationKind::Pubmed),
                union(PublicationKind::ClinicalTrial),
            );
            near.numbers()
                .filter(|other| *other != drug && !far.contains(*other))
                .collect()
        })
        .collect()
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
