//! The counts of the rows of one file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::schema::{Flags, Reason};

/// Why a row was merged into another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MergeReason {
    /// It and another half row form one record.
    HalfRow,
    /// An equal row came before.
    Identical,
    /// A later row with the same id replaces it.
    Superseded,
    /// A later notice deletes the publication.
    Deleted,
    /// A drug with the same code and name came before and got its synonyms.
    SameDrug,
    /// A drug with the same code and another name came before and got its names.
    SameCode,
    /// Another vocabulary has drugs with the same name and better codes, which got its names.
    SameName,
    /// Another vocabulary has drugs with better codes that share only a synonym with it, and got its names.
    SameSynonym,
}

impl MergeReason {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::HalfRow => "half_row",
            Self::Identical => "identical",
            Self::Superseded => "superseded",
            Self::Deleted => "deleted",
            Self::SameDrug => "same_drug",
            Self::SameCode => "same_code",
            Self::SameName => "same_name",
            Self::SameSynonym => "same_synonym",
        }
    }
}

/// The effect of a vocabulary's row on drugs other than its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Join {
    /// A product's name was added to a drug that the product contains.
    Ingredient,
    /// A drug without a row of its own was added: an ingredient, or a further code of the row.
    AddedDrug,
    /// A name was not added, because it is the name of another drug.
    NameLeftOut,
    /// A name was left out, because it is too long to be found in a text.
    NameTooLong,
    /// The row's code names only a class of drugs, so it is not the drug's code.
    ClassCode,
}

impl Join {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingredient => "ingredient",
            Self::AddedDrug => "added_drug",
            Self::NameLeftOut => "name_left_out",
            Self::NameTooLong => "name_too_long",
            Self::ClassCode => "class_code",
        }
    }
}

/// The counts of one source file. It never holds row contents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTally {
    pub uri: String,
    pub table: String,
    pub format: String,
    pub bytes: u64,
    pub rows_in: u64,
    pub rows_kept: u64,
    pub rows_merged: u64,
    pub rows_rejected: u64,
    pub rejected: BTreeMap<String, u64>,
    pub merged: BTreeMap<String, u64>,
    pub flags: BTreeMap<String, u64>,
    /// The effects of a vocabulary's rows beside one drug each; the key is missing if there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub joins: BTreeMap<String, u64>,
    /// Rows that were rejected before and are counted by what became of their corrected values; the key is missing if there
    /// are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub corrected: u64,
    /// Of a file of corrected rows: those that met no rejected row, and changed nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stale_corrections: u64,
    pub blank_lines: u64,
    pub extra_columns: Vec<String>,
    pub notes: Vec<String>,
}

impl FileTally {
    /// Counts a row that was read and rejected.
    pub fn reject(&mut self, reason: Reason) {
        self.rows_rejected += 1;
        *self.rejected.entry(reason.name().to_owned()).or_default() += 1;
    }

    /// Counts a row that was kept, with its flags.
    pub fn keep(&mut self, flags: Flags) {
        self.rows_kept += 1;
        for flag in flags.iter() {
            match self.flags.get_mut(flag.name()) {
                Some(count) => *count += 1,
                None => {
                    self.flags.insert(flag.name().to_owned(), 1);
                }
            }
        }
    }

    /// Takes back the count of a kept row with these flags.
    pub fn let_go(&mut self, flags: Flags) {
        self.rows_kept = self.rows_kept.saturating_sub(1);
        for flag in flags.iter() {
            if let Some(count) = self.flags.get_mut(flag.name()) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.flags.remove(flag.name());
                }
            }
        }
    }

    /// Counts a row that was merged into another one.
    pub fn merge(&mut self, reason: MergeReason) {
        self.rows_merged += 1;
        *self.merged.entry(reason.name().to_owned()).or_default() += 1;
    }

    /// Counts an effect of a row on other drugs.
    pub fn join(&mut self, join: Join, count: u64) {
        if count > 0 {
            *self.joins.entry(join.name().to_owned()).or_default() += count;
        }
    }

    /// Checks that no row is lost: rows in = rows kept + rows merged + rows rejected.
    pub fn check(&self) -> Result<()> {
        if self.rows_in == self.rows_kept + self.rows_merged + self.rows_rejected {
            return Ok(());
        }
        Err(Error::Conservation {
            uri: self.uri.clone(),
            rows_in: self.rows_in,
            rows_kept: self.rows_kept,
            rows_merged: self.rows_merged,
            rows_rejected: self.rows_rejected,
        })
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The counts of several files together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub rows_in: u64,
    pub rows_kept: u64,
    pub rows_merged: u64,
    pub rows_rejected: u64,
    pub rejected: BTreeMap<String, u64>,
    pub flags: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub corrected: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stale_corrections: u64,
}

impl Totals {
    fn add(&mut self, rows: [u64; 4], rejected: &BTreeMap<String, u64>, flags: &BTreeMap<String, u64>) {
        let sums = [
            &mut self.rows_in,
            &mut self.rows_kept,
            &mut self.rows_merged,
            &mut self.rows_rejected,
        ];
        sums.into_iter().zip(rows).for_each(|(sum, rows)| *sum += rows);
        for (counts, sum) in [(rejected, &mut self.rejected), (flags, &mut self.flags)] {
            for (name, count) in counts {
                *sum.entry(name.clone()).or_default() += count;
            }
        }
    }
}

impl<'t> FromIterator<&'t FileTally> for Totals {
    fn from_iter<I: IntoIterator<Item = &'t FileTally>>(tallies: I) -> Self {
        let mut totals = Self::default();
        for tally in tallies {
            let rows = [
                tally.rows_in,
                tally.rows_kept,
                tally.rows_merged,
                tally.rows_rejected,
            ];
            totals.add(rows, &tally.rejected, &tally.flags);
            totals.corrected += tally.corrected;
            totals.stale_corrections += tally.stale_corrections;
        }
        totals
    }
}

impl<'t> FromIterator<&'t Totals> for Totals {
    fn from_iter<I: IntoIterator<Item = &'t Totals>>(parts: I) -> Self {
        let mut totals = Self::default();
        for part in parts {
            let rows = [part.rows_in, part.rows_kept, part.rows_merged, part.rows_rejected];
            totals.add(rows, &part.rejected, &part.flags);
            totals.corrected += part.corrected;
            totals.stale_corrections += part.stale_corrections;
        }
        totals
    }
}
