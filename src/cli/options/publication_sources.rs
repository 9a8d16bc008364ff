//! The flags for sources of publications: one for each registered kind.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::schema::PublicationKind;

/// The paths that each kind was given.
#[derive(Debug, Default)]
pub(in crate::cli) struct PublicationSources([Vec<String>; PublicationKind::ALL.len()]);

impl PublicationSources {
    /// The paths of a kind, none where its flag was not given.
    pub(in crate::cli) fn of(&self, kind: PublicationKind) -> &[String] {
        &self.0[kind as usize]
    }
}

impl Args for PublicationSources {
    fn augment_args(command: Command) -> Command {
        PublicationKind::in_turn().fold(command, |command, kind| {
            let description = kind.description();
            let flag = Arg::new(description.sources)
                .long(description.flag)
                .value_name("PATH")
                .action(ArgAction::Append)
                .help(format!(
                    "{}, in the same way; repeatable",
                    capitalised(description.plural)
                ));
            command.arg(flag)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for PublicationSources {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |kind: PublicationKind| {
            let paths = matches.get_many::<String>(kind.description().sources);
            paths.into_iter().flatten().cloned().collect()
        };
        Ok(Self(PublicationKind::ALL.map(given)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}", first.to_uppercase(), letters.as_str())
    })
}
