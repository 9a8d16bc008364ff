//! What changed between two states of a lake: every gained and every lost mention, each with the one cause of it.
//!
//! Files that both states share are not opened. Of the others the mentions that differ are sorted by publication, on a
//! scratch file where there are many, together with what both states have of these publications. So the memory is
//! bounded, and the cost is that of the files that differ.

mod cause;
mod changed_mentions;
mod compared_state;
mod decide;
mod drug_changes;
mod records;
mod summary;
mod traces;

use std::collections::{BTreeSet, HashSet};

pub use cause::{MentionCause, MentionChange};
use changed_mentions::{ChangedMentions, failed, next_publication};
use chrono::NaiveDate;
use compared_state::ComparedState;
use decide::{CauseFinder, DatedCause, PublicationStates};
pub use drug_changes::{DrugChange, DrugChangeKind};
use drug_changes::{drug_changes, drug_frame};
use polars::prelude::{DataFrame, DataType};
use records::{PublicationTrace, SeenMention, trace};
use summary::ChangeCounter;
pub use summary::{CauseCount, ChangeCount, ChangeExample, DiffSummary, StateSummary, SubstanceCount};
use traces::TraceFinder;

use crate::choice::Choice as _;
use crate::error::{Error, Result};
use crate::lake::dt::Dt;
use crate::lake::states::{StateRecord, states};
use crate::lake::{WantedState, existing_lake_for, find_state};
use crate::row_frame::RowFrame;
use crate::schema::{DrugUnit, MENTION_CHANGES, PublicationKind};
use crate::scratch;
use crate::share::{Share, percentage};
use crate::sorting::{Bound, Sorted, Sorter};
use crate::tables::spill_buffer::SpillBuffer;
use crate::task::Task;

/// Attempts, because a run may commit while the states are read.
const TRIES: usize = 5;

/// Bytes of changes that stay in memory.
const IN_MEMORY: usize = 32 << 20;

/// Changes that become one frame.
const BATCH: usize = 1 << 14;

/// Two states that are compared: by default the state before the newest, and the newest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiffRequest {
    pub from: Option<WantedState>,
    pub to: Option<WantedState>,
}

/// What changed between two states.
pub struct LakeDiff {
    lake: String,
    rows: SpillBuffer,
    height: u64,
    summary: DiffSummary,
}

/// Compares two states of a lake.
pub fn lake_diff(lake: &str, request: DiffRequest, task: &Task) -> Result<LakeDiff> {
    let mut tries = 0;
    loop {
        let compared = find_states(lake, request, task).and_then(|states| compare(lake, states, None, task));
        match compared {
            Err(Error::Conflict { .. } | Error::SourceNotFound { .. }) if tries < TRIES => tries += 1,
            compared => return compared,
        }
    }
}

/// Compares what two states have of one publication.
pub(in crate::api) fn publication_diff(
    lake: &str,
    [from, to]: [u64; 2],
    publication: (PublicationKind, &str),
    task: &Task,
) -> Result<LakeDiff> {
    let request = DiffRequest {
        from: Some(WantedState::Number(from)),
        to: Some(WantedState::Number(to)),
    };
    compare(lake, find_states(lake, request, task)?, Some(publication), task)
}

/// The records of the states that are compared.
fn find_states(lake: &str, request: DiffRequest, task: &Task) -> Result<[StateRecord; 2]> {
    let storage = existing_lake_for(lake, task)?;
    let all = states(storage.as_ref())?;
    let Some(newest) = all.last() else {
        return Err(Error::SourceNotFound {
            uri: format!("{lake}, its states"),
            expected: "a lake with two states to compare: run the gold step first".to_owned(),
        });
    };
    let find = |wanted| find_state(storage.as_ref(), wanted);
    let to = request.to.map_or_else(|| Ok(newest.clone()), find)?;
    let from = match request.from {
        Some(wanted) => find(wanted)?,
        None => {
            let before = all.iter().rfind(|record| record.state < to.state);
            before.cloned().ok_or_else(|| Error::SourceNotFound {
                uri: format!("{lake}, the state before state {}", to.state),
                expected:
                    "an earlier state to compare with: there is none yet, or it was given up (see `keep`)"
                        .to_owned(),
            })?
        }
    };
    if from.state > to.state {
        let found = format!("state {}, which is later than state {}", from.state, to.state);
        return Err(Error::argument(
            "from",
            found,
            "the earlier state as the first, the later one as the second",
        ));
    }
    if let (Some(WantedState::Number(_)), Some(WantedState::Number(_))) = (request.from, request.to)
        && from.state == to.state
    {
        let found = format!("state {} twice", from.state);
        return Err(Error::argument(
            "from",
            found,
            "two states; `Lake.states` lists them",
        ));
    }
    Ok([from, to])
}

