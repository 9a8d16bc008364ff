//! Parquet as a source: columns, types, row groups, and the errors of broken files.

use std::fs::File;
use std::io::Write;

use drugs_rs::error::Error;
use drugs_rs::formats::{Encoding, Input, ReaderNotes, open, open_shaped};
use drugs_rs::schema::PublicationKind;
use drugs_rs::silver::shapes::shapes;
use drugs_rs::task::Task;
use polars::prelude::{Column, DataFrame, DataType, IntoColumn, NamedFrom, ParquetWriter, Series, TimeUnit};
use proptest::prelude::*;

use super::formats::fields;

struct Read {
    rows: Vec<String>,
    notes: ReaderNotes,
    batches: usize,
    raw: Vec<String>,
}

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    file
}

fn read(bytes: &[u8]) -> Result<Read, Error> {
    let fields = fields();
    let input = Input::of_file("file", file_of(bytes), Encoding::Utf8)?;
    let mut reader = open(input, &fields)?;
    let (mut rows, mut raw, mut batches) = (Vec::new(), Vec::new(), 0);
    while let Some(batch) = reader.next_batch(&Task::new())? {
        batches += 1;
        let numbers = batch.frame.column("source_row").unwrap().u64().unwrap().clone();
        for (place, number) in numbers.into_no_null_iter().enumerate() {
            let value = |name: &str| {
                let column = batch.frame.column(name).unwrap().str().unwrap();
                column.get(place).unwrap_or("~").to_owned()
            };
            rows.push(format!("{number}: {}|{}|{}", value("a"), value("b"), value("c")));
            raw.push(batch.raw.get(place).into_owned());
        }
    }
    assert_eq!(reader.format(), "parquet");
    Ok(Read {
        rows,
        notes: reader.notes(),
        batches,
        raw,
    })
}

fn written(columns: Vec<Column>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let height = columns.first().map_or(0, Column::len);
    let mut frame = DataFrame::new(height, columns).unwrap();
    ParquetWriter::new(&mut bytes)
        .with_row_group_size(Some(1000))
        .finish(&mut frame)
        .unwrap();
    bytes
}

fn column<T, P: ?Sized>(name: &str, values: T) -> Column
where
    Series: NamedFrom<T, P>,
{
    Series::new(name.into(), values).into_column()
}

#[test]
fn values_are_the_texts_that_other_formats_would_hold() {
    let text = || column("b", ["x", "y"]);
    let cast = |values: &[Option<i64>], data_type: &DataType| {
        let series = Series::new("a".into(), values);
        let series = match data_type {
            DataType::Date => series.cast(&DataType::Int32).unwrap(),
            _ => series,
        };
        series.cast(data_type).unwrap().into_column()
    };
    let day = 18_266; // 2020-01-05
    let seconds = day * 86_400 + 37_800;
    let cases: [(&str, Column, [&str; 2]); 13] = [
        ("text", column("a", ["é", " 1 "]), ["é", " 1 "]),
        ("a gap", column("a", [Some("1"), None]), ["1", "~"]),
        (
            "numbers of 64 bits",
            column("a", [i64::MIN, 7]),
            ["-9223372036854775808", "7"],
        ),
        ("numbers of 32 bits", column("a", [-1_i32, 7]), ["-1", "7"]),
        (
            "without a sign",
            column("a", [u64::MAX, 7]),
            ["18446744073709551615", "7"],
        ),
        (
            "without a sign, 32 bits",
            column("a", [u32::MAX, 7]),
            ["4294967295", "7"],
        ),
        // pandas turns ids with a missing one among them into floats.
        (
            "floating",
            column("a", [Some(31_400_738.0_f64), Some(f64::NAN)]),
            ["31400738", "~"],
        ),
        (
            "floating, with a fraction",
            column("a", [Some(1.5_f64), None]),
            ["1.5", "~"],
        ),
        (
            "days",
            cast(&[Some(day), None], &DataType::Date),
            ["2020-01-05", "~"],
        ),
        (
            "days before the calendar",
            cast(&[Some(i64::from(i32::MIN)), Some(0)], &DataType::Date),
            ["day -2147483648", "1970-01-01"],
        ),
        (
            "instants",
            cast(
                &[Some(seconds * 1_000_000 + 5), Some(-1)],
                &DataType::Datetime(TimeUnit::Microseconds, None),
            ),
            ["2020-01-05 10:30:00", "1969-12-31 23:59:59"],
        ),
        (
            "instants in milliseconds",
            cast(
                &[Some(seconds * 1_000), Some(i64::MAX)],
                &DataType::Datetime(TimeUnit::Milliseconds, None),
            ),
            ["2020-01-05 10:30:00", "instant 9223372036854775807"],
        ),
        (
            "nothing at all",
            Column::full_null("a".into(), 2, &DataType::Null),
            ["~", "~"],
        ),
    ];
    for (reason, values, [first, second]) in cases {
        let read = read(&written(vec![values, text()])).expect(reason);
        assert_eq!(
            read.rows,
            [format!("1: {first}|x|~"), format!("2: {second}|y|~")],
            "{reason}"
        );
    }
}

