//! What must be true of reading any bytes as a source; the fuzz targets of the formats and the tests share it.
//!
//! Reading never panics, never hangs and gives no more than the bytes hold; and how the bytes arrive, all at once or in
//! drops, changes nothing.

use std::io::Read;

use drugs_rs::error::Error;
use drugs_rs::formats::{Encoding, Field, Fields, Input, open};
use drugs_rs::task::Task;

/// What the bytes are meant to be.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    Csv,
    Json,
    Medline,
    PubmedXml,
}

impl Form {
    /// Beginnings that lead to the reader of the form; without one most bytes would be CSV.
    fn heads(self) -> &'static [&'static str] {
        match self {
            Self::Csv => &["id,title,date,journal\n", "title;id;journal;date\r\n", ""],
            Self::Json => &[
                r#"[{"id":1,"title":"a","date":"2020","journal":"b"},"#,
                r#"{"meta":{},"data":[{"id":1,"title":"a","date":"2020","journal":"b"},"#,
                "[",
                "{",
                "",
            ],
            Self::Medline => &[
                "PMID- 1\nTI  - a\n",
                "PMID- ",
                "TY  - JOUR\nTI  - a\n",
                "<1. >\nVN  - Ovid Technologies\nUI  - 1\n",
                "",
            ],
            Self::PubmedXml => &[
                "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID>",
                "<PubmedArticleSet>",
                "",
            ],
        }
    }
}

/// What the file is called in errors.
const NAME: &str = "file";

/// Panics where something is not true that must be, behind every beginning and in every encoding.
pub fn check(form: Form, bytes: &[u8]) {
    for head in form.heads() {
        for encoding in [Encoding::Utf8, Encoding::Windows1252] {
            check_one(head, bytes, encoding);
        }
    }
}

/// The same for one beginning and one encoding, which the bytes themselves choose: a fuzzer has no time for all.
pub fn check_some(form: Form, bytes: &[u8]) {
    let choice = bytes
        .iter()
        .fold(0_usize, |sum, byte| sum.wrapping_mul(31) + usize::from(*byte));
    let heads = form.heads();
    let encoding = if choice.is_multiple_of(5) {
        Encoding::Windows1252
    } else {
        Encoding::Utf8
    };
    check_one(heads[choice % heads.len()], bytes, encoding);
}

fn check_one(head: &str, bytes: &[u8], encoding: Encoding) {
    let whole = [head.as_bytes(), bytes].concat();
    let at_once = read(&whole, encoding, usize::MAX);
    if let Err(error) = &at_once {
        assert!(error.is_of_a_file(), "{error}");
        // Any byte is a letter of Windows-1252, but a mark of UTF-16 goes before what was asked for; also that of a file in
        // an archive, which the error names behind it.
        let marked = whole.starts_with(&[0xff, 0xfe]) || whole.starts_with(&[0xfe, 0xff]);
        let legible = encoding == Encoding::Windows1252 && !marked;
        let illegible = matches!(error, Error::Encoding { uri, .. } if uri == NAME);
        assert!(!(legible && illegible), "{error}");
    }
    let told = |read: Result<Vec<String>, Error>| read.map_err(|error| error.to_string());
    let in_drops = read(&whole, encoding, 1 + whole.len() % 7);
    assert_eq!(told(at_once), told(in_drops), "in drops");
}

fn fields() -> Fields {
    let field = |name, aliases, required| Field {
        name,
        aliases,
        required,
        many: false,
        lenient: name == "doi",
    };
    Fields::new([
        field("id", &["id"], true),
        field("title", &["title"], true),
        field("date", &["date"], true),
        field("journal", &["journal"], true),
        field("abstract", &["abstract"], false),
        field("version", &["version"], false),
        field("doi", &["doi"], false),
        field("pmcid", &[], false),
        field("publication_types", &[], false),
        field("notices", &[], false),
        field("mesh", &[], false),
        field("substances", &[], false),
        field("trial_ids", &[], false),
        field("brief_title", &["brief_title"], false),
        field("phase", &[], false),
        field("trial_status", &[], false),
        field("conditions", &[], false),
        field("intervention_list", &[], false),
    ])
}

/// All rows, kept aside or not, as lines.
fn read(bytes: &[u8], encoding: Encoding, drop: usize) -> Result<Vec<String>, Error> {
    let fields = fields();
    let source = Drops {
        bytes: bytes.to_vec(),
        at: 0,
        drop,
    };
    let mut reader = open(Input::new(NAME, Box::new(source), encoding)?, &fields)?;
    let task = Task::new();
    let mut lines = Vec::new();
    let mut last = 0;
    while let Some(batch) = reader.next_batch(&task)? {
        let height = batch.frame.height();
        assert!(
            height > 0 || !batch.rejected.is_empty() || lines.len() < bytes.len() + 64,
            "batches of nothing"
        );
        for row in 0..height {
            let raw = batch.raw.get(row);
            assert!(!raw.is_empty(), "row {row} has no text");
            lines.push(raw.into_owned());
        }
        lines.push(format!("{:?}", batch.frame));
        for row in &batch.rejected {
            assert!(!row.message.is_empty());
            assert!(
                row.source_row >= last || batch.member.is_some(),
                "rows run backwards"
            );
            last = row.source_row;
            lines.push(format!("{}: {}: {}", row.source_row, row.reason.name(), row.raw));
        }
        for notice in &batch.deletions {
            assert!(notice.behind <= height, "a notice behind the end of its batch");
            lines.push(format!("{} deletes {}", notice.source_row, notice.publication_id));
        }
    }
    let notes = reader.notes();
    lines.push(format!("{} {notes:?}", reader.format()));
    Ok(lines)
}

/// Bytes that arrive so many at a time.
struct Drops {
    bytes: Vec<u8>,
    at: usize,
    drop: usize,
}

impl Read for Drops {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let count = rest.len().min(buffer.len()).min(self.drop);
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}
