//! Parses the command line: usage errors, and the origin of each option.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use super::arguments::{Arguments, Command};
use super::options::matching::exclusive_flags;
use super::outcome::Outcome;
use super::output::progress::ProgressBar;
use super::output::voice::Voice;
use crate::error::{Error, Result};

/// The request of a command line.
#[derive(Debug)]
pub enum Invocation {
    /// A command to execute.
    Command(Box<ParsedCommand>),
    /// Help, a version or a usage error, already printed: the exit code.
    Done(u8),
}

/// A valid command line.
#[derive(Debug)]
pub struct ParsedCommand {
    pub(super) command: Command,
    pub(super) voice: Voice,
    verbose: u8,
    variables: Vec<Variable>,
}

/// An option that is set by an environment variable.
#[derive(Debug)]
struct Variable {
    option: String,
    name: String,
    value: String,
    /// Whether the value is valid is still unknown, because the core checks it.
    is_unchecked: bool,
}

impl Variable {
    fn new(argument: &clap::Arg, name: &OsStr, value: &OsStr) -> Self {
        let value = value.to_string_lossy().into_owned();
        let is_text = argument.get_action().takes_values() && argument.get_possible_values().is_empty();
        Self {
            option: option_name(argument),
            name: name.to_string_lossy().into_owned(),
            is_unchecked: is_text && value.parse::<u64>().is_err(),
            value,
        }
    }

    fn hint(&self) -> String {
        format!(
            "{} comes from the environment variable {}",
            self.option, self.name
        )
    }
}

/// A load of a lake into a database, which the libraries of Python do.
#[derive(Debug)]
pub struct RequestedLoad<'c> {
    pub lake: &'c str,
    pub target: &'c str,
    pub tables: &'c [String],
    pub plan: bool,
    pub json: bool,
    pub quiet: bool,
}

impl ParsedCommand {
    /// The load, if that is the command.
    pub fn requested_load(&self) -> Option<RequestedLoad<'_>> {
        let Command::Load(load) = &self.command else {
            return None;
        };
        Some(RequestedLoad {
            lake: &load.lake,
            target: &load.target,
            tables: &load.tables,
            plan: load.plan,
            json: load.output.json,
            quiet: load.output.quiet,
        })
    }

    /// The progress display of this command.
    pub fn progress_bar(&self) -> ProgressBar {
        let is_shown = match &self.command {
            Command::Run(run) => !run.output.quiet,
            Command::Bronze(bronze) => !bronze.output.quiet,
            Command::Silver(silver) => !silver.output.quiet,
            Command::Gold(gold) => !gold.output.quiet,
            #[cfg(feature = "cloud")]
            Command::Fetch(fetch) => !fetch.output.quiet,
            Command::Generate(generate) => !generate.output.quiet,
            Command::Hold(_)
            | Command::Release(_)
            | Command::Rejected(_)
            | Command::Replay(_)
            | Command::Answer(_)
            | Command::Schema(_)
            | Command::Lake(_)
            | Command::Load(_)
            | Command::Match(_)
            | Command::Explain(_)
            | Command::Completions(_)
            | Command::Diff(_)
            | Command::Evidence(_)
            | Command::Gaps(_)
            | Command::Man(_) => false,
        };
        let bar = ProgressBar::verbose(is_shown, self.verbose, &self.voice);
        for variable in &self.variables {
            let Variable {
                option, name, value, ..
            } = variable;
            bar.note(&format!("{option}: `{value}` from {name}"));
        }
        bar
    }

    /// Prints the warnings and the result of the command, and returns the exit code.
    pub fn print(&self, outcome: Outcome) -> Result<u8> {
        outcome.print(&self.voice)
    }

    /// Prints why the command failed, and returns its exit code.
    pub fn report(&self, error: &Error) -> u8 {
        let exit_code = if matches!(error, Error::Argument { .. }) {
            2
        } else {
            1
        };
        self.report_message(error.class(), &error.to_string(), exit_code)
    }

    /// Prints why the command failed, for an error known only by its exception class.
    pub fn report_message(&self, class: &str, message: &str, exit_code: u8) -> u8 {
        // The core does not know where an argument comes from; a message that repeats a variable's value is about that
        // variable.
        let is_about = |variable: &&Variable| {
            let value = self.voice.hide(&variable.value);
            variable.is_unchecked && (message.contains(&variable.value) || message.contains(&value))
        };
        let hints: Vec<String> = self
            .variables
            .iter()
            .filter(is_about)
            .map(Variable::hint)
            .collect();
        self.voice.fail(class, message, &hints, exit_code)
    }
}

