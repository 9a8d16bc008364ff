//! Takes corrected rows back into a lake. Silver is made again with the settings that it had, and reads each corrected row in
//! the place of the rejected one, as if the source had been right: the row is kept, or merged, and counts as `corrected`.
//!
//! Everything is checked before anything is written: a file with a wrong row is refused whole. A row that silver would reject
//! again is not taken, and its rejected row stays open. The corrections of a date and the tables made with them are one
//! commit. A replay that is repeated changes nothing.

use std::collections::{BTreeMap, BTreeSet};

pub use super::replay_report::{ReplayReport, StaleCorrection, StillRejected};
use super::silver::SilverPartition;
use super::silver::corrected::make_corrected;
use crate::error::{Error, Result, shown};
use crate::formats::{self, Field, Fields, RawBatch, ReadOptions};
use crate::ingest::sources::open_source;
use crate::lake::corrections::find_corrections;
use crate::lake::documents::SilverManifest;
use crate::lake::dt::Dt;
use crate::lake::rejected_rows::{read_rejected, without_escape};
use crate::lake::{layout, manifest};
use crate::schema::{Reason, SourceTable};
use crate::silver::corrections::{
    CorrectedRow, CorrectionSet, in_one_line, plain_row, rejection, value_columns,
};
use crate::storage::source::{SourceFile, expand_all};
use crate::storage::{Sharing, Storage};
use crate::task::Task;

/// The columns that say which rejected row a row of a replayed file is for.
pub const REPLAY_KEY: [&str; 5] = ["dt", "table", "source_uri", "source_row", "row_id"];

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

/// How a file of corrected rows is read and used.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReplaySettings {
    pub reading: ReadOptions,
    /// Takes the corrections of the file's rows out of the lake instead.
    pub withdraw: bool,
}

/// A row of a replayed file.
struct ReplayedRow {
    file: String,
    row: u64,
    /// The rejected row, as the file has it.
    source_uri: String,
    source_row: String,
    values: BTreeMap<String, String>,
}

/// The rows for one table and date, by the ids of the rejected rows.
type ReplayedPartition = BTreeMap<String, ReplayedRow>;

