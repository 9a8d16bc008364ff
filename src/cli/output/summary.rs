//! The report of a step for people: what was found, repaired and rejected, and where the files are.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::table::print_table;
use crate::api::answers;
use crate::choice::Choice;
use crate::error::Result;
use crate::graph::{DrugGraph, DrugGrouping, Shelf};
use crate::lake::layout;
use crate::lake::open::existing_lake;
use crate::lake::report::StepReport;
use crate::schema::{DrugUnit, Flag, PublicationKind, Reason};

/// At most this many rows of a table are shown.
const MOST_ROWS: usize = 15;

/// At most this many bytes of a graph are read for the tables of drugs and journals.
const LARGEST_GRAPH: u64 = 8 << 20;

/// The most publications of a graph that is read for these tables where it has no file.
const MOST_PUBLICATIONS: u64 = 50_000;

/// The summary of a report.
pub(in crate::cli) fn of(report: &StepReport) -> Result<String> {
    let date = if report.dates.is_empty() {
        format!("dt={}", report.dt)
    } else {
        report.dates.clone()
    };
    let mut text = format!("{} of {date} into {}", report.step, report.out);
    let _ = writeln!(
        text,
        " ({:.2} s{})",
        report.seconds,
        if report.unchanged { ", nothing to do" } else { "" }
    );
    dates(&mut text, report);
    if let Some(gold) = &report.gold {
        let _ = writeln!(
            text,
            "{} drugs, {} substances, {} publications, {} mentions, {} pairs, {} journals with a mention",
            gold.drugs, gold.substances, gold.publications, gold.mentions, gold.pairs, gold.journals
        );
        let (name, meaning) = (gold.unit.name(), gold.unit.meaning());
        let _ = writeln!(text, "counted by {name}: {meaning} (--unit {name})");
        if let Some(note) = gold.exclusive_note() {
            let _ = writeln!(text, "{note}");
        }
        if gold.excluded > 0 {
            let _ = writeln!(
                text,
                "publications not searched because of their status: {} (--exclude-status)",
                gold.excluded
            );
        }
        if gold.superseded + gold.deleted > 0 {
            let _ = writeln!(
                text,
                "rows of earlier dates: {} superseded, {} deleted",
                gold.superseded, gold.deleted
            );
        }
        // A larger graph takes longer to read than a day takes to compute.
        let graph = report
            .outputs
            .iter()
            .find(|output| output.path == layout::DRUG_GRAPH);
        let is_small = match graph {
            Some(graph) => graph.bytes <= LARGEST_GRAPH,
            None => gold.publications <= MOST_PUBLICATIONS,
        };
        if is_small {
            let graph = answers::read_graph(existing_lake(&report.out)?.as_ref())?;
            drugs(&mut text, &graph, gold.unit);
            journals(&mut text, &graph, gold.unit);
        }
    }
    held(&mut text, report);
    shrunk(&mut text, report);
    sources(&mut text, report);
    let totals = &report.totals;
    let heading = "Repaired or doubtful rows, kept with a flag";
    counted(&mut text, heading, "flag", &totals.flags, |name| {
        Flag::from_name(name).map(Flag::sentence)
    });
    counted(&mut text, "Rejected rows", "reason", &totals.rejected, |name| {
        Reason::from_name(name).map(Reason::sentence)
    });
    files(&mut text, report);
    Ok(text)
}

/// A line for each date of a run of several: its rows, or why it was skipped.
fn dates(text: &mut String, report: &StepReport) {
    if report.dates.is_empty() {
        return;
    }
    let mut rows: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for date in report.steps.iter().filter(|step| step.gold.is_none()) {
        let totals = &date.totals;
        let counts = [
            totals.rows_in,
            totals.rows_kept,
            totals.rows_merged,
            totals.rows_rejected,
        ];
        let counts = counts.iter().map(ToString::to_string);
        let seconds = format!("{:.2} s", date.seconds);
        let remark = if date.unchanged { "nothing to do" } else { "" };
        let row = std::iter::once(date.dt.clone())
            .chain(counts)
            .chain([seconds, remark.to_owned()]);
        rows.insert(&date.dt, row.collect());
    }
    for date in &report.skipped {
        let mut row = vec![String::new(); 7];
        row[0].clone_from(&date.dt);
        row[6] = format!("skipped: no {}", date.missing.join(", "));
        rows.insert(&date.dt, row);
    }
    let done = rows.len() - report.skipped.len();
    title(
        text,
        &format!("Dates: {done} run, {} skipped", report.skipped.len()),
    );
    let header = ["date", "read", "kept", "merged", "rejected", "time", ""].map(str::to_owned);
    let table: Vec<Vec<String>> = std::iter::once(header.to_vec())
        .chain(rows.into_values())
        .collect();
    print_table(text, &table, table.len() - 1);
    text.push('\n');
}

fn drugs(text: &mut String, graph: &DrugGraph, unit: DrugUnit) {
    let grouping = DrugGrouping::of(graph.drugs(), unit);
    let mut counts = vec![[0_u64; PublicationKind::ALL.len()]; graph.drugs().len()];
    for link in grouping.links(graph.links()) {
        counts[link.drug as usize][link.kind as usize] += 1;
    }
    let mut rows: Vec<u32> = grouping.firsts().collect();
    let publications = |drug: u32| counts[drug as usize].iter().sum::<u64>();
    rows.sort_by(|left, right| {
        publications(*right)
            .cmp(&publications(*left))
            .then(left.cmp(right))
    });
    let all = rows.len();
    let kinds: Vec<PublicationKind> = graph.kinds().collect();
    let mut header = vec!["drug", "code"];
    header.extend(kinds.iter().map(|kind| kind.description().column));
    let mut table: Vec<Vec<String>> = vec![header.into_iter().map(str::to_owned).collect()];
    for drug in rows.into_iter().take(MOST_ROWS) {
        let count = counts[drug as usize];
        let more = (0_u32..)
            .take(counts.len())
            .filter(|other| *other != drug && grouping.first(*other) == drug);
        let drug = &graph.drugs()[drug as usize];
        // A substance with one code is shown by its name in the vocabulary.
        let (name, code) = match more.count() {
            0 => (&drug.name, drug.atccode.clone()),
            more => (&drug.substance, format!("{} and {more} more", drug.atccode)),
        };
        let mut row = vec![name.clone(), code];
        row.extend(kinds.iter().map(|kind| count[*kind as usize].to_string()));
        table.push(row);
    }
    title(text, "Drugs and the publications that mention them");
    print_table(text, &table, all);
}

