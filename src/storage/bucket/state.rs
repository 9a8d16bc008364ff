//! What a lake in a bucket holds: one small JSON object, replaced by one conditional put.
//!
//! It names for each path of the lake the run that wrote it; the object is `_runs/<run>/<path>`. Nothing here asks a server
//! or looks at a clock: the time of a commit is what the server says about the object of its state.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Its name below the lake's root.
pub(super) const STATE: &str = "_lake.json";

/// The folder of all runs below the lake's root.
pub(super) const RUNS: &str = "_runs";

/// The object that says that a run is under way, in the run's folder.
pub(super) const UNDER_WAY: &str = "_run";

/// What was replaced stays readable for so long, and a run that shows no life for so long is dead.
pub(super) const GRACE: i64 = 24 * 60 * 60;

/// The form of the file. A reader of an older crate refuses what it does not know.
const FORMAT: u32 = 1;

/// So many commits are remembered by their run: enough for a writer that lost the answer to its own.
const REMEMBERED: usize = 64;

/// A file of the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StateEntry {
    /// The run that wrote it.
    pub run: String,
    pub bytes: u64,
    pub sha256: String,
}

/// Objects that one commit replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Retired {
    /// The number of that commit.
    pub commit: u64,
    /// When it was, in seconds of 1970 by the server's clock; known as soon as there is a next commit.
    pub at: Option<i64>,
    /// `<run>/<path>`
    pub objects: Vec<String>,
}

/// The whole content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LakeState {
    pub format: u32,
    /// Counts commits.
    pub commit: u64,
    /// The runs of the last commits, the newest last.
    pub runs: Vec<String>,
    /// When leftovers were looked for last, by the server's clock.
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

/// What a commit makes of a state.
pub(super) struct Next {
    pub state: LakeState,
    /// Objects that no reader needs any more once this state stands: `<run>/<path>`.
    pub expired: Vec<String>,
    /// Whether it is time to look for leftovers.
    pub sweeps: bool,
}

impl LakeState {
    /// Reads a state; `uri` is for messages.
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
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|error| broken(error.to_string()))?;
        if head.format != FORMAT {
            return Err(broken(format!("format {}", head.format)));
        }
        serde_json::from_slice(bytes).map_err(|error| broken(error.to_string()))
    }

    /// The bytes of its object.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::Internal {
            message: format!("the state as JSON: {error}"),
        })
    }

    /// The state after a commit of `run`: what `units` held is replaced by `files`. `at` is the server's time of this state.
    pub(super) fn after(
        &self,
        at: Option<i64>,
        run: &str,
        units: &[String],
        files: &BTreeMap<String, StateEntry>,
    ) -> Next {
        let mut state = self.clone();
        state.commit += 1;
        state.runs.push(run.to_owned());
        let forgotten = state.runs.len().saturating_sub(REMEMBERED);
        state.runs.drain(..forgotten);
        state.files.retain(|path, _| !is_in(units, path));
        state.files.extend(files.clone());
        let named: BTreeSet<(&String, &String)> = state
            .files
            .iter()
            .map(|(path, entry)| (path, &entry.run))
            .collect();
        let gone = self
            .files
            .iter()
            .filter(|(path, entry)| !named.contains(&(*path, &entry.run)));
        let objects: Vec<String> = gone.map(|(path, entry)| object(&entry.run, path)).collect();
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
        }
    }

    fn files(entries: &[(&str, &str)]) -> BTreeMap<String, StateEntry> {
        entries
            .iter()
            .map(|(path, run)| ((*path).to_owned(), entry(run)))
            .collect()
    }

    /// Whether an object belongs to this state, or to one that readers may still hold.
    fn names(state: &LakeState, object: &str) -> bool {
        let current = object
            .split_once('/')
            .is_some_and(|(run, path)| state.files.get(path).is_some_and(|entry| entry.run == run));
        let is_it = |retired: &Retired| retired.objects.iter().any(|other| other == object);
        current || state.retired.iter().any(is_it)
    }

    fn commit(state: &LakeState, at: i64, run: &str, unit: &str, entries: &[(&str, &str)]) -> Next {
        state.after(Some(at), run, &[unit.to_owned()], &files(entries))
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
        // The next commit learns from the server when the second one was: at 200.
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
        // A lake's very first commit knows no time yet.
        let unknown = LakeState::default().after(None, "r1", &["a".to_owned()], &files(&[("a", "r1")]));
        assert!(!unknown.sweeps && unknown.state.swept.is_none());
    }

    #[test]
    fn a_state_of_another_form_is_refused() {
        let told = LakeState::parse(br#"{"format": 2, "what": "ever"}"#, "gs://b/_lake.json");
        let told = told.map_or_else(|error| error.to_string(), |_| "read".to_owned());
        assert!(told.contains("format 2") && told.contains("upgrade"), "{told}");
    }
}
