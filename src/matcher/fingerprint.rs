//! What makes two matchers the same one.

use sha2::{Digest, Sha256};

use super::Matcher;

impl Matcher {
    /// The vocabulary and the settings as one short text: matchers that share it find the same, in any process.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        // Lengths stand before texts, so that no two vocabularies run together to the same bytes.
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        add(&self.settings.fingerprint());
        for entry in 0..self.vocabulary.len() as u32 {
            add(self.vocabulary.code(entry));
            self.vocabulary.names(entry).for_each(&mut add);
            // An entry has one name or more, and a code may look like a name.
            add("");
        }
        format!("{:x}", hash.finalize())
    }
}
