//! The flags of the matcher: one for each registered option.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::words_with_meanings;
use crate::api::matching::read_stop_words;
use crate::error::Result;
use crate::matcher::{MatcherSettings, OPTIONS, OptionKind};
use crate::task::Task;

/// The flags that were given.
#[derive(Debug)]
pub(in crate::cli) struct Matching(ArgMatches);

impl Matching {
    /// The settings, with the names of files read.
    pub(in crate::cli) fn settings(&self, task: &Task) -> Result<MatcherSettings> {
        let mut settings = MatcherSettings::default();
        for option in OPTIONS {
            let given = || self.0.get_one::<String>(option.name);
            match option.kind {
                OptionKind::Switch(set) => set(&mut settings, self.0.get_flag(option.name)),
                OptionKind::Word { choice, .. } => {
                    let word = given().map_or(choice.default_word(), String::as_str);
                    choice
                        .set(&mut settings, word)
                        .map_err(|unknown| unknown.of(option.name))?;
                }
                OptionKind::Names { set, empty } => {
                    if empty.is_some_and(|empty| self.0.get_flag(empty.name)) {
                        set(&mut settings, Vec::new());
                    } else if let Some(file) = given() {
                        set(&mut settings, read_stop_words(file, task)?);
                    }
                }
            }
        }
        Ok(settings)
    }
}

/// The pairs of flags that exclude each other: a list of names, and that for an empty one.
pub(in crate::cli) fn exclusive_flags() -> impl Iterator<Item = [&'static str; 2]> {
    OPTIONS.iter().filter_map(|option| match option.kind {
        OptionKind::Names { empty, .. } => Some([option.name, empty?.name]),
        _ => None,
    })
}

impl Args for Matching {
    fn augment_args(command: Command) -> Command {
        OPTIONS.iter().fold(command, |command, option| {
            let flag = flag(option.name, option.flag, option.sentence).env(option.variable);
            match option.kind {
                OptionKind::Switch(_) => command.arg(flag.action(ArgAction::SetTrue)),
                OptionKind::Word { placeholder, choice } => command.arg(
                    flag.value_name(placeholder)
                        .default_value(choice.default_word())
                        .value_parser(words_with_meanings(choice.words())),
                ),
                OptionKind::Names { empty, .. } => {
                    let command = command.arg(flag.value_name("FILE"));
                    match empty {
                        Some(empty) => command.arg(
                            self::flag(empty.name, empty.flag, empty.sentence).action(ArgAction::SetTrue),
                        ),
                        None => command,
                    }
                }
            }
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(name: &'static str, flag: &'static str, sentence: &'static str) -> Arg {
    Arg::new(name).long(flag).help(sentence).help_heading("Matching")
}

impl FromArgMatches for Matching {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        Ok(Self(matches.clone()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
