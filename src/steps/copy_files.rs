//! Copies source files into a partition byte for byte. While some are copied in parallel, the next ones are opened and
//! their copies created, which takes as long as copying if files are small.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::formats::{packed_media_type, text_media_type};
use crate::storage::source::SourceFile;
use crate::storage::{HashingWriter, Transaction};
use crate::task::Task;

/// Files that are copied in parallel. As many are open for the next round, and as many sources are open beyond, so that
/// servers find the next files meanwhile.
const COPIED_AT_ONCE: usize = 8;

const COPY_BUFFER: usize = 1 << 18;

/// A finished copy.
#[derive(Debug)]
pub(crate) struct Copied {
    /// Relative to the lake.
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
    pub media_type: &'static str,
}

/// Copies files to paths of the new state, in order.
pub(crate) fn copy_files(
    transaction: &mut dyn Transaction,
    files: &[SourceFile],
    paths: Vec<String>,
    task: &Task,
) -> Result<Vec<Copied>> {
    let mut copied = Vec::with_capacity(files.len());
    let mut opener = Opener {
        transaction,
        unopened: files.iter(),
        uncopied: files.iter().zip(paths),
        ahead: VecDeque::new(),
    };
    let mut ready = opener.next()?;
    while !ready.is_empty() {
        let (mut made, mut next) = (Ok(Vec::new()), Ok(Vec::new()));
        rayon::in_place_scope(|scope| {
            let (ready, made) = (std::mem::take(&mut ready), &mut made);
            scope.spawn(move |_| *made = ready.into_par_iter().map(|copy| copy.run(task)).collect());
            // Not in the pool: opening a pipe without a writer would block one of its threads for ever.
            next = opener.next();
        });
        copied.append(&mut made?);
        ready = next?;
    }
    Ok(copied)
}

/// Opens sources and creates their copies.
struct Opener<'f, 't> {
    transaction: &'t mut dyn Transaction,
    unopened: std::slice::Iter<'f, SourceFile>,
    uncopied: std::iter::Zip<std::slice::Iter<'f, SourceFile>, std::vec::IntoIter<String>>,
    ahead: VecDeque<Box<dyn Read + Send>>,
}

impl<'f> Opener<'f, '_> {
    /// The next files to copy; empty when all are copied.
    fn next(&mut self) -> Result<Vec<Copy<'f>>> {
        while self.ahead.len() < 2 * COPIED_AT_ONCE
            && let Some(file) = self.unopened.next()
        {
            self.ahead.push_back(file.open()?);
        }
        let mut copies = Vec::with_capacity(COPIED_AT_ONCE);
        while copies.len() < COPIED_AT_ONCE
            && let Some(from) = self.ahead.pop_front()
            && let Some((file, path)) = self.uncopied.next()
        {
            copies.push(Copy {
                uri: &file.uri,
                from,
                to: self.transaction.create(&path)?,
                shown: self.transaction.shown(&path),
                path,
            });
        }
        Ok(copies)
    }
}

/// A source file and its copy, both open.
struct Copy<'f> {
    uri: &'f str,
    from: Box<dyn Read + Send>,
    to: Box<dyn Write + Send>,
    path: String,
    /// The path for messages.
    shown: String,
}

thread_local! {
    /// The buffer of a thread: allocating one takes longer than copying a small file.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Copy<'_> {
    fn run(self, task: &Task) -> Result<Copied> {
        // Taken out of the thread local, because this thread may start another copy while it waits for a write.
        let mut buffer = BUFFER.take();
        buffer.resize(COPY_BUFFER, 0);
        let copied = self.run_through(&mut buffer, task);
        BUFFER.set(buffer);
        copied
    }

    fn run_through(mut self, buffer: &mut [u8], task: &Task) -> Result<Copied> {
        let (mut to, digest) = HashingWriter::new(self.to);
        let unwritten = |error| Error::storage(&self.shown, "write", error);
        let mut media_type = None;
        task.note(|| format!("copying {}", self.uri));
        loop {
            task.check()?;
            // Fill the first piece however its bytes arrive, because the media type depends on it.
            let mut read = 0;
            loop {
                match self.from.read(&mut buffer[read..]) {
                    Ok(0) => break,
                    Ok(more) => read += more,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(Error::storage(self.uri, "read the source", error)),
                }
                if media_type.is_some() || read == buffer.len() {
                    break;
                }
            }
            if read == 0 {
                break;
            }
            media_type.get_or_insert_with(|| media_type_of(&buffer[..read]));
            to.write_all(&buffer[..read]).map_err(unwritten)?;
            task.count_bytes(read);
        }
        to.flush().map_err(unwritten)?;
        let (bytes, sha256) = digest.finish();
        Ok(Copied {
            path: self.path,
            bytes,
            sha256,
            media_type: media_type.unwrap_or("application/x-empty"),
        })
    }
}

/// The media type of a file with these first bytes.
fn media_type_of(head: &[u8]) -> &'static str {
    packed_media_type(head).unwrap_or_else(|| text_media_type(head))
}
