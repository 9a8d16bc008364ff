//! Asking again. The library asks again for some seconds where a server is busy or cannot be reached, and not at all where an
//! answer breaks off in its middle. A server that is out of order for a minute is usual, and no reason to lose an hour's work.

use std::time::{Duration, Instant};

use object_store::Error as Answer;

use super::refusal::{self, Trouble};

/// From the first question to the last one no more time than this may pass.
const LONGEST: Duration = Duration::from_secs(120);

/// The most answers to one question that break off: more is no accident.
const MOST_BROKEN: u32 = 8;

/// The most times that a server is not reached which was reached before.
const MOST_UNREACHED: u32 = 3;

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The patience with one question.
pub(super) struct Patience {
    since: Instant,
    wait: Duration,
    broken: u32,
    unreached: u32,
}

impl Patience {
    /// For a question to a server that nobody has heard of yet: one that cannot be reached may not exist.
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            wait: FIRST_WAIT,
            broken: 0,
            unreached: MOST_UNREACHED,
        }
    }

    /// For a question to a server that answered before.
    pub(super) fn with_a_known_server() -> Self {
        Self {
            unreached: 0,
            ..Self::new()
        }
    }

    /// Waits a moment and says whether to ask again after this answer.
    pub(super) async fn asks_again(&mut self, answer: &Answer) -> bool {
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

    /// Like `asks_again` for a busy server alone: of a lost answer only the caller can make sense.
    pub(super) async fn asks_a_busy_one_again(&mut self, answer: &Answer) -> bool {
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

/// Asks until there is an answer, or no patience left.
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
