//! The newest state of every publication, over random deliveries: gold must write, byte for byte and whatever the
//! memory of the steps, what a few lines with everything in memory compute.

use std::collections::BTreeMap;
use std::fs;

use chrono::NaiveDate;
use drugs_rs::graph::{AnswerSettings, GraphBuilder, write_answers, write_json};
use drugs_rs::lake::{Dt, open_lake};
use drugs_rs::schema::{PublicationKind, SourceTable};
use drugs_rs::sorting::Bound;
use drugs_rs::steps::bronze::{BronzeSource, bronze};
use drugs_rs::steps::gold::{GoldSettings, gold};
use drugs_rs::steps::silver::{SilverSettings, silver};
use drugs_rs::task::Task;
use proptest::prelude::*;

const DRUGS: &str = "atccode,drug\nV03AB,ETHANOL\nA01AD,EPINEPHRINE\nV03AZ,ETHANOL\nD08AX,PROPANOL\n";
/// Titles, and the codes of the drugs in them.
const TITLES: [(&str, &[&str]); 5] = [
    ("Ethanol, ethanol and epinephrine", &["A01AD", "V03AB", "V03AZ"]),
    ("Norepinephrine in man", &[]),
    ("Epinephrine again", &["A01AD"]),
    ("Nothing of the kind", &[]),
    ("Propanol with ethanol", &["D08AX", "V03AB", "V03AZ"]),
];
const JOURNALS: [&str; 5] = ["Annals", "ANNALS", "annals", "Bulletin", "The \"C\""];

/// A version of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    id: u8,
    version: u8,
    title: usize,
    year: Option<u16>,
    journal: Option<usize>,
}

#[derive(Debug, Clone)]
enum Event {
    Article(Version),
    Deletion(u8),
}

/// The delivery of one day.
#[derive(Debug, Clone)]
struct Day {
    articles: Vec<Event>,
    trials: Vec<Version>,
}

fn version() -> impl Strategy<Value = Version> {
    let year = prop::option::weighted(0.8, 2000_u16..2003);
    let journal = prop::option::weighted(0.8, 0..JOURNALS.len());
    (1_u8..6, 1_u8..3, 0..TITLES.len(), year, journal).prop_map(|(id, version, title, year, journal)| {
        Version {
            id,
            version,
            title,
            year,
            journal,
        }
    })
}

fn day() -> impl Strategy<Value = Day> {
    let event = prop_oneof![
        4 => version().prop_map(Event::Article),
        1 => (1_u8..6).prop_map(Event::Deletion),
    ];
    (
        prop::collection::vec(event, 1..8),
        prop::collection::vec(version(), 0..5),
    )
        .prop_map(|(articles, trials)| Day { articles, trials })
}

impl Day {
    fn xml(&self) -> String {
        let mut xml = String::from("<PubmedArticleSet>");
        for event in &self.articles {
            match event {
                Event::Deletion(id) => {
                    xml.push_str(&format!("<DeleteCitation><PMID>{id}</PMID></DeleteCitation>"));
                }
                Event::Article(version) => {
                    let year = version
                        .year
                        .map(|year| format!("<Year>{year}</Year>"))
                        .unwrap_or_default();
                    let journal = version.journal.map(|place| JOURNALS[place]).unwrap_or_default();
                    xml.push_str(&format!(
                        "<PubmedArticle><PMID Version=\"{}\">{}</PMID><Journal><PubDate>{year}</PubDate>\
                         <Title>{journal}</Title></Journal><ArticleTitle>{}</ArticleTitle></PubmedArticle>",
                        version.version, version.id, TITLES[version.title].0
                    ));
                }
            }
        }
        xml + "</PubmedArticleSet>"
    }

    fn csv(&self) -> String {
        let mut csv = String::from("id,title,date,journal\n");
        for version in &self.trials {
            let journal = version.journal.map(|place| JOURNALS[place]).unwrap_or_default();
            csv.push_str(&format!(
                "N{},\"{}\",{},\"{}\"\n",
                version.id,
                TITLES[version.title].0,
                version.year.map(|year| year.to_string()).unwrap_or_default(),
                journal.replace('"', "\"\"")
            ));
        }
        csv
    }
}

type State = BTreeMap<(PublicationKind, String), Version>;

