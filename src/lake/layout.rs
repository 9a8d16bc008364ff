//! The paths of a lake. No other module spells one.

use super::dt::Dt;
use crate::schema::{
    DELETED, DRUGS, JOURNAL_IDS, PUBLICATIONS, PublicationKind, REJECTED, SourceTable, Table,
};

/// The manifest of a bronze partition, beside its files; its bytes are the partition's state.
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

/// The beginning of the names of sources that hold corrected rows.
pub const CORRECTIONS: &str = "replay-";

/// The name of the source with the corrected rows of a table.
pub fn corrections(table: SourceTable) -> String {
    format!("{CORRECTIONS}{}", table.name())
}

/// The folder of all of silver.
pub const SILVER: &str = "silver";

/// The data file of a partition.
const PART: &str = "part-00000.parquet";

/// The folder of all partitions of a silver table.
pub fn silver_table(table: SourceTable) -> String {
    match table.publication_kind() {
        None => DRUGS.folder.to_owned(),
        Some(kind) => format!("{}/kind={}", PUBLICATIONS.folder, kind.name()),
    }
}

/// The manifest of a silver partition: its bytes are the partition's state. It lies in no folder of Parquet files, for
/// some readers take every file of a folder for one.
pub fn silver_manifest(table: SourceTable, dt: Dt) -> String {
    format!("{}/dt={dt}.json", silver_manifests(table))
}

/// The folder of the manifests of all partitions of a silver table.
pub fn silver_manifests(table: SourceTable) -> String {
    format!("silver/manifests/{}", table.name())
}

/// The date of a file in a folder that has one a date.
pub fn date_of_file(name: &str) -> Option<Dt> {
    Dt::of_folder(name.strip_suffix(".json")?)
}

/// The kind that a path names.
pub fn kind_of(path: &str) -> Option<PublicationKind> {
    path.split('/')
        .find_map(|name| name.strip_prefix("kind=")?.parse().ok())
}

/// The date that a path names.
pub fn date_of(path: &str) -> Option<Dt> {
    path.split('/').find_map(Dt::of_folder)
}

/// `<folder>/kind=<kind>/dt=<dt>`, or without a kind.
fn partition(folder: &str, kind: Option<PublicationKind>, dt: Dt) -> String {
    match kind {
        Some(kind) => format!("{folder}/kind={}/dt={dt}", kind.name()),
        None => format!("{folder}/dt={dt}"),
    }
}

fn part(folder: &str, kind: Option<PublicationKind>, dt: Dt) -> String {
    format!("{}/{PART}", partition(folder, kind, dt))
}

/// The folder of one silver partition.
pub fn silver(table: SourceTable, dt: Dt) -> String {
    match table.publication_kind() {
        None => partition(DRUGS.folder, None, dt),
        kind => partition(PUBLICATIONS.folder, kind, dt),
    }
}

/// The files of a chunk of a partition of publications in gold: its current publications, its mentions and its index.
pub fn chunk_file(folder: &str, kind: PublicationKind, dt: Dt, chunk: usize, ending: &str) -> String {
    format!("{}/part-{chunk:05}.{ending}", partition(folder, Some(kind), dt))
}

/// The folder of what gold needs to update its tables without reading them again.
pub const INDEX: &str = "gold/index";

/// The index of the publications of a partition.
pub fn keys_file(kind: PublicationKind, dt: Dt) -> String {
    format!("{}/keys.bin", partition(INDEX, Some(kind), dt))
}

/// Whether a file is an index, which no reader of the tables needs.
pub fn is_in_index(path: &str) -> bool {
    path.strip_prefix(INDEX).is_some_and(|rest| rest.starts_with('/'))
}

/// The index of the publications of many partitions.
pub fn all_keys_file(kind: PublicationKind) -> String {
    format!("{INDEX}/kind={}/keys.bin", kind.name())
}

/// Whether a file is one of [`keys_file`] or [`all_keys_file`].
pub fn is_keys_file(path: &str) -> bool {
    is_in_index(path) && path.ends_with("/keys.bin")
}

/// The sums over all partitions.
pub const SUMS: &str = "gold/index/sums.bin";

/// The data file of one silver partition.
pub fn silver_part(table: SourceTable, dt: Dt) -> String {
    format!("{}/{PART}", silver(table, dt))
}

