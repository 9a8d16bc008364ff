//! Held dates: gold is what it would be without them, and after their release as if they had never been held.

mod at_once;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use drugs_rs::error::{Error, Result};
use drugs_rs::lake::holds::{hold, release};
use drugs_rs::lake::{Dt, StepReport, existing_lake, open_lake};
use drugs_rs::schema::SourceTable;
use drugs_rs::steps::bronze::{BronzeSource, bronze};
use drugs_rs::steps::{gold, run, silver};
use drugs_rs::storage::{Storage, sha256_hex};
use drugs_rs::task::Task;

const DAYS: [&str; 4] = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"];

/// A lake on a disk or in a bucket, and the deliveries of four days. All lakes of a test share the files, because
/// silver's fingerprints contain their paths.
struct Lake<'d> {
    deliveries: &'d Deliveries,
    storage: Box<dyn Storage>,
}

struct Deliveries {
    folder: tempfile::TempDir,
    lakes: AtomicUsize,
}

fn article(id: u32, title: &str, journal: &str) -> String {
    format!(
        "<PubmedArticle><MedlineCitation><PMID>{id}</PMID><Article><Journal><JournalIssue><PubDate><Year>2020</Year>\
         </PubDate></JournalIssue><Title>{journal}</Title></Journal><ArticleTitle>{title}</ArticleTitle></Article>\
         </MedlineCitation></PubmedArticle>"
    )
}

impl Deliveries {
    /// Every day replaces something of the day before, and every one but the third has a vocabulary of its own. The
    /// second deletes an article; the fourth has only a vocabulary.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |day: usize, name: &str, text: &str| {
            let path = folder.path().join(DAYS[day]);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join(name), text).unwrap();
        };
        let articles = |articles: &[(u32, &str, &str)], gone: &[u32]| {
            let mut xml = "<PubmedArticleSet>".to_owned();
            for (id, title, journal) in articles {
                xml.push_str(&article(*id, title, journal));
            }
            for id in gone {
                xml.push_str(&format!("<DeleteCitation><PMID>{id}</PMID></DeleteCitation>"));
            }
            xml + "</PubmedArticleSet>"
        };
        let trials = |rows: &str| format!("id,scientific_title,date,journal\n{rows}\n");
        write(0, "drugs.csv", "atccode,drug\nV03AB,ETHANOL\nA01AD,EPINEPHRINE\n");
        write(
            0,
            "pubmed.xml",
            &articles(
                &[
                    (1, "Ethanol", "The J"),
                    (2, "Ethanol", "the j"),
                    (3, "Epinephrine", "K"),
                ],
                &[],
            ),
        );
        write(0, "trials.csv", &trials("N1,Ethanol in trials,2020,K"));
        write(
            1,
            "drugs.csv",
            "atccode,drug\nV03AB,ALCOHOL\nA01AD,EPINEPHRINE\nX1,ETHANOL\n",
        );
        write(
            1,
            "pubmed.xml",
            &articles(&[(1, "Epinephrine", "the j"), (4, "Alcohol", "the j")], &[3]),
        );
        write(1, "trials.csv", &trials("N1,Nothing any more,2020,L"));
        write(
            2,
            "pubmed.xml",
            &articles(&[(2, "Epinephrine and ethanol", "K"), (3, "Ethanol", "k")], &[]),
        );
        write(2, "trials.csv", &trials("N2,Ethanol again,2021,L"));
        write(3, "drugs.csv", "atccode,drug\nV03AB,ETHANOL\nX2,NOTHING\n");
        Self {
            folder,
            lakes: AtomicUsize::new(0),
        }
    }

    fn lake(&self) -> Lake<'_> {
        let number = self.lakes.fetch_add(1, Ordering::Relaxed);
        let root = self.folder.path().join(format!("lake{number}"));
        Lake {
            deliveries: self,
            storage: open_lake(&root.display().to_string()).unwrap(),
        }
    }

    #[cfg(feature = "cloud")]
    fn bucket(&self, store: &std::sync::Arc<object_store::memory::InMemory>) -> Lake<'_> {
        let places = drugs_rs::storage::SpecialPaths {
            published: &["gold/drug_graph.json"],
            plain: &["reports"],
        };
        let store: std::sync::Arc<dyn object_store::ObjectStore> = std::sync::Arc::clone(store) as _;
        Lake {
            deliveries: self,
            storage: Box::new(drugs_rs::storage::BucketLake::over(store, places, &Task::new()).unwrap()),
        }
    }
}

fn dt(text: &str) -> Dt {
    Dt::parse(text).unwrap()
}

