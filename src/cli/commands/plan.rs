//! `--explain-plan`: what a run would do, and why, for people and programs.

use std::fmt::Write as _;

use crate::cli::options::Output;
use crate::cli::outcome::Outcome;
use crate::error::Result;
use crate::lake::report::to_json;
use crate::steps::gold::{GoldPlan, PartitionChange};
use crate::steps::run_plan::RunPlan;

/// At most this many partitions are listed for people.
const MOST_ROWS: usize = 30;

/// A plan of gold.
pub(in crate::cli) fn of_gold(plan: &GoldPlan, output: &Output) -> Result<Outcome> {
    if output.json {
        return Ok(Outcome::of_text(format!("{}\n", to_json(plan)?)));
    }
    let mut text = String::new();
    gold(&mut text, plan);
    Ok(Outcome::of_text(text))
}

/// A plan of a run.
pub(in crate::cli) fn of_run(plan: &RunPlan, output: &Output) -> Result<Outcome> {
    if output.json {
        return Ok(Outcome::of_text(format!("{}\n", to_json(plan)?)));
    }
    let mut text = String::new();
    for source in &plan.sources {
        let action = if source.changed { "copy and clean" } else { "keep" };
        let _ = writeln!(
            text,
            "{action} {} of dt={}: {} files, {} bytes: {}",
            source.name, plan.dt, source.files, source.bytes, source.reason
        );
    }
    if plan.sources.iter().any(|source| source.changed) {
        text.push_str("gold then adds these sources; besides, from the lake as it is now:\n");
    }
    match &plan.gold {
        Some(plan) => gold(&mut text, plan),
        None => text.push_str("gold: everything, for the lake has no vocabulary yet\n"),
    }
    Ok(Outcome::of_text(text))
}

fn gold(text: &mut String, plan: &GoldPlan) {
    if plan.unchanged {
        let _ = writeln!(
            text,
            "gold: nothing to do, it holds everything up to {}",
            plan.as_of
        );
        return;
    }
    let _ = writeln!(text, "gold as of {}:", plan.as_of);
    if let Some(reason) = &plan.everything {
        let _ = writeln!(text, "  everything is made: {reason}");
    }
    if let Some(reason) = &plan.mentions {
        let _ = writeln!(text, "  all mentions are searched again: {reason}");
    }
    for [name, before, now] in &plan.settings {
        let _ = writeln!(
            text,
            "  {name} changes from {before} to {now}: answers and counts are made with it"
        );
    }
    for partition in plan.partitions.iter().take(MOST_ROWS) {
        let action = match partition.change {
            PartitionChange::New => "add",
            PartitionChange::Replaced => "replace",
            PartitionChange::Removed => "take out",
            PartitionChange::Kept => "repair",
        };
        let (kind, dt, rows, reason) = (
            partition.kind.name(),
            &partition.dt,
            partition.rows,
            &partition.reason,
        );
        let _ = writeln!(text, "  {action} kind={kind} dt={dt}, {rows} rows: {reason}");
    }
    if plan.partitions.len() > MOST_ROWS {
        let _ = writeln!(
            text,
            "  and {} partitions more",
            plan.partitions.len() - MOST_ROWS
        );
    }
    let _ = writeln!(
        text,
        "  {} partitions are kept, but for rows that others replace or bring back",
        plan.kept
    );
    if plan.graph {
        text.push_str("  drug_graph.json is written whole, from all tables (--graph none leaves it out)\n");
    }
}
