//! Settings as the report of a run records them, so that the matcher of that run can be rebuilt later.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::MatcherSettings;
use crate::matcher::stop_words::StopWords;

/// A record holds at most this many stop words, because a report is passed between processes and must stay small.
const MOST_WORDS: usize = 1_000;

impl MatcherSettings {
    /// The settings for a report: without the shipped stop words, and with a digest of the whole settings.
    pub fn to_record(&self) -> Value {
        let shipped = self.shipped_words();
        let own = self.stop_words.forms().difference(shipped.forms()).cloned();
        let own = own.take(MOST_WORDS).collect();
        let saved = Self {
            stop_words: StopWords::of_parts(own, self.stop_words.has_rules()),
            ..self.clone()
        };
        let settings = serde_json::to_value(saved.to_saved()).unwrap_or_default();
        json!({"settings": settings, "sha256": self.digest()})
    }

    /// The settings of a record; `None` if they are not exactly those that were recorded: because the shipped stop words
    /// are others by now, or because there were more than a record holds.
    pub fn of_record(record: &Value) -> Option<Self> {
        let saved = serde_json::from_value(record.get("settings")?.clone()).ok()?;
        let mut settings = Self::of_saved(saved)?;
        let shipped = settings.shipped_words();
        let words = settings.stop_words.forms().union(shipped.forms()).cloned();
        settings.stop_words = StopWords::of_parts(words.collect(), settings.stop_words.has_rules());
        (record.get("sha256")? == &Value::from(settings.digest())).then_some(settings)
    }

    /// The stop words that these settings have without naming them.
    fn shipped_words(&self) -> StopWords {
        if self.stop_words.has_rules() {
            StopWords::default()
        } else {
            StopWords::none()
        }
    }

    fn digest(&self) -> String {
        format!("{:x}", Sha256::digest(self.fingerprint()))
    }
}
