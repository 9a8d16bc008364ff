//! What one file is packed in: gzip, zstd and bzip2. Archives of several are in `members.rs`.
//!
//! Everything is unpacked as it streams in. A source that unpacks to far more than anything real does is a bomb and an error.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::GzDecoder;

use crate::error::Refusal;

/// How many times its size a packed file may unpack to before it is a bomb; 0 is any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MostRatio(pub u64);

impl Default for MostRatio {
    /// XML of PubMed unpacks to eleven times its size, a column of one and the same text to a hundred times.
    fn default() -> Self {
        Self(400)
    }
}

/// A stream of bytes that may move to another thread.
pub(crate) type ByteStream = Box<dyn Read + Send>;

pub(crate) const BUFFER: usize = 1 << 18;

/// Below this size nobody is harmed by any ratio.
const HARMLESS: u64 = 256 << 20;

/// How a file is packed, by its first bytes.
pub(crate) fn packing(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x1f, 0x8b, ..] => Some("gzip"),
        // A frame, or one that readers skip and that others follow.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some("zstd"),
        // A block, or the end of a part without any.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, ..] => Some("bzip2"),
        _ => None,
    }
}

/// What people deliver that is none of ours: its name, how it begins, what to do.
const FOREIGN: [(&str, &[u8], &str); 12] = [
    ("an xz file", b"\xfd7zXZ\0", UNPACK),
    ("an lz4 file", b"\x04\x22\x4d\x18", UNPACK),
    ("a 7z archive", b"7z\xbc\xaf\x27\x1c", UNPACK),
    ("a RAR archive", b"Rar!\x1a\x07", UNPACK),
    ("a file of `compress`", b"\x1f\x9d", UNPACK),
    ("a PDF document", b"%PDF-", EXPORT),
    ("a PNG image", b"\x89PNG\r\n\x1a\n", EXPORT),
    ("a JPEG image", b"\xff\xd8\xff", EXPORT),
    (
        "an old office document",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        EXPORT,
    ),
    ("an SQLite database", b"SQLite format 3\0", EXPORT),
    ("an Avro file", b"Obj\x01", EXPORT),
    ("an Arrow file", b"ARROW1\0\0", EXPORT),
];

const UNPACK: &str = "unpack it, or pack it with gzip, zstd, bzip2, or as a ZIP or tar archive";

pub(crate) const EXPORT: &str = "export its table as CSV with a header line, a JSON array, NDJSON or Parquet";

/// What a file is that no reader here knows, and what to do, where its first bytes say so.
pub(crate) fn foreign(head: &[u8]) -> Option<(&'static str, &'static str)> {
    FOREIGN
        .iter()
        .find(|(_, beginning, _)| head.starts_with(beginning))
        .map(|&(name, _, remedy)| (name, remedy))
}

/// The unpacked bytes of a packed file.
pub(crate) fn unpacked(
    packing: &str,
    packed: BufReader<ByteStream>,
    most_ratio: MostRatio,
) -> io::Result<ByteStream> {
    let count = Arc::new(AtomicU64::new(0));
    // Behind a buffer of its own, so that the count is taken a buffer at a time and not a byte at a time.
    let packed = BufReader::with_capacity(
        BUFFER,
        CountedBytes {
            inner: packed,
            count: Arc::clone(&count),
        },
    );
    let inner: ByteStream = match packing {
        "gzip" => Box::new(GzipMembers {
            member: Some(GzDecoder::new(packed)),
        }),
        "zstd" => Box::new(Zstd(zstd::Decoder::with_buffer(packed)?)),
        _ => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
    };
    Ok(Box::new(Guarded {
        inner,
        packed: count,
        unpacked: 0,
        most_ratio,
    }))
}

/// The error for what is not broken and cannot be read all the same.
pub(crate) fn refused(found: String, remedy: &'static str) -> io::Error {
    io::Error::other(Refusal { found, remedy })
}

/// The number that zstd has for a window that is larger than a reader allows.
const WINDOW_TOO_LARGE: usize = 16;

/// Unpacks with a window of 128 MiB at most, as zstd itself does: a file may ask for 2 GiB of memory.
struct Zstd<R: BufRead>(zstd::Decoder<'static, R>);

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            // The library gives its errors as texts.
            let too_large = zstd::zstd_safe::get_error_name(WINDOW_TOO_LARGE.wrapping_neg());
            if error.to_string() != too_large {
                return error;
            }
            refused(
                "a zstd file that takes a window of more than 128 MiB to unpack".to_owned(),
                "pack it again without `--long`, or with `--long=27` at most",
            )
        })
    }
}

/// The members of a gzip file, one after the other. Zeros after a member are skipped: they pad it to whole blocks.
struct GzipMembers<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // An error leaves all as it is: whoever was interrupted asks again, and must not be told that this is the end.
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() || !skip_zeros(member.get_mut())? {
                return Ok(read);
            }
            let rest = self.member.take().map(GzDecoder::into_inner);
            self.member = rest.map(GzDecoder::new);
        }
        Ok(0)
    }
}

/// Skips zero bytes; returns whether any other byte follows.
pub(crate) fn skip_zeros(bytes: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let here = bytes.fill_buf()?;
        let zeros = here.iter().take_while(|byte| **byte == 0).count();
        if zeros < here.len() {
            bytes.consume(zeros);
            return Ok(true);
        }
        if zeros == 0 {
            return Ok(false);
        }
        bytes.consume(zeros);
    }
}

pub(crate) struct CountedBytes<R> {
    pub inner: R,
    pub count: Arc<AtomicU64>,
}

impl<R: Read> Read for CountedBytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Refuses to unpack a bomb.
struct Guarded {
    inner: ByteStream,
    packed: Arc<AtomicU64>,
    unpacked: u64,
    most_ratio: MostRatio,
}

/// Fails if the content expands more than `most`-fold, as a decompression bomb does. Content up to [`HARMLESS`] bytes always
/// passes, and a `most` of 0 is no limit.
pub(crate) fn check_ratio(packed: u64, unpacked: u64, MostRatio(most): MostRatio) -> io::Result<()> {
    if most > 0 && unpacked > HARMLESS && unpacked / most > packed {
        let found = format!(
            "{packed} bytes unpack to more than {most} times their number: a bomb, or one text over and over"
        );
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, found));
    }
    Ok(())
}

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.unpacked += read as u64;
        let packed = self.packed.load(Ordering::Relaxed);
        check_ratio(packed, self.unpacked, self.most_ratio)?;
        Ok(read)
    }
}
