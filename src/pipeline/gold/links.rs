//! From mentions to the links of the graph.

use polars::prelude::DataFrame;

use crate::error::{Error, Result};
use crate::graph::{DrugGraph, Link};
use crate::schema::PublicationKind;

/// Adds the links that a frame of mentions makes.
pub(super) fn add_links(
    mentions: &DataFrame,
    kind: PublicationKind,
    graph: &DrugGraph,
    links: &mut Vec<Link>,
) -> Result<()> {
    let codes = mentions.column("atccode")?.str()?;
    let ids = mentions.column("publication_id")?.str()?;
    for (code, id) in codes.iter().zip(ids.iter()) {
        let (code, id) = (code.unwrap_or_default(), id.unwrap_or_default());
        let link = graph.link(code, kind, id).ok_or_else(|| Error::Internal {
            message: format!(
                "a mention of {code} in {} {id}, which are not both in the graph",
                kind.name()
            ),
        })?;
        links.push(link);
    }
    Ok(())
}
