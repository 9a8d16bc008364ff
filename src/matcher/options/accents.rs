//! `accents`: whether letters with an accent equal those without.

use super::option::{ChoiceField, MatcherOption, OptionKind};
use super::written::{StoredValue, SavedSettings};
use crate::text::fold::Accents;

pub(super) const OPTION: MatcherOption = MatcherOption {
    name: "accents",
    flag: "accents",
    variable: "DRUGS_RS_ACCENTS",
    sentence: "Whether letters with an accent equal those without",
    kind: OptionKind::Word {
        placeholder: "ACCENTS",
        choice: &ChoiceField(|settings, accents| settings.accents = accents),
    },
};

impl StoredValue for Accents {
    fn save(&self, _: &'static str, saved: &mut SavedSettings) {
        saved.put("keep_accents", *self == Self::Keep);
    }

    fn load(_: &'static str, saved: &mut SavedSettings) -> Option<Self> {
        let is_kept = saved.take("keep_accents")?;
        Some(if is_kept { Self::Keep } else { Self::Fold })
    }
}
