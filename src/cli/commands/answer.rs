//! `drugs-rs answer`: any registered answer, with a flag for each option that one of them has.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::api::answers::read_graph;
use crate::choice::Choice;
use crate::cli::output::table::{PrintOptions, printed};
use crate::error::Result;
use crate::graph::{ANSWERS, AnswerOption, OptionValue, ask};
use crate::lake::open::existing_lake_for;
use crate::schema::DrugUnit;
use crate::task::Task;

#[derive(Debug, Args)]
#[command(after_help = answers_in_help())]
pub(in crate::cli) struct AnswerArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE")]
    lake: String,
    /// The answer
    #[arg(value_name = "ANSWER")]
    name: String,
    #[command(flatten)]
    options: AnswerOptions,
    #[command(flatten)]
    print: PrintOptions,
}

/// The options that were given, by name with their values.
#[derive(Debug, Default)]
struct AnswerOptions(Vec<(String, String)>);

/// The options of all answers, each once.
fn options() -> Vec<&'static AnswerOption> {
    let mut options: Vec<&AnswerOption> = Vec::new();
    for option in ANSWERS.iter().flat_map(|answer| answer.options) {
        if !options.iter().any(|known| known.name == option.name) {
            options.push(option);
        }
    }
    options
}

impl Args for AnswerOptions {
    fn augment_args(command: Command) -> Command {
        options().into_iter().fold(command, |command, option| {
            let (placeholder, default) = match option.value {
                OptionValue::Drug => ("DRUG", String::new()),
                OptionValue::Number { default, .. } => ("N", format!(" [default: {default}]")),
                OptionValue::Unit => ("UNIT", " [default: substance]".to_owned()),
            };
            let flag = Arg::new(option.name)
                .long(option.flag)
                .value_name(placeholder)
                .help(format!("{}{default}", option.sentence));
            command.arg(match option.value {
                OptionValue::Unit => flag.env("DRUGS_RS_UNIT").value_parser(unit_names()),
                _ => flag,
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for AnswerOptions {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let given = options().into_iter().filter_map(|option| {
            let value = matches.get_one::<String>(option.name)?;
            Some((option.name.to_owned(), value.clone()))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The names of units, as text: the answer parses its options itself.
fn unit_names() -> PossibleValuesParser {
    PossibleValuesParser::new(DrugUnit::CHOICES.iter().map(|unit| unit.choice_name()))
}

/// What can be asked, for the help.
fn answers_in_help() -> String {
    let lines = ANSWERS.iter().map(|answer| {
        let flags: Vec<String> = answer
            .options
            .iter()
            .map(|option| format!("--{}", option.flag))
            .collect();
        format!(
            "  {}: {} Options: {}",
            answer.name,
            answer.sentence,
            flags.join(", ")
        )
    });
    format!("Answers:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// The table of an answer as text.
pub(in crate::cli) fn answer(arguments: &AnswerArguments, task: &Task) -> Result<Vec<u8>> {
    // A wrong name costs no reading of the graph.
    crate::graph::find_answer(&arguments.name)?;
    let graph = read_graph(existing_lake_for(&arguments.lake, task)?.as_ref())?;
    let table = ask(&graph, &arguments.name, &arguments.options.0, task)?;
    printed(&table, arguments.print.format())
}
