//! Dates that are held back: written, looked at, and not published.
//!
//! Silver stands in the lake before anybody has judged it. Who finds it too poor (the quality gate of a DAG, a person)
//! holds its date, with a reason: a small file beside the tables, as much a part of the lake's state as they are. Gold
//! leaves out every held date, as if nothing had been delivered on it, until somebody releases it. Neither of the two
//! makes gold anew: the next gold does, whatever its date.

use std::collections::BTreeMap;
use std::time::Instant;

use super::documents::HeldDate;
use super::dt::Dt;
use super::manifest::Version;
use super::report::StepReport;
use super::{layout, manifest};
use crate::error::{Error, Result};
use crate::schema::SourceTable;
use crate::storage::{Storage, sha256_hex};
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// Several may hold and release at once; so often one of them looks again.
const TRIES: usize = 5;

/// A reason stands in reports and logs: some sentences, no table.
const LONGEST_REASON: usize = 4_000;

/// Holds a date back. Held again with the same reason it changes nothing; with another one that replaces the first.
pub fn hold(storage: &dyn Storage, dt: Dt, reason: &str, task: &Task) -> Result<StepReport> {
    let started = Instant::now();
    let reason = one_line(reason)?;
    if !is_delivered(storage, dt)? {
        return Err(nothing(storage, dt));
    }
    let held = HeldDate {
        dt: dt.to_string(),
        reason,
    };
    let bytes = manifest::to_bytes(&held)?;
    let changed = replace(storage, dt, Some(&bytes), task)?;
    let output = OutputFile {
        path: layout::held(dt),
        rows: 0,
        bytes: bytes.len() as u64,
        sha256: sha256_hex(&bytes),
    };
    report("hold", dt, storage, vec![output], !changed, started)
}

/// Lets a date go that was held back; one that was not stays as it is.
pub fn release(storage: &dyn Storage, dt: Dt, task: &Task) -> Result<StepReport> {
    let started = Instant::now();
    let changed = replace(storage, dt, None, task)?;
    // A slip of the pen would else look like a date that is free.
    if !changed && !is_delivered(storage, dt)? {
        return Err(nothing(storage, dt));
    }
    report("release", dt, storage, Vec::new(), !changed, started)
}

fn report(
    step: &str,
    dt: Dt,
    storage: &dyn Storage,
    outputs: Vec<OutputFile>,
    unchanged: bool,
    started: Instant,
) -> Result<StepReport> {
    let held = HeldDates::read(storage)?.among(|_| true);
    let mut report = StepReport::new(step, dt, storage, Vec::new(), outputs, unchanged, started);
    report.held = Some(held);
    Ok(report)
}

/// Why a date is held whose tables are new and wait for a verdict.
const UNJUDGED: &str =
    "its silver tables are new and were not judged yet: the quality gate releases the date when it passes";

/// The file that holds a date back until somebody has judged its new tables; `None` if the date is held already, whose
/// reason stays.
pub(crate) fn unjudged(storage: &dyn Storage, dt: Dt) -> Result<Option<(String, Vec<u8>)>> {
    let path = layout::held(dt);
    if storage.size(&path)?.is_some() {
        return Ok(None);
    }
    let held = HeldDate {
        dt: dt.to_string(),
        reason: UNJUDGED.to_owned(),
    };
    Ok(Some((path, manifest::to_bytes(&held)?)))
}

/// The reason as one line of text.
fn one_line(reason: &str) -> Result<String> {
    let expected = "a sentence that says why the date is held back";
    let plain: String = reason
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let letters = line.chars().count();
    match letters {
        0 => Err(Error::argument("reason", "nothing but blanks", expected)),
        1..=LONGEST_REASON => Ok(line),
        _ => Err(Error::argument(
            "reason",
            format!("{letters} characters"),
            format!("{expected}, in {LONGEST_REASON} characters at most"),
        )),
    }
}

fn is_delivered(storage: &dyn Storage, dt: Dt) -> Result<bool> {
    for table in SourceTable::ALL {
        let manifest = format!("{}/{}", layout::silver(table, dt), layout::MANIFEST);
        if storage.size(&manifest)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn nothing(storage: &dyn Storage, dt: Dt) -> Error {
    Error::SourceNotFound {
        uri: format!("{}/{}/*/dt={dt}", storage.root(), layout::SILVER),
        expected: "a silver partition of that dt; look at the date, or run the silver step first".to_owned(),
    }
}

/// Puts the file of a hold into its new state; gives whether that is another one than before.
fn replace(storage: &dyn Storage, dt: Dt, new: Option<&[u8]>, task: &Task) -> Result<bool> {
    let path = layout::held(dt);
    let mut tries = 0;
    loop {
        task.check()?;
        let before = storage.read(&path)?;
        if before.as_deref() == new {
            return Ok(false);
        }
        let mut transaction = storage.begin(std::slice::from_ref(&path))?;
        if let Some(bytes) = new {
            manifest::write_bytes(transaction.as_mut(), &path, bytes)?;
        }
        match transaction.commit(&[(path.clone(), before)]) {
            Ok(()) => return Ok(true),
            Err(Error::Conflict { .. }) if tries + 1 < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// All dates of a lake that are held back, as they were read.
pub(crate) struct HeldDates(BTreeMap<Dt, (HeldDate, Vec<u8>)>);

impl HeldDates {
    pub(crate) fn read(storage: &dyn Storage) -> Result<Self> {
        let mut found = BTreeMap::new();
        for name in storage.list(layout::HELD)? {
            let Some(dt) = layout::held_date(&name) else {
                continue;
            };
            let (held, (_, bytes)) = manifest::read::<HeldDate>(storage, layout::held(dt))?;
            // Released since the folder was listed, where there is none.
            if let (Some(held), Some(bytes)) = (held, bytes) {
                // Its name is what holds the date.
                let dt_told = dt.to_string();
                found.insert(dt, (HeldDate { dt: dt_told, ..held }, bytes));
            }
        }
        Ok(Self(found))
    }

    pub(crate) fn has(&self, dt: Dt) -> bool {
        self.0.contains_key(&dt)
    }

    /// What must still be so when what was read is committed: the file of the hold, or that there is none.
    pub(crate) fn version(&self, dt: Dt) -> Version {
        let bytes = self.0.get(&dt).map(|(_, bytes)| bytes.clone());
        (layout::held(dt), bytes)
    }

    /// Some of them, in order.
    pub(crate) fn among(&self, wanted: impl Fn(Dt) -> bool) -> Vec<HeldDate> {
        let dates = self.0.iter().filter(|(dt, _)| wanted(**dt));
        dates.map(|(_, (held, _))| held.clone()).collect()
    }
}
