//! Writes the graph and the answers, and counts their contents.

use std::io::{BufWriter, Write as _};

use crate::error::{Error, Result};
use crate::gold::newest::Outdated;
use crate::graph::{AnswerSettings, LargeGraph};
use crate::lake::dt::Dt;
use crate::lake::layout;
use crate::lake::report::GoldNumbers;
use crate::storage::{HashingWriter, Transaction};
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// Writes `drug_graph.json` and the two answers; returns the files and their counts. `mentions` is the number of places
/// that name a drug.
pub(crate) fn write_graph(
    graph: LargeGraph,
    answers: AnswerSettings,
    (as_of, mentions, outdated): (Dt, u64, Outdated),
    transaction: &mut dyn Transaction,
    task: &Task,
) -> Result<(Vec<OutputFile>, GoldNumbers)> {
    let shown = transaction.shown(layout::DRUG_GRAPH);
    // Buffered, because most pieces of JSON are a few bytes, and a digest of each would be slow.
    let mut create = |path: &str| {
        transaction.create(path).map(|file| {
            let (writer, digest) = HashingWriter::new(file);
            (BufWriter::with_capacity(1 << 16, writer), digest)
        })
    };
    let (mut graph_file, graph_digest) = create(layout::DRUG_GRAPH)?;
    let (mut top_file, top_digest) = create(layout::TOP_JOURNALS)?;
    let (mut exclusive_file, exclusive_digest) = create(layout::EXCLUSIVE_DRUGS)?;
    let written = graph.write(
        &shown,
        &mut graph_file,
        (&mut top_file, &mut exclusive_file),
        task,
    )?;
    for file in [&mut graph_file, &mut top_file, &mut exclusive_file] {
        file.flush()
            .map_err(|error| Error::storage(&shown, "write the graph and the answers beside it", error))?;
    }
    let files = [
        (layout::DRUG_GRAPH, graph_digest),
        (layout::TOP_JOURNALS, top_digest),
        (layout::EXCLUSIVE_DRUGS, exclusive_digest),
    ];
    let outputs = files.into_iter().map(|(path, digest)| {
        let (bytes, sha256) = digest.finish();
        OutputFile {
            path: path.to_owned(),
            rows: 0,
            bytes,
            sha256,
        }
    });
    let numbers = GoldNumbers {
        as_of: as_of.to_string(),
        drugs: written.drugs,
        publications: written.publications,
        superseded: outdated.superseded,
        deleted: outdated.deleted,
        unit: answers.unit,
        substances: written.substances,
        mentions,
        pairs: written.pairs,
        journals: written.answers.journals,
        top_journals: written.answers.top_journals.into_iter().collect(),
        max_exclusive: answers.max_exclusive,
        exclusive_cut: written.answers.exclusive_cut,
    };
    Ok((outputs.collect(), numbers))
}
