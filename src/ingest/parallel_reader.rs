//! Reads and cleans the files of a partition in parallel, and returns the results in the order of the files.
//!
//! Decompressing a file and splitting it into records is work for one thread, so several files are read at a time, each
//! in a lane of its own; small files share a lane. A lane that is ahead of its turn stops when it holds its share of
//! [`MOST_READY`] bytes of clean rows, so memory does not grow with the size or number of files. Each lane has a
//! [`RowSink`], which turns its rows into what the caller needs, in parallel with the other lanes. The results and
//! their order do not depend on threads.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use polars::prelude::DataFrame;
use rayon::prelude::*;

use crate::choice::{Choice, parse_choices};
use crate::error::{Error, Result};
use crate::formats::{RawBatch, ReaderNotes, RowReader};
use crate::row_frame::stack;
use crate::silver::publications::{CleanBatch, Cleaner, Context};
use crate::task::Task;

/// Files that are smaller than this together share a lane.
const SHARED_BYTES: u64 = 4 << 20;

/// Bytes that a lane reads before it cleans them.
const READ_AHEAD: usize = 1 << 19;

/// About this many bytes of results may wait in all lanes together.
const MOST_READY: usize = 64 << 20;

/// Each lane may hold at least this many bytes, or it would hardly ever work.
const LEAST_READY: usize = 8 << 20;

/// About this many bytes of raw text become one frame of clean rows, from one file or many small ones.
const GROUP_BYTES: usize = 1 << 19;

/// At most this many batches in a group, so that several threads get work.
const GROUP_BATCHES: usize = 128;

/// A piece of the result of a file.
pub(crate) enum FilePiece<M> {
    /// The counts and keys of some clean rows, which are part of a later piece.
    Batch(usize, CleanBatch),
    /// A result of the lane's sink for the next rows.
    Made(M),
    /// The end of a file: its format and the reader's notes.
    End(usize, &'static str, ReaderNotes),
    /// A file that cannot be read, or not to its end; its earlier pieces no longer count.
    Bad(usize, Error),
}

/// What an unreadable file does to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBadFile {
    /// The step fails and commits nothing.
    #[default]
    Fail,
    /// The file becomes one rejected row, and the others are read.
    Reject,
}

impl Choice for OnBadFile {
    const CHOICES: &'static [Self] = &[Self::Fail, Self::Reject];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Reject => "reject",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Fail => "stop and change nothing",
            Self::Reject => "reject the file, report it and continue with the others",
        }
    }
}

parse_choices!(OnBadFile);

/// Turns the rows of a lane into results: several frames into one, or one frame into several.
pub(crate) trait RowSink: Send {
    type Made: Send;

    /// Looks at the keys of the next rows before they come.
    fn note(&mut self, _batch: &CleanBatch) {}

    /// Takes the next rows; returns the results that they complete.
    fn push(&mut self, rows: DataFrame) -> Result<Vec<Self::Made>>;

    /// Returns the last result, after the last rows of the lane.
    fn end(&mut self) -> Result<Option<Self::Made>>;

    /// The approximate memory of a result, in bytes.
    fn bytes(made: &Self::Made) -> usize;
}

/// An opened file.
pub(crate) type Opened<'f> = (Box<dyn RowReader + 'f>, Context);

