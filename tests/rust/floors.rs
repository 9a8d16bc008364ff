//! The floors of the house: a module names only modules of lower floors, and neighbours don't know each other.

use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: [(&str, u8); 18] = [
    ("choice", 0),
    ("error", 0),
    ("task", 0),
    ("schema", 1),
    ("scratch", 1),
    ("sorting", 1),
    ("text", 2),
    ("storage", 3),
    ("formats", 4),
    ("generate", 4),
    ("matcher", 4),
    ("quality", 4),
    ("silver", 5),
    ("gold", 5),
    ("graph", 5),
    ("pipeline", 6),
    ("cli", 7),
    ("bindings", 7),
];

/// Who may look across: `task` and `choice` fail with an error, and the bindings show the command's progress bar.
const DOORS: [(&str, &str); 3] = [("task", "error"), ("choice", "error"), ("bindings", "cli")];

fn floor(module: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, floor)| *floor)
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

/// Every `crate::module` that a file names.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).map(|rest| {
        let end = rest
            .find(|letter: char| !letter.is_ascii_lowercase() && letter != '_')
            .unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn no_module_names_a_higher_floor_or_a_neighbour() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 40, "the scan must see the house");
    let mut faults = Vec::new();
    for file in files {
        let place = file.strip_prefix(&root).unwrap();
        let own = place
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        let Some(own_floor) = floor(own) else {
            assert_eq!(own, "lib", "{} stands on no floor: give it one", place.display());
            continue;
        };
        for other in named(&fs::read_to_string(&file).unwrap()) {
            let Some(other_floor) = floor(other) else { continue };
            let allowed = other == own || other_floor < own_floor || DOORS.contains(&(own, other));
            if !allowed {
                faults.push(format!(
                    "{} (floor {own_floor}) names {other} (floor {other_floor})",
                    place.display()
                ));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn only_the_pipeline_names_storage() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let elsewhere: Vec<_> = files
        .iter()
        .filter(|file| !file.starts_with(root.join("pipeline")) && !file.starts_with(root.join("storage")))
        .filter(|file| named(&fs::read_to_string(file).unwrap()).any(|module| module == "storage"))
        .collect();
    assert_eq!(elsewhere, Vec::<&PathBuf>::new());
}

#[test]
fn only_the_bindings_say_pyo3() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in files
        .iter()
        .filter(|file| !file.starts_with(root.join("bindings")))
    {
        let text = fs::read_to_string(file).unwrap();
        let says = text
            .lines()
            .any(|line| !line.trim_start().starts_with("//") && line.contains("pyo3"));
        assert!(!says, "{} says pyo3", file.display());
    }
}
