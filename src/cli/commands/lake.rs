//! `drugs-rs lake`: what is in a lake, as tables, and whether it is as it was written.

use super::lake_explain::explain;
use super::lake_history::history;
use super::lake_quality::quality;
use crate::api::lake_drop::lake_drop;
use crate::api::lake_tables::{lake_compact, lake_files, lake_states, lake_status, lake_tables, lake_vacuum};
use crate::cli::arguments::{LakeCommand, VerifyArguments};
use crate::cli::outcome::Outcome;
use crate::cli::output::table::printed;
use crate::error::Result;
use crate::lake::dt::Dt;
use crate::lake::report::to_json;
use crate::lake::table_files::PartitionFilter;
use crate::lake::verify::verify;
use crate::lake::{LakeAddress, WantedState, existing_lake_for};
use crate::steps::drop::DropTarget;
use crate::task::Task;

/// Runs a command of `drugs-rs lake`.
pub(in crate::cli) fn lake(command: &LakeCommand, task: &Task) -> Result<Outcome> {
    let (table, print) = match command {
        LakeCommand::Verify(arguments) => return verify_lake(arguments, task),
        LakeCommand::Tables(arguments) => {
            let lake = address(&arguments.lake, arguments.state).open(task)?;
            (lake_tables(lake.as_ref())?, &arguments.print)
        }
        LakeCommand::States(arguments) => {
            let lake = existing_lake_for(&arguments.lake, task)?;
            (lake_states(lake.as_ref())?, &arguments.print)
        }
        LakeCommand::Compact(arguments) => {
            let lake = existing_lake_for(&arguments.lake, task)?;
            let compacted = lake_compact(lake.as_ref(), arguments.older_than_days, task)?;
            (compacted, &arguments.print)
        }
        LakeCommand::Drop(arguments) => {
            let date = |text: &Option<String>| text.as_deref().map(Dt::parse).transpose();
            let (before, dt) = (date(&arguments.before)?, date(&arguments.dt)?);
            let target = DropTarget::of(before, dt, arguments.publication_id.as_deref())?;
            let lake = existing_lake_for(&arguments.lake, task)?;
            let dropped = lake_drop(lake.as_ref(), &target, arguments.dry_run, task)?;
            (dropped, &arguments.print)
        }
        LakeCommand::Vacuum(arguments) => {
            let (lake, keep) = (existing_lake_for(&arguments.lake, task)?, arguments.keep.parse()?);
            (
                lake_vacuum(lake.as_ref(), keep, arguments.dry_run)?,
                &arguments.print,
            )
        }
        LakeCommand::Status(arguments) => {
            let lake = address(&arguments.lake, arguments.state).open(task)?;
            (lake_status(lake.as_ref())?, &arguments.print)
        }
        LakeCommand::History(arguments) => return Ok(Outcome::of_text(history(arguments, task)?)),
        LakeCommand::Quality(arguments) => return quality(arguments, task),
        LakeCommand::Explain(arguments) => return Ok(Outcome::of_text(explain(arguments, task)?)),
        LakeCommand::Files(arguments) => {
            let dates = arguments.dates.iter().map(|dt| Dt::parse(dt));
            let filter = PartitionFilter {
                kinds: (!arguments.kinds.is_empty()).then(|| arguments.kinds.iter().copied().collect()),
                dates: (!arguments.dates.is_empty())
                    .then(|| dates.collect::<Result<_>>())
                    .transpose()?,
            };
            let lake = address(&arguments.lake, arguments.state).open(task)?;
            (
                lake_files(lake.as_ref(), &arguments.table, &filter)?,
                &arguments.print,
            )
        }
    };
    Ok(Outcome::of_text(printed(&table, print.format())?))
}

/// A lake, or an earlier state of it.
fn address(root: &str, state: Option<WantedState>) -> LakeAddress {
    let root = root.to_owned();
    LakeAddress { root, state }
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
