//! Made-up sources of any size, with the truth about them: which drug is mentioned where and when.
//!
//! Everything is a function of the seed and of a record's number. No record depends on another one, so memory does not
//! grow with their number, any part can be generated anywhere, and the same settings give the same bytes on every
//! machine. The mentions are known because each drug was put there; no matcher takes part, so the truth can prove one
//! wrong.
//!
//! - [`GenerateSettings`] are the numbers and shares; [`GenerateSettings::check`] rejects impossible ones.
//! - [`Format`] is the format of a source, [`Dirt`] a fault of a record.
//! - [`block()`] generates some records of one table: their text or rows, and the truth about them.
//! - [`Delivery`] is a part of the world, with corrections of the parts before it.
//!
//! Words, names and journals are invented here; nothing is taken from anybody's data.

mod block;
mod delivery;
mod details;
mod dirt;
mod format;
mod mention;
mod random;
mod record;
mod truth;
mod writers;

pub use block::{Block, block, corrections_block, drugs_block};
pub use delivery::Delivery;
pub use dirt::{Dirt, Shares};
pub use format::{Format, MadeTable, Packing};
pub use random::drugs::MOST_DRUGS;
pub use truth::Counts;

use std::ops::Range;

use crate::error::{Error, Result};

/// The number of records that are generated together. The second row of a record (a half, a repetition) is in the same
/// block, so this number affects the bytes.
pub const BLOCK: u64 = 4096;

/// The numbers, formats and shares of made-up sources.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateSettings {
    pub seed: u64,
    pub articles: u64,
    pub trials: u64,
    pub drugs: u64,
    pub journals: u64,
    pub articles_format: Format,
    pub trials_format: Format,
    pub drugs_format: Format,
    /// The number of files for articles, and for trials.
    pub files: u64,
    pub packing: Packing,
    /// The share of records with an abstract.
    pub abstracts: f64,
    pub dirt: Shares,
    /// A delivery of the world instead of the whole world at once.
    pub delivery: Option<Delivery>,
}

impl Default for GenerateSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            articles: 7_000,
            trials: 3_000,
            drugs: 1_000,
            journals: 300,
            articles_format: Format::Csv,
            trials_format: Format::Csv,
            drugs_format: Format::Csv,
            files: 1,
            packing: Packing::None,
            abstracts: 0.0,
            dirt: Shares::default(),
            delivery: None,
        }
    }
}

impl GenerateSettings {
    /// Rejects impossible settings.
    pub fn check(&self) -> Result<()> {
        for (argument, format, table) in [
            ("drugs_format", self.drugs_format, MadeTable::Drugs),
            ("articles_format", self.articles_format, MadeTable::Articles),
            ("trials_format", self.trials_format, MadeTable::Trials),
        ] {
            if !format.is_for(table) {
                return Err(table.refuse(format.name(), argument));
            }
        }
        for (argument, number, most) in [
            ("drugs", self.drugs, MOST_DRUGS),
            ("journals", self.journals, 1_000_000),
            ("articles", self.articles, 10_000_000_000),
            // The limit of a registry's numbers.
            ("trials", self.trials, 90_000_000),
            ("files", self.files, 100_000),
        ] {
            let least = u64::from(!matches!(argument, "articles" | "trials"));
            if !(least..=most).contains(&number) {
                let expected = format!("a number from {least} to {most}");
                return Err(Error::argument(argument, number.to_string(), expected));
            }
        }
        if !(0.0..=1.0).contains(&self.abstracts) {
            return Err(Error::argument(
                "abstracts",
                self.abstracts.to_string(),
                "a share from 0 to 1",
            ));
        }
        self.dirt.check()
    }

    /// The number of records of a table, in the whole world.
    pub fn count(&self, table: MadeTable) -> u64 {
        match table {
            MadeTable::Drugs => self.drugs,
            MadeTable::Articles => self.articles,
            MadeTable::Trials => self.trials,
        }
    }

    /// The format of a table.
    pub fn format(&self, table: MadeTable) -> Format {
        match table {
            MadeTable::Drugs => self.drugs_format,
            MadeTable::Articles => self.articles_format,
            MadeTable::Trials => self.trials_format,
        }
    }

    /// The numbers of the new records of a table: all of them, or those of the delivery. Each delivery has all drugs.
    pub fn numbers(&self, table: MadeTable) -> Range<u64> {
        let records = self.count(table);
        match &self.delivery {
            Some(delivery) if table != MadeTable::Drugs => delivery.numbers(records),
            _ => 0..records,
        }
    }

    /// How many corrections a table has.
    pub fn corrections(&self, table: MadeTable) -> u64 {
        match &self.delivery {
            Some(delivery) if table != MadeTable::Drugs => delivery.corrections(self.count(table)),
            _ => 0,
        }
    }
}
