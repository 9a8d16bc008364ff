//! The bytes of an index file: numbers of variable length, texts and records, and at the end a checksum of all before.
//!
//! An index says nothing that the tables do not say. It saves reading them, and is made again if it is missing or damaged.

use std::io::{self, Read, Write};

use xxhash_rust::xxh3::Xxh3;

/// The first bytes of every index file; the last one is the version of the format.
const MAGIC: &[u8; 5] = b"DRGI\x01";

/// The bytes of the checksum.
const CHECKSUM: u64 = 8;

/// Bytes that are written, read and summed up at once.
const BLOCK: usize = 1 << 16;

/// Writes an index file.
pub struct IndexWriter<W> {
    out: W,
    block: Vec<u8>,
    sum: Xxh3,
}

impl<W: Write> IndexWriter<W> {
    /// An index file that begins here.
    pub fn new(out: W) -> Self {
        let mut block = Vec::with_capacity(BLOCK + 64);
        block.extend_from_slice(MAGIC);
        Self {
            out,
            block,
            sum: Xxh3::new(),
        }
    }

    /// Adds a number.
    pub fn number(&mut self, mut number: u64) -> io::Result<()> {
        while number >= 0x80 {
            self.block.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.block.push(number as u8);
        self.pass_on(BLOCK)
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.number(text.len() as u64)?;
        self.bytes(text.as_bytes())
    }

    /// Adds bytes whose number the reader knows.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.block.extend_from_slice(bytes);
        self.pass_on(BLOCK)
    }

    /// Hands on what is in the block, if that is as much as this.
    fn pass_on(&mut self, least: usize) -> io::Result<()> {
        if self.block.len() < least {
            return Ok(());
        }
        self.sum.update(&self.block);
        self.out.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }

    /// Writes the checksum.
    pub fn finish(mut self) -> io::Result<()> {
        self.pass_on(0)?;
        self.out.write_all(&self.sum.digest().to_le_bytes())?;
        self.out.flush()
    }
}

/// Reads an index file.
pub struct IndexReader<R> {
    input: R,
    block: Vec<u8>,
    at: usize,
    /// The bytes that are not in the block yet, without the checksum.
    left: u64,
    sum: Xxh3,
}

impl<R: Read> IndexReader<R> {
    /// Of a file with this number of bytes.
    pub fn new(input: R, bytes: u64) -> io::Result<Self> {
        let mut reader = Self {
            input,
            block: Vec::new(),
            at: 0,
            left: bytes.checked_sub(CHECKSUM).ok_or_else(damaged)?,
            sum: Xxh3::new(),
        };
        if reader.bytes::<{ MAGIC.len() }>()? != *MAGIC {
            return Err(damaged());
        }
        Ok(reader)
    }

    /// Fills the block, so that it has `wanted` bytes that were not taken.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.block.len() - self.at >= wanted {
            return Ok(());
        }
        self.block.drain(..self.at);
        self.at = 0;
        let known = self.block.len();
        let more = (BLOCK.max(wanted) as u64).min(self.left) as usize;
        if known + more < wanted {
            return Err(damaged());
        }
        self.block.resize(known + more, 0);
        self.input.read_exact(&mut self.block[known..])?;
        self.sum.update(&self.block[known..]);
        self.left -= more as u64;
        Ok(())
    }

    /// Takes a number.
    pub fn number(&mut self) -> io::Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.bytes::<1>()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(damaged())
    }

    /// Takes a number that fits into fewer bits.
    pub fn small<N: TryFrom<u64>>(&mut self) -> io::Result<N> {
        N::try_from(self.number()?).map_err(|_| damaged())
    }

    /// Takes a text.
    pub fn text(&mut self) -> io::Result<String> {
        let length = self.small::<usize>()?;
        // A damaged length must not ask for more memory than the file has bytes.
        if length as u64 > self.left + (self.block.len() - self.at) as u64 {
            return Err(damaged());
        }
        self.fill(length)?;
        let text = self.block[self.at..self.at + length].to_vec();
        self.at += length;
        String::from_utf8(text).map_err(|_| damaged())
    }

    /// Takes bytes.
    pub fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        self.fill(N)?;
        let mut taken = [0; N];
        taken.copy_from_slice(&self.block[self.at..self.at + N]);
        self.at += N;
        Ok(taken)
    }

    /// Fails unless everything was taken and the checksum is right.
    pub fn finish(mut self) -> io::Result<()> {
        let mut written = [0; CHECKSUM as usize];
        if self.left > 0 || self.at < self.block.len() {
            return Err(damaged());
        }
        self.input.read_exact(&mut written)?;
        if u64::from_le_bytes(written) == self.sum.digest() {
            Ok(())
        } else {
            Err(damaged())
        }
    }
}

/// The error for bytes that no [`IndexWriter`] wrote.
pub fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(numbers: &[u64], texts: &[&str]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut writer = IndexWriter::new(&mut bytes);
        for number in numbers {
            writer.number(*number)?;
        }
        for text in texts {
            writer.text(text)?;
        }
        writer.finish()?;
        Ok(bytes)
    }

    fn read(bytes: &[u8], numbers: usize, texts: usize) -> io::Result<(Vec<u64>, Vec<String>)> {
        let mut reader = IndexReader::new(bytes, bytes.len() as u64)?;
        let numbers = (0..numbers).map(|_| reader.number()).collect::<io::Result<_>>()?;
        let texts = (0..texts).map(|_| reader.text()).collect::<io::Result<_>>()?;
        reader.finish()?;
        Ok((numbers, texts))
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() -> io::Result<()> {
        let numbers = [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX];
        let long = "é".repeat(BLOCK);
        let texts = ["", "journal", &long];
        let bytes = write(&numbers, &texts)?;
        let (read_numbers, read_texts) = read(&bytes, numbers.len(), texts.len())?;
        assert_eq!(
            (read_numbers.as_slice(), read_texts.as_slice()),
            (&numbers[..], &texts.map(str::to_owned)[..])
        );
        let small = write(&numbers, &["journal"])?;
        for place in 0..small.len() {
            for bit in 0..8 {
                let mut other = small.clone();
                other[place] ^= 1 << bit;
                assert!(read(&other, numbers.len(), 1).is_err(), "byte {place}, bit {bit}");
            }
        }
        for cut in 0..small.len() {
            assert!(read(&small[..cut], numbers.len(), 1).is_err());
        }
        Ok(())
    }
}
