//! Pages of ClinicalTrials.gov's API as `curl` saves them: studies in an object, in one page or several.

use std::io::Cursor;

use drugs_rs::error::Error;
use drugs_rs::formats::{Encoding, Input, open_shaped};
use drugs_rs::schema::PublicationKind;
use drugs_rs::silver::shapes::shapes;
use drugs_rs::task::Task;

/// The kept rows as `row: id`, the rejected ones as `row: reason`, and the name of the format.
#[derive(Debug)]
struct Read {
    rows: Vec<String>,
    rejected: Vec<String>,
    format: &'static str,
}

fn read(text: &str) -> Result<Read, Error> {
    let shapes = shapes(PublicationKind::ClinicalTrial);
    let bytes = text.as_bytes().to_vec();
    let input = Input::new("page.json", Box::new(Cursor::new(bytes)), Encoding::Utf8)?;
    let mut reader = open_shaped(input, shapes)?;
    let (mut rows, mut rejected) = (Vec::new(), Vec::new());
    while let Some(batch) = reader.next_batch(&Task::new())? {
        let numbers = batch.frame.column("source_row").unwrap().u64().unwrap().clone();
        let ids = batch.frame.column("id").unwrap().str().unwrap().clone();
        let both = numbers.into_no_null_iter().zip(ids.iter());
        rows.extend(both.map(|(number, id)| format!("{number}: {}", id.unwrap_or("~"))));
        let refused = batch.rejected.iter();
        rejected.extend(refused.map(|row| format!("{}: {}", row.source_row, row.reason.name())));
    }
    Ok(Read {
        rows,
        rejected,
        format: reader.format(),
    })
}

fn study(number: usize) -> String {
    format!(
        r#"{{"protocolSection":{{"identificationModule":{{"nctId":"NCT{number}","briefTitle":"A \"]}}\" trial"}}}},"hasResults":false}}"#
    )
}

#[test]
fn studies_of_a_page_are_rows() {
    let (one, two) = (study(1), study(2));
    for page in [
        format!(r#"{{"studies":[{one},{two}],"nextPageToken":"a]}}b"}}"#),
        format!(r#"{{"totalCount":2,"studies":[{one},{two}]}}"#),
        format!("{{\n  \"studies\" : [\n    {one},\n    {two}\n  ],\n  \"totalCount\": 2\n}}\n"),
        // An extra comma, which is ignored everywhere.
        format!(r#"{{"studies":[{one},{two},],"more":{{"deep":[1,{{}}]}}}}"#),
        // Pages one after the other: from `cat`, or one on each line.
        format!(r#"{{"studies":[{one}],"nextPageToken":"x"}}{{"studies":[{two}]}}"#),
        format!("{{\"studies\":[{one}]}}\n{{\"totalCount\":2,\"studies\":[]}}\n{{\"studies\":[{two}]}}\n"),
    ] {
        let read = read(&page).unwrap();
        assert_eq!(read.rows, ["1: NCT1", "2: NCT2"], "{page}");
        assert_eq!((read.rejected.len(), read.format), (0, "json"));
    }
    assert_eq!(
        read(r#"{"studies":[],"totalCount":0}"#).unwrap().rows,
        Vec::<String>::new()
    );
}

#[test]
fn a_broken_study_costs_itself_alone() {
    let page = format!(
        r#"{{"studies":[{},5,{{"protocolSection":3}},{}]}}"#,
        study(1),
        study(4)
    );
    let read = read(&page).unwrap();
    assert_eq!(read.rows, ["1: NCT1", "4: NCT4"]);
    assert_eq!(read.rejected, ["2: not_an_object", "3: wrong_type"]);
}

#[test]
fn a_cut_page_is_a_bad_file() {
    let whole = format!(r#"{{"studies":[{},{}],"nextPageToken":"x"}}"#, study(1), study(2));
    let list = whole.find('[').unwrap();
    let behind = whole.rfind(']').unwrap();
    for end in list + 1..whole.len() {
        let message = read(&whole[..end]).unwrap_err().to_string();
        let wanted = if end > behind {
            "the file ends before the page is closed, after 2 elements"
        } else {
            "the file ends"
        };
        assert!(message.contains(wanted), "{end}: {message}");
        assert!(message.contains("deliver the file again"), "{message}");
    }
    let message = read(&format!("{whole}{{\"error\":\"too many requests\"}}"))
        .unwrap_err()
        .to_string();
    let place = format!("page.json: byte {}: no page with a list of rows", whole.len());
    assert!(message.starts_with(&place), "{message}");
}

/// Longer than a batch, so that the batch ends at every part of pages, studies and the text after them.
#[test]
fn pages_may_be_long() {
    let mut text = String::new();
    let mut number = 0;
    for page in 0..40 {
        let studies: Vec<String> = (0..200)
            .map(|_| {
                number += 1;
                study(number)
            })
            .collect();
        let token = "t".repeat(page * 700);
        text.push_str(&format!(
            "{{\"studies\": [{}], \"nextPageToken\": \"{token}\"}}\n",
            studies.join(",\n")
        ));
    }
    text.push_str(&format!(
        "{{\"studies\": [{}], \"more\": \"{}\"}}",
        study(8001),
        "m".repeat(3 << 20)
    ));
    let read = read(&text).unwrap();
    assert_eq!((read.rows.len(), read.rejected.len()), (8001, 0));
    assert_eq!(read.rows.last().unwrap(), "8001: NCT8001");
}

/// One pretty-printed study per file, truncated by a broken download: it once became a rejected row for each line, and
/// the step continued.
#[test]
fn a_cut_study_is_a_bad_file() {
    let study = "{\n  \"protocolSection\": {\n    \"identificationModule\": {\n      \"nctId\": \"NCT1\"\n    }\n  }\n}\n";
    assert_eq!(read(study).unwrap().rows, ["1: NCT1"]);
    for end in 3..study.len() - 2 {
        let message = read(&study[..end]).unwrap_err().to_string();
        let wanted = format!("byte 0: the file ends at byte {end} inside element 1, which begins here");
        assert!(message.contains(&wanted), "{message}");
    }
}
