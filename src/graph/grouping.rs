//! What counts as one drug: a code of the vocabulary, or the substance that several codes have in common.

use std::collections::HashMap;

use super::model::{DrugNode, Link};
use crate::schema::DrugUnit;

/// The drugs of a graph in groups that count as one. Lists and tables name a group by its first drug in the order of
/// codes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrugGrouping {
    /// For each drug the first one of its group.
    first: Vec<u32>,
}

impl DrugGrouping {
    /// The groups of drugs, which come in the order of their codes.
    pub fn of(drugs: &[DrugNode], unit: DrugUnit) -> Self {
        let mut known: HashMap<&str, u32> = HashMap::new();
        let first = (0_u32..).zip(drugs).map(|(number, drug)| match unit {
            DrugUnit::Code => number,
            DrugUnit::Substance => *known.entry(&drug.substance).or_insert(number),
        });
        Self {
            first: first.collect(),
        }
    }

    /// The first drug of the group of a drug.
    pub fn first(&self, drug: u32) -> u32 {
        self.first[drug as usize]
    }

    /// The first drugs of all groups, in the order of codes.
    pub fn firsts(&self) -> impl Iterator<Item = u32> + '_ {
        let numbered = (0_u32..).zip(&self.first);
        numbered.filter_map(|(number, first)| (number == *first).then_some(number))
    }

    /// Links of groups instead of drugs: one for each group and publication.
    pub fn links(&self, links: &[Link]) -> Vec<Link> {
        let grouped = links.iter().map(|link| Link {
            drug: self.first(link.drug),
            ..*link
        });
        let mut grouped: Vec<Link> = grouped.collect();
        grouped.sort_unstable();
        grouped.dedup();
        grouped
    }
}
