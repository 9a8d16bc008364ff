//! `stop_words`: the names that are never a mention, instead of the shipped list and rules.

use super::option::{EmptyList, MatcherOption, OptionKind};
use super::written::{StoredValue, SavedSettings};
use crate::matcher::stop_words::StopWords;

pub(super) const OPTION: MatcherOption = MatcherOption {
    name: "stop_words",
    flag: "stop-words",
    variable: "DRUGS_RS_STOP_WORDS_FILE",
    sentence: "Names that are never a mention, one a line; replaces the shipped list and rules",
    kind: OptionKind::Names {
        set: |settings, names| settings.stop_words = StopWords::of(names),
        empty: Some(EmptyList {
            name: "no_stop_words",
            flag: "no-stop-words",
            sentence: "Find every name of the vocabulary, everyday words too",
        }),
    },
};

impl StoredValue for StopWords {
    fn fingerprint(&self) -> String {
        format!("{}:{:?}", self.has_rules(), self.forms())
    }

    fn save(&self, option: &'static str, saved: &mut SavedSettings) {
        saved.put("rules", self.has_rules());
        saved.put(option, self.forms().iter().cloned().collect::<Vec<_>>());
    }

    fn load(option: &'static str, saved: &mut SavedSettings) -> Option<Self> {
        Some(Self::of_parts(saved.take(option)?, saved.take("rules")?))
    }
}
