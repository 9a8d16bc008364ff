//! The headers of ZIP: those before the files, and the directory behind them, which ends an archive or leads to the next one.

use std::io::{self, BufRead, Read};

use super::archive_faults::{broken, cut_off};
use super::compression::{refused, skip_zeros};
use super::members::{LONGEST_NAME, MemberEntry, Stream};
use super::zip_directory::{ZipDirectory, ZipFacts, ZipHeader, shown};

const REMEDY: &str = "pack the files again with deflate and without a password";

/// What the end of an archive begins with.
const END: &[u8; 4] = b"PK\x05\x06";

impl Stream {
    fn numbers<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.bytes.read_exact(&mut bytes).map_err(cut_off)?;
        Ok(bytes)
    }

    fn text(&mut self, length: u16) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::from(length)];
        self.bytes.read_exact(&mut bytes).map_err(cut_off)?;
        Ok(bytes)
    }

    /// The name and the header of the next file. The archive may be a stream, so files are not looked up in its directory, which
    /// comes last; the directory is checked against the files when the stream reaches it.
    pub(crate) fn enter_zip(&mut self) -> io::Result<Option<(String, MemberEntry)>> {
        loop {
            let at = self.position() - self.zip_start;
            let signature: [u8; 4] = self.numbers()?;
            match &signature {
                b"PK\x03\x04" => return self.enter_zip_file(at).map(Some),
                // An archive that was to be split and fits into one part begins with this mark.
                b"PK\x07\x08" if at == 0 => {}
                b"PK\x01\x02" => {
                    self.list_zip_file()?;
                    self.zip.stands(at, self.position() - self.zip_start);
                }
                b"PK\x05\x05" => {
                    let size = u16::from_le_bytes(self.numbers()?);
                    self.skip(u64::from(size))?;
                    self.zip.stands(at, self.position() - self.zip_start);
                }
                b"PK\x06\x06" => {
                    let size = u64::from_le_bytes(self.numbers()?);
                    let record: [u8; 44] = self.numbers()?;
                    self.zip.widen([20, 28, 36].map(|at| number::<8>(&record, at)));
                    self.skip(size.saturating_sub(44))?;
                }
                b"PK\x06\x07" => self.skip(16)?,
                b"PK\x06\x08" => {
                    let size = u32::from_le_bytes(self.numbers()?);
                    self.skip(u64::from(size))?;
                }
                END => {
                    let end: [u8; 18] = self.numbers()?;
                    let remark = self.text(short(&end, 16))?;
                    if remark.windows(END.len()).any(|part| part == END) {
                        return Err(broken("a remark behind it that looks like its end"));
                    }
                    self.zip
                        .finish(at, short(&end, 6), long(&end, 8), long(&end, 12))?;
                    // Another archive may follow.
                    if !skip_zeros(&mut self.bytes)? {
                        return Ok(None);
                    }
                    self.zip = ZipDirectory::default();
                    self.zip_start = self.position();
                }
                _ => return Err(broken("something that is no file in the ZIP archive")),
            }
        }
    }

    fn list_zip_file(&mut self) -> io::Result<()> {
        let entry: [u8; 42] = self.numbers()?;
        let name = self.text(short(&entry, 24))?;
        let extra = self.text(short(&entry, 26))?;
        self.skip(u64::from(short(&entry, 28)))?;
        let [unpacked, packed, offset] = wide(&extra, [20, 16, 38].map(|at| long(&entry, at)));
        let facts = ZipFacts {
            checksum: long(&entry, 12),
            packed,
            unpacked,
        };
        self.zip.list(offset, &name, short(&entry, 6), facts)
    }

    fn enter_zip_file(&mut self, offset: u64) -> io::Result<(String, MemberEntry)> {
        let header: [u8; 26] = self.numbers()?;
        let (flags, method) = (short(&header, 2), short(&header, 4));
        let name = self.text(short(&header, 22))?;
        let extra = self.text(short(&header, 24))?;
        if name.len() > LONGEST_NAME {
            return Err(broken("the name of a file in the archive is too long"));
        }
        if flags & 1 != 0 {
            return Err(refused(format!("{} is encrypted", shown(&name)), REMEDY));
        }
        let [unpacked, packed] = wide(&extra, [18, 14].map(|at| long(&header, at)));
        let facts = (flags & 8 == 0).then_some(ZipFacts {
            checksum: long(&header, 10),
            packed,
            unpacked,
        });
        let left = match (method, facts) {
            (8, _) => None,
            (0, Some(facts)) => Some(facts.packed),
            (0, None) => {
                let found = format!("{} is stored without its size before it", shown(&name));
                return Err(refused(found, REMEDY));
            }
            _ => {
                let name = shown(&name);
                let found =
                    format!("{name} is packed by method {method}; only deflate and stored files are read");
                return Err(refused(found, REMEDY));
            }
        };
        self.begin(left);
        let shown = String::from_utf8_lossy(&name).into_owned();
        let header = ZipHeader {
            offset,
            name,
            method,
            facts,
        };
        Ok((shown, MemberEntry::Zip(header)))
    }

    /// Reads the descriptor after a file, if it has one, and checks the declared sizes and checksum against the content.
    pub(crate) fn leave_zip_file(&mut self, header: &ZipHeader, found: ZipFacts) -> io::Result<()> {
        let name = || shown(&header.name);
        let said = match header.facts {
            Some(said) => said,
            None => self.descriptor(found)?,
        };
        if said.checksum != found.checksum {
            return Err(broken(format!("the checksum of {} is another", name())));
        }
        if said != found {
            return Err(broken(format!(
                "{} has another size than its header says",
                name()
            )));
        }
        self.zip.met(header.offset, &header.name, header.method, found)
    }

    /// Reads the data descriptor: the sizes and the checksum of a member whose header lacks them.
    fn descriptor(&mut self, found: ZipFacts) -> io::Result<ZipFacts> {
        let mut checksum: [u8; 4] = self.numbers()?;
        if &checksum == b"PK\x07\x08" {
            checksum = self.numbers()?;
        }
        let sizes: [u8; 8] = self.numbers()?;
        let (narrow, first) = ([long(&sizes, 0), long(&sizes, 4)], u64::from_le_bytes(sizes));
        // Sizes of four bytes each or of eight. Where both could be meant, the next byte tells: a signature, or the second size.
        let fits = narrow == [found.packed as u32, found.unpacked as u32];
        let wide = first == found.packed && !(fits && self.bytes.fill_buf()?.first() == Some(&b'P'));
        let [packed, unpacked] = match (wide, fits) {
            (true, _) => [first, u64::from_le_bytes(self.numbers()?)],
            (false, true) => [found.packed, found.unpacked],
            (false, false) => narrow.map(u64::from),
        };
        Ok(ZipFacts {
            checksum: u32::from_le_bytes(checksum),
            packed,
            unpacked,
        })
    }
}

/// The little-endian number of `N` bytes at `at`.
fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + N]
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn short(bytes: &[u8], at: usize) -> u16 {
    number::<2>(bytes, at) as u16
}

fn long(bytes: &[u8], at: usize) -> u32 {
    number::<4>(bytes, at) as u32
}

/// The numbers of a header; those without room there come from its extra field.
fn wide<const N: usize>(extra: &[u8], numbers: [u32; N]) -> [u64; N] {
    let mut rest = extra;
    let mut wide: &[u8] = &[];
    while let Some((head, behind)) = rest.split_first_chunk::<4>() {
        let Some((content, others)) = behind.split_at_checked(usize::from(short(head, 2))) else {
            break;
        };
        if short(head, 0) == 1 {
            wide = content;
            break;
        }
        rest = others;
    }
    numbers.map(|number| {
        if number == u32::MAX
            && let Some((eight, others)) = wide.split_first_chunk::<8>()
        {
            wide = others;
            return u64::from_le_bytes(*eight);
        }
        u64::from(number)
    })
}
