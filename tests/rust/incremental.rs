//! Gold from what changed is, to the byte, gold from nothing: over random histories of deliveries, corrections, deletions,
//! redeliveries, snapshots, holds, releases, removed partitions, vocabularies and settings, in any order of dates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use drugs_rs::lake::holds::{hold, release};
use drugs_rs::lake::{Dt, open_lake};
use drugs_rs::matcher::MatcherSettings;
use drugs_rs::schema::{DrugUnit, GraphOutput, SearchedField, SearchedFields, SourceTable};
use drugs_rs::share::Share;
use drugs_rs::sorting::Bound;
use drugs_rs::steps::bronze::{BronzeSource, bronze};
use drugs_rs::steps::gold::compact::compact;
use drugs_rs::steps::gold::{GoldSettings, gold};
use drugs_rs::steps::silver::{SilverSettings, silver};
use drugs_rs::task::Task;
use proptest::prelude::*;

const VOCABULARIES: [&str; 3] = [
    "atccode,drug\nV03AB,ETHANOL\nA01AD,EPINEPHRINE\nV03AZ,ETHANOL\n",
    "atccode,drug\nV03AB,ETHANOL\nA01AD,EPINEPHRINE\nD08AX,PROPANOL\n",
    "atccode,drug\nD08AX,PROPANOL\nN02BA,ASPIRIN\n",
];
const TITLES: [&str; 5] = [
    "Ethanol, ethanol and epinephrine",
    "Norepinephrine in man",
    "Epinephrine and aspirin",
    "Nothing of the kind",
    "Propanol with ethanol",
];
/// Several spellings of two journals, one with ids, and one that ids join to another.
const JOURNALS: [(&str, &str); 6] = [
    ("Annals", ""),
    ("ANNALS", ""),
    ("annals", ""),
    ("Bulletin", "0370077"),
    ("Bull. of X", "0370077"),
    ("Bull. of X", ""),
];

/// An article: the number of its id, title and journal.
type Article = (u16, usize, usize);

/// What happens in a lake between two runs of gold.
#[derive(Debug, Clone)]
enum Event {
    Deliver {
        day: u8,
        articles: Vec<Article>,
        deleted: Vec<u16>,
        trials: Vec<Article>,
    },
    /// Articles that replace all of the days before.
    Snapshot(u8, Vec<Article>),
    Vocabulary(u8, usize),
    Hold(u8),
    Release(u8),
    /// Somebody removes the folder of a partition by hand.
    Remove(u8),
    /// The index of gold is cut.
    Damage,
    Settings {
        by_code: bool,
        substrings: bool,
        graph: bool,
    },
}

fn articles(most: usize) -> impl Strategy<Value = Vec<Article>> {
    // More than 64 rows are several chunks.
    prop::collection::vec((0_u16..250, 0..TITLES.len(), 0..JOURNALS.len()), 0..most)
}

fn event() -> impl Strategy<Value = Event> {
    let day = 1_u8..7;
    prop_oneof![
        6 => (day.clone(), articles(160), prop::collection::vec(0_u16..250, 0..3), articles(20))
            .prop_map(|(day, articles, deleted, trials)| Event::Deliver { day, articles, deleted, trials }),
        2 => (day.clone(), articles(120)).prop_map(|(day, articles)| Event::Snapshot(day, articles)),
        1 => (day.clone(), 0..VOCABULARIES.len()).prop_map(|(day, words)| Event::Vocabulary(day, words)),
        1 => day.clone().prop_map(Event::Hold),
        1 => day.clone().prop_map(Event::Release),
        1 => day.prop_map(Event::Remove),
        1 => Just(Event::Damage),
        1 => (any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(by_code, substrings, graph)| Event::Settings { by_code, substrings, graph }),
    ]
}