#[test]
fn lists_are_joined_where_a_field_may_be_one() {
    let list = |name: &str| {
        let items = Series::new("".into(), ["p", "q"]);
        let none = Series::new_empty("".into(), &DataType::String);
        Series::new(name.into(), [items, none]).into_column()
    };
    let bytes = written(vec![column("a", ["1", "2"]), column("b", ["x", "y"]), list("c")]);
    assert_eq!(read(&bytes).unwrap().rows, ["1: 1|x|p | q", "2: 2|y|"]);
    let bytes = written(vec![list("a"), column("b", ["x", "y"])]);
    let message = read(&bytes).err().unwrap().to_string();
    assert!(
        message.starts_with("file: column `a`: values of the type"),
        "{message}"
    );
    let bytes = written(vec![column("a", [true, false]), column("b", ["x", "y"])]);
    assert!(read(&bytes).err().unwrap().to_string().contains("Boolean"));
}

#[test]
fn columns_are_known_by_the_names_of_the_other_formats() {
    let bytes = written(vec![
        column("z", [1_i64]),
        column(" ALPHA ", ["1"]),
        column("b", ["x"]),
    ]);
    let read = read(&bytes).unwrap();
    assert_eq!(read.rows, ["1: 1|x|~"]);
    assert_eq!(read.notes.extra_columns, ["z"]);
    assert_eq!(read.raw, [r#"{"a":"1","b":"x"}"#]);
    let message = self::read(&written(vec![column("a", ["1"]), column("bb", ["x"])]))
        .err()
        .unwrap()
        .to_string();
    assert_eq!(
        message,
        "file: missing column `b`; found `a`, `bb`; rename the columns or add them (columns of the Parquet file)"
    );
}

#[test]
fn the_table_of_a_lake_is_a_source_of_publications() {
    let shapes = shapes(PublicationKind::Pubmed);
    let bytes = written(vec![
        column("publication_id", ["7"]),
        column("title", ["Ethanol"]),
        column("date", ["2020-01-05"]),
        column("journal", ["Toxicon"]),
        column("journal_key", ["toxicon"]),
    ]);
    let input = Input::of_file("file", file_of(&bytes), Encoding::Utf8).unwrap();
    let mut reader = open_shaped(input, shapes).unwrap();
    let batch = reader.next_batch(&Task::new()).unwrap().unwrap();
    assert_eq!(batch.shape, 0);
    assert_eq!(batch.frame.column("id").unwrap().str().unwrap().get(0), Some("7"));
}

#[test]
fn long_files_come_in_batches_across_their_row_groups() {
    let numbers: Vec<i64> = (0..70_001).collect();
    let texts: Vec<String> = numbers
        .iter()
        .map(|number| format!("{number} {}", "x".repeat(200)))
        .collect();
    let read = read(&written(vec![column("a", numbers), column("b", texts)])).unwrap();
    assert_eq!(read.rows.len(), 70_001);
    assert!(read.batches > 10, "{} batches", read.batches);
    for (place, row) in read.rows.iter().enumerate() {
        assert!(
            row.starts_with(&format!("{}: {place}|{place} x", place + 1)),
            "{row}"
        );
    }
    assert_eq!(
        self::read(&written(vec![column("a", [""; 0]), column("b", [""; 0])]))
            .unwrap()
            .rows,
        [""; 0]
    );
}

#[test]
fn broken_files_are_faults_of_the_file() {
    let whole = written(vec![column("a", ["1"; 3000]), column("b", ["x"; 3000])]);
    for bytes in [
        &whole[..whole.len() / 2],
        &whole[..whole.len() - 1],
        b"PAR1",
        b"PAR1 and more",
    ] {
        let error = read(bytes).err().unwrap();
        assert!(error.is_of_a_file(), "{error}");
        assert!(error.to_string().contains("cut off or broken"), "{error}");
    }
}

#[test]
fn parquet_that_is_packed_or_streamed_is_read_like_a_file() {
    let whole = written(vec![column("a", ["1"; 3000]), column("b", ["x"; 3000])]);
    let rows = read(&whole).unwrap().rows;
    let packed = zstd::encode_all(whole.as_slice(), 1).unwrap();
    assert_eq!(read(&packed).unwrap().rows, rows);
    let error = read(&packed[..packed.len() / 2]).err().unwrap();
    assert!(
        error.is_of_a_file() && error.to_string().contains("zstd file is cut off"),
        "{error}"
    );
    let stream = Box::new(std::io::Cursor::new(whole.clone()));
    let fields = fields();
    let mut reader = open(Input::new("file", stream, Encoding::Utf8).unwrap(), &fields).unwrap();
    assert_eq!(reader.format(), "parquet");
    let mut height = 0;
    while let Some(batch) = reader.next_batch(&Task::new()).unwrap() {
        height += batch.frame.height();
    }
    assert_eq!(height, 3000);
}

/// An endless pipe, only the beginning of which is Parquet.
struct Endless(bool);

impl std::io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if !std::mem::replace(&mut self.0, true) {
            buffer[..4].copy_from_slice(b"PAR1");
            return Ok(4);
        }
        // A quarter of a megabyte is read before the copy begins.
        std::thread::sleep(std::time::Duration::from_millis(1));
        let most = buffer.len().min(1 << 14);
        buffer[..most].fill(0);
        Ok(most)
    }
}

