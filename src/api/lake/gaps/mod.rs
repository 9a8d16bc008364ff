//! What the vocabulary of a lake lacks: names in current publications that are probably drugs, and that its matcher does
//! not find.
//!
//! Partition by partition, current publications are read beside their silver rows. What the rules find is sorted by name,
//! on a scratch file where it is much, so the memory is bounded by a row group, the vocabulary and the rows that are asked
//! for.

mod collect;
mod current_rows;
mod finder;
mod page;

use std::collections::BTreeSet;
use std::sync::Arc;

use collect::{RankedGaps, gap_frame};
use current_rows::CurrentRows;
use finder::GapFinder;
pub use page::gaps_page;
use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::scan::{ScanRequest, TableScan};
use crate::choice::Choice as _;
use crate::error::{Error, Result};
use crate::gaps::GapRule;
use crate::gold::mentions::SearchSettings;
use crate::lake::documents::PublishedGold;
use crate::lake::dt::Dt;
use crate::lake::table_files::{PartitionFilter, table_files};
use crate::lake::vocabulary::entries_of;
use crate::lake::{LakeAddress, layout, manifest};
use crate::matcher::{Matcher, MatcherSettings};
use crate::schema::{CURRENT_DRUGS, CURRENT_PUBLICATIONS, PublicationKind};
use crate::scratch;
use crate::sorting::{Bound, Sorter};
use crate::steps::gold::search_of_record;
use crate::storage::Storage;
use crate::task::Task;

/// Attempts, because a run may commit while the tables are read.
const TRIES: usize = 5;

/// Publications that a thread looks at before it takes the next ones.
const TOGETHER: usize = 256;

/// Which gaps are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapRequest {
    /// The rules that look for them.
    pub rules: BTreeSet<GapRule>,
    /// A name in fewer publications is left out.
    pub min_publications: u64,
    /// The number of rows; `None` is all.
    pub limit: Option<usize>,
}

impl Default for GapRequest {
    fn default() -> Self {
        Self {
            rules: GapRule::CHOICES.iter().copied().collect(),
            min_publications: 1,
            limit: Some(1_000),
        }
    }
}

/// Finds what the vocabulary of a lake lacks, the most probable and frequent names first.
pub fn vocabulary_gaps(lake: &LakeAddress, request: &GapRequest, task: &Task) -> Result<DataFrame> {
    if request.rules.is_empty() {
        return Err(Error::argument("rules", "no rule", "at least one rule"));
    }
    task.enter("gaps");
    let mut tries = 0;
    loop {
        match find_gaps(lake, request, task) {
            Err(Error::Conflict { .. }) if tries < TRIES => tries += 1,
            found => return found,
        }
    }
}

fn find_gaps(lake: &LakeAddress, request: &GapRequest, task: &Task) -> Result<DataFrame> {
    let storage: Arc<dyn Storage> = lake.open(task)?.into();
    let (settings, search) = gold_settings(storage.as_ref())?;
    let scan = ScanRequest::default();
    let entries = TableScan::open(Arc::clone(&storage), CURRENT_DRUGS.name, scan)?.read_all(task)?;
    let entries = entries_of(&entries)?;
    let matcher = Matcher::build(&entries, &settings, task)?;
    let finder = GapFinder::new(&matcher, &entries, &request.rules, &search);
    let mut sightings = Sorter::on_demand(scratch::unnamed, Bound::default());
    let failed = |error| Error::storage("the scratch file of the gaps", "use", error);
    for (kind, dt) in partitions(storage.as_ref())? {
        let mut rows = CurrentRows::open(&storage, (kind, dt), finder.needs(), task)?;
        while let Some(batch) = rows.next_batch(task)? {
            let found: Vec<_> = batch
                .par_chunks(TOGETHER)
                .map(|rows| {
                    task.check()?;
                    Ok(rows
                        .iter()
                        .flat_map(|row| finder.find(kind, row))
                        .collect::<Vec<_>>())
                })
                .collect::<Result<_>>()?;
            for sighting in found.into_iter().flatten() {
                sightings.push(sighting).map_err(failed)?;
            }
        }
    }
    let mut gaps = RankedGaps::new(request.min_publications, request.limit);
    for sighting in sightings.finish().map_err(failed)? {
        gaps.add(sighting.map_err(failed)?);
    }
    task.check()?;
    gap_frame(&gaps.finish())
}

/// The partitions with current publications.
fn partitions(storage: &dyn Storage) -> Result<BTreeSet<(PublicationKind, Dt)>> {
    let files = table_files(storage, &CURRENT_PUBLICATIONS, &PartitionFilter::default())?;
    Ok(files.iter().filter_map(|file| file.kind.zip(file.dt)).collect())
}

/// The settings of the matcher that gold used, and what it searched.
fn gold_settings(storage: &dyn Storage) -> Result<(MatcherSettings, SearchSettings)> {
    let uri = format!("{}/{}", storage.root(), layout::GOLD_MANIFEST);
    let path = layout::GOLD_MANIFEST.to_owned();
    let Some(gold) = manifest::read::<PublishedGold>(storage, path)?.0 else {
        let expected = "the manifest of the gold layer; run the gold step first".to_owned();
        return Err(Error::SourceNotFound { uri, expected });
    };
    let matcher = gold.settings.get("matcher").and_then(MatcherSettings::of_record);
    matcher.zip(search_of_record(&gold.settings)).ok_or_else(|| {
        let found = "settings that the matcher cannot be rebuilt from: another version of drugs_rs wrote them, or they have \
                     more than 1,000 stop words";
        Error::format(uri, "the settings", found, "run the gold step")
    })
}
