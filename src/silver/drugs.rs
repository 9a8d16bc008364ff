//! Cleaning vocabularies: rows of drugs to the table [`DRUGS`]. A vocabulary is small; its rows are held together.

use std::collections::HashMap;

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series, StringChunked};
use uuid::Uuid;

use super::texts::TextLists;
use crate::error::Result;
use crate::formats::{Field, Fields, RawBatch};
use crate::quality::MergeReason;
use crate::schema::{DRUGS, Flag, Flags, Reason, Rejected};
use crate::text::clean;

/// The namespace of synthetic codes, fixed for ever.
const SYNTHETIC_CODES: Uuid = Uuid::from_u128(0x3d0e_7f55_90b4_5c8e_8d1c_2b9a_e407_51f6);

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
}

/// The columns of a vocabulary.
pub fn fields() -> Fields {
    Fields::new([
        Field {
            name: "atccode",
            aliases: &["atccode", "atc_code", "atc code"],
            required: true,
            many: false,
        },
        Field {
            name: "drug",
            aliases: &["drug", "drug_name", "name"],
            required: true,
            many: false,
        },
        Field {
            name: "synonyms",
            aliases: &["synonyms", "synonym"],
            required: false,
            many: true,
        },
    ])
}

/// Cleans one batch: drugs, and rows that are none.
pub fn clean_batch(raw: RawBatch, file: usize) -> Result<(Vec<Drug>, Vec<Rejected>)> {
    let RawBatch {
        frame,
        raw: texts,
        mut rejected,
    } = raw;
    let column = |name: &str| -> Result<StringChunked> { Ok(frame.column(name)?.str()?.clone()) };
    let (codes, names, synonyms) = (column("atccode")?, column("drug")?, column("synonyms")?);
    let rows = frame.column("source_row")?.u64()?;
    let mut drugs = Vec::with_capacity(frame.height());
    let values = rows
        .into_no_null_iter()
        .zip(codes.iter())
        .zip(names.iter())
        .zip(synonyms.iter());
    for (number, (((row, code), name), synonyms)) in values.enumerate() {
        let name = clean(name.unwrap_or_default());
        if name.text.is_empty() {
            rejected.push(Rejected {
                reason: Reason::BlankDrug,
                message: format!("row {row}: the name of the drug is blank; a drug needs one"),
                raw: texts.get(number).to_owned(),
                source_row: row,
            });
            continue;
        }
        let mut flags = name.flags;
        let given = code.map(str::trim).filter(|code| !code.is_empty());
        let atccode = match given {
            Some(code) => code.to_owned(),
            None => {
                flags.insert(Flag::MissingAtccode);
                Uuid::new_v5(&SYNTHETIC_CODES, name.text.to_lowercase().as_bytes()).to_string()
            }
        };
        if !is_atc(&atccode) {
            flags.insert(Flag::NotAtc);
        }
        drugs.push(Drug {
            atccode,
            name: name.text.into_owned(),
            synonyms: split_synonyms(synonyms.unwrap_or_default()),
            flags,
            file,
            source_row: row,
        });
    }
    rejected.sort_by_key(|row| row.source_row);
    Ok((drugs, rejected))
}

/// Rows of one code and name become one drug with the synonyms of all; then names of several codes and codes of several
/// names are flagged. Gives the drugs and, for each file, how many of its rows were merged and why.
pub fn merge(rows: Vec<Drug>) -> (Vec<Drug>, Vec<(usize, MergeReason)>) {
    let mut drugs: Vec<Drug> = Vec::with_capacity(rows.len());
    let mut places: HashMap<(String, String), usize> = HashMap::with_capacity(rows.len());
    let mut merged = Vec::new();
    for row in rows {
        let place = *places
            .entry((row.atccode.clone(), row.name.to_lowercase()))
            .or_insert(drugs.len());
        let Some(drug) = drugs.get_mut(place) else {
            drugs.push(row);
            continue;
        };
        let before = drug.synonyms.len();
        for synonym in row.synonyms {
            if !drug.synonyms.contains(&synonym) {
                drug.synonyms.push(synonym);
            }
        }
        let reason = if drug.synonyms.len() == before {
            MergeReason::Identical
        } else {
            MergeReason::SameDrug
        };
        merged.push((row.file, reason));
    }
    flag_shared(&mut drugs, Flag::SharedName, |drug| drug.name.to_lowercase());
    flag_shared(&mut drugs, Flag::SharedCode, |drug| drug.atccode.clone());
    (drugs, merged)
}

fn flag_shared(drugs: &mut [Drug], flag: Flag, key: impl Fn(&Drug) -> String) {
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
        synonyms.push(drug.synonyms.iter().map(String::as_str));
        flags.push_flags(drug.flags);
    }
    let text = |name: &str, value: &dyn Fn(&Drug) -> String| {
        Series::new(name.into(), drugs.iter().map(value).collect::<Vec<String>>()).into_column()
    };
    let rows: Vec<u64> = drugs.iter().map(|drug| drug.source_row).collect();
    let frame = DataFrame::new(
        drugs.len(),
        vec![
            text("atccode", &|drug| drug.atccode.clone()),
            text("drug", &|drug| drug.name.clone()),
            synonyms.finish(),
            flags.finish(),
            text("source_uri", &|drug| {
                uris.get(drug.file).cloned().unwrap_or_default()
            }),
            Series::new("source_row".into(), rows).into_column(),
        ],
    )?;
    DRUGS.check(&frame)?;
    Ok(frame)
}

/// Synonyms stand between `|`; blank ones and repetitions go.
fn split_synonyms(text: &str) -> Vec<String> {
    let mut synonyms: Vec<String> = Vec::new();
    for synonym in text.split('|') {
        let synonym = clean(synonym).text.into_owned();
        if !synonym.is_empty() && !synonyms.contains(&synonym) {
            synonyms.push(synonym);
        }
    }
    synonyms
}

/// The shape of an ATC code of any of its five levels: `A`, `A04`, `A04A`, `A04AD`, `A04AD01`.
fn is_atc(code: &str) -> bool {
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
