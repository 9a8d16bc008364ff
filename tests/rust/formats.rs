//! Readers: the result for every kind of broken file, row by row.

use std::io::{Cursor, Write};

use drugs_rs::error::Error;
use drugs_rs::formats::{Encoding, Field, Fields, Input, RawBatch, ReaderNotes, open};
use drugs_rs::task::Task;
use proptest::prelude::*;

/// The result of a file: the kept rows as `row: a|b`, the rejected ones as `row: reason: raw`.
#[derive(Debug)]
struct Read {
    rows: Vec<String>,
    rejected: Vec<String>,
    notes: ReaderNotes,
    format: &'static str,
}

/// `a` and `b`, which must be there, and `c` with several values.
pub(super) fn fields() -> Fields {
    let field = |name, aliases, required, many| Field {
        name,
        aliases,
        required,
        many,
        lenient: false,
    };
    Fields::new([
        field("a", &["a", "alpha"], true, false),
        field("b", &["b"], true, false),
        field("c", &["c"], false, true),
    ])
}

fn read_as(bytes: &[u8], encoding: Encoding) -> Result<Read, Error> {
    let fields = fields();
    let input = Input::new("file", Box::new(Cursor::new(bytes.to_vec())), encoding)?;
    let mut reader = open(input, &fields)?;
    let (mut rows, mut rejected) = (Vec::new(), Vec::new());
    while let Some(batch) = reader.next_batch(&Task::new())? {
        let text = |name: &str| batch.frame.column(name).unwrap().str().unwrap().clone();
        let numbers = batch.frame.column("source_row").unwrap().u64().unwrap().clone();
        for (place, number) in numbers.into_no_null_iter().enumerate() {
            let value = |name: &str| text(name).get(place).unwrap_or("~").to_owned();
            rows.push(format!("{number}: {}|{}", value("a"), value("b")));
            assert!(!batch.raw.get(place).is_empty());
        }
        rejected.extend(
            batch
                .rejected
                .iter()
                .map(|row| format!("{}: {}: {}", row.source_row, row.reason.name(), row.raw)),
        );
    }
    Ok(Read {
        rows,
        rejected,
        notes: reader.notes(),
        format: reader.format(),
    })
}

fn read(bytes: &[u8]) -> Result<Read, Error> {
    read_as(bytes, Encoding::Utf8)
}

