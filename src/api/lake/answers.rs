//! The published answers of a lake, handed out after a check that its gold layer is what the gold step wrote.

use serde::Deserialize;

use super::graph_tables::graph_of_tables;
use crate::error::{Error, Result};
use crate::graph::{DrugGraph, read_json};
use crate::lake::documents::{self, ReachedDate};
use crate::lake::manifest::{Version, first_changed};
use crate::lake::{layout, manifest};
use crate::storage::{Storage, damage, digest_of_stream, sha256_hex};
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// The most attempts at a consistent read: a gold run may replace the layer between the reads of two of its files.
const TRIES: usize = 5;

/// The answers as they are published.
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
struct PublishedAnswers {
    outputs: Vec<OutputFile>,
    numbers: ReachedDate,
}

/// Reads both answers. Fails where they, or the graph beside them, are not the files that the gold step wrote, by the digests in its
/// manifest. The graph is read piece by piece and never held.
pub fn read_answers(storage: &dyn Storage) -> Result<Answers> {
    let mut tries = 0;
    loop {
        let before = manifest::read::<PublishedAnswers>(storage, layout::GOLD_MANIFEST.to_owned())?;
        let found = check(storage, before.0);
        let after: (Option<PublishedAnswers>, Version) =
            manifest::read(storage, layout::GOLD_MANIFEST.to_owned())?;
        tries += 1;
        if before.1 == after.1 || tries == TRIES {
            return found;
        }
    }
}

fn check(storage: &dyn Storage, published: Option<PublishedAnswers>) -> Result<Answers> {
    let uri = |path: &str| format!("{}/{path}", storage.root());
    let missing = |path: &str| Error::SourceNotFound {
        uri: uri(path),
        expected: "a file of the gold layer; run the gold step first".to_owned(),
    };
    let published = published.ok_or_else(|| missing(layout::GOLD_MANIFEST))?;
    let same = |path: &str, sha256: &str| {
        let written = published.outputs.iter().find(|output| output.path == path);
        if written.is_some_and(|written| written.sha256 == sha256) {
            return Ok(());
        }
        let found = "another file than the one that the gold step wrote (by its SHA-256)";
        Err(Error::format(
            uri(path),
            "byte 0",
            found,
            "delete it and run the gold step again",
        ))
    };
    let read = |path: &str| -> Result<String> {
        let bytes = storage.read(path)?.ok_or_else(|| missing(path))?;
        same(path, &sha256_hex(&bytes))?;
        String::from_utf8(bytes)
            .map_err(|error| Error::internal(format!("an answer that is not UTF-8: {error}")))
    };
    if has_graph_file(&published.outputs) {
        if storage.size(layout::DRUG_GRAPH)?.is_none() {
            return Err(missing(layout::DRUG_GRAPH));
        }
        same(
            layout::DRUG_GRAPH,
            &digest_of_stream(storage, layout::DRUG_GRAPH, &Task::new())?,
        )?;
    }
    Ok(Answers {
        as_of: published.numbers.as_of.clone(),
        top_journals: read(layout::TOP_JOURNALS)?,
        exclusive_drugs: read(layout::EXCLUSIVE_DRUGS)?,
    })
}

fn has_graph_file(outputs: &[OutputFile]) -> bool {
    outputs.iter().any(|output| output.path == layout::DRUG_GRAPH)
}

/// Reads the graph of a lake, and checks it against the digest in the manifest of the gold layer. Without a graph file it
/// is built from the tables.
pub fn read_graph(storage: &dyn Storage) -> Result<DrugGraph> {
    let uri = format!("{}/{}", storage.root(), layout::DRUG_GRAPH);
    let mut tries = 0;
    loop {
        let (published, version) =
            manifest::read::<documents::PublishedGold>(storage, layout::GOLD_MANIFEST.to_owned())?;
        if let Some(gold) = &published
            && !has_graph_file(&gold.outputs)
        {
            let graph = graph_of_tables(storage);
            tries += 1;
            if tries == TRIES || first_changed(storage, std::slice::from_ref(&version))?.is_none() {
                return graph;
            }
            continue;
        }
        let bytes = storage
            .read(layout::DRUG_GRAPH)?
            .ok_or_else(|| Error::SourceNotFound {
                uri: uri.clone(),
                expected: "the graph of a lake; run the gold step first".to_owned(),
            })?;
        let graph = read_json(&bytes, &uri)?;
        let outputs = published.map(|published| published.outputs).unwrap_or_default();
        let written = outputs.iter().find(|output| output.path == layout::DRUG_GRAPH);
        let found = sha256_hex(&bytes);
        let Some(written) = written.filter(|written| written.sha256 != found) else {
            return Ok(graph);
        };
        tries += 1;
        if tries == TRIES || first_changed(storage, &[version])?.is_none() {
            return Err(Error::storage(uri, "read", damage(&found, &written.sha256)));
        }
    }
}
