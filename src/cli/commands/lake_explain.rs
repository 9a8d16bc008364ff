//! `drugs-rs lake explain`: why a drug is mentioned in a publication of a lake, or why it is not.

use clap::Args;

use crate::api::explain::{MentionQuestion, explain_mention};
use crate::cli::options::choice;
use crate::error::Result;
use crate::lake::existing_lake_for;
use crate::lake::report::to_json;
use crate::schema::PublicationKind;
use crate::task::Task;

#[derive(Debug, Args)]
pub(in crate::cli) struct LakeExplainArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE")]
    lake: String,
    /// The id of a current publication
    #[arg(value_name = "PUBLICATION_ID")]
    publication_id: String,
    /// The drug: one of its names, or its code as the vocabulary writes it
    #[arg(value_name = "DRUG")]
    drug: String,
    /// The kind of the publication; needed only if publications of several kinds have the id
    #[arg(long, value_name = "KIND", value_parser = choice::<PublicationKind>())]
    kind: Option<PublicationKind>,
    /// Print JSON with a sentence for each text instead of lines; errors are JSON lines on stderr
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// The explanation as text.
pub(in crate::cli) fn explain(arguments: &LakeExplainArguments, task: &Task) -> Result<String> {
    let lake = existing_lake_for(&arguments.lake, task)?.into();
    let question = MentionQuestion {
        publication_id: &arguments.publication_id,
        kind: arguments.kind,
        drug: &arguments.drug,
    };
    let explained = explain_mention(&lake, &question, task)?;
    let text = if arguments.json {
        to_json(&explained)?
    } else {
        explained.to_text()
    };
    Ok(format!("{text}\n"))
}
