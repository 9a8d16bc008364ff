//! How many places of texts name a drug.

use polars::prelude::DataFrame;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::schema::DrugUnit;

/// Places that name a drug. A place that names several drugs counts once for each, and what counts as one drug is up to the
/// unit: `insulin` is one place of one substance, and of each of its codes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MentionPlaces {
    code: u64,
    substance: u64,
}

impl MentionPlaces {
    /// Adds the places of mentions in their order. A publication must not be split between frames.
    pub fn add(&mut self, mentions: &DataFrame) -> Result<()> {
        let text = |name: &str| mentions.column(name).and_then(|column| column.str().cloned());
        let number = |name: &str| mentions.column(name).and_then(|column| column.i64().cloned());
        let (ids, fields) = (text("publication_id")?, text("field")?);
        let (starts, ends) = (number("start")?, number("end")?);
        let (codes, substances) = (text("atccode")?, text("substance")?);
        let places = ids.iter().zip(fields.iter()).zip(starts.iter().zip(ends.iter()));
        let drugs = codes.iter().zip(substances.iter());
        let mut current = None;
        let (mut here_by_code, mut here_by_substance) = (Vec::new(), Vec::new());
        for (place, (code, substance)) in places.zip(drugs) {
            if current.replace(place) != Some(place) {
                self.count_here(&mut here_by_code, &mut here_by_substance);
            }
            here_by_code.push(code);
            here_by_substance.push(substance);
        }
        self.count_here(&mut here_by_code, &mut here_by_substance);
        Ok(())
    }

    /// Takes other places away.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self {
            code: self.code.saturating_sub(other.code),
            substance: self.substance.saturating_sub(other.substance),
        }
    }

    /// Adds other places.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            code: self.code + other.code,
            substance: self.substance + other.substance,
        }
    }

    /// Counts the drugs of one place, and forgets them.
    fn count_here<T: Ord>(&mut self, codes: &mut Vec<T>, substances: &mut Vec<T>) {
        for (count, here) in [(&mut self.code, codes), (&mut self.substance, substances)] {
            here.sort_unstable();
            here.dedup();
            *count += here.len() as u64;
            here.clear();
        }
    }

    /// The places by a unit.
    pub fn count(&self, unit: DrugUnit) -> u64 {
        match unit {
            DrugUnit::Code => self.code,
            DrugUnit::Substance => self.substance,
        }
    }
}