/// Parses a command line; prints help and usage errors at once.
pub fn parse(words: &[OsString]) -> Invocation {
    let voice = Voice::of_words(words);
    let mut command = definition().color(voice.color());
    let name = OsString::from("drugs-rs");
    let parsed = command
        .try_get_matches_from_mut(std::iter::once(&name).chain(words))
        .and_then(|mut matches| {
            let variables = variables(&command, &matches)?;
            let arguments = Arguments::from_arg_matches_mut(&mut matches)?;
            Ok((arguments, variables))
        });
    match parsed {
        Ok((arguments, variables)) => Invocation::Command(Box::new(ParsedCommand {
            command: arguments.command,
            verbose: arguments.verbose,
            voice,
            variables,
        })),
        Err(error) if error.use_stderr() => {
            let hints: Vec<String> = hint(&command, &error, words).into_iter().collect();
            Invocation::Done(voice.fail_usage(&error, &hints))
        }
        Err(asked) => {
            // Help and version; a closed pipe is no error.
            let _ = asked.print();
            Invocation::Done(0)
        }
    }
}

/// The definition of the command line. The help shows the names of variables but not their values, which may be
/// secrets.
pub(super) fn definition() -> clap::Command {
    fn without_values(command: clap::Command) -> clap::Command {
        command
            .mut_args(|argument| argument.hide_env_values(true))
            .mut_subcommands(without_values)
    }
    without_values(Arguments::command())
}

/// The options that the environment sets. An error if two options of the command line exclude each other: clap would also
/// reject an option that overrides a variable of the environment, and it does not know a subcommand's options where a
/// global one is defined.
fn variables(command: &clap::Command, matches: &ArgMatches) -> Result<Vec<Variable>, clap::Error> {
    let (mut leaf, mut matches) = (command, matches);
    while let Some((name, below)) = matches.subcommand() {
        let Some(found) = leaf.find_subcommand(name) else {
            break;
        };
        (leaf, matches) = (found, below);
    }
    let is_given = |id: &str| {
        let is_known = leaf.get_arguments().any(|argument| argument.get_id() == id);
        is_known && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    for [first, second] in exclusive_flags().chain([["quiet", "verbose"]]) {
        if is_given(first) && is_given(second) {
            let [first, second] = [first, second].map(|id| id.replace('_', "-"));
            let message = format!("the argument '--{first}' cannot be used with '--{second}'");
            return Err(leaf.clone().error(ErrorKind::ArgumentConflict, message));
        }
    }
    let from_environment = leaf.get_arguments().filter_map(|argument| {
        let is_set = matches.value_source(argument.get_id().as_str()) == Some(ValueSource::EnvVariable);
        let name = argument.get_env().filter(|_| is_set)?;
        Some(Variable::new(argument, name, &std::env::var_os(name)?))
    });
    Ok(from_environment.collect())
}

fn option_name(argument: &clap::Arg) -> String {
    match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => argument.get_id().as_str().to_uppercase(),
    }
}

/// The origin of a value that clap rejected, if it is not the command line.
fn hint(command: &clap::Command, error: &clap::Error, words: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(refused)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let mut leaf = command;
    for word in words {
        let below = word.to_str().and_then(|word| leaf.find_subcommand(word));
        leaf = below.unwrap_or(leaf);
    }
    let argument = leaf
        .get_arguments()
        .find(|argument| argument.to_string() == *refused)?;
    let name = argument.get_env()?;
    let option = option_name(argument);
    let is_given = words.iter().filter_map(|word| word.to_str()).any(|word| {
        let rest = word.strip_prefix(option.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    let value = std::env::var_os(name).filter(|_| !is_given)?;
    Some(Variable::new(argument, name, &value).hint())
}
