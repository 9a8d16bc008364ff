//! Options with a few named values. Each type names its values once: the command line, Python and the messages use
//! the same names.

use crate::error::{Error, Result};

/// A type whose values have names.
pub trait Choice: Copy + 'static {
    /// Every value, in the order of messages and of the help.
    const CHOICES: &'static [Self];

    /// Whether `UTF-8` is also `utf-8`.
    const IGNORES_CASE: bool = false;

    /// The name of the value.
    fn choice_name(self) -> &'static str;

    /// What the help says about the value; empty where the name says it all.
    fn meaning(self) -> &'static str {
        ""
    }

    /// The value with this name.
    fn from_choice_name(text: &str) -> Result<Self, UnknownChoice> {
        let named = |name: &str| name == text || Self::IGNORES_CASE && name.eq_ignore_ascii_case(text);
        let mut choices = Self::CHOICES.iter().copied();
        choices.find(|choice| named(choice.choice_name())).ok_or_else(|| {
            UnknownChoice::among(text, Self::CHOICES.iter().map(|choice| choice.choice_name()))
        })
    }
}

/// `FromStr` for types of [`Choice`]; a blanket implementation is not allowed for a trait of another crate.
macro_rules! parse_choices {
    ($($type:ty),+) => {
        $(impl std::str::FromStr for $type {
            type Err = $crate::choice::UnknownChoice;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::choice::Choice::from_choice_name(text)
            }
        })+
    };
}
pub(crate) use parse_choices;

/// A text that is the name of no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is unknown; expected {}", self.expected())]
pub struct UnknownChoice {
    found: String,
    names: Vec<&'static str>,
}

/// Longer texts are no misspelt names.
const LONGEST_NAME: usize = 40;

impl UnknownChoice {
    /// A text that is none of these names.
    pub fn among(found: &str, names: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            found: found.to_owned(),
            names: names.into_iter().collect(),
        }
    }

    /// The error for the argument that had this value.
    pub fn of(&self, argument: &str) -> Error {
        Error::argument(argument, format!("`{}`", self.found), self.expected())
    }

    /// The names, and the one that was probably meant.
    fn expected(&self) -> String {
        let quoted: Vec<String> = self.names.iter().map(|name| format!("\"{name}\"")).collect();
        let names = one_of(&quoted);
        match close_names(&self.found, self.names.iter().copied(), 1).first() {
            Some(close) => format!("{names}; did you mean \"{close}\"?"),
            None => names,
        }
    }
}

/// The item of a registry with this name, or the error for the argument that has it.
pub fn find_named<'i, T>(
    items: &'i [T],
    name_of: fn(&T) -> &'static str,
    name: &str,
    argument: &str,
) -> Result<&'i T> {
    let found = items.iter().find(|item| name_of(item) == name);
    found.ok_or_else(|| UnknownChoice::among(name, items.iter().map(name_of)).of(argument))
}

/// Names in a sentence: `a, b or c`.
pub fn one_of(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The names that differ least from a text, the closest first: by no more than a third of their letters.
pub fn close_names<'n>(found: &str, names: impl Iterator<Item = &'n str>, most: usize) -> Vec<&'n str> {
    if found.chars().nth(LONGEST_NAME).is_some() {
        return Vec::new();
    }
    let found = found.to_lowercase();
    let distances = names.map(|name| {
        let distance = strsim::damerau_levenshtein(&found, &name.to_lowercase());
        (distance, name)
    });
    let mut close: Vec<(usize, &str)> = distances
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .collect();
    // Of those that are equally close, the first that was named.
    close.sort_by_key(|(distance, _)| *distance);
    let mut names: Vec<&str> = close.into_iter().map(|(_, name)| name).collect();
    names.dedup();
    names.truncate(most);
    names
}
