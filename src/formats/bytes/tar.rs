//! The headers of tar: names, sizes and kinds of the files, with what extended headers say of them.
//!
//! A file whose bytes are in the archive is read. An entry without a file of its own (folders, links, labels) is skipped. An
//! entry that holds a file in another form than its bytes is an error, so that no rows are lost unnoticed.

use std::io::{self, BufRead, Read};

use tar::{Header, PaxExtensions};

use super::archive_faults::{broken, cut_off};
use super::compression::refused;
use super::members::{LONGEST_NAME, MemberEntry, Stream};
use super::tar_header::{BLOCK, is_header};

/// Extended headers are no longer than this; names and sizes take some hundred bytes.
const LONGEST_EXTENDED: u64 = 1 << 20;

const REMEDY: &str = "pack the files again with plain `tar -cf`, or as a ZIP archive";

/// What extended headers say of the file behind them.
#[derive(Debug, Default)]
struct Extended {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    /// Whether its bytes are packed without the holes between them.
    sparse: bool,
}

impl Extended {
    fn read(&mut self, content: &[u8]) -> io::Result<()> {
        for record in PaxExtensions::new(content) {
            let record = record.map_err(|_| broken("an extended header of the tar archive is broken"))?;
            match record.key_bytes() {
                b"path" => self.name = Some(record.value_bytes().to_vec()),
                b"size" => {
                    let size = record.value().ok().and_then(|size| size.parse().ok());
                    self.size = Some(size.ok_or_else(|| broken("a size in the tar archive is no number"))?);
                }
                key => self.sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
        Ok(())
    }
}

impl Stream {
    /// The next header of tar that is of a file: its name.
    pub(crate) fn enter_tar(&mut self) -> io::Result<Option<(String, MemberEntry)>> {
        let mut extended: Option<Extended> = None;
        while let Some(block) = self.next_header()? {
            let header = Header::from_byte_slice(&block);
            let own_size = || {
                header
                    .entry_size()
                    .map_err(|_| broken("a size in the tar archive is no number"))
            };
            let kind = header.entry_type().as_byte();
            match kind {
                b'L' | b'x' | b'g' => {
                    let content = self.extended_header(own_size()?)?;
                    match kind {
                        b'L' => {
                            let name = content.split(|byte| *byte == 0).next().unwrap_or_default();
                            extended.get_or_insert_default().name = Some(name.to_vec());
                        }
                        b'x' => extended.get_or_insert_default().read(&content)?,
                        _ => self.check_global(&content)?,
                    }
                    continue;
                }
                _ => {}
            }
            let said = extended.take().unwrap_or_default();
            let name = said.name.unwrap_or_else(|| header.path_bytes().into_owned());
            if name.len() > LONGEST_NAME {
                return Err(broken("the name of a file in the archive is too long"));
            }
            let name = String::from_utf8_lossy(&name).into_owned();
            self.begin(Some(said.size.map_or_else(own_size, Ok)?));
            match kind {
                b'S' => return Err(refused(sparse(&name), REMEDY)),
                b'0' | b'7' | 0 if said.sparse => return Err(refused(sparse(&name), REMEDY)),
                b'0' | b'7' | 0 => return Ok(Some((name, MemberEntry::Tar))),
                // Links and what goes with them, devices, folders, pipes, lists of a folder's files, labels.
                b'1'..=b'6' | b'K' | b'D' | b'V' => self.leave(&MemberEntry::Tar)?,
                b'M' => {
                    let found = format!("`{name}` began in another volume of the archive");
                    return Err(refused(found, REMEDY));
                }
                other => {
                    let kind = char::from(other).escape_default();
                    let found = format!("`{name}` is of the type `{kind}`, which is not known here");
                    return Err(refused(found, REMEDY));
                }
            }
        }
        match extended {
            Some(_) => Err(broken("the archive ends where a file is announced")),
            None => Ok(None),
        }
    }

    /// The next header; `None` at the end. Blocks of zeros end an archive, and another one may follow.
    fn next_header(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let mut ended = false;
        loop {
            let mut block = [0; BLOCK];
            let mut read = 0;
            while read < BLOCK && !self.bytes.fill_buf()?.is_empty() {
                read += self.bytes.read(&mut block[read..])?;
            }
            if read == 0 {
                if !ended {
                    self.odd_end = Some(
                        "the archive has no mark of its end; if it was cut off there, files are missing",
                    );
                }
                return Ok(None);
            }
            if block.iter().all(|byte| *byte == 0) {
                ended = true;
            } else if read == BLOCK && is_header(&block) {
                return Ok(Some(block));
            } else if ended {
                return Err(broken(
                    "something that is no archive follows the end of the archive",
                ));
            } else if read < BLOCK {
                return Err(cut_off(io::ErrorKind::UnexpectedEof.into()));
            } else {
                return Err(broken("a header of the tar archive is broken"));
            }
        }
    }

    /// The content of an extended header.
    fn extended_header(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > LONGEST_EXTENDED {
            let found = format!("an extended header of {size} bytes");
            return Err(refused(found, REMEDY));
        }
        self.begin(Some(size));
        let mut content = Vec::new();
        let mut buffer = [0; BLOCK];
        loop {
            match self.read_part(&mut buffer)? {
                0 => break,
                read => content.extend_from_slice(&buffer[..read]),
            }
        }
        self.leave(&MemberEntry::Tar)?;
        Ok(content)
    }

    /// An extended header for all files says who packed them, not what they are.
    fn check_global(&self, content: &[u8]) -> io::Result<()> {
        let mut all = Extended::default();
        all.read(content)?;
        if all.name.is_none() && all.size.is_none() && !all.sparse {
            return Ok(());
        }
        Err(refused(
            "a header that gives all files one name or size".to_owned(),
            REMEDY,
        ))
    }
}

fn sparse(name: &str) -> String {
    format!("`{name}` is sparse: it is packed without its holes (`tar --sparse`)")
}