fn compare(
    lake: &str,
    [from, to]: [StateRecord; 2],
    only: Option<(PublicationKind, &str)>,
    task: &Task,
) -> Result<LakeDiff> {
    task.enter("diff");
    let earlier = ComparedState::open(lake, from, task)?;
    let later = ComparedState::open(lake, to, task)?;
    let states = [&earlier, &later];
    let sorter = || Sorter::on_demand(scratch::unnamed, Bound::default());
    let changed = ChangedMentions::find(states, only, sorter(), task)?;
    let finder = CauseFinder::new(states, task);
    let between = finder.between()?;
    let mut found = TraceFinder {
        states,
        changed: &changed,
        traces: Sorter::on_demand(scratch::unnamed, Bound::default()),
        between: between.as_deref(),
        task,
    };
    found.find_rows()?;
    found.find_notices()?;
    found.find_deliveries()?;
    found.find_texts(finder.wanted_texts())?;
    let mut traces = found.traces.finish().map_err(failed)?;
    let ChangedMentions { mentions, files, .. } = changed;
    let mut mentions = mentions.finish().map_err(failed)?;
    let mut changes = ChangeWriter {
        rows: SpillBuffer::on_demand(&MENTION_CHANGES, IN_MEMORY),
        batch: Vec::new(),
        height: 0,
        counter: ChangeCounter::default(),
        unit: earlier.unit(),
    };
    loop {
        task.check()?;
        let of_one = next_publication(&mut mentions)?;
        if of_one.is_empty() {
            break;
        }
        let mut publication = states_of(&of_one, &mut traces)?;
        if between.is_none() {
            publication.between = publication.dates[1];
        }
        for side in [0, 1] {
            let snapshot = states[side].snapshot(of_one[0].kind.source_table());
            let replaced = publication.dates[1 - side];
            publication.snapshots[side] =
                snapshot.filter(|snapshot| publication.dates[side].is_none() && replaced < Some(*snapshot));
        }
        changes.add(&of_one, &publication, &finder)?;
    }
    changes.flush()?;
    let drugs = drug_changes(finder.vocabularies(), &changes.counter.codes);
    let summaries = states.map(|state| StateSummary::of(&state.record));
    Ok(LakeDiff {
        lake: lake.to_owned(),
        rows: changes.rows,
        height: changes.height,
        summary: changes.counter.finish(summaries, drugs, files),
    })
}

/// What both states have of a publication.
fn states_of(mentions: &[SeenMention], traces: &mut Sorted<PublicationTrace>) -> Result<PublicationStates> {
    let mut found = PublicationStates::default();
    for mention in mentions {
        let dt = Dt::parse(&mention.dt)?;
        found.dates[usize::from(mention.in_later)] = Some(dt);
        if mention.is_kept || mention.same_publication {
            found.dates = [Some(dt), Some(dt)];
        }
    }
    let Some(first) = mentions.first() else {
        return Ok(found);
    };
    let publication = first.publication();
    // The newest delivery or notice; a row stays beside a notice of its date, which has done its work in the partition.
    let mut delivered: Option<(Dt, bool)> = None;
    while let Some(trace) = traces
        .next_if(|trace| trace.publication() <= publication)
        .map_err(failed)?
    {
        if trace.publication() != publication {
            continue;
        }
        let (side, dt) = (usize::from(trace.in_later), Dt::parse(&trace.dt)?);
        match trace.what {
            trace::ROW => found.dates[side] = Some(dt),
            trace::TEXT | trace::STATUS => {
                found.texts[side].insert((dt, trace.field), trace.text);
            }
            trace::DELIVERED => delivered = delivered.max(Some((dt, true))),
            trace::DELIVERED_NOTICE => delivered = delivered.max(Some((dt, false))),
            _ => found.notices[side] = found.notices[side].max(Some(dt)),
        }
    }
    found.between = delivered.filter(|(_, is_row)| *is_row).map(|(dt, _)| dt);
    Ok(found)
}

/// A change that is not in a frame yet.
struct ChangeRow {
    change: MentionChange,
    cause: DatedCause,
    mention: SeenMention,
    is_pair: bool,
    dates: [Option<Dt>; 2],
}

/// Collects the changes.
struct ChangeWriter {
    rows: SpillBuffer,
    batch: Vec<ChangeRow>,
    height: u64,
    counter: ChangeCounter,
    unit: DrugUnit,
}

