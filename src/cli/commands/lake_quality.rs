//! `drugs-rs lake quality`: what a data contract says of a lake.

use chrono::Utc;
use clap::Args;

use crate::api::contracts::required_contract;
use crate::api::quality::{LakeQuality, lake_objectives, lake_quality};
use crate::cli::outcome::Outcome;
use crate::error::Result;
use crate::lake::LakeAddress;
use crate::lake::dt::Dt;
use crate::lake::report::to_json;
use crate::quality::contracts::{Contract, RuleSeverity};
use crate::task::Task;

#[derive(Debug, Args)]
pub(in crate::cli) struct QualityArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    lake: String,
    /// The contract: `default`, which comes with the program, or the file or URI of one in the Open Data Contract Standard
    #[arg(long, value_name = "CONTRACT", default_value = Contract::DEFAULT, env = "DRUGS_RS_CONTRACT")]
    contract: String,
    /// Measure the objectives alone, which reads few files
    #[arg(long)]
    objectives: bool,
    /// Measure freshness on this day instead of today (UTC)
    #[arg(long, value_name = "DATE")]
    today: Option<String>,
    /// Print JSON; errors are JSON lines on stderr
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Prints what the contract says; a broken rule of severity `error` and a missed objective are failures, but the result is
/// printed too.
pub(super) fn quality(arguments: &QualityArguments, task: &Task) -> Result<Outcome> {
    let today = match &arguments.today {
        None => Utc::now().date_naive(),
        Some(day) => Dt::parse(day)?.day(),
    };
    let contract = required_contract(&arguments.contract, task)?;
    let lake = LakeAddress {
        root: arguments.lake.clone(),
        state: None,
    };
    let judge = if arguments.objectives {
        lake_objectives
    } else {
        lake_quality
    };
    let found = judge(&lake, &contract, today, task)?;
    let text = if arguments.json {
        format!("{}\n", to_json(&found)?)
    } else {
        for_people(&found)
    };
    Ok(Outcome::of_text(text).with_failure(found.check(&lake).err()))
}

fn for_people(found: &LakeQuality) -> String {
    let mut text = String::new();
    for severity in [RuleSeverity::Warning, RuleSeverity::Info] {
        for sentence in found.faults(severity) {
            text.push_str(&sentence);
            text.push('\n');
        }
    }
    let kept = found.rules.iter().filter(|result| result.passed).count();
    let reached = found.objectives.iter().filter(|result| result.passed).count();
    text.push_str(&format!(
        "contract {}: {kept} of {} rules are kept, {reached} of {} objectives reached\n",
        found.contract,
        found.rules.len(),
        found.objectives.len()
    ));
    text
}
