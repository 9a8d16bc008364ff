//! Sources as tables in memory, without a lake: cleaned, merged, flagged and counted as the silver step does it.
//!
//! [`read_publications`] and [`read_drugs`] hold the whole result. [`PublicationStream`] gives the clean rows in bounded
//! batches instead, in the order of the sources; it cannot look ahead, so it merges nothing: two rows of one id are two
//! rows of it, and half rows stay halves. The law of conservation holds for both.

use std::collections::VecDeque;

use polars::prelude::DataFrame;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::formats::{RawBatch, RowReader};
use crate::ingest::collector::{Collected, Collector, count_batch, note, recount};
use crate::ingest::parallel_reader::{FilePiece, OnBadFile, Opened, RowSink, clean_files};
use crate::ingest::rejects::{Rejects, bad_file};
use crate::ingest::sources::{open_source, tallies};
use crate::ingest::vocabulary::combine_files;
use crate::quality::FileTally;
use crate::schema::{DRUGS, PUBLICATIONS, PublicationKind, REJECTED, SourceTable};
use crate::silver::merge::Merger;
use crate::silver::publications::{CleanBatch, Context, clean_batch};
use crate::silver::shapes::shapes;
use crate::silver::{constant, drugs, rejected_frame, vocabulary};
use crate::sorting::Bound;
use crate::steps::silver::SilverSettings;
use crate::storage::source::{SourceFile, expand_all};
use crate::tables::spill_buffer::SpillBuffer;
use crate::task::Task;
use crate::{formats, scratch};

/// A table that was read from sources, and what became of their rows.
#[derive(Debug)]
pub struct CleanTable {
    /// The table's columns, and for publications their kind.
    pub frame: DataFrame,
    /// The rejected rows, as in `silver/rejected`.
    pub rejected: DataFrame,
    pub sources: Vec<FileTally>,
}

/// Rows wait in memory up to this many bytes until merging decides on them, the others on scratch files: a table may be small
/// where its sources are large, with one row over and over.
const MOST_HELD: usize = 64 << 20;

/// A batch holds rejected rows of about this many bytes at most, however few rows are kept between them.
const MOST_ASIDE: usize = 16 << 20;

/// Leaves clean rows as they are.
struct AsTheyAre;

impl RowSink for AsTheyAre {
    type Made = DataFrame;

    fn push(&mut self, rows: DataFrame) -> Result<Vec<DataFrame>> {
        Ok(vec![rows])
    }

    fn end(&mut self) -> Result<Option<DataFrame>> {
        Ok(None)
    }

    fn bytes(made: &DataFrame) -> usize {
        made.estimated_size()
    }
}

/// Reads publications of one kind.
pub fn read_publications(
    uris: &[String],
    kind: PublicationKind,
    settings: &SilverSettings,
    task: &Task,
) -> Result<CleanTable> {
    let (files, tallies) = find_files(uris, kind.source_table(), task)?;
    let mut frames = SpillBuffer::on_demand(&PUBLICATIONS, MOST_HELD);
    let sizes: Vec<u64> = tallies.iter().map(|tally| tally.bytes).collect();
    let mut collector = Collector::new(
        tallies,
        aside(settings),
        Merger::on_demand(scratch::unnamed, Bound::default()),
    );
    let open = |number: usize| -> Result<Opened<'_>> {
        open_publications(&files[number], number, kind, settings, task)
    };
    clean_files(
        &sizes,
        &open,
        settings.on_bad_file,
        || AsTheyAre,
        task,
        |piece| match piece {
            FilePiece::Batch(file, batch) => collector.batch(file, batch),
            FilePiece::Made(frame) => frames.push(frame),
            FilePiece::End(file, format, notes) => collector.end(file, format, notes),
            FilePiece::Bad(file, error) => collector.bad(file, &error),
        },
    )?;
    let Collected {
        mut tallies,
        aside,
        mut plan,
    } = collector.finish()?;
    let mut kept: Option<DataFrame> = None;
    frames.drain(|frame| {
        task.check()?;
        let fates = plan.next(frame.height() as u64, |change| recount(&mut tallies, change))?;
        if fates.all_go() {
            return Ok(());
        }
        let frame = fates.apply(frame)?;
        match &mut kept {
            Some(kept) => {
                kept.vstack_mut_owned(frame)?;
            }
            None => kept = Some(frame),
        }
        Ok(())
    })?;
    tallies.iter().try_for_each(FileTally::check)?;
    Ok(CleanTable {
        frame: with_kind(kept.unwrap_or_else(|| PUBLICATIONS.empty()), kind)?,
        rejected: together(aside.finish())?,
        sources: tallies,
    })
}