/// Takes the corrected rows of a file back into a lake, or out of it.
pub fn replay(
    storage: &dyn Storage,
    path: &str,
    settings: ReplaySettings,
    task: &Task,
) -> Result<ReplayReport> {
    let mut report = ReplayReport {
        step: "replay",
        lake: storage.root(),
        unchanged: true,
        rows: 0,
        resolved: 0,
        changed: 0,
        already_resolved: 0,
        withdrawn: 0,
        still_rejected: Vec::new(),
        stale: Vec::new(),
        open: 0,
        steps: Vec::new(),
    };
    let dates = read_file(path, settings, task)?;
    let mut reservations = Vec::new();
    for dt in dates.keys() {
        reservations.push(storage.reserve(&format!("dt={dt}"), Sharing::Shared)?);
    }
    let mut corrected: Vec<(Dt, Vec<SilverPartition<'_>>)> = Vec::new();
    for (dt, tables) in dates {
        let mut partitions = Vec::new();
        for (turn, rows) in tables {
            task.check()?;
            report.rows += rows.len() as u64;
            let replaying = Replaying {
                storage,
                table: SourceTable::ALL[turn],
                dt,
                task,
            };
            partitions.push(match settings.withdraw {
                true => replaying.withdraw(&rows, &mut report)?,
                false => replaying.correct(rows, &mut report)?,
            });
        }
        corrected.push((dt, partitions));
    }
    for (dt, partitions) in corrected {
        for (table, part) in make_corrected(storage, partitions, dt, task)? {
            report.unchanged &= part.unchanged;
            report.open += part.totals.rows_rejected;
            report.stale.extend(stale(storage, (table, dt), task)?);
            report.steps.push(part);
        }
    }
    Ok(report)
}

/// The stale corrections of a partition.
fn stale(storage: &dyn Storage, (table, dt): (SourceTable, Dt), task: &Task) -> Result<Vec<StaleCorrection>> {
    let path = layout::silver_manifest(table, dt);
    let (found, _) = manifest::read::<SilverManifest>(storage, path)?;
    let ids = found.map(|found| found.stale_corrections).unwrap_or_default();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = find_corrections(storage, table, dt, task)?;
    let rows = ids.iter().filter_map(|id| rows.get(id));
    Ok(rows
        .map(|row| StaleCorrection {
            dt: dt.to_string(),
            table: table.name().to_owned(),
            source_uri: row.source_uri.clone(),
            source_row: row.source_row,
        })
        .collect())
}

/// The rows of the replayed file, by date and by the table's number.
fn read_file(
    path: &str,
    settings: ReplaySettings,
    task: &Task,
) -> Result<BTreeMap<Dt, BTreeMap<usize, ReplayedPartition>>> {
    let expected = "a file of corrected rows, as `drugs-rs rejected --out` writes it";
    let mut dates: BTreeMap<Dt, BTreeMap<usize, ReplayedPartition>> = BTreeMap::new();
    for file in expand_all(&[path.to_owned()], expected, task)? {
        // First which tables it has rows of: a file without one of their columns would wipe out the values.
        let mut tables = BTreeSet::new();
        if !settings.withdraw {
            each_row(&file, &key_fields(), settings, task, |batch, number| {
                let table = text(batch, number, "table")?;
                tables.extend(
                    SourceTable::ALL
                        .iter()
                        .position(|known| known.name() == table.trim()),
                );
                Ok(())
            })?;
        }
        let names: BTreeSet<&str> = tables
            .iter()
            .flat_map(|turn| value_columns(SourceTable::ALL[*turn]))
            .copied()
            .collect();
        let values = REPLAY_VALUES.map(|name| value_field(name, names.contains(name)));
        let fields = Fields::new(key_fields().iter().copied().chain(values));
        each_row(&file, &fields, settings, task, |batch, number| {
            read_row(batch, number, &file.uri, &mut dates)
        })?;
    }
    Ok(dates)
}

fn key_fields() -> Fields {
    // A batch calls its own numbers `source_row`.
    Fields::new([
        Field::required("dt", &["dt"]),
        Field::required("table", &["table"]),
        Field::required("source_uri", &["source_uri"]),
        Field::required("rejected_row", &["source_row"]),
        Field::required("row_id", &["row_id"]),
    ])
}

/// The field of a value column, which has only one name.
fn value_field(name: &'static str, required: bool) -> Field {
    let names: &'static [&'static str] = match name {
        "id" => &["id"],
        "title" => &["title"],
        "date" => &["date"],
        "journal" => &["journal"],
        "abstract" => &["abstract"],
        "interventions" => &["interventions"],
        "atccode" => &["atccode"],
        "drug" => &["drug"],
        _ => &["synonyms"],
    };
    match required {
        true => Field::required(name, names),
        false => Field::optional(name, names),
    }
}

/// Reads each row of a file, all of which must be readable.
fn each_row(
    file: &SourceFile,
    fields: &Fields,
    settings: ReplaySettings,
    task: &Task,
    mut take: impl FnMut(&RawBatch, usize) -> Result<()>,
) -> Result<()> {
    let mut reader = formats::open(open_source(file, settings.reading, task)?, fields)?;
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
        (0..batch.frame.height()).try_for_each(|number| take(&batch, number))?;
    }
    Ok(())
}

fn text(batch: &RawBatch, number: usize, name: &str) -> Result<String> {
    let text = batch.frame.column(name)?.str()?.get(number);
    Ok(without_escape(text.unwrap_or_default()).to_owned())
}