#[test]
fn copying_parquet_from_a_pipe_can_be_stopped() {
    let task = Task::new();
    let stopper = task.clone();
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        stopper.cancel();
    });
    let input = Input::new("file", Box::new(Endless(false)), Encoding::Utf8).unwrap();
    let fields = fields();
    let error = open(input.under(&task), &fields).err().unwrap();
    assert!(matches!(error, Error::Cancelled), "{error}");
}

#[test]
fn parquet_is_no_text() {
    let whole = written(vec![column("a", ["1"]), column("b", ["x"])]);
    let input = Input::of_file("file", file_of(&whole), Encoding::Utf8).unwrap();
    assert!(
        input
            .single()
            .err()
            .unwrap()
            .to_string()
            .contains("a Parquet file")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever bytes are changed, the result is rows or an error about the file.
    #[test]
    fn spoiled_files_never_panic(places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let texts: Vec<Option<String>> = (0..50)
            .map(|number| (number % 5 > 0).then(|| format!("text {}", number % 7)))
            .collect();
        let numbers: Vec<i64> = (0..50).collect();
        let mut bytes = written(vec![column("a", numbers), column("b", texts)]);
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Err(error) = read(&bytes) {
            prop_assert!(error.is_of_a_file(), "{}", error);
        }
    }
}
