//! The bytes of a source, unpacked and in UTF-8.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::{UTF_16BE, UTF_16LE};

use super::compression::{BUFFER, ByteStream, MostRatio, foreign, packing, unpacked};
use super::decoding::{Ahead, BrokenUtf16, Lines1252, Utf16};
use super::marks::{line_end, without_marks};
use super::members::{Archive, archive_kind};
use super::whole_file::WholeFile;
use crate::choice::{Choice, parse_choices};
use crate::error::{Error, Refusal, Result};
use crate::task::Task;

/// What bytes that are neither UTF-8 nor UTF-16 with a byte order mark are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// No other encoding: such bytes are an error.
    #[default]
    Utf8,
    /// Windows-1252, line by line: a line that is valid UTF-8 stays what it is.
    Windows1252,
}

impl Choice for Encoding {
    const CHOICES: &'static [Self] = &[Self::Utf8, Self::Windows1252];
    const IGNORES_CASE: bool = true;

    fn choice_name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
        }
    }
}

parse_choices!(Encoding);

/// How the bytes of a source are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOptions {
    pub encoding: Encoding,
    pub most_ratio: MostRatio,
}

impl From<Encoding> for ReadOptions {
    fn from(encoding: Encoding) -> Self {
        Self {
            encoding,
            ..Self::default()
        }
    }
}

/// Makes UTF-8 of another encoding.
type Decode = fn(BufReader<ByteStream>) -> ByteStream;

/// The beginning of a Parquet file, which is read from its end.
pub const PARQUET: &[u8] = b"PAR1";

/// An opened source: unpacked, without a byte order mark, UTF-8 unless its bytes are broken.
pub struct Input {
    uri: String,
    reading: ReadOptions,
    packing: Option<&'static str>,
    reader: BufReader<ByteStream>,
    /// The whole file, where it is Parquet, which is read from its end.
    parquet: Option<WholeFile>,
    /// Asked whether to stop where much is read before there is a batch.
    task: Task,
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
    pub fn new(uri: impl Into<String>, bytes: ByteStream, reading: impl Into<ReadOptions>) -> Result<Self> {
        let uri = uri.into();
        Self::open_or_empty(&uri, bytes, reading)?.ok_or_else(|| empty(&uri, "an empty file of 0 bytes"))
    }

    /// Like [`Input::new`], but takes a file, so that uncompressed Parquet is read in place, without a temporary copy.
    pub fn of_file(uri: &str, file: File, reading: impl Into<ReadOptions>) -> Result<Self> {
        Self::of_file_or_empty(uri, file, reading)?.ok_or_else(|| empty(uri, "an empty file of 0 bytes"))
    }

    /// Like [`Input::of_file`], but returns `None` for an empty file.
    pub fn of_file_or_empty(uri: &str, file: File, reading: impl Into<ReadOptions>) -> Result<Option<Self>> {
        let bytes = file
            .try_clone()
            .map_err(|error| read_error(uri, 0, None, error))?;
        Self::recognise(uri, Box::new(bytes), Some(file), reading.into())
    }

    /// Like [`Input::new`], but returns `None` for an empty stream.
    pub fn open_or_empty(
        uri: &str,
        bytes: ByteStream,
        reading: impl Into<ReadOptions>,
    ) -> Result<Option<Self>> {
        Self::recognise(uri, bytes, None, reading.into())
    }

    fn recognise(
        uri: &str,
        bytes: ByteStream,
        file: Option<File>,
        reading: ReadOptions,
    ) -> Result<Option<Self>> {
        let uri = uri.to_owned();
        let failed = |error| read_error(&uri, 0, None, error);
        let mut plain = BufReader::with_capacity(BUFFER, Ahead::of(bytes));
        let head = plain.fill_buf().map_err(failed)?;
        if head.is_empty() {
            return Ok(None);
        }
        if head.starts_with(PARQUET) {
            let whole = file.map_or_else(|| WholeFile::Coming(Box::new(plain)), WholeFile::Here);
            return Ok(Some(Self::of_parquet(uri, reading, None, whole)));
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
            let whole = WholeFile::Coming(Box::new(unpacked));
            return Ok(Some(Self::of_parquet(uri, reading, packing, whole)));
        }
        if let (Some(outer), Some(inner)) = (packing, self::packing(head)) {
            return Err(Error::format(
                &uri,
                "byte 0 of the unpacked content",
                format!("{inner} inside {outer}"),
                "a file is unpacked once; unpack it, or pack it once",
            ));
        }
        if let Some((found, remedy)) = foreign(head) {
            let place = match packing {
                Some(_) => "byte 0 of the unpacked content",
                None => "byte 0",
            };
            return Err(Error::format(&uri, place, found, remedy));
        }
        let plain = archive_kind(head).is_some() || reading.encoding == Encoding::Utf8;
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
        let marks = head.len() - without_marks(head).len();
        unpacked.consume(marks);
        let reader = match decoded {
            Some(decode) => {
                let mut decoded = BufReader::with_capacity(BUFFER, Ahead::of(decode(unpacked)));
                // Of two marks in UTF-16 the decoder takes one.
                let head = decoded
                    .fill_buf()
                    .map_err(|error| read_error(&uri, 0, packing, error))?;
                let marks = head.len() - without_marks(head).len();
                decoded.consume(marks);
                decoded
            }
            None => unpacked,
        };
        Ok(Some(Self {
            uri,
            reading,
            packing,
            reader,
            parquet: None,
            task: Task::new(),
        }))
    }

