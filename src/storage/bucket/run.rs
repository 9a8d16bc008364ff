//! The sign of life of a run: an object that stands while it is under way.
//!
//! It keeps the run's other objects from being swept away as leftovers; `sweep.rs` says how the two sides agree.

use std::hash::{BuildHasher, Hasher};

use object_store::{PutMode, PutOptions, UpdateVersion};

use super::handle::LakeHandle;
use super::refusal;
use super::state::{GRACE, UNDER_WAY, object};
use crate::error::{Error, Result};

/// So many names a run tries for itself.
const TRIES: usize = 4;

/// A run that has put something into the bucket.
#[derive(Debug)]
pub(super) struct BucketRun {
    pub id: String,
    /// The object as this run wrote it: whoever holds the run for dead has replaced it.
    under_way: UpdateVersion,
}

impl BucketRun {
    /// Begins the run of the commit of a number.
    pub(super) fn begin(lake: &LakeHandle, commit: u64) -> Result<Self> {
        let mut tries = 1;
        loop {
            // Any name will do that nobody else has, and the number in front keeps runs in order for people who look.
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
                // Somebody has it: maybe this very request, whose answer was lost. Then a sweep removes it some day.
                Err(error)
                    if tries < TRIES && (refusal::is_lost_race(&error) || refusal::is_unclear(&error)) =>
                {
                    tries += 1;
                }
                Err(error) => return Err(refusal::storage(&lake.client.uri(&key), "write", &error)),
            }
        }
    }

    /// The key of its sign of life.
    pub(super) fn key(&self, lake: &LakeHandle) -> String {
        lake.object_key(&object(&self.id, UNDER_WAY))
    }

    /// Makes sure that nobody holds this run for dead, now or before a commit is done that replaces the state of `now`.
    pub(super) fn check_alive(&mut self, lake: &LakeHandle, now: Option<i64>) -> Result<()> {
        let key = self.key(lake);
        let dead = || Error::Conflict {
            path: lake.client.uri(&key),
            found: "this run took so long that another one held it for dead and removed its files".to_owned(),
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
