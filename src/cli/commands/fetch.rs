//! `drugs-rs fetch`: its options and its output for people.

use std::fmt::Write as _;

use clap::Args;
use indicatif::HumanBytes;

use crate::cli::options::{Output, choice};
use crate::cli::output::table::print_table;
use crate::error::Result;
use crate::fetch::{FetchReport, FetchSettings, FetchSource, FileStatus, PubmedPart, fetch, parse_day};
use crate::task::Task;

/// At most this many files are listed for people.
const MOST_ROWS: usize = 30;

#[derive(Debug, Args)]
pub(in crate::cli) struct FetchArguments {
    /// What to fetch
    #[arg(value_name = "SOURCE", value_parser = choice::<FetchSource>())]
    pub source: FetchSource,
    /// Where to put the files: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(long, value_name = "FOLDER")]
    pub to: String,
    /// Which files of PubMed
    #[arg(long, value_name = "PART", default_value = "all", value_parser = choice::<PubmedPart>())]
    pub part: PubmedPart,
    /// PubMed: only files that NLM listed on this day or later; clinicaltrials: only studies updated on this day or later
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// The last of these days
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// PubMed: only files from this number on, such as 1275 for pubmed26n1275.xml.gz
    #[arg(long, value_name = "NUMBER")]
    pub first: Option<u64>,
    /// Fetch at most this many files; the next fetch goes on
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<u64>,
    /// Another server, such as a mirror: its address of the folder with baseline/ and updatefiles/, or of the API
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// How many files of PubMed to download at a time, at most 8
    #[arg(long, value_name = "NUMBER", default_value_t = FetchSettings::default().parallel)]
    pub parallel: u64,
    /// How often a request is sent before the fetch fails
    #[arg(long, value_name = "NUMBER", default_value_t = FetchSettings::default().attempts)]
    pub attempts: u64,
    /// Seconds without a byte before a connection counts as broken
    #[arg(long, value_name = "SECONDS", default_value_t = FetchSettings::default().timeout)]
    pub timeout: u64,
    /// List the files that would be fetched, with their bytes, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub output: Output,
}

/// Fetches, and returns the text to print and the warnings.
pub(in crate::cli) fn fetched(arguments: &FetchArguments, task: &Task) -> Result<(String, Vec<String>)> {
    let day = |argument: &str, text: &Option<String>| {
        text.as_deref().map(|text| parse_day(argument, text)).transpose()
    };
    let settings = FetchSettings {
        part: arguments.part,
        since: day("--since", &arguments.since)?,
        until: day("--until", &arguments.until)?,
        first: arguments.first,
        limit: arguments.limit,
        base_url: arguments.base_url.clone(),
        parallel: arguments.parallel,
        attempts: arguments.attempts,
        timeout: arguments.timeout,
        dry_run: arguments.dry_run,
    };
    let report = fetch(arguments.source, &arguments.to, &settings, task)?;
    let output = &arguments.output;
    let text = match (output.json, output.quiet) {
        (true, _) => report.to_json()?,
        (false, true) => String::new(),
        (false, false) => summary(&report),
    };
    let warnings = if output.quiet { Vec::new() } else { report.warnings };
    Ok((text, warnings))
}

fn summary(report: &FetchReport) -> String {
    let mut text = format!(
        "fetch {} into {} ({:.2} s",
        report.source, report.to, report.seconds
    );
    text.push_str(match (report.dry_run, report.unchanged) {
        (_, true) => ", nothing to do)\n",
        (true, false) => ", dry run)\n",
        (false, false) => ")\n",
    });
    let verb = if report.dry_run { "to fetch" } else { "fetched" };
    let _ = write!(
        text,
        "{} files {verb}, {}, {} there already",
        report.fetched,
        HumanBytes(report.bytes),
        report.present
    );
    match report.left {
        0 => text.push('\n'),
        // How many pages are left only the server knows.
        _ if report.studies.is_some() => text.push_str(", more left for the next fetch\n"),
        left => {
            let _ = writeln!(text, ", {left} left for the next fetch");
        }
    }
    if let (Some(studies), Some(made)) = (report.studies, &report.data_timestamp) {
        let _ = writeln!(text, "{studies} studies, of the data of {made}");
    }
    let new: Vec<_> = report
        .files
        .iter()
        .filter(|file| file.status != FileStatus::Present)
        .collect();
    if !new.is_empty() {
        let mut table = vec![["file", "bytes", ""].map(str::to_owned)];
        for file in new.iter().take(MOST_ROWS) {
            let status = match file.status {
                FileStatus::Fetched | FileStatus::Missing | FileStatus::Present => "",
                FileStatus::Replaced => "published again",
                FileStatus::Unverified => "there, to be verified",
            };
            table.push([file.path.clone(), file.bytes.to_string(), status.to_owned()]);
        }
        text.push('\n');
        print_table(&mut text, &table, new.len());
    }
    text
}
