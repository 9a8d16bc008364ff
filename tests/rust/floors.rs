//! The layering of the crate: a module uses only modules of lower floors, neighbours do not use each other, and no two
//! files need each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the crate, the lowest floor first. Modules on one floor do not use each other.
const FLOORS: &[&[&str]] = &[
    &["choice", "error", "share", "task"],
    &["row_frame", "schema", "scratch", "waiting"],
    &["text", "sorting"],
    &["storage"],
    &["fetch", "formats", "gaps", "generate", "matcher", "quality"],
    &["silver", "gold", "graph", "tables"],
    &["lake", "ingest"],
    &["steps"],
    &["api"],
    &["cli", "bindings"],
];

/// The modules inside of `formats`.
const FORMATS: &[&[&str]] = &[
    &["bytes", "columns", "lists"],
    &["buffer", "fields"],
    &["batch", "trials"],
    &["csv", "json", "lines", "parquet", "pubmed", "shaped"],
    &["sniff"],
    &["open"],
    &["archive_reader"],
];

/// The exceptions: `task`, `choice` and `share` return errors, and the bindings show the command's progress bar.
const DOORS: [(&str, &str); 4] = [
    ("task", "error"),
    ("choice", "error"),
    ("share", "error"),
    ("bindings", "cli"),
];

/// The modules that read and write through `storage`.
const NAME_STORAGE: [&str; 7] = ["storage", "fetch", "tables", "lake", "ingest", "steps", "api"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every module of the crate with the text of its file, by its path below `crate`.
fn modules() -> BTreeMap<Vec<String>, String> {
    let root = root();
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 150, "the scan must see the house");
    files
        .into_iter()
        .map(|file| {
            let inner = file.strip_prefix(&root).unwrap().with_extension("");
            let mut path: Vec<String> = inner
                .iter()
                .map(|part| part.to_str().unwrap().to_owned())
                .collect();
            if path.last().is_some_and(|name| name == "mod" || name == "lib") {
                path.pop();
            }
            (path, fs::read_to_string(file).unwrap())
        })
        .filter(|(path, _)| path.last().is_none_or(|name| name != "tests"))
        .collect()
}

/// A text without comments.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths in one tree of a `use`: `a::{b, c::{d}}` is `a::b` and `a::c::d`.
fn branches(tree: &str, before: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        found.push(format!("{before}{tree}"));
        return;
    };
    let before = format!("{before}{}", &tree[..open]);
    let inner = &tree[open + 1..tree.rfind('}').unwrap()];
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in inner.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches(&inner[start..at], &before, found);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !inner[start..].trim().is_empty() {
        branches(&inner[start..], &before, found);
    }
}

/// Every path in a file, in its imports and in its code.
fn paths(text: &str) -> Vec<String> {
    let code = code(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        // Alone on its line, or after `pub`: a sentence may contain the word too.
        let before = code[..at].rsplit('\n').next().unwrap_or_default().trim();
        let alone = before.is_empty() || (before.starts_with("pub") && !before.contains(' '));
        if !alone {
            continue;
        }
        let tree = &code[at + 4..];
        branches(tree.split(';').next().unwrap_or_default(), "", &mut found);
    }
    let in_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    found.extend(
        code.split(|letter| !in_path(letter))
            .filter(|word| word.contains("::"))
            .map(str::to_owned),
    );
    found
}

/// The modules that a module uses.
fn named(own: &[String], text: &str, modules: &BTreeMap<Vec<String>, String>) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for path in paths(text) {
        let mut parts = path.split("::").map(str::trim).peekable();
        let mut at: Vec<String> = match parts.peek() {
            Some(&"crate") => Vec::new(),
            // In a file's own test module, the first `super` is the file.
            Some(&"super") if path == "super::" || path == "super::*" => continue,
            Some(&("super" | "self")) => own.to_vec(),
            Some(first) => {
                let mut child = own.to_vec();
                child.push((*first).to_owned());
                if !modules.contains_key(&child) {
                    continue;
                }
                own.to_vec()
            }
            None => continue,
        };
        for part in parts {
            match part {
                "crate" | "self" => {}
                "super" => {
                    at.pop();
                }
                name => {
                    let mut deeper = at.clone();
                    deeper.push(name.to_owned());
                    if !modules.contains_key(&deeper) {
                        break;
                    }
                    at = deeper;
                }
            }
        }
        if at != own && !at.is_empty() {
            found.insert(at);
        }
    }
    found
}

fn floor(floors: &[&[&str]], room: &str) -> Option<usize> {
    floors.iter().position(|rooms| rooms.contains(&room))
}

/// A sentence for each use of a module that is not on a lower floor. The modules are `depth` folders below the crate.
fn faults(floors: &[&[&str]], inside: &[&str]) -> Vec<String> {
    let modules = modules();
    let depth = inside.len();
    let mut faults = Vec::new();
    for (own, text) in modules
        .iter()
        .filter(|(own, _)| own.len() > depth && own.iter().zip(inside).all(|(a, b)| a == b))
    {
        let place = own.join("::");
        let room = own[depth].as_str();
        let Some(own_floor) = floor(floors, room) else {
            panic!("{place} is on no floor: give it one");
        };
        for other in named(own, text, &modules) {
            let below = other.iter().zip(inside).all(|(a, b)| a == b);
            let Some(other_room) = other.get(depth).filter(|_| below) else {
                if other.len() == depth && below && depth > 0 {
                    faults.push(format!("{place} names the room that it is in"));
                }
                continue;
            };
            let allowed = room == other_room
                || floor(floors, other_room).is_some_and(|other| other < own_floor)
                || DOORS.contains(&(room, other_room.as_str()));
            if !allowed {
                faults.push(format!("{place} names {}", other.join("::")));
            }
        }
    }
    faults
}

