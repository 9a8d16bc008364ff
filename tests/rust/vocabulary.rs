//! Vocabularies of every shape, alone and together: which names lead to which codes, and how each row was counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use drugs_rs::api::answers;
use drugs_rs::api::vocabulary::{LoadedVocabulary, load_vocabulary};
use drugs_rs::error::Error;
use drugs_rs::formats::Encoding;
use drugs_rs::lake::{Dt, open_lake};
use drugs_rs::matcher::{Matcher, MatcherSettings, StopWords};
use drugs_rs::quality::FileTally;
use drugs_rs::schema::SourceTable;
use drugs_rs::steps::bronze::BronzeSource;
use drugs_rs::steps::run;
use drugs_rs::task::Task;

fn load(files: &[&Path]) -> Result<LoadedVocabulary, Error> {
    let uris: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    load_vocabulary(&uris, Encoding::Utf8, &Task::new())
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn fixtures(names: &[&str]) -> LoadedVocabulary {
    let files: Vec<PathBuf> = names.iter().map(|name| fixture(name)).collect();
    load(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>()).unwrap()
}

fn written(files: &[&str]) -> Result<LoadedVocabulary, Error> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..files.len())
        .map(|number| folder.path().join(format!("{number}.csv")))
        .collect();
    for (path, text) in paths.iter().zip(files) {
        fs::write(path, text).unwrap();
    }
    load(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())
}

/// The codes that a text leads to; derived ones as `derived:` and the name.
fn codes(vocabulary: &LoadedVocabulary, text: &str) -> BTreeSet<String> {
    let settings = MatcherSettings {
        stop_words: StopWords::none(),
        ..MatcherSettings::default()
    };
    let matcher = Matcher::new(&vocabulary.entries, &settings).unwrap();
    let code = |code: &str, drug: &str| match code.len() {
        36 => format!("derived:{drug}"),
        _ => code.to_owned(),
    };
    let mentions = matcher.find(text);
    mentions
        .iter()
        .map(|mention| code(mention.atccode(), mention.drug()))
        .collect()
}

fn check(vocabulary: &LoadedVocabulary, rows: &[(&str, &[&str], &str)]) {
    for (text, wanted, reason) in rows {
        let wanted: BTreeSet<String> = wanted.iter().map(|code| (*code).to_owned()).collect();
        assert_eq!(codes(vocabulary, text), wanted, "`{text}`: {reason}");
    }
}

fn counts(map: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    map.iter().map(|(name, count)| (name.as_str(), *count)).collect()
}

fn rows(tally: &FileTally) -> [u64; 4] {
    [
        tally.rows_in,
        tally.rows_kept,
        tally.rows_merged,
        tally.rows_rejected,
    ]
}

#[test]
fn a_classification_gives_substances_and_no_classes() {
    let vocabulary = fixtures(&["atc_classes.csv"]);
    check(
        &vocabulary,
        &[
            ("Velorin", &["Z01AA01"], "a substance"),
            ("dorantel", &["Z01AA02", "Z02AA09"], "a name keeps all its codes"),
            (
                "calming agents, calming acids and combinations",
                &[],
                "classes are not looked for",
            ),
            (
                "sommulin",
                &["Z01AC01", "Z01AC02"],
                "a remark in brackets may be left out",
            ),
            (
                "breath and breath (13N)",
                &["Z01AD01"],
                "an isotope is a substance of its own",
            ),
            ("spotfever", &[], "the name of a vaccine is that of a disease"),
            (
                "spotfever, live attenuated",
                &["J07AZ01"],
                "the whole name is the vaccine's",
            ),
            (
                "velorin and dorantel",
                &["Z01AB01", "Z01AA01", "Z01AA02", "Z02AA09"],
                "a combination mentions what it holds",
            ),
            ("diuretics", &[], "a class in a combination is no ingredient"),
            ("NA", &[], "the text NA is nothing"),
        ],
    );
    let tally = &vocabulary.sources[0];
    assert_eq!(rows(tally), [19, 11, 1, 7]);
    assert_eq!(
        counts(&tally.rejected),
        [("blank_drug", 1), ("class_of_drugs", 6)]
    );
    assert_eq!(counts(&tally.merged), [("identical", 1)]);
    assert!(tally.notes[0].contains("WHO ATC"), "{:?}", tally.notes);
}

