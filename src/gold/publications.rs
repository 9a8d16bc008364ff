//! The current publications: silver rows under the display names of their journals.

use std::collections::HashMap;

use polars::prelude::{DataFrame, IntoColumn, StringChunked};

use super::journals::DisplayNames;
use crate::error::Result;
use crate::schema::CURRENT_PUBLICATIONS;

/// The rows of a silver frame as the table [`CURRENT_PUBLICATIONS`].
pub fn current_publications(frame: &DataFrame, journals: &DisplayNames) -> Result<DataFrame> {
    let keys = frame.column("journal_key")?.str()?;
    // Most rows of a frame share few journals.
    let mut known: HashMap<&str, Option<&str>> = HashMap::new();
    let names = keys.iter().map(|key| {
        let key = key?;
        *known.entry(key).or_insert_with(|| journals.get(key))
    });
    let names: StringChunked = names.collect();
    let columns = CURRENT_PUBLICATIONS.columns.iter().map(|column| {
        Ok(match column.name {
            "journal" => names.clone().with_name("journal".into()).into_column(),
            name => frame.column(name)?.clone(),
        })
    });
    let frame = DataFrame::new(frame.height(), columns.collect::<Result<_>>()?)?;
    CURRENT_PUBLICATIONS.check(&frame)?;
    Ok(frame)
}
