//! Executes the parsed command.

use serde::Serialize;

use super::arguments::{Command, ExplainArguments};
use super::commands::answer::answer;
use super::commands::diff::diff;
use super::commands::evidence::evidence;
#[cfg(feature = "cloud")]
use super::commands::fetch::fetched;
use super::commands::gaps::gaps;
use super::commands::lake::lake;
use super::commands::mentions::match_texts;
use super::commands::rejected::{rejected, replayed};
use super::commands::{generate, manual, plan};
use super::options::Output;
use super::options::publication_sources::PublicationSources;
use super::outcome::Outcome;
use super::output::printing::not_printed;
use super::output::summary;
use super::output::voice::Voice;
use super::parse::ParsedCommand;
use super::settings::{entries, gold_settings, reading, silver_settings};
use crate::api::matching::read_standard_input;
use crate::api::source_lists::Lists;
use crate::error::{Error, Result, shown};
use crate::lake::dt::RunDates;
use crate::lake::holds::{hold, release};
use crate::lake::open::{existing_lake_for, open_lake_for};
use crate::lake::report::StepReport;
use crate::matcher::Matcher;
use crate::schema::{SourceTable, describe_tables};
use crate::steps::backfill::{backfill, of_date};
use crate::steps::bronze::{BronzeSource, bronze};
use crate::steps::gold::{explain_plan, gold};
use crate::steps::run;
use crate::steps::run_plan::plan_run;
use crate::steps::silver::{SilverSettings, silver};
use crate::task::Task;

/// Executes a command.
pub fn execute(command: &ParsedCommand, task: &Task) -> Result<Outcome> {
    let mut lists = Lists::default();
    done(&command.command, &command.voice, &mut lists, task).map_err(|error| lists.place(error))
}

fn done(command: &Command, voice: &Voice, lists: &mut Lists, task: &Task) -> Result<Outcome> {
    let (report, output) = match command {
        Command::Run(arguments) => {
            let dates = arguments.lake.dates()?;
            let sources = sources(&arguments.drugs, &arguments.publications, lists, task)?;
            let sources = arguments.snapshot.apply(sources)?;
            let silver = silver_settings(&arguments.reading, task)?;
            let gold = gold_settings(&arguments.matching, &arguments.gold, task)?;
            let lake = open_lake_for(&arguments.lake.out, task)?;
            if arguments.gold.explain_plan {
                let RunDates::One(dt) = dates else {
                    let expected = "one date (--dt); for several, plan each";
                    return Err(Error::argument(
                        "--explain-plan",
                        "several dates (--dates)",
                        expected,
                    ));
                };
                let sources = of_date(&sources, dt);
                let plan = plan_run(lake.as_ref(), &sources, dt, (&silver, &gold), task)?;
                return plan::of_run(&plan, &arguments.output);
            }
            let report = match dates {
                RunDates::One(dt) => {
                    run::run(lake.as_ref(), &of_date(&sources, dt), dt, &silver, &gold, task)?
                }
                RunDates::Each(dates) => backfill(lake.as_ref(), &sources, dates, &silver, &gold, task)?,
            };
            (report, &arguments.output)
        }
        Command::Bronze(arguments) => {
            let dt = arguments.lake.dt()?;
            let sources = sources(&arguments.drugs, &arguments.publications, lists, task)?;
            let mut sources = arguments.snapshot.apply(sources)?;
            match (sources.as_mut_slice(), &arguments.name) {
                ([], _) => {
                    let expected = format!("at least one of {}", SourceTable::names("--").replace('_', "-"));
                    return Err(Error::argument("bronze", "no source", &expected));
                }
                ([source], Some(name)) => source.name.clone_from(name),
                (_, Some(name)) => {
                    let expected = "a name only where one source is given";
                    return Err(Error::argument(
                        "--name",
                        format!("`{name}` for several sources"),
                        expected,
                    ));
                }
                (_, None) => {}
            }
            (
                bronze(
                    open_lake_for(&arguments.lake.out, task)?.as_ref(),
                    &sources,
                    dt,
                    task,
                )?,
                &arguments.output,
            )
        }
        Command::Silver(arguments) => {
            let dt = arguments.lake.dt()?;
            let tables = (!arguments.tables.is_empty()).then_some(arguments.tables.as_slice());
            let lake = existing_lake_for(&arguments.lake.out, task)?;
            let settings = SilverSettings {
                hold: arguments.hold,
                ..silver_settings(&arguments.reading, task)?
            };
            let report = silver(lake.as_ref(), tables, dt, &settings, task)?;
            (report, &arguments.output)
        }
        Command::Gold(arguments) => {
            let dt = arguments.lake.dt()?;
            let settings = gold_settings(&arguments.matching, &arguments.gold, task)?;
            let lake = existing_lake_for(&arguments.lake.out, task)?;
            if arguments.gold.explain_plan {
                let plan = explain_plan(lake.as_ref(), dt, &settings, task)?;
                return plan::of_gold(&plan, &arguments.output);
            }
            (gold(lake.as_ref(), dt, &settings, task)?, &arguments.output)
        }
        Command::Hold(arguments) => {
            let dt = arguments.lake.dt()?;
            let lake = existing_lake_for(&arguments.lake.out, task)?;
            (
                hold(lake.as_ref(), dt, &arguments.reason, task)?,
                &arguments.output,
            )
        }
        Command::Release(arguments) => {
            let dt = arguments.lake.dt()?;
            let lake = existing_lake_for(&arguments.lake.out, task)?;
            (release(lake.as_ref(), dt, task)?, &arguments.output)
        }
        Command::Rejected(arguments) => return rejected(arguments, task),
        Command::Replay(arguments) => return replayed(arguments, task),
        Command::Answer(arguments) => return Ok(Outcome::of_text(answer(arguments, task)?)),
        Command::Diff(arguments) => return diff(arguments, task),
        Command::Evidence(arguments) => return Ok(Outcome::of_text(evidence(arguments, task)?)),
        Command::Gaps(arguments) => return Ok(Outcome::of_text(gaps(arguments, task)?)),
        Command::Schema(arguments) => {
            let text = describe_tables(&arguments.format, arguments.table.as_deref())?;
            return Ok(Outcome::of_text(text));
        }
        Command::Lake(command) => return lake(command, task),
        Command::Match(arguments) => return match_texts(arguments, voice, lists, task),
        Command::Explain(arguments) => return explain(arguments, lists, task),
        #[cfg(feature = "cloud")]
        Command::Fetch(arguments) => {
            let (text, warnings) = fetched(arguments, task)?;
            return Ok(Outcome::of_text(text).with_warnings(warnings));
        }
        Command::Generate(arguments) => {
            return Ok(Outcome::of_text(generate::made(arguments, task)?));
        }
        Command::Load(_) => {
            return Err(Error::internal("loads run in Python"));
        }
        Command::Completions(arguments) => return Ok(Outcome::of_text(manual::completions(arguments))),
        Command::Man(arguments) => return Ok(Outcome::of_text(manual::man(arguments, task)?)),
    };
    outcome_of(&report, output)
}

