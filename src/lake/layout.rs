//! The paths of a lake. No other module spells one.

use super::dt::Dt;
use crate::schema::{PublicationKind, SourceTable};

/// The file that describes a partition; its bytes are the partition's state.
pub const MANIFEST: &str = "_manifest.json";

/// `bronze/<source>/dt=<dt>`
pub fn bronze(source: &str, dt: Dt) -> String {
    format!("{}/dt={dt}", bronze_source(source))
}

/// `bronze/<source>`
pub fn bronze_source(source: &str) -> String {
    format!("bronze/{source}")
}

/// The folder of all bronze sources.
pub const BRONZE: &str = "bronze";

/// The folder of all of silver.
pub const SILVER: &str = "silver";

/// The folder of one silver partition.
pub fn silver(table: SourceTable, dt: Dt) -> String {
    format!("{}/dt={dt}", silver_table(table))
}

/// The folder of all partitions of a silver table.
pub fn silver_table(table: SourceTable) -> String {
    match table.publication_kind() {
        None => "silver/drugs".to_owned(),
        Some(kind) => silver_publications(kind),
    }
}

/// The folder of all partitions of publications of a kind.
pub fn silver_publications(kind: PublicationKind) -> String {
    format!("silver/publications/kind={}", kind.name())
}

/// The file of rows that a silver partition rejected.
pub fn rejected(table: SourceTable, dt: Dt) -> String {
    match table.publication_kind() {
        None => format!("silver/rejected/drugs/dt={dt}/drugs.parquet"),
        Some(kind) => format!("silver/rejected/publications/dt={dt}/{}.parquet", kind.name()),
    }
}

/// The file of deletion notices in a partition of publications; it exists only if there are any.
pub fn deleted(kind: PublicationKind, dt: Dt) -> String {
    format!("silver/deleted/publications/dt={dt}/{}.parquet", kind.name())
}

/// The file of journal ids in a partition of publications; it exists only if a source names any.
pub fn journals(kind: PublicationKind, dt: Dt) -> String {
    format!("silver/journals/dt={dt}/{}.parquet", kind.name())
}

/// The folder of held dates. It is in silver, so that one commit can replace a table together with the hold of its
/// date.
pub const HELD: &str = "silver/held";

/// The file that holds a date.
pub fn held(dt: Dt) -> String {
    format!("{HELD}/dt={dt}.json")
}

/// The date that a file of that folder holds, if its name is one of a hold.
pub fn held_date(name: &str) -> Option<Dt> {
    Dt::of_folder(name.strip_suffix(".json")?)
}

/// The data file of a silver partition.
pub const PART: &str = "part-00000.parquet";

/// The mentions of the publications that a partition delivered.
pub fn mentions(kind: PublicationKind, dt: Dt) -> String {
    format!("{MENTIONS}/dt={dt}/{}.parquet", kind.name())
}

pub const GOLD: &str = "gold";
/// The folder of all mentions.
pub const MENTIONS: &str = "gold/mentions";
pub const DRUG_GRAPH: &str = "gold/drug_graph.json";
pub const TOP_JOURNALS: &str = "gold/top_journals.json";
pub const EXCLUSIVE_DRUGS: &str = "gold/exclusive_drugs.json";
pub const GOLD_MANIFEST: &str = "gold/_manifest.json";

/// The files that people and other programs read by a plain name; in a bucket, other files have none.
pub const PUBLISHED: &[&str] = &[DRUG_GRAPH, TOP_JOURNALS, EXCLUSIVE_DRUGS];

/// The folder of all reports.
pub const REPORTS: &str = "reports";

/// `reports/<step>/dt=<dt>/<name>.json`
pub fn report(step: &str, dt: Dt, name: &str) -> String {
    format!("{REPORTS}/{step}/dt={dt}/{name}.json")
}
