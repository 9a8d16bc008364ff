//! Drugs and their table [`DRUGS`]. How they are read is in [`super::vocabulary`]; a vocabulary is small, its rows are held
//! together.

use std::collections::HashMap;

use polars::prelude::DataFrame;

use super::texts::TextLists;
use crate::error::Result;
use crate::row_frame::RowFrame;
use crate::schema::{DRUGS, Flag, Flags};

/// A drug as cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drug {
    pub atccode: String,
    pub name: String,
    pub synonyms: Vec<String>,
    pub flags: Flags,
    /// Where the file stands among the files of its partition.
    pub file: usize,
    pub source_row: u64,
    /// Whether the drug was added to the one its row names, for a further code or an ingredient; such a drug counts no row.
    pub added: bool,
}

/// Flags the drugs whose key several of them have.
pub(super) fn flag_shared(drugs: &mut [Drug], flag: Flag, key: impl Fn(&Drug) -> String) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for drug in &*drugs {
        *counts.entry(key(drug)).or_default() += 1;
    }
    for drug in drugs {
        if counts.get(&key(drug)).is_some_and(|count| *count > 1) {
            drug.flags.insert(flag);
        }
    }
}

/// The drugs as a frame; `uris` are the files by number.
pub fn frame(drugs: &[Drug], uris: &[String]) -> Result<DataFrame> {
    let mut synonyms = TextLists::new("synonyms", drugs.len());
    let mut flags = TextLists::new("flags", drugs.len());
    for drug in drugs {
        synonyms.push(drug.synonyms.iter().map(String::as_str))?;
        flags.push_flags(drug.flags)?;
    }
    let frame = RowFrame::of(drugs)
        .column("atccode", |drug| drug.atccode.as_str())
        .column("drug", |drug| drug.name.as_str())
        .with(synonyms.finish()?)
        .with(flags.finish()?)
        .column("source_uri", |drug| {
            uris.get(drug.file).map_or("", String::as_str)
        })
        .count("source_row", |drug| drug.source_row)
        .finish()?;
    DRUGS.check(&frame)?;
    Ok(frame)
}

/// The shape of an ATC code of any of its five levels: `A`, `A04`, `A04A`, `A04AD`, `A04AD01`.
pub(crate) fn is_atc(code: &str) -> bool {
    const SHAPE: [fn(&u8) -> bool; 7] = [
        u8::is_ascii_uppercase,
        u8::is_ascii_digit,
        u8::is_ascii_digit,
        u8::is_ascii_uppercase,
        u8::is_ascii_uppercase,
        u8::is_ascii_digit,
        u8::is_ascii_digit,
    ];
    matches!(code.len(), 1 | 3 | 4 | 5 | 7) && code.bytes().zip(SHAPE).all(|(byte, fits)| fits(&byte))
}