#[test]
fn no_module_names_a_higher_floor_or_a_neighbour() {
    assert_eq!(faults(FLOORS, &[]), Vec::<String>::new());
}

#[test]
fn the_rooms_inside_of_formats_have_floors_too() {
    assert_eq!(faults(FORMATS, &["formats"]), Vec::<String>::new());
}

/// Two files that need each other can only be understood together.
#[test]
fn no_two_files_need_each_other() {
    let modules = modules();
    let needs: BTreeMap<_, _> = modules
        .iter()
        .map(|(own, text)| {
            let mut others = named(own, text, &modules);
            // What a module's files share is defined in its `mod.rs`.
            others.retain(|other| !own.starts_with(other));
            (own.clone(), others)
        })
        .collect();
    let mut circles = Vec::new();
    for start in needs.keys() {
        let mut seen = BTreeSet::new();
        let mut open: Vec<_> = needs[start].iter().collect();
        while let Some(module) = open.pop() {
            if module == start {
                circles.push(start.join("::"));
                break;
            }
            if seen.insert(module) {
                open.extend(&needs[module]);
            }
        }
    }
    assert_eq!(circles, Vec::<String>::new());
}

#[test]
fn the_scan_sees_grouped_and_relative_names() {
    let modules: BTreeMap<Vec<String>, String> = ["a", "a::b", "a::c", "d", "d::e"]
        .iter()
        .map(|path| (path.split("::").map(str::to_owned).collect(), String::new()))
        .collect();
    let own = vec!["a".to_owned(), "b".to_owned()];
    let text = "use crate::{\n    a::{self, c::Item},\n    d::e,\n};\n// crate::d::Comment\nfn x() -> super::Thing {}\n";
    let found: Vec<String> = named(&own, text, &modules)
        .iter()
        .map(|path| path.join("::"))
        .collect();
    assert_eq!(found, ["a", "a::c", "d::e"]);
    let parent = named(&own[..1], "use b::Thing; fn x() { c::y() }", &modules);
    assert_eq!(parent.len(), 2, "{parent:?}");
}

#[test]
fn only_the_rooms_of_lakes_name_storage() {
    let modules = modules();
    let elsewhere: Vec<_> = modules
        .iter()
        .filter(|(own, _)| {
            own.first()
                .is_some_and(|room| !NAME_STORAGE.contains(&room.as_str()))
        })
        .filter(|(own, text)| {
            named(own, text, &modules)
                .iter()
                .any(|other| other[0] == "storage")
        })
        .map(|(own, _)| own.join("::"))
        .collect();
    assert_eq!(elsewhere, Vec::<String>::new());
}

#[test]
fn only_the_bindings_say_pyo3() {
    let modules = modules();
    let elsewhere: Vec<_> = modules
        .iter()
        .filter(|(own, text)| {
            own.first().is_some_and(|room| room != "bindings") && code(text).contains("pyo3")
        })
        .map(|(own, _)| own.join("::"))
        .collect();
    assert_eq!(elsewhere, Vec::<String>::new());
}

/// The types that Python sees under the names of those that they hold.
const IN_PYTHON: [&str; 9] = [
    "CleanTable",
    "DrugGraph",
    "Lake",
    "LakeDiff",
    "Matcher",
    "Mention",
    "PairEvidence",
    "Table",
    "TableScan",
];

/// The types that a line declares; associated types, which are indented, belong to their trait.
fn declared_type(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let mut word = words.next()?;
    if word.starts_with("pub") {
        word = words.by_ref().find(|word| !word.ends_with(')'))?;
    }
    let declares = matches!(word, "struct" | "enum" | "trait") || (word == "type" && !line.starts_with(' '));
    let name = words.next().filter(|_| declares)?;
    name.split(|letter: char| !letter.is_alphanumeric()).next()
}

/// Only their paths distinguish two types of one name, and a search for one finds both.
#[test]
fn no_type_name_means_two_things() {
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (own, text) in modules() {
        let shipped = text.split("\n#[cfg(test)]").next().unwrap_or_default();
        for name in code(shipped).lines().filter_map(declared_type) {
            files.entry(name.to_owned()).or_default().insert(own.join("::"));
        }
    }
    assert!(files.len() > 500, "the scan must see the types");
    let in_python = |(name, places): &(&String, &BTreeSet<String>)| {
        let bound = places.iter().any(|place| place.starts_with("bindings"));
        IN_PYTHON.contains(&name.as_str()) && places.len() == 2 && bound
    };
    let twice: Vec<_> = files
        .iter()
        .filter(|(_, places)| places.len() > 1)
        .filter(|declared| !in_python(declared))
        .collect();
    assert_eq!(twice, Vec::<(&String, &BTreeSet<String>)>::new());
}

#[test]
fn the_scan_sees_declared_types() {
    for (line, name) in [
        ("struct Plain;", Some("Plain")),
        ("pub struct Wide<T>(T);", Some("Wide")),
        ("pub(super) enum Inner {", Some("Inner")),
        ("pub(in crate::cli) struct Far {", Some("Far")),
        ("    struct Local {", Some("Local")),
        ("pub type Alias<T> = Vec<T>;", Some("Alias")),
        ("    type Item = u8;", None),
        ("pub fn structure() {", None),
        ("", None),
    ] {
        assert_eq!(declared_type(line), name, "{line}");
    }
}
