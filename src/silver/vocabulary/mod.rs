//! Vocabularies: rows of the shapes that drug vocabularies come in, to one list of drugs.
//!
//! A shape is known by its header. Each has a file that says which columns it has and what a row of it means, as a
//! [`VocabularyRecord`]; [`Combined`] then makes drugs of the records of all files: rows of one drug meet, names go to the codes
//! that they belong to, and what became of every row is counted.

mod atc;
mod drugbank;
mod ema;
mod index;
mod join;
mod parts;
mod plain;

use std::sync::LazyLock;

pub use join::{Combined, combine};

use polars::prelude::StringChunked;
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::drugs::{Drug, is_atc};
use super::texts::nul_byte;
use crate::error::Result;
use crate::formats::{Fields, RawBatch};
use crate::matcher::{MOST_WORDS, is_too_long};
use crate::schema::{Flag, Flags, Reason, Rejected};
use crate::text::clean;

/// The namespace of synthetic codes, fixed for ever.
const SYNTHETIC_CODES: Uuid = Uuid::from_u128(0x3d0e_7f55_90b4_5c8e_8d1c_2b9a_e407_51f6);

/// A shape that vocabularies come in.
#[derive(Debug, Clone, Copy)]
pub struct VocabularyShape {
    /// The name in reports; `None` for the project's own shape, which needs no word there.
    pub name: Option<&'static str>,
    fields: fn() -> Fields,
    record: fn(&VocabularyRow<'_>) -> Result<VocabularyRecord, Refused>,
}

/// Every shape. A batch has the number of its shape in this list, and of two shapes that fit a header equally well the
/// first is taken.
pub const SHAPES: [VocabularyShape; 4] = [plain::SHAPE, atc::SHAPE, drugbank::SHAPE, ema::SHAPE];

/// The columns of every shape, for the reader to choose from; made once a process.
pub fn shapes() -> &'static [Fields] {
    static FIELDS: LazyLock<[Fields; SHAPES.len()]> =
        LazyLock::new(|| SHAPES.map(|shape| (shape.fields)().titled(shape.name.unwrap_or("plain"))));
    &*FIELDS
}

/// How much the code of a row says of its drug. A row whose code says less joins drugs whose codes say more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The code that makes the drug known: as a plain vocabulary gives it, or an ATC code of the WHO.
    Given,
    /// An ATC code that another authority quotes.
    Quoted,
    /// A code of another system that names the substance: DrugBank.
    Substance,
    /// A code of another system that may name the use of a substance: ATCvet.
    Use,
    /// None: it is derived from the name.
    Derived,
}

/// What one row of a vocabulary says.
#[derive(Debug, Clone)]
pub struct VocabularyRecord {
    /// The drug, with all names that count for it.
    pub drug: Drug,
    pub rank: Rank,
    /// Other codes that the row gives for the same drug.
    pub further_codes: Vec<String>,
    /// Names that are as good as the drug's own when vocabularies are joined: `retinol` of `retinol (vit A)`.
    pub equals: Vec<String>,
    /// Names by which the row may join a drug when its own name is unknown. Brands are none.
    pub known_as: Vec<String>,
    /// The drugs that a product holds, each with its names.
    pub ingredients: Vec<Vec<String>>,
    /// Whether an ingredient is a drug even where no row has it for itself.
    pub ingredients_are_drugs: bool,
    /// Whether the row's code names only a class of drugs and was left out.
    pub class_code: bool,
    /// How many of the row's further names were left out, for they are too long to be found.
    pub long_names: u64,
}

impl VocabularyRecord {
    /// A drug without anything special.
    fn of_drug(drug: Drug, rank: Rank) -> Self {
        Self {
            drug,
            rank,
            further_codes: Vec::new(),
            equals: Vec::new(),
            known_as: Vec::new(),
            ingredients: Vec::new(),
            ingredients_are_drugs: false,
            class_code: false,
            long_names: 0,
        }
    }

    /// A record without anything special. Without a code it gets one that is derived from its name.
    fn new(
        row: &VocabularyRow<'_>,
        code: Option<&str>,
        rank: Rank,
        name: &CleanName,
        synonyms: Vec<String>,
    ) -> Self {
        let mut flags = name.flags;
        let atccode = code.map_or_else(|| derived_code(&name.text), str::to_owned);
        if code.is_none() {
            flags.insert(Flag::MissingAtccode);
        }
        if !is_atc(&atccode) {
            flags.insert(Flag::NotAtc);
        }
        let drug = Drug {
            atccode,
            name: name.text.clone(),
            synonyms,
            flags,
            file: row.file,
            source_row: row.number,
            added: false,
        };
        Self::of_drug(drug, if code.is_some() { rank } else { Rank::Derived })
    }

