//! The bytes of a source, unpacked and in UTF-8.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::packing::{Archive, BUFFER, Bytes, archive_kind, packing, unpacked};
use crate::error::{Error, Result};

/// What bytes that are neither UTF-8 nor UTF-16 with a byte order mark are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Nothing: they are an error.
    #[default]
    Utf8,
    /// Windows-1252, line by line: a line that is valid UTF-8 stays what it is.
    Windows1252,
}

/// How many times its size a packed file may unpack to before it is a bomb; 0 is any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MostRatio(pub u64);

impl Default for MostRatio {
    /// XML of PubMed unpacks to eleven times its size, a column of one and the same text to a hundred times.
    fn default() -> Self {
        Self(400)
    }
}

/// How the bytes of a source are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    pub encoding: Encoding,
    pub most_ratio: MostRatio,
}

impl From<Encoding> for Reading {
    fn from(encoding: Encoding) -> Self {
        Self {
            encoding,
            ..Self::default()
        }
    }
}

/// Makes UTF-8 of another encoding.
type Decode = fn(BufReader<Bytes>) -> Bytes;

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The beginning of a Parquet file, which is read from its end.
pub const PARQUET: &[u8] = b"PAR1";

/// An opened source: unpacked, without a byte order mark, UTF-8 unless its bytes are broken.
pub struct Input {
    uri: String,
    reading: Reading,
    packing: Option<&'static str>,
    reader: BufReader<Bytes>,
    /// The whole file, where it is Parquet, which is read from its end.
    parquet: Option<File>,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Input")
            .field("uri", &self.uri)
            .field("packing", &self.packing)
            .finish_non_exhaustive()
    }
}

impl Input {
    /// Recognises compression and encoding by the first bytes. A file without a byte is an error.
    pub fn new(uri: impl Into<String>, bytes: Bytes, reading: impl Into<Reading>) -> Result<Self> {
        let uri = uri.into();
        Self::open_or_empty(&uri, bytes, reading)?.ok_or_else(|| empty(&uri, "an empty file of 0 bytes"))
    }

    /// The same for a file, which may also be Parquet.
    pub fn of_file(uri: &str, file: File, reading: impl Into<Reading>) -> Result<Self> {
        Self::of_file_or_empty(uri, file, reading)?.ok_or_else(|| empty(uri, "an empty file of 0 bytes"))
    }

    /// The same for whom a file without a byte is just nothing.
    pub fn of_file_or_empty(uri: &str, file: File, reading: impl Into<Reading>) -> Result<Option<Self>> {
        let bytes = file
            .try_clone()
            .map_err(|error| read_error(uri, 0, None, error))?;
        Self::recognise(uri, Box::new(bytes), Some(file), reading.into())
    }

    /// The same for whom a stream without a byte is just nothing.
    pub fn open_or_empty(uri: &str, bytes: Bytes, reading: impl Into<Reading>) -> Result<Option<Self>> {
        Self::recognise(uri, bytes, None, reading.into())
    }

