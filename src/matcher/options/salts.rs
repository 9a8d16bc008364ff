//! `salts`: whether a name with the words of a salt or hydrate is also found by its ingredient.

use super::option::{MatcherOption, OptionKind};

pub(super) const OPTION: MatcherOption = MatcherOption {
    name: "salts",
    flag: "salts",
    variable: "DRUGS_RS_SALTS",
    sentence: "Find \"metformin hydrochloride\" of the vocabulary where a text says \"metformin\"",
    kind: OptionKind::Switch(|settings, is_on| settings.salts = is_on),
};
