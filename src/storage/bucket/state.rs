//! What a lake in a bucket holds: one small JSON object, replaced by one conditional put.
//!
//! For each path of the lake it names the run that wrote the file; the object is `_runs/<run>/<path>`. This module
//! makes no request and reads no clock: the time of a commit is the server's modification time of the state object.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Its name below the lake's root.
pub(super) const STATE: &str = "_lake.json";

/// The folder of all runs below the lake's root.
pub(super) const RUNS: &str = "_runs";

/// The object in a run's folder that says that the run is active.
pub(super) const UNDER_WAY: &str = "_run";

/// Seconds for which replaced objects stay readable, and after which a run without activity is dead.
pub(super) const GRACE: i64 = 24 * 60 * 60;

/// The version of the format. An older crate rejects a newer one.
const FORMAT: u32 = 2;

/// The state remembers this many commits by their run, so that a writer that lost the answer to its put finds its own.
const REMEMBERED: usize = 64;

/// A file of the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StateEntry {
    /// The run that wrote it.
    pub run: String,
    pub bytes: u64,
    pub sha256: String,
    /// The path for which the run wrote it, if the lake keeps it under another one now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_as: Option<String>,
}

impl StateEntry {
    /// Its object: `<run>/<path>`.
    pub fn object(&self, path: &str) -> String {
        object(&self.run, self.written_as.as_deref().unwrap_or(path))
    }
}

/// Objects that one commit replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Retired {
    /// The number of that commit.
    pub commit: u64,
    /// When the commit happened, in seconds since 1970 by the server's clock; known from the next commit on.
    pub at: Option<i64>,
    /// `<run>/<path>`
    pub objects: Vec<String>,
}

/// The whole content of a lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LakeState {
    pub format: u32,
    /// Counts commits.
    pub commit: u64,
    /// The runs of the last commits, the newest last.
    pub runs: Vec<String>,
    /// When leftovers were last swept, by the server's clock.
    pub swept: Option<i64>,
    pub files: BTreeMap<String, StateEntry>,
    pub retired: Vec<Retired>,
}

impl Default for LakeState {
    fn default() -> Self {
        Self {
            format: FORMAT,
            commit: 0,
            runs: Vec::new(),
            swept: None,
            files: BTreeMap::new(),
            retired: Vec::new(),
        }
    }
}

/// The result of a commit.
pub(super) struct Next {
    pub state: LakeState,
    /// Objects that no reader needs after this commit: `<run>/<path>`.
    pub expired: Vec<String>,
    /// Whether a sweep is due.
    pub sweeps: bool,
}

impl LakeState {
    /// Parses a state; `uri` is for messages.
    pub(super) fn parse(bytes: &[u8], uri: &str) -> Result<Self> {
        let broken = |found: String| {
            Error::format(
                uri,
                "the state of the lake",
                found,
                "it was written by a newer drugs_rs or by hand: upgrade, or bring an older version of the object back",
            )
        };
        #[derive(Deserialize)]
        struct StateHead {
            format: u32,
        }
        let head: StateHead = serde_json::from_slice(bytes).map_err(|error| broken(error.to_string()))?;
        if !(1..=FORMAT).contains(&head.format) {
            return Err(broken(format!("format {}", head.format)));
        }
        let state: Self = serde_json::from_slice(bytes).map_err(|error| broken(error.to_string()))?;
        Ok(Self {
            format: FORMAT,
            ..state
        })
    }

    /// The state as the bytes of its object.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::internal(format!("the state as JSON: {error}")))
    }

    /// The state after a commit of `run`: `files` replace what was in `units`; a file of `kept` stays under another path. `at`
    /// is the server's time of this state.
    pub(super) fn after(
        &self,
        at: Option<i64>,
        run: &str,
        units: &[String],
        files: &BTreeMap<String, StateEntry>,
        kept: &BTreeMap<String, String>,
    ) -> Next {
        let mut state = self.clone();
        state.commit += 1;
        state.runs.push(run.to_owned());
        let forgotten = state.runs.len().saturating_sub(REMEMBERED);
        state.runs.drain(..forgotten);
        state.files.retain(|path, _| !is_in(units, path));
        state.files.extend(files.clone());
        for (path, to) in kept {
            let old = self.files.get(path);
            if let Some(old) = old.filter(|old| state.files.get(path) != Some(old)) {
                let written_as = Some(old.written_as.clone().unwrap_or_else(|| path.clone()));
                let old = StateEntry {
                    written_as,
                    ..old.clone()
                };
                state.files.entry(to.clone()).or_insert(old);
            }
        }
        let named: BTreeSet<String> = state
            .files
            .iter()
            .map(|(path, entry)| entry.object(path))
            .collect();
        let objects: BTreeSet<String> = self
            .files
            .iter()
            .map(|(path, entry)| entry.object(path))
            .collect();
        let objects: Vec<String> = objects.difference(&named).cloned().collect();
        for retired in &mut state.retired {
            if retired.at.is_none() && retired.commit == self.commit {
                retired.at = at;
            }
        }
        let is_over =
            |since: Option<i64>| matches!((since, at), (Some(since), Some(now)) if now - since > GRACE);
        let (over, kept) = std::mem::take(&mut state.retired)
            .into_iter()
            .partition(|retired| is_over(retired.at));
        state.retired = kept;
        if !objects.is_empty() {
            let commit = state.commit;
            state.retired.push(Retired {
                commit,
                at: None,
                objects,
            });
        }
        let over: Vec<Retired> = over;
        let sweeps = is_over(self.swept);
        if sweeps || self.swept.is_none() {
            state.swept = at;
        }
        Next {
            state,
            expired: over.into_iter().flat_map(|retired| retired.objects).collect(),
            sweeps,
        }
    }
}