fn xml(articles: &[Article], deleted: &[u16]) -> String {
    let mut xml = String::from("<PubmedArticleSet>");
    for id in deleted {
        xml.push_str(&format!("<DeleteCitation><PMID>{id}</PMID></DeleteCitation>"));
    }
    for (id, title, journal) in articles {
        let ((name, nlm), title) = (JOURNALS[*journal], TITLES[*title]);
        xml.push_str(&format!(
            "<PubmedArticle><MedlineCitation><PMID>{id}</PMID><Article><Journal><JournalIssue><PubDate><Year>2020</Year>\
             </PubDate></JournalIssue><Title>{name}</Title></Journal><ArticleTitle>{title}</ArticleTitle></Article>\
             <MedlineJournalInfo><NlmUniqueID>{nlm}</NlmUniqueID></MedlineJournalInfo></MedlineCitation></PubmedArticle>"
        ));
    }
    xml + "</PubmedArticleSet>"
}

fn csv(trials: &[Article]) -> String {
    let mut csv = String::from("id,title,date,journal\n");
    for (id, title, journal) in trials {
        csv.push_str(&format!(
            "N{id},\"{}\",2021,\"{}\"\n",
            TITLES[*title], JOURNALS[*journal].0
        ));
    }
    csv
}

/// Every file below a folder, by its path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

struct History {
    folder: tempfile::TempDir,
    settings: GoldSettings,
    delivered: BTreeSet<u8>,
    held: BTreeSet<u8>,
    newest: u8,
}

impl History {
    fn new(memory: Bound) -> Self {
        let settings = GoldSettings {
            memory,
            chunk_rows: 64,
            ..GoldSettings::default()
        };
        let mut history = Self {
            folder: tempfile::tempdir().unwrap(),
            settings,
            delivered: BTreeSet::new(),
            held: BTreeSet::new(),
            newest: 1,
        };
        // The vocabulary of the first day is never held or removed.
        history.step(
            0,
            &[(SourceTable::Drugs, "drugs.csv", VOCABULARIES[0].to_owned())],
        );
        history
    }

    fn dt(day: u8) -> Dt {
        Dt::parse(&format!("2020-01-{:02}", day + 1)).unwrap()
    }

    fn step(&mut self, day: u8, sources: &[(SourceTable, &str, String)]) {
        self.deliver(day, sources, None);
    }

    fn deliver(&mut self, day: u8, sources: &[(SourceTable, &str, String)], snapshot: Option<Share>) {
        let lake = open_lake(&self.folder.path().join("lake").display().to_string()).unwrap();
        let sources: Vec<BronzeSource> = sources
            .iter()
            .map(|(table, name, text)| {
                let path = self.folder.path().join(name);
                fs::write(&path, text).unwrap();
                let source = BronzeSource::new(*table, vec![path.display().to_string()]);
                match snapshot {
                    Some(most_absent) => source.as_snapshot(most_absent),
                    None => source,
                }
            })
            .collect();
        let (dt, task) = (Self::dt(day), Task::new());
        let tables: Vec<SourceTable> = sources.iter().map(|source| source.table).collect();
        bronze(lake.as_ref(), &sources, dt, &task).unwrap();
        silver(
            lake.as_ref(),
            Some(&tables),
            dt,
            &SilverSettings::default(),
            &task,
        )
        .unwrap();
        self.newest = self.newest.max(day);
        self.delivered.insert(day);
    }

    fn apply(&mut self, event: &Event) {
        let root = self.folder.path().join("lake");
        let lake = open_lake(&root.display().to_string()).unwrap();
        let task = Task::new();
        match event {
            Event::Deliver {
                day,
                articles,
                deleted,
                trials,
            } => self.step(
                *day,
                &[
                    (SourceTable::Pubmed, "articles.xml", xml(articles, deleted)),
                    (SourceTable::ClinicalTrials, "trials.csv", csv(trials)),
                ],
            ),
            Event::Snapshot(day, articles) => {
                let source = (SourceTable::Pubmed, "articles.xml", xml(articles, &[]));
                self.deliver(*day, &[source], Some(Share::parse("max_absent", "100%").unwrap()));
            }
            Event::Vocabulary(day, words) => {
                self.step(
                    *day,
                    &[(SourceTable::Drugs, "drugs.csv", VOCABULARIES[*words].to_owned())],
                );
            }
            Event::Hold(day) if self.delivered.contains(day) => {
                hold(lake.as_ref(), Self::dt(*day), "too poor", &task).unwrap();
                self.held.insert(*day);
            }
            Event::Release(day) if self.held.remove(day) => {
                release(lake.as_ref(), Self::dt(*day), &task).unwrap();
            }
            Event::Remove(day) => {
                let dt = Self::dt(*day);
                let _ = fs::remove_dir_all(root.join(format!("silver/publications/kind=pubmed/dt={dt}")));
            }
            Event::Damage => {
                let sums = root.join("gold/index/sums.bin");
                if let Ok(bytes) = fs::read(&sums) {
                    fs::write(&sums, &bytes[..bytes.len() / 2]).unwrap();
                }
            }
            Event::Settings {
                by_code,
                substrings,
                graph,
            } => {
                self.settings.answers.unit = if *by_code {
                    DrugUnit::Code
                } else {
                    DrugUnit::Substance
                };
                self.settings.graph = if *graph {
                    GraphOutput::Json
                } else {
                    GraphOutput::None
                };
                self.settings.matcher = MatcherSettings::default();
                let fields = SearchedFields::default();
                self.settings.search.fields = match *substrings {
                    true => fields.with(SearchedField::Abstract),
                    false => fields,
                };
            }
            Event::Hold(_) | Event::Release(_) => {}
        }
    }

