//! Compares the footer of a table's file with its pages, byte by byte: readers jump to the offsets in it.

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;

use drugs_rs::sorting::Bound;
use polars_parquet_format::thrift::protocol::{TCompactInputProtocol, TCompactOutputProtocol};
use polars_parquet_format::{ColumnChunk, ColumnIndex, FileMetaData, OffsetIndex, PageHeader, PageType};

use super::row_groups::made;

const ROWS: usize = 40_000;

/// Long titles, for many pages; few journals, for dictionaries; some missing values, and a flag.
fn csv() -> String {
    let mut csv = String::from("id,title,date,journal\n");
    for number in 0..ROWS {
        let journal = ["Annals", "Letters", ""][number % 3];
        let date = ["2020-01-02", "2019", "no date"][number % 7 % 3];
        writeln!(csv, "{number},{number} {},{date},{journal}", "title ".repeat(40)).unwrap();
    }
    csv
}

/// Parses a part of the file as Thrift, with the number of bytes that it took.
macro_rules! thrift {
    ($kind:ty, $bytes:expr) => {{
        let bytes: &[u8] = $bytes;
        let mut rest = bytes;
        let value =
            <$kind>::read_from_in_protocol(&mut TCompactInputProtocol::new(&mut rest, usize::MAX)).unwrap();
        (value, bytes.len() - rest.len())
    }};
}

fn part(bytes: &[u8], offset: Option<i64>, length: Option<i32>) -> &[u8] {
    let start = usize::try_from(offset.unwrap()).unwrap();
    &bytes[start..start + usize::try_from(length.unwrap()).unwrap()]
}

fn footer(bytes: &[u8]) -> (FileMetaData, Range<usize>) {
    let (rest, magic) = bytes.split_last_chunk::<4>().unwrap();
    let (_, length) = rest.split_last_chunk::<4>().unwrap();
    assert_eq!((&bytes[..4], magic), (b"PAR1".as_slice(), b"PAR1"));
    let end = bytes.len() - 8;
    let place = end - u32::from_le_bytes(*length) as usize..end;
    let (footer, taken) = thrift!(FileMetaData, &bytes[place.clone()]);
    assert_eq!(taken, place.len(), "the footer is as long as the file says");
    (footer, place)
}

/// A page in the file.
struct Found {
    offset: usize,
    bytes: usize,
    header: PageHeader,
}

/// The pages of a column, one after the other.
fn pages(bytes: &[u8], place: Range<usize>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = place.start;
    while at < place.end {
        let (header, length) = thrift!(PageHeader, &bytes[at..]);
        let whole = length + usize::try_from(header.compressed_page_size).unwrap();
        found.push(Found {
            offset: at,
            bytes: whole,
            header,
        });
        at += whole;
    }
    assert_eq!(at, place.end, "the last page ends where the column does");
    found
}

/// Checks the metadata of one column, which must begin at `start`; returns its end.
fn check_column(bytes: &[u8], column: &ColumnChunk, start: usize, rows: i64) -> usize {
    let said = column.meta_data.as_ref().unwrap();
    let name = said.path_in_schema.join(".");
    let end = start + usize::try_from(said.total_compressed_size).unwrap();
    let found = pages(bytes, start..end);
    let unpacked: i64 = found
        .iter()
        .map(|page| {
            (page.bytes as i32 - page.header.compressed_page_size + page.header.uncompressed_page_size) as i64
        })
        .sum();
    assert_eq!(unpacked, said.total_uncompressed_size, "{name}");
    let dictionary = found[0].header.type_ == PageType::DICTIONARY_PAGE;
    let (first, data) = found.split_at(usize::from(dictionary));
    assert_eq!(
        said.dictionary_page_offset,
        first.first().map(|page| page.offset as i64),
        "{name}"
    );
    assert_eq!(said.data_page_offset, data[0].offset as i64, "{name}");
    assert_eq!(
        column.file_offset, 0,
        "{name}: what the footer says stands nowhere else"
    );

    let (index, taken) = thrift!(
        OffsetIndex,
        part(bytes, column.offset_index_offset, column.offset_index_length)
    );
    assert_eq!(taken, column.offset_index_length.unwrap() as usize, "{name}");
    assert_eq!(index.page_locations.len(), data.len(), "{name}");
    let mut values = 0;
    for (location, page) in index.page_locations.iter().zip(data) {
        assert_eq!(location.offset, page.offset as i64, "{name}");
        assert_eq!(location.compressed_page_size, page.bytes as i32, "{name}");
        if name != "flags.list.element" {
            assert_eq!(location.first_row_index, values, "{name}");
        }
        values += i64::from(page.header.data_page_header.as_ref().unwrap().num_values);
    }
    assert_eq!(values, said.num_values, "{name}");
    assert!(values >= rows, "{name}");

    let (index, taken) = thrift!(
        ColumnIndex,
        part(bytes, column.column_index_offset, column.column_index_length)
    );
    assert_eq!(taken, column.column_index_length.unwrap() as usize, "{name}");
    let statistics = said.statistics.as_ref().unwrap();
    assert_eq!(index.null_pages.len(), data.len(), "{name}");
    let nulls: i64 = index.null_counts.unwrap().iter().sum();
    assert_eq!(Some(nulls), statistics.null_count, "{name}");
    if name == "title" {
        assert!(data.len() > 5, "titles are many pages: {}", data.len());
        assert_eq!(index.min_values.iter().min(), statistics.min_value.as_ref());
        assert_eq!(index.max_values.iter().max(), statistics.max_value.as_ref());
    }
    end
}

#[test]
fn the_end_of_a_file_says_where_every_page_stands() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("pubmed.csv");
    fs::write(&source, csv()).unwrap();
    let (bytes, _) = made(&source, Bound(1 << 20), 2);
    let (footer, place) = footer(&bytes);
    assert_eq!(footer.num_rows, ROWS as i64);
    assert_eq!(footer.row_groups.len(), 3);
    let mut start = 4;
    for (number, group) in footer.row_groups.iter().enumerate() {
        assert_eq!(group.ordinal, Some(number as i16));
        assert_eq!(group.file_offset, Some(start as i64));
        let before = start;
        for column in &group.columns {
            start = check_column(&bytes, column, start, group.num_rows);
        }
        assert_eq!(group.total_compressed_size, Some((start - before) as i64));
    }
    // After the pages come the indexes, one kind after the other and without a gap, and then the footer.
    let columns = || footer.row_groups.iter().flat_map(|group| &group.columns);
    for column in columns() {
        assert_eq!(column.column_index_offset, Some(start as i64));
        start += column.column_index_length.unwrap() as usize;
    }
    for column in columns() {
        assert_eq!(column.offset_index_offset, Some(start as i64));
        start += column.offset_index_length.unwrap() as usize;
    }
    assert_eq!(start, place.start);
    let mut again = Vec::new();
    footer
        .write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut again))
        .unwrap();
    assert!(
        again == bytes[place],
        "the footer is not what the library would write"
    );
}

#[test]
fn a_table_without_rows_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("pubmed.csv");
    fs::write(&source, "id,title,date,journal\n1, ,2020,J\n").unwrap();
    let (bytes, _) = made(&source, Bound(1 << 20), 1);
    let (footer, place) = footer(&bytes);
    assert_eq!((footer.num_rows, footer.row_groups.len()), (0, 0));
    assert_eq!(place.start, 4, "nothing but the footer");
    assert_eq!(footer.schema[1].name, "publication_id");
    assert!(
        footer
            .key_value_metadata
            .unwrap()
            .iter()
            .any(|pair| pair.key == "ARROW:schema")
    );
}
