//! `drugs-rs lake`: what is in a lake, as tables, and whether it is as it was written.

use clap::{Args, Subcommand};

use super::answer::{PrintOptions, printed};
use super::options::{Output, choice};
use super::outcome::Outcome;
use crate::api::lake_tables::{lake_files, lake_history, lake_status, lake_tables};
use crate::error::Result;
use crate::lake::dt::Dt;
use crate::lake::existing_lake_for;
use crate::lake::report::to_json;
use crate::lake::table_files::PartitionFilter;
use crate::lake::verify::verify;
use crate::schema::PublicationKind;
use crate::task::Task;

#[derive(Debug, Subcommand)]
pub(super) enum LakeCommand {
    /// List the tables with their rows, files and meaning
    Tables(LakeTableArguments),
    /// List the files with the current rows of a table, readable by any Parquet reader
    Files(FilesArguments),
    /// Show each delivered partition: its rows, the rejected share, and whether its date is held
    Status(LakeTableArguments),
    /// List the runs that changed the lake
    History(LakeTableArguments),
    /// Compare every file of the current state with the digest in its manifest; exit code 1 if one differs
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
pub(super) struct LakeTableArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    lake: String,
    #[command(flatten)]
    print: PrintOptions,
}

#[derive(Debug, Args)]
pub(super) struct FilesArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE")]
    lake: String,
    /// The table, as `drugs-rs lake tables` names it
    #[arg(value_name = "TABLE")]
    table: String,
    /// Only files of this date; repeatable
    #[arg(long = "dt", value_name = "DATE")]
    dates: Vec<String>,
    /// Only files of this kind of publication; repeatable
    #[arg(long = "kind", value_name = "KIND", value_parser = choice::<PublicationKind>())]
    kinds: Vec<PublicationKind>,
    #[command(flatten)]
    print: PrintOptions,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    lake: String,
    #[command(flatten)]
    output: Output,
}

/// Runs a command of `drugs-rs lake`.
pub(super) fn lake(command: &LakeCommand, task: &Task) -> Result<Outcome> {
    let (table, print) = match command {
        LakeCommand::Verify(arguments) => return verify_lake(arguments, task),
        LakeCommand::Tables(arguments) => {
            let lake = existing_lake_for(&arguments.lake, task)?;
            (lake_tables(lake.as_ref())?, &arguments.print)
        }
        LakeCommand::Status(arguments) => {
            let lake = existing_lake_for(&arguments.lake, task)?;
            (lake_status(lake.as_ref())?, &arguments.print)
        }
        LakeCommand::History(arguments) => {
            let lake = existing_lake_for(&arguments.lake, task)?;
            (lake_history(lake.as_ref())?, &arguments.print)
        }
        LakeCommand::Files(arguments) => {
            let dates = arguments.dates.iter().map(|dt| Dt::parse(dt));
            let filter = PartitionFilter {
                kinds: (!arguments.kinds.is_empty()).then(|| arguments.kinds.iter().copied().collect()),
                dates: (!arguments.dates.is_empty())
                    .then(|| dates.collect::<Result<_>>())
                    .transpose()?,
            };
            let lake = existing_lake_for(&arguments.lake, task)?;
            (
                lake_files(lake.as_ref(), &arguments.table, &filter)?,
                &arguments.print,
            )
        }
    };
    Ok(Outcome::of_text(printed(&table, print.format())?))
}

/// Checks a lake; a file that differs is a failure, but the result is printed too.
fn verify_lake(arguments: &VerifyArguments, task: &Task) -> Result<Outcome> {
    let found = verify(existing_lake_for(&arguments.lake, task)?.as_ref(), task)?;
    let text = if arguments.output.json {
        format!("{}\n", to_json(&found)?)
    } else if arguments.output.quiet {
        String::new()
    } else if found.damaged.is_empty() {
        format!(
            "{} files with {} bytes are as they were written\n",
            found.files, found.bytes
        )
    } else {
        let lines = found.damaged.iter();
        lines
            .map(|damage| format!("{}: {}\n", damage.path, damage.found))
            .collect()
    };
    Ok(Outcome::of_text(text).with_failure(found.check().err()))
}
