//! What made-up records say beside title, date and journal: it follows from the number of the row.

use super::record::MadeRow;

/// One article in this many is retracted.
const RETRACTED: u64 = 500;

/// The details of a record; a format writes those that it has.
pub(super) struct MadeDetails {
    pub doi: String,
    pub types: &'static [&'static str],
    pub mesh: [String; 2],
    pub phase: &'static str,
}

impl MadeDetails {
    pub(super) fn of(row: &MadeRow) -> Self {
        let number = row.number;
        let phases = ["PHASE1", "PHASE2", "PHASE3", "PHASE4", "NA"];
        Self {
            // The prefix is that of examples.
            doi: format!("10.5555/made.{number}"),
            types: if number % RETRACTED == RETRACTED - 1 {
                &["Journal Article", "Retracted Publication"]
            } else {
                &["Journal Article"]
            },
            mesh: [
                format!("D{:06}", number % 1000),
                format!("D{:06}", 1000 + number % 77),
            ],
            phase: phases[(number % phases.len() as u64) as usize],
        }
    }
}
