//! The graph: its file, its answers, its other shapes.

use chrono::NaiveDate;
use drugs_rs::graph::{
    AnswerSettings, DrugGraph, DrugGrouping, ExclusiveDrugs, GraphBuilder, GraphShape, LargeGraph, Shelf,
    frames, read_json, write_answers, write_json, write_shape,
};
use drugs_rs::schema::DrugUnit::{self, Code, Substance};
use drugs_rs::schema::PublicationKind::{self, ClinicalTrial, Pubmed};
use drugs_rs::schema::PublicationStatus;
use drugs_rs::sorting::Bound;
use drugs_rs::task::Task;
use proptest::prelude::*;

/// Drugs A to D; each publication is `(kind, id, journal, drugs)`.
fn graph(publications: &[(PublicationKind, &str, Option<&str>, &str)]) -> DrugGraph {
    let mut builder = GraphBuilder::default();
    for code in ["C", "A", "D", "B"] {
        builder.add_drug(code, &code.to_lowercase());
    }
    for (kind, id, journal, _) in publications {
        builder.add_publication(*kind, id, (NaiveDate::from_ymd_opt(2020, 1, 1), *journal), None);
    }
    let mut graph = builder.finish();
    let links = publications
        .iter()
        .flat_map(|(kind, id, _, drugs)| drugs.chars().map(move |code| (code, *kind, *id)));
    let links = links
        .map(|(code, kind, id)| graph.link(&code.to_string(), kind, id).unwrap())
        .collect();
    graph.set_links(links);
    graph
}

fn shelf(graph: &DrugGraph, unit: DrugUnit) -> Shelf {
    Shelf::of(graph, &DrugGrouping::of(graph.drugs(), unit))
}

/// The codes of the exclusive drugs of each drug, which must be the same from all lists together and from each alone.
fn exclusive(graph: &DrugGraph) -> Vec<String> {
    let shelf = shelf(graph, Code);
    let codes = |numbers: Vec<u32>| -> String {
        let drugs = numbers.iter().map(|number| &graph.drugs()[*number as usize]);
        drugs.map(|drug| drug.atccode.as_str()).collect()
    };
    let drugs = graph.drugs().len();
    let all = ExclusiveDrugs::of(&shelf, drugs, 0, &Task::new()).unwrap();
    let numbers = 0..drugs as u32;
    let alone = numbers.clone().map(|drug| codes(shelf.exclusive(drug, drugs)));
    let together: Vec<String> = numbers.map(|drug| codes(all.list(drug).collect())).collect();
    assert_eq!(alone.collect::<Vec<_>>(), together);
    together
}

#[test]
fn ties_share_the_first_place() {
    let graph = graph(&[
        (Pubmed, "1", Some("Zeta"), "AB"),
        (ClinicalTrial, "N1", Some("Alpha"), "A"),
        (Pubmed, "2", Some("Alpha"), "AC"),
        (Pubmed, "3", Some("Mu"), "DD"),
        (Pubmed, "4", None, "ABCD"),
        (Pubmed, "5", Some("Silent"), ""),
    ]);
    let ranking = shelf(&graph, Code);
    assert_eq!(
        ranking.ranking(graph.journals()),
        [("Alpha", 2), ("Zeta", 2), ("Mu", 1)]
    );
    assert_eq!(ranking.top(graph.journals()), [("Alpha", 2), ("Zeta", 2)]);
    assert_eq!(shelf(&DrugGraph::default(), Code).top(&[]), []);
}

#[test]
fn exclusive_drugs_by_the_letter() {
    let graph = graph(&[
        (Pubmed, "1", Some("J"), "A"),
        (ClinicalTrial, "N1", Some("J"), "B"),
        (Pubmed, "2", Some("K"), "AC"),
        (ClinicalTrial, "N2", Some("L"), "AC"),
        (Pubmed, "3", Some("M"), "D"),
    ]);
    // A: articles in J (A, B) and K (A, C), trials in L (A, C): B is left. B: no article. C: K, less L. D: alone.
    assert_eq!(exclusive(&graph), ["B", "", "", ""]);
}

