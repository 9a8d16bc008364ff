//! The rejected rows that a person has corrected: each is known by its file, its place there and its text.
//!
//! The text counts too: if its file is delivered again with another row at that place, that row is rejected as before.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_128;

use crate::schema::Rejected;

/// The rejected rows that have a corrected one.
#[derive(Debug, Default)]
pub struct CorrectedRows {
    /// The hashes of texts, by place and file.
    files: HashMap<String, HashMap<u64, String>>,
}

impl CorrectedRows {
    /// Adds a row by the hash of its text.
    pub fn add(&mut self, source_uri: String, source_row: u64, raw_hash: String) {
        let rows = self.files.entry(source_uri).or_default();
        rows.insert(source_row, raw_hash);
    }

    /// Whether a rejected row of a file has a corrected one.
    pub fn has(&self, source_uri: &str, row: &Rejected) -> bool {
        let hash = self
            .files
            .get(source_uri)
            .and_then(|rows| rows.get(&row.source_row));
        hash.is_some_and(|hash| *hash == raw_hash(&row.raw))
    }
}

/// The hash by which texts of rejected rows are compared.
pub fn raw_hash(raw: &str) -> String {
    format!("{:032x}", xxh3_128(raw.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Reason;

    #[test]
    fn a_row_is_known_by_file_place_and_text() {
        let mut corrected = CorrectedRows::default();
        corrected.add("a.csv".to_owned(), 2, raw_hash("1,,2020,J"));
        let row = |source_row, raw: &str| Rejected {
            reason: Reason::BlankTitle,
            message: String::new(),
            raw: raw.to_owned(),
            source_row,
        };
        assert!(corrected.has("a.csv", &row(2, "1,,2020,J")));
        assert!(!corrected.has("b.csv", &row(2, "1,,2020,J")));
        assert!(!corrected.has("a.csv", &row(3, "1,,2020,J")));
        assert!(!corrected.has("a.csv", &row(2, "2,,2020,J")));
    }
}
