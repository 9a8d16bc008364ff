//! Whole runs on small files: reruns, days out of order, and which changes affect which files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use drugs_rs::error::Error;
use drugs_rs::lake::{Dt, StepReport, open_lake};
use drugs_rs::schema::SourceTable;
use drugs_rs::steps::bronze::{BronzeSource, bronze};
use drugs_rs::steps::run;
use drugs_rs::storage::sha256_hex;
use drugs_rs::task::Task;

struct Lake {
    folder: tempfile::TempDir,
}

const DRUGS: &str = "atccode,drug\nV03AB,ETHANOL\nA01AD,EPINEPHRINE\n";

impl Lake {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("lake")
    }

    fn run(&self, dt: &str, drugs: &str, pubmed: &str) -> Result<StepReport, Error> {
        let write = |name: &str, text: &str| {
            let path = self.folder.path().join(name);
            fs::write(&path, text).unwrap();
            vec![path.display().to_string()]
        };
        let sources = [
            BronzeSource::new(SourceTable::Drugs, write("drugs.csv", drugs)),
            BronzeSource::new(SourceTable::Pubmed, write("pubmed.csv", pubmed)),
        ];
        let lake = open_lake(&self.root().display().to_string())?;
        run::run(
            lake.as_ref(),
            &sources,
            Dt::parse(dt)?,
            &Default::default(),
            &Default::default(),
            &Task::new(),
        )
    }

    fn gold(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.root().join("gold/drug_graph.json")).unwrap()).unwrap()
    }
}

/// The bytes and modification time of every file below a folder.
fn files(root: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let changed = path.metadata().unwrap().modified().unwrap();
                found.insert(
                    path.strip_prefix(root).unwrap().to_owned(),
                    (fs::read(&path).unwrap(), changed),
                );
            }
        }
    }
    found
}

fn articles(rows: &[&str]) -> String {
    format!("id,title,date,journal\n{}\n", rows.join("\n"))
}

/// Files are opened ahead, created ahead and copied in parallel, eight at a time.
#[test]
fn copies_stand_in_the_order_of_the_files_and_one_that_cannot_be_read_leaves_nothing() {
    for count in [1, 7, 8, 9, 16, 17, 24, 25, 61] {
        let lake = Lake::new();
        // Of all sizes: empty, small, and larger than the buffer of a copy.
        let content = |number: usize| vec![number as u8; number * 7919 % 11 * 40_000];
        let uris: Vec<String> = (0..count)
            .map(|number| {
                let path = lake.folder.path().join(format!("{:02}.csv", count - number));
                fs::write(&path, content(number)).unwrap();
                path.display().to_string()
            })
            .collect();
        let copy = |uris: &[String], dt: &str| {
            let storage = open_lake(&lake.root().display().to_string()).unwrap();
            let source = BronzeSource::new(SourceTable::Pubmed, uris.to_vec());
            bronze(storage.as_ref(), &[source], Dt::parse(dt)?, &Task::new())
        };
        let report = copy(&uris, "2020-01-01").unwrap();
        let named: Vec<&str> = report.sources.iter().map(|tally| tally.uri.as_str()).collect();
        assert_eq!(named, uris);
        for (number, output) in report.outputs.iter().enumerate() {
            let copied = fs::read(lake.root().join(&output.path)).unwrap();
            assert!(copied == content(number), "{count}: {}", output.path);
            assert_eq!(output.sha256, sha256_hex(&copied));
        }
        // A file that exists when it is found, and cannot be read when its turn comes.
        fs::remove_file(&uris[count / 2]).unwrap();
        std::os::unix::fs::symlink("/proc/self/mem", &uris[count / 2]).unwrap();
        let error = copy(&uris, "2020-01-02").unwrap_err().to_string();
        assert!(error.contains(&uris[count / 2]), "{error}");
        let left: Vec<_> = files(&lake.root()).into_keys().collect();
        assert!(
            !left
                .iter()
                .any(|path| path.display().to_string().contains("2020-01-02")),
            "{left:?}"
        );
    }
}

#[test]
fn a_rerun_touches_nothing() {
    let lake = Lake::new();
    let pubmed = articles(&["1,Ethanol,2020,J", "1,Ethanol,2020,J", ",Nothing,2020,J"]);
    let first = lake.run("2020-01-01", DRUGS, &pubmed).unwrap();
    assert!(!first.unchanged);
    let before = files(&lake.root());
    let second = lake.run("2020-01-01", DRUGS, &pubmed).unwrap();
    assert!(second.unchanged);
    assert_eq!(files(&lake.root()), before);
    assert_eq!((first.totals, first.outputs), (second.totals, second.outputs));
}