    fn recognise(uri: &str, bytes: Bytes, file: Option<File>, reading: Reading) -> Result<Option<Self>> {
        let uri = uri.to_owned();
        let failed = |error| read_error(&uri, 0, None, error);
        let mut plain = BufReader::with_capacity(BUFFER, Ahead::of(bytes));
        let head = plain.fill_buf().map_err(failed)?;
        if head.is_empty() {
            return Ok(None);
        }
        if head.starts_with(PARQUET) {
            let file = match file {
                Some(file) => file,
                None => copied(&uri, &mut plain, None)?,
            };
            return Ok(Some(Self::of_parquet(uri, file, reading)));
        }
        let packing = packing(head);
        // What is not packed keeps its buffer: most of a hundred thousand small files are not.
        let mut unpacked = match packing {
            Some(packing) => {
                let unpacked = unpacked(packing, plain, reading.most_ratio).map_err(failed)?;
                BufReader::with_capacity(BUFFER, Ahead::of(unpacked))
            }
            None => plain,
        };
        let head = unpacked
            .fill_buf()
            .map_err(|error| read_error(&uri, 0, packing, error))?;
        if head.starts_with(PARQUET) {
            let file = copied(&uri, &mut unpacked, packing)?;
            return Ok(Some(Self::of_parquet(uri, file, reading)));
        }
        let plain = archive_kind(head).is_some() || reading.encoding == Encoding::Utf8;
        let marked = head.starts_with(MARK);
        let decoded: Option<Decode> = match head {
            [0xff, 0xfe, ..] => {
                Some(|bytes| Box::new(Utf16::new(bytes, UTF_16LE.new_decoder_with_bom_removal())))
            }
            [0xfe, 0xff, ..] => {
                Some(|bytes| Box::new(Utf16::new(bytes, UTF_16BE.new_decoder_with_bom_removal())))
            }
            // A mark speaks for the program that wrote the file, not for every line that went into it.
            _ if !plain => Some(|bytes| Box::new(Lines1252::new(bytes))),
            _ => None,
        };
        if marked {
            unpacked.consume(MARK.len());
        }
        let reader = match decoded {
            Some(decode) => BufReader::with_capacity(BUFFER, Ahead::of(decode(unpacked))),
            None => unpacked,
        };
        Ok(Some(Self {
            uri,
            reading,
            packing,
            reader,
            parquet: None,
        }))
    }

    fn of_parquet(uri: String, file: File, reading: Reading) -> Self {
        Self {
            uri,
            reading,
            packing: None,
            reader: BufReader::new(Box::new(io::empty())),
            parquet: Some(file),
        }
    }

    /// The file itself, where it is Parquet.
    #[cfg(feature = "tables")]
    pub(super) fn take_parquet(&mut self) -> Option<(String, File)> {
        let file = self.parquet.take()?;
        Some((self.uri.clone(), file))
    }

    /// What the caller called it.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The first byte that is not white space; an error when there is none.
    pub(super) fn first_letter(&mut self) -> Result<u8> {
        loop {
            let head = self
                .reader
                .fill_buf()
                .map_err(|error| read_error(&self.uri, 0, self.packing, error))?;
            if head.is_empty() {
                return Err(empty(&self.uri, "nothing but white space"));
            }
            match head.iter().position(|byte| !byte.is_ascii_whitespace()) {
                Some(position) => return Ok(head[position]),
                // That many blanks in front is no text of ours; the CSV reader will say what is missing.
                None if head.len() >= BUFFER => return Ok(b' '),
                None => self.look_further()?,
            }
        }
    }

    /// The files in it, where it is an archive.
    pub(super) fn archive(self) -> Result<(Reading, Archive), Self> {
        match archive_kind(self.reader.buffer()) {
            Some(kind) => Ok((
                self.reading,
                Archive::new(kind, Box::new(self.reader), self.reading.most_ratio),
            )),
            None => Err(self),
        }
    }

    /// The same bytes, where they are no archive: one text cannot be several files.
    pub fn single(mut self) -> Result<Self> {
        if self.parquet.is_some() {
            return Err(Error::format(
                &self.uri,
                "byte 0",
                "a Parquet file",
                "expected text; name the column that holds it",
            ));
        }
        self.look()?;
        match archive_kind(self.reader.buffer()) {
            None => Ok(self),
            Some(kind) => Err(Error::format(
                &self.uri,
                "byte 0",
                format!("a {kind} archive"),
                "take the file out of the archive",
            )),
        }
    }

    /// Looks at the beginning without taking it.
    pub(super) fn look(&mut self) -> Result<()> {
        match self.reader.fill_buf() {
            Ok(_) => Ok(()),
            Err(error) => Err(read_error(&self.uri, 0, self.packing, error)),
        }
    }

    /// What is here of the beginning, to tell the format by.
    pub(super) fn head(&self) -> &[u8] {
        self.reader.buffer()
    }

