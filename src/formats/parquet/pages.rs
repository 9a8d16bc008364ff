//! A look at the page headers of a Parquet file before anybody decodes its pages.
//!
//! Decoders take the numbers in a page's header at their word and ask for memory by them; a flipped bit there ends the
//! process. So every header of a wanted column is read first: sizes must fit into their chunk, values into their row
//! group, and what unpacks to far more than anything real does is a bomb. Headers are structures of Thrift's compact
//! protocol, of which nothing but the wanted numbers is kept.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

/// As for other packings: below the first size nobody is harmed, beyond it this ratio is a bomb.
const HARMLESS: i64 = 256 << 20;
const MOST_RATIO: i64 = 400;

/// Structures in structures of a header; real ones have three.
const DEEPEST: u8 = 16;

/// Checks the headers of a column chunk that stands at `place` and holds so many values.
pub(crate) fn check<R: Read + Seek>(file: R, place: Range<u64>, values: u64) -> io::Result<()> {
    let mut file = BufReader::new(file);
    file.seek(SeekFrom::Start(place.start))?;
    let mut at = place.start;
    let mut seen = 0_u64;
    while at < place.end {
        let mut header = PageHeader::default();
        let mut counted = CountedReads {
            inner: &mut file,
            count: 0,
        };
        counted.structure(0, &mut |depth, field, number| header.note(depth, field, number))?;
        at += counted.count;
        let left = i64::try_from(place.end.saturating_sub(at)).unwrap_or(i64::MAX);
        let fits = (0..=left).contains(&header.packed)
            && (0..=i64::from(i32::MAX)).contains(&header.unpacked)
            && header.values >= 0;
        if !fits {
            return Err(broken("a page header with impossible sizes"));
        }
        if header.unpacked > HARMLESS && header.unpacked / MOST_RATIO > header.packed {
            return Err(broken("a page that unpacks to more than 400 times its size"));
        }
        if header.is_dictionary {
            // Each entry takes a byte at least, of what the page unpacks to.
            if header.values > header.unpacked {
                return Err(broken("a dictionary with more values than bytes"));
            }
        } else {
            seen += header.values as u64;
            if seen > values {
                return Err(broken("pages with more values than their row group"));
            }
        }
        file.seek_relative(header.packed)?;
        at += header.packed as u64;
    }
    Ok(())
}

fn broken(found: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, found)
}

/// The wanted numbers of a page header.
#[derive(Debug, Default)]
struct PageHeader {
    unpacked: i64,
    packed: i64,
    values: i64,
    is_dictionary: bool,
    /// The field of the outer structure that is being read.
    outer: i16,
}

impl PageHeader {
    fn note(&mut self, depth: u8, field: i16, number: Option<i64>) {
        match (depth, field, number) {
            (0, 2, Some(size)) => self.unpacked = size,
            (0, 3, Some(size)) => self.packed = size,
            (0, field, None) => {
                self.outer = field;
                self.is_dictionary |= field == 7;
            }
            // The headers of data pages of both versions and of dictionaries all begin with it.
            (1, 1, Some(values)) if matches!(self.outer, 5 | 7 | 8) => self.values = values,
            _ => {}
        }
    }
}

struct CountedReads<'r, R> {
    inner: &'r mut R,
    count: u64,
}

impl<R: BufRead> CountedReads<'_, R> {
    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.inner.read_exact(&mut byte)?;
        self.count += 1;
        Ok(byte[0])
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut *self.inner).take(bytes), &mut io::sink())?;
        self.count += skipped;
        if skipped == bytes {
            Ok(())
        } else {
            Err(broken("a page header that is cut off"))
        }
    }

    fn unsigned(&mut self) -> io::Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(broken("a number without an end in a page header"))
    }

    fn signed(&mut self) -> io::Result<i64> {
        let number = self.unsigned()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Tells `note` of each field: its number, or nothing where it is a structure, before what is in it.
    fn structure(&mut self, depth: u8, note: &mut impl FnMut(u8, i16, Option<i64>)) -> io::Result<()> {
        let mut field = 0_i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            field = match head >> 4 {
                0 => self.signed()? as i16,
                delta => field.wrapping_add(i16::from(delta)),
            };
            match head & 0xf {
                4..=6 => {
                    let number = self.signed()?;
                    note(depth, field, Some(number));
                }
                12 => {
                    note(depth, field, None);
                    self.value(12, depth, note)?;
                }
                other => self.value(other, depth, note)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: u8, note: &mut impl FnMut(u8, i16, Option<i64>)) -> io::Result<()> {
        if depth > DEEPEST {
            return Err(broken("a page header without a bottom"));
        }
        match kind {
            // Truth values stand in the type itself.
            1 | 2 => Ok(()),
            3 => self.skip(1),
            4..=6 => self.unsigned().map(|_| ()),
            7 => self.skip(8),
            8 => {
                let length = self.unsigned()?;
                self.skip(length)
            }
            12 => self.structure(depth + 1, note),
            // Lists, sets and maps: page headers have none.
            _ => Err(broken("something that is no page header")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A data page of so many values, with sizes as given: type, both sizes, `data_page_header { num_values, encodings }`.
    fn page(unpacked: i64, packed: i64, values: i64) -> Vec<u8> {
        let mut bytes = vec![0x15, 0];
        for (head, number) in [(0x15, unpacked), (0x15, packed)] {
            bytes.push(head);
            write(&mut bytes, number);
        }
        bytes.extend([0x2c, 0x15]);
        write(&mut bytes, values);
        bytes.extend([0x15, 0, 0, 0]);
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
        let place = 0..bytes.len() as u64;
        match check(Cursor::new(bytes), place, values) {
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
        assert!(told(&page(1 << 30, 0, 1), 10).contains("400 times"));
        assert!(!told(&good[..3], 10).is_empty());
        assert!(!told(&[0xff; 40], 10).is_empty());
    }
}