/// Adds one row, unless all its cells are empty.
fn read_row(
    batch: &RawBatch,
    number: usize,
    uri: &str,
    dates: &mut BTreeMap<Dt, BTreeMap<usize, ReplayedPartition>>,
) -> Result<()> {
    let own_row = batch.frame.column("source_row")?.u64()?.get(number);
    let place = format!("row {}", own_row.unwrap_or_default());
    let cell = |name: &str| Ok::<_, Error>(in_one_line(&text(batch, number, name)?));
    let mut values = BTreeMap::new();
    for name in REPLAY_VALUES {
        values.insert(name.to_owned(), cell(name)?);
    }
    let key = ["dt", "table", "rejected_row", "row_id"].map(cell);
    let [dt, table, source_row, id] = key;
    let (dt, table, source_row, id) = (dt?, table?, source_row?, id?);
    let source_uri = text(batch, number, "source_uri")?;
    let cells = [&dt, &table, &source_row, &id, &source_uri];
    if cells.into_iter().chain(values.values()).all(String::is_empty) {
        return Ok(());
    }
    let wrong = |name: &str, found: &str, expected: &str| {
        let found = match found {
            "" => format!("no {name}"),
            found => format!("the {name} `{}`", shown(found)),
        };
        let remedy = format!("expected {expected}, as `drugs-rs rejected` writes it");
        refused(uri, &place, &found, &remedy)
    };
    let date = Dt::parse(&dt).map_err(|_| wrong("dt", &dt, "an ISO date such as 2026-11-22"))?;
    let turn = SourceTable::ALL.iter().position(|known| known.name() == table);
    let turn = turn.ok_or_else(|| wrong("table", &table, &format!("one of {}", SourceTable::names(""))))?;
    if id.is_empty() {
        return Err(wrong("row_id", "", "the id of the rejected row"));
    }
    let columns = value_columns(SourceTable::ALL[turn]);
    values.retain(|name, _| columns.contains(&name.as_str()));
    let row = ReplayedRow {
        file: uri.to_owned(),
        row: own_row.unwrap_or_default(),
        source_uri,
        source_row,
        values,
    };
    let rows = dates.entry(date).or_default().entry(turn).or_default();
    if let Some(first) = rows.get(&id) {
        let found = format!(
            "the rejected row of row {} of `{}` again: row {} of `{}`",
            first.row,
            first.file,
            row.source_row,
            shown(&row.source_uri)
        );
        return Err(refused(uri, &place, &found, "keep one of the two"));
    }
    rows.insert(id, row);
    Ok(())
}

fn refused(uri: &str, place: &str, found: &str, remedy: &str) -> Error {
    Error::format(uri, place, found, format!("{remedy}; nothing was replayed"))
}

/// A table of a date that rows are replayed into.
struct Replaying<'r> {
    storage: &'r dyn Storage,
    table: SourceTable,
    dt: Dt,
    task: &'r Task,
}

impl<'r> Replaying<'r> {
    fn open(&self) -> Result<Option<(SilverPartition<'r>, SilverManifest)>> {
        SilverPartition::to_correct(self.storage, (self.table, self.dt), self.task)
    }