/// Reads and cleans files of the given sizes. `open` opens the file with a number, `maker` creates the sink of each
/// lane, and `give` receives the pieces of the first file, then those of the second, and so on.
pub(crate) fn clean_files<'f, M: RowSink>(
    sizes: &[u64],
    open: &(dyn Fn(usize) -> Result<Opened<'f>> + Sync),
    on_bad_file: OnBadFile,
    maker: impl Fn() -> M,
    task: &Task,
    mut give: impl FnMut(FilePiece<M::Made>) -> Result<()> + Send,
) -> Result<()> {
    let threads = rayon::current_num_threads().max(1);
    let mut groups = groups(sizes).into_iter();
    let mut lanes: VecDeque<Lane<'f, M>> = VecDeque::new();
    // Results of the last round; they are passed on while the lanes work.
    let mut ready: Vec<FilePiece<M::Made>> = Vec::new();
    loop {
        lanes.extend(
            groups
                .by_ref()
                .take(threads - lanes.len())
                .map(|files| Lane::new(files, maker())),
        );
        if lanes.is_empty() && ready.is_empty() {
            return Ok(());
        }
        // A single lane keeps all threads busy by cleaning what it has read before.
        let ahead = if lanes.len() == 1 {
            READ_AHEAD * threads
        } else {
            READ_AHEAD
        };
        let most_ready = (MOST_READY / lanes.len().max(2).saturating_sub(1)).max(LEAST_READY);
        let (given, results) = rayon::join(
            || ready.drain(..).try_for_each(&mut give),
            || -> Vec<Result<()>> {
                lanes
                    .par_iter_mut()
                    .enumerate()
                    .map(|(place, lane)| {
                        if place > 0 && lane.ready_bytes > most_ready {
                            return Ok(());
                        }
                        lane.step(open, ahead, on_bad_file, task)
                    })
                    .collect()
            },
        );
        given?;
        // Reports the first unreadable file in order, whichever thread was faster.
        results.into_iter().collect::<Result<()>>()?;
        while let Some(first) = lanes.front_mut() {
            first.ready_bytes = 0;
            ready.append(&mut first.ready);
            if !first.is_done() {
                break;
            }
            lanes.pop_front();
        }
    }
}

/// The ranges of files that share a lane.
fn groups(sizes: &[u64]) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (file, size) in sizes.iter().enumerate() {
        match groups.last_mut().filter(|_| bytes + size <= SHARED_BYTES) {
            Some(group) => {
                group.end = file + 1;
                bytes += size;
            }
            None => {
                groups.push(file..file + 1);
                bytes = *size;
            }
        }
    }
    groups
}

/// Raw rows of a file, or its end.
enum Raw {
    Batch(usize, Arc<Context>, RawBatch),
    End(usize, &'static str, ReaderNotes),
    Bad(usize, Error),
}

struct Lane<'f, M: RowSink> {
    unread: Unread<'f>,
    waiting: Vec<Raw>,
    maker: M,
    ready: Vec<FilePiece<M::Made>>,
    ready_bytes: usize,
}

impl<'f, M: RowSink> Lane<'f, M> {
    fn new(files: Range<usize>, maker: M) -> Self {
        Self {
            unread: Unread { files, current: None },
            waiting: Vec::new(),
            maker,
            ready: Vec::new(),
            ready_bytes: 0,
        }
    }

    fn is_done(&self) -> bool {
        self.unread.is_done() && self.waiting.is_empty()
    }

    /// Reads the next bytes, and meanwhile cleans what was read before.
    fn step(
        &mut self,
        open: &(dyn Fn(usize) -> Result<Opened<'f>> + Sync),
        ahead: usize,
        on_bad_file: OnBadFile,
        task: &Task,
    ) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let (unread, maker) = (&mut self.unread, &mut self.maker);
        // Reading is one long task, cleaning many short ones, which fill the idle time beside it.
        let (next, clean) = rayon::join(
            || unread.read(open, ahead, on_bad_file, task),
            || clean_all(waiting, maker, task),
        );
        let mut clean = clean?;
        self.waiting = next?;
        if self.is_done() {
            clean.extend(self.maker.end()?.map(FilePiece::Made));
        }
        for piece in clean {
            if let FilePiece::Made(made) = &piece {
                self.ready_bytes += M::bytes(made);
            }
            self.ready.push(piece);
        }
        Ok(())
    }
}

/// The unread files of a lane.
struct Unread<'f> {
    /// The files that are not opened yet.
    files: Range<usize>,
    current: Option<(usize, Box<dyn RowReader + 'f>, Arc<Context>)>,
}

impl<'f> Unread<'f> {
    fn is_done(&self) -> bool {
        self.files.is_empty() && self.current.is_none()
    }