/// The given sources, in the order of the tables.
fn sources(
    drugs: &[String],
    publications: &PublicationSources,
    lists: &mut Lists,
    task: &Task,
) -> Result<Vec<BronzeSource>> {
    let given = SourceTable::ALL.map(|table| {
        let words = table
            .publication_kind()
            .map_or(drugs, |kind| publications.of(kind));
        (table, words)
    });
    given
        .into_iter()
        .filter(|(_, words)| !words.is_empty())
        .map(|(table, words)| Ok(BronzeSource::new(table, lists.names(words, task)?)))
        .collect()
}

fn outcome_of(report: &StepReport, output: &Output) -> Result<Outcome> {
    let text = if output.json && !report.dates.is_empty() {
        report.to_lines()?
    } else if output.json {
        report.to_json()?
    } else if output.quiet {
        String::new()
    } else {
        summary::of(report)?
    };
    let warnings = if output.quiet {
        Vec::new()
    } else {
        report.warnings()
    };
    Ok(Outcome::of_text(text).with_warnings(warnings))
}

#[derive(Serialize)]
struct Explanation<'e> {
    drug: &'e str,
    explanation: &'e str,
}

fn explain(arguments: &ExplainArguments, lists: &mut Lists, task: &Task) -> Result<Outcome> {
    let reading = reading(&arguments.bytes);
    let standard_input = arguments.text == "-";
    let entries = entries(&arguments.vocabulary, reading, standard_input, lists, task)?;
    let matcher = Matcher::build(&entries, &arguments.matching.settings(task)?, task)?;
    let text = match arguments.text.as_str() {
        "-" => read_standard_input(reading, task)?,
        text => text.to_owned(),
    };
    let drug = arguments.drug.as_str();
    // The usage is right and the vocabulary lacks the drug: bad input, with exit code 1.
    let explanation = matcher.explain(&text, drug).map_err(|error| match error {
        Error::Argument { .. } => Error::SourceNotFound {
            uri: format!("`{}` in {}", shown(drug), arguments.vocabulary.join(", ")),
            expected: "a name of the vocabulary, or a code as it is written there".to_owned(),
        },
        other => other,
    })?;
    let mut line = if arguments.json {
        let explanation = Explanation {
            drug,
            explanation: &explanation,
        };
        serde_json::to_string(&explanation).map_err(|error| not_printed(&error.into()))?
    } else {
        explanation
    };
    line.push('\n');
    Ok(Outcome::of_text(line))
}
