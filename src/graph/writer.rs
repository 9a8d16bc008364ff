//! The layout of `drug_graph.json` and of its parts, to the byte: keys sorted, UTF-8 as it is, one entry a line.
//!
//! One entry a line makes a file that people can read, that version control can compare, and that is written without
//! holding it. Whoever writes gives the entries in order.

use std::io::{self, Write};

use chrono::NaiveDate;

use super::model::DrugNode;
use crate::schema::PublicationKind;

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
pub(super) fn drug(
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
pub(super) fn publication(
    table: &mut Object<'_>,
    id: &str,
    date: Option<NaiveDate>,
    journal: Option<&str>,
) -> io::Result<()> {
    let out = table.entry(id)?;
    out.write_all(b"{\"date\": ")?;
    day(out, date)?;
    out.write_all(b", \"journal\": ")?;
    match journal {
        Some(journal) => text(out, journal)?,
        None => out.write_all(b"null")?,
    }
    out.write_all(b"}")
}

/// A mention in the list of a journal.
pub(super) fn mention(
    mentions: &mut List<'_>,
    atccode: &str,
    date: Option<NaiveDate>,
    drug: &str,
) -> io::Result<()> {
    let out = mentions.item()?;
    out.write_all(b"{\"atccode\": ")?;
    text(out, atccode)?;
    out.write_all(b", \"date\": ")?;
    day(out, date)?;
    out.write_all(b", \"drug\": ")?;
    text(out, drug)?;
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
