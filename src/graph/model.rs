//! The graph in memory: sorted tables that refer to each other by number.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use crate::schema::{PublicationKind, PublicationStatus};
use crate::text::{BETWEEN_NAMES, substance};

/// A drug: one code of the vocabulary. Several names of one code stand with ` | ` between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrugNode {
    pub atccode: String,
    pub name: String,
    /// The [`substance`] of the name: what several codes of one drug have in common.
    pub substance: String,
}

/// A publication and where it appeared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationNode {
    pub id: String,
    pub date: Option<NaiveDate>,
    /// The number of its journal.
    pub journal: Option<u32>,
    pub status: Option<PublicationStatus>,
}

/// One drug mentioned in one publication, however often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    pub drug: u32,
    pub kind: PublicationKind,
    pub publication: u32,
}

/// The whole graph. Every table is sorted by its key in code-point order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrugGraph {
    pub(super) drugs: Vec<DrugNode>,
    pub(super) journals: Vec<String>,
    /// The publications of each kind.
    pub(super) publications: [Vec<PublicationNode>; PublicationKind::ALL.len()],
    pub(super) links: Vec<Link>,
}

impl DrugGraph {
    /// The drugs by code.
    pub fn drugs(&self) -> &[DrugNode] {
        &self.drugs
    }

    /// The display names of all journals of kept publications, mentioned or not.
    pub fn journals(&self) -> &[String] {
        &self.journals
    }

    /// The publications of a kind by id.
    pub fn publications(&self, kind: PublicationKind) -> &[PublicationNode] {
        &self.publications[kind as usize]
    }

    /// Whether the graph has a table of a kind.
    pub fn has_table(&self, kind: PublicationKind) -> bool {
        kind.description().is_always_in_graph || !self.publications(kind).is_empty()
    }

    /// The kinds that the graph has tables of, in the order in which a run takes them.
    pub fn kinds(&self) -> impl Iterator<Item = PublicationKind> + '_ {
        PublicationKind::in_turn().filter(|kind| self.has_table(*kind))
    }

    /// Who mentions whom: by drug, kind and publication.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The drug of a link.
    pub fn drug(&self, link: Link) -> &DrugNode {
        &self.drugs[link.drug as usize]
    }

    /// The publication of a link.
    pub fn publication(&self, link: Link) -> &PublicationNode {
        &self.publications(link.kind)[link.publication as usize]
    }

    /// The journal of a publication.
    pub fn journal(&self, publication: &PublicationNode) -> Option<&str> {
        publication
            .journal
            .map(|journal| self.journals[journal as usize].as_str())
    }

    /// Links by the journal of their publication, for each journal in the order in which they come.
    pub fn by_journal(&self, links: &[Link]) -> BTreeMap<u32, Vec<Link>> {
        let mut journals: BTreeMap<u32, Vec<Link>> = BTreeMap::new();
        for &link in links {
            if let Some(journal) = self.publication(link).journal {
                journals.entry(journal).or_default().push(link);
            }
        }
        journals
    }
}

/// Collects drugs, publications and mentions in any order.
#[derive(Debug, Default)]
pub struct GraphBuilder {
    drugs: BTreeMap<String, Vec<String>>,
    /// The journals in the order of their appearance, which is the meaning of their numbers until the tables are sorted.
    journals: HashMap<String, u32>,
    publications: [Vec<PublicationNode>; PublicationKind::ALL.len()],
}

impl GraphBuilder {
    /// Adds a drug; another name of a known code stands beside the names before it.
    pub fn add_drug(&mut self, atccode: &str, name: &str) {
        let names = self.drugs.entry(atccode.to_owned()).or_default();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }

    /// Adds a publication; its id must be new among its kind.
    pub fn add_publication(
        &mut self,
        kind: PublicationKind,
        id: &str,
        (date, journal): (Option<NaiveDate>, Option<&str>),
        status: Option<PublicationStatus>,
    ) {
        let journal = journal.and_then(|journal| self.journal(journal));
        self.publications[kind as usize].push(PublicationNode {
            id: id.to_owned(),
            date,
            journal,
            status,
        });
    }

    fn journal(&mut self, name: &str) -> Option<u32> {
        if let Some(&known) = self.journals.get(name) {
            return Some(known);
        }
        let next = number(self.journals.len())?;
        self.journals.insert(name.to_owned(), next);
        Some(next)
    }

    /// Sorts the tables; mentions are added to what comes out.
    pub fn finish(self) -> DrugGraph {
        let mut journals: Vec<(String, u32)> = self.journals.into_iter().collect();
        journals.sort_unstable();
        let mut sorted = vec![0; journals.len()];
        for (place, (_, appeared)) in (0..).zip(&journals) {
            sorted[*appeared as usize] = place;
        }
        let publications = self.publications.map(|mut publications| {
            for publication in &mut publications {
                publication.journal = publication.journal.map(|appeared| sorted[appeared as usize]);
            }
            publications.sort_unstable_by(|left, right| left.id.cmp(&right.id));
            publications
        });
        let drugs = self
            .drugs
            .into_iter()
            .map(|(atccode, names)| {
                let name = names.join(BETWEEN_NAMES);
                let substance = substance(&name);
                DrugNode {
                    atccode,
                    name,
                    substance,
                }
            })
            .collect();
        let journals = journals.into_iter().map(|(name, _)| name).collect();
        DrugGraph {
            drugs,
            journals,
            publications,
            links: Vec::new(),
        }
    }
}

impl DrugGraph {
    /// The number of the drug of a code, if it is in the graph.
    pub fn drug_number(&self, atccode: &str) -> Option<u32> {
        let found = self
            .drugs
            .binary_search_by(|drug| drug.atccode.as_str().cmp(atccode));
        found.ok().and_then(number)
    }

    /// The link of a code and a publication, if both are in the graph.
    pub fn link(&self, atccode: &str, kind: PublicationKind, id: &str) -> Option<Link> {
        let drug = self.drug_number(atccode)?;
        let publication = self
            .publications(kind)
            .binary_search_by(|publication| publication.id.as_str().cmp(id))
            .ok()?;
        Some(Link {
            drug,
            kind,
            publication: number(publication)?,
        })
    }

    /// Sets the mentions, in any order and with repetitions.
    pub fn set_links(&mut self, mut links: Vec<Link>) {
        links.sort_unstable();
        links.dedup();
        self.links = links;
    }
}

fn number(place: usize) -> Option<u32> {
    u32::try_from(place).ok()
}