impl Lake<'_> {
    fn deliver(&self, day: usize) {
        let folder = self.deliveries.folder.path().join(DAYS[day]);
        let files = [
            (SourceTable::Drugs, "drugs.csv"),
            (SourceTable::Pubmed, "pubmed.xml"),
            (SourceTable::ClinicalTrials, "trials.csv"),
        ];
        let sources: Vec<BronzeSource> = files
            .into_iter()
            .map(|(table, name)| (table, folder.join(name)))
            .filter(|(_, path)| path.exists())
            .map(|(table, path)| BronzeSource::new(table, vec![path.display().to_string()]))
            .collect();
        bronze(self.storage.as_ref(), &sources, dt(DAYS[day]), &Task::new()).unwrap();
        self.silver(day);
    }

    fn silver(&self, day: usize) -> StepReport {
        let settings = silver::SilverSettings::default();
        silver::silver(
            self.storage.as_ref(),
            None,
            dt(DAYS[day]),
            &settings,
            &Task::new(),
        )
        .unwrap()
    }

    fn gold(&self, day: usize) -> StepReport {
        gold_of(self.storage.as_ref(), day).unwrap()
    }

    fn hold(&self, day: usize) -> StepReport {
        self.hold_for(day, "too poor").unwrap()
    }

    fn hold_for(&self, day: usize, reason: &str) -> Result<StepReport> {
        hold(self.storage.as_ref(), dt(DAYS[day]), reason, &Task::new())
    }

    fn release(&self, day: usize) -> StepReport {
        release(self.storage.as_ref(), dt(DAYS[day]), &Task::new()).unwrap()
    }

    /// Every file of gold by its digest. Only the manifest may say which date gold has reached.
    fn published(&self) -> BTreeMap<String, String> {
        let mut files = contents(self.storage.as_ref(), "gold");
        let manifest = files.get_mut("gold/_manifest.json").unwrap();
        let mut told: serde_json::Value = serde_json::from_slice(manifest).unwrap();
        for other in ["reached", "sha256"] {
            told.as_object_mut().unwrap().remove(other);
        }
        *manifest = told.to_string().into_bytes();
        digests(files)
    }
}

fn gold_of(storage: &dyn Storage, day: usize) -> Result<StepReport> {
    gold::gold(storage, dt(DAYS[day]), &Default::default(), &Task::new())
}

