//! The file of a table: the same bytes whatever the memory and the number of threads, and every value in its place.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;

use drugs_rs::lake::{Dt, StepReport, open_lake};
use drugs_rs::schema::SourceTable;
use drugs_rs::sorting::Bound;
use drugs_rs::steps::bronze::{BronzeSource, bronze};
use drugs_rs::steps::silver::{OnBadFile, SilverSettings, silver};
use drugs_rs::task::Task;
use polars::prelude::{DataFrame, ParquetReader, SerReader};

/// Four full groups and a rest.
const ROWS: usize = 70_000;
const GROUP: usize = 1 << 14;

/// The columns of a publication: its id, its title and its journal.
type Row = (String, String, Option<String>);

fn row(number: usize) -> Row {
    // In the second group some rows repeat, at a distance and at once; in the fourth all of them do.
    let group = number / GROUP;
    let id = match (group, number % 100) {
        (1, 0) | (3, _) => number - GROUP,
        (1, 50) => number - 1,
        _ => number,
    };
    let journal = match number % 4 {
        0 => None,
        // Beyond the first groups, there are too many and too long journals for a dictionary to pay.
        1 if number > 2 * GROUP => Some(format!("Journal {number} of {}", "x".repeat(120))),
        rest => Some(format!("Annals {rest}")),
    };
    (id.to_string(), format!("Title {number}"), journal)
}

fn csv() -> String {
    let mut csv = String::from("id,title,date,journal\n");
    for number in 0..ROWS {
        let (id, title, journal) = row(number);
        writeln!(csv, "{id},{title},2020-01-02,{}", journal.unwrap_or_default()).unwrap();
    }
    csv
}

/// The rows that stay: the last one of each id, in its place.
fn expected() -> Vec<Row> {
    let rows: Vec<Row> = (0..ROWS).map(row).collect();
    let mut last = std::collections::HashMap::new();
    for (number, (id, ..)) in rows.iter().enumerate() {
        last.insert(id.clone(), number);
    }
    let stays = |(number, row): (usize, Row)| (last[&row.0] == number).then_some(row);
    rows.into_iter().enumerate().filter_map(stays).collect()
}

pub(crate) fn made(source: &Path, memory: Bound, threads: usize) -> (Vec<u8>, StepReport) {
    let settings = SilverSettings {
        memory,
        ..SilverSettings::default()
    };
    made_with(source, &settings, threads)
}

fn made_with(source: &Path, settings: &SilverSettings, threads: usize) -> (Vec<u8>, StepReport) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let lake = open_lake(&root.display().to_string()).unwrap();
    let dt = Dt::parse("2020-06-01").unwrap();
    let source = BronzeSource::new(SourceTable::Pubmed, vec![source.display().to_string()]);
    bronze(lake.as_ref(), &[source], dt, &Task::new()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let report = pool
        .install(|| silver(lake.as_ref(), None, dt, settings, &Task::new()))
        .unwrap();
    let part = root.join("silver/publications/kind=pubmed/dt=2020-06-01/part-00000.parquet");
    (fs::read(part).unwrap(), report)
}

fn assert_same_bytes(bytes: &[u8], source: &Path, cases: &[(Bound, usize)]) {
    for &(memory, threads) in cases {
        let (other, _) = made(source, memory, threads);
        assert!(
            other == bytes,
            "{memory:?} and {threads} threads give other bytes of {}",
            source.display()
        );
    }
}

fn read(bytes: &[u8]) -> (DataFrame, Vec<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.parquet");
    fs::write(&path, bytes).unwrap();
    let mut reader = ParquetReader::new(File::open(&path).unwrap());
    let mut heights = Vec::new();
    for group in &reader.get_metadata().unwrap().row_groups {
        heights.push(group.num_rows());
    }
    (reader.finish().unwrap(), heights)
}

#[test]
fn every_value_stands_where_it_belongs_whatever_memory_and_threads_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pubmed.csv");
    fs::write(&file, csv()).unwrap();
    let (bytes, report) = made(&file, Bound::default(), 1);
    let (frame, groups) = read(&bytes);
    let column = |name: &str| frame.column(name).unwrap().str().unwrap().clone();
    let (ids, titles, journals) = (column("publication_id"), column("title"), column("journal"));
    let found: Vec<Row> = (0..frame.height())
        .map(|row| {
            let text = |column: &polars::prelude::StringChunked| column.get(row).map(str::to_owned);
            (text(&ids).unwrap(), text(&titles).unwrap(), text(&journals))
        })
        .collect();
    let wanted = expected();
    assert_eq!(found.len(), wanted.len());
    assert_eq!(report.totals.rows_kept as usize, wanted.len());
    let first_fault = found
        .iter()
        .zip(&wanted)
        .position(|(found, wanted)| found != wanted);
    assert_eq!(first_fault.map(|place| (&found[place], &wanted[place])), None);
    assert!(groups.iter().all(|rows| *rows <= GROUP));
    assert_eq!(groups.iter().filter(|rows| **rows == GROUP).count(), 2);

    assert_same_bytes(
        &bytes,
        &file,
        &[
            (Bound(0), 1),
            (Bound(0), 3),
            (Bound(1 << 17), 2),
            (Bound(1 << 20), 2),
            (Bound::default(), 4),
        ],
    );
}