fn json(graph: &DrugGraph) -> String {
    let mut bytes = Vec::new();
    write_json(graph, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_file_to_the_byte() {
    let graph = graph(&[
        (Pubmed, "2", Some("Gen\u{e8}ve \"J\""), "AA"),
        (ClinicalTrial, "N1", None, "A"),
    ]);
    let expected = r#"{
"clinical_trial": {
"N1": {"date": "2020-01-01", "journal": null}
},
"drug": {
"A": {"clinical_trial_id": ["N1"], "name": "a", "pubmed_id": ["2"]},
"B": {"clinical_trial_id": [], "name": "b", "pubmed_id": []},
"C": {"clinical_trial_id": [], "name": "c", "pubmed_id": []},
"D": {"clinical_trial_id": [], "name": "d", "pubmed_id": []}
},
"journal": {
"Genève \"J\"": [{"atccode": "A", "date": "2020-01-01", "drug": "a"}]
},
"pubmed": {
"2": {"date": "2020-01-01", "journal": "Genève \"J\""}
}
}
"#;
    assert_eq!(json(&graph), expected);
    let (mut top, mut exclusive) = (Vec::new(), Vec::new());
    let settings = AnswerSettings::default();
    write_answers(&graph, settings, (&mut top, &mut exclusive), &Task::new()).unwrap();
    assert_eq!(String::from_utf8(top).unwrap(), "{\n\"Genève \\\"J\\\"\": 1\n}\n");
    assert_eq!(
        String::from_utf8(exclusive).unwrap(),
        "{\n\"A\": [],\n\"B\": [],\n\"C\": [],\n\"D\": []\n}\n"
    );
    assert_eq!(
        json(&DrugGraph::default()),
        "{\n\"clinical_trial\": {},\n\"drug\": {},\n\"journal\": {},\n\"pubmed\": {}\n}\n"
    );
}

#[test]
fn several_names_of_a_code_stand_together() {
    let mut builder = GraphBuilder::default();
    builder.add_drug("A04AD", "B");
    builder.add_drug("A04AD", "A");
    builder.add_drug("A04AD", "B");
    assert_eq!(builder.finish().drugs()[0].name, "B | A");
}

#[test]
fn a_broken_file_is_an_error_with_its_place() {
    for (text, expected) in [
        ("", "line 1"),
        ("{}", "missing field"),
        (
            "{\"clinical_trial\":{},\"drug\":{},\"journal\":{},\"pubmed\":{},\"more\":{}}",
            "unknown field `more`",
        ),
        (
            "{\"clinical_trial\":{},\"drug\":{\"A\":{\"name\":\"a\",\"clinical_trial_id\":[],\"pubmed_id\":[\"7\"]}},\"journal\":{},\"pubmed\":{}}",
            "pubmed 7, which is not there",
        ),
        (
            "{\"clinical_trial\":{\"N\":{\"date\":\"2020-02-31\",\"journal\":null}},\"drug\":{},\"journal\":{},\"pubmed\":{}}",
            "`2020-02-31` is no date",
        ),
    ] {
        let message = read_json(text.as_bytes(), "graph.json").unwrap_err().to_string();
        assert!(
            message.starts_with("graph.json: ") && message.contains(expected),
            "{message}"
        );
    }
}

#[test]
fn other_shapes() {
    let graph = graph(&[
        (Pubmed, "1", Some("J, \"K\" <L> & M"), "A"),
        (ClinicalTrial, "N", None, "B"),
    ]);
    let shape = |shape| {
        let mut bytes = Vec::new();
        write_shape(&graph, shape, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(
        shape(GraphShape::EdgesCsv),
        "atccode,date,drug,journal,kind,publication_id,status,substance\nA,2020-01-01,a,\"J, \"\"K\"\" <L> & M\",pubmed,1,,a\nB,2020-01-01,b,,clinical_trial,N,,b\n"
    );
    assert_eq!(shape(GraphShape::EdgesNdjson).lines().count(), 2);
    assert!(
        shape(GraphShape::GraphMl).contains("<data key=\"name\">J, &quot;K&quot; &lt;L&gt; &amp; M</data>")
    );
    let node_link: serde_json::Value = serde_json::from_str(&shape(GraphShape::NodeLink)).unwrap();
    assert_eq!(node_link["nodes"].as_array().unwrap().len(), 7);
    assert_eq!(node_link["links"].as_array().unwrap().len(), 4);
    assert_eq!(shape(GraphShape::Neo4jNodes).lines().count(), 8);
    assert!(shape(GraphShape::Neo4jRelationships).contains("pubmed:1,drug:A,2020-01-01,MENTIONS"));
    assert_eq!(shape(GraphShape::Graph), json(&graph));
    let mut empty = Vec::new();
    write_shape(&DrugGraph::default(), GraphShape::EdgesCsv, &mut empty).unwrap();
    assert_eq!(
        empty, b"atccode,date,drug,journal,kind,publication_id,status,substance\n",
        "a table without rows has its header"
    );
}

#[test]
fn a_status_stands_where_there_is_one_and_comes_back() {
    let mut builder = GraphBuilder::default();
    builder.add_publication(Pubmed, "1", (None, Some("J")), Some(PublicationStatus::Retracted));
    builder.add_publication(Pubmed, "2", (None, None), None);
    let graph = builder.finish();
    let text = json(&graph);
    assert!(text.contains("\"1\": {\"date\": null, \"journal\": \"J\", \"status\": \"retracted\"}"));
    assert!(text.contains("\"2\": {\"date\": null, \"journal\": null}"));
    assert_eq!(read_json(text.as_bytes(), "graph.json").unwrap(), graph);
    let unknown = text.replace("\"retracted\"", "\"lost\"");
    let message = read_json(unknown.as_bytes(), "graph.json")
        .unwrap_err()
        .to_string();
    assert!(message.contains("`lost` is unknown"), "{message}");
    let mut large = LargeGraph::new(Vec::new(), vec!["J".to_owned()], Bound::default(), |_| {
        Ok(tempfile::tempfile().unwrap())
    })
    .unwrap();
    large
        .add_publication(Pubmed, "1", (None, Some("J")), Some(PublicationStatus::Retracted))
        .unwrap();
    large.add_publication(Pubmed, "2", (None, None), None).unwrap();
    let mut bytes = Vec::new();
    large.write("graph", &mut bytes).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), text);
}

/// Codes A10 to A12 are insulin, B is metformin; each publication is `(kind, id, journal, codes)`.
fn insulins(publications: &[(PublicationKind, &str, &str, &[&str])]) -> DrugGraph {
    let mut builder = GraphBuilder::default();
    for (code, name) in [
        ("A10", "insulin (human)"),
        ("A11", "INSULIN (BEEF)"),
        ("A12", "insulin"),
        ("B", "metformin hydrochloride"),
    ] {
        builder.add_drug(code, name);
    }
    for (kind, id, journal, _) in publications {
        builder.add_publication(*kind, id, (None, Some(journal)), None);
    }
    let mut graph = builder.finish();
    let links = publications
        .iter()
        .flat_map(|(kind, id, _, codes)| codes.iter().map(|code| graph.link(code, *kind, id).unwrap()));
    let links = links.collect();
    graph.set_links(links);
    graph
}

#[test]
fn a_substance_counts_once_under_its_first_code() {
    let graph = insulins(&[
        (Pubmed, "1", "J", &["A11", "A12", "B"]),
        (Pubmed, "2", "J", &["A12"]),
        (ClinicalTrial, "N", "K", &["A10"]),
    ]);
    assert_eq!(
        shelf(&graph, Substance).ranking(graph.journals()),
        [("J", 2), ("K", 1)]
    );
    assert_eq!(
        shelf(&graph, Code).ranking(graph.journals()),
        [("J", 3), ("K", 1)]
    );
    // The trial excludes what K mentions, which is only insulin; by code it does not affect A11 at all.
    assert_eq!(shelf(&graph, Substance).exclusive(0, 4), [3]);
    assert_eq!(shelf(&graph, Code).exclusive(1, 4), [2, 3]);
    let heights = |frame: fn(&DrugGraph, DrugUnit) -> drugs_rs::Result<polars::prelude::DataFrame>| {
        [Substance, Code].map(|unit| frame(&graph, unit).unwrap().height())
    };
    assert_eq!(heights(frames::drugs), [2, 4]);
    assert_eq!(heights(frames::mentions), [4, 5]);
    assert_eq!(heights(frames::journals), [2, 2]);
}

/// A journal for each list of drugs, all of articles.
fn shelf_of(journals: &[Vec<u32>]) -> Shelf {
    let mut shelf = Shelf::default();
    for (journal, drugs) in (0..).zip(journals) {
        drugs.iter().for_each(|drug| shelf.add(journal, *drug, Pubmed));
    }
    shelf
}

/// Each of these would take hours if the cost of a drug grew with the number of drugs.
#[test]
fn exclusive_drugs_cost_what_journals_mention() {
    let drugs = 1_000_000;
    let silent = ExclusiveDrugs::of(&Shelf::default(), drugs, 0, &Task::new()).unwrap();
    assert_eq!((silent.list(7).count(), silent.cut()), (0, 0));

    let alone: Vec<Vec<u32>> = (0..drugs as u32).map(|drug| vec![drug]).collect();
    let alone = ExclusiveDrugs::of(&shelf_of(&alone), drugs, 0, &Task::new()).unwrap();
    assert_eq!((alone.list(7).count(), alone.cut()), (0, 0));

    let together = shelf_of(&[(0..drugs as u32).collect()]);
    let cut = ExclusiveDrugs::of(&together, drugs, 3_000_000, &Task::new()).unwrap();
    assert_eq!(cut.list(1).collect::<Vec<_>>(), [0, 2, 3]);
    assert_eq!(cut.list(999_999).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(cut.cut(), 1_000_000);
    assert_eq!(together.exclusive(1, drugs).len(), 999_999, "one list is whole");
}

#[test]
fn a_publication_may_mention_every_drug() {
    let codes: Vec<String> = (0..200_000).map(|number| format!("{number:06}")).collect();
    let scratch = |_: &str| Ok(tempfile::tempfile().unwrap());
    let mut builder = GraphBuilder::default();
    codes.iter().for_each(|code| builder.add_drug(code, code));
    let drugs = builder.finish().drugs().to_vec();
    let bound = Bound::default();
    let mut graph = LargeGraph::new(drugs, Vec::new(), bound, scratch).unwrap();
    graph.add_publication(Pubmed, "1", (None, None), None).unwrap();
    for code in codes.iter().chain(&codes) {
        graph.add_mention(code, Pubmed, "1", None, None).unwrap();
    }
    let mut written = Vec::new();
    graph.write("graph", &mut written).unwrap();
    let graph = read_json(written.as_slice(), "graph").unwrap();
    assert_eq!((graph.drugs().len(), graph.links().len()), (200_000, 200_000));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        publications in prop::collection::btree_map(
            (any::<bool>(), "[0-9a-c\"\\\\é]{1,3}"), (prop::option::of("[JK<\"]{1,2}"), "[A-D]{0,3}"), 0..12)
    ) {
        let rows: Vec<_> = publications
            .iter()
            .map(|((trial, id), (journal, drugs))| {
                (if *trial { ClinicalTrial } else { Pubmed }, id.as_str(), journal.as_deref(), drugs.as_str())
            })
            .collect();
        let written = graph(&rows);
        let text = json(&written);
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(parsed["drug"].as_object().unwrap().len(), 4);
        prop_assert_eq!(read_json(text.as_bytes(), "graph.json").unwrap(), written);
    }

    #[test]
    fn exclusive_drugs_follow_their_definition(
        rows in prop::collection::vec((any::<bool>(), 0_usize..3, "[A-D]{0,3}"), 0..10)
    ) {
        let ids: Vec<String> = (0..rows.len()).map(|number| number.to_string()).collect();
        let journals = ["J", "K", "L"];
        let publications: Vec<_> = rows
            .iter()
            .zip(&ids)
            .map(|((trial, journal, drugs), id)| {
                (if *trial { ClinicalTrial } else { Pubmed }, id.as_str(), Some(journals[*journal]), drugs.as_str())
            })
            .collect();
        let mentioned = |journal: &str, kind: Option<PublicationKind>| -> String {
            publications
                .iter()
                .filter(|(its, _, name, _)| *name == Some(journal) && kind.is_none_or(|kind| kind == *its))
                .map(|(.., drugs)| *drugs)
                .collect()
        };
        let expected: Vec<String> = "ABCD"
            .chars()
            .map(|drug| {
                let near = |other: char, kind| {
                    journals.iter().any(|journal| {
                        mentioned(journal, Some(kind)).contains(drug) && mentioned(journal, None).contains(other)
                    })
                };
                "ABCD".chars().filter(|&other| other != drug && near(other, Pubmed) && !near(other, ClinicalTrial)).collect()
            })
            .collect();
        prop_assert_eq!(exclusive(&graph(&publications)), expected);
    }

    #[test]
    fn lists_are_cut_to_the_longest_length_that_fits(
        journals in prop::collection::vec((prop::collection::btree_set(0_u32..90, 0..40), any::<bool>()), 0..8),
        most in 1_u64..400,
    ) {
        let mut shelf = Shelf::default();
        for (journal, (drugs, trials)) in (0..).zip(&journals) {
            let kind = if *trials { ClinicalTrial } else { Pubmed };
            drugs.iter().for_each(|drug| shelf.add(journal, *drug, kind));
        }
        let list = |most| {
            let all = ExclusiveDrugs::of(&shelf, 90, most, &Task::new()).unwrap();
            let lists: Vec<Vec<u32>> = (0..90).map(|drug| all.list(drug).collect()).collect();
            (lists, all.cut())
        };
        let (whole, none) = list(0);
        prop_assert_eq!(none, 0);
        let sum = |longest: usize| whole.iter().map(|list| list.len().min(longest) as u64).sum::<u64>();
        let longest = (0..=90).rev().find(|longest| sum(*longest) <= most).unwrap();
        let wanted: Vec<Vec<u32>> = whole.iter().map(|list| list.iter().copied().take(longest).collect()).collect();
        let cut = whole.iter().filter(|list| list.len() > longest).count() as u64;
        prop_assert_eq!(list(most), (wanted, cut));
        for drug in 0..90 {
            prop_assert_eq!(&shelf.exclusive(drug, 90), &whole[drug as usize]);
        }
    }
}
