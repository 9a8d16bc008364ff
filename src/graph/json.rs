//! A graph in memory as `drug_graph.json`, and the graph read back.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use chrono::NaiveDate;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::model::{DrugGraph, GraphBuilder, Link};
use super::writer::{GraphRows, GraphTable, PublicationSink, write_graph};
use crate::choice::UnknownChoice;
use crate::error::{Error, Result};
use crate::schema::{PublicationKind, PublicationStatus};

/// Writes the graph.
pub fn write_json(graph: &DrugGraph, mut out: impl Write) -> io::Result<()> {
    let tables = GraphTable::all(|kind| graph.has_table(kind));
    let mut rows = HeldRows {
        graph,
        links: graph.links(),
        journals: graph.by_journal(graph.links()),
        mentions: Vec::new(),
    };
    write_graph(&mut out, &tables, graph.drugs(), &mut rows)
}

/// The rows of a graph in memory.
struct HeldRows<'g> {
    graph: &'g DrugGraph,
    /// The links of the drugs that are not written yet.
    links: &'g [Link],
    /// The journals that are not written yet.
    journals: BTreeMap<u32, Vec<Link>>,
    /// The mentions of the journal that is being written.
    mentions: Vec<Link>,
}

impl GraphRows for HeldRows<'_> {
    fn each_publication(&mut self, kind: PublicationKind, write: &mut PublicationSink<'_>) -> io::Result<()> {
        let mut publications = self.graph.publications(kind).iter();
        publications.try_for_each(|publication| {
            let place = (publication.date, self.graph.journal(publication));
            write(&publication.id, place, publication.status)
        })
    }

    fn each_id(
        &mut self,
        drug: u32,
        kind: PublicationKind,
        write: &mut dyn FnMut(&str) -> io::Result<()>,
    ) -> io::Result<()> {
        let end = self
            .links
            .partition_point(|link| (link.drug, link.kind) <= (drug, kind));
        let (ids, rest) = self.links.split_at(end);
        self.links = rest;
        ids.iter()
            .try_for_each(|link| write(&self.graph.publication(*link).id))
    }

    fn next_journal(&mut self) -> io::Result<Option<String>> {
        let Some((journal, links)) = self.journals.pop_first() else {
            return Ok(None);
        };
        self.mentions = links;
        Ok(Some(self.graph.journals()[journal as usize].clone()))
    }

    fn each_mention(
        &mut self,
        write: &mut dyn FnMut(u32, Option<NaiveDate>) -> io::Result<()>,
    ) -> io::Result<()> {
        let date = |link: &Link| self.graph.publication(*link).date;
        let mut links = std::mem::take(&mut self.mentions);
        links.sort_by_key(|link| (link.drug, date(link)));
        links.iter().try_for_each(|link| write(link.drug, date(link)))
    }
}

/// The tables of the file; those of publications by kind.
struct GraphDocument {
    drugs: BTreeMap<String, DrugEntry>,
    publications: BTreeMap<PublicationKind, BTreeMap<String, PublicationEntry>>,
}

impl<'de> Deserialize<'de> for GraphDocument {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(GraphDocumentVisitor)
    }
}

struct GraphDocumentVisitor;

impl<'de> Visitor<'de> for GraphDocumentVisitor {
    type Value = GraphDocument;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the tables of a graph")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<GraphDocument, M::Error> {
        let mut drugs = None;
        let mut publications = BTreeMap::new();
        let mut has_journals = false;
        let tables = GraphTable::all(|_| true);
        while let Some(name) = map.next_key::<String>()? {
            let again = match tables.iter().find(|table| table.name() == name) {
                None => return Err(unknown_table(&name, &tables)),
                Some(GraphTable::Drugs) => drugs.replace(map.next_value()?).is_some(),
                Some(GraphTable::Journals) => {
                    map.next_value::<IgnoredAny>()?;
                    std::mem::replace(&mut has_journals, true)
                }
                Some(GraphTable::Publications(kind)) => {
                    publications.insert(*kind, map.next_value()?).is_some()
                }
            };
            if again {
                return Err(M::Error::custom(format_args!("duplicate field `{name}`")));
            }
        }
        let absent = |kind: &PublicationKind| {
            kind.description().is_always_in_graph && !publications.contains_key(kind)
        };
        if let Some(kind) = PublicationKind::ALL.iter().find(|kind| absent(kind)) {
            return Err(M::Error::missing_field(kind.name()));
        }
        if !has_journals {
            return Err(M::Error::missing_field(GraphTable::Journals.name()));
        }
        let drugs = drugs.ok_or_else(|| M::Error::missing_field(GraphTable::Drugs.name()))?;
        Ok(GraphDocument { drugs, publications })
    }
}