/// Row groups of a fixed number of rows held gigabytes if each row was a megabyte.
#[test]
fn large_texts_end_a_row_group() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pubmed.csv");
    let mut csv = String::from("id,title,date,journal\n");
    for number in 0..40 {
        writeln!(csv, "{number},{}{number},2020-01-02,Annals", "x".repeat(1 << 20)).unwrap();
    }
    fs::write(&file, csv).unwrap();
    let (bytes, _) = made(&file, Bound::default(), 2);
    let (frame, groups) = read(&bytes);
    assert_eq!(groups, [16, 16, 8], "16 MiB each");
    let titles = frame.column("title").unwrap().str().unwrap();
    for (number, title) in titles.iter().enumerate() {
        assert_eq!(title.unwrap().trim_start_matches('x'), number.to_string());
    }
    let (again, _) = made(&file, Bound(0), 1);
    assert!(again == bytes, "whatever memory and threads there are");
}

/// Rows with long distinct titles, so that a few thousand of them are a file with a lane of its own.
fn long_rows(ids: std::ops::Range<usize>) -> String {
    let mut csv = String::from("id,title,date,journal\n");
    for id in ids {
        let words: String = (0..40)
            .map(|word| format!("w{} ", id * 7919 + word * 104_729))
            .collect();
        writeln!(csv, "{id},Title {id} {words},2020-01-02,Annals {}", id % 7).unwrap();
    }
    csv
}

fn ids(bytes: &[u8]) -> (Vec<String>, Vec<usize>) {
    let (frame, groups) = read(bytes);
    let ids = frame.column("publication_id").unwrap().str().unwrap().clone();
    (ids.iter().map(|id| id.unwrap().to_owned()).collect(), groups)
}

/// Each file of more than 4 MiB is read by a lane of its own, which makes its row groups beside the others. The table
/// must depend neither on which lane was faster, nor on whether it is the draft itself or was made from it.
#[test]
fn files_side_by_side_give_the_same_bytes_whatever_memory_and_threads_there_are() {
    const EACH: usize = 12_000;
    for replaced in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let mut wanted: Vec<String> = (0..5 * EACH).map(|id| id.to_string()).collect();
        for file in 0..5 {
            fs::write(
                folder.path().join(format!("{file}.csv")),
                long_rows(file * EACH..(file + 1) * EACH),
            )
            .unwrap();
        }
        if replaced {
            // Some rows of the second file repeat much later, and so does the whole third file.
            let again = (EACH..EACH + 3).chain(2 * EACH..3 * EACH);
            let mut csv = String::from("id,title,date,journal\n");
            again
                .clone()
                .for_each(|id| writeln!(csv, "{id},New {id},2021-01-02,Annals").unwrap());
            fs::write(folder.path().join("5.csv"), csv).unwrap();
            let again: Vec<String> = again.map(|id| id.to_string()).collect();
            let gone: std::collections::HashSet<&String> = again.iter().collect();
            wanted.retain(|id| !gone.contains(id));
            wanted.extend(again);
        }
        let (bytes, report) = made(folder.path(), Bound::default(), 1);
        let (found, groups) = ids(&bytes);
        assert!(found == wanted, "replaced: {replaced}");
        assert_eq!(report.totals.rows_kept as usize, wanted.len());
        if !replaced {
            assert_eq!(groups, [EACH; 5], "a row group ends with its lane");
        }
        assert_same_bytes(
            &bytes,
            folder.path(),
            &[(Bound(0), 4), (Bound(1 << 16), 2), (Bound::default(), 3)],
        );
    }
}

/// The rows of a file that turns out to be bad are removed from the draft.
#[test]
fn rows_of_a_bad_file_do_not_stay_in_the_draft() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), long_rows(0..12_000)).unwrap();
    // Enough rows for a row group, then bytes that are no text.
    let mut bad = long_rows(12_000..32_000).into_bytes();
    bad.extend([b'1', b',', 0xff, 0xfe, 0xff]);
    fs::write(folder.path().join("b.csv"), bad).unwrap();
    fs::write(folder.path().join("c.csv"), long_rows(32_000..44_000)).unwrap();
    let settings = SilverSettings {
        on_bad_file: OnBadFile::Reject,
        ..SilverSettings::default()
    };
    let (bytes, report) = made_with(folder.path(), &settings, 2);
    let (found, _) = ids(&bytes);
    let wanted: Vec<String> = (0..12_000)
        .chain(32_000..44_000)
        .map(|id| id.to_string())
        .collect();
    assert!(found == wanted, "{} rows", found.len());
    assert_eq!(report.totals.rows_rejected, 1, "the file");
    let (again, _) = made_with(folder.path(), &settings, 1);
    assert!(again == bytes, "whatever threads there are");
}