#[test]
fn a_drugbank_file_alone_keeps_its_ids() {
    let vocabulary = fixtures(&["drugbank_names.csv"]);
    check(
        &vocabulary,
        &[
            ("velorin", &["DB90001"], "the common name"),
            ("VELORINE", &["DB90001"], "a synonym, whatever its accents"),
            ("dorantel", &["DB90002", "DB90006"], "a synonym of two keeps both"),
            ("unheardol, recombinant", &["DB90004"], "commas belong to names"),
        ],
    );
    let tally = &vocabulary.sources[0];
    assert_eq!(rows(tally), [6, 5, 0, 1]);
    assert_eq!(counts(&tally.flags), [("not_atc", 5)]);
}

#[test]
fn an_ema_file_alone_gives_brands_to_what_they_hold() {
    let vocabulary = fixtures(&["ema_brands.csv"]);
    check(
        &vocabulary,
        &[
            ("Velocalm", &["Z01AA01"], "a brand"),
            ("velorin", &["Z01AA01"], "what it holds"),
            (
                "Velocalm Duo",
                &["Z01AB01", "Z01AA01", "derived:dorantel hydrochloride"],
                "a brand of two substances mentions both, and itself",
            ),
            (
                "Duocalm",
                &["Z01AB01", "Z01AA01", "derived:dorantel hydrochloride"],
                "its former name",
            ),
            (
                "dorantel hydrochloride",
                &["derived:dorantel hydrochloride"],
                "an ingredient without a row",
            ),
            ("fumarate", &[], "a stray word among the substances"),
            (
                "Oldcalm",
                &["Z01AA01"],
                "the code of a class is left out; the name has a better one",
            ),
            (
                "Halfcalm",
                &["derived:newolimab"],
                "no code yet: derived from the substance",
            ),
            ("Twocodes", &["Z03AB04", "Z03AD04"], "both codes of a row"),
            (
                "Newmix",
                &["Z04AA30", "derived:newolimab", "derived:unknownix"],
                "a slash with blanks parts ingredients too",
            ),
            ("Dogcalm", &["Z01AA01"], "a veterinary brand of a known substance"),
            (
                "Catcure",
                &["QZ09AA09"],
                "a veterinary code where there is no other",
            ),
            (
                "Onlybrand",
                &["derived:Onlybrand"],
                "a brand of nobody knows what",
            ),
        ],
    );
    let tally = &vocabulary.sources[0];
    assert_eq!(rows(tally), [10, 7, 2, 1]);
    assert_eq!(counts(&tally.rejected), [("blank_drug", 1)]);
    assert_eq!(counts(&tally.merged), [("same_name", 2)]);
    assert_eq!(
        counts(&tally.joins),
        [("added_drug", 3), ("class_code", 1), ("ingredient", 10)]
    );
    assert_eq!(
        vocabulary.entries.len() as u64,
        tally.rows_kept + 3,
        "added drugs are told apart"
    );
}

const ALL: [&str; 3] = ["atc_classes.csv", "drugbank_names.csv", "ema_brands.csv"];

#[test]
fn names_of_several_vocabularies_lead_to_the_codes() {
    let vocabulary = fixtures(&ALL);
    check(
        &vocabulary,
        &[
            (
                "Vélorine",
                &["Z01AA01"],
                "a DrugBank synonym leads to the ATC code",
            ),
            (
                "Dorantelum acid",
                &["Z01AA02", "Z02AA09"],
                "joined by a synonym, to all codes of that name",
            ),
            (
                "Sommulins",
                &["DB90003"],
                "its synonyms name two drugs: kept apart",
            ),
            ("Unheardol", &["DB90004"], "alone in the world"),
            (
                "beta-velorin",
                &["Z01AA02", "Z02AA09"],
                "its only known name is that of dorantel",
            ),
            (
                "Duocalm",
                &["Z01AB01", "Z01AA01", "Z01AA02", "Z02AA09"],
                "ingredients reach their codes, without their salts",
            ),
            (
                "dorantel hydrochloride",
                &["Z01AA02", "Z02AA09"],
                "the salt is a name of its substance",
            ),
            (
                "Dogcalm",
                &["Z01AA01"],
                "no ATCvet code where an ATC code is known",
            ),
        ],
    );
    let [atc, drugbank, ema] = [0, 1, 2].map(|file| &vocabulary.sources[file]);
    assert_eq!(rows(atc), [19, 11, 1, 7]);
    assert_eq!(counts(&drugbank.merged), [("same_name", 1), ("same_synonym", 2)]);
    assert_eq!(counts(&drugbank.flags), [("doubtful_join", 1), ("not_atc", 2)]);
    assert_eq!(
        counts(&ema.merged),
        [("same_code", 1), ("same_drug", 1), ("same_name", 2)]
    );
    for tally in &vocabulary.sources {
        tally.check().unwrap();
    }
}