#[test]
fn a_later_day_replaces_an_id_and_a_changed_day_takes_effect() {
    let lake = Lake::new();
    lake.run(
        "2020-01-01",
        DRUGS,
        &articles(&["1,Ethanol,2020,J", "2,Ethanol,2020,J"]),
    )
    .unwrap();
    lake.run("2020-01-02", DRUGS, &articles(&["1,Epinephrine,2020,J"]))
        .unwrap();
    assert_eq!(
        lake.gold()["drug"]["V03AB"]["pubmed_id"],
        serde_json::json!(["2"])
    );
    assert_eq!(
        lake.gold()["drug"]["A01AD"]["pubmed_id"],
        serde_json::json!(["1"])
    );
    // The second day is delivered again without the article: the first day's version is the newest one again.
    lake.run("2020-01-02", DRUGS, &articles(&["3,Nothing,2020,J"]))
        .unwrap();
    assert_eq!(
        lake.gold()["drug"]["V03AB"]["pubmed_id"],
        serde_json::json!(["1", "2"])
    );
    assert_eq!(lake.gold()["drug"]["A01AD"]["pubmed_id"], serde_json::json!([]));
}

#[test]
fn days_out_of_order_give_the_same_gold_as_in_order() {
    let days = [
        (
            "2020-01-01",
            articles(&[
                "1,Ethanol,2020,The J",
                "2,Ethanol,2020,the j",
                "9,Epinephrine,1999,K",
            ]),
        ),
        (
            "2020-01-02",
            articles(&["1,Epinephrine,2020,THE J", "4,Ethanol,2020,the j"]),
        ),
        (
            "2020-01-03",
            articles(&["2,Nothing,2020,K", "5,Epinephrine,2021,the j"]),
        ),
    ];
    let gold = |order: [usize; 3]| {
        let lake = Lake::new();
        for day in order {
            lake.run(days[day].0, DRUGS, &days[day].1).unwrap();
        }
        let mut all = files(&lake.root().join("gold"));
        // It has digests of the sources' paths, and each of these lakes is in its own temporary folder.
        all.remove(Path::new("_manifest.json"));
        all.into_iter()
            .map(|(path, (bytes, _))| (path, bytes))
            .collect::<BTreeMap<_, _>>()
    };
    let expected = gold([0, 1, 2]);
    let made =
        "three answers, four tables, the sums, and two tables and two indexes of each of the three days";
    assert_eq!(expected.len(), 20, "{made}");
    for order in [[0, 2, 1], [1, 0, 2], [2, 1, 0], [2, 0, 1], [1, 2, 0]] {
        assert_eq!(gold(order), expected, "{order:?}");
    }
}

#[test]
fn what_has_not_changed_is_not_computed_again() {
    let lake = Lake::new();
    lake.run("2020-01-01", DRUGS, &articles(&["1,Ethanol,2020,J"]))
        .unwrap();
    let mentions = Path::new("gold/mentions/kind=pubmed/dt=2020-01-01/part-00000.parquet");
    let made = |lake: &Lake| files(&lake.root())[mentions].1;
    let before = made(&lake);
    lake.run("2020-01-02", DRUGS, &articles(&["2,Ethanol,2020,J"]))
        .unwrap();
    assert_eq!(made(&lake), before, "another day is no reason");
    let vocabulary = format!("{DRUGS}N02BE,PARACETAMOL\n");
    lake.run("2020-01-03", &vocabulary, &articles(&["3,Ethanol,2020,J"]))
        .unwrap();
    assert_ne!(made(&lake), before, "another vocabulary is one");
}

