//! The files in an archive, ZIP or tar, one after the other.
//!
//! They are read as they stream in, so neither the size of an archive nor its directory at the end matters.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Crc;

use super::input::MostRatio;
use super::packing::{BUFFER, Bytes, Counted, check_ratio};

/// A kind of archive, by the first bytes of its unpacked content.
pub(super) fn archive_kind(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        Some("ZIP")
    } else if head.get(257..262) == Some(b"ustar") {
        Some("tar")
    } else {
        None
    }
}

/// The files in an archive, one after the other.
pub(super) struct Archive {
    stream: Shared,
    kind: &'static str,
    /// What is left of the file that was given last.
    current: Option<Entry>,
}

type Shared = Arc<Mutex<Stream>>;

/// A file in an archive.
pub(super) struct Member {
    pub name: String,
    pub bytes: Bytes,
}

enum Entry {
    /// A member of tar: padded to whole blocks.
    Tar,
    /// A member of ZIP: whether its size stands behind it, and the checksum where it stands before it.
    Zip { behind: bool, checksum: u32 },
}

/// The bytes of an archive, of which a member takes its own.
struct Stream {
    bytes: BufReader<Counted<Bytes>>,
    /// How many bytes the current member has left; nothing where its packing says when it ends.
    left: Option<u64>,
    size: u64,
    /// All bytes that deflate gave, and those that it took.
    unpacked: u64,
    packed: u64,
    most_ratio: MostRatio,
    deflate: Option<Box<flate2::Decompress>>,
    crc: Crc,
    /// What is odd about the end of the archive.
    odd_end: Option<&'static str>,
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
    pub(super) fn new(kind: &'static str, bytes: Bytes, most_ratio: MostRatio) -> Self {
        let bytes = Counted {
            inner: bytes,
            count: Arc::default(),
        };
        let stream = Stream {
            bytes: BufReader::with_capacity(BUFFER, bytes),
            left: Some(0),
            size: 0,
            unpacked: 0,
            packed: 0,
            most_ratio,
            deflate: None,
            crc: Crc::new(),
            odd_end: None,
        };
        Self {
            stream: Arc::new(Mutex::new(stream)),
            kind,
            current: None,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    /// How many bytes of the archive have been taken.
    pub(super) fn position(&self) -> u64 {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let read = stream.bytes.get_ref().count.load(Ordering::Relaxed);
        read.saturating_sub(stream.bytes.buffer().len() as u64)
    }

    /// What is odd about the end of the archive, once it was reached.
    pub(super) fn odd_end(&self) -> Option<&'static str> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner).odd_end
    }

    /// The next file that holds data; folders, links and hidden files are passed over.
    pub(super) fn next_member(&mut self) -> io::Result<Option<Member>> {
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
                    bytes: Box::new(Part(Arc::clone(&self.stream))),
                }));
            }
        }
    }
}

/// The bytes of the current member.
struct Part(Shared);

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .read_part(buffer)
    }
}

fn broken(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

fn cut_off(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => broken("the archive is cut off"),
        _ => error,
    }
}

const TAR_BLOCK: u64 = 512;