/// Reads vocabularies and combines them into one.
pub fn read_drugs(uris: &[String], settings: &SilverSettings, task: &Task) -> Result<CleanTable> {
    let (files, mut tallies) = find_files(uris, SourceTable::Drugs, task)?;
    let open = |number: usize| {
        let input = open_source(&files[number], settings.reading(), task)?;
        formats::open_shaped(input, vocabulary::shapes())
    };
    let mut aside = aside(settings);
    let combined = combine_files(&mut tallies, open, settings.on_bad_file, &mut aside, task)?;
    tallies.iter().try_for_each(FileTally::check)?;
    let uris: Vec<String> = files.into_iter().map(|file| file.uri).collect();
    let frame = drugs::frame(&combined.drugs, &uris)?;
    DRUGS.check(&frame)?;
    Ok(CleanTable {
        frame,
        rejected: together(aside.finish())?,
        sources: tallies,
    })
}

/// A table of publications without a row, as [`CleanTable`] holds them.
pub fn no_publications() -> Result<DataFrame> {
    with_kind(PUBLICATIONS.empty(), PublicationKind::Pubmed)
}

/// The clean rows of publications, batch by batch.
pub struct PublicationStream {
    files: VecDeque<(usize, SourceFile)>,
    kind: PublicationKind,
    settings: SilverSettings,
    batch_rows: usize,
    current: Option<(usize, Box<dyn RowReader>, Context)>,
    /// Clean rows that are not given yet.
    ready: DataFrame,
    /// Rejected rows not returned yet, each part with the number of rows kept up to the end of its raw batch. A part comes with
    /// the batch that holds the next kept row, with a batch cut off right there, or with the last batch, however far ahead
    /// files are read.
    aside: VecDeque<(u64, DataFrame)>,
    /// The bytes of kept and of rejected rows since the last cut.
    kept_bytes: usize,
    aside_bytes: usize,
    /// Where batches end early, as numbers of rows kept up to there: the texts or the rejected rows before it fill a batch.
    cuts: VecDeque<u64>,
    /// How many rows were kept, given or ready.
    kept: u64,
    sources: Vec<FileTally>,
}

impl PublicationStream {
    /// Finds the sources; none is opened before the first batch.
    pub fn open(
        uris: &[String],
        kind: PublicationKind,
        settings: SilverSettings,
        batch_rows: usize,
        task: &Task,
    ) -> Result<Self> {
        if batch_rows == 0 {
            return Err(Error::argument("batch_rows", "0", "1 or more rows"));
        }
        let (files, sources) = find_files(uris, kind.source_table(), task)?;
        Ok(Self {
            files: files.into_iter().enumerate().collect(),
            kind,
            settings,
            batch_rows,
            current: None,
            ready: PUBLICATIONS.empty(),
            aside: VecDeque::new(),
            kept_bytes: 0,
            aside_bytes: 0,
            cuts: VecDeque::new(),
            kept: 0,
            sources,
        })
    }

    /// The next batch: as many rows as were asked for, fewer at the end, where texts are long or where many rows are
    /// rejected. A batch without rows holds rejected rows.
    pub fn next_batch(&mut self, task: &Task) -> Result<Option<CleanTable>> {
        let threads = rayon::current_num_threads().max(1);
        let mut ended = false;
        while self.ready.height() < self.batch_rows && self.cuts.is_empty() {
            task.check()?;
            let (raw, bad) = self.read(threads, task)?;
            if raw.is_empty() && bad.is_none() {
                ended = true;
                break;
            }
            let clean: Vec<(usize, (CleanBatch, DataFrame))> = raw
                .into_par_iter()
                .map(|(file, context, raw)| Ok((file, clean_batch(raw, &context)?)))
                .collect::<Result<_>>()?;
            for (file, (batch, frame)) in clean {
                self.take(file, &batch, frame)?;
            }
            // What was given of the file before stays given; the rest of it is one rejected row.
            if let Some((file, error)) = bad {
                let row = bad_file(&mut self.sources[file], &error)?;
                self.aside.push_back((self.kept, row));
            }
        }
        if ended && self.ready.height() == 0 && self.aside.is_empty() {
            return Ok(None);
        }
        let before = self.kept - self.ready.height() as u64;
        let most = self.cuts.front().map_or(u64::MAX, |cut| cut - before);
        let rows = self
            .ready
            .height()
            .min(self.batch_rows)
            .min(usize::try_from(most).unwrap_or(usize::MAX));
        let frame = self.ready.head(Some(rows));
        self.ready = self.ready.slice(rows as i64, self.ready.height() - rows);
        let given = before + rows as u64;
        let cut = self.cuts.pop_front_if(|cut| *cut == given).is_some();
        let comes = |behind: u64| ended || behind < given || (cut && behind == given);
        let mut rejected = Vec::new();
        while let Some((_, part)) = self.aside.pop_front_if(|(behind, _)| comes(*behind)) {
            rejected.push(part);
        }
        Ok(Some(CleanTable {
            frame: with_kind(frame, self.kind)?,
            rejected: together(rejected)?,
            sources: Vec::new(),
        }))
    }

    /// What became of the rows that were read so far.
    pub fn sources(&self) -> &[FileTally] {
        &self.sources
    }

