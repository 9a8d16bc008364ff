//! Sorting more records than memory should hold: sorted runs on a scratch file, merged while they are read back.
//!
//! Up to a [`Bound`] the records stay in memory and nothing is written. What comes out does not depend on the bound: equal
//! records come out side by side, and records that are to come in one order must differ in what [`Ord`] looks at.

mod fields;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rayon::prelude::*;

#[cfg(feature = "tables")]
pub(crate) use fields::sort_record;
pub use fields::{SortField, take};

/// How many bytes of records stay in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound(pub usize);

impl Default for Bound {
    /// 32 MiB: several sorters live at a time, and a run of this size is sorted in a moment.
    fn default() -> Self {
        Self(32 << 20)
    }
}

/// What can be sorted: in memory by its order, on disk as bytes.
pub trait SortRecord: Ord + Send + Sized {
    /// The bytes that it holds in memory beside its own.
    fn heap(&self) -> usize {
        0
    }

    /// Appends it as bytes.
    fn write(&self, bytes: &mut Vec<u8>);

    /// Takes a record that [`SortRecord::write`] wrote off the front; `None` if the bytes do not begin with one.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

/// Collects records.
#[derive(Debug)]
pub struct Sorter<R> {
    records: Vec<R>,
    bytes: usize,
    bound: usize,
    /// `None` while all records are in memory, unless the caller gave a file.
    scratch: Option<Arc<File>>,
    /// Makes it when it is needed.
    make: fn() -> io::Result<File>,
    /// Where each run on the scratch file begins and ends.
    runs: Vec<(u64, u64)>,
}

impl<R: SortRecord> Sorter<R> {
    /// `scratch` is an empty file, which stays empty as long as the records fit into the bound.
    pub fn new(scratch: File, bound: Bound) -> Self {
        Self {
            records: Vec::new(),
            bytes: 0,
            bound: bound.0,
            scratch: Some(Arc::new(scratch)),
            make: || Err(io::ErrorKind::Unsupported.into()),
            runs: Vec::new(),
        }
    }

    /// A sorter whose scratch file is made when the records do not fit into the bound any more: most never need one.
    pub fn on_demand(make: fn() -> io::Result<File>, bound: Bound) -> Self {
        Self {
            records: Vec::new(),
            bytes: 0,
            bound: bound.0,
            scratch: None,
            make,
            runs: Vec::new(),
        }
    }

    /// Adds a record.
    pub fn push(&mut self, record: R) -> io::Result<()> {
        self.bytes += size_of::<R>() + record.heap();
        self.records.push(record);
        if self.bytes >= self.bound {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            none => none.insert(Arc::new((self.make)()?)),
        };
        self.records.par_sort_unstable();
        let start = self.runs.last().map_or(0, |(_, end)| *end);
        let mut out = io::BufWriter::with_capacity(
            1 << 18,
            At {
                file: scratch,
                at: start,
            },
        );
        let mut bytes = Vec::new();
        for record in self.records.drain(..) {
            bytes.clear();
            record.write(&mut bytes);
            let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
            out.write_all(&length.to_le_bytes())?;
            out.write_all(&bytes)?;
        }
        let end = out.into_inner().map_err(io::IntoInnerError::into_error)?.at;
        self.runs.push((start, end));
        self.bytes = 0;
        Ok(())
    }

    /// All records in order.
    pub fn finish(mut self) -> io::Result<Sorted<R>> {
        self.records.par_sort_unstable();
        // All runs together read ahead about as much as the bound allows.
        let ahead = (self.bound / (self.runs.len() + 1)).clamp(1 << 12, 1 << 18);
        let mut runs: Vec<SortedRun<R>> = Vec::with_capacity(self.runs.len() + 1);
        if let Some(scratch) = &self.scratch {
            runs.extend(self.runs.iter().map(|&(at, end)| {
                let file = Arc::clone(scratch);
                SortedRun::OnDisk(
                    BufReader::with_capacity(ahead, RunPart { file, at, end }),
                    Vec::new(),
                )
            }));
        }
        runs.push(SortedRun::InMemory(self.records.into_iter()));
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (number, run) in runs.iter_mut().enumerate() {
            heads.extend(run.next()?.map(|record| Reverse((record, number))));
        }
        Ok(Sorted { runs, heads })
    }
}

/// Records in order.
#[derive(Debug)]
pub struct Sorted<R> {
    runs: Vec<SortedRun<R>>,
    /// The next record of each run that has one.
    heads: BinaryHeap<Reverse<(R, usize)>>,
}

impl<R: SortRecord> Sorted<R> {
    /// The next record without taking it.
    pub fn peek(&self) -> Option<&R> {
        self.heads.peek().map(|Reverse((record, _))| record)
    }

    /// The next record, if it is one of those wanted.
    pub fn next_if(&mut self, wanted: impl FnOnce(&R) -> bool) -> io::Result<Option<R>> {
        let Some(mut head) = self.heads.peek_mut() else {
            return Ok(None);
        };
        let Reverse((record, number)) = &mut *head;
        if !wanted(record) {
            return Ok(None);
        }
        match self.runs[*number].next()? {
            Some(next) => Ok(Some(std::mem::replace(record, next))),
            None => {
                let Reverse((record, number)) = std::collections::binary_heap::PeekMut::pop(head);
                // Frees what it read ahead.
                self.runs[number] = SortedRun::InMemory(Vec::new().into_iter());
                Ok(Some(record))
            }
        }
    }
}

impl<R: SortRecord> Iterator for Sorted<R> {
    type Item = io::Result<R>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_if(|_| true).transpose()
    }
}

#[derive(Debug)]
enum SortedRun<R> {
    OnDisk(BufReader<RunPart>, Vec<u8>),
    InMemory(std::vec::IntoIter<R>),
}

impl<R: SortRecord> SortedRun<R> {
    fn next(&mut self) -> io::Result<Option<R>> {
        match self {
            Self::InMemory(records) => Ok(records.next()),
            Self::OnDisk(run, bytes) => {
                if run.fill_buf()?.is_empty() {
                    return Ok(None);
                }
                let mut length = [0; 4];
                run.read_exact(&mut length)?;
                bytes.resize(u32::from_le_bytes(length) as usize, 0);
                run.read_exact(bytes)?;
                let record = R::read(&mut bytes.as_slice());
                record
                    .map(Some)
                    .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a record of a scratch file"))
            }
        }
    }
}

/// A place in a file where bytes are appended.
struct At<'f> {
    file: &'f File,
    at: u64,
}

impl Write for At<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.at)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A part of a file that is read; several are read in turns.
#[derive(Debug)]
struct RunPart {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for RunPart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = self.file.read_at(&mut buffer[..wanted], self.at)?;
        if read == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        Ok(read)
    }
}
