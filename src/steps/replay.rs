//! Takes corrected rows back into a lake. They become a source of their own in bronze, and silver, made again with the settings
//! that it had, keeps them in place of the rejected rows: those count as merged (`corrected`), so that for every file rows
//! in = rows kept + merged + rejected still holds, and the share of rejected rows falls.
//!
//! A corrected row belongs to one rejected row, by source and place. The last one holds. A row that silver would reject again
//! is not taken, and its rejected row stays open. Everything is checked before anything is written; a replay that was killed
//! is finished by the same replay, and one that is repeated changes nothing.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::silver::corrected::recorded_settings;
use super::silver::{SilverSettings, silver_reserved};
use crate::error::{Error, Result, shown};
use crate::formats::{self, Field, Fields, RawBatch, ReadOptions};
use crate::ingest::sources::open_source;
use crate::lake::corrections::{
    CorrectedRow, CorrectionSet, SourcePlace, open_corrections, read_corrections, value_columns, value_field,
    write_corrections,
};
use crate::lake::documents::SilverManifest;
use crate::lake::dt::Dt;
use crate::lake::manifest::Version;
use crate::lake::report::StepReport;
use crate::lake::{layout, manifest};
use crate::quality::raw_hash;
use crate::schema::{Reason, Rejected, SourceTable};
use crate::silver::{publications, shapes, vocabulary};
use crate::storage::source::expand_all;
use crate::storage::{Sharing, Storage};
use crate::tables::table_writer::read_frames;
use crate::task::Task;

/// The columns that say which rejected row a row of a replayed file corrects.
pub const REPLAY_KEY: [&str; 4] = ["dt", "table", "source_uri", "source_row"];

/// The columns of all tables that can be corrected.
pub const REPLAY_VALUES: [&str; 9] = [
    "id",
    "title",
    "date",
    "journal",
    "abstract",
    "interventions",
    "atccode",
    "drug",
    "synonyms",
];

/// A row of a replayed file that would be rejected again; its rejected row stays open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StillRejected {
    /// The replayed file, and the row in it.
    pub file: String,
    pub row: u64,
    /// The rejected row.
    pub dt: String,
    pub table: String,
    pub source_uri: String,
    pub source_row: u64,
    /// Why, as `silver/rejected` would have it.
    pub reason: String,
    pub message: String,
}

/// What a replay did. `rows` = `resolved` + `changed` + `already_resolved` + `repeated` + the rows of `still_rejected`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplayReport {
    pub step: &'static str,
    pub lake: String,
    /// Whether nothing was written.
    pub unchanged: bool,
    /// The rows of the replayed file.
    pub rows: u64,
    /// Rows whose rejected row had no corrected row before.
    pub resolved: u64,
    /// Rows that replace another corrected row.
    pub changed: u64,
    /// Rows that the lake has already.
    pub already_resolved: u64,
    /// Rows that a later row of the file for the same rejected row replaces.
    pub repeated: u64,
    pub still_rejected: Vec<StillRejected>,
    /// The rejected rows that are left in the tables and dates of the file.
    pub open: u64,
    /// The reports of silver, by date and table.
    pub steps: Vec<StepReport>,
}

/// A row of a replayed file.
struct ReplayedRow {
    file: String,
    row: u64,
    values: Vec<String>,
}

/// The rows for one table and date, by the place of the rejected row.
type ReplayedPartition = BTreeMap<SourcePlace, ReplayedRow>;

