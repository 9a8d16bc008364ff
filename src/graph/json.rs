//! `drug_graph.json` and the two answers, to the byte: keys sorted, UTF-8 as it is, one entry a line.
//!
//! One entry a line makes a file that people can read, that version control can compare, and that is written without
//! holding it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::NaiveDate;
use serde::Deserialize;

use super::answers::{exclusive_drugs, journal_ranking};
use super::model::{DrugGraph, GraphBuilder, Link};
use crate::error::{Error, Result};
use crate::schema::PublicationKind;

/// Writes the graph.
pub fn write_json(graph: &DrugGraph, mut out: impl Write) -> io::Result<()> {
    out.write_all(b"{\n\"clinical_trial\": ")?;
    write_publications(graph, PublicationKind::ClinicalTrial, &mut out)?;
    out.write_all(b",\n\"drug\": ")?;
    write_drugs(graph, &mut out)?;
    out.write_all(b",\n\"journal\": ")?;
    write_journals(graph, &mut out)?;
    out.write_all(b",\n\"pubmed\": ")?;
    write_publications(graph, PublicationKind::Pubmed, &mut out)?;
    out.write_all(b"\n}\n")
}

/// Writes `top_journals.json` and `exclusive_drugs.json`.
pub fn write_answers(graph: &DrugGraph, top_journals: impl Write, exclusive: impl Write) -> io::Result<()> {
    write_object(top_journals, journal_ranking(graph), |out, (journal, drugs)| {
        write_text(out, journal)?;
        write!(out, ": {drugs}")
    })?;
    let drugs = graph.drugs();
    write_object(
        exclusive,
        drugs.iter().zip(exclusive_drugs(graph)),
        |out, (drug, others)| {
            write_text(out, &drug.atccode)?;
            out.write_all(b": ")?;
            write_list(out, others.iter(), |out, other| {
                write_text(out, &drugs[*other as usize].atccode)
            })
        },
    )
}

fn write_publications(graph: &DrugGraph, kind: PublicationKind, out: &mut impl Write) -> io::Result<()> {
    write_entries(out, graph.publications(kind), |out, publication| {
        write_text(out, &publication.id)?;
        out.write_all(b": {\"date\": ")?;
        write_date(out, publication.date)?;
        out.write_all(b", \"journal\": ")?;
        match graph.journal(publication) {
            Some(journal) => write_text(out, journal)?,
            None => out.write_all(b"null")?,
        }
        out.write_all(b"}")
    })
}

fn write_drugs(graph: &DrugGraph, out: &mut impl Write) -> io::Result<()> {
    let mut links = graph.links();
    write_entries(out, (0_u32..).zip(graph.drugs()), |out, (number, drug)| {
        let (mine, rest) = links.split_at(links.partition_point(|link| link.drug <= number));
        links = rest;
        write_text(out, &drug.atccode)?;
        out.write_all(b": {\"clinical_trial_id\": ")?;
        write_ids(graph, out, mine, PublicationKind::ClinicalTrial)?;
        out.write_all(b", \"name\": ")?;
        write_text(out, &drug.name)?;
        out.write_all(b", \"pubmed_id\": ")?;
        write_ids(graph, out, mine, PublicationKind::Pubmed)?;
        out.write_all(b"}")
    })
}

fn write_ids(
    graph: &DrugGraph,
    out: &mut dyn Write,
    links: &[Link],
    kind: PublicationKind,
) -> io::Result<()> {
    let ids = links
        .iter()
        .filter(|link| link.kind == kind)
        .map(|link| &graph.publication(*link).id);
    write_list(out, ids, |out, id| write_text(out, id))
}

fn write_journals(graph: &DrugGraph, out: &mut impl Write) -> io::Result<()> {
    write_entries(out, graph.links_by_journal(), |out, (journal, links)| {
        write_text(out, &graph.journals()[journal as usize])?;
        out.write_all(b": ")?;
        let mut entries: Vec<_> = links
            .iter()
            .map(|link| (graph.drug(*link), graph.publication(*link).date))
            .collect();
        entries.sort_by(|left, right| (&left.0.atccode, left.1).cmp(&(&right.0.atccode, right.1)));
        write_list(out, entries, |out, (drug, date)| {
            out.write_all(b"{\"atccode\": ")?;
            write_text(out, &drug.atccode)?;
            out.write_all(b", \"date\": ")?;
            write_date(out, date)?;
            out.write_all(b", \"drug\": ")?;
            write_text(out, &drug.name)?;
            out.write_all(b"}")
        })
    })
}

/// An object as a whole file, one entry a line.
fn write_object<T>(
    mut out: impl Write,
    entries: impl IntoIterator<Item = T>,
    write: impl FnMut(&mut dyn Write, T) -> io::Result<()>,
) -> io::Result<()> {
    write_entries(&mut out, entries, write)?;
    out.write_all(b"\n")
}

fn write_entries<T>(
    out: &mut impl Write,
    entries: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut dyn Write, T) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(b"{")?;
    let mut separator: &[u8] = b"\n";
    for entry in entries {
        out.write_all(separator)?;
        write(out, entry)?;
        separator = b",\n";
    }
    if separator.len() > 1 {
        out.write_all(b"\n")?;
    }
    out.write_all(b"}")
}

fn write_list<T>(
    out: &mut dyn Write,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut dyn Write, T) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(b"[")?;
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            out.write_all(b", ")?;
        }
        write(out, item)?;
    }
    out.write_all(b"]")
}

fn write_text(out: &mut dyn Write, text: &str) -> io::Result<()> {
    serde_json::to_writer(out, text).map_err(io::Error::from)
}

fn write_date(out: &mut dyn Write, date: Option<NaiveDate>) -> io::Result<()> {
    match date {
        Some(date) => write!(out, "\"{date}\""),
        None => out.write_all(b"null"),
    }
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