impl ChangeWriter {
    /// Adds the changes of one publication; its mentions are in order.
    fn add(
        &mut self,
        mentions: &[SeenMention],
        states: &PublicationStates,
        finder: &CauseFinder<'_>,
    ) -> Result<()> {
        let mut changes = Vec::new();
        // The codes and substances that each state has in the publication.
        let mut has: [BTreeSet<&str>; 2] = Default::default();
        for same in mentions.chunk_by(SeenMention::is_same) {
            let is_kept = same.iter().any(|mention| mention.is_kept);
            let is_in =
                [false, true].map(|later| is_kept || same.iter().any(|mention| mention.in_later == later));
            for (has, is_there) in has.iter_mut().zip(is_in) {
                if is_there {
                    has.extend([same[0].atccode.as_str(), same[0].substance.as_str()]);
                }
            }
            match is_in {
                [true, false] => changes.push((MentionChange::Lost, &same[0])),
                [false, true] => changes.push((MentionChange::Gained, &same[0])),
                _ => {}
            }
        }
        let causes = finder.causes(states, &changes)?;
        let mut pairs = HashSet::new();
        for ((change, mention), cause) in changes.into_iter().zip(causes) {
            let other = &has[usize::from(change == MentionChange::Lost)];
            let is_pair =
                !other.contains(mention.atccode.as_str()) && !other.contains(mention.substance.as_str());
            let unit = match self.unit {
                DrugUnit::Code => mention.atccode.as_str(),
                DrugUnit::Substance => mention.substance.as_str(),
            };
            let is_first = is_pair && pairs.insert((change, unit));
            let example = ChangeExample {
                change,
                cause: cause.0,
                kind: mention.kind.name(),
                publication_id: mention.publication_id.clone(),
                drug: mention.drug.clone(),
                surface: mention.surface.clone(),
                cause_dt: cause.1.map(|dt| dt.to_string()),
            };
            self.counter
                .add(example, &mention.substance, &mention.atccode, is_first);
            self.batch.push(ChangeRow {
                change,
                cause,
                mention: mention.clone(),
                is_pair,
                dates: states.dates,
            });
        }
        if self.batch.len() >= BATCH {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.height += batch.len() as u64;
        self.rows.push(frame_of(&batch)?)
    }
}

fn frame_of(rows: &[ChangeRow]) -> Result<DataFrame> {
    let date = |dt: Option<Dt>| dt.map(|dt| dt.to_string());
    let days = |date: Option<NaiveDate>| {
        let days = date.map(|date| (date - NaiveDate::default()).num_days());
        days.and_then(|days| i32::try_from(days).ok())
    };
    let mut frame = RowFrame::of(rows)
        .column("change", |row| row.change.name())
        .column("cause", |row| row.cause.0.choice_name())
        .column("kind", |row| row.mention.kind.name())
        .column("publication_id", |row| row.mention.publication_id.as_str())
        .column("atccode", |row| row.mention.atccode.as_str())
        .column("drug", |row| row.mention.drug.as_str())
        .column("substance", |row| row.mention.substance.as_str())
        .column("journal", |row| row.mention.journal.as_deref())
        .column("date", |row| days(row.mention.date))
        .column("field", |row| row.mention.field.as_str())
        .column("start", |row| row.mention.start)
        .column("end", |row| row.mention.end)
        .column("surface", |row| row.mention.surface.as_str())
        .column("rule", |row| row.mention.rule.as_str())
        .column("pair", |row| if row.is_pair { row.change.name() } else { "kept" })
        .column("from_dt", |row| date(row.dates[0]))
        .column("to_dt", |row| date(row.dates[1]))
        .column("cause_dt", |row| date(row.cause.1))
        .finish()?;
    frame.apply("date", |column| {
        column.cast(&DataType::Date).unwrap_or_else(|_| column.clone())
    })?;
    MENTION_CHANGES.check(&frame)?;
    Ok(frame)
}

impl LakeDiff {
    /// The number of gained and lost mentions.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// The frame with this number; `None` behind the last one.
    pub fn frame(&self, number: usize) -> Result<Option<DataFrame>> {
        self.rows.frame(number)
    }

    /// All changes in one frame.
    pub fn read_all(&self) -> Result<DataFrame> {
        let mut all = MENTION_CHANGES.empty();
        let mut number = 0;
        while let Some(frame) = self.frame(number)? {
            all.vstack_mut_owned(frame)?;
            number += 1;
        }
        Ok(all)
    }

    /// The numbers.
    pub fn summary(&self) -> &DiffSummary {
        &self.summary
    }

    /// The drugs that differ between the vocabularies.
    pub fn drugs(&self) -> Result<DataFrame> {
        drug_frame(&self.summary.drugs)
    }

    /// Fails if more pairs of the earlier state were lost than a share of them.
    pub fn check(&self, most_lost: Share) -> Result<()> {
        let (lost, before) = (self.summary.lost.pairs, self.summary.from.pairs);
        if !most_lost.is_exceeded(lost, before) {
            return Ok(());
        }
        let mut causes: Vec<&CauseCount> = self.summary.causes.iter().collect();
        causes.retain(|row| row.change == MentionChange::Lost && row.count.pairs > 0);
        causes.sort_by_key(|row| std::cmp::Reverse(row.count.pairs));
        let causes: Vec<String> = causes
            .iter()
            .map(|row| format!("{} by {}", row.count.pairs, row.cause.choice_name()))
            .collect();
        let (from, to) = (&self.summary.from, &self.summary.to);
        Err(Error::Loss {
            uri: self.lake.clone(),
            found: format!(
                "from state {} to state {}, {lost} of {before} pairs were lost ({}), and max_lost={most_lost} allows less: {}",
                from.state,
                to.state,
                percentage(lost, before),
                causes.join(", ")
            ),
            remedy: "look at the lost pairs (`drugs-rs diff`, `Lake.diff`), and correct or hold what caused them, or allow more"
                .to_owned(),
        })
    }
}