    /// The partition with the corrections of some rows.
    fn correct(&self, rows: ReplayedPartition, report: &mut ReplayReport) -> Result<SilverPartition<'r>> {
        let Some((partition, silver)) = self.open()? else {
            return Err(self.foreign(&rows, |_| false));
        };
        let mut rejected = BTreeMap::new();
        read_rejected(self.storage, (self.table, self.dt), &silver, self.task, |row| {
            if rows.contains_key(&row.id) {
                rejected.insert(row.id.clone(), row);
            }
            Ok(())
        })?;
        let before = partition.corrections().clone();
        let is_known = |id: &str| rejected.contains_key(id) || before.contains_key(id);
        if rows.keys().any(|id| !is_known(id)) {
            return Err(self.foreign(&rows, is_known));
        }
        let mut after = before.clone();
        for (id, row) in rows {
            let found = rejected.get(&id);
            let refusal = match found.filter(|found| found.reason == Reason::BadFile.name()) {
                Some(found) => {
                    let message = format!("{}; deliver the file again", found.message);
                    Some((Reason::BadFile, message))
                }
                None => self.refusal(&row)?,
            };
            let corrected = match (found, before.get(&id)) {
                (Some(found), _) => CorrectedRow {
                    file: found.file.clone(),
                    source_uri: found.source_uri.clone(),
                    source_row: found.source_row,
                    values: row.values,
                },
                (None, Some(before)) => CorrectedRow {
                    values: row.values,
                    ..before.clone()
                },
                (None, None) => return Err(Error::internal("a replayed row without a rejected one")),
            };
            if let Some((reason, message)) = refusal {
                report.still_rejected.push(StillRejected {
                    file: row.file,
                    row: row.row,
                    dt: self.dt.to_string(),
                    table: self.table.name().to_owned(),
                    source_uri: corrected.source_uri,
                    source_row: corrected.source_row,
                    reason: reason.name().to_owned(),
                    message,
                });
                continue;
            }
            match before.get(&id) {
                None => report.resolved += 1,
                Some(old) if *old == corrected => report.already_resolved += 1,
                Some(_) => report.changed += 1,
            }
            after.insert(id, corrected);
        }
        report
            .still_rejected
            .sort_by(|one, other| (&one.file, one.row).cmp(&(&other.file, other.row)));
        Ok(with_corrections(partition, &before, after))
    }

    /// The partition without the corrections of some rows.
    fn withdraw(&self, rows: &ReplayedPartition, report: &mut ReplayReport) -> Result<SilverPartition<'r>> {
        let Some((partition, _)) = self.open()? else {
            return Err(self.foreign(rows, |_| false));
        };
        let before = partition.corrections().clone();
        if rows.keys().any(|id| !before.contains_key(id)) {
            return Err(self.foreign(rows, |id| before.contains_key(id)));
        }
        let mut after = before.clone();
        after.retain(|id, _| !rows.contains_key(id));
        report.withdrawn += rows.len() as u64;
        Ok(with_corrections(partition, &before, after))
    }

    /// Why silver would reject a corrected row.
    fn refusal(&self, row: &ReplayedRow) -> Result<Option<(Reason, String)>> {
        if let Some((name, _)) = row.values.iter().find(|(_, value)| value.contains('\0')) {
            let message = format!("a NUL byte in `{name}`; write it without");
            return Ok(Some((Reason::NulByte, message)));
        }
        let found = rejection(self.table, plain_row(self.table, row.row, &row.values)?)?;
        Ok(found.map(|found| {
            // The message begins with the place, which is beside it already.
            let message = found
                .message
                .split_once(": ")
                .map_or(found.message.as_str(), |(_, rest)| rest);
            (found.reason, message.to_owned())
        }))
    }

    /// The error about the first row of the file that is none of the lake's.
    fn foreign(&self, rows: &ReplayedPartition, is_known: impl Fn(&str) -> bool) -> Error {
        let foreign = rows.iter().filter(|(id, _)| !is_known(id)).map(|(_, row)| row);
        let Some(row) = foreign.min_by_key(|row| (row.file.clone(), row.row)) else {
            return Error::internal("no foreign row");
        };
        let found = format!(
            "row {} of `{}` is no rejected or corrected row of {} dt={} in {} with that row_id",
            shown(&row.source_row),
            shown(&row.source_uri),
            self.table.name(),
            self.dt,
            self.storage.root()
        );
        let remedy = "take the rows from `drugs-rs rejected` of this lake; the source may have been delivered again since";
        refused(&row.file, &format!("row {}", row.row), &found, remedy)
    }
}

fn with_corrections<'p>(
    partition: SilverPartition<'p>,
    before: &CorrectionSet,
    after: CorrectionSet,
) -> SilverPartition<'p> {
    if *before == after {
        return partition;
    }
    partition.corrected_by(after)
}