    fn read(
        &mut self,
        open: &(dyn Fn(usize) -> Result<Opened<'f>> + Sync),
        ahead: usize,
        on_bad_file: OnBadFile,
        task: &Task,
    ) -> Result<Vec<Raw>> {
        let mut raw = Vec::new();
        let mut bytes = 0;
        while bytes < ahead {
            let (file, mut reader, context) = match self.current.take() {
                Some(current) => current,
                None => {
                    let Some(file) = self.files.next() else { break };
                    match open(file) {
                        Ok((reader, context)) => (file, reader, Arc::new(context)),
                        Err(error) if on_bad_file == OnBadFile::Reject && error.is_of_a_file() => {
                            raw.push(Raw::Bad(file, error));
                            continue;
                        }
                        Err(error) => return Err(error),
                    }
                }
            };
            match reader.next_batch(task) {
                Err(error) if on_bad_file == OnBadFile::Reject && error.is_of_a_file() => {
                    raw.push(Raw::Bad(file, error));
                }
                Err(error) => return Err(error),
                Ok(Some(batch)) => {
                    // Even a tiny file costs an open.
                    bytes += batch.raw.bytes().max(1 << 12);
                    raw.push(Raw::Batch(file, Arc::clone(&context), batch));
                    self.current = Some((file, reader, context));
                }
                Ok(None) => raw.push(Raw::End(file, reader.format(), reader.notes())),
            }
        }
        Ok(raw)
    }
}

/// Splits raw batches into groups, each of which becomes one frame.
fn group(waiting: Vec<Raw>) -> Vec<Vec<Raw>> {
    let mut groups: Vec<Vec<Raw>> = Vec::new();
    let mut bytes = usize::MAX;
    for raw in waiting {
        let more = match &raw {
            Raw::Batch(_, _, batch) => batch.raw.bytes(),
            _ => 0,
        };
        match groups.last_mut() {
            Some(last) if bytes + more <= GROUP_BYTES && last.len() < GROUP_BATCHES => {
                last.push(raw);
                bytes += more;
            }
            _ => {
                groups.push(vec![raw]);
                bytes = more;
            }
        }
    }
    groups
}

/// Cleans raw batches in parallel, and passes all rows to the sink.
fn clean_all<M: RowSink>(waiting: Vec<Raw>, maker: &mut M, task: &Task) -> Result<Vec<FilePiece<M::Made>>> {
    let clean: Vec<_> = group(waiting)
        .into_par_iter()
        .map(|raw| clean(raw, task))
        .collect::<Result<_>>()?;
    let mut all = Vec::new();
    let mut rows: Option<DataFrame> = None;
    for (pieces, frame) in clean {
        for piece in &pieces {
            if let FilePiece::Batch(_, batch) = piece {
                maker.note(batch);
            }
        }
        all.extend(pieces);
        match (&mut rows, frame) {
            (Some(rows), Some(frame)) => {
                stack(rows, &frame)?;
            }
            (rows @ None, frame) => *rows = frame,
            (Some(_), None) => {}
        }
    }
    if let Some(rows) = rows {
        all.extend(maker.push(rows)?.into_iter().map(FilePiece::Made));
    }
    Ok(all)
}

fn clean<M>(group: Vec<Raw>, task: &Task) -> Result<(Vec<FilePiece<M>>, Option<DataFrame>)> {
    task.check()?;
    let mut pieces = Vec::with_capacity(group.len());
    let mut cleaner: Option<Cleaner> = None;
    let mut rows = 0;
    for raw in group {
        pieces.push(match raw {
            Raw::Batch(file, context, batch) => {
                let height = batch.frame.height();
                rows += height;
                let cleaner = cleaner.get_or_insert_with(|| Cleaner::new(height));
                FilePiece::Batch(file, cleaner.add(batch, &context)?)
            }
            Raw::End(file, format, notes) => FilePiece::End(file, format, notes),
            Raw::Bad(file, error) => FilePiece::Bad(file, error),
        });
    }
    let frame = cleaner.map(Cleaner::finish).transpose()?;
    task.count_rows(rows);
    Ok((pieces, frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_share_a_lane_and_large_ones_do_not() {
        let large = SHARED_BYTES + 1;
        assert!(groups(&[]).is_empty());
        let one = |range: Range<usize>| vec![range];
        assert_eq!(groups(&[large]), one(0..1));
        assert_eq!(groups(&[large, large]), [0..1, 1..2]);
        assert_eq!(groups(&[0; 5]), one(0..5));
        assert_eq!(
            groups(&[1, 2, SHARED_BYTES, 3, large, 1]),
            [0..2, 2..3, 3..4, 4..5, 5..6]
        );
    }
}
