//! A look at the page headers of a Parquet file before anybody decodes its pages.
//!
//! Decoders take the numbers in a page's header at their word and ask for memory by them; a flipped bit there ends the
//! process. So every header of a wanted column is read first: sizes must fit into their chunk, values into their row
//! group, and what unpacks to far more than anything real does is a bomb, as in other packings.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

use polars_parquet_format::PageHeader;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;

use crate::formats::bytes::compression::{MostRatio, check_ratio};

/// A header takes no more memory than this: a page's smallest and largest value may be whole texts.
const MOST_HEADER: usize = 64 << 20;

/// What the pages of a file unpack to, up to now.
pub(crate) struct PageSizes {
    packed: u64,
    unpacked: u64,
    most_ratio: MostRatio,
}

impl PageSizes {
    pub(crate) fn new(most_ratio: MostRatio) -> Self {
        Self {
            packed: 0,
            unpacked: 0,
            most_ratio,
        }
    }

    fn add(&mut self, packed: u64, unpacked: u64) -> io::Result<()> {
        self.packed += packed;
        self.unpacked += unpacked;
        // One page is held at once, whatever the others are.
        check_ratio(packed, unpacked, self.most_ratio)?;
        check_ratio(self.packed, self.unpacked, self.most_ratio)
    }
}

/// Checks the page headers of the column chunk at `place`, which holds at most `values` values.
pub(crate) fn check<R: Read + Seek>(
    file: R,
    place: Range<u64>,
    values: u64,
    sizes: &mut PageSizes,
) -> io::Result<()> {
    let mut file = BufReader::new(file);
    file.seek(SeekFrom::Start(place.start))?;
    let mut at = place.start;
    let mut seen = 0_u64;
    while at < place.end {
        let mut header_bytes = 0;
        let header = {
            let counted = CountedReads {
                inner: &mut file,
                count: &mut header_bytes,
            };
            PageHeader::read_from_in_protocol(&mut TCompactInputProtocol::new(counted, MOST_HEADER))
                .map_err(|_| broken("something that is no page header"))?
        };
        at += header_bytes;
        let (dictionary, values_here) = numbers(&header);
        let numbers = (
            u64::try_from(header.compressed_page_size),
            u64::try_from(header.uncompressed_page_size),
            u64::try_from(values_here),
        );
        let (Ok(packed), Ok(unpacked), Ok(values_here)) = numbers else {
            return Err(broken("a page header with impossible sizes"));
        };
        if packed > place.end.saturating_sub(at) {
            return Err(broken("a page header with impossible sizes"));
        }
        sizes.add(packed, unpacked)?;
        if dictionary {
            // Each entry takes a byte at least, of what the page unpacks to.
            if values_here > unpacked {
                return Err(broken("a dictionary with more values than bytes"));
            }
        } else {
            seen += values_here;
            if seen > values {
                return Err(broken("pages with more values than their row group"));
            }
        }
        file.seek_relative(i64::from(header.compressed_page_size))?;
        at += packed;
    }
    Ok(())
}

/// Whether it is of a dictionary, and how many values the page has.
fn numbers(header: &PageHeader) -> (bool, i32) {
    let data = header.data_page_header.as_ref().map(|data| data.num_values);
    let second = header.data_page_header_v2.as_ref().map(|data| data.num_values);
    let dictionary = header
        .dictionary_page_header
        .as_ref()
        .map(|dictionary| dictionary.num_values);
    (
        dictionary.is_some(),
        dictionary.or(data).or(second).unwrap_or_default(),
    )
}

fn broken(found: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, found)
}

struct CountedReads<'r, R> {
    inner: &'r mut R,
    count: &'r mut u64,
}

impl<R: Read> Read for CountedReads<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        *self.count += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// The header of a data page: type, both sizes, `data_page_header { num_values, three encodings }`.
    fn page(unpacked: i64, packed: i64, values: i64) -> Vec<u8> {
        let mut bytes = vec![0x15, 0];
        for (head, number) in [(0x15, unpacked), (0x15, packed)] {
            bytes.push(head);
            write(&mut bytes, number);
        }
        bytes.extend([0x2c, 0x15]);
        write(&mut bytes, values);
        bytes.extend([0x15, 0, 0x15, 0, 0x15, 0, 0, 0]);
        bytes
    }

    fn write(bytes: &mut Vec<u8>, number: i64) {
        let mut number = ((number << 1) ^ (number >> 63)) as u64;
        while number > 0x7f {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
    }

    fn told(bytes: &[u8], values: u64) -> String {
        told_of(bytes, values, MostRatio::default())
    }

    fn told_of(bytes: &[u8], values: u64, most_ratio: MostRatio) -> String {
        let place = 0..bytes.len() as u64;
        match check(Cursor::new(bytes), place, values, &mut PageSizes::new(most_ratio)) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn impossible_headers_are_found() {
        let good = [page(4, 3, 10), vec![9, 9, 9]].concat();
        assert_eq!(told(&good, 10), "");
        assert_eq!(told(&[good.clone(), good.clone()].concat(), 20), "");
        assert!(told(&[good.clone(), good.clone()].concat(), 19).contains("more values"));
        assert!(told(&page(4, 0, -1), 10).contains("impossible"));
        assert!(told(&page(4, 1, 1), 10).contains("impossible"));
        assert!(told(&page(-4, 0, 1), 10).contains("impossible"));
        assert!(!told(&good[..3], 10).is_empty());
        assert!(!told(&[0xff; 40], 10).is_empty());
    }

    #[test]
    fn the_ratio_of_the_caller_holds_for_one_page_and_for_all() {
        let page = |unpacked| [page(unpacked, 4, 1), vec![9; 4]].concat();
        let told = |pages: &[i64], most| {
            let bytes: Vec<u8> = pages.iter().flat_map(|unpacked| page(*unpacked)).collect();
            told_of(&bytes, 10, MostRatio(most))
        };
        assert!(told(&[1 << 30], 400).contains("400 times"));
        assert!(told(&[1 << 30], 7).contains("7 times"));
        assert_eq!(told(&[1 << 30], 0), "");
        assert_eq!(told(&[1 << 30], 1 << 28), "");
        // Below a quarter of a gigabyte in all any ratio goes.
        assert_eq!(told(&[1 << 27, 1 << 26], 400), "");
        assert!(told(&[1 << 27, 1 << 27, 1 << 26], 400).contains("400 times"));
    }
}
