//! The fields of publications that are searched for drugs.

use crate::choice::{Choice, parse_choices};
use crate::error::{Error, Result};

/// What a drug given in the arms of a trial is there, the first that holds.
pub const INTERVENTION_ROLES: [&str; 4] =
    ["experimental", "active_comparator", "placebo_comparator", "other"];

/// A field that may be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SearchedField {
    Title,
    Abstract,
    /// What a trial gives or does: the names of its interventions, each with its other names behind it.
    Interventions,
    /// The names of the substances in PubMed's ChemicalList.
    Substances,
}

impl SearchedField {
    /// The name, which is that of the column in silver.
    pub fn name(self) -> &'static str {
        self.choice_name()
    }
}

impl Choice for SearchedField {
    const CHOICES: &'static [Self] = &[Self::Title, Self::Abstract, Self::Interventions, Self::Substances];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Abstract => "abstract",
            Self::Interventions => "interventions",
            Self::Substances => "substances",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Title => "the title",
            Self::Abstract => "the abstract or summary",
            Self::Interventions => "the names of a trial's interventions",
            Self::Substances => "the names in PubMed's list of chemicals",
        }
    }
}

parse_choices!(SearchedField);

/// The fields that are searched: at least one, in the order of [`SearchedField`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchedFields(Vec<SearchedField>);

impl SearchedFields {
    /// These fields, in any order; fails without any.
    pub fn of(mut fields: Vec<SearchedField>) -> Result<Self> {
        if fields.is_empty() {
            return Err(Error::argument(
                "fields",
                "no field",
                "at least one, such as title",
            ));
        }
        fields.sort_unstable();
        fields.dedup();
        Ok(Self(fields))
    }

    /// These fields and another one.
    #[must_use]
    pub fn with(mut self, field: SearchedField) -> Self {
        self.0.push(field);
        self.0.sort_unstable();
        self.0.dedup();
        self
    }

    /// The fields in the order in which they are searched.
    pub fn iter(&self) -> impl Iterator<Item = SearchedField> + '_ {
        self.0.iter().copied()
    }

    /// Whether a field is searched.
    pub fn contains(&self, field: SearchedField) -> bool {
        self.0.contains(&field)
    }

    /// The names of the fields.
    pub fn names(&self) -> Vec<&'static str> {
        self.iter().map(SearchedField::name).collect()
    }
}

impl Default for SearchedFields {
    fn default() -> Self {
        Self(vec![SearchedField::Title])
    }
}
