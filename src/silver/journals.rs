//! The journals that rows name, cleaned: few names over and over, so each is cleaned and folded once.

use std::cell::RefCell;
use std::rc::Rc;

use polars::prelude::PlHashMap;
use xxhash_rust::xxh3::xxh3_64;

use crate::schema::Flags;
use crate::text::{clean, is_missing, journal_key};

/// The most names that each thread remembers.
const MOST_NAMES: usize = 1 << 15;

/// Longer names are not remembered.
const LONGEST_NAME: usize = 256;

/// A journal as rows name it: its clean name, if there is any, and what belongs to that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct CleanJournal {
    pub name: Option<String>,
    /// The key under which its spellings meet.
    pub key: Option<String>,
    /// The hash by which names are compared; 0 without a name.
    pub hash: u64,
    /// What was repaired in it.
    pub flags: Flags,
}

impl CleanJournal {
    fn read(raw: &str) -> Self {
        let cleaned = clean(raw);
        let name = (!is_missing(&cleaned.text)).then(|| cleaned.text.into_owned());
        Self {
            key: name.as_deref().map(journal_key),
            hash: name.as_deref().map_or(0, |name| xxh3_64(name.as_bytes())),
            name,
            flags: cleaned.flags,
        }
    }

    /// The journal that a row names so, as the row has it.
    pub(super) fn of(raw: &str) -> Rc<Self> {
        thread_local! {
            static KNOWN: RefCell<PlHashMap<String, Rc<CleanJournal>>> = RefCell::default();
        }
        KNOWN.with_borrow_mut(|known| {
            if let Some(journal) = known.get(raw) {
                return Rc::clone(journal);
            }
            let journal = Rc::new(Self::read(raw));
            if raw.len() <= LONGEST_NAME {
                if known.len() == MOST_NAMES {
                    // What comes now is of another kind, or of no kind at all.
                    known.clear();
                }
                known.insert(raw.to_owned(), Rc::clone(&journal));
            }
            journal
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Flag;

    #[test]
    fn a_name_that_is_known_reads_as_one_that_is_not() {
        let long = "Annals of ".repeat(LONGEST_NAME);
        for raw in [
            "",
            " ",
            "The Lancet",
            " Rev\\xc3\\xa9e  <i>B</i>",
            "Revue\u{a0}é",
            "—",
            &long,
        ] {
            assert_eq!(*CleanJournal::of(raw), CleanJournal::read(raw), "{raw:?}");
            assert_eq!(
                *CleanJournal::of(raw),
                CleanJournal::read(raw),
                "{raw:?}, the second time"
            );
        }
        let journal = CleanJournal::of(" Rev\\xc3\\xa9e  <i>B</i>");
        assert_eq!(journal.name.as_deref(), Some("Revée B"));
        assert_eq!(journal.key.as_deref(), Some("revee b"));
        assert!(journal.flags.contains(Flag::DecodedEscapes) && journal.flags.contains(Flag::MarkupRemoved));
        assert_eq!(*CleanJournal::of(" \t"), CleanJournal::default());
    }

    #[test]
    fn more_names_than_are_remembered_read_right() {
        for number in 0..MOST_NAMES + 2 {
            let name = format!("Journal {number}");
            assert_eq!(CleanJournal::of(&name).name.as_deref(), Some(&*name));
        }
        assert_eq!(CleanJournal::of("Journal 0").key.as_deref(), Some("journal 0"));
    }
}