fn error(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

#[test]
fn csv_rows_by_line() {
    let cases: [(&str, &str, &[&str], &[&str]); 14] = [
        ("plain", "a,b\n1,x\n2,y\n", &["2: 1|x", "3: 2|y"], &[]),
        ("no line end at the end", "a,b\n1,x", &["2: 1|x"], &[]),
        ("CRLF", "a,b\r\n1,x\r\n2,y\r\n", &["2: 1|x", "3: 2|y"], &[]),
        ("CR alone", "a,b\r1,x\r2,y", &["2: 1|x", "3: 2|y"], &[]),
        (
            "quotes, doubled quotes, breaks",
            "a,b\n\"1,\",\"x \"\"y\"\"\nz\"\n2,w\n",
            &["2: 1,|x \"y\"\nz", "4: 2|w"],
            &[],
        ),
        (
            "a quote inside a field is a letter",
            "a,b\n5\",x\n",
            &["2: 5\"|x"],
            &[],
        ),
        (
            "blank lines are no rows",
            "a,b\n\n1,x\n\t\n  \n2,y\n\n",
            &["3: 1|x", "6: 2|y"],
            &[],
        ),
        (
            "too few and too many",
            "a,b\n1\n1,2,3\n4,x\n",
            &["4: 4|x"],
            &["2: malformed_row: 1", "3: malformed_row: 1,2,3"],
        ),
        (
            "a quote that never closes",
            "a,b\n1,\"x\n2,y\n3,z\n",
            &["3: 2|y", "4: 3|z"],
            &["2: unclosed_quote: 1,\"x"],
        ),
        (
            "a quote that the next one closes",
            "a,b\n1,\"x\n2,\"y\"\n3,z\n",
            &["3: 2|y", "4: 3|z"],
            &["2: unclosed_quote: 1,\"x"],
        ),
        (
            "text behind a closing quote",
            "a,b\n\"1\"x,y\n2,z\n",
            &["3: 2|z"],
            &["2: unclosed_quote: \"1\"x,y"],
        ),
        (
            "a NUL byte",
            "a,b\n1,x\0\n2,y\n",
            &["3: 2|y"],
            &["2: nul_byte: 1,x\0"],
        ),
        (
            "a broken row over two lines",
            "a,b\n\"1\n1\"\n2,y\n",
            &["4: 2|y"],
            &["2: malformed_row: \"1\n1\""],
        ),
        ("header only", "a,b\n", &[], &[]),
    ];
    for (reason, text, rows, rejected) in cases {
        let read = read(text.as_bytes()).expect(reason);
        assert_eq!(
            (read.rows, read.rejected),
            (owned(rows), owned(rejected)),
            "{reason}"
        );
        assert_eq!(read.format, "csv");
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn csv_headers() {
    let semicolons = read(b"x;B; Alpha \n9;y;1\n").unwrap();
    assert_eq!(semicolons.rows, ["2: 1|y"]);
    assert_eq!(semicolons.notes.extra_columns, ["x"]);
    assert_eq!(semicolons.notes.remarks, ["fields are separated by semicolons"]);
    assert_eq!(read(b"\n\n a\tb\n1\tx").unwrap().rows, ["4: 1|x"]);
    assert_eq!(
        read(b"a,b,a\n1,x,2").unwrap().rows,
        ["2: 1|x"],
        "the first of two columns of a name"
    );
    assert_eq!(
        read(b"\"a\nb\",a,b\nq,1,x").unwrap().rows,
        ["3: 1|x"],
        "a line break in a header cell"
    );
    assert_eq!(
        error(b"id,b,other\n1,2,3"),
        "file: missing column `a` or `alpha`; found `id`, `b`, `other`; rename the columns or add them \
         (the first line must be the header)"
    );
    assert!(error(b"a,\"b\n1,2").contains("line 1"));
}

#[test]
fn of_several_names_the_first_one_counts() {
    // A trial may have both titles; CSV once took the first column and JSON the last key.
    for text in ["alpha,b,a\n2,x,1\n", "a,b,alpha\n1,x,2\n"] {
        assert_eq!(read(text.as_bytes()).unwrap().rows, ["2: 1|x"], "{text}");
    }
    let json = br#"[{"alpha":2,"a":1,"b":"x"},{"a":1,"alpha":2,"b":"x"},{"a":null,"alpha":2,"b":"x"},{"alpha":2,"a":null,"b":"x"}]"#;
    assert_eq!(read(json).unwrap().rows, ["1: 1|x", "2: 1|x", "3: 2|x", "4: 2|x"]);
}

#[test]
fn remarks_without_end_are_counted() {
    let text = format!("[{}]", vec![r#"{"a":1,"b":2,}"#; 50].join(","));
    let remarks = read(text.as_bytes()).unwrap().notes.remarks;
    assert_eq!(
        (remarks.len(), remarks[20].as_str()),
        (21, "and 30 more of the kind")
    );
}

#[test]
fn windows_1252_leaves_long_lines_of_utf8_alone() {
    // Lines are decoded in pieces; a piece that ended inside a letter was once taken for Windows-1252 as a whole.
    let long = "é".repeat(400_001);
    for shift in ["", "x"] {
        let text = format!("a,b\n{shift}{long},y\n");
        let rows = read_as(text.as_bytes(), Encoding::Windows1252).unwrap().rows;
        assert_eq!(rows, [format!("2: {shift}{long}|y")]);
    }
}

#[test]
fn json_arrays_and_lines() {
    let text = br#"[{"a": 1, "b": "x"}, {"A": "2", "b": null, "z": {"deep": [1, "]"]}}, {"a": 1.50, "b": "\u00e9"},]"#;
    let array = read(text).unwrap();
    assert_eq!(array.rows, ["1: 1|x", "2: 2|~", "3: 1.50|é"]);
    assert_eq!(
        array.notes.remarks,
        [format!("trailing comma at byte {}", text.len() - 2)]
    );
    assert_eq!(array.notes.extra_columns, ["z"]);
    let odd = read(br#"[{"a":1,"b":"x"}, 5, "t", [1], {"a":{"k":1},"b":""}, {"a":"1",}, {"a" "b"}, null]"#)
        .unwrap();
    assert_eq!(odd.rows, ["1: 1|x", "6: 1|~"]);
    let reasons: Vec<_> = odd
        .rejected
        .iter()
        .map(|row| {
            row.rsplit_once(": ")
                .map_or("", |_| row.split(": ").nth(1).unwrap())
        })
        .collect();
    assert_eq!(
        reasons,
        [
            "not_an_object",
            "not_an_object",
            "not_an_object",
            "wrong_type",
            "invalid_json",
            "not_an_object"
        ]
    );
    assert_eq!(odd.notes.remarks, ["trailing comma inside element 6 at byte 53"]);
    let lines = read(b"{\"a\":1,\"b\":\"x\"}\n\n{\"a\":2,\r\n{\"a\":3,\"b\":\"y\"}\n").unwrap();
    assert_eq!(
        (lines.rows, lines.format),
        (owned(&["1: 1|x", "4: 3|y"]), "ndjson")
    );
    assert_eq!(lines.rejected, ["3: invalid_json: {\"a\":2,\r"]);
    assert_eq!(lines.notes.blank_lines, 1);
    let spread = read(b"{\n \"a\": 1,\n \"b\": \"x\"\n}\n{\n \"a\": 2, \"b\": \"y\"}\n").unwrap();
    assert_eq!(
        (spread.rows, spread.format),
        (owned(&["1: 1|x", "2: 2|y"]), "json")
    );
    assert_eq!(read(b"[]").unwrap().rows, Vec::<String>::new());
    assert_eq!(
        read(br#"[{"a":1,"b":"x","c":["p","q"]}]"#).unwrap().rows,
        ["1: 1|x"]
    );
}

/// Bytes whose every other reading is interrupted by a signal.
struct Interrupted(Cursor<Vec<u8>>, bool);

impl std::io::Read for Interrupted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let most = buffer.len().min(10_000);
        self.0.read(&mut buffer[..most])
    }
}

/// gzip's parts took the second reading after a signal for the end of the file, and the rest of it was lost in silence.
#[test]
fn a_signal_is_no_end_of_a_packed_file() {
    // Numbers that hardly repeat, so that the packed file is long enough to be interrupted often.
    let number = |row: u64| row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let lines = |rows: std::ops::Range<u64>| -> Vec<u8> {
        rows.map(|row| format!("{},{:x}{:x}\n", row, number(row), number(row + 1_000_000)))
            .collect::<String>()
            .into_bytes()
    };
    let gzip = |bytes: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let (first, second) = ([b"a,b\n", &*lines(0..30_000)].concat(), lines(30_000..60_000));
    let whole = [first.clone(), second.clone()].concat();
    let packed = [
        whole.clone(),
        [gzip(&first), vec![0; 100_000], gzip(&second)].concat(),
        zstd::encode_all(&*whole, 1).unwrap(),
    ];
    for bytes in packed {
        let source = Box::new(Interrupted(Cursor::new(bytes), false));
        let fields = fields();
        let mut reader = open(Input::new("file", source, Encoding::Utf8).unwrap(), &fields).unwrap();
        let mut rows = 0;
        while let Some(batch) = reader.next_batch(&Task::new()).unwrap() {
            rows += batch.frame.height();
        }
        assert_eq!(rows, 60_000);
    }
}

#[test]
fn what_an_object_lacks_is_not_taken_from_the_one_before() {
    let giant = "g".repeat(1 << 17);
    let lines = [
        format!(r#"{{"a": "{giant}", "b": "first"}}"#),
        r#"{"a": "short"}"#.to_owned(),
        r#"{"b": "second", "a": null}"#.to_owned(),
        // An earlier name takes precedence over a later one, whatever their order in the object; a null does not.
        r#"{"alpha": "later", "a": "earlier", "b": "x"}"#.to_owned(),
        r#"{"a": "earlier", "alpha": "later", "b": "y"}"#.to_owned(),
        r#"{"a": null, "alpha": "later", "b": "z"}"#.to_owned(),
    ];
    let wanted = [
        format!("{giant}|first"),
        "short|~".to_owned(),
        "~|second".to_owned(),
        "earlier|x".to_owned(),
        "earlier|y".to_owned(),
        "later|z".to_owned(),
    ];
    for text in [lines.join("\n"), format!("[{}]", lines.join(","))] {
        let rows = read(text.as_bytes()).unwrap().rows;
        let values: Vec<&str> = rows.iter().map(|row| row.split_once(": ").unwrap().1).collect();
        assert_eq!(values, wanted);
    }
}

#[test]
fn json_that_is_none() {
    for (bytes, expected) in [
        (
            &br#"[{"a": 1, "b": "x"}, {"a": 2, "b": "y"#[..],
            "byte 21: the file ends at byte 37 inside element 2",
        ),
        (
            br#"[{"a": 1, "b": "x"}"#,
            "the file ends before the array is closed, after 1 elements",
        ),
        (
            br#"[{"a": 1, "b": "x"},"#,
            "the file ends before the array is closed",
        ),
        (br#"[{"a": 1} {"a": 2}]"#, "byte 10: `{` between two elements"),
        (
            br#"[{"a": 1, "b": 2}] x"#,
            "byte 19: text after the end of the array",
        ),
        (br#"[,{"a": 1}]"#, "byte 1: a comma where an element was expected"),
        (
            br#"[{"x": 1}]"#,
            "byte 0: objects without any of the expected keys; their keys are [\"x\"]",
        ),
        (br#"[{"a": 1}]"#, "missing column `b`; found `a`"),
        (b"42", "byte 0: the JSON value 42"),
        (b"<?xml version=\"1.0\"?><a/>", "byte 0: XML or HTML"),
        (b"", "an empty file of 0 bytes"),
        (b" \n\t ", "nothing but white space"),
    ] {
        let message = error(bytes);
        assert!(message.contains(expected), "{expected:?} is not in {message:?}");
        assert!(message.starts_with("file: "));
    }
}

#[test]
fn encodings() {
    let text = "a,b\n1,Genève\n";
    let utf16 = |big: bool| -> Vec<u8> {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    for bytes in [
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        utf16(true),
        utf16(false),
    ] {
        assert_eq!(read(&bytes).unwrap().rows, ["2: 1|Genève"]);
    }
    let windows = b"a,b\n1,Gen\xe8ve \x80\n2,Gen\xc3\xa8ve\n";
    let message = error(windows);
    assert!(
        message.contains("byte 9: 0xe8 is not valid UTF-8") && message.contains("windows-1252"),
        "{message}"
    );
    let rows = read_as(windows, Encoding::Windows1252).unwrap().rows;
    assert_eq!(
        rows,
        ["2: 1|Genève €", "3: 2|Genève"],
        "a line of UTF-8 stays what it is"
    );
    // A byte order mark of UTF-8 once ruled out the encoding that was asked for, with the advice to ask for it. Found
    // by fuzzing.
    let marked = [b"\xef\xbb\xbf".as_slice(), windows].concat();
    assert_eq!(
        read_as(&marked, Encoding::Windows1252).unwrap().rows,
        ["2: 1|Genève €", "3: 2|Genève"]
    );
    assert!(
        error(b"[{\"a\": \"\xff\", \"b\": 1}]").contains("byte 8"),
        "the offset of the byte, not of its element"
    );
}

/// Returns a byte at a time, as a slow pipe does.
struct Drip(Cursor<Vec<u8>>);

impl std::io::Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let end = buffer.len().min(1);
        std::io::Read::read(&mut self.0, &mut buffer[..end])
    }
}

/// The format was once decided by the first read alone: MEDLINE that arrived in drops was read as CSV, and a byte order
/// mark that arrived in two reads as letters.
#[test]
fn what_a_source_is_does_not_depend_on_how_it_arrives() {
    let text: &[u8] = b"a,b\n1,x\n";
    let marked = [b"\xef\xbb\xbf", text].concat();
    let utf16: Vec<u8> = "\u{feff}a,b\n1,x\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for bytes in [
        text.to_vec(),
        marked,
        utf16,
        gzip(text),
        zstd::encode_all(text, 1).unwrap(),
    ] {
        let fields = fields();
        let input = Input::new("file", Box::new(Drip(Cursor::new(bytes))), Encoding::Utf8).unwrap();
        let mut reader = open(input, &fields).unwrap();
        let batch = reader.next_batch(&Task::new()).unwrap().unwrap();
        assert_eq!(batch.frame.column("a").unwrap().str().unwrap().get(0), Some("1"));
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn packed_files() {
    let text: &[u8] = b"a,b\n1,x\n";
    let two_members = [gzip(text), gzip(b"2,y\n")].concat();
    assert_eq!(read(&two_members).unwrap().rows, ["2: 1|x", "3: 2|y"]);
    assert_eq!(
        read(&zstd::encode_all(text, 1).unwrap()).unwrap().rows,
        ["2: 1|x"]
    );
    let long = b"a,b\n"
        .iter()
        .copied()
        .chain((0..50_000).flat_map(|row| format!("{row},x\n").into_bytes()))
        .collect::<Vec<_>>();
    let packed = gzip(&long);
    let message = error(&packed[..packed.len() / 2]);
    assert!(
        message.contains("the gzip file is cut off or broken"),
        "{message}"
    );
    assert_eq!(read(&packed).unwrap().rows.len(), 50_000);
    assert!(error(b"PAR1 and more").contains("Parquet"));
}

#[test]
fn a_line_without_an_end_is_one_rejected_row() {
    let mut bytes = b"a,b\n1,x\n".to_vec();
    bytes.extend(std::iter::repeat_n(b'z', 40 << 20));
    bytes.extend_from_slice(b"\n2,y\n");
    let read = read(&bytes).unwrap();
    assert_eq!(read.rows, ["2: 1|x", "4: 2|y"]);
    assert_eq!(read.rejected.len(), 1);
    assert!(read.rejected[0].starts_with("3: row_too_long: zzz") && read.rejected[0].len() < 100_000);
}

/// A line without an end once took along the rows before it, if they were in the same batch: a panic, or rows that were
/// mixed with the bytes after it.
#[test]
fn a_line_without_an_end_leaves_the_rows_before_it() {
    let giant = "z".repeat(40 << 20);
    let text = format!("a,b\n\"\n1,x\n5,{giant}\n6,y\n");
    let short = read(text.as_bytes()).unwrap();
    assert_eq!(short.rows, ["3: 1|x", "5: 6|y"]);
    let reasons = |read: &Read| -> Vec<String> {
        let words = read.rejected.iter().map(|row| row.chars().take(18).collect());
        words.collect()
    };
    assert_eq!(reasons(&short), ["2: unclosed_quote:", "4: row_too_long: 5"]);

    let filler = "y".repeat(2_200_000);
    let behind: String = (0..20).map(|number| format!("{number},b or so\n")).collect();
    let text = format!("a,b\n0,{filler}\n9,\"unclosed\n1,good one\n2,good two\n5,{giant}\n{behind}");
    let long = read(text.as_bytes()).unwrap();
    assert_eq!(long.rows[1..3], ["4: 1|good one", "5: 2|good two"]);
    assert_eq!(long.rows[3..].len(), 20);
    assert_eq!(long.rows[22], "26: 19|b or so");
    assert_eq!(reasons(&long), ["3: unclosed_quote:", "6: row_too_long: 5"]);
}

#[test]
fn a_quote_closed_inside_a_long_field_costs_its_whole_line() {
    let rest = "x,".repeat(1 << 20);
    let text = format!("a,b\n1,x\n2,\"y\"z{rest}\n3,z\n");
    let read = read(text.as_bytes()).unwrap();
    assert_eq!(read.rows, ["2: 1|x", "4: 3|z"]);
    assert_eq!(read.rejected.len(), 1);
    assert!(read.rejected[0].starts_with("3: unclosed_quote: 2,\"y\"zx,"));
}

/// Only the first megabyte was looked at, so a long pretty-printed object was split into lines, none of which is a row.
#[test]
fn a_long_object_printed_for_people_is_one_row() {
    let filler = "\"word\",\n".repeat(400_000);
    let text = format!(
        "{{\n \"z\": [\n{filler} 1],\n \"a\": 1,\n \"b\": \"x\"\n}}\n{{\n \"a\": 2,\n \"b\": \"y\"}}"
    );
    let read = read(text.as_bytes()).unwrap();
    assert_eq!((read.rows, read.format), (owned(&["1: 1|x", "2: 2|y"]), "json"));
    assert!(read.rejected.is_empty());
}

#[test]
fn millions_of_blank_lines_come_before_the_header() {
    // The rest of the file was copied for each of them, so reading never ended.
    for end in ["\n", "\r\n", "\r"] {
        let text = end.repeat(3 << 20) + "a,b" + end + "1,x" + end;
        let read = read(text.as_bytes()).unwrap();
        assert_eq!(read.rows, ["3145730: 1|x"], "{end:?}");
        assert_eq!(read.notes.blank_lines, 3 << 20);
    }
}

#[test]
fn a_broken_first_line_costs_that_line_alone() {
    for broken in [
        r#"{"a":"0","b":"cut"#,
        r#"{"a":"0","b":"cut", "x":"}"#,
        r#"{"a":"0","b":"#,
    ] {
        let text =
            format!("{broken}\n{{\"a\":1,\"b\":\"Set {{a}} or b}} and ]\"}}\n{{\"a\":2,\"b\":\"y\"}}\n");
        let read = read(text.as_bytes()).unwrap();
        assert_eq!(read.rows, ["2: 1|Set {a} or b} and ]", "3: 2|y"], "{broken}");
        assert_eq!(read.rejected, [format!("1: invalid_json: {broken}")]);
    }
}

#[test]
fn half_a_pair_of_surrogates_is_no_json() {
    let read = read(br#"[{"a":"caf\ud83d","b":"x"},{"a":"1","b":"\ud83d\ude00"}]"#).unwrap();
    assert_eq!(read.rows, ["2: 1|\u{1f600}"]);
    assert_eq!(read.rejected.len(), 1);
    assert!(
        read.rejected[0].starts_with("1: invalid_json: "),
        "{:?}",
        read.rejected
    );
    let batch = batches(br#"[{"a":"caf\ud83d","b":"x"}]"#).remove(0);
    let message = &batch.rejected[0].message;
    assert!(message.contains("half of a surrogate pair"), "{message}");
}

/// The batches of a file that is read.
fn batches(bytes: &[u8]) -> Vec<RawBatch> {
    let fields = fields();
    let input = Input::new("file", Box::new(Cursor::new(bytes.to_vec())), Encoding::Utf8).unwrap();
    let mut reader = open(input, &fields).unwrap();
    std::iter::from_fn(|| reader.next_batch(&Task::new()).unwrap()).collect()
}

#[test]
fn lines_of_ndjson_may_end_in_cr_alone() {
    let read = read(b"{\"a\":1,\"b\":\"x\"}\r\r{\"a\":2\r{\"a\":3,\"b\":\"z\"}\r").unwrap();
    assert_eq!(read.rows, ["1: 1|x", "4: 3|z"]);
    assert_eq!(read.rejected, ["3: invalid_json: {\"a\":2"]);
    assert_eq!((read.format, read.notes.blank_lines), ("ndjson", 1));
}

/// Some programs put a byte order mark before a file that already has one: `[` and `<` after the second one were read
/// as CSV.
#[test]
fn marks_before_marks_are_skipped() {
    for text in ["a,b\n1,x\n", "[{\"a\":1,\"b\":\"x\"}]", "{\"a\":1,\"b\":\"x\"}\n"] {
        let marked = format!("\u{feff}\u{feff}\u{feff}{text}");
        let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [marked.as_bytes(), &wide] {
            let read = read(bytes).unwrap();
            assert_eq!(read.rows.len(), 1, "{text}");
            assert!(read.rows[0].ends_with(": 1|x"), "{:?}", read.rows);
        }
    }
    assert!(error("\u{feff}\u{feff}<html>".as_bytes()).contains("XML or HTML"));
}

#[test]
fn lines_before_a_header_are_skipped_where_they_are_no_rows() {
    let found = read(b"A list,,,\nof, 1 May,,\n,,,\n\nx,a,b,y\n0,1,x,2\n").unwrap();
    assert_eq!(found.rows, ["6: 1|x"]);
    assert_eq!(found.notes.remarks, ["the header is on line 5"]);
    // Rows after a wrong header, and before the header of another file.
    for text in [
        "k,l\n1,x\n2,y\na,b\n3,z\n",
        "a,l\n\n\na,b\n3,z\n",
        "title\n\n",
        &format!("{}a,b\n1,x\n", "text\n".repeat(40)),
    ] {
        assert!(error(text.as_bytes()).contains("missing column"), "{text}");
    }
}

#[test]
fn fields_between_bars_and_tildes() {
    for (separator, name) in [
        ("|", "vertical bars"),
        ("~", "tildes"),
        ("\t", "tabs"),
        (";", "semicolons"),
    ] {
        let read = read("a,b\n1,\"x,y\"\n".replacen(',', separator, 2).as_bytes()).unwrap();
        assert_eq!(read.rows, ["2: 1|x,y"], "{name}");
        assert_eq!(read.notes.remarks, [format!("fields are separated by {name}")]);
    }
    assert!(error(b"Ingredient~DF;Route~Trade_Name~Appl_No\nX~Y~Z~1\n").contains("Orange Book"));
}

/// Rows in a list of an object, and objects that are rows although they hold such a list.
#[test]
fn rows_in_a_list_of_an_object() {
    let row = r#"{"a":1,"b":"x"}"#;
    for (text, rows) in [
        (format!(r#"{{"meta":{{"n":[1]}},"data":[{row},{row}]}}"#), 2),
        (format!("{{\n \"data\": [\n {row}\n ],\n \"meta\": {{}}\n}}\n"), 1),
        (
            format!(r#"{{"results":[{row}],"next":null}}{{"results":[{row}]}}"#),
            2,
        ),
        (r#"{"data":[],"total":0}"#.to_owned(), 0),
        (r#"{"data":[],"a":1,"b":"x"}"#.to_owned(), 1),
        (r#"{"data":[{"k":1}],"a":1,"b":"x"}"#.to_owned(), 1),
    ] {
        let read = read(text.as_bytes()).unwrap();
        assert_eq!((read.rows.len(), read.rejected.len()), (rows, 0), "{text}");
    }
    assert!(error(format!(r#"{{"data":[{row}"#).as_bytes()).contains("cut off"));
    assert!(error(format!(r#"{{"articles":[{row}]}}"#).as_bytes()).contains("articles"));
    // What follows the list was once skipped, with all its rows.
    for behind in [format!(r#""data":[{row}]"#), format!(r#""results":[ {row}]"#)] {
        let message = error(format!(r#"{{"data":[{row}],{behind}}}"#).as_bytes());
        assert!(message.contains("a second list of rows"), "{message}");
    }
    for behind in [
        format!(",\n{{\"data\":[{row}]}}\n}}"),
        r#" "x":1}"#.to_owned(),
        r#","x":[1}}"#.to_owned(),
    ] {
        let message = error(format!(r#"{{"data":[{row}]{behind}"#).as_bytes());
        assert!(message.contains("not JSON"), "{message}");
    }
}

#[test]
fn no_message_is_longer_than_somebody_reads() {
    let names: Vec<String> = (0..100_000).map(|number| format!("column{number}")).collect();
    let long = "x".repeat(1 << 20);
    for text in [
        format!("{}\n", names.join(",")),
        format!("{long}\n1\n"),
        format!(
            "[{{{}}}]",
            names
                .iter()
                .map(|name| format!("\"{name}\":1"))
                .collect::<Vec<_>>()
                .join(",")
        ),
        format!(r#"[{{"{long}":1}}]"#),
        format!("\"{long}\""),
    ] {
        let message = error(text.as_bytes());
        assert!(
            message.len() < 4000,
            "{} bytes: {}",
            message.len(),
            &message[..200]
        );
    }
    let batches =
        batches(format!(r#"[{{"a":1,"b":2,"{long}":3}},{{"a":["{long}"],"b":2}},"{long}"]"#).as_bytes());
    assert!(
        batches
            .iter()
            .flat_map(|batch| &batch.rejected)
            .all(|row| row.message.len() < 1000)
    );
    let read = read(format!(r#"[{{"a":1,"b":2,"{long}":3}}]"#).as_bytes()).unwrap();
    assert!(read.notes.extra_columns[0].len() < 1000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_bytes_give_rows_or_an_error(head in prop::sample::select(vec!["a,b\n", "[", "{", "a;b\r\n", "", "[{\"a\":1,\"b\":2},"]),
        bytes in prop::collection::vec(prop_oneof![
            Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'a'),
            Just(b':'), Just(b'\\'), Just(0), any::<u8>()], 0..200)) {
        let _ = read(&[head.as_bytes(), &bytes].concat());
    }

    #[test]
    fn well_formed_csv_comes_back(rows in prop::collection::vec(("[^\0]{0,12}", "[^\0]{0,12}"), 0..20)) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let mut text = "a,b\n".to_owned();
        for (left, right) in &rows {
            text.push_str(&format!("{},{}\n", quoted(left), quoted(right)));
        }
        let read = read(text.as_bytes()).unwrap();
        prop_assert!(read.rejected.is_empty(), "{:?}", read.rejected);
        let values: Vec<String> = read.rows.iter().map(|row| row.split_once(": ").unwrap().1.to_owned()).collect();
        let expected: Vec<String> = rows.iter().map(|(left, right)| format!("{left}|{right}")).collect();
        prop_assert_eq!(values, expected);
    }
}

#[test]
fn two_quotes_in_a_field_without_quotes_are_two() {
    let read = read(b"a,b\n1a\"\"b,y\n2a\"\"b,\"J \"\"x\"\"\"\n").unwrap();
    assert_eq!(read.rows, ["2: 1a\"\"b|y", "3: 2a\"\"b|J \"x\""]);
}

/// Lines longer than a batch were read as NDJSON, and the objects that they belonged to were lost.
#[test]
fn an_object_printed_for_people_may_begin_with_a_long_line() {
    let long = "x".repeat(3 << 20);
    let text = format!("{{\"a\": \"{long}\",\n \"b\": \"1\"}}\n{{\"a\": \"u\",\n \"b\": \"2\"}}\n");
    let spread = read(text.as_bytes()).unwrap();
    assert_eq!(
        (spread.rows.len(), spread.rejected.len(), spread.format),
        (2, 0, "json")
    );
    let lines =
        read(format!("{{\"a\": \"{long}\", \"b\": \"1\"}}\n{{\"a\": 2, \"b\": 3}}\n").as_bytes()).unwrap();
    assert_eq!(
        (lines.rows.len(), lines.rejected.len(), lines.format),
        (2, 0, "ndjson")
    );
}
