//! Prefetching: which objects to request together with the one that is needed now.
//!
//! A lake of a year of days has a thousand manifests and tables, and steps read them one after the other. On a disk
//! that costs nothing; in a bucket each read is a round trip. Objects never change, so a prefetched object that nobody
//! reads is only wasted traffic.

use std::collections::BTreeMap;

use super::state::StateEntry;

/// At most this many objects are requested at once.
pub(super) const TOGETHER: usize = 16;

/// At most this many bytes for an object that is prefetched into memory. Above [`KEPT`] objects, the memory is cleared.
pub(super) const SMALL: u64 = 256 << 10;
pub(super) const KEPT: usize = 256;

/// At most this many bytes for an object that is prefetched onto the disk.
pub(super) const MIDDLING: u64 = 16 << 20;

/// The file and those likely to be read with it: the files of the same name in sibling folders, or of other dates in its own
/// folder; if there are none, its neighbours in its own folder. Readers go through days forwards or backwards.
pub(super) fn with_neighbours<'s>(
    files: &'s BTreeMap<String, StateEntry>,
    path: &'s str,
    most: u64,
    backwards: bool,
) -> Vec<(&'s String, &'s StateEntry)> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
    let is_alike = |other: &str| {
        let (its_folder, its_name) = other.rsplit_once('/').unwrap_or(("", other));
        let its_above = its_folder.rsplit_once('/').map_or("", |(above, _)| above);
        let is_sibling = its_name == name && its_above == above && !is_dated(name);
        is_sibling || (its_folder == folder && is_dated(name) && is_dated(its_name))
    };
    let below = inside_of(above);
    let small = |(other, entry): &(&String, &StateEntry)| other.as_str() == path || entry.bytes <= most;
    let alike = |(other, _): &(&String, &StateEntry)| is_alike(other);
    let inside = |(other, _): &(&String, &StateEntry)| other.starts_with(&below);
    let found: Vec<_> = if backwards {
        files
            .range(..=path.to_owned())
            .rev()
            .take_while(inside)
            .filter(alike)
            .filter(small)
            .take(TOGETHER)
            .collect()
    } else {
        files
            .range(path.to_owned()..)
            .take_while(inside)
            .filter(alike)
            .filter(small)
            .take(TOGETHER)
            .collect()
    };
    if found.len() > 1 {
        return found;
    }
    let beside = inside_of(folder);
    files
        .range(path.to_owned()..)
        .take_while(|(other, _)| other.starts_with(&beside))
        .filter(|(other, _)| !other[beside.len()..].contains('/'))
        .filter(small)
        .take(TOGETHER)
        .collect()
}

/// Whether the name of a file is that of a date.
fn is_dated(name: &str) -> bool {
    name.starts_with("dt=")
}

/// The prefix that all paths in a folder share.
fn inside_of(folder: &str) -> String {
    if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lake(paths: &[(&str, u64)]) -> BTreeMap<String, StateEntry> {
        let entry = |bytes| StateEntry {
            run: "r".to_owned(),
            bytes,
            sha256: String::new(),
            written_as: None,
        };
        paths
            .iter()
            .map(|(path, bytes)| ((*path).to_owned(), entry(*bytes)))
            .collect()
    }

    fn names(files: &BTreeMap<String, StateEntry>, path: &str, backwards: bool) -> Vec<String> {
        let found = with_neighbours(files, path, SMALL, backwards);
        found.into_iter().map(|(path, _)| path.clone()).collect()
    }

    #[test]
    fn the_same_name_in_the_folders_beside_comes_along_and_nothing_large() {
        let files = lake(&[
            ("a/d=1/m", 1),
            ("a/d=1/t", 1),
            ("a/d=2/m", 1),
            ("a/d=3/m", SMALL + 1),
            ("a/d=4/m", 1),
            ("b/d=1/m", 1),
        ]);
        assert_eq!(names(&files, "a/d=1/m", false), ["a/d=1/m", "a/d=2/m", "a/d=4/m"]);
        assert_eq!(names(&files, "a/d=4/m", true), ["a/d=4/m", "a/d=2/m", "a/d=1/m"]);
        assert_eq!(
            names(&files, "a/d=3/m", true),
            ["a/d=3/m", "a/d=2/m", "a/d=1/m"],
            "but the one that is asked for"
        );
        assert_eq!(names(&files, "b/d=1/m", false), ["b/d=1/m"]);
    }

    #[test]
    fn a_file_at_the_root_is_among_what_is_asked_for() {
        let files = lake(&[("a", SMALL + 1), ("b", 1)]);
        assert_eq!(names(&files, "a", false), ["a", "b"]);
        assert_eq!(names(&files, "b", true), ["b"]);
    }

    #[test]
    fn a_file_alone_of_its_name_brings_its_neighbours() {
        let files = lake(&[
            ("a/d=1/1.csv", 1),
            ("a/d=1/2.csv", 1),
            ("a/d=1/_m", 1),
            ("a/d=2/_m", 1),
        ]);
        assert_eq!(
            names(&files, "a/d=1/1.csv", false),
            ["a/d=1/1.csv", "a/d=1/2.csv", "a/d=1/_m"]
        );
    }
}