fn journals(text: &mut String, graph: &DrugGraph, unit: DrugUnit) {
    let shelf = Shelf::of(graph, &DrugGrouping::of(graph.drugs(), unit));
    let ranking = shelf.ranking(graph.journals());
    let counted = format!("different {}", unit.plural());
    let mut table = vec![["journal".to_owned(), counted.clone()]];
    for (journal, drugs) in ranking.iter().take(MOST_ROWS) {
        table.push([(*journal).to_owned(), drugs.to_string()]);
    }
    title(text, &format!("Journals by number of {counted}"));
    print_table(text, &table, ranking.len());
}

fn held(text: &mut String, report: &StepReport) {
    let held = report.held.as_deref().unwrap_or_default();
    if held.is_empty() {
        return;
    }
    title(text, "Held back: left out of gold until released");
    let mut table = vec![["date", "reason"].map(str::to_owned)];
    for date in held.iter().take(MOST_ROWS) {
        table.push([date.dt.clone(), date.reason.clone()]);
    }
    print_table(text, &table, held.len());
}

fn shrunk(text: &mut String, report: &StepReport) {
    if report.shrunk.is_empty() {
        return;
    }
    title(text, "Notice: fewer rows than in the delivery that was replaced");
    let mut table = vec![["table", "date", "before", "now"].map(str::to_owned)];
    for partition in report.shrunk.iter().take(MOST_ROWS) {
        let (before, now) = (partition.rows_before.to_string(), partition.rows.to_string());
        table.push([partition.table.clone(), partition.dt.clone(), before, now]);
    }
    print_table(text, &table, report.shrunk.len());
}

fn sources(text: &mut String, report: &StepReport) {
    if report.sources.is_empty() {
        return;
    }
    let bronze = report.step == "bronze";
    let mut table = Vec::new();
    if bronze {
        table.push(vec!["source".to_owned(), "type".to_owned(), "bytes".to_owned()]);
    } else {
        table.push(
            ["source", "read", "kept", "merged", "rejected", "blank lines"]
                .map(str::to_owned)
                .to_vec(),
        );
    }
    for source in report.sources.iter().take(MOST_ROWS) {
        table.push(if bronze {
            vec![
                source.uri.clone(),
                source.format.clone(),
                source.bytes.to_string(),
            ]
        } else {
            let counts = [
                source.rows_in,
                source.rows_kept,
                source.rows_merged,
                source.rows_rejected,
                source.blank_lines,
            ];
            std::iter::once(source.uri.clone())
                .chain(counts.iter().map(ToString::to_string))
                .collect()
        });
    }
    title(text, if bronze { "Sources" } else { "Rows" });
    print_table(
        text,
        &table,
        report.sources.len() + report.sources_left_out as usize,
    );
    for source in report.sources.iter().take(MOST_ROWS) {
        let extra = &source.extra_columns;
        if !extra.is_empty() {
            let _ = writeln!(
                text,
                "  {}: columns that were not used: {}",
                source.uri,
                extra.join(", ")
            );
        }
        for note in &source.notes {
            // The note of an unreadable file begins with the file's name.
            let behind = note.strip_prefix(&source.uri);
            if behind.is_some_and(|rest| rest.starts_with([':', '/'])) {
                let _ = writeln!(text, "  {note}");
            } else {
                let _ = writeln!(text, "  {}: {note}", source.uri);
            }
        }
    }
}

/// The rows with each flag or reason, and what it means.
fn counted(
    text: &mut String,
    heading: &str,
    column: &str,
    counts: &BTreeMap<String, u64>,
    sentence: fn(&str) -> Option<&'static str>,
) {
    if counts.is_empty() {
        return;
    }
    title(text, heading);
    let mut table = vec![[column, "rows", "meaning"].map(str::to_owned)];
    for (name, rows) in counts {
        let sentence = sentence(name).unwrap_or_default();
        table.push([name.clone(), rows.to_string(), sentence.to_owned()]);
    }
    print_table(text, &table, counts.len());
}

fn files(text: &mut String, report: &StepReport) {
    let mut paths: Vec<&str> = report
        .outputs
        .iter()
        .filter(|output| !output.path.starts_with("silver/rejected/") || output.rows > 0)
        .map(|output| output.path.as_str())
        .collect();
    // The answers come first, because most users look for them.
    paths.sort_by_key(|path| {
        (
            !path.ends_with(".json"),
            *path != layout::DRUG_GRAPH,
            path.to_string(),
        )
    });
    if paths.is_empty() {
        return;
    }
    title(text, "Files");
    for path in paths.iter().take(MOST_ROWS) {
        let _ = writeln!(text, "  {}/{path}", report.out);
    }
    let all = paths.len() + report.outputs_left_out as usize;
    if all > MOST_ROWS {
        let _ = writeln!(text, "  … and {} more", all - MOST_ROWS);
    }
}

fn title(text: &mut String, title: &str) {
    let _ = writeln!(text, "\n{title}");
}