/// Short digests, so that a difference is readable.
fn digests(files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, String> {
    let digest = |bytes: Vec<u8>| sha256_hex(&bytes)[..16].to_owned();
    files
        .into_iter()
        .map(|(path, bytes)| (path, digest(bytes)))
        .collect()
}

/// Every file below a folder of a lake.
fn contents(storage: &dyn Storage, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for name in storage.list(folder).unwrap() {
        let path = format!("{folder}/{name}");
        // A folder has a size on a disk too, but cannot be read.
        match storage.read(&path) {
            Ok(Some(bytes)) => drop(found.insert(path, bytes)),
            _ => found.extend(contents(storage, &path)),
        }
    }
    found
}

fn held(report: &StepReport) -> Vec<&str> {
    let held = report.held.as_deref().unwrap();
    held.iter().map(|held| held.dt.as_str()).collect()
}

/// A graph without a date equals that of a second lake to which the date was never delivered.
fn check_without(lake: &Lake<'_>, other: &Lake<'_>, never: &Lake<'_>, day: usize, told: &str) {
    for delivered in (0..DAYS.len()).filter(|other| *other != day) {
        other.deliver(delivered);
    }
    lake.hold(day);
    // With the last day, this day, and the first: gold goes back only by what is left out, and not for good.
    for of in [3, day, 0] {
        let (report, wanted) = (lake.gold(of), other.gold(of));
        assert_eq!(lake.published(), other.published(), "{told}, gold of {of}");
        assert_eq!(report.gold, wanted.gold, "{told}, gold of {of}");
        assert_eq!(held(&report), [DAYS[day]], "{told}, gold of {of}");
        assert!(held(&wanted).is_empty());
    }
    lake.release(day);
    let report = lake.gold(0);
    assert!(held(&report).is_empty());
    assert_eq!(lake.published(), never.published(), "{told}, released");
    assert_eq!(
        digests(contents(lake.storage.as_ref(), "silver")),
        digests(contents(never.storage.as_ref(), "silver"))
    );
}

#[test]
fn a_held_date_is_as_if_never_delivered_and_released_as_if_never_held() {
    let deliveries = Deliveries::new();
    let never = deliveries.lake();
    (0..4).for_each(|day| never.deliver(day));
    never.gold(3);
    // Some lakes have published the date before it is held, and some have not.
    for (order, publishes) in [([0, 1, 2, 3], true), ([3, 2, 1, 0], true), ([2, 0, 3, 1], false)] {
        for day in 0..4 {
            let (lake, other) = (deliveries.lake(), deliveries.lake());
            for delivered in order {
                lake.deliver(delivered);
                if publishes {
                    lake.gold(delivered);
                }
            }
            check_without(&lake, &other, &never, day, &format!("{order:?} without {day}"));
        }
    }
}

#[cfg(feature = "cloud")]
#[test]
fn so_it_is_in_a_bucket() {
    let deliveries = Deliveries::new();
    let stores: [std::sync::Arc<_>; 3] = Default::default();
    let [never, lake, other] = [0, 1, 2].map(|number: usize| deliveries.bucket(&stores[number]));
    for day in 0..4 {
        never.deliver(day);
        lake.deliver(day);
    }
    never.gold(3);
    lake.gold(3);
    check_without(&lake, &other, &never, 1, "in a bucket");
}

#[test]
fn mentions_of_a_held_date_leave_the_lake() {
    let deliveries = Deliveries::new();
    let lake = deliveries.lake();
    (0..4).for_each(|day| lake.deliver(day));
    lake.gold(3);
    let mentions = |lake: &Lake<'_>, day: usize| {
        ["pubmed", "clinical_trial"]
            .iter()
            .flat_map(|kind| {
                let folder = format!("gold/mentions/kind={kind}/dt={}", DAYS[day]);
                contents(lake.storage.as_ref(), &folder)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(mentions(&lake, 1).len(), 2);
    lake.hold(1);
    assert_eq!(mentions(&lake, 1).len(), 2, "a hold alone makes nothing anew");
    assert!(!lake.gold(3).unchanged);
    assert_eq!(mentions(&lake, 1).len(), 0);
    assert_eq!(mentions(&lake, 0).len(), 2);
    assert!(lake.gold(3).unchanged, "and gold has nothing more to do");
}

#[test]
fn a_held_date_that_is_taken_out_for_good_is_forgotten() {
    let deliveries = Deliveries::new();
    let lake = deliveries.lake();
    (0..3).for_each(|day| lake.deliver(day));
    lake.gold(2);
    lake.hold(2);
    assert_eq!(lake.gold(0).gold.unwrap().as_of, DAYS[1]);
    for kind in ["pubmed", "clinical_trial"] {
        let folder = format!("silver/publications/kind={kind}/dt={}", DAYS[2]);
        fs::remove_dir_all(PathBuf::from(lake.storage.root()).join(folder)).unwrap();
    }
    let report = lake.gold(0);
    assert!(
        held(&report).is_empty(),
        "nothing of it was delivered that could be left out"
    );
    lake.release(2);
    // Delivered again, it is a date that this lake has not reached.
    lake.silver(2);
    assert_eq!(lake.gold(0).gold.unwrap().as_of, DAYS[1]);
    assert_eq!(lake.gold(2).gold.unwrap().as_of, DAYS[2]);
}

#[test]
fn held_again_is_the_same_and_another_reason_is_told() {
    let deliveries = Deliveries::new();
    let lake = deliveries.lake();
    (0..3).for_each(|day| lake.deliver(day));
    let first = lake.hold_for(1, " too\n poor\t").unwrap();
    assert!(!first.unchanged);
    assert_eq!(first.held.as_ref().unwrap()[0].reason, "too poor");
    assert_eq!(first.outputs[0].path, "silver/held/dt=2020-01-02.json");
    let path = PathBuf::from(lake.storage.root()).join(&first.outputs[0].path);
    let stamp = |path: &PathBuf| {
        (
            fs::read(path).unwrap(),
            path.metadata().unwrap().modified().unwrap(),
        )
    };
    let before = stamp(&path);
    let text = String::from_utf8(before.0.clone()).unwrap();
    let content = "{\n  \"dt\": \"2020-01-02\",\n  \"reason\": \"too poor\",\n  \"sha256\": ";
    let digest = sha256_hex(content.as_bytes());
    assert_eq!(
        text,
        format!("{content}\"{digest}\"\n}}\n"),
        "the digest is of all that stands before it"
    );
    let again = lake.hold_for(1, "too poor").unwrap();
    assert!(again.unchanged);
    assert_eq!((again.held, again.outputs), (first.held, first.outputs));
    assert_eq!(stamp(&path), before);

    let told = |lake: &Lake<'_>| {
        let report = PathBuf::from(lake.storage.root()).join("reports/gold/dt=2020-01-03/gold.json");
        let report: StepReport = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
        report.held.unwrap()[0].reason.clone()
    };
    let report = lake.gold(2);
    assert_eq!(
        report.warnings(),
        ["dt=2020-01-02 is held back, and gold leaves it out: too poor"]
    );
    assert_eq!(told(&lake), "too poor");
    assert!(!lake.hold_for(1, "far too poor").unwrap().unchanged);
    assert!(lake.gold(2).unchanged, "the reason changes no byte of the graph");
    assert_eq!(told(&lake), "far too poor");

    assert!(!lake.release(1).unchanged);
    assert!(!path.exists());
    assert!(lake.release(1).unchanged);
    assert!(lake.gold(2).warnings().is_empty());
}

#[test]
fn what_cannot_be_held_or_released_is_told() {
    let deliveries = Deliveries::new();
    let lake = deliveries.lake();
    lake.deliver(0);
    let cases = [
        (
            lake.hold_for(1, "too poor"),
            "silver/*/dt=2020-01-02: not found; expected a silver partition of that dt",
        ),
        (
            lake.hold_for(0, " \n\0"),
            "reason: nothing but blanks; expected a sentence that says why",
        ),
        (
            lake.hold_for(0, &"é".repeat(4001)),
            "reason: 4001 characters; expected a sentence",
        ),
        (
            release(lake.storage.as_ref(), dt(DAYS[1]), &Task::new()),
            "silver/*/dt=2020-01-02: not found",
        ),
    ];
    for (result, told) in cases {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    assert!(lake.hold_for(0, &"é".repeat(4000)).is_ok());
    // A damaged hold does not release its date.
    let path = PathBuf::from(lake.storage.root()).join("silver/held/dt=2020-01-01.json");
    fs::write(&path, "{").unwrap();
    let error = gold_of(lake.storage.as_ref(), 0).unwrap_err();
    assert!(
        matches!(error, Error::Format { .. }) && error.to_string().contains("dt=2020-01-01.json"),
        "{error}"
    );
    assert!(!lake.hold(0).unchanged, "held anew, it is whole again");
    assert!(existing_lake(&format!("{}-not", lake.storage.root())).is_err());
    // The partition is gone but not its hold, which can still be released.
    for table in [
        "drugs",
        "publications/kind=pubmed",
        "publications/kind=clinical_trial",
    ] {
        let folder = PathBuf::from(lake.storage.root()).join(format!("silver/{table}/dt={}", DAYS[0]));
        fs::remove_dir_all(folder).unwrap();
    }
    assert!(!lake.release(0).unchanged);
}

#[test]
fn where_every_date_is_held_gold_says_what_to_do() {
    let deliveries = Deliveries::new();
    let (lake, empty) = (deliveries.lake(), deliveries.lake());
    lake.deliver(0);
    lake.deliver(1);
    lake.gold(1);
    let before = digests(contents(lake.storage.as_ref(), "gold"));
    lake.hold(0);
    lake.hold(1);
    let (error, wanted) = (
        gold_of(lake.storage.as_ref(), 1).unwrap_err(),
        gold_of(empty.storage.as_ref(), 1).unwrap_err(),
    );
    assert!(matches!(
        (&error, &wanted),
        (Error::SourceNotFound { .. }, Error::SourceNotFound { .. })
    ));
    for word in [
        "silver/drugs/dt=2020-01-02",
        "2020-01-01, 2020-01-02",
        "release one",
        "silver/held",
    ] {
        assert!(error.to_string().contains(word), "{error}");
    }
    assert_eq!(digests(contents(lake.storage.as_ref(), "gold")), before);
    // A vocabulary without publications is enough for a graph.
    lake.deliver(3);
    assert_eq!(lake.gold(3).gold.unwrap().publications, 0);
}

#[test]
fn neither_silver_nor_a_run_releases() {
    let deliveries = Deliveries::new();
    let lake = deliveries.lake();
    lake.deliver(0);
    lake.deliver(1);
    lake.hold(1);
    // The delivery differs, so its partition is rebuilt.
    let path = deliveries.folder.path().join(DAYS[1]).join("trials.csv");
    fs::write(&path, "id,scientific_title,date,journal\nN7,Ethanol,2020,L\n").unwrap();
    lake.deliver(1);
    assert_eq!(held(&lake.gold(1)), [DAYS[1]]);
    let sources = [BronzeSource::new(
        SourceTable::ClinicalTrials,
        vec![path.display().to_string()],
    )];
    let report = run::run(
        lake.storage.as_ref(),
        &sources,
        dt(DAYS[1]),
        &Default::default(),
        &Default::default(),
        &Task::new(),
    )
    .unwrap();
    assert_eq!(held(&report), [DAYS[1]]);
    assert_eq!(report.warnings().len(), 1);
    assert_eq!(report.steps.len(), 3);
    lake.release(1);
    lake.gold(1);
    let graph = contents(lake.storage.as_ref(), "gold")
        .remove("gold/drug_graph.json")
        .unwrap();
    assert!(String::from_utf8(graph).unwrap().contains("\"N7\""));
}