    /// Runs gold, and compares it with gold in a lake that has none.
    fn check(&self) -> Result<(), TestCaseError> {
        let root = self.folder.path().join("lake");
        let newest = Self::dt(self.newest);
        let run = |root: &Path| {
            let lake = open_lake(&root.display().to_string()).unwrap();
            gold(lake.as_ref(), newest, &self.settings, &Task::new()).unwrap()
        };
        let report = run(&root);
        let scratch = tempfile::tempdir().unwrap();
        copy(&root.join("silver"), &scratch.path().join("silver"));
        let again = run(scratch.path());
        prop_assert_eq!(report.gold, again.gold);
        let (found, wanted) = (files(&root.join("gold")), files(&scratch.path().join("gold")));
        let names: Vec<&String> = found.keys().collect();
        prop_assert_eq!(names, wanted.keys().collect::<Vec<_>>());
        for (name, bytes) in &found {
            prop_assert!(
                bytes == &wanted[name],
                "{} is not what gold from nothing writes",
                name
            );
        }
        Ok(())
    }
}

/// Compacted keys serve as those of each partition did; only the index differs from that of gold from nothing.
#[test]
fn a_compaction_changes_no_table_and_no_later_run() {
    let mut history = History::new(Bound::default());
    let deliver = |history: &mut History, day, first: u16| {
        history.apply(&Event::Deliver {
            day,
            articles: (first..first + 70)
                .map(|id| (id, usize::from(id) % TITLES.len(), 0))
                .collect(),
            deleted: vec![first + 80],
            trials: vec![(first, 0, 0)],
        });
    };
    for (day, first) in [(1, 0), (2, 40), (3, 90)] {
        deliver(&mut history, day, first);
    }
    history.check().unwrap();
    let root = history.folder.path().join("lake");
    let tables = |root: &Path| {
        let mut all = files(&root.join("gold"));
        all.retain(|name, _| !name.starts_with("index") && name != "_manifest.json");
        all
    };
    let check = |history: &History| {
        let lake = open_lake(&root.display().to_string()).unwrap();
        let newest = History::dt(history.newest);
        gold(lake.as_ref(), newest, &history.settings, &Task::new()).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        copy(&root.join("silver"), &scratch.path().join("silver"));
        let other = open_lake(&scratch.path().display().to_string()).unwrap();
        gold(other.as_ref(), newest, &history.settings, &Task::new()).unwrap();
        assert_eq!(tables(&root), tables(scratch.path()));
    };
    let run = |days| {
        let lake = open_lake(&root.display().to_string()).unwrap();
        compact(lake.as_ref(), days, &Task::new()).unwrap()
    };
    let before = tables(&root);
    let made = run(0);
    assert_eq!(
        made.iter().map(|file| file.partitions).collect::<Vec<_>>(),
        [2, 2]
    );
    assert_eq!(tables(&root), before);
    assert!(run(0).is_empty(), "there is nothing more to do");
    assert!(run(u32::MAX).is_empty() && run(1000).is_empty());
    let lake = open_lake(&root.display().to_string()).unwrap();
    let same = gold(lake.as_ref(), History::dt(3), &history.settings, &Task::new()).unwrap();
    assert!(same.unchanged);
    // A date in the compacted file is delivered again, another is held, and later ones replace rows of all.
    deliver(&mut history, 1, 20);
    check(&history);
    history.apply(&Event::Hold(2));
    check(&history);
    history.apply(&Event::Release(2));
    deliver(&mut history, 4, 60);
    check(&history);
    assert_eq!(run(0).len(), 2);
    deliver(&mut history, 5, 10);
    check(&history);
    fs::write(root.join("gold/index/kind=pubmed/keys.bin"), "cut").unwrap();
    deliver(&mut history, 6, 30);
    check(&history);
}

