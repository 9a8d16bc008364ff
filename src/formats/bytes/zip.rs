//! The headers of ZIP: those before the files, and the directory behind them, which ends an archive or leads to the next one.

use std::io::{self, BufRead, Read};

use super::compression::{refused, skip_zeros};
use super::members::{LONGEST_NAME, MemberEntry, Stream, broken, cut_off};

const REMEDY: &str = "pack the files again with deflate and without a password";

impl Stream {
    fn numbers<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.bytes.read_exact(&mut bytes).map_err(cut_off)?;
        Ok(bytes)
    }

    /// The next file: its name. The directory is no list to look files up in, so that the archive may be a stream.
    pub(crate) fn enter_zip(&mut self) -> io::Result<Option<(String, MemberEntry)>> {
        loop {
            let signature: [u8; 4] = self.numbers()?;
            match &signature {
                b"PK\x03\x04" => {
                    self.unlisted += 1;
                    return self.enter_zip_file().map(Some);
                }
                b"PK\x01\x02" => {
                    let entry: [u8; 42] = self.numbers()?;
                    self.skip([24, 26, 28].map(|at| short(&entry, at)).iter().sum())?;
                    self.unlisted -= 1;
                }
                b"PK\x05\x05" => {
                    let size = u16::from_le_bytes(self.numbers()?);
                    self.skip(u64::from(size))?;
                }
                b"PK\x06\x06" => {
                    let size = u64::from_le_bytes(self.numbers()?);
                    self.skip(size)?;
                }
                b"PK\x06\x07" => self.skip(16)?,
                b"PK\x06\x08" => {
                    let size = u32::from_le_bytes(self.numbers()?);
                    self.skip(u64::from(size))?;
                }
                b"PK\x05\x06" => {
                    let end: [u8; 18] = self.numbers()?;
                    self.skip(short(&end, 16))?;
                    if self.unlisted != 0 {
                        return Err(broken(
                            "the directory of the ZIP archive lists other files than it holds",
                        ));
                    }
                    // Another archive may follow.
                    if !skip_zeros(&mut self.bytes)? {
                        return Ok(None);
                    }
                }
                _ => return Err(broken("something that is no file in the ZIP archive")),
            }
        }
    }

    fn enter_zip_file(&mut self) -> io::Result<(String, MemberEntry)> {
        let header: [u8; 26] = self.numbers()?;
        let long =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let (flags, method) = (short(&header, 2), short(&header, 4));
        let mut name = vec![0; short(&header, 22) as usize];
        let mut extra = vec![0; short(&header, 24) as usize];
        for bytes in [&mut name, &mut extra] {
            self.bytes.read_exact(bytes).map_err(cut_off)?;
        }
        if name.len() > LONGEST_NAME {
            return Err(broken("the name of a file in the archive is too long"));
        }
        let name = String::from_utf8_lossy(&name).into_owned();
        if flags & 1 != 0 {
            return Err(refused(format!("`{name}` is encrypted"), REMEDY));
        }
        let behind = flags & 8 != 0;
        let left = match method {
            8 => None,
            0 if !behind => Some(match long(14) {
                u32::MAX => zip64_size(&extra).ok_or_else(|| broken(format!("`{name}` has no size")))?,
                size => u64::from(size),
            }),
            0 => {
                let found = format!("`{name}` is stored without its size before it");
                return Err(refused(found, REMEDY));
            }
            _ => {
                let found =
                    format!("`{name}` is packed by method {method}; only deflate and stored files are read");
                return Err(refused(found, REMEDY));
            }
        };
        self.begin(left);
        let checksum = long(10);
        Ok((name, MemberEntry::Zip { behind, checksum }))
    }

    /// The checksum of a member whose size and checksum stand behind it.
    pub(crate) fn descriptor(&mut self) -> io::Result<u32> {
        let mut checksum: [u8; 4] = self.numbers()?;
        if &checksum == b"PK\x07\x08" {
            checksum = self.numbers()?;
        }
        let sizes: [u8; 8] = self.numbers()?;
        // Of sizes of four bytes each the second is the unpacked one, which was counted; of eight bytes each, the upper half of
        // the first stands there. Where that is zero as well, the next byte tells: a signature, or the second size, zero.
        let counted = self.crc.amount();
        let wide = if counted == 0 {
            self.bytes.fill_buf()?.first() != Some(&b'P')
        } else {
            sizes[4..] != counted.to_le_bytes()
        };
        if wide {
            let _more: [u8; 8] = self.numbers()?;
        }
        Ok(u32::from_le_bytes(checksum))
    }
}

fn short(bytes: &[u8], at: usize) -> u64 {
    u64::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

/// The unpacked size of a large file, from the extra field of its header.
fn zip64_size(extra: &[u8]) -> Option<u64> {
    let mut rest = extra;
    while let Some((head, behind)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        if head[..2] == [1, 0] {
            return Some(u64::from_le_bytes(*behind.get(..length)?.first_chunk::<8>()?));
        }
        rest = behind.get(length..)?;
    }
    None
}
