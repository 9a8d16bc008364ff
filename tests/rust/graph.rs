//! The graph: its file, its answers, its other shapes.

use chrono::NaiveDate;
use drugs_rs::graph::{
    DrugGraph, GraphBuilder, Shape, exclusive_drugs, journal_ranking, read_json, top_journals, write_answers,
    write_json, write_shape,
};
use drugs_rs::schema::PublicationKind::{self, ClinicalTrial, Pubmed};
use proptest::prelude::*;

/// Drugs A to D; each publication is `(kind, id, journal, drugs)`.
fn graph(publications: &[(PublicationKind, &str, Option<&str>, &str)]) -> DrugGraph {
    let mut builder = GraphBuilder::default();
    for code in ["C", "A", "D", "B"] {
        builder.add_drug(code, &code.to_lowercase());
    }
    for (kind, id, journal, _) in publications {
        builder.add_publication(*kind, id, NaiveDate::from_ymd_opt(2020, 1, 1), *journal);
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

fn exclusive(graph: &DrugGraph) -> Vec<String> {
    let code = |number: u32| graph.drugs()[number as usize].atccode.clone();
    exclusive_drugs(graph)
        .into_iter()
        .map(|others| others.into_iter().map(code).collect())
        .collect()
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
    assert_eq!(journal_ranking(&graph), [("Alpha", 2), ("Zeta", 2), ("Mu", 1)]);
    assert_eq!(top_journals(&graph), [("Alpha", 2), ("Zeta", 2)]);
    assert_eq!(top_journals(&DrugGraph::default()), []);
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
    write_answers(&graph, &mut top, &mut exclusive).unwrap();
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
        shape(Shape::EdgesCsv),
        "atccode,date,drug,journal,kind,publication_id\nA,2020-01-01,a,\"J, \"\"K\"\" <L> & M\",pubmed,1\nB,2020-01-01,b,,clinical_trial,N\n"
    );
    assert_eq!(shape(Shape::EdgesNdjson).lines().count(), 2);
    assert!(shape(Shape::GraphMl).contains("<data key=\"name\">J, &quot;K&quot; &lt;L&gt; &amp; M</data>"));
    let node_link: serde_json::Value = serde_json::from_str(&shape(Shape::NodeLink)).unwrap();
    assert_eq!(node_link["nodes"].as_array().unwrap().len(), 7);
    assert_eq!(node_link["links"].as_array().unwrap().len(), 4);
    assert_eq!(shape(Shape::Neo4jNodes).lines().count(), 8);
    assert!(shape(Shape::Neo4jRelationships).contains("pubmed:1,drug:A,2020-01-01,MENTIONS"));
    assert_eq!(shape(Shape::Graph), json(&graph));
    let mut empty = Vec::new();
    write_shape(&DrugGraph::default(), Shape::EdgesCsv, &mut empty).unwrap();
    assert_eq!(
        empty, b"atccode,date,drug,journal,kind,publication_id\n",
        "a table without rows has its header"
    );
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
}