/// A chunk of several row groups of silver: those without a change are copied as they are.
#[test]
fn row_groups_without_a_change_are_copied() {
    for (graph, memory) in [
        (GraphOutput::None, Bound::default()),
        (GraphOutput::None, Bound(256)),
        (GraphOutput::Json, Bound::default()),
    ] {
        let mut history = History::new(memory);
        history.settings.chunk_rows = 1 << 17;
        history.settings.graph = graph;
        let article = |id: u16| {
            (
                id,
                usize::from(id) % TITLES.len(),
                usize::from(id / 7) % JOURNALS.len(),
            )
        };
        // Without a mention in the second row group, and with the last one not full.
        let first: Vec<Article> = (0..40_000)
            .map(|id| {
                if (16_384..32_768).contains(&id) {
                    (id, 3, 0)
                } else {
                    article(id)
                }
            })
            .collect();
        let deliver = |history: &mut History, day, articles: Vec<Article>, deleted: Vec<u16>| {
            history.apply(&Event::Deliver {
                day,
                articles,
                deleted,
                trials: vec![(1, 0, 0)],
            });
            history.check().unwrap();
        };
        deliver(&mut history, 1, first, Vec::new());
        // Rows of the first and the last group are replaced, some of them for good.
        deliver(
            &mut history,
            2,
            vec![(3, 0, 1), (9, 1, 2), (39_999, 4, 0)],
            vec![5],
        );
        deliver(&mut history, 3, vec![(20_000, 0, 0)], vec![39_999]);
        history.apply(&Event::Hold(2));
        history.check().unwrap();
        history.apply(&Event::Release(2));
        history.check().unwrap();
        // All rows of the last group.
        deliver(
            &mut history,
            4,
            (32_768..40_000).map(article).collect(),
            Vec::new(),
        );
        history.apply(&Event::Vocabulary(5, 1));
        history.check().unwrap();
        deliver(&mut history, 6, vec![(1, 2, 3)], vec![16_384]);
    }
}

/// An index with a wrong bit says so when it is read, and gold does without it.
#[test]
fn a_damaged_index_changes_no_byte_of_gold() {
    let delivery = |day, first: u16| Event::Deliver {
        day,
        articles: (first..first + 100)
            .map(|id| {
                (
                    id,
                    usize::from(id) % TITLES.len(),
                    usize::from(id) % JOURNALS.len(),
                )
            })
            .collect(),
        deleted: Vec::new(),
        trials: vec![(1, 0, 0)],
    };
    let indexes = [
        "sums.bin",
        "kind=pubmed/dt=2020-01-02/keys.bin",
        "kind=pubmed/dt=2020-01-02/part-00000.bin",
    ];
    for index in indexes {
        for part in 1..8 {
            let mut history = History::new(Bound::default());
            history.apply(&delivery(1, 0));
            history.check().unwrap();
            let path = history.folder.path().join("lake/gold/index").join(index);
            let mut bytes = fs::read(&path).unwrap();
            let place = bytes.len() * part / 8;
            bytes[place] ^= 1;
            fs::write(&path, bytes).unwrap();
            // The second day replaces rows of every chunk of the first.
            history.apply(&delivery(2, 30));
            history.check().unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn gold_from_what_changed_is_gold_from_nothing(
        events in prop::collection::vec(event(), 1..10),
        little_memory in any::<bool>(),
    ) {
        let memory = if little_memory { Bound(256) } else { Bound::default() };
        let mut history = History::new(memory);
        for event in &events {
            history.apply(event);
            history.check()?;
        }
    }
}