    /// Makes the buffer longer, for a file that begins with white space or arrives in drops.
    fn look_further(&mut self) -> Result<()> {
        let mut head = self.reader.buffer().to_vec();
        let before = head.len();
        head.resize(before + 4096, 0);
        let rest = self.reader.get_mut();
        let read = rest
            .read(&mut head[before..])
            .map_err(|error| read_error(&self.uri, 0, self.packing, error))?;
        if read == 0 {
            return Err(empty(&self.uri, "nothing but white space"));
        }
        head.truncate(before + read);
        let rest = std::mem::replace(rest, Box::new(io::empty()));
        self.reader = BufReader::with_capacity(BUFFER, Box::new(io::Cursor::new(head).chain(rest)));
        Ok(())
    }

    /// Reads on; `at` is where the unpacked text stands, for the message.
    pub(super) fn read(&mut self, buffer: &mut [u8], at: u64) -> Result<usize> {
        loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map_err(|error| read_error(&self.uri, at, self.packing, error)),
            }
        }
    }

    /// The error for bytes at `byte` that are not UTF-8.
    pub(super) fn not_utf8(&self, byte: u64, found: u8) -> Error {
        let place = if self.packing.is_some() {
            " of the unpacked content"
        } else {
            ""
        };
        Error::Encoding {
            uri: self.uri.clone(),
            byte,
            found: format!("0x{found:02x}{place} is not valid UTF-8"),
            remedy: "save the file as UTF-8, or pass encoding=\"windows-1252\" (--encoding windows-1252) if that is what it is"
                .to_owned(),
        }
    }
}

/// A temporary copy of what cannot be read from its end where it is: packed, in an archive, in a pipe.
#[cfg(feature = "tables")]
fn copied(uri: &str, from: &mut impl Read, packing: Option<&'static str>) -> Result<File> {
    use std::io::{BufWriter, Seek, Write};

    use crate::scratch;

    let kept = |error| Error::storage(uri, "keep a temporary copy of it", error);
    let mut copy = BufWriter::with_capacity(BUFFER, scratch::unnamed().map_err(kept)?);
    let mut piece = vec![0; BUFFER];
    let mut copied = 0;
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(read_error(uri, copied, packing, error)),
        };
        copy.write_all(&piece[..read]).map_err(kept)?;
        copied += read as u64;
    }
    let mut copy = copy.into_inner().map_err(|error| kept(error.into_error()))?;
    copy.rewind().map_err(kept)?;
    Ok(copy)
}

/// Without tables nobody reads Parquet.
#[cfg(not(feature = "tables"))]
fn copied(uri: &str, _from: &mut impl Read, _packing: Option<&'static str>) -> Result<File> {
    Err(Error::format(uri, "byte 0", "Parquet", "expected text"))
}

fn empty(uri: &str, found: &str) -> Error {
    Error::format(
        uri,
        "byte 0",
        found,
        "expected CSV with a header line, a JSON array, NDJSON or Parquet",
    )
}

/// What to do about a bomb.
pub(super) const BOMB_REMEDY: &str = "pass max_ratio (--max-ratio) if it is to be read all the same";

fn read_error(uri: &str, at: u64, packing: Option<&str>, error: io::Error) -> Error {
    if let Some(broken) = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<BrokenUtf16>())
    {
        return Error::Encoding {
            uri: uri.to_owned(),
            byte: broken.byte,
            found: "half a character of UTF-16".to_owned(),
            remedy: "deliver the file again, or save it as UTF-8".to_owned(),
        };
    }
    if error.kind() == io::ErrorKind::FileTooLarge {
        let place = format!("byte {at} of the unpacked content");
        return Error::format(uri, place, error.to_string(), BOMB_REMEDY);
    }
    if let Some(packing) = packing.filter(|_| !matches!(error.kind(), io::ErrorKind::PermissionDenied)) {
        return Error::format(
            uri,
            format!("byte {at} of the unpacked content"),
            format!("the {packing} file is cut off or broken ({error})"),
            "deliver the file again",
        );
    }
    // Disks have other complaints; this one is of the archive that the file is in.
    if matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
    ) {
        let place = format!("byte {at} of the unpacked content");
        return Error::format(uri, place, error.to_string(), "deliver the file again");
    }
    Error::storage(uri, "read the source", error)
}

