//! Messages without the credentials that a word of the command line holds.

use crate::storage::uri::{has_credentials, without_credentials};

/// Removes the credentials of `words` from a message that may repeat these words, in full or cut off.
pub fn hide_credentials<'w>(message: &str, words: impl Iterator<Item = &'w str>) -> String {
    let mut told = message.to_owned();
    for word in words {
        // Also behind the name of a flag.
        let value = word.split_once('=').map_or(word, |(_, value)| value);
        for word in [word, value] {
            if has_credentials(word) {
                told = without_word(&told, word);
            }
        }
    }
    told
}

/// A message where what it repeats of a word with credentials is replaced by the word without them.
fn without_word(message: &str, word: &str) -> String {
    // More than this is left of a word that a message cuts off.
    let end = word.char_indices().nth(100).map_or(word.len(), |(end, _)| end);
    let mut parts = message.split(&word[..end]);
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let letters = part.chars().zip(word[end..].chars());
        let repeated = letters.take_while(|(left, right)| left == right);
        let repeated: usize = repeated.map(|(letter, _)| letter.len_utf8()).sum();
        told += &without_credentials(word);
        told += &part[repeated..];
    }
    told
}