    fn of_parquet(
        uri: String,
        reading: ReadOptions,
        packing: Option<&'static str>,
        whole: WholeFile,
    ) -> Self {
        Self {
            uri,
            reading,
            packing,
            reader: BufReader::new(Box::new(io::empty())),
            parquet: Some(whole),
            task: Task::new(),
        }
    }

    /// Reads as part of `task`, which notes the source and may stop the reading.
    #[must_use]
    pub fn under(mut self, task: &Task) -> Self {
        self.task = task.clone();
        task.note(|| format!("reading {}", self.uri));
        self
    }

    /// The file itself, where it is Parquet, and how far its pages may unpack.
    #[cfg(feature = "tables")]
    pub(crate) fn take_parquet(&mut self) -> Result<Option<(String, File, MostRatio)>> {
        let Some(whole) = self.parquet.take() else {
            return Ok(None);
        };
        let failed = |at, error| read_error(&self.uri, at, self.packing, error);
        let file = whole.file(&self.uri, failed, &self.task)?;
        Ok(Some((self.uri.clone(), file, self.reading.most_ratio)))
    }

    /// What the caller called it.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The first byte that is not white space; an error when there is none.
    pub(crate) fn first_letter(&mut self) -> Result<u8> {
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

    /// What kind of archive it is, if it is one.
    pub(crate) fn archive_kind(&self) -> Option<&'static str> {
        archive_kind(self.reader.buffer())
    }

    /// The archive, which is of this `kind`, with the options and the task to read its files with.
    pub(crate) fn into_archive(self, kind: &'static str) -> (Archive, ReadOptions, Task) {
        let archive = Archive::new(kind, Box::new(self.reader), self.reading.most_ratio);
        (archive, self.reading, self.task)
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
        match self.archive_kind() {
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
    pub(crate) fn look(&mut self) -> Result<()> {
        match self.reader.fill_buf() {
            Ok(_) => Ok(()),
            Err(error) => Err(read_error(&self.uri, 0, self.packing, error)),
        }
    }

    /// The buffered beginning, by which the format is recognised.
    pub(crate) fn head(&self) -> &[u8] {
        self.reader.buffer()
    }

    /// The byte that ends lines, judged by the buffered beginning.
    pub(crate) fn line_end(&self) -> u8 {
        line_end(self.head())
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
    pub(crate) fn read(&mut self, buffer: &mut [u8], at: u64) -> Result<usize> {
        loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map_err(|error| read_error(&self.uri, at, self.packing, error)),
            }
        }
    }

    /// A byte as the place of a fault: of a packed file, nobody finds it without unpacking.
    pub(crate) fn place(&self, byte: u64) -> String {
        match self.packing {
            Some(_) => format!("byte {byte} of the unpacked content"),
            None => format!("byte {byte}"),
        }
    }

    /// The error for bytes at `byte` that are not UTF-8.
    pub(crate) fn not_utf8(&self, byte: u64, found: u8) -> Error {
        let place = if self.packing.is_some() {
            " (bytes count in the unpacked content)"
        } else {
            ""
        };
        Error::Encoding {
            uri: self.uri.clone(),
            byte,
            found: format!("0x{found:02x} is not valid UTF-8{place}"),
            remedy: "save the file as UTF-8, or pass encoding=\"windows-1252\" (--encoding windows-1252) if that is what it is"
                .to_owned(),
        }
    }
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
pub(crate) const BOMB_REMEDY: &str = "pass max_ratio (--max-ratio) if it is to be read all the same";

/// What an error says that cannot be read although it is not broken.
pub(crate) fn refusal(error: &io::Error) -> Option<&Refusal> {
    error.get_ref()?.downcast_ref()
}

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
    if let (Some(_), Some(refusal)) = (packing, refusal(&error)) {
        let place = format!("byte {at} of the unpacked content");
        return Error::format(uri, place, &refusal.found, refusal.remedy);
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
