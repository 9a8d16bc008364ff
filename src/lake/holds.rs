//! Held dates: written and checked, but not published.
//!
//! Silver is committed before anyone has judged it. A quality gate of a DAG, or a person, that finds it too poor holds
//! its date, with a reason: a small file beside the tables, and part of the lake's state like them. Gold leaves out
//! every held date, as if nothing had been delivered on it, until it is released. Neither a hold nor a release rebuilds
//! gold: the next gold run does, whatever its date.

use std::collections::BTreeMap;

use super::documents::HeldDate;
use super::dt::Dt;
use super::manifest::Version;
use super::report::{StepReport, StepStart};
use super::{layout, manifest};
use crate::error::{Error, Result};
use crate::schema::SourceTable;
use crate::storage::{Storage, sha256_hex};
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// Attempts to commit, because several processes may hold and release at once.
const TRIES: usize = 5;

/// At most this many characters of a reason, because reports and logs repeat it.
const LONGEST_REASON: usize = 4_000;

/// Holds a date. A second hold with the same reason changes nothing; another reason replaces the first.
pub fn hold(storage: &dyn Storage, dt: Dt, reason: &str, task: &Task) -> Result<StepReport> {
    let started = StepStart::now(task);
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

/// Releases a held date; a date that is not held stays unchanged.
pub fn release(storage: &dyn Storage, dt: Dt, task: &Task) -> Result<StepReport> {
    let started = StepStart::now(task);
    let changed = replace(storage, dt, None, task)?;
    // Otherwise a mistyped date would look like a released one.
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
    started: StepStart,
) -> Result<StepReport> {
    let held = HeldDates::read(storage)?.among(|_| true);
    let mut report = StepReport::new(step, dt, storage, Vec::new(), outputs, unchanged, started);
    report.held = Some(held);
    Ok(report)
}

/// The reason of a date whose tables are new and wait for the quality gate.
const UNJUDGED: &str =
    "its silver tables are new and were not judged yet: the quality gate releases the date when it passes";

/// The file that holds a date until its new tables are judged; `None` if the date is held already, so that its reason
/// stays.
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
        let manifest = layout::silver_manifest(table, dt);
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

/// Replaces or removes the file of a hold; returns whether that changed anything.
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

/// All held dates of a lake, as they were read.
pub(crate) struct HeldDates(BTreeMap<Dt, (HeldDate, Vec<u8>)>);

impl HeldDates {
    pub(crate) fn read(storage: &dyn Storage) -> Result<Self> {
        let mut found = BTreeMap::new();
        for name in storage.list(layout::HELD)? {
            let Some(dt) = layout::date_of_file(&name) else {
                continue;
            };
            let (held, (_, bytes)) = manifest::read::<HeldDate>(storage, layout::held(dt))?;
            // `None` means that it was released after the folder was listed.
            if let (Some(held), Some(bytes)) = (held, bytes) {
                // The file's name is what holds the date, not its content.
                let dt_told = dt.to_string();
                found.insert(dt, (HeldDate { dt: dt_told, ..held }, bytes));
            }
        }
        Ok(Self(found))
    }

    pub(crate) fn has(&self, dt: Dt) -> bool {
        self.0.contains_key(&dt)
    }

    /// Why a date is held; `None` if it is not.
    pub(crate) fn reason(&self, dt: Dt) -> Option<&str> {
        self.0.get(&dt).map(|(held, _)| held.reason.as_str())
    }

    /// The version of a date's hold, for the commit: the bytes of its file, or `None` if it is not held.
    pub(crate) fn version(&self, dt: Dt) -> Version {
        let bytes = self.0.get(&dt).map(|(_, bytes)| bytes.clone());
        (layout::held(dt), bytes)
    }

    /// The held dates that are wanted, in order.
    pub(crate) fn among(&self, wanted: impl Fn(Dt) -> bool) -> Vec<HeldDate> {
        let dates = self.0.iter().filter(|(dt, _)| wanted(**dt));
        dates.map(|(_, (held, _))| held.clone()).collect()
    }
}