/// Takes the corrected rows of a file back into a lake.
pub fn replay(storage: &dyn Storage, path: &str, task: &Task) -> Result<ReplayReport> {
    let mut report = ReplayReport {
        step: "replay",
        lake: storage.root(),
        unchanged: true,
        rows: 0,
        resolved: 0,
        changed: 0,
        already_resolved: 0,
        repeated: 0,
        still_rejected: Vec::new(),
        open: 0,
        steps: Vec::new(),
    };
    let partitions = read_rows(path, &mut report, task)?;
    let mut reservations = Vec::new();
    for (dt, _) in partitions.keys() {
        reservations.push(storage.reserve(&format!("dt={dt}"), Sharing::Shared)?);
    }
    let (mut changed, mut made, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    for ((dt, turn), rows) in partitions {
        task.check()?;
        let table = SourceTable::ALL[turn];
        let (before, version) = read_corrections(storage, table, dt, task)?;
        let (rejected, silver_version) = find_rejected(storage, (table, dt), &rows, task)?;
        let candidates = candidates(storage, (table, dt), rows, &rejected, &before)?;
        if candidates.is_empty() {
            continue;
        }
        let settings = recorded_settings(storage, table, dt)?;
        let taken = check_candidates((table, dt), candidates, &rejected, settings, &mut report, task)?;
        let after = merge_corrections(&before, taken, &mut report);
        if after != before {
            versions.extend([version, silver_version]);
            changed.push((table, dt, after));
        } else if before.is_empty() {
            continue;
        }
        made.push((table, dt, settings));
    }
    let counted = report.resolved + report.changed + report.already_resolved + report.repeated;
    if report.rows != counted + report.still_rejected.len() as u64 {
        return Err(Error::internal(format!(
            "{} rows replayed, and {counted} taken",
            report.rows
        )));
    }
    if !changed.is_empty() {
        report.unchanged = false;
        let folder =
            |(table, dt, _): &(SourceTable, Dt, _)| layout::bronze(&layout::corrections(*table), *dt);
        let units: Vec<String> = changed.iter().map(folder).collect();
        let mut transaction = storage.begin(&units)?;
        for (table, dt, corrections) in &changed {
            write_corrections(transaction.as_mut(), *table, *dt, corrections)?;
        }
        task.check()?;
        transaction.commit(&versions)?;
    }
    for (table, dt, settings) in made {
        let silver = silver_reserved(storage, Some(&[table]), dt, settings, task)?;
        silver.record(storage)?;
        report.unchanged &= silver.unchanged;
        report.open += silver.totals.rows_rejected;
        report.steps.push(silver);
    }
    Ok(report)
}

/// The rows of the replayed file; of several rows for one rejected row the last one.
fn read_rows(
    path: &str,
    report: &mut ReplayReport,
    task: &Task,
) -> Result<BTreeMap<(Dt, usize), ReplayedPartition>> {
    let key = [
        Field::required("dt", &["dt"]),
        Field::required("table", &["table"]),
        Field::required("source_uri", &["source_uri"]),
        Field::required("rejected_row", &["source_row"]),
    ];
    let fields = Fields::new(key.into_iter().chain(REPLAY_VALUES.map(value_field)));
    let expected = "a file of corrected rows, as `drugs-rs rejected --out` writes it";
    let mut partitions: BTreeMap<(Dt, usize), ReplayedPartition> = BTreeMap::new();
    for file in expand_all(&[path.to_owned()], expected, task)? {
        let mut reader = formats::open(open_source(&file, ReadOptions::default(), task)?, &fields)?;
        while let Some(batch) = reader.next_batch(task)? {
            if let Some(unreadable) = batch.rejected.first() {
                let place = format!("row {}", unreadable.source_row);
                return Err(refused(
                    &file.uri,
                    &place,
                    &unreadable.message,
                    "correct the file",
                ));
            }
            for number in 0..batch.frame.height() {
                let (partition, place, row) = read_row(&batch, number, &file.uri)?;
                report.rows += 1;
                if partitions
                    .entry(partition)
                    .or_default()
                    .insert(place, row)
                    .is_some()
                {
                    report.repeated += 1;
                }
            }
        }
    }
    Ok(partitions)
}

/// One row: its partition, the place of the rejected row, and its values.
fn read_row(batch: &RawBatch, number: usize, uri: &str) -> Result<((Dt, usize), SourcePlace, ReplayedRow)> {
    let column = |name: &str| -> Result<String> {
        let column = batch.frame.column(name)?.str()?;
        Ok(column.get(number).unwrap_or_default().to_owned())
    };
    let row = batch
        .frame
        .column("source_row")?
        .u64()?
        .get(number)
        .unwrap_or_default();
    let place = format!("row {row}");
    let (dt, table, source_row) = (column("dt")?, column("table")?, column("rejected_row")?);
    let source_uri = column("source_uri")?;
    let wrong = |name: &str, found: &str, expected: &str| {
        let found = match found.trim() {
            "" => format!("no {name}"),
            found => format!("the {name} `{}`", shown(found)),
        };
        refused(
            uri,
            &place,
            &found,
            &format!("expected {expected}, as `drugs-rs rejected` writes it"),
        )
    };
    let date = Dt::parse(dt.trim()).map_err(|_| wrong("dt", &dt, "an ISO date such as 2026-11-22"))?;
    let turn = SourceTable::ALL
        .iter()
        .position(|known| known.name() == table.trim());
    let turn = turn.ok_or_else(|| wrong("table", &table, &format!("one of {}", SourceTable::names(""))))?;
    let source_row = source_row
        .trim()
        .parse::<u64>()
        .map_err(|_| wrong("source_row", &source_row, "a whole number"))?;
    if source_uri.is_empty() {
        return Err(wrong("source_uri", "", "the source of the rejected row"));
    }
    let names = value_columns(SourceTable::ALL[turn]).iter();
    // Silver makes one blank of white space; a line for each row keeps the file easy to compare.
    let value = |name: &&str| Ok(column(name)?.replace(['\r', '\n'], " ").trim().to_owned());
    let row = ReplayedRow {
        file: uri.to_owned(),
        row,
        values: names.map(value).collect::<Result<_>>()?,
    };
    Ok(((date, turn), (source_uri, source_row), row))
}

fn refused(uri: &str, place: &str, found: &str, remedy: &str) -> Error {
    Error::format(uri, place, found, format!("{remedy}; nothing was replayed"))
}

/// A rejected row of silver: its reason and the hash of its text.
struct RejectedRow {
    reason: String,
    message: String,
    raw_hash: String,
}

/// The rejected rows of a partition that the replayed rows name, and the version of its manifest.
fn find_rejected(
    storage: &dyn Storage,
    (table, dt): (SourceTable, Dt),
    rows: &ReplayedPartition,
    task: &Task,
) -> Result<(HashMap<SourcePlace, RejectedRow>, Version)> {
    let path = layout::silver_manifest(table, dt);
    let (found, version) = manifest::read::<SilverManifest>(storage, path)?;
    let path = layout::rejected(table, dt);
    let mut rejected = HashMap::new();
    if found.is_some_and(|found| found.outputs.iter().any(|output| output.path == path)) {
        read_frames(storage, &path, None, |frame| {
            task.check()?;
            let text = |name: &str| Ok::<_, Error>(frame.column(name)?.str()?.clone());
            let (reasons, messages) = (text("reason")?, text("message")?);
            let (raws, uris) = (text("raw")?, text("source_uri")?);
            let places = frame.column("source_row")?.i64()?;
            for number in 0..frame.height() {
                let of = |column: &polars::prelude::StringChunked| {
                    column.get(number).unwrap_or_default().to_owned()
                };
                let source_row = places.get(number).unwrap_or_default().cast_unsigned();
                let place = (of(&uris), source_row);
                if rows.contains_key(&place) {
                    let row = RejectedRow {
                        reason: of(&reasons),
                        message: of(&messages),
                        raw_hash: raw_hash(raws.get(number).unwrap_or_default()),
                    };
                    rejected.insert(place, row);
                }
            }
            Ok(())
        })?;
    }
    Ok((rejected, version))
}

/// The replayed rows as corrected rows; an error for one that corrects no rejected row.
fn candidates(
    storage: &dyn Storage,
    (table, dt): (SourceTable, Dt),
    rows: ReplayedPartition,
    rejected: &HashMap<SourcePlace, RejectedRow>,
    before: &CorrectionSet,
) -> Result<BTreeMap<SourcePlace, (ReplayedRow, String)>> {
    let mut candidates = BTreeMap::new();
    for (place, row) in rows {
        let known = rejected.get(&place).map(|rejected| &rejected.raw_hash);
        let known = known.or_else(|| before.get(&place).map(|corrected| &corrected.raw_hash));
        let Some(raw_hash) = known.cloned() else {
            let (source_uri, source_row) = &place;
            let found = format!(
                "row {source_row} of `{}` is no rejected row of {} dt={dt} in {}",
                shown(source_uri),
                table.name(),
                storage.root()
            );
            let remedy = "take the rows from `drugs-rs rejected` of this lake; its source may have been delivered again";
            return Err(refused(&row.file, &format!("row {}", row.row), &found, remedy));
        };
        candidates.insert(place, (row, raw_hash));
    }
    Ok(candidates)
}

/// Cleans the candidates as silver will, and returns those that it keeps. The others are reported.
fn check_candidates(
    (table, dt): (SourceTable, Dt),
    candidates: BTreeMap<SourcePlace, (ReplayedRow, String)>,
    rejected: &HashMap<SourcePlace, RejectedRow>,
    settings: SilverSettings,
    report: &mut ReplayReport,
    task: &Task,
) -> Result<CorrectionSet> {
    let mut taken = CorrectionSet::new();
    let mut places = Vec::with_capacity(candidates.len());
    for (place, (row, raw_hash)) in candidates {
        let whole_file = rejected
            .get(&place)
            .filter(|rejected| rejected.reason == Reason::BadFile.name());
        if let Some(rejected) = whole_file {
            let message = format!("{}; deliver the file again", rejected.message);
            report
                .still_rejected
                .push(still_rejected((table, dt), place, &row, Reason::BadFile, message));
            continue;
        }
        let values = row.values.clone();
        taken.insert(place.clone(), CorrectedRow { raw_hash, values });
        places.push((place, row));
    }
    if taken.is_empty() {
        return Ok(taken);
    }
    for refused in refused_by_silver((table, dt), &taken, settings, task)? {
        // The first line is the header.
        let number = usize::try_from(refused.source_row)
            .ok()
            .and_then(|line| line.checked_sub(2));
        let Some((place, row)) = number.and_then(|number| places.get(number)) else {
            return Err(Error::internal(format!(
                "a corrected row on line {}",
                refused.source_row
            )));
        };
        taken.remove(place);
        let Rejected { reason, message, .. } = refused;
        // The message of silver begins with its own place.
        let message = message
            .split_once(": ")
            .map_or(message.as_str(), |(_, rest)| rest)
            .to_owned();
        report
            .still_rejected
            .push(still_rejected((table, dt), place.clone(), row, reason, message));
    }
    Ok(taken)
}

fn still_rejected(
    (table, dt): (SourceTable, Dt),
    (source_uri, source_row): SourcePlace,
    row: &ReplayedRow,
    reason: Reason,
    message: String,
) -> StillRejected {
    StillRejected {
        file: row.file.clone(),
        row: row.row,
        dt: dt.to_string(),
        table: table.name().to_owned(),
        source_uri,
        source_row,
        reason: reason.name().to_owned(),
        message,
    }
}

/// The rows of a set that silver would reject.
fn refused_by_silver(
    (table, dt): (SourceTable, Dt),
    corrections: &CorrectionSet,
    settings: SilverSettings,
    task: &Task,
) -> Result<Vec<Rejected>> {
    let input = open_corrections(table, dt, corrections)?;
    let mut refused = Vec::new();
    match table.publication_kind() {
        Some(kind) => {
            let context = publications::Context {
                kind,
                uri: input.uri().to_owned(),
                file: 0,
                order: settings.order,
            };
            let mut reader = formats::open_shaped(input, shapes::shapes(kind))?;
            while let Some(batch) = reader.next_batch(task)? {
                refused.extend(publications::clean_batch(batch, &context)?.0.rejected);
            }
        }
        None => {
            let shapes = vocabulary::shapes();
            let mut reader = formats::open_shaped(input, &shapes)?;
            while let Some(batch) = reader.next_batch(task)? {
                let shape = &vocabulary::SHAPES[batch.shape];
                refused.extend(vocabulary::clean_batch(batch, shape, 0)?.1);
            }
        }
    }
    Ok(refused)
}

/// The corrected rows afterwards, counted.
fn merge_corrections(
    before: &CorrectionSet,
    taken: CorrectionSet,
    report: &mut ReplayReport,
) -> CorrectionSet {
    let mut after = before.clone();
    for (place, corrected) in taken {
        match after.insert(place.clone(), corrected) {
            None => report.resolved += 1,
            Some(old) if after.get(&place) == Some(&old) => report.already_resolved += 1,
            Some(_) => report.changed += 1,
        }
    }
    after
}