#[test]
fn a_failed_run_leaves_the_tables_as_they_were() {
    let lake = Lake::new();
    lake.run("2020-01-01", DRUGS, &articles(&["1,Ethanol,2020,J"]))
        .unwrap();
    let state = || {
        (
            files(&lake.root().join("silver")),
            files(&lake.root().join("gold")),
        )
    };
    let before = state();
    let error = lake
        .run("2020-01-01", DRUGS, "id,title\n1,Ethanol\n")
        .unwrap_err();
    assert!(matches!(error, Error::Schema { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("pubmed.csv: missing columns `date`, `journal`; found `id`, `title`"),
        "{error}"
    );
    assert_eq!(state(), before);
    // Its new vocabulary was once committed, and a later gold combined it with the old articles.
    lake.run(
        "2020-01-01",
        "atccode,drug\nV03AB,OTHER\n",
        "id,title\n1,Ethanol\n",
    )
    .unwrap_err();
    assert_eq!(state(), before);
    let task = Task::new();
    task.cancel();
    let lake_storage = open_lake(&lake.root().display().to_string()).unwrap();
    let dt = Dt::parse("2020-01-01").unwrap();
    let source = [BronzeSource::new(
        SourceTable::Drugs,
        vec![lake.folder.path().join("drugs.csv").display().to_string()],
    )];
    let stopped = run::run(
        lake_storage.as_ref(),
        &source,
        dt,
        &Default::default(),
        &Default::default(),
        &task,
    );
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert_eq!(state(), before);
}

#[test]
fn a_date_is_a_date() {
    for text in [
        "2020-1-1",
        "20200101",
        "2020-02-30",
        "2020-01-01T00:00",
        "",
        "today",
        "２０２０-01-01",
    ] {
        assert!(
            Dt::parse(text).unwrap_err().to_string().contains("2026-11-22"),
            "{text}"
        );
    }
    assert_eq!(Dt::parse("2020-02-29").unwrap().to_string(), "2020-02-29");
}

#[test]
fn two_days_at_once_both_arrive() {
    let days = [
        ("2020-01-01", "1,Ethanol,2020,J"),
        ("2020-01-02", "1,Epinephrine,2020,J"),
        ("2020-01-03", "2,Ethanol,2020,K"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let drugs = folder.path().join("drugs.csv");
    fs::write(&drugs, DRUGS).unwrap();
    let run_day = |root: &Path, (dt, row): (&str, &str)| {
        let articles_path = folder.path().join(format!("{dt}.csv"));
        fs::write(&articles_path, articles(&[row])).unwrap();
        let source = |table, path: &Path| BronzeSource::new(table, vec![path.display().to_string()]);
        let sources = [
            source(SourceTable::Drugs, &drugs),
            source(SourceTable::Pubmed, &articles_path),
        ];
        let lake = open_lake(&root.display().to_string()).unwrap();
        let dt = Dt::parse(dt).unwrap();
        run::run(
            lake.as_ref(),
            &sources,
            dt,
            &Default::default(),
            &Default::default(),
            &Task::new(),
        )
    };
    let alone = folder.path().join("alone");
    days.iter().for_each(|day| drop(run_day(&alone, *day).unwrap()));
    let answers = |root: &Path| {
        ["drug_graph", "top_journals", "exclusive_drugs"]
            .map(|name| fs::read(root.join(format!("gold/{name}.json"))).unwrap())
    };
    for round in 0..10 {
        let root = folder.path().join(format!("together{round}"));
        std::thread::scope(|scope| {
            let runs: Vec<_> = days
                .iter()
                .map(|day| scope.spawn(|| run_day(&root, *day)))
                .collect();
            runs.into_iter()
                .for_each(|run| drop(run.join().unwrap().unwrap()));
        });
        assert_eq!(answers(&root), answers(&alone), "round {round}");
        assert!(!root.join(".staging").exists());
    }
}

#[test]
fn what_was_deleted_is_made_again() {
    let lake = Lake::new();
    let pubmed = articles(&["1,Ethanol,2020,J", ",,2020,J"]);
    lake.run("2020-01-01", DRUGS, &pubmed).unwrap();
    let contents = |lake: &Lake| {
        let all = files(&lake.root())
            .into_iter()
            .map(|(path, (bytes, _))| (path, bytes));
        // Each run of gold that changes anything makes a state.
        all.filter(|(path, _)| !path.starts_with("reports") && !path.starts_with("states"))
            .collect::<BTreeMap<_, _>>()
    };
    let whole = contents(&lake);
    for path in whole.keys().filter(|path| !path.ends_with(".lock")) {
        fs::remove_file(lake.root().join(path)).unwrap();
        let report = lake.run("2020-01-01", DRUGS, &pubmed).unwrap();
        assert!(!report.unchanged, "{}", path.display());
        assert_eq!(contents(&lake), whole, "{}", path.display());
        assert!(lake.run("2020-01-01", DRUGS, &pubmed).unwrap().unchanged);
    }
}

#[test]
fn a_day_that_was_a_slip_of_the_pen_can_be_taken_back() {
    let lake = Lake::new();
    lake.run("2020-01-01", DRUGS, &articles(&["1,Ethanol,2020,J"]))
        .unwrap();
    lake.run("2099-01-01", DRUGS, &articles(&["2,Ethanol,2020,J"]))
        .unwrap();
    for folder in ["drugs", "publications/kind=pubmed"] {
        fs::remove_dir_all(lake.root().join(format!("silver/{folder}/dt=2099-01-01"))).unwrap();
    }
    let report = lake
        .run("2020-01-02", DRUGS, &articles(&["3,Ethanol,2020,J"]))
        .unwrap();
    assert_eq!(report.gold.unwrap().as_of, "2020-01-02");
    assert_eq!(
        lake.gold()["drug"]["V03AB"]["pubmed_id"],
        serde_json::json!(["1", "3"])
    );
}

#[test]
fn a_report_that_a_kill_left_behind_is_told_again() {
    let lake = Lake::new();
    lake.run("2020-01-01", DRUGS, &articles(&["1,Ethanol,2020,J"]))
        .unwrap();
    let path = lake.root().join("reports/silver/dt=2020-01-01/pubmed.json");
    let stale = fs::read(&path).unwrap();
    let pubmed = articles(&["1,Ethanol,2020,J", "2,Ethanol,2020,J"]);
    lake.run("2020-01-01", DRUGS, &pubmed).unwrap();
    fs::write(&path, &stale).unwrap();
    assert!(lake.run("2020-01-01", DRUGS, &pubmed).unwrap().unchanged);
    let told: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(told["rows_in"], 2);
}
