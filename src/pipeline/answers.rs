//! The published answers of a lake, held against its graph before anybody gets them.

use serde::Deserialize;

use super::layout;
use super::manifest::{self, Version};
use super::report::{GoldNumbers, Output};
use crate::error::{Error, Result};
use crate::graph::{read_json, write_answers};
use crate::storage::{Storage, sha256_hex};

/// A gold layer may be exchanged between the reading of two of its files; so often they are read anew.
const TRIES: usize = 5;

/// The answers as they are published, which is to say, as the graph gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// The graph holds the partitions up to this date.
    pub as_of: String,
    /// The text of `top_journals.json`.
    pub top_journals: String,
    /// The text of `exclusive_drugs.json`.
    pub exclusive_drugs: String,
}

/// What is needed of `gold/_manifest.json`.
#[derive(Deserialize)]
struct Published {
    outputs: Vec<Output>,
    numbers: GoldNumbers,
}

/// Reads the graph and both answers; fails where they are not the files that the gold step wrote, or where the answers
/// are not those that the graph gives.
pub fn read_answers(storage: &dyn Storage) -> Result<Answers> {
    let mut tries = 0;
    loop {
        let before = manifest::read::<Published>(storage, layout::GOLD_MANIFEST.to_owned())?;
        let found = check(storage, before.0);
        let after: (Option<Published>, Version) = manifest::read(storage, layout::GOLD_MANIFEST.to_owned())?;
        tries += 1;
        if before.1 == after.1 || tries == TRIES {
            return found;
        }
    }
}

fn check(storage: &dyn Storage, published: Option<Published>) -> Result<Answers> {
    let uri = |path: &str| format!("{}/{path}", storage.root());
    let missing = |path: &str| Error::SourceNotFound {
        uri: uri(path),
        expected: "a file of the gold layer; run the gold step first".to_owned(),
    };
    let published = published.ok_or_else(|| missing(layout::GOLD_MANIFEST))?;
    let read = |path: &str| -> Result<Vec<u8>> {
        let bytes = storage.read(path)?.ok_or_else(|| missing(path))?;
        let wanted = published.outputs.iter().find(|output| output.path == path);
        if wanted.is_none_or(|wanted| wanted.sha256 != sha256_hex(&bytes)) {
            let found = "another file than the one that the gold step wrote (by its SHA-256)";
            return Err(broken(uri(path), found));
        }
        Ok(bytes)
    };
    let graph = read_json(&read(layout::DRUG_GRAPH)?, &uri(layout::DRUG_GRAPH))?;
    let (mut top_journals, mut exclusive_drugs) = (Vec::new(), Vec::new());
    write_answers(&graph, &mut top_journals, &mut exclusive_drugs)
        .map_err(|error| Error::storage("the answers", "write", error))?;
    let text = |path: &str, computed: Vec<u8>| {
        if read(path)? != computed {
            return Err(broken(
                uri(path),
                "an answer that the graph beside it does not give",
            ));
        }
        String::from_utf8(computed).map_err(|error| Error::Internal {
            message: format!("an answer that is not UTF-8: {error}"),
        })
    };
    Ok(Answers {
        as_of: published.numbers.as_of.clone(),
        top_journals: text(layout::TOP_JOURNALS, top_journals)?,
        exclusive_drugs: text(layout::EXCLUSIVE_DRUGS, exclusive_drugs)?,
    })
}

fn broken(uri: String, found: &str) -> Error {
    Error::format(uri, "byte 0", found, "delete it and run the gold step again")
}
