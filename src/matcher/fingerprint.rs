//! Fingerprints of matchers.

use sha2::{Digest, Sha256};

use super::Matcher;

impl Matcher {
    /// A short text for the vocabulary and the settings: matchers with the same one find the same mentions, in any
    /// process.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        // Each text follows its length, so that no two vocabularies hash the same bytes.
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        add(&self.settings.fingerprint());
        for entry in 0..self.vocabulary.len() as u32 {
            add(self.vocabulary.code(entry));
            self.vocabulary.names(entry).for_each(&mut add);
            // Ends the entry, which has any number of names; a code may look like a name.
            add("");
        }
        format!("{:x}", hash.finalize())
    }
}
