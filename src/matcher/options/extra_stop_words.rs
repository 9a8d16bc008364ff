//! `extra_stop_words`: names that are never a mention either. They are kept in [`MatcherSettings::stop_words`].
//!
//! [`MatcherSettings::stop_words`]: super::MatcherSettings::stop_words

use super::option::{MatcherOption, OptionKind};

pub(super) const OPTION: MatcherOption = MatcherOption {
    name: "extra_stop_words",
    flag: "extra-stop-words",
    variable: "DRUGS_RS_EXTRA_STOP_WORDS_FILE",
    sentence: "Names that are never a mention either, one a line; adds to the shipped list",
    kind: OptionKind::Names {
        set: |settings, names| {
            settings.stop_words = settings.stop_words.clone().with(names);
        },
        empty: None,
    },
};
