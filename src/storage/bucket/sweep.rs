//! Removes the leftovers of killed runs, once a day, and only those that are provably unused.
//!
//! An object below `_runs/` is removed if the state does not name it (as a file or as one that readers may still use),
//! if it is older than [`GRACE`], and if its run is over. A run is over if its object `_run` is gone, because the run
//! removes that at its end; or if that object is older than [`GRACE`] and the sweep has replaced it by a conditional
//! put. A run checks this object before each put of a state, and renews it by a conditional put when it is older than
//! half of [`GRACE`]. So either the run sees that it was taken for dead and commits nothing, or the sweep sees that it
//! is alive.
//!
//! All ages are differences between times of the server: when an object was written, and when the newest state was.

use std::collections::{BTreeMap, HashSet};

use object_store::{ObjectMeta, PutMode, PutOptions, UpdateVersion};

use super::handle::LakeHandle;
use super::state::{GRACE, RUNS, UNDER_WAY};
use crate::error::Result;

/// Removes leftovers. A failure is no error: the next sweep tries again.
pub(super) fn sweep(lake: &LakeHandle) {
    // The commit before this sweep is done, so no error of the sweep concerns its caller.
    let _ = try_sweep(lake);
}

fn try_sweep(lake: &LakeHandle) -> Result<()> {
    let snapshot = lake.refresh()?;
    let Some(now) = snapshot.at else { return Ok(()) };
    let is_old = |object: &ObjectMeta| now - object.last_modified.timestamp() > GRACE;
    let folder = format!("{}/", lake.key(RUNS));
    let mut runs: BTreeMap<String, Vec<(String, ObjectMeta)>> = BTreeMap::new();
    for object in lake.client.list(&lake.key(RUNS))? {
        let key = object.location.to_string();
        let Some((run, path)) = key.strip_prefix(&folder).and_then(|name| name.split_once('/')) else {
            continue;
        };
        runs.entry(run.to_owned())
            .or_default()
            .push((path.to_owned(), object));
    }
    let state = &snapshot.state;
    let named: HashSet<String> = state
        .files
        .iter()
        .map(|(path, entry)| entry.object(path))
        .collect();
    let retired: HashSet<&str> = state
        .retired
        .iter()
        .flat_map(|retired| retired.objects.iter().map(String::as_str))
        .collect();
    for (run, objects) in runs {
        let under_way = objects.iter().find(|(path, _)| path == UNDER_WAY);
        if let Some((_, object)) = under_way
            && !(is_old(object) && hold_for_dead(lake, object.location.as_ref(), now)?)
        {
            continue;
        }
        let is_named = |path: &str| {
            let object = super::state::object(&run, path);
            named.contains(&object) || retired.contains(object.as_str())
        };
        let mut useless: Vec<String> = objects
            .iter()
            .filter(|(path, object)| path != UNDER_WAY && is_old(object) && !is_named(path))
            .map(|(_, object)| object.location.to_string())
            .collect();
        lake.client.remove(&useless, None);
        useless.clear();
        useless.extend(under_way.map(|(_, object)| object.location.to_string()));
        lake.client.remove(&useless, None);
    }
    Ok(())
}

/// Replaces the marker of a run if it is still too old; the run notices that.
fn hold_for_dead(lake: &LakeHandle, key: &str, now: i64) -> Result<bool> {
    let Some(found) = lake.client.head(key)? else {
        return Ok(true);
    };
    if now - found.meta.last_modified.timestamp() <= GRACE {
        return Ok(false);
    }
    let version = UpdateVersion {
        e_tag: found.meta.e_tag,
        version: found.meta.version,
    };
    let text = b"this run of drugs_rs was inactive and is taken for dead\n".to_vec();
    let put = lake
        .client
        .put(key, text, &PutOptions::from(PutMode::Update(version)))?;
    Ok(put.is_ok())
}
