//! The mentions of the publications with a change: from the files that differ, each compared with the one in its place.
//!
//! A file of mentions holds those of a chunk of a delivery. Of two files with one name the keys of all rows are compared as
//! hashes, 20 bytes a row, and of these two files alone at a time; the rows themselves are read where something differs.

use std::collections::BTreeSet;

use polars::prelude::{BooleanChunked, DataFrame, NewChunkedArray};
use xxhash_rust::xxh3::xxh3_128;

use super::compared_state::ComparedState;
use super::records::SeenMention;
use crate::error::{Error, Result};
use crate::gold::newest::PublicationKey;
use crate::lake::dt::Dt;
use crate::lake::table_files::LakeFile;
use crate::schema::{CURRENT_PUBLICATIONS, MENTIONS, PublicationKind};
use crate::sorting::{Sorted, Sorter};
use crate::task::Task;

/// The columns that identify a mention in a file.
const KEY: [&str; 6] = ["publication_id", "field", "start", "end", "atccode", "drug"];

/// The rows of a file: a hash of the key of each, and the number of its publication in the file.
#[derive(Default)]
struct FileKeys {
    keys: Vec<u128>,
    publications: Vec<u32>,
}

/// The key of a row that is not looked at.
const OTHER: u128 = 0;

impl FileKeys {
    /// The keys of all rows, or of those of one publication.
    fn read(state: &ComparedState, file: &LakeFile, only: Option<&str>, task: &Task) -> Result<Self> {
        let mut found = Self::default();
        let (mut last, mut number) = (None::<String>, 0);
        let mut bytes = Vec::new();
        state.read_groups(file, &KEY, task, |frame| {
            let [ids, fields] = ["publication_id", "field"].map(|name| frame.column(name));
            let (ids, fields) = (ids?.str()?, fields?.str()?);
            let (starts, ends) = (frame.column("start")?.i64()?, frame.column("end")?.i64()?);
            let (codes, drugs) = (frame.column("atccode")?.str()?, frame.column("drug")?.str()?);
            let places = starts.iter().zip(ends.iter());
            let names = codes.iter().zip(drugs.iter());
            for ((id, field), (place, drug)) in ids.iter().zip(fields.iter()).zip(places.zip(names)) {
                let id = id.unwrap_or_default();
                if last.as_deref() != Some(id) {
                    number += u32::from(last.is_some());
                    last = Some(id.to_owned());
                }
                found.publications.push(number);
                if only.is_some_and(|only| only != id) {
                    found.keys.push(OTHER);
                    continue;
                }
                bytes.clear();
                for text in [Some(id), field, drug.0, drug.1] {
                    let text = text.unwrap_or_default();
                    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
                    bytes.extend_from_slice(text.as_bytes());
                }
                for number in [place.0, place.1] {
                    bytes.extend_from_slice(&number.unwrap_or_default().to_le_bytes());
                }
                found.keys.push(xxh3_128(&bytes).max(OTHER + 1));
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn sorted(&self) -> Vec<u128> {
        let mut keys: Vec<u128> = self.keys.iter().copied().filter(|key| *key != OTHER).collect();
        keys.sort_unstable();
        keys
    }

    /// For each publication of the file whether the other file lacks one of its rows.
    fn changed(&self, other: &[u128]) -> Vec<bool> {
        let count = self.publications.last().map_or(0, |last| *last as usize + 1);
        let mut changed = vec![false; count];
        for (key, publication) in self.keys.iter().zip(&self.publications) {
            if *key != OTHER && other.binary_search(key).is_err() {
                changed[*publication as usize] = true;
            }
        }
        changed
    }
}

/// The mentions of publications of which some mention changed, and those publications.
pub(super) struct ChangedMentions {
    pub mentions: Sorter<SeenMention>,
    /// The publications of which a state's dates and texts may be needed, sorted, each once: the earlier state, the later.
    pub of_state: [Vec<PublicationKey>; 2],
    /// Files that were compared, and those that both states share.
    pub files: [u64; 2],
}

impl ChangedMentions {
    /// Compares all files, or what they have of one publication.
    pub(super) fn find(
        states: [&ComparedState; 2],
        only: Option<(PublicationKind, &str)>,
        sorter: Sorter<SeenMention>,
        task: &Task,
    ) -> Result<Self> {
        let mut found = Self {
            mentions: sorter,
            of_state: [Vec::new(), Vec::new()],
            files: [0, 0],
        };
        let paths: BTreeSet<&String> = states.iter().flat_map(|state| state.mentions.keys()).collect();
        for path in paths {
            task.check()?;
            let files = states.map(|state| state.mentions.get(path));
            let kind = files.iter().flatten().find_map(|file| file.kind);
            if only.is_some_and(|(of, _)| kind != Some(of)) {
                continue;
            }
            if let [Some(earlier), Some(later)] = files
                && earlier.file.sha256 == later.file.sha256
            {
                found.files[1] += 1;
                continue;
            }
            found.files[0] += 1;
            found.compare(path, states, (files, only.map(|(_, id)| id)), task)?;
        }
        for keys in &mut found.of_state {
            keys.sort_unstable();
            keys.dedup();
        }
        Ok(found)
    }

    fn compare(
        &mut self,
        path: &str,
        states: [&ComparedState; 2],
        (files, only): ([Option<&LakeFile>; 2], Option<&str>),
        task: &Task,
    ) -> Result<()> {
        let read = |side: usize| match files[side] {
            Some(file) => FileKeys::read(states[side], file, only, task),
            None => Ok(FileKeys::default()),
        };
        let (earlier, later) = rayon::join(|| read(0), || read(1));
        let keys = [earlier?, later?];
        let sorted = [keys[0].sorted(), keys[1].sorted()];
        if sorted[0] == sorted[1] {
            return Ok(());
        }
        let of_publications = path.replacen(MENTIONS.folder, CURRENT_PUBLICATIONS.folder, 1);
        let publications = states.map(|state| state.publications.get(&of_publications));
        let same_publication = match publications {
            [Some(earlier), Some(later)] => earlier.file.sha256 == later.file.sha256,
            _ => false,
        };
        for side in [0, 1] {
            let Some(file) = files[side] else { continue };
            let (Some(kind), Some(dt)) = (file.kind, file.dt) else {
                continue;
            };
            let changed = keys[side].changed(&sorted[1 - side]);
            let keys = &keys[side];
            let mut reader = states[side].open_file(file)?;
            let mut first = 0;
            while let Some(height) = reader.height() {
                task.check()?;
                let rows = first..first + height as usize;
                first = rows.end;
                let mask: Vec<bool> = keys.publications[rows.clone()]
                    .iter()
                    .map(|publication| changed[*publication as usize])
                    .collect();
                if mask.contains(&true)
                    && let Some(frame) = reader.peek(None)?
                {
                    let is_kept = keys.keys[rows].iter().zip(&mask).filter(|(_, taken)| **taken);
                    let is_kept: Vec<bool> = is_kept
                        .map(|(key, _)| sorted[1 - side].binary_search(key).is_ok())
                        .collect();
                    let frame = frame.filter(&BooleanChunked::from_slice("taken".into(), &mask))?;
                    self.add(&frame, (kind, dt), side == 1, same_publication, &is_kept)?;
                }
                reader.skip();
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        frame: &DataFrame,
        (kind, dt): (PublicationKind, Dt),
        in_later: bool,
        same_publication: bool,
        is_kept: &[bool],
    ) -> Result<()> {
        let dt = dt.to_string();
        let text = |name: &str| frame.column(name).and_then(|column| column.str().cloned());
        let number = |name: &str| frame.column(name).and_then(|column| column.i64().cloned());
        let (ids, fields, codes, drugs) = (
            text("publication_id")?,
            text("field")?,
            text("atccode")?,
            text("drug")?,
        );
        let (substances, surfaces, rules, journals) = (
            text("substance")?,
            text("surface")?,
            text("rule")?,
            text("journal")?,
        );
        let (starts, ends) = (number("start")?, number("end")?);
        let dates = frame.column("date")?.date()?.clone();
        let of = |texts: &polars::prelude::StringChunked, row| texts.get(row).unwrap_or_default().to_owned();
        for (row, is_kept) in is_kept.iter().enumerate() {
            let publication_id = of(&ids, row);
            let key = PublicationKey::of(kind, &publication_id);
            let keys = &mut self.of_state[usize::from(in_later)];
            if keys.last() != Some(&key) {
                keys.push(key);
            }
            let mention = SeenMention {
                kind,
                publication_id,
                field: of(&fields, row),
                start: starts.get(row).unwrap_or_default(),
                end: ends.get(row).unwrap_or_default(),
                atccode: of(&codes, row),
                drug: of(&drugs, row),
                in_later,
                is_kept: *is_kept,
                same_publication,
                dt: dt.clone(),
                substance: of(&substances, row),
                surface: of(&surfaces, row),
                rule: of(&rules, row),
                journal: journals.get(row).map(str::to_owned),
                date: dates.phys.get(row).map(day),
            };
            self.mentions.push(mention).map_err(failed)?;
        }
        Ok(())
    }
}

/// A day by its number from 1970 on.
fn day(number: i32) -> chrono::NaiveDate {
    chrono::NaiveDate::default() + chrono::Duration::days(i64::from(number))
}

/// All mentions of the next publication; none at the end.
pub(super) fn next_publication(mentions: &mut Sorted<SeenMention>) -> Result<Vec<SeenMention>> {
    let mut of_one = Vec::new();
    let Some(first) = mentions.next() else {
        return Ok(of_one);
    };
    let first = first.map_err(failed)?;
    of_one.push(first);
    while let Some(next) = mentions
        .next_if(|next| next.publication() == of_one[0].publication())
        .map_err(failed)?
    {
        of_one.push(next);
    }
    Ok(of_one)
}

/// The error of a scratch file.
pub(super) fn failed(error: std::io::Error) -> Error {
    Error::storage("the scratch file of a comparison", "use", error)
}
