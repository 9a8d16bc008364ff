//! Turns mentions into links of the graph.

use chrono::NaiveDate;
use polars::prelude::{DataFrame, DataType};

use crate::error::Result;
use crate::graph::LargeGraph;
use crate::schema::PublicationKind;

/// Adds the mentions of a frame to the graph.
pub(crate) fn add_links(mentions: &DataFrame, kind: PublicationKind, graph: &mut LargeGraph) -> Result<()> {
    let codes = mentions.column("atccode")?.str()?;
    let ids = mentions.column("publication_id")?.str()?;
    let journals = mentions.column("journal")?.str()?;
    let dates = mentions.column("date")?.cast(&DataType::Int32)?;
    let places = journals.iter().zip(dates.i32()?.iter());
    for ((code, id), (journal, date)) in codes.iter().zip(ids.iter()).zip(places) {
        let (code, id) = (code.unwrap_or_default(), id.unwrap_or_default());
        graph.add_mention(code, kind, id, date.and_then(NaiveDate::from_epoch_days), journal)?;
    }
    Ok(())
}
