//! Retries beyond the library's own. The library retries for a minute if a server is busy or cannot be reached, and
//! resumes a body that breaks off if the object has an entity tag. It does not retry other answers that break off. A
//! server that fails for a minute is common, and no reason to lose an hour's work.

use std::time::{Duration, Instant};

use object_store::Error as StoreError;

use super::refusal::{self, Trouble};

/// A request is retried for at most this long.
const LONGEST: Duration = Duration::from_secs(120);

/// Give up when this many answers to one request break off: that is no accident.
const MOST_BROKEN: u32 = 8;

/// Give up when a server that was reached before cannot be reached this many times.
const MOST_UNREACHED: u32 = 3;

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The retries of one request.
pub(super) struct Patience {
    since: Instant,
    wait: Duration,
    broken: u32,
    unreached: u32,
}

impl Patience {
    /// For a first request to a server: one that cannot be reached may not exist.
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            wait: FIRST_WAIT,
            broken: 0,
            unreached: MOST_UNREACHED,
        }
    }

    /// For a request to a server that has answered before.
    pub(super) fn with_a_known_server() -> Self {
        Self {
            unreached: 0,
            ..Self::new()
        }
    }

    /// Waits a moment and returns whether to retry after this error.
    pub(super) async fn asks_again(&mut self, answer: &StoreError) -> bool {
        let hopeful = match refusal::trouble(answer) {
            Trouble::Busy => true,
            Trouble::BrokenOff => {
                self.broken += 1;
                self.broken < MOST_BROKEN
            }
            Trouble::Unreached => {
                self.unreached += 1;
                self.unreached < MOST_UNREACHED
            }
            Trouble::None => false,
        };
        hopeful && self.waits().await
    }

    /// Waits and returns whether to retry, for a busy server only: after a lost answer only the caller knows what to
    /// do.
    pub(super) async fn asks_a_busy_one_again(&mut self, answer: &StoreError) -> bool {
        matches!(refusal::trouble(answer), Trouble::Busy) && self.waits().await
    }

    async fn waits(&mut self) -> bool {
        if self.since.elapsed() + self.wait >= LONGEST {
            return false;
        }
        tokio::time::sleep(self.wait).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        true
    }
}

/// Retries until there is an answer or the retries are used up.
pub(super) async fn patiently<T, A>(mut patience: Patience, ask: impl Fn() -> A) -> object_store::Result<T>
where
    A: Future<Output = object_store::Result<T>>,
{
    loop {
        match ask().await {
            Err(answer) if patience.asks_again(&answer).await => {}
            other => return other,
        }
    }
}
