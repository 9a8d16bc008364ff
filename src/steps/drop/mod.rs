//! Drops what a lake holds of some dates, or of one publication, and makes gold again without it.
//!
//! Who drops wants it gone: earlier states, which have it too, are given up, and copies in bronze go with their date. What is
//! left of one publication is named, so that a request to erase it can be answered.

mod publication;

use std::collections::BTreeSet;

use super::gold::{GoldSettings, explain_plan, gold_reserved, settings_of_lake};
use crate::error::{Error, Result};
use crate::lake::documents::SilverManifest;
use crate::lake::dt::Dt;
use crate::lake::holds::HeldDates;
use crate::lake::manifest::Version;
use crate::lake::partitions::delivered_dates;
use crate::lake::report::{StepReport, StepStart};
use crate::lake::states::{KeepStates, expired, state_numbers};
use crate::lake::{layout, manifest};
use crate::schema::SourceTable;
use crate::storage::{Sharing, Storage};
use crate::task::Task;

/// What is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DropTarget {
    /// All dates before this one.
    Before(Dt),
    Date(Dt),
    /// Every row of a publication, whatever its kind.
    Publication(String),
}

impl DropTarget {
    /// The one target of three that is named.
    pub fn of(before: Option<Dt>, dt: Option<Dt>, publication_id: Option<&str>) -> Result<Self> {
        match (before, dt, publication_id) {
            (Some(first), None, None) => Ok(Self::Before(first)),
            (None, Some(dt), None) => Ok(Self::Date(dt)),
            (None, None, Some(id)) if !id.trim().is_empty() => Ok(Self::Publication(id.to_owned())),
            (None, None, None) => Err(Error::argument(
                "drop",
                "nothing to drop",
                "one of before, dt and publication_id",
            )),
            (None, None, Some(_)) => Err(Error::argument(
                "publication_id",
                "a blank text",
                "the id of a publication",
            )),
            _ => Err(Error::argument(
                "drop",
                "several of before, dt and publication_id",
                "one of them at a time",
            )),
        }
    }
}

/// What happens to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropAction {
    Removed,
    /// Written again without the rows.
    Rewritten,
    /// Still there, and holds, or may hold, what was dropped.
    Left,
}

impl DropAction {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Rewritten => "rewritten",
            Self::Left => "left",
        }
    }
}

/// One path that a drop is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedPath {
    pub action: DropAction,
    /// Relative to the lake.
    pub path: String,
    /// The rows that are dropped.
    pub rows: u64,
    pub reason: String,
}

/// Drops, or says what would be dropped.
pub fn drop_rows(
    storage: &dyn Storage,
    target: &DropTarget,
    dry_run: bool,
    task: &Task,
) -> Result<Vec<DroppedPath>> {
    let started = StepStart::now(task);
    let gold = settings_of_lake(storage)?;
    let has_gold = storage.size(layout::GOLD_MANIFEST)?.is_some();
    if storage.size(layout::DROPPED)?.is_some() && !dry_run {
        // Rows were dropped, and gold was not made without them.
        remake_gold(storage, gold.clone(), task)?;
    }
    let dates = dates(storage, target)?;
    let mut reservations = Vec::new();
    if !dry_run {
        for dt in &dates {
            reservations.push(storage.reserve(&format!("dt={dt}"), Sharing::Alone)?);
        }
    }
    let mut dropping = Dropping {
        storage,
        task,
        units: Vec::new(),
        versions: vec![(
            layout::GOLD_MANIFEST.to_owned(),
            storage.read(layout::GOLD_MANIFEST)?,
        )],
        paths: Vec::new(),
    };
    let mut rewritten = Vec::new();
    match target {
        DropTarget::Publication(id) => rewritten = dropping.find_publication(id)?,
        DropTarget::Before(_) | DropTarget::Date(_) => dropping.find_dates(&dates)?,
    }
    // Copies that silver never read are in no table and no state.
    let changes_tables = dropping
        .paths
        .iter()
        .any(|path| path.path.starts_with(layout::SILVER));
    if changes_tables {
        dropping.find_states()?;
    }
    if dry_run {
        return Ok(dropping.paths);
    }
    let has_gold = has_gold && changes_tables;
    if has_gold {
        dropping.check_gold(gold.as_ref())?;
        dropping.units.push(layout::DROPPED.to_owned());
    }
    let mut transaction = storage.begin(&dropping.units)?;
    if let DropTarget::Publication(id) = target {
        for partition in rewritten {
            partition.write(storage, id, transaction.as_mut(), task)?;
        }
    }
    if has_gold {
        manifest::write_bytes(transaction.as_mut(), layout::DROPPED, b"{}\n")?;
    }
    task.check()?;
    transaction.commit(&dropping.versions)?;
    drop(reservations);
    if has_gold && !remake_gold(storage, gold, task)? {
        dropping.tell(
            DropAction::Left,
            layout::GOLD.to_owned(),
            0,
            "gold was made with settings that cannot be read back: run the gold step, which takes the rows out",
        );
    }
    let newest = newest_date(storage, None)?;
    let dt = dates.last().copied().or(newest);
    if let Some(dt) = dt {
        let outputs = Vec::new();
        let mut report = StepReport::new("drop", dt, storage, Vec::new(), outputs, false, started);
        // Not the id of a publication: a request to erase it is about this record too.
        let (name, value) = match target {
            DropTarget::Before(dt) => ("before", dt.to_string()),
            DropTarget::Date(dt) => ("dt", dt.to_string()),
            DropTarget::Publication(_) => ("publication_id", "one publication".to_owned()),
        };
        report.settings.insert(name.to_owned(), value.into());
        report.record(storage)?;
    }
    Ok(dropping.paths)
}