    /// The next raw batches, at most `most` and all of one file, and the file that failed after them, if one did. No batch and
    /// `None` at the end.
    #[expect(
        clippy::type_complexity,
        reason = "raw batches, and maybe a file with its error"
    )]
    fn read(
        &mut self,
        most: usize,
        task: &Task,
    ) -> Result<(Vec<(usize, Context, RawBatch)>, Option<(usize, Error)>)> {
        let mut raw = Vec::new();
        while raw.len() < most {
            let opened = match self.current.take() {
                Some(current) => Ok(Some(current)),
                None if !raw.is_empty() => break,
                None => self.open_next(task),
            };
            let (file, error) = match opened {
                Ok(None) => break,
                Ok(Some((file, mut reader, context))) => match reader.next_batch(task) {
                    Ok(Some(batch)) => {
                        raw.push((file, context.clone(), batch));
                        self.current = Some((file, reader, context));
                        continue;
                    }
                    Ok(None) => {
                        note(&mut self.sources[file], reader.format(), reader.notes());
                        continue;
                    }
                    Err(error) => (file, error),
                },
                Err((file, error)) => (file, error),
            };
            if self.settings.on_bad_file == OnBadFile::Fail || !error.is_of_a_file() {
                return Err(error);
            }
            return Ok((raw, Some((file, error))));
        }
        Ok((raw, None))
    }

    #[expect(
        clippy::type_complexity,
        reason = "the pieces of an opened file, or the file that does not open"
    )]
    fn open_next(
        &mut self,
        task: &Task,
    ) -> std::result::Result<Option<(usize, Box<dyn RowReader>, Context)>, (usize, Error)> {
        let Some((number, file)) = self.files.pop_front() else {
            return Ok(None);
        };
        match open_publications(&file, number, self.kind, &self.settings, task) {
            Ok((reader, context)) => Ok(Some((number, reader, context))),
            Err(error) => Err((number, error)),
        }
    }

    fn take(&mut self, file: usize, batch: &CleanBatch, frame: DataFrame) -> Result<()> {
        count_batch(&mut self.sources[file], batch);
        self.sources[file].check()?;
        let mut aside = None;
        if !batch.rejected.is_empty() {
            aside = Some(rejected_frame(&batch.rejected, &batch.uri)?);
        }
        self.kept += frame.height() as u64;
        self.kept_bytes += frame.estimated_size();
        if let Some(part) = aside {
            self.aside_bytes += part.estimated_size();
            self.aside.push_back((self.kept, part));
        }
        if self.kept_bytes > MOST_HELD || self.aside_bytes > MOST_ASIDE {
            (self.kept_bytes, self.aside_bytes) = (0, 0);
            self.cuts.push_back(self.kept);
        }
        self.ready.vstack_mut_owned(frame)?;
        Ok(())
    }
}

impl std::fmt::Debug for PublicationStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PublicationStream")
            .field("kind", &self.kind)
            .field("files_left", &self.files.len())
            .finish_non_exhaustive()
    }
}

/// The files of some sources, each once, and an empty tally for each.
fn find_files(uris: &[String], table: SourceTable, task: &Task) -> Result<(Vec<SourceFile>, Vec<FileTally>)> {
    let expected = table.expected();
    if uris.is_empty() {
        return Err(Error::argument("sources", "no source", expected));
    }
    let files = expand_all(uris, expected, task)?;
    let tallies = tallies(&files, table)?;
    Ok((files, tallies))
}

fn open_publications(
    file: &SourceFile,
    number: usize,
    kind: PublicationKind,
    settings: &SilverSettings,
    task: &Task,
) -> Result<Opened<'static>> {
    let input = open_source(file, settings.reading(), task)?;
    // The shapes live as long as the process: readers hold them, and a stream outlives the call that made it.
    let reader = formats::open_shaped(input, shapes(kind))?;
    let context = Context {
        kind,
        uri: file.uri.clone(),
        file: number as u32,
        order: settings.order,
    };
    Ok((reader, context))
}

/// Publications with their kind, which a lake has in the name of a folder.
fn with_kind(mut frame: DataFrame, kind: PublicationKind) -> Result<DataFrame> {
    let kinds = constant("kind", kind.name(), frame.height());
    frame.insert_column(1, kinds)?;
    Ok(frame)
}

/// Collects rejected rows in memory. They wait until their file ends where a bad file is rejected as a whole.
fn aside(settings: &SilverSettings) -> Rejects<Vec<DataFrame>> {
    let waits = settings.on_bad_file == OnBadFile::Reject;
    Rejects::new(
        Vec::new(),
        waits.then(|| SpillBuffer::on_demand(&REJECTED, MOST_HELD)),
    )
}

fn together(frames: Vec<DataFrame>) -> Result<DataFrame> {
    let mut all = REJECTED.empty();
    for frame in frames {
        all.vstack_mut_owned(frame)?;
    }
    Ok(all)
}
