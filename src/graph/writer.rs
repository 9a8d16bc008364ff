//! The layout of `drug_graph.json` and of its parts, to the byte: keys sorted, UTF-8 as it is, one entry a line.
//!
//! One entry a line makes a file that people can read, that version control can compare, and that is written without
//! holding it. [`write_graph`] is the only walk over the tables; [`GraphRows`] hands it the rows in order, from memory or
//! from scratch files.

use std::io::{self, Write};

use chrono::NaiveDate;

use super::model::DrugNode;
use crate::schema::{PublicationKind, PublicationStatus};

/// Takes the id of a publication, its date and journal, and its status.
pub(super) type PublicationSink<'s> =
    dyn FnMut(&str, (Option<NaiveDate>, Option<&str>), Option<PublicationStatus>) -> io::Result<()> + 's;

/// The rows of a graph, each table in the order of the file. Each table is read once.
pub(super) trait GraphRows {
    /// Hands over each publication of a kind: its id, date, journal and status.
    fn each_publication(&mut self, kind: PublicationKind, write: &mut PublicationSink<'_>) -> io::Result<()>;

    /// Hands over the id of each publication of a kind that mentions a drug. Drugs are asked for in order, and the kinds
    /// of a drug in order.
    fn each_id(
        &mut self,
        drug: u32,
        kind: PublicationKind,
        write: &mut dyn FnMut(&str) -> io::Result<()>,
    ) -> io::Result<()>;

    /// The next journal in which a drug is mentioned.
    fn next_journal(&mut self) -> io::Result<Option<String>>;

    /// Hands over each mention of that journal: the drug, and the date of the publication.
    fn each_mention(
        &mut self,
        write: &mut dyn FnMut(u32, Option<NaiveDate>) -> io::Result<()>,
    ) -> io::Result<()>;
}

/// Writes `drug_graph.json`.
pub(super) fn write_graph(
    out: &mut dyn Write,
    all: &[GraphTable],
    drugs: &[DrugNode],
    rows: &mut impl GraphRows,
) -> io::Result<()> {
    let mut tables = Object::begin(out)?;
    for graph_table in all {
        let mut table = Object::begin(tables.entry(graph_table.name())?)?;
        match graph_table {
            GraphTable::Drugs => {
                for (number, drug) in (0_u32..).zip(drugs) {
                    write_drug(&mut table, drug, all, |kind, ids| {
                        rows.each_id(number, kind, &mut |id| text(ids.item()?, id))
                    })?;
                }
            }
            GraphTable::Journals => {
                while let Some(journal) = rows.next_journal()? {
                    let mut mentions = List::begin(table.entry(&journal)?)?;
                    rows.each_mention(&mut |drug, date| {
                        write_mention(&mut mentions, &drugs[drug as usize], date)
                    })?;
                    mentions.end()?;
                }
            }
            GraphTable::Publications(kind) => {
                rows.each_publication(*kind, &mut |id, place, status| {
                    write_publication(&mut table, id, place, status)
                })?;
            }
        }
        table.end()?;
    }
    tables.end()?;
    out.write_all(b"\n")
}

/// An object with one entry a line.
pub(super) struct Object<'o> {
    out: &'o mut dyn Write,
    any: bool,
}

impl<'o> Object<'o> {
    pub(super) fn begin(out: &'o mut dyn Write) -> io::Result<Self> {
        out.write_all(b"{")?;
        Ok(Self { out, any: false })
    }

    /// Begins an entry; its value is written next.
    pub(super) fn entry(&mut self, key: &str) -> io::Result<&mut dyn Write> {
        self.out.write_all(if self.any { b",\n" } else { b"\n" })?;
        self.any = true;
        text(self.out, key)?;
        self.out.write_all(b": ")?;
        Ok(self.out)
    }

    pub(super) fn end(self) -> io::Result<()> {
        self.out.write_all(if self.any { b"\n}" } else { b"}" })
    }
}

/// A list on one line.
pub(super) struct List<'o> {
    out: &'o mut dyn Write,
    any: bool,
}