#[test]
fn the_order_of_the_files_changes_no_code() {
    let names = [
        "velorin",
        "Duocalm",
        "Dorantelum acid",
        "Sommulins",
        "Newmix",
        "Catcure",
        "sommulin",
    ];
    let forward = fixtures(&ALL);
    let backward = fixtures(&[ALL[2], ALL[1], ALL[0]]);
    for name in names {
        assert_eq!(codes(&forward, name), codes(&backward, name), "{name}");
    }
}

#[test]
fn plain_rows_without_a_code_join_other_files_only() {
    let alone = written(&["atccode,drug\nZ01AA01,velorin\n,velorin\n"]).unwrap();
    assert_eq!(codes(&alone, "velorin").len(), 2, "as the file says");
    let joined = written(&[
        "atccode,drug\nZ01AA01,velorin\n",
        "atccode,drug,synonyms\n,VELORIN,calm\n",
    ])
    .unwrap();
    check(
        &joined,
        &[("calm", &["Z01AA01"], "the name has a code elsewhere")],
    );
}

#[test]
fn drugs_that_differ_in_their_remarks_are_of_one_name() {
    let vocabulary = written(&[
        "atc_code,atc_name\nZ01AA01,velorin (vit Q)\nZ02AA02,velorin\nZ03AA03,barolate with stirring agents\nZ03AA04,stirring agents with barolate\n",
        "DrugBank ID,Common name,Synonyms\nDB1,Vitamin Q,Velorin | Velorinol\nDB2,Velorin,Velo\n",
    ])
    .unwrap();
    let both: [&str; 2] = ["Z01AA01", "Z02AA02"];
    check(
        &vocabulary,
        &[
            ("velorin", &both, "with and without the remark"),
            ("velorinol", &both, "joined by a synonym"),
            ("velo", &both, "joined by name"),
            (
                "barolate with stirring agents",
                &["Z03AA03"],
                "a substance, whatever goes with it",
            ),
            (
                "stirring agents with barolate",
                &[],
                "a group, whatever goes with it",
            ),
        ],
    );
    assert!(!vocabulary.sources[1].flags.contains_key("doubtful_join"));
}

#[test]
fn substances_of_a_vaccine_are_no_names_of_it() {
    let vocabulary = written(&[
        "name of medicine,international non-proprietary name (inn),active substance,atc code\n\
         Shot,spotfever vaccine,spot toxoid;fever toxoid,J07AZ01\n\
         Velo,velorin,velorin sodium;velorin,Z01AA01\n\
         Solo,dorantel\u{a0}/ velorin,,Z01AB01\n",
    ])
    .unwrap();
    check(
        &vocabulary,
        &[
            ("spot toxoid", &[], "what a vaccine holds is not the vaccine"),
            ("velorin sodium", &["Z01AA01"], "a salt of the one substance"),
            (
                "solo",
                &["Z01AB01", "Z01AA01", "derived:dorantel"],
                "a blank is a blank",
            ),
        ],
    );
}

#[test]
fn a_name_is_not_taken_from_its_own_drug() {
    let vocabulary = written(&[
        "atccode,drug\nZ01AA01,velorin\nZ01AA02,dorantel\n",
        "DrugBank ID,Common name,Synonyms\nDB1,Velorin,Dorantel | Velo\n",
    ])
    .unwrap();
    check(
        &vocabulary,
        &[
            ("dorantel", &["Z01AA02"], "it is another drug's name"),
            ("velo", &["Z01AA01"], ""),
        ],
    );
    assert_eq!(counts(&vocabulary.sources[1].joins), [("name_left_out", 1)]);
}

#[test]
fn names_that_differ_in_case_or_accent_meet() {
    let vocabulary = written(&[
        "atccode,drug\nZ01AA01,Cétorin\nZ01AA01,CÉTORIN\nZ02AA02,cetorin\n",
        "DrugBank ID,Common name,Synonyms\nDB1,CETORIN,α-cetorin\n",
    ])
    .unwrap();
    check(
        &vocabulary,
        &[(
            "alpha cetorin",
            &["Z01AA01", "Z02AA02"],
            "all drugs of the folded name",
        )],
    );
    assert_eq!(rows(&vocabulary.sources[0]), [3, 2, 1, 0]);
}

