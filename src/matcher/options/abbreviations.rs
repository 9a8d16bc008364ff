//! `abbreviations`: whether abbreviations that a text itself introduces are found.

use super::option::{MatcherOption, OptionKind};

pub(super) const OPTION: MatcherOption = MatcherOption {
    name: "abbreviations",
    flag: "abbreviations",
    variable: "DRUGS_RS_ABBREVIATIONS",
    sentence: "Find abbreviations that a text itself introduces, as in \"doxorubicin (DOX)\"",
    kind: OptionKind::Switch(|settings, is_on| settings.abbreviations = is_on),
};
