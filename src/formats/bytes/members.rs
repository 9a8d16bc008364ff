//! The files in an archive, ZIP or tar, one after the other.
//!
//! Files are read as they stream in, so an archive may be larger than memory. The directory at the end of a ZIP archive is
//! checked against the files when the stream reaches it.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Crc;

use super::archive_faults::broken;
use super::compression::{BUFFER, ByteStream, CountedBytes, MostRatio, check_ratio};
use super::tar_header::{BLOCK, begins_with_header};
use super::zip_directory::{ZipDirectory, ZipFacts, ZipHeader};

/// The name of a file in an archive is no longer than a path may be.
pub(crate) const LONGEST_NAME: usize = 4096;

/// A kind of archive, by the first bytes of its unpacked content.
pub(crate) fn archive_kind(head: &[u8]) -> Option<&'static str> {
    let zip: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04"];
    if zip.iter().any(|mark| head.starts_with(mark)) {
        Some("ZIP")
    } else if begins_with_header(head) {
        Some("tar")
    } else {
        None
    }
}

/// The files in an archive, one after the other.
pub(crate) struct Archive {
    stream: SharedStream,
    kind: &'static str,
    /// What is left of the file that was given last.
    current: Option<MemberEntry>,
}

type SharedStream = Arc<Mutex<Stream>>;

/// A file in an archive.
pub(crate) struct Member {
    pub name: String,
    pub bytes: ByteStream,
}

pub(crate) enum MemberEntry {
    /// A member of tar: padded to whole blocks.
    Tar,
    Zip(ZipHeader),
}

/// The bytes of an archive, of which a member takes its own.
pub(crate) struct Stream {
    pub bytes: BufReader<CountedBytes<ByteStream>>,
    /// How many bytes the current member has left; `None` while it is inflated, as deflate marks its own end.
    left: Option<u64>,
    size: u64,
    /// All bytes that deflate gave, and those that it took.
    unpacked: u64,
    packed: u64,
    /// Of those that it took, the ones before the current member.
    packed_before: u64,
    most_ratio: MostRatio,
    deflate: Option<Box<flate2::Decompress>>,
    pub crc: Crc,
    /// The files of the current ZIP archive, and where its first byte stands: one archive may follow another.
    pub zip: ZipDirectory,
    pub zip_start: u64,
    /// What is odd about the end of the archive.
    pub odd_end: Option<&'static str>,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Archive")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Archive {
    pub(crate) fn new(kind: &'static str, bytes: ByteStream, most_ratio: MostRatio) -> Self {
        let bytes = CountedBytes {
            inner: bytes,
            count: Arc::default(),
        };
        let stream = Stream {
            bytes: BufReader::with_capacity(BUFFER, bytes),
            left: Some(0),
            size: 0,
            unpacked: 0,
            packed: 0,
            packed_before: 0,
            most_ratio,
            deflate: None,
            crc: Crc::new(),
            zip: ZipDirectory::default(),
            zip_start: 0,
            odd_end: None,
        };
        Self {
            stream: Arc::new(Mutex::new(stream)),
            kind,
            current: None,
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// How many bytes of the archive have been taken.
    pub(crate) fn position(&self) -> u64 {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.position()
    }

    /// What is odd about the end of the archive, once it was reached.
    pub(crate) fn odd_end(&self) -> Option<&'static str> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner).odd_end
    }

    /// The next file that holds data; folders, links and hidden files are skipped.
    pub(crate) fn next_member(&mut self) -> io::Result<Option<Member>> {
        loop {
            let name = {
                let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(entry) = self.current.take() {
                    stream.leave(&entry)?;
                }
                let found = match self.kind {
                    "ZIP" => stream.enter_zip()?,
                    _ => stream.enter_tar()?,
                };
                let Some((name, entry)) = found else {
                    return Ok(None);
                };
                self.current = Some(entry);
                name
            };
            let own = name.rsplit('/').next().unwrap_or_default();
            if !own.is_empty() && !own.starts_with(['.', '_']) && !name.starts_with("__MACOSX/") {
                return Ok(Some(Member {
                    name,
                    bytes: Box::new(MemberBytes(Arc::clone(&self.stream))),
                }));
            }
        }
    }
}

/// The bytes of the current member.
struct MemberBytes(SharedStream);

impl Read for MemberBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .read_part(buffer)
    }
}

impl Stream {
    /// How many bytes have been taken.
    pub(crate) fn position(&self) -> u64 {
        let read = self.bytes.get_ref().count.load(Ordering::Relaxed);
        read.saturating_sub(self.bytes.buffer().len() as u64)
    }

    pub(crate) fn read_part(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match (&mut self.deflate, self.left) {
            (Some(deflate), _) => loop {
                let input = self.bytes.fill_buf()?;
                let ended = input.is_empty();
                let (before_in, before_out) = (deflate.total_in(), deflate.total_out());
                let status = deflate
                    .decompress(input, buffer, flate2::FlushDecompress::None)
                    .map_err(|error| broken(error.to_string()))?;
                let taken = deflate.total_in() - before_in;
                let read = (deflate.total_out() - before_out) as usize;
                self.bytes.consume(taken as usize);
                self.packed += taken;
                self.unpacked += read as u64;
                check_ratio(self.packed, self.unpacked, self.most_ratio)?;
                if status == flate2::Status::StreamEnd {
                    self.deflate = None;
                    self.left = Some(0);
                    break read;
                }
                if read > 0 || buffer.is_empty() {
                    break read;
                }
                if ended {
                    return Err(broken("the archive is cut off inside a file"));
                }
            },
            (None, Some(0)) => return Ok(0),
            (None, left) => {
                let left = left.unwrap_or(0);
                let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let read = self.bytes.read(&mut buffer[..wanted])?;
                if read == 0 && wanted > 0 {
                    return Err(broken("the archive is cut off inside a file"));
                }
                self.left = Some(left - read as u64);
                read
            }
        };
        self.size += read as u64;
        self.crc.update(&buffer[..read]);
        Ok(read)
    }

    /// Reads the rest of a member and what follows it: the padding of tar, or the descriptor of ZIP if there is one.
    pub(crate) fn leave(&mut self, entry: &MemberEntry) -> io::Result<()> {
        let mut rest = vec![0; 1 << 16];
        while self.read_part(&mut rest)? > 0 || self.deflate.is_some() {}
        match entry {
            MemberEntry::Tar => {
                let padding = self.size.next_multiple_of(BLOCK as u64) - self.size;
                self.skip(padding)
            }
            MemberEntry::Zip(header) => {
                let found = ZipFacts {
                    checksum: self.crc.sum(),
                    packed: match self.packed - self.packed_before {
                        0 => self.size,
                        packed => packed,
                    },
                    unpacked: self.size,
                };
                self.leave_zip_file(header, found)
            }
        }
    }

    pub(crate) fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.bytes).take(bytes), &mut io::sink())?;
        if skipped == bytes {
            Ok(())
        } else {
            Err(broken("the archive is cut off"))
        }
    }

    pub(crate) fn begin(&mut self, left: Option<u64>) {
        self.left = left;
        self.size = 0;
        self.packed_before = self.packed;
        self.crc = Crc::new();
        self.deflate = left.is_none().then(|| Box::new(flate2::Decompress::new(false)));
    }
}