/// Applies one version after the other.
fn state(days: &[Day]) -> State {
    let mut state = State::new();
    for day in days {
        let mut of_day: BTreeMap<(PublicationKind, String), Version> = BTreeMap::new();
        for event in &day.articles {
            match event {
                Event::Deletion(id) => {
                    let key = (PublicationKind::Pubmed, id.to_string());
                    state.remove(&key);
                    of_day.remove(&key);
                }
                Event::Article(version) => {
                    let key = (PublicationKind::Pubmed, version.id.to_string());
                    if of_day
                        .get(&key)
                        .is_none_or(|before| before.version <= version.version)
                    {
                        of_day.insert(key, version.clone());
                    }
                }
            }
        }
        for version in &day.trials {
            of_day.insert(
                (PublicationKind::ClinicalTrial, format!("N{}", version.id)),
                version.clone(),
            );
        }
        state.extend(of_day);
    }
    state
}

/// The expected graph and answers.
fn expected(state: &State) -> [Vec<u8>; 3] {
    let mut spellings: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    for place in state.values().filter_map(|version| version.journal) {
        let counts = spellings.entry(JOURNALS[place].to_lowercase()).or_default();
        *counts.entry(JOURNALS[place]).or_default() += 1;
    }
    let shown = |version: &Version| {
        let counts = &spellings[&JOURNALS[version.journal?].to_lowercase()];
        let most = counts.values().max()?;
        counts
            .iter()
            .find(|(_, count)| *count == most)
            .map(|(name, _)| *name)
    };
    let mut builder = GraphBuilder::default();
    for line in DRUGS.lines().skip(1) {
        let (code, name) = line.split_once(',').unwrap();
        builder.add_drug(code, name);
    }
    for ((kind, id), version) in state {
        let date = version
            .year
            .map(|year| NaiveDate::from_ymd_opt(i32::from(year), 1, 1).unwrap());
        builder.add_publication(*kind, id, (date, shown(version)), None);
    }
    let mut graph = builder.finish();
    let mut links = Vec::new();
    for ((kind, id), version) in state {
        links.extend(
            TITLES[version.title]
                .1
                .iter()
                .map(|code| graph.link(code, *kind, id).unwrap()),
        );
    }
    graph.set_links(links);
    let mut files = [Vec::new(), Vec::new(), Vec::new()];
    let [json, top, exclusive] = &mut files;
    write_json(&graph, json).unwrap();
    write_answers(&graph, AnswerSettings::default(), (top, exclusive), &Task::new()).unwrap();
    files
}

/// The graph and the answers of the steps. Gold may also run after each day, so that some mentions are kept and not
/// searched again.
fn made(days: &[Day], memory: Bound, gold_each_day: bool) -> [Vec<u8>; 3] {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        vec![path.display().to_string()]
    };
    let root = folder.path().join("lake");
    let lake = open_lake(&root.display().to_string()).unwrap();
    let (silver_settings, gold_settings) = (
        SilverSettings {
            memory,
            ..SilverSettings::default()
        },
        GoldSettings {
            memory,
            ..GoldSettings::default()
        },
    );
    for (number, day) in days.iter().enumerate() {
        let dt = Dt::parse(&format!("2020-01-0{}", number + 1)).unwrap();
        let sources = [
            BronzeSource::new(SourceTable::Drugs, write("drugs.csv", DRUGS)),
            BronzeSource::new(SourceTable::Pubmed, write("articles.xml", &day.xml())),
            BronzeSource::new(SourceTable::ClinicalTrials, write("trials.csv", &day.csv())),
        ];
        bronze(lake.as_ref(), &sources, dt, &Task::new()).unwrap();
        let report = silver(lake.as_ref(), None, dt, &silver_settings, &Task::new()).unwrap();
        let totals = &report.totals;
        assert_eq!(
            totals.rows_in,
            totals.rows_kept + totals.rows_merged + totals.rows_rejected
        );
        if gold_each_day || number + 1 == days.len() {
            gold(lake.as_ref(), dt, &gold_settings, &Task::new()).unwrap();
        }
    }
    ["drug_graph", "top_journals", "exclusive_drugs"]
        .map(|name| fs::read(root.join(format!("gold/{name}.json"))).unwrap())
}

proptest! {
    // Each case is several runs of all steps.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_newest_state_is_exact_whatever_memory_there_is(days in prop::collection::vec(day(), 1..4)) {
        let wanted = expected(&state(&days));
        for (memory, each_day) in [(Bound(0), true), (Bound(256), false), (Bound::default(), true)] {
            let found = made(&days, memory, each_day);
            for (found, wanted) in found.iter().zip(&wanted) {
                prop_assert_eq!(String::from_utf8_lossy(found), String::from_utf8_lossy(wanted));
            }
        }
    }
}