/// A stream whose beginning is read at once: what it is taken for must not depend on how it arrives. A pipe, an unpacker or an
/// object store may give it in drops.
struct Ahead {
    head: io::Cursor<Vec<u8>>,
    /// What went wrong behind the head; told when the reader comes to it.
    error: Option<io::Error>,
    rest: Bytes,
}

impl Ahead {
    fn of(mut bytes: Bytes) -> Bytes {
        let mut head = Vec::new();
        let error = (&mut bytes).take(BUFFER as u64).read_to_end(&mut head).err();
        Box::new(Self {
            head: io::Cursor::new(head),
            error,
            rest: bytes,
        })
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.head.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.rest.read(buffer),
        }
    }
}

/// A part of a pair, or of a unit, of UTF-16 without the other part.
#[derive(Debug, thiserror::Error)]
#[error("byte {byte} of the unpacked content: half a character of UTF-16")]
struct BrokenUtf16 {
    byte: u64,
}

/// UTF-16 on its way to UTF-8.
struct Utf16<R> {
    inner: R,
    decoder: Decoder,
    /// The bytes that were decoded.
    read: u64,
    ready: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl<R: BufRead> Utf16<R> {
    fn new(inner: R, decoder: Decoder) -> Self {
        Self {
            inner,
            decoder,
            read: 0,
            ready: Vec::new(),
            taken: 0,
            ended: false,
        }
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() && !self.ended {
            let bytes = self.inner.fill_buf()?;
            self.ended = bytes.is_empty();
            let room = self
                .decoder
                .max_utf8_buffer_length_without_replacement(bytes.len())
                .unwrap_or(bytes.len() * 3 + 16);
            self.ready.resize(room, 0);
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(bytes, &mut self.ready, self.ended);
            self.ready.truncate(written);
            self.taken = 0;
            self.inner.consume(read);
            self.read += read as u64;
            if let DecoderResult::Malformed(wrong, behind) = result {
                let byte = self.read.saturating_sub(u64::from(wrong) + u64::from(behind));
                return Err(io::Error::other(BrokenUtf16 { byte }));
            }
        }
        let count = buffer.len().min(self.ready.len() - self.taken);
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

/// Lines of Windows-1252 on their way to UTF-8; a line that is UTF-8 already passes as it is.
struct Lines1252<R> {
    inner: R,
    ready: Vec<u8>,
    /// The first bytes of a letter whose others are not read yet.
    cut: Vec<u8>,
    taken: usize,
}

impl<R: BufRead> Lines1252<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            ready: Vec::new(),
            cut: Vec::new(),
            taken: 0,
        }
    }
}

impl<R: BufRead> Read for Lines1252<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.ready.clear();
            self.taken = 0;
            // A line longer than this is decoded in pieces.
            self.ready.append(&mut self.cut);
            (&mut self.inner)
                .take(BUFFER as u64)
                .read_until(b'\n', &mut self.ready)?;
            if let Err(error) = std::str::from_utf8(&self.ready) {
                let whole = error.valid_up_to();
                if error.error_len().is_none() && whole > 0 && !self.inner.fill_buf()?.is_empty() {
                    // The piece ends inside a letter of UTF-8, whose rest comes with the next piece.
                    self.cut = self.ready.split_off(whole);
                } else {
                    let (text, _) = WINDOWS_1252.decode_without_bom_handling(&self.ready);
                    self.ready = text.into_owned().into_bytes();
                }
            }
        }
        let count = buffer.len().min(self.ready.len() - self.taken);
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}
