//! The graph of a lake from its tables: what `drug_graph.json` says, also where there is no such file.

use chrono::NaiveDate;
use polars::prelude::{DataFrame, DataType};

use crate::error::{Error, Result};
use crate::graph::{DrugGraph, GraphBuilder};
use crate::lake::table_files::{LakeFile, PartitionFilter, table_files};
use crate::schema::{CURRENT_DRUGS, CURRENT_PUBLICATIONS, MENTIONS, PublicationKind, Table};
use crate::storage::Storage;
use crate::tables::table_writer::read_frames;

/// Builds the graph.
pub(in crate::api) fn graph_of_tables(storage: &dyn Storage) -> Result<DrugGraph> {
    let mut builder = GraphBuilder::default();
    each_frame(storage, &CURRENT_DRUGS, &["atccode", "drug"], |_, frame| {
        let codes = frame.column("atccode")?.str()?;
        for (code, drug) in codes.iter().zip(frame.column("drug")?.str()?.iter()) {
            builder.add_drug(code.unwrap_or_default(), drug.unwrap_or_default());
        }
        Ok(())
    })?;
    let columns = ["publication_id", "date", "journal", "status"];
    each_frame(storage, &CURRENT_PUBLICATIONS, &columns, |kind, frame| {
        let dates = frame.column("date")?.cast(&DataType::Int32)?;
        let ids = frame.column("publication_id")?.str()?;
        let journals = frame.column("journal")?.str()?;
        let statuses = frame.column("status")?.str()?.iter();
        let places = journals.iter().zip(dates.i32()?.iter());
        for ((id, status), (journal, date)) in ids.iter().zip(statuses).zip(places) {
            let date = date.and_then(NaiveDate::from_epoch_days);
            let status = status.and_then(|status| status.parse().ok());
            builder.add_publication(kind, id.unwrap_or_default(), (date, journal), status);
        }
        Ok(())
    })?;
    let mut graph = builder.finish();
    let mut links = Vec::new();
    each_frame(
        storage,
        &MENTIONS,
        &["atccode", "publication_id"],
        |kind, frame| {
            let codes = frame.column("atccode")?.str()?;
            let mut last = None;
            for mention in codes.iter().zip(frame.column("publication_id")?.str()?.iter()) {
                // Several places of a title name one drug.
                if last.replace(mention) == Some(mention) {
                    continue;
                }
                let (code, id) = (mention.0.unwrap_or_default(), mention.1.unwrap_or_default());
                let link = graph.link(code, kind, id).ok_or_else(|| {
                    let found = format!(
                        "{code} is mentioned by {} {id}, and one of them is not there",
                        kind.name()
                    );
                    let uri = format!("{}/{}", storage.root(), MENTIONS.folder);
                    Error::format(uri, "a row", found, "run the gold step again")
                })?;
                links.push(link);
            }
            Ok(())
        },
    )?;
    graph.set_links(links);
    Ok(graph)
}

/// Calls `each` with the frames of a table and the kind that their path has.
fn each_frame(
    storage: &dyn Storage,
    table: &'static Table,
    columns: &[&str],
    mut each: impl FnMut(PublicationKind, &DataFrame) -> Result<()>,
) -> Result<()> {
    let files = table_files(storage, table, &PartitionFilter::default())?;
    for LakeFile { file, kind, .. } in files {
        let path = file.path;
        read_frames(storage, &path, Some(columns), |frame| {
            each(kind.unwrap_or(PublicationKind::Pubmed), &frame)
        })?;
    }
    Ok(())
}
