//! What an option of the matcher is.

use super::MatcherSettings;
use crate::choice::{Choice, UnknownChoice};

/// An option of the matcher, as the command and Python offer it.
#[derive(Clone, Copy)]
pub struct MatcherOption {
    /// The keyword in Python.
    pub name: &'static str,
    /// The flag of the command, without its dashes.
    pub flag: &'static str,
    /// The environment variable that sets the flag.
    pub variable: &'static str,
    /// What it does, for the help of the command.
    pub sentence: &'static str,
    pub kind: OptionKind,
}

/// What may be given for an option, and how it is put into [`MatcherSettings`].
#[derive(Clone, Copy)]
pub enum OptionKind {
    /// On or off; off by default.
    Switch(fn(&mut MatcherSettings, bool)),
    /// One of a few words.
    Word {
        placeholder: &'static str,
        choice: &'static dyn WordOption,
    },
    /// A list of names, which the command reads from a file.
    Names {
        set: fn(&mut MatcherSettings, Vec<String>),
        empty: Option<EmptyList>,
    },
}

/// A flag of the command for an empty list of names.
#[derive(Debug, Clone, Copy)]
pub struct EmptyList {
    pub name: &'static str,
    pub flag: &'static str,
    pub sentence: &'static str,
}

/// An option whose value is one of a few words.
pub trait WordOption {
    /// Each word with its meaning.
    fn words(&self) -> Vec<(&'static str, &'static str)>;

    fn default_word(&self) -> &'static str;

    fn set(&self, settings: &mut MatcherSettings, word: &str) -> Result<(), UnknownChoice>;
}

/// Puts a value of [`Choice`] into settings.
pub(super) struct ChoiceField<T>(pub(super) fn(&mut MatcherSettings, T));

impl<T: Choice + Default> WordOption for ChoiceField<T> {
    fn words(&self) -> Vec<(&'static str, &'static str)> {
        let choices = T::CHOICES.iter();
        choices
            .map(|choice| (choice.choice_name(), choice.meaning()))
            .collect()
    }

    fn default_word(&self) -> &'static str {
        T::default().choice_name()
    }

    fn set(&self, settings: &mut MatcherSettings, word: &str) -> Result<(), UnknownChoice> {
        (self.0)(settings, T::from_choice_name(word)?);
        Ok(())
    }
}
