//! Two vocabularies, drug by drug: new, gone, renamed and recoded ones, and those with other names.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataFrame, IntoColumn, ListBuilderTrait, ListStringChunkedBuilder};
use serde::Serialize;

use crate::error::Result;
use crate::matcher::VocabularyEntry;
use crate::row_frame::RowFrame;
use crate::text::{form, substance};

/// What happened to a drug between two vocabularies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DrugChangeKind {
    /// No code of the earlier vocabulary is it.
    New,
    Gone,
    /// The code has another name.
    Renamed,
    /// The name has another code.
    Recoded,
    /// The code has its name, and other synonyms.
    ChangedNames,
}

impl DrugChangeKind {
    /// The word in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Renamed => "renamed",
            Self::Recoded => "recoded",
            Self::ChangedNames => "changed_names",
        }
    }
}

/// A drug that differs between two vocabularies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DrugChange {
    pub change: DrugChangeKind,
    /// As the later vocabulary has it; a drug that is gone, as the earlier one had it.
    pub atccode: String,
    pub drug: String,
    /// As the earlier vocabulary has it, if it has.
    pub atccode_before: Option<String>,
    pub drug_before: Option<String>,
    /// All names, with the drug's own, that only the later vocabulary has for it, and only the earlier one.
    pub added_names: Vec<String>,
    pub removed_names: Vec<String>,
    /// How many mentions of the code, and of the one before, came and went.
    pub gained: u64,
    pub lost: u64,
}

/// The names of a code: its own, and all.
#[derive(Default)]
struct CodeNames<'v> {
    own: BTreeSet<&'v str>,
    all: BTreeSet<&'v str>,
}

impl CodeNames<'_> {
    fn drug(&self) -> String {
        let names: Vec<&str> = self.own.iter().copied().collect();
        names.join(" | ")
    }
}

fn by_code(entries: &[VocabularyEntry]) -> BTreeMap<&str, CodeNames<'_>> {
    let mut codes: BTreeMap<&str, CodeNames<'_>> = BTreeMap::new();
    for entry in entries {
        let names = codes.entry(&entry.atccode).or_default();
        names.own.insert(&entry.drug);
        names.all.insert(&entry.drug);
        names.all.extend(entry.synonyms.iter().map(|name| &**name));
    }
    codes
}

/// The drugs that differ, by change and code.
pub(super) fn drug_changes(
    [earlier, later]: [&[VocabularyEntry]; 2],
    mentions: &BTreeMap<String, [u64; 2]>,
) -> Vec<DrugChange> {
    let (earlier, later) = (by_code(earlier), by_code(later));
    let only =
        |of: &BTreeMap<&str, CodeNames<'_>>, other: &BTreeMap<&str, CodeNames<'_>>| -> BTreeSet<String> {
            let codes = of.keys().filter(|code| !other.contains_key(**code));
            codes.map(|code| (*code).to_owned()).collect()
        };
    let (mut gone, mut new) = (only(&earlier, &later), only(&later, &earlier));
    let mut changes = Vec::new();
    let change = |change, before: Option<&str>, after: Option<&str>| {
        let names = [
            before.and_then(|code| earlier.get(code)),
            after.and_then(|code| later.get(code)),
        ];
        let drug = |side: usize| names[side].map(CodeNames::drug);
        let all = |side: usize| names[side].map(|names| names.all.clone()).unwrap_or_default();
        let listed = |of: usize| {
            let other = all(1 - of);
            let names = all(of).into_iter().filter(|name| !other.contains(name));
            names.map(str::to_owned).collect()
        };
        let codes: BTreeSet<&str> = before.into_iter().chain(after).collect();
        let count = |side: usize| {
            codes
                .iter()
                .filter_map(|code| mentions.get(*code))
                .map(|count| count[side])
                .sum()
        };
        DrugChange {
            change,
            atccode: after.or(before).unwrap_or_default().to_owned(),
            drug: drug(1).or_else(|| drug(0)).unwrap_or_default(),
            atccode_before: before.map(str::to_owned),
            drug_before: drug(0),
            added_names: listed(1),
            removed_names: listed(0),
            gained: count(0),
            lost: count(1),
        }
    };
    // The same name first, as the matcher folds it; then the same substance.
    for key in [form as fn(&str) -> String, substance] {
        let mut before: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for code in &gone {
            if let Some(names) = earlier.get(code.as_str()) {
                before.entry(key(&names.drug())).or_default().push(code.clone());
            }
        }
        before.values_mut().for_each(|codes| codes.reverse());
        for code in new.clone() {
            let name = later
                .get(code.as_str())
                .map(|names| key(&names.drug()))
                .unwrap_or_default();
            let Some(old) = before.get_mut(&name).and_then(Vec::pop) else {
                continue;
            };
            changes.push(change(DrugChangeKind::Recoded, Some(&old), Some(&code)));
            gone.remove(&old);
            new.remove(&code);
        }
    }
    changes.extend(
        new.iter()
            .map(|code| change(DrugChangeKind::New, None, Some(code))),
    );
    changes.extend(
        gone.iter()
            .map(|code| change(DrugChangeKind::Gone, Some(code), None)),
    );
    for (code, names) in &later {
        let Some(before) = earlier.get(code) else { continue };
        if names.own != before.own {
            changes.push(change(DrugChangeKind::Renamed, Some(code), Some(code)));
        } else if names.all != before.all {
            changes.push(change(DrugChangeKind::ChangedNames, Some(code), Some(code)));
        }
    }
    changes.sort_unstable();
    changes
}