impl Stream {
    fn read_part(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
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

    /// Reads what the member before has left, and what stands behind it.
    fn leave(&mut self, entry: &Entry) -> io::Result<()> {
        let mut rest = vec![0; 1 << 16];
        while self.read_part(&mut rest)? > 0 || self.deflate.is_some() {}
        match entry {
            Entry::Tar => {
                let padding = (TAR_BLOCK - self.size % TAR_BLOCK) % TAR_BLOCK;
                self.skip(padding)
            }
            Entry::Zip { behind, checksum } => {
                let checksum = if *behind { self.descriptor()? } else { *checksum };
                if checksum == self.crc.sum() {
                    Ok(())
                } else {
                    Err(broken("the checksum of a file in the archive is another"))
                }
            }
        }
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.bytes).take(bytes), &mut io::sink())?;
        if skipped == bytes {
            Ok(())
        } else {
            Err(broken("the archive is cut off"))
        }
    }

    fn begin(&mut self, left: Option<u64>) {
        self.left = left;
        self.size = 0;
        self.crc = Crc::new();
        self.deflate = left.is_none().then(|| Box::new(flate2::Decompress::new(false)));
    }

    /// The next header of tar that is of a file: its name.
    fn enter_tar(&mut self) -> io::Result<Option<(String, Entry)>> {
        let mut long_name = None;
        loop {
            let mut block = [0; TAR_BLOCK as usize];
            // Two blank blocks end an archive; some writers leave them out.
            if self.bytes.fill_buf()?.is_empty() {
                self.odd_end =
                    Some("the archive has no mark of its end; if it was cut off there, files are missing");
                return Ok(None);
            }
            self.bytes.read_exact(&mut block).map_err(cut_off)?;
            if block.iter().all(|byte| *byte == 0) {
                if self.is_more_than_zeros()? {
                    self.odd_end = Some(
                        "something stands behind the end of the archive and was not read, such as another archive",
                    );
                }
                return Ok(None);
            }
            let header = tar::Header::from_byte_slice(&block);
            let sum: u32 = block[..148]
                .iter()
                .chain(&block[156..])
                .map(|byte| u32::from(*byte))
                .sum();
            if header.cksum()? != sum + 8 * u32::from(b' ') {
                return Err(broken("a header of the tar archive is broken"));
            }
            let size = header.entry_size()?;
            let kind = header.entry_type();
            self.begin(Some(size));
            if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
                let mut content = Vec::new();
                let mut buffer = [0; TAR_BLOCK as usize];
                loop {
                    match self.read_part(&mut buffer)? {
                        0 => break,
                        // A name longer than this is cut: it is for people.
                        read if content.len() < 1 << 16 => content.extend_from_slice(&buffer[..read]),
                        _ => {}
                    }
                }
                self.leave(&Entry::Tar)?;
                long_name = if kind.is_gnu_longname() {
                    let name = content.split(|byte| *byte == 0).next().unwrap_or_default();
                    Some(String::from_utf8_lossy(name).into_owned())
                } else {
                    tar::PaxExtensions::new(&content)
                        .filter_map(Result::ok)
                        .find(|extension| extension.key_bytes() == b"path")
                        .map(|extension| String::from_utf8_lossy(extension.value_bytes()).into_owned())
                };
            } else if kind.is_file() || kind.is_contiguous() {
                let own = String::from_utf8_lossy(&header.path_bytes()).into_owned();
                return Ok(Some((long_name.take().unwrap_or(own), Entry::Tar)));
            } else {
                self.leave(&Entry::Tar)?;
                long_name = None;
            }
        }
    }

    /// Reads to the end; whether anything but zeros stands there.
    fn is_more_than_zeros(&mut self) -> io::Result<bool> {
        let mut more = false;
        loop {
            let bytes = self.bytes.fill_buf()?;
            if bytes.is_empty() {
                return Ok(more);
            }
            more = more || bytes.iter().any(|byte| *byte != 0);
            let length = bytes.len();
            self.bytes.consume(length);
        }
    }

    fn numbers<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.bytes.read_exact(&mut bytes).map_err(cut_off)?;
        Ok(bytes)
    }

    /// The next local header of ZIP. The directory at the end is not needed, and so the archive may be a stream.
    fn enter_zip(&mut self) -> io::Result<Option<(String, Entry)>> {
        let signature: [u8; 4] = self.numbers()?;
        match &signature {
            b"PK\x03\x04" => {}
            b"PK\x01\x02" | b"PK\x05\x06" | b"PK\x06\x06" | b"PK\x06\x08" => {
                io::copy(&mut self.bytes, &mut io::sink())?;
                return Ok(None);
            }
            _ => return Err(broken("something that is no file in the ZIP archive")),
        }
        let header: [u8; 26] = self.numbers()?;
        let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let long =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let (flags, method) = (short(2), short(4));
        let mut name = vec![0; usize::from(short(22))];
        let mut extra = vec![0; usize::from(short(24))];
        for bytes in [&mut name, &mut extra] {
            self.bytes.read_exact(bytes).map_err(cut_off)?;
        }
        let name = String::from_utf8_lossy(&name).into_owned();
        if flags & 1 != 0 {
            return Err(broken(format!(
                "`{name}` is encrypted; deliver it without a password"
            )));
        }
        let behind = flags & 8 != 0;
        let left = match method {
            8 => None,
            0 if !behind => Some(match long(14) {
                u32::MAX => zip64_size(&extra).ok_or_else(|| broken(format!("`{name}` has no size")))?,
                size => u64::from(size),
            }),
            0 => {
                return Err(broken(format!(
                    "`{name}` is stored without its size before it; pack it again"
                )));
            }
            _ => {
                return Err(broken(format!(
                    "`{name}` is packed by method {method}; only deflate and stored files are read"
                )));
            }
        };
        self.begin(left);
        let checksum = long(10);
        Ok(Some((name, Entry::Zip { behind, checksum })))
    }

    /// The checksum of a member whose size and checksum stand behind it.
    fn descriptor(&mut self) -> io::Result<u32> {
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
