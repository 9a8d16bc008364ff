//! A graph in memory as `drug_graph.json`, and the graph read back.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::NaiveDate;
use serde::Deserialize;

use super::model::{DrugGraph, GraphBuilder, Link};
use super::writer::{self, List, Object};
use crate::error::{Error, Result};
use crate::schema::PublicationKind;

/// Writes the graph.
pub fn write_json(graph: &DrugGraph, mut out: impl Write) -> io::Result<()> {
    let mut tables = Object::begin(&mut out)?;
    write_publications(
        graph,
        PublicationKind::ClinicalTrial,
        tables.entry("clinical_trial")?,
    )?;
    write_drugs(graph, tables.entry("drug")?)?;
    write_journals(graph, tables.entry("journal")?)?;
    write_publications(graph, PublicationKind::Pubmed, tables.entry("pubmed")?)?;
    tables.end()?;
    out.write_all(b"\n")
}

fn write_publications(graph: &DrugGraph, kind: PublicationKind, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Object::begin(out)?;
    for publication in graph.publications(kind) {
        let journal = graph.journal(publication);
        writer::publication(&mut table, &publication.id, publication.date, journal)?;
    }
    table.end()
}

fn write_drugs(graph: &DrugGraph, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Object::begin(out)?;
    let mut links = graph.links();
    for (number, drug) in (0_u32..).zip(graph.drugs()) {
        let (mine, rest) = links.split_at(links.partition_point(|link| link.drug <= number));
        links = rest;
        let out = table.entry(&drug.atccode)?;
        out.write_all(b"{\"clinical_trial_id\": ")?;
        write_ids(graph, out, mine, PublicationKind::ClinicalTrial)?;
        out.write_all(b", \"name\": ")?;
        writer::text(out, &drug.name)?;
        out.write_all(b", \"pubmed_id\": ")?;
        write_ids(graph, out, mine, PublicationKind::Pubmed)?;
        out.write_all(b"}")?;
    }
    table.end()
}

fn write_ids(
    graph: &DrugGraph,
    out: &mut dyn Write,
    links: &[Link],
    kind: PublicationKind,
) -> io::Result<()> {
    let mut ids = List::begin(out)?;
    for link in links.iter().filter(|link| link.kind == kind) {
        writer::text(ids.item()?, &graph.publication(*link).id)?;
    }
    ids.end()
}

fn write_journals(graph: &DrugGraph, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Object::begin(out)?;
    for (journal, links) in graph.by_journal(graph.links()) {
        let mut entries: Vec<_> = links
            .iter()
            .map(|link| (graph.drug(*link), graph.publication(*link).date))
            .collect();
        entries.sort_by(|left, right| (&left.0.atccode, left.1).cmp(&(&right.0.atccode, right.1)));
        let mut mentions = List::begin(table.entry(&graph.journals()[journal as usize])?)?;
        for (drug, date) in entries {
            writer::mention(&mut mentions, &drug.atccode, date, &drug.name)?;
        }
        mentions.end()?;
    }
    table.end()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GraphFile {
    clinical_trial: BTreeMap<String, PublicationFile>,
    drug: BTreeMap<String, DrugFile>,
    #[serde(rename = "journal")]
    _journal: serde::de::IgnoredAny,
    pubmed: BTreeMap<String, PublicationFile>,
}

#[derive(Deserialize)]
struct PublicationFile {
    date: Option<NaiveDateText>,
    journal: Option<String>,
}

#[derive(Deserialize)]
struct DrugFile {
    clinical_trial_id: Vec<String>,
    name: String,
    pubmed_id: Vec<String>,
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
    let file: GraphFile = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Error::format(
            uri,
            place,
            error.to_string(),
            "run the gold step again to write the graph anew",
        )
    })?;
    let mut builder = GraphBuilder::default();
    for (atccode, drug) in &file.drug {
        builder.add_drug(atccode, &drug.name);
    }
    let tables = [
        (PublicationKind::ClinicalTrial, &file.clinical_trial),
        (PublicationKind::Pubmed, &file.pubmed),
    ];
    for (kind, table) in tables {
        for (id, publication) in table {
            let date = publication.date.as_ref().map(|date| date.0);
            builder.add_publication(kind, id, date, publication.journal.as_deref());
        }
    }
    let mut graph = builder.finish();
    let mut links = Vec::new();
    for (atccode, drug) in &file.drug {
        for (kind, ids) in [
            (PublicationKind::ClinicalTrial, &drug.clinical_trial_id),
            (PublicationKind::Pubmed, &drug.pubmed_id),
        ] {
            for id in ids {
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
