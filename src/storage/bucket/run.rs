//! The marker of a live run: an object that exists while the run is active.
//!
//! It protects the run's other objects from the sweep of leftovers; `sweep.rs` describes the protocol.

use std::hash::{BuildHasher, Hasher};

use object_store::{PutMode, PutOptions, UpdateVersion};

use super::handle::LakeHandle;
use super::refusal;
use super::state::{GRACE, UNDER_WAY, object};
use crate::error::{Error, Result};

/// Attempts to find a free name for a run.
const TRIES: usize = 4;

/// A run that has written to the bucket.
#[derive(Debug)]
pub(super) struct BucketRun {
    pub id: String,
    /// The version that this run wrote. A sweep that takes the run for dead has replaced it.
    under_way: UpdateVersion,
}

impl BucketRun {
    /// Begins the run of the commit with this number.
    pub(super) fn begin(lake: &LakeHandle, commit: u64) -> Result<Self> {
        let mut tries = 1;
        loop {
            // Any unused name will do. The number in front sorts runs for people who list them.
            let chance = std::hash::RandomState::new().build_hasher().finish();
            let id = format!("{commit:08}-{chance:016x}");
            let key = lake.object_key(&object(&id, UNDER_WAY));
            let text = b"a run of drugs_rs is under way\n".to_vec();
            match lake.client.put(&key, text, &PutOptions::from(PutMode::Create))? {
                Ok(put) => {
                    return Ok(Self {
                        id,
                        under_way: put.into(),
                    });
                }
                // The name is taken, perhaps by this very request, whose answer was lost. Then a sweep removes it
                // later.
                Err(error)
                    if tries < TRIES && (refusal::is_lost_race(&error) || refusal::is_unclear(&error)) =>
                {
                    tries += 1;
                }
                Err(error) => return Err(refusal::storage(&lake.client.uri(&key), "write", &error)),
            }
        }
    }

    /// The key of the marker.
    pub(super) fn key(&self, lake: &LakeHandle) -> String {
        lake.object_key(&object(&self.id, UNDER_WAY))
    }

    /// Fails if a sweep has taken this run for dead, and renews an old marker so that none does until the commit, which
    /// replaces the state of time `now`.
    pub(super) fn check_alive(&mut self, lake: &LakeHandle, now: Option<i64>) -> Result<()> {
        let key = self.key(lake);
        let dead = || Error::Conflict {
            path: lake.client.uri(&key),
            found: "this run took so long that another one took it for dead and removed its files".to_owned(),
        };
        let found = lake.client.head(&key)?.ok_or_else(dead)?;
        if found.meta.e_tag != self.under_way.e_tag {
            return Err(dead());
        }
        let is_old = now.is_some_and(|now| now - found.meta.last_modified.timestamp() > GRACE / 2);
        if !is_old {
            return Ok(());
        }
        let text = b"a run of drugs_rs is under way, and about to commit\n".to_vec();
        let mode = PutMode::Update(self.under_way.clone());
        match lake.client.put(&key, text, &PutOptions::from(mode))? {
            Ok(put) => {
                self.under_way = put.into();
                Ok(())
            }
            Err(error) if refusal::is_lost_race(&error) => Err(dead()),
            Err(error) => Err(refusal::storage(&lake.client.uri(&key), "write", &error)),
        }
    }
}
