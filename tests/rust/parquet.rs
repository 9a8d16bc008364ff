//! Parquet as a source: columns, types, row groups, and what a broken file gives.

use std::fs::File;
use std::io::Write;

use drugs_rs::error::Error;
use drugs_rs::formats::{Encoding, Input, Notes, open, open_shaped};
use drugs_rs::schema::PublicationKind;
use drugs_rs::silver::shapes::shapes;
use drugs_rs::task::Task;
use polars::prelude::{Column, DataFrame, DataType, IntoColumn, NamedFrom, ParquetWriter, Series, TimeUnit};
use proptest::prelude::*;

use crate::formats::fields;

struct Read {
    rows: Vec<String>,
    notes: Notes,
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
    let mut height = 0;
    while let Some(batch) = reader.next_batch(&Task::new()).unwrap() {
        height += batch.frame.height();
    }
    assert_eq!(height, 3000);
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

    /// Whatever bytes are changed, what comes out is rows or a fault of the file.
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