/// The file of rows that a silver partition rejected.
pub fn rejected(table: SourceTable, dt: Dt) -> String {
    match table.publication_kind() {
        None => part(&format!("{}/drugs", REJECTED.folder), None, dt),
        kind => part(&format!("{}/publications", REJECTED.folder), kind, dt),
    }
}

/// The file of deletion notices in a partition of publications; it exists only if there are any.
pub fn deleted(kind: PublicationKind, dt: Dt) -> String {
    partition_file(&DELETED, kind, dt)
}

/// The file of journal ids in a partition of publications; it exists only if a source names any.
pub fn journal_ids(kind: PublicationKind, dt: Dt) -> String {
    partition_file(&JOURNAL_IDS, kind, dt)
}

/// The files of a silver partition that only format 1 has.
pub fn format_1(table: SourceTable, dt: Dt) -> Vec<String> {
    let mut files = vec![format!("{}/{MANIFEST}", silver(table, dt))];
    match table.publication_kind() {
        None => files.push(format!("silver/rejected/drugs/dt={dt}/drugs.parquet")),
        Some(kind) => files.extend(
            ["rejected/publications", "deleted/publications", "journals"]
                .map(|folder| format!("silver/{folder}/dt={dt}/{}.parquet", kind.name())),
        ),
    }
    files
}

/// The folder of held dates. It is in silver, so that one commit can replace a table together with the hold of its
/// date.
pub const HELD: &str = "silver/held";

/// The file that holds a date.
pub fn held(dt: Dt) -> String {
    format!("{HELD}/dt={dt}.json")
}

/// Says that rows were dropped, until gold is made without them.
pub const DROPPED: &str = "silver/dropped.json";

/// The file of a partition of a table. In gold, of the publications whose newest state that partition delivered.
pub fn partition_file(table: &Table, kind: PublicationKind, dt: Dt) -> String {
    part(table.folder, Some(kind), dt)
}

/// The file of a table without partitions.
pub fn table_file(table: &Table) -> String {
    format!("{}/{PART}", table.folder)
}

pub const GOLD: &str = "gold";

/// Whether a path lies in the gold layer.
pub fn is_in_gold(path: &str) -> bool {
    path.strip_prefix(GOLD).is_some_and(|rest| rest.starts_with('/'))
}

pub const DRUG_GRAPH: &str = "gold/drug_graph.json";
pub const TOP_JOURNALS: &str = "gold/top_journals.json";
pub const EXCLUSIVE_DRUGS: &str = "gold/exclusive_drugs.json";
pub const GOLD_MANIFEST: &str = "gold/_manifest.json";

/// The files that people and other programs read by a plain name; in a bucket, other files have none.
pub const PUBLISHED: &[&str] = &[DRUG_GRAPH, TOP_JOURNALS, EXCLUSIVE_DRUGS];

/// The folder of the states of gold, and of what later states replaced.
pub const STATES: &str = "states";

/// The record of a state.
pub fn state(number: u64) -> String {
    format!("{STATES}/{number:08}.json")
}

/// The number of the state whose record has this name.
pub fn state_of_file(name: &str) -> Option<u64> {
    name.strip_suffix(".json")?.parse().ok()
}

/// The folder of all files that later states replaced.
pub const KEPT: &str = "states/kept";

/// The folder of what the state with this number replaced.
pub fn kept(number: u64) -> String {
    format!("{KEPT}/{number:08}")
}

/// A file that the state with this number replaced, by its digest and with the ending of its path.
pub fn kept_file(number: u64, path: &str, sha256: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map_or("bin", |(_, ending)| ending);
    format!("{}/{sha256}.{ending}", kept(number))
}

/// Whether earlier states of a file are kept. What can be made again from other files is not.
pub fn is_kept(path: &str) -> bool {
    !is_in_index(path) && path != DRUG_GRAPH
}

/// The folder of all reports.
pub const REPORTS: &str = "reports";

/// The folder of one small record a run: `dt=<dt>/<started_at>-<run_id>.json`.
pub const HISTORY: &str = "reports/history";

/// `reports/<step>/dt=<dt>/<name>.json`
pub fn report(step: &str, dt: Dt, name: &str) -> String {
    format!("{REPORTS}/{step}/dt={dt}/{name}.json")
}
