//! `drugs-rs generate`: its options and its output for people.

use std::fmt::Write as _;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::api::generate::generate;
use crate::cli::options::{Output, choice};
use crate::error::{Error, Result};
use crate::generate::{Delivery, Format, GenerateSettings, MadeTable, Packing, Shares};
use crate::task::Task;

#[derive(Debug, Args)]
pub(in crate::cli) struct GenerateArguments {
    /// A new folder for the sources: drugs/, pubmed/, clinical_trials/, and the truth about them
    #[arg(long, value_name = "FOLDER")]
    pub out: String,
    /// The same seed gives the same bytes, on every machine
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many articles
    #[arg(long, value_name = "NUMBER", default_value_t = 7_000)]
    pub articles: u64,
    /// How many clinical trials
    #[arg(long, value_name = "NUMBER", default_value_t = 3_000)]
    pub trials: u64,
    /// How many drugs
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    pub drugs: u64,
    /// How many journals
    #[arg(long, value_name = "NUMBER", default_value_t = 300)]
    pub journals: u64,
    /// The format of the articles
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = format_of(MadeTable::Articles))]
    pub articles_format: Format,
    /// The format of the clinical trials
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = format_of(MadeTable::Trials))]
    pub trials_format: Format,
    /// The format of the drugs
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = format_of(MadeTable::Drugs))]
    pub drugs_format: Format,
    /// Split articles and trials into this many files each
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub files: u64,
    /// How files are compressed, except for Parquet
    #[arg(long, value_name = "PACKING", default_value = "none", value_parser = choice::<Packing>())]
    pub packing: Packing,
    /// The share of records with an abstract, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub abstracts: f64,
    /// The share of records with a kind of dirt, such as bad_date=0.1; repeatable
    #[arg(long, value_name = "KIND=SHARE")]
    pub dirt: Vec<String>,
    /// No dirt except that of --dirt
    #[arg(long)]
    pub clean: bool,
    /// Generate one delivery of a world that is cut into several (--of), such as 3; needs no other delivery
    #[arg(long, value_name = "NUMBER")]
    pub delivery: Option<u64>,
    /// How many deliveries the articles and trials are cut into
    #[arg(long, value_name = "NUMBER")]
    pub of: Option<u64>,
    /// Corrections of earlier deliveries, as a share of the delivery's new records, such as 0.01
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    pub changed: f64,
    /// Replace whatever the folder holds
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub output: Output,
}

/// Parses the name of a format that a table can have.
fn format_of(table: MadeTable) -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(table.format_names())
        .try_map(move |name| Format::named(&name, table, table.folder()))
}

/// Generates the sources, and returns the text to print.
pub(in crate::cli) fn made(arguments: &GenerateArguments, task: &Task) -> Result<String> {
    let settings = settings(arguments)?;
    let (json, stood) = generate(&arguments.out, &settings, arguments.force, task)?;
    if arguments.output.json {
        return Ok(json);
    }
    if arguments.output.quiet {
        return Ok(String::new());
    }
    let out = &arguments.out;
    let mut text = format!(
        "generated into {out}{}\n",
        if stood { " (nothing to do)" } else { "" }
    );
    let mut sources = String::new();
    for (flag, table) in [
        ("--drugs", MadeTable::Drugs),
        ("--pubmed", MadeTable::Articles),
        ("--clinical-trials", MadeTable::Trials),
    ] {
        // A table without rows has no folder.
        if !settings.numbers(table).is_empty() {
            let _ = write!(sources, " {flag} {out}/{}", table.folder());
        }
    }
    let _ = writeln!(text, "  drugs-rs run{sources} --out LAKE --dt DATE");
    let _ = writeln!(
        text,
        "  {out}/truth/ says what must be found, {out}/_generated.json what must become of the rows"
    );
    Ok(text)
}

fn settings(arguments: &GenerateArguments) -> Result<GenerateSettings> {
    let mut dirt = if arguments.clean {
        Shares::none()
    } else {
        Shares::default()
    };
    for setting in &arguments.dirt {
        let share = setting
            .split_once('=')
            .and_then(|(name, share)| Some((name, share.parse().ok()?)));
        let Some((name, share)) = share else {
            return Err(Error::argument(
                "--dirt",
                format!("`{setting}`"),
                "KIND=SHARE, such as bad_date=0.1",
            ));
        };
        dirt.set(name, share)?;
    }
    Ok(GenerateSettings {
        seed: arguments.seed,
        articles: arguments.articles,
        trials: arguments.trials,
        drugs: arguments.drugs,
        journals: arguments.journals,
        articles_format: arguments.articles_format,
        trials_format: arguments.trials_format,
        drugs_format: arguments.drugs_format,
        files: arguments.files,
        packing: arguments.packing,
        abstracts: arguments.abstracts,
        dirt,
        delivery: Delivery::from_arguments(arguments.delivery, arguments.of, arguments.changed)?,
    })
}
