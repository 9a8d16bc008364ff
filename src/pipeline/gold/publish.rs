//! Writing the graph and the answers, and counting what they hold.

use std::io::Write as _;

use crate::error::{Error, Result};
use crate::graph::{DrugGraph, top_journals, write_answers, write_json};
use crate::pipeline::dt::Dt;
use crate::pipeline::layout;
use crate::pipeline::report::{GoldNumbers, Output};
use crate::schema::PublicationKind;
use crate::storage::{HashingWriter, Transaction};

/// What the gold step counted.
pub(super) fn numbers(graph: &DrugGraph, as_of: Dt) -> GoldNumbers {
    let publications: usize = PublicationKind::ALL
        .iter()
        .map(|kind| graph.publications(*kind).len())
        .sum();
    GoldNumbers {
        as_of: as_of.to_string(),
        drugs: graph.drugs().len() as u64,
        publications: publications as u64,
        mentions: graph.links().len() as u64,
        journals: graph.links_by_journal().len() as u64,
        top_journals: top_journals(graph)
            .into_iter()
            .map(|(name, drugs)| (name.to_owned(), drugs as u64))
            .collect(),
    }
}

/// Writes `drug_graph.json` and the two answers.
pub(super) fn write_graph(graph: &DrugGraph, transaction: &mut dyn Transaction) -> Result<Vec<Output>> {
    let failed = |path: &str, error| Error::storage(path, "write", error);
    let shown = [layout::DRUG_GRAPH, layout::EXCLUSIVE_DRUGS].map(|path| transaction.shown(path));
    let mut create = |path: &str| transaction.create(path).map(HashingWriter::new);
    let (mut graph_file, graph_digest) = create(layout::DRUG_GRAPH)?;
    let (mut top_file, top_digest) = create(layout::TOP_JOURNALS)?;
    let (mut exclusive_file, exclusive_digest) = create(layout::EXCLUSIVE_DRUGS)?;
    write_json(graph, &mut graph_file)
        .and_then(|()| graph_file.flush())
        .map_err(|error| failed(&shown[0], error))?;
    write_answers(graph, &mut top_file, &mut exclusive_file)
        .and_then(|()| top_file.flush())
        .and_then(|()| exclusive_file.flush())
        .map_err(|error| failed(&shown[1], error))?;
    let files = [
        (layout::DRUG_GRAPH, graph_digest),
        (layout::TOP_JOURNALS, top_digest),
        (layout::EXCLUSIVE_DRUGS, exclusive_digest),
    ];
    Ok(files
        .into_iter()
        .map(|(path, digest)| {
            let (bytes, sha256) = digest.finish();
            Output {
                path: path.to_owned(),
                rows: 0,
                bytes,
                sha256,
            }
        })
        .collect())
}