/// Makes gold again with the settings that it had; `false` if they are not known.
fn remake_gold(storage: &dyn Storage, gold: Option<(GoldSettings, Option<Dt>)>, task: &Task) -> Result<bool> {
    let Some((settings, reached)) = gold else {
        return Ok(false);
    };
    let Some(newest) = newest_date(storage, reached)? else {
        return Ok(true);
    };
    let _reservation = storage.reserve(&format!("dt={newest}"), Sharing::Shared)?;
    gold_reserved(storage, newest, &settings, task)
        .and_then(|report| report.record(storage))
        .map(|()| true)
        .map_err(|error| match error {
            Error::Cancelled => error,
            error => Error::Format {
                uri: storage.root(),
                place: "the gold layer".to_owned(),
                found: format!(
                    "the rows are dropped from silver, and gold cannot be made without them: {error}"
                ),
                remedy: "repair that, and drop again or run the gold step, which takes them out".to_owned(),
            },
        })
}

/// The newest date with a silver partition, up to the date that gold has reached.
fn newest_date(storage: &dyn Storage, reached: Option<Dt>) -> Result<Option<Dt>> {
    let mut newest = None;
    for table in SourceTable::ALL {
        let dates = delivered_dates(storage, table)?.into_iter();
        newest = newest.max(
            dates
                .filter(|dt| reached.is_none_or(|reached| *dt <= reached))
                .max(),
        );
    }
    Ok(newest)
}

/// The dates that are dropped, in order; none for a publication.
fn dates(storage: &dyn Storage, target: &DropTarget) -> Result<BTreeSet<Dt>> {
    let is_wanted = |dt: Dt| match target {
        DropTarget::Before(first) => dt < *first,
        DropTarget::Date(date) => dt == *date,
        DropTarget::Publication(_) => false,
    };
    let mut dates = BTreeSet::new();
    let held = HeldDates::read(storage)?;
    let mut drugs_left = None;
    for table in SourceTable::ALL {
        let all = delivered_dates(storage, table)?;
        if table == SourceTable::Drugs && !all.is_empty() {
            drugs_left = Some(
                all.iter()
                    .filter(|dt| !is_wanted(**dt) && !held.has(**dt))
                    .count(),
            );
        }
        dates.extend(all.into_iter().filter(|dt| is_wanted(*dt)));
    }
    for source in storage.list(layout::BRONZE)? {
        let folders = storage.list(&layout::bronze_source(&source))?;
        dates.extend(
            folders
                .iter()
                .filter_map(|name| Dt::of_folder(name))
                .filter(|dt| is_wanted(*dt)),
        );
    }
    if drugs_left == Some(0) {
        return Err(Error::argument(
            match target {
                DropTarget::Before(_) => "before",
                _ => "dt",
            },
            "dates with all vocabularies of the lake that are not held, without which there is no gold",
            "dates that leave a vocabulary: deliver it again for a date that stays, and drop then",
        ));
    }
    match target {
        DropTarget::Publication(_) => {}
        DropTarget::Before(dt) if dates.is_empty() => {
            return Err(nothing(storage, &format!("partitions before dt={dt}")));
        }
        DropTarget::Date(dt) if dates.is_empty() => {
            return Err(nothing(storage, &format!("partitions of dt={dt}")));
        }
        _ => {}
    }
    Ok(dates)
}

