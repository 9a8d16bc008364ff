//! The ids that rows give their journals: valid ones are kept, placeholders and malformed ones are dropped.

use crate::schema::JournalIds;

/// What the rows of a batch say of their journals, most of it once.
#[derive(Debug, Default)]
pub(super) struct BatchJournals {
    known: Vec<JournalIds>,
    /// What the last row said, word by word: rows of one journal follow each other in most files.
    last: JournalIds,
}

impl BatchJournals {
    /// Takes what a row says.
    pub(super) fn add(&mut self, key: &str, nlm_id: Option<&str>, issn: Option<&str>) {
        if nlm_id.is_none() && issn.is_none() {
            return;
        }
        let last = &self.last;
        if last.key == key && last.nlm_id.as_deref() == nlm_id && last.issn.as_deref() == issn {
            return;
        }
        let said = JournalIds {
            key: key.to_owned(),
            nlm_id: nlm_id.map(str::to_owned),
            issn: issn.map(str::to_owned),
        };
        let ids = JournalIds {
            key: key.to_owned(),
            nlm_id: nlm_id.and_then(catalogue_id).map(str::to_owned),
            issn: issn.and_then(linking_issn),
        };
        self.last = said;
        if ids.nlm_id.is_some() || ids.issn.is_some() {
            self.known.push(ids);
        }
    }

    pub(super) fn take(&mut self) -> Vec<JournalIds> {
        std::mem::take(self).known
    }
}

/// An id of NLM's catalogue: digits, now and then with a letter (`8002534R`, `D17270`).
fn catalogue_id(text: &str) -> Option<&str> {
    let id = text.trim();
    let is_id = (5..=12).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && id.bytes().filter(u8::is_ascii_digit).count() >= 4
        && !stands_for_unknown(id.as_bytes());
    is_id.then_some(id)
}

/// An id of zeros alone or of nines alone is a placeholder for an unknown one.
fn stands_for_unknown(letters: &[u8]) -> bool {
    letters.iter().all(|letter| *letter == b'0') || letters.iter().all(|letter| *letter == b'9')
}

/// Of one or more ISSNs, each with its use behind it (`0006-2952 (Print)`), the linking one, or else the first.
fn linking_issn(text: &str) -> Option<String> {
    let mut first = None;
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let Some(issn) = issn(word) else { continue };
        if words
            .peek()
            .is_some_and(|purpose| purpose.eq_ignore_ascii_case("(Linking)"))
        {
            return Some(issn);
        }
        first.get_or_insert(issn);
    }
    first
}

/// An ISSN whose check digit is right: one that was mistyped could be another journal's.
fn issn(word: &str) -> Option<String> {
    let letters: Vec<u8> = word
        .bytes()
        .filter(|byte| *byte != b'-')
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    let [digits @ .., check] = &letters[..] else {
        return None;
    };
    if digits.len() != 7 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let weighted = digits.iter().zip((2..=8).rev());
    let sum: u32 = weighted
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    let wanted = match (11 - sum % 11) % 11 {
        10 => b'X',
        digit => b'0' + digit as u8,
    };
    if stands_for_unknown(digits) {
        return None;
    }
    let (front, back) = letters.split_at(4);
    (*check == wanted).then(|| {
        format!(
            "{}-{}",
            String::from_utf8_lossy(front),
            String::from_utf8_lossy(back)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issn_is_one_whose_check_digit_is_right() {
        let cases = [
            ("0006-2952", Some("0006-2952")),
            ("00062952", Some("0006-2952")),
            (" 2434-561x ", Some("2434-561X")),
            ("0006-2953", None),
            ("0006-295", None),
            ("", None),
            ("(Print)", None),
            ("\u{661}006-2952", None),
            ("0006-2952 (Print) 0317-8471 (Electronic)", Some("0006-2952")),
            ("0006-2952 (Print) 0317-8471 (Linking)", Some("0317-8471")),
            ("none 0317-8471", Some("0317-8471")),
            ("0000-0000", None),
            ("9999-9994", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(linking_issn(text).as_deref(), wanted, "{text:?}");
        }
    }

    #[test]
    fn an_id_of_the_catalogue_is_digits_with_hardly_a_letter() {
        for id in ["0370077", " 101602585 ", "8002534R", "D17270"] {
            assert_eq!(catalogue_id(id), Some(id.trim()));
        }
        for text in [
            "",
            "n/a",
            "unknown",
            "123",
            "0370077; 101602585",
            "1234567890123",
            "0000000",
            "9999999",
        ] {
            assert_eq!(catalogue_id(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_the_row_before_said_is_not_said_again() {
        let mut known = BatchJournals::default();
        known.add("a", Some("0370077"), None);
        known.add("a", Some("0370077"), None);
        known.add("a", None, None);
        known.add("a", Some("none"), Some("wrong"));
        known.add("b", Some("0370077"), None);
        let keys: Vec<String> = known.take().into_iter().map(|ids| ids.key).collect();
        assert_eq!(keys, ["a", "b"]);
        assert!(known.take().is_empty());
    }
}