/// The changes as a table.
pub(super) fn drug_frame(changes: &[DrugChange]) -> Result<DataFrame> {
    let list = |name: &str, of: fn(&DrugChange) -> &Vec<String>| {
        let mut lists = ListStringChunkedBuilder::new(name.into(), changes.len(), changes.len());
        for change in changes {
            lists.append_values_iter(of(change).iter().map(String::as_str));
        }
        lists.finish().into_column()
    };
    RowFrame::of(changes)
        .column("change", |change| change.change.name())
        .column("atccode", |change| change.atccode.as_str())
        .column("drug", |change| change.drug.as_str())
        .column("atccode_before", |change| change.atccode_before.as_deref())
        .column("drug_before", |change| change.drug_before.as_deref())
        .with(list("added_names", |change| &change.added_names))
        .with(list("removed_names", |change| &change.removed_names))
        .count("gained", |change| change.gained)
        .count("lost", |change| change.lost)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drug_that_differs_has_one_change() {
        let entry = |code: &str, drug: &str, names: &[&str]| {
            VocabularyEntry::new(code, drug, names.iter().map(|name| (*name).to_owned()))
        };
        let earlier = [
            entry("A1", "same", &["alike"]),
            entry("B1", "moved drug", &[]),
            entry("B2", "salted hydrochloride", &[]),
            entry("C1", "old name", &[]),
            entry("D1", "gone", &[]),
            entry("E1", "synonyms", &["one", "two"]),
        ];
        let later = [
            entry("A1", "same", &["alike"]),
            entry("B9", "Moved-Drug", &["mover"]),
            entry("B8", "salted", &[]),
            entry("C1", "new name", &[]),
            entry("E1", "synonyms", &["two", "three"]),
            entry("F1", "fresh", &["cool"]),
        ];
        let mentions = BTreeMap::from([("B1".to_owned(), [0, 3]), ("B9".to_owned(), [2, 0])]);
        let found = drug_changes([&earlier, &later], &mentions);
        let shown: Vec<(&str, &str, Option<&str>)> = found
            .iter()
            .map(|drug| (drug.change.name(), &*drug.atccode, drug.atccode_before.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("new", "F1", None),
                ("gone", "D1", Some("D1")),
                ("renamed", "C1", Some("C1")),
                ("recoded", "B8", Some("B2")),
                ("recoded", "B9", Some("B1")),
                ("changed_names", "E1", Some("E1")),
            ]
        );
        assert_eq!(found[0].added_names, ["cool", "fresh"]);
        assert_eq!((found[4].gained, found[4].lost), (2, 3));
        assert_eq!(
            (&found[5].added_names[..], &found[5].removed_names[..]),
            (&["three".to_owned()][..], &["one".to_owned()][..])
        );
        assert!(drug_changes([&later, &later], &mentions).is_empty());
    }
}
