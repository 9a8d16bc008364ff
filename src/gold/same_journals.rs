//! Which keys of names are one journal, because sources give them one id.
//!
//! Names that are spelled alike have one key already. Ids join names that are not: a title that the catalogue changed, an
//! abbreviation in another source. They never part what a name joins: several journals may be called the same, and the graph
//! knows them by their names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What rows say of their journals: the key, the id in NLM's catalogue and the ISSN, each with the number of partitions that
/// say so. Counts of parts of a lake add up.
pub type JournalIdCounts = BTreeMap<(String, Option<String>, Option<String>), i64>;

/// The keys that are one journal.
pub fn joined_keys(ids: &JournalIdCounts) -> JoinedKeys {
    let mut same = SameJournals::default();
    for (key, nlm_id, issn) in ids.keys() {
        same.add(key, nlm_id.as_deref(), issn.as_deref());
    }
    same.finish()
}

/// Collects what sources say.
#[derive(Debug, Default)]
pub struct SameJournals {
    /// The keys of each id of NLM's catalogue.
    nlm_ids: BTreeMap<String, BTreeSet<String>>,
    issns: BTreeMap<String, OfIssn>,
    /// The ids of each key.
    keys: HashMap<String, OfKey>,
}

/// The ids that come with a key.
#[derive(Debug, Default)]
struct OfKey {
    nlm_ids: BTreeSet<String>,
    issns: BTreeSet<String>,
}

impl OfKey {
    /// Whether several journals are called so: the catalogue has several of them, or, where it is not asked, there are more
    /// ISSNs than one for print and one for the web.
    fn is_shared(&self) -> bool {
        self.nlm_ids.len() > 1 || (self.nlm_ids.is_empty() && self.issns.len() > 2)
    }
}

/// The keys that come with an ISSN, and the ids of the catalogue.
#[derive(Debug, Default)]
struct OfIssn {
    keys: BTreeSet<String>,
    nlm_ids: BTreeSet<String>,
}

impl SameJournals {
    /// A row of the journal with this key names these ids.
    pub fn add(&mut self, key: &str, nlm_id: Option<&str>, issn: Option<&str>) {
        let of_key = self.keys.entry(key.to_owned()).or_default();
        of_key.nlm_ids.extend(nlm_id.map(str::to_owned));
        of_key.issns.extend(issn.map(str::to_owned));
        if let Some(nlm_id) = nlm_id {
            self.nlm_ids
                .entry(nlm_id.to_owned())
                .or_default()
                .insert(key.to_owned());
        }
        if let Some(issn) = issn {
            let of_issn = self.issns.entry(issn.to_owned()).or_default();
            of_issn.keys.insert(key.to_owned());
            of_issn.nlm_ids.extend(nlm_id.map(str::to_owned));
        }
    }

    /// Joins keys that share an id of the catalogue, or an ISSN; but an ISSN that the catalogue gives several journals, such as
    /// sections of one, says nothing. And a name that several journals share joins none of them: it would make one journal
    /// of all that any of them is called.
    pub fn finish(self) -> JoinedKeys {
        let mut joined = JoinedKeys::default();
        let of_issns = self.issns.values();
        let telling = of_issns
            .filter(|issn| issn.nlm_ids.len() < 2)
            .map(|issn| &issn.keys);
        for keys in self.nlm_ids.values().chain(telling) {
            let mut keys = keys
                .iter()
                .filter(|key| !self.keys.get(*key).is_some_and(OfKey::is_shared));
            if let Some(first) = keys.next() {
                keys.for_each(|key| joined.join(first, key));
            }
        }
        joined.settle();
        joined
    }
}

/// Maps each joined key to the representative of its journal: the first of the joined keys in code-point order.
#[derive(Debug, Default)]
pub struct JoinedKeys {
    /// To the first one; while keys are being joined, towards it.
    to: HashMap<String, String>,
}

impl JoinedKeys {
    /// The key that represents the journal of `key`: `key` itself if it is not joined to another.
    pub fn of<'k>(&'k self, key: &'k str) -> &'k str {
        self.to.get(key).map_or(key, String::as_str)
    }

