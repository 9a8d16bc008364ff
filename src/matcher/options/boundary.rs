//! `boundary`: where a name may begin and end.

use super::option::{ChoiceField, MatcherOption, OptionKind};
use super::written::{StoredValue, SavedSettings};
use crate::choice::{Choice, parse_choices};

pub(super) const OPTION: MatcherOption = MatcherOption {
    name: "boundary",
    flag: "boundary",
    variable: "DRUGS_RS_BOUNDARY",
    sentence: "Where a name may begin and end",
    kind: OptionKind::Word {
        placeholder: "BOUNDARY",
        choice: &ChoiceField(|settings, boundary| settings.boundary = boundary),
    },
};

/// Where a name may begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Boundary {
    /// Only at word boundaries.
    #[default]
    Word,
    /// Anywhere: plain substrings.
    None,
}

impl Choice for Boundary {
    const CHOICES: &'static [Self] = &[Self::Word, Self::None];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::None => "none",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Word => "whole words",
            Self::None => "any substring",
        }
    }
}

parse_choices!(Boundary);

impl StoredValue for Boundary {
    fn save(&self, _: &'static str, saved: &mut SavedSettings) {
        saved.put("substrings", *self == Self::None);
    }

    fn load(_: &'static str, saved: &mut SavedSettings) -> Option<Self> {
        let is_none = saved.take("substrings")?;
        Some(if is_none { Self::None } else { Self::Word })
    }
}
