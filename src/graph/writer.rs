//! The layout of `drug_graph.json` and of the answers, to the byte: keys sorted, UTF-8 as it is, one entry a line.
//!
//! One entry a line makes a file that people can read, that version control can compare, and that is written without
//! holding it. Whoever writes gives the entries in order.

use std::io::{self, Write};

use chrono::NaiveDate;

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

/// `top_journals.json` from a ranking of journals.
pub(super) fn top_journals(out: &mut dyn Write, ranking: &[(&str, usize)]) -> io::Result<()> {
    let mut journals = Object::begin(out)?;
    for (journal, drugs) in ranking {
        write!(journals.entry(journal)?, "{drugs}")?;
    }
    journals.end()?;
    out.write_all(b"\n")
}

/// `exclusive_drugs.json` from the numbers of exclusive drugs of each drug.
pub(super) fn exclusive_drugs(
    out: &mut dyn Write,
    drugs: &[super::DrugNode],
    exclusive: &[Vec<u32>],
) -> io::Result<()> {
    let mut table = Object::begin(out)?;
    for (drug, others) in drugs.iter().zip(exclusive) {
        let mut list = List::begin(table.entry(&drug.atccode)?)?;
        for other in others {
            text(list.item()?, &drugs[*other as usize].atccode)?;
        }
        list.end()?;
    }
    table.end()?;
    out.write_all(b"\n")
}