impl<'o> List<'o> {
    pub(super) fn begin(out: &'o mut dyn Write) -> io::Result<Self> {
        out.write_all(b"[")?;
        Ok(Self { out, any: false })
    }

    /// Begins an item, which is written next.
    pub(super) fn item(&mut self) -> io::Result<&mut dyn Write> {
        if self.any {
            self.out.write_all(b", ")?;
        }
        self.any = true;
        Ok(self.out)
    }

    pub(super) fn end(self) -> io::Result<()> {
        self.out.write_all(b"]")
    }
}

/// A table of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GraphTable {
    Drugs,
    Journals,
    Publications(PublicationKind),
}

impl GraphTable {
    /// Its name in the file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Drugs => "drug",
            Self::Journals => "journal",
            Self::Publications(kind) => kind.name(),
        }
    }

    /// The tables of a graph in the order of their names; `has_table` says which kinds of publications it has.
    pub(super) fn all(has_table: impl Fn(PublicationKind) -> bool) -> Vec<Self> {
        let kinds = PublicationKind::ALL.into_iter().filter(|kind| has_table(*kind));
        let mut tables = vec![Self::Drugs, Self::Journals];
        tables.extend(kinds.map(Self::Publications));
        tables.sort_by_key(|table| table.name());
        tables
    }
}

/// A drug as an entry of its table. `ids` writes the identifiers of a kind, and is called in the order of the kinds.
fn write_drug(
    table: &mut Object<'_>,
    drug: &DrugNode,
    tables: &[GraphTable],
    mut ids: impl FnMut(PublicationKind, &mut List<'_>) -> io::Result<()>,
) -> io::Result<()> {
    const NAME: &str = "name";
    let kinds = tables.iter().filter_map(|table| match table {
        GraphTable::Publications(kind) => Some((kind.description().ids, Some(*kind))),
        GraphTable::Drugs | GraphTable::Journals => None,
    });
    let mut fields: Vec<(&str, Option<PublicationKind>)> = kinds.collect();
    fields.push((NAME, None));
    fields.sort_by_key(|(field, _)| *field);
    let out = table.entry(&drug.atccode)?;
    for (place, (field, kind)) in fields.into_iter().enumerate() {
        out.write_all(if place == 0 { b"{" } else { b", " })?;
        text(out, field)?;
        out.write_all(b": ")?;
        match kind {
            None => text(out, &drug.name)?,
            Some(kind) => {
                let mut list = List::begin(out)?;
                ids(kind, &mut list)?;
                list.end()?;
            }
        }
    }
    out.write_all(b"}")
}

/// A publication as an entry of its table.
fn write_publication(
    table: &mut Object<'_>,
    id: &str,
    (date, journal): (Option<NaiveDate>, Option<&str>),
    status: Option<PublicationStatus>,
) -> io::Result<()> {
    let out = table.entry(id)?;
    out.write_all(b"{\"date\": ")?;
    day(out, date)?;
    out.write_all(b", \"journal\": ")?;
    match journal {
        Some(journal) => text(out, journal)?,
        None => out.write_all(b"null")?,
    }
    // Few publications have one, so it stands only there.
    if let Some(status) = status {
        write!(out, ", \"status\": \"{}\"", status.name())?;
    }
    out.write_all(b"}")
}

/// A mention in the list of a journal.
fn write_mention(mentions: &mut List<'_>, drug: &DrugNode, date: Option<NaiveDate>) -> io::Result<()> {
    let out = mentions.item()?;
    out.write_all(b"{\"atccode\": ")?;
    text(out, &drug.atccode)?;
    out.write_all(b", \"date\": ")?;
    day(out, date)?;
    out.write_all(b", \"drug\": ")?;
    text(out, &drug.name)?;
    out.write_all(b"}")
}

pub(super) fn text(out: &mut dyn Write, text: &str) -> io::Result<()> {
    serde_json::to_writer(out, text).map_err(io::Error::from)
}

fn day(out: &mut dyn Write, date: Option<NaiveDate>) -> io::Result<()> {
    match date {
        Some(date) => write!(out, "\"{date}\""),
        None => out.write_all(b"null"),
    }
}