/// `<run>/<path>`
pub(super) fn object(run: &str, path: &str) -> String {
    format!("{run}/{path}")
}

/// Whether a path lies in one of the units: is one, or is below one.
pub(super) fn is_in(units: &[String], path: &str) -> bool {
    units.iter().any(|unit| {
        path.strip_prefix(unit.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(run: &str) -> StateEntry {
        StateEntry {
            run: run.to_owned(),
            bytes: 1,
            sha256: "0".to_owned(),
            written_as: None,
        }
    }

    fn files(entries: &[(&str, &str)]) -> BTreeMap<String, StateEntry> {
        entries
            .iter()
            .map(|(path, run)| ((*path).to_owned(), entry(run)))
            .collect()
    }

    /// Whether an object belongs to this state, or to one that readers may still use.
    fn names(state: &LakeState, object: &str) -> bool {
        let current = object
            .split_once('/')
            .is_some_and(|(run, path)| state.files.get(path).is_some_and(|entry| entry.run == run));
        let is_it = |retired: &Retired| retired.objects.iter().any(|other| other == object);
        current || state.retired.iter().any(is_it)
    }

    fn commit(state: &LakeState, at: i64, run: &str, unit: &str, entries: &[(&str, &str)]) -> Next {
        state.after(
            Some(at),
            run,
            &[unit.to_owned()],
            &files(entries),
            &BTreeMap::new(),
        )
    }

    #[test]
    fn what_is_replaced_stays_named_for_a_day_after_its_commit() {
        let first = commit(
            &LakeState::default(),
            0,
            "r1",
            "a",
            &[("a/x", "r1"), ("a/y", "r1")],
        )
        .state;
        let second = commit(&first, 100, "r2", "a", &[("a/x", "r2"), ("a/y", "r1")]).state;
        assert_eq!(second.retired.len(), 1, "y was kept and x was not");
        assert_eq!(
            (second.retired[0].at, &second.retired[0].objects),
            (None, &vec!["r1/a/x".to_owned()])
        );
        // The next commit knows from the server when the second one happened: at 200.
        let third = commit(&second, 200, "r3", "b", &[("b", "r3")]);
        assert_eq!(third.state.retired[0].at, Some(200));
        assert!(third.expired.is_empty() && names(&third.state, "r1/a/x"));
        let same_day = commit(&third.state, 200 + GRACE, "r4", "b", &[("b", "r4")]);
        assert!(same_day.expired.is_empty());
        let later = commit(&third.state, 201 + GRACE, "r4", "b", &[("b", "r4")]);
        assert_eq!(later.expired, ["r1/a/x"]);
        assert!(!names(&later.state, "r1/a/x") && names(&later.state, "r1/a/y"));
    }

    #[test]
    fn what_is_kept_is_read_under_its_new_path_and_never_retired() {
        let first = commit(&LakeState::default(), 0, "r1", "a", &[("a", "r1")]).state;
        let kept = BTreeMap::from([("a".to_owned(), "history/x".to_owned())]);
        let second = first
            .after(Some(100), "r2", &["a".to_owned()], &files(&[("a", "r2")]), &kept)
            .state;
        assert_eq!(second.files["history/x"].object("history/x"), "r1/a");
        assert!(second.retired.is_empty());
        // A file that the commit leaves as it is needs no second path.
        let same = first.after(Some(100), "r2", &["a".to_owned()], &files(&[("a", "r1")]), &kept);
        assert!(!same.state.files.contains_key("history/x"));
        let gone = second.after(
            Some(200),
            "r3",
            &["history/x".to_owned()],
            &BTreeMap::new(),
            &BTreeMap::new(),
        );
        assert_eq!(gone.state.retired[0].objects, ["r1/a"]);
    }

    #[test]
    fn a_unit_is_a_path_and_what_is_below_it_and_no_neighbour() {
        let units = ["a/b".to_owned()];
        for (path, inside) in [("a/b", true), ("a/b/c", true), ("a/bc", false), ("a", false)] {
            assert_eq!(is_in(&units, path), inside, "{path}");
        }
    }

    #[test]
    fn leftovers_are_looked_for_once_a_day() {
        let first = commit(&LakeState::default(), 10, "r1", "a", &[("a", "r1")]);
        assert!(!first.sweeps && first.state.swept == Some(10));
        assert!(!commit(&first.state, 10 + GRACE, "r2", "a", &[]).sweeps);
        let swept = commit(&first.state, 11 + GRACE, "r2", "a", &[]);
        assert!(swept.sweeps && swept.state.swept == Some(11 + GRACE));
        // The first commit of a lake has no time yet.
        let unknown = LakeState::default().after(
            None,
            "r1",
            &["a".to_owned()],
            &files(&[("a", "r1")]),
            &BTreeMap::new(),
        );
        assert!(!unknown.sweeps && unknown.state.swept.is_none());
    }

    #[test]
    fn a_state_of_another_form_is_refused() {
        let told = LakeState::parse(br#"{"format": 3, "what": "ever"}"#, "gs://b/_lake.json");
        let told = told.map_or_else(|error| error.to_string(), |_| "read".to_owned());
        assert!(told.contains("format 3") && told.contains("upgrade"), "{told}");
    }
}