#[test]
fn an_unknown_header_lists_the_known_shapes() {
    let error = load(&[&fixture("unknown_vocabulary.csv")])
        .unwrap_err()
        .to_string();
    for part in [
        "`substance`",
        "`number`",
        "plain (`atccode`, `drug`)",
        "WHO ATC (`atc_code`",
        "DrugBank",
        "EMA",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn shapes_are_known_by_their_header_alone() {
    let rows = [
        ("drug,atccode\nx,A01AA01\n", "A01AA01"),
        ("ATC_CODE;ATC_NAME\nA01AA01;x\n", "A01AA01"),
        ("atc_code,name\nA01AA,x\n", "A01AA"),
        ("Common name\tDrugBank ID\nx\tDB1\n", "DB1"),
        (
            "Medicine name,\"International non-proprietary\n name (INN) / common name\",\"ATC code\n(human)\"\nB,x,A01AA01\n",
            "A01AA01",
        ),
    ];
    for (text, code) in rows {
        check(&written(&[text]).unwrap(), &[("x", &[code], text)]);
    }
}

#[test]
fn odd_vocabularies_are_read_or_refused() {
    assert!(
        matches!(written(&[""]), Err(Error::Format { .. })),
        "an empty file"
    );
    let empty = written(&["DrugBank ID,Common name\n"]).unwrap();
    assert_eq!(
        (empty.entries.len(), rows(&empty.sources[0])),
        (0, [0; 4]),
        "a header alone"
    );
    let blank = written(&["DrugBank ID,Common name,Synonyms\nDB1,  , | |\nDB2,x, | | \n"]).unwrap();
    assert_eq!(rows(&blank.sources[0]), [2, 1, 0, 1]);
    assert!(blank.entries[0].synonyms.is_empty(), "blank synonyms are none");
    let long = "long name ".repeat(256);
    let text = format!("atc_code,atc_name\nA01AA01,\"{long}\"\nA01AA02,y\n");
    let vocabulary = written(&[&text]).unwrap();
    check(
        &vocabulary,
        &[
            (&long, &["A01AA01"], "as many words as a name may have"),
            ("y", &["A01AA02"], "the row behind"),
        ],
    );
}

#[test]
fn many_rows_of_one_name_take_no_quadratic_time() {
    let mut plain = String::from("atccode,drug,synonyms\nA01AA01,x,");
    let mut ema = String::from("name of medicine,international non-proprietary name (inn),atc code\n");
    for number in 0..100_000 {
        let _ = write!(plain, "s{number}|");
        let _ = writeln!(ema, "brand {number},x,A01AA01");
    }
    let started = Instant::now();
    let vocabulary = written(&[&plain, &ema]).unwrap();
    assert_eq!(vocabulary.entries[0].synonyms.len(), 200_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

/// Each row of the second file once added its names to each drug of the first: sixteen million names, 31 s and 2.2 GB.
#[test]
fn a_name_of_thousands_of_drugs_joins_none_of_them() {
    let many = 4_000;
    let mut plain = String::from("atccode,drug\n");
    let mut drugbank =
        String::from("DrugBank ID,Accession Numbers,Common name,CAS,UNII,Synonyms,Standard InChI Key\n");
    for number in 0..many {
        let _ = writeln!(plain, "P{number},velorin");
        let _ = writeln!(
            drugbank,
            "DB{number:05},,velorin,,,synonym {number} | other {number},"
        );
    }
    let vocabulary = written(&[&plain, &drugbank]).unwrap();
    assert_eq!(vocabulary.entries.len(), 2 * many);
    let synonyms: usize = vocabulary.entries.iter().map(|entry| entry.synonyms.len()).sum();
    assert_eq!(synonyms, 2 * many, "each stays with its own row");
    assert_eq!(
        counts(&vocabulary.sources[1].flags)[0],
        ("doubtful_join", many as u64)
    );
    // A few drugs with the same name are still joined.
    let few = "atccode,drug\nA01AB11,velorin\nB01AB11,velorin\n";
    let one = "DrugBank ID,Accession Numbers,Common name,CAS,UNII,Synonyms,Standard InChI Key\nDB1,,velorin,,,brand,\n";
    let vocabulary = written(&[few, one]).unwrap();
    assert_eq!(codes(&vocabulary, "brand").len(), 2);
}

#[test]
fn names_with_more_words_than_are_searched_for_are_counted() {
    let long = "a b ".repeat(300);
    let plain = format!("atccode,drug,synonyms\nA01AB11,{long},\nA01AB12,velorin,{long}|brand\n");
    let vocabulary = written(&[&plain]).unwrap();
    let tally = &vocabulary.sources[0];
    assert_eq!(counts(&tally.rejected), [("name_too_long", 1)]);
    assert_eq!(counts(&tally.joins), [("name_too_long", 1)]);
    assert_eq!(rows(tally), [2, 1, 0, 1]);
    assert_eq!(vocabulary.entries[0].synonyms, ["brand"]);
}

#[test]
fn silver_combines_like_a_matcher() {
    let folder = tempfile::tempdir().unwrap();
    let pubmed = folder.path().join("pubmed.csv");
    fs::write(
        &pubmed,
        "id,title,date,journal\n1,Duocalm in calm people,2020-01-01,J\n",
    )
    .unwrap();
    let drugs = ALL
        .iter()
        .map(|name| fixture(name).display().to_string())
        .collect();
    let sources = [
        BronzeSource::new(SourceTable::Drugs, drugs),
        BronzeSource::new(SourceTable::Pubmed, vec![pubmed.display().to_string()]),
    ];
    let lake = open_lake(&folder.path().join("lake").display().to_string()).unwrap();
    let report = run::run(
        lake.as_ref(),
        &sources,
        Dt::parse("2024-03-01").unwrap(),
        &Default::default(),
        &Default::default(),
        &Task::new(),
    )
    .unwrap();
    let outside = fixtures(&ALL);
    for (inside, outside) in report.sources.iter().zip(&outside.sources) {
        assert_eq!(inside, outside);
    }
    let codes = answers::read_graph(lake.as_ref()).unwrap().links().len();
    assert_eq!(codes, 4, "the product and its ingredient codes");
    let gold = report.gold.unwrap();
    assert_eq!(
        (gold.mentions, gold.pairs),
        (3, 3),
        "two of the codes are one substance"
    );
}

/// The file's rows, read independently: a CSV reader of a few lines.
fn naive_csv(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap();
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell).trim_end_matches('\r').to_owned());
                rows.push(std::mem::take(&mut row));
            }
            _ => cell.push(letter),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows.retain(|row| row.len() > 1);
    rows
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn real_vocabularies_are_read_whole() {
    let corpora = std::env::var("DRUGS_RS_CORPORA").unwrap_or_else(|_| "../shared/data".to_owned());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(corpora)
        .join("vocabulary");
    if !folder.is_dir() {
        eprintln!(
            "skipped: no real vocabularies in {}; set DRUGS_RS_CORPORA",
            folder.display()
        );
        return;
    }
    let files = [
        "who_atc_2026-04-25.csv",
        "drugbank_open_vocabulary.csv",
        "ema_medicines.csv",
    ]
    .map(|name| folder.join(name));
    let vocabulary = load(&files.each_ref().map(PathBuf::as_path)).unwrap();
    for (tally, file) in vocabulary.sources.iter().zip(&files) {
        assert_eq!(tally.rows_in as usize, naive_csv(file).len() - 1, "{}", tally.uri);
    }
    let atc = naive_csv(&files[0]);
    let headings = atc.iter().skip(1).filter(|row| row[0].len() < 7).count() as u64;
    let substances: BTreeSet<&str> = atc
        .iter()
        .filter(|row| row[0].len() == 7)
        .map(|row| row[0].as_str())
        .collect();
    let groups = vocabulary.sources[0].rejected["class_of_drugs"] - headings;
    assert!(groups < 200, "{groups} groups among the substances");
    let mut found: BTreeSet<&str> = vocabulary
        .entries
        .iter()
        .map(|entry| entry.atccode.as_str())
        .collect();
    found.retain(|code| substances.contains(code));
    assert!(
        found.len() as u64 + groups >= substances.len() as u64,
        "every code is kept or counted"
    );
    check(
        &vocabulary,
        &[
            (
                "acetaminophen",
                &["N02BE01"],
                "a DrugBank name leads to the code of paracetamol",
            ),
            (
                "Exforge",
                &["C09DB01", "C08CA01", "C09CA03"],
                "a brand of two substances",
            ),
            ("Abilify", &["N05AX12"], "a brand"),
            ("antibiotics, combinations, vitamins", &[], "classes"),
        ],
    );
}
