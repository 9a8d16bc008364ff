//! `drugs-rs evidence`: what says that a publication mentions a drug.

use clap::Args;

use crate::api::evidence::pair_evidence;
use crate::api::explain::MentionQuestion;
use crate::cli::options::choice;
use crate::error::Result;
use crate::lake::report::to_json;
use crate::lake::{LakeAddress, WantedState};
use crate::schema::PublicationKind;
use crate::task::Task;

#[derive(Debug, Args)]
pub(in crate::cli) struct EvidenceArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE")]
    lake: String,
    /// The drug: one of its names, or its code as the vocabulary writes it
    #[arg(value_name = "DRUG")]
    drug: String,
    /// The id of a publication that a state of the lake has
    #[arg(value_name = "PUBLICATION_ID")]
    publication_id: String,
    /// The kind of the publication; needed only if publications of several kinds have the id
    #[arg(long, value_name = "KIND", value_parser = choice::<PublicationKind>())]
    kind: Option<PublicationKind>,
    /// The lake in an earlier state: its number, or a date for the newest state that holds nothing after it
    #[arg(long, value_name = "STATE")]
    state: Option<WantedState>,
    /// Print JSON instead of a page for people; errors are JSON lines on stderr
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// The evidence as text.
pub(in crate::cli) fn evidence(arguments: &EvidenceArguments, task: &Task) -> Result<String> {
    let lake = LakeAddress {
        root: arguments.lake.clone(),
        state: arguments.state,
    };
    let question = MentionQuestion {
        publication_id: &arguments.publication_id,
        kind: arguments.kind,
        drug: &arguments.drug,
    };
    let found = pair_evidence(&lake, &question, task)?;
    if arguments.json {
        return Ok(format!("{}\n", to_json(&found)?.trim_end()));
    }
    Ok(found.to_text())
}