    fn join(&mut self, left: &str, right: &str) {
        let (left, right) = (self.find(left), self.find(right));
        if left != right {
            let (first, second) = if left < right {
                (left, right)
            } else {
                (right, left)
            };
            self.to.insert(second, first);
        }
    }

    /// The first key that this one is joined to; all keys on the way are led there at once, so that no way is long.
    fn find(&mut self, key: &str) -> String {
        let mut way = vec![key];
        while let Some(next) = way.last().and_then(|at| self.to.get(*at)) {
            way.push(next);
        }
        let first = way.pop().unwrap_or(key).to_owned();
        let way: Vec<String> = way.into_iter().map(str::to_owned).collect();
        for key in way {
            self.to.insert(key, first.clone());
        }
        first
    }

    /// Leads every key to the first one.
    fn settle(&mut self) {
        let keys: Vec<String> = self.to.keys().cloned().collect();
        for key in keys {
            self.find(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(rows: &[(&str, Option<&str>, Option<&str>)]) -> JoinedKeys {
        let mut same = SameJournals::default();
        for (key, nlm_id, issn) in rows {
            same.add(key, *nlm_id, *issn);
        }
        same.finish()
    }

    #[test]
    fn keys_that_share_an_id_of_the_catalogue_are_one_journal() {
        let joined = joined(&[
            ("the journal of x", Some("1"), Some("0006-2952")),
            ("j x", Some("1"), None),
            ("journal of x", Some("1"), None),
            ("another", Some("2"), None),
        ]);
        for key in ["the journal of x", "j x", "journal of x"] {
            assert_eq!(joined.of(key), "j x");
        }
        assert_eq!(joined.of("another"), "another");
        assert_eq!(joined.of("unheard of"), "unheard of");
    }

    #[test]
    fn an_issn_joins_what_the_catalogue_does_not_part() {
        let rows = [
            ("j x", None, Some("0006-2952")),
            ("journal of x", Some("1"), Some("0006-2952")),
        ];
        assert_eq!(joined(&rows).of("journal of x"), "j x");
        // Two sections under one ISSN are two journals.
        let section = ("journal of x section b", Some("2"), Some("0006-2952"));
        let joined = joined(&[rows[0], rows[1], section]);
        for key in ["j x", "journal of x", "journal of x section b"] {
            assert_eq!(joined.of(key), key);
        }
    }

    #[test]
    fn a_name_that_two_journals_share_joins_neither() {
        let joined = joined(&[
            ("bulletin", Some("1"), None),
            ("bulletin", Some("2"), None),
            ("bulletin of a", Some("2"), None),
            ("bulletin of c", Some("1"), None),
            ("bull c", Some("1"), None),
        ]);
        assert_eq!(joined.of("bulletin"), "bulletin");
        // The catalogue knows these two as two.
        assert_eq!(joined.of("bulletin of a"), "bulletin of a");
        assert_eq!(joined.of("bulletin of c"), "bull c");
    }

    /// Made-up records once had an ISSN each, some of them with the right check digit: five thousand journals became one.
    #[test]
    fn issns_without_order_do_not_make_one_journal_of_all() {
        let issns = ["0006-2952", "0317-8471", "2434-561X"];
        let mut rows = Vec::new();
        for key in ["a", "b", "c"] {
            rows.extend(issns.iter().map(|issn| (key, None, Some(*issn))));
        }
        // Two are the print's and the web's.
        rows.extend([("p", None, Some("1111-1119")), ("p", None, Some("1111-1127"))]);
        rows.push(("q", None, Some("1111-1127")));
        let joined = joined(&rows);
        for key in ["a", "b", "c"] {
            assert_eq!(joined.of(key), key);
        }
        assert_eq!(joined.of("q"), "p");
    }

    #[test]
    fn a_long_chain_is_no_long_way() {
        let mut same = SameJournals::default();
        let key = |number: usize| format!("{number:06}");
        // Each ISSN joins a key to the one before it, the last ones first.
        for number in 1..50_000 {
            let id = key(50_000 - number);
            same.add(&key(number), None, Some(&id));
            same.add(&key(number - 1), None, Some(&id));
        }
        let joined = same.finish();
        assert_eq!(joined.of(&key(49_999)), key(0));
        assert_eq!(joined.of(&key(25_000)), key(0));
    }
}