    /// Leaves out names that are too long to be found, and refuses a row whose own name is.
    fn without_long_names(mut self) -> Result<Self, Refused> {
        if is_too_long(&self.drug.name) {
            let message = format!(
                "row {}: the name of the drug has more than {MOST_WORDS} words and signs; give one that texts may hold",
                self.drug.source_row
            );
            return Err(Refused(Reason::NameTooLong, message));
        }
        let mut left_out = 0;
        let mut keeps = |name: &String| {
            let is_short = !is_too_long(name);
            left_out += u64::from(!is_short);
            is_short
        };
        self.drug.synonyms.retain(&mut keeps);
        self.ingredients
            .retain(|names| names.first().is_none_or(&mut keeps));
        self.ingredients
            .iter_mut()
            .for_each(|names| names.retain(&mut keeps));
        self.known_as.retain(|name| !is_too_long(name));
        self.long_names = left_out;
        Ok(self)
    }
}

impl VocabularyRecord {
    /// A hash of the code and the names of a row. Of two rows of one file with the same hash the second adds no information, so
    /// it need not be held. `None` for a row that says more than that.
    pub fn said(&self) -> Option<u128> {
        let says_more = self.rank != Rank::Given
            || self.class_code
            || !self.further_codes.is_empty()
            || !self.ingredients.is_empty();
        if says_more {
            return None;
        }
        let mut hash = Xxh3::new();
        let names = [&self.drug.atccode, &self.drug.name];
        for text in names.into_iter().chain(&self.drug.synonyms) {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        Some(hash.digest128())
    }
}

/// A code that is derived from a name: the same in any case.
fn derived_code(name: &str) -> String {
    Uuid::new_v5(&SYNTHETIC_CODES, name.to_lowercase().as_bytes()).to_string()
}

/// Why a row is no drug, and the same in words.
struct Refused(Reason, String);

/// A row of a source.
struct VocabularyRow<'r> {
    file: usize,
    number: u64,
    /// The values in the order of the shape's fields.
    values: Vec<Option<&'r str>>,
}

/// A cleaned name.
struct CleanName {
    text: String,
    flags: Flags,
}

impl VocabularyRow<'_> {
    /// A value without blanks around it; `None` if it is blank.
    fn value(&self, field: usize) -> Option<&str> {
        let value = self.values.get(field).copied().flatten()?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// The name of the drug, cleaned.
    fn name(&self, value: Option<&str>) -> Result<CleanName, Refused> {
        let cleaned = clean(value.unwrap_or_default());
        if cleaned.text.is_empty() {
            let message = format!(
                "row {}: the name of the drug is blank; a drug needs one",
                self.number
            );
            return Err(Refused(Reason::BlankDrug, message));
        }
        Ok(CleanName {
            flags: cleaned.flags,
            text: cleaned.text.into_owned(),
        })
    }
}

/// Cleans one batch of a file: what its rows say, and rows that are no drugs.
pub fn clean_batch(
    raw: RawBatch,
    shape: &VocabularyShape,
    file: usize,
) -> Result<(Vec<VocabularyRecord>, Vec<Rejected>)> {
    let with_nul = raw.nul_bytes()?;
    let RawBatch {
        shape: _,
        frame,
        raw: texts,
        mut rejected,
        // Vocabularies have no notices of deletion.
        deletions: _,
        member: _,
    } = raw;
    let rows = frame.column("source_row")?.u64()?;
    let columns: Vec<StringChunked> = frame
        .columns()
        .iter()
        .skip(1)
        .map(|column| column.str().cloned())
        .collect::<Result<_, _>>()?;
    let mut records = Vec::with_capacity(frame.height());
    for (place, number) in rows.into_no_null_iter().enumerate() {
        let row = VocabularyRow {
            file,
            number,
            values: columns.iter().map(|column| column.get(place)).collect(),
        };
        let record = match with_nul.get(&place) {
            Some(column) => {
                let (reason, message) = nul_byte(number, column);
                Err(Refused(reason, message))
            }
            None => (shape.record)(&row).and_then(VocabularyRecord::without_long_names),
        };
        match record {
            Ok(record) => records.push(record),
            Err(Refused(reason, message)) => rejected.push(Rejected {
                reason,
                message,
                raw: texts.get(place).into_owned(),
                source_row: number,
            }),
        }
    }
    rejected.sort_by_key(|row| row.source_row);
    Ok((records, rejected))
}

/// Names between separators, cleaned, none blank and none twice.
fn names_of<'t>(names: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    names
        .into_iter()
        .map(|name| clean(name).text.into_owned())
        .filter(|name| !name.is_empty() && seen.insert(name.clone()))
        .collect()
}
