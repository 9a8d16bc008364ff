//! Rejected rows and notices of deletion: what is stored of them does not depend on how many may wait in memory.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use drugs_rs::lake::{Dt, open_lake};
use drugs_rs::schema::SourceTable;
use drugs_rs::sorting::Bound;
use drugs_rs::steps::bronze::{BronzeSource, bronze};
use drugs_rs::steps::silver::{OnBadFile, SilverSettings, silver};
use drugs_rs::task::Task;

/// Articles of which every second has no title, each followed by a notice of deletion; some megabytes, so several
/// batches.
fn articles(name: &str, records: usize) -> String {
    let mut text = "<PubmedArticleSet>".to_owned();
    for number in 0..records {
        let title = if number % 2 == 0 { "" } else { "Velorin" };
        let filler = "x".repeat(400);
        let _ = write!(
            text,
            "<PubmedArticle><PMID>{name}{number}</PMID><ArticleTitle>{title}</ArticleTitle>\
             <Abstract><AbstractText>{filler}</AbstractText></Abstract></PubmedArticle>\
             <DeleteCitation><PMID>{name}-{number}</PMID></DeleteCitation>"
        );
    }
    text + "</PubmedArticleSet>"
}

/// The bytes of every file of silver, and the report without its time.
fn made(folder: &Path, memory: Bound, on_bad_file: OnBadFile) -> (Vec<(String, Vec<u8>)>, String) {
    let lake_folder = tempfile::tempdir().unwrap();
    let lake = open_lake(&lake_folder.path().display().to_string()).unwrap();
    let dt = Dt::parse("2026-11-22").unwrap();
    let sources = [BronzeSource::new(
        SourceTable::Pubmed,
        vec![folder.display().to_string()],
    )];
    bronze(lake.as_ref(), &sources, dt, &Task::new()).unwrap();
    let settings = SilverSettings {
        on_bad_file,
        memory,
        ..SilverSettings::default()
    };
    let report = silver(lake.as_ref(), None, dt, &settings, &Task::new()).unwrap();
    let silver = lake_folder.path().join("silver");
    let mut files = Vec::new();
    let mut folders = vec![silver.clone()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&silver).unwrap().display().to_string();
                files.push((name, fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    let totals = &report.totals;
    let sources: Vec<String> = report
        .sources
        .iter()
        .map(|source| {
            format!(
                "{} in, {:?}, {:?}",
                source.rows_in, source.rejected, source.merged
            )
        })
        .collect();
    (files, format!("{} kept; {sources:?}", totals.rows_kept))
}

#[test]
fn what_is_kept_aside_does_not_depend_on_what_waits_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("a.xml", &articles("a", 6000));
    // It turns out to be bad at its very end: none of its rows or deletions count.
    let bad = articles("b", 6000).replace("b-", "a");
    write("b.xml", &bad[..bad.len() - 40]);
    write("c.xml", &articles("c", 10));
    write("d.xml", "<PubmedArticleSet>");
    let (files, told) = made(folder.path(), Bound::default(), OnBadFile::Reject);
    assert_eq!(
        told,
        "3005 kept; [\"6000 in, {\\\"blank_title\\\": 3000}, {}\", \"1 in, {\\\"bad_file\\\": 1}, {}\", \
         \"10 in, {\\\"blank_title\\\": 5}, {}\", \"1 in, {\\\"bad_file\\\": 1}, {}\"]"
    );
    assert!(
        files
            .iter()
            .any(|(name, bytes)| name.starts_with("rejected") && bytes.len() > 10_000)
    );
    assert!(
        files
            .iter()
            .any(|(name, bytes)| name.starts_with("deleted") && bytes.len() > 10_000)
    );
    for memory in [Bound(0), Bound(1 << 20)] {
        let (again, told_again) = made(folder.path(), memory, OnBadFile::Reject);
        assert_eq!(told, told_again, "{memory:?}");
        let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
            files.iter().map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(names(&files), names(&again));
        for ((name, bytes), (_, other)) in files.iter().zip(&again) {
            assert!(bytes == other, "{name} with {memory:?}");
        }
    }
}

#[test]
fn rows_that_wait_are_the_rows_that_do_not() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), articles("a", 6000)).unwrap();
    let tables = |on_bad_file| {
        let (files, told) = made(folder.path(), Bound(0), on_bad_file);
        // The fingerprint in the manifest contains the settings, so it differs.
        let tables = files.into_iter().filter(|(name, _)| !name.ends_with(".json"));
        (tables.collect::<Vec<_>>(), told)
    };
    let (fails, rejects) = (tables(OnBadFile::Fail), tables(OnBadFile::Reject));
    assert_eq!(fails.1, rejects.1);
    assert!(fails.0 == rejects.0);
}