fn unknown_table<E: serde::de::Error>(name: &str, tables: &[GraphTable]) -> E {
    let names: Vec<String> = tables.iter().map(|table| format!("`{}`", table.name())).collect();
    E::custom(format_args!(
        "unknown field `{name}`, expected one of {}",
        names.join(", ")
    ))
}

#[derive(Deserialize)]
struct PublicationEntry {
    date: Option<NaiveDateText>,
    journal: Option<String>,
    #[serde(default)]
    status: Option<StatusName>,
}

/// A drug: its name, and for each kind the publications that mention it, if the file has them.
struct DrugEntry {
    name: String,
    ids: [Option<Vec<String>>; PublicationKind::ALL.len()],
}

impl<'de> Deserialize<'de> for DrugEntry {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(DrugEntryVisitor)
    }
}

struct DrugEntryVisitor;

impl<'de> Visitor<'de> for DrugEntryVisitor {
    type Value = DrugEntry;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a drug of a graph")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<DrugEntry, M::Error> {
        let mut name = None;
        let mut ids = PublicationKind::ALL.map(|_| None);
        while let Some(field) = map.next_key::<Cow<'_, str>>()? {
            let of = |kind: &PublicationKind| kind.description().ids == field;
            let again = match PublicationKind::ALL.into_iter().find(of) {
                Some(kind) => ids[kind as usize].replace(map.next_value()?).is_some(),
                None if field == "name" => name.replace(map.next_value()?).is_some(),
                None => map.next_value::<IgnoredAny>().map(|_| false)?,
            };
            if again {
                return Err(M::Error::custom(format_args!("duplicate field `{field}`")));
            }
        }
        let absent =
            |kind: &PublicationKind| kind.description().is_always_in_graph && ids[*kind as usize].is_none();
        if let Some(kind) = PublicationKind::ALL.iter().find(|kind| absent(kind)) {
            return Err(M::Error::missing_field(kind.description().ids));
        }
        let name = name.ok_or_else(|| M::Error::missing_field("name"))?;
        Ok(DrugEntry { name, ids })
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct StatusName(PublicationStatus);

impl TryFrom<String> for StatusName {
    type Error = UnknownChoice;

    fn try_from(text: String) -> Result<Self, UnknownChoice> {
        text.parse().map(Self)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct NaiveDateText(NaiveDate);

impl TryFrom<String> for NaiveDateText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut parts = text.splitn(3, '-').map(|part| part.parse::<u32>().ok());
        let mut next = || parts.next().flatten();
        let date = match (next(), next(), next()) {
            (Some(year), Some(month), Some(day)) => i32::try_from(year)
                .ok()
                .and_then(|year| NaiveDate::from_ymd_opt(year, month, day)),
            _ => None,
        };
        date.map(Self).ok_or_else(|| format!("`{text}` is no date"))
    }
}

/// Reads a graph that [`write_json`] wrote; `uri` is its name in messages. The table of journals is not read: it follows
/// from the others.
pub fn read_json(bytes: &[u8], uri: &str) -> Result<DrugGraph> {
    let file: GraphDocument = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Error::format(
            uri,
            place,
            error.to_string(),
            "run the gold step again to write the graph anew",
        )
    })?;
    let mut builder = GraphBuilder::default();
    for (atccode, drug) in &file.drugs {
        builder.add_drug(atccode, &drug.name);
    }
    for (kind, table) in &file.publications {
        for (id, publication) in table {
            let date = publication.date.as_ref().map(|date| date.0);
            let status = publication.status.as_ref().map(|status| status.0);
            builder.add_publication(*kind, id, (date, publication.journal.as_deref()), status);
        }
    }
    let mut graph = builder.finish();
    let mut links = Vec::new();
    for (atccode, drug) in &file.drugs {
        for (kind, ids) in PublicationKind::ALL.into_iter().zip(&drug.ids) {
            for id in ids.iter().flatten() {
                let found = || {
                    format!(
                        "drug {atccode} is mentioned by {} {id}, which is not there",
                        kind.name()
                    )
                };
                let link = graph.link(atccode, kind, id).ok_or_else(|| {
                    Error::format(
                        uri,
                        "table drug",
                        found(),
                        "run the gold step again to write the graph anew",
                    )
                })?;
                links.push(link);
            }
        }
    }
    graph.set_links(links);
    Ok(graph)
}