fn nothing(storage: &dyn Storage, what: &str) -> Error {
    Error::SourceNotFound {
        uri: format!("{what} in {}", storage.root()),
        expected: "something to drop; `drugs-rs lake status` lists what there is".to_owned(),
    }
}

/// A drop that is being put together.
struct Dropping<'d> {
    storage: &'d dyn Storage,
    task: &'d Task,
    units: Vec<String>,
    versions: Vec<Version>,
    paths: Vec<DroppedPath>,
}

impl Dropping<'_> {
    fn tell(&mut self, action: DropAction, path: String, rows: u64, reason: &str) {
        let reason = reason.to_owned();
        self.paths.push(DroppedPath {
            action,
            path,
            rows,
            reason,
        });
    }

    /// Everything of some dates: tables, holds and the copies in bronze.
    fn find_dates(&mut self, dates: &BTreeSet<Dt>) -> Result<()> {
        for dt in dates {
            for table in SourceTable::ALL {
                let path = layout::silver_manifest(table, *dt);
                let (found, version) = manifest::read::<SilverManifest>(self.storage, path.clone())?;
                let Some(found) = found else { continue };
                self.versions.push(version);
                for output in found.outputs {
                    self.units.push(output.path.clone());
                    self.tell(
                        DropAction::Removed,
                        output.path,
                        output.rows,
                        "a table of the date",
                    );
                }
                self.units.push(path.clone());
                self.tell(DropAction::Removed, path, 0, "the manifest of the date");
            }
            let held = layout::held(*dt);
            if self.storage.size(&held)?.is_some() {
                self.units.push(held.clone());
                self.tell(DropAction::Removed, held, 0, "the hold of the date");
            }
        }
        for source in self.storage.list(layout::BRONZE)? {
            for dt in dates {
                let folder = layout::bronze(&source, *dt);
                if !self.storage.list(&folder)?.is_empty() {
                    self.units.push(folder.clone());
                    self.tell(DropAction::Removed, folder, 0, "the copies of the date's sources");
                }
            }
        }
        Ok(())
    }

    /// The earlier states of gold, and what is kept for them.
    fn find_states(&mut self) -> Result<()> {
        let mut paths = expired(self.storage, KeepStates::Number(0), false)?.paths;
        for name in self.storage.list(layout::KEPT)? {
            let folder = format!("{}/{name}", layout::KEPT);
            if !paths.contains(&folder) {
                paths.push(folder);
            }
        }
        for path in paths {
            self.units.push(path.clone());
            self.tell(DropAction::Removed, path, 0, "earlier states of gold");
        }
        if let Some(newest) = state_numbers(self.storage)?.pop() {
            // Gold removes it, when it makes a new one.
            self.tell(
                DropAction::Removed,
                layout::state(newest),
                0,
                "the state of gold with the rows",
            );
        }
        Ok(())
    }

    /// Checks what gold may read when it is made again, before anything is removed.
    fn check_gold(&self, gold: Option<&(GoldSettings, Option<Dt>)>) -> Result<()> {
        if let Some((settings, Some(reached))) = gold {
            explain_plan(self.storage, *reached, settings, self.task)?;
        }
        for table in SourceTable::ALL {
            for dt in delivered_dates(self.storage, table)? {
                let path = layout::silver_manifest(table, dt);
                let (found, _) = manifest::read::<SilverManifest>(self.storage, path)?;
                let outputs = found.map(|found| found.outputs).unwrap_or_default();
                for output in outputs.iter().filter(|output| !self.units.contains(&output.path)) {
                    output.check(self.storage, self.task)?;
                }
            }
        }
        Ok(())
    }
}
