//! What the states have of the publications whose mentions changed: where they are, their texts, and what removed them.

use std::collections::BTreeSet;

use super::changed_mentions::{ChangedMentions, failed};
use super::compared_state::ComparedState;
use super::records::{PublicationTrace, trace};
use crate::choice::Choice as _;
use crate::error::Result;
use crate::gold::field_texts::FieldTexts;
use crate::gold::newest::PublicationKey;
use crate::lake::dt::Dt;
use crate::lake::table_files::LakeFile;
use crate::schema::{DELETED, PUBLICATIONS, PublicationKind, SearchedField};
use crate::sorting::Sorter;
use crate::task::Task;

/// Where silver has the status of a publication.
pub(super) const STATUS_COLUMN: &str = "status";

/// Which texts are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WantedTexts {
    None,
    /// Of partitions that differ.
    Changed,
    All,
}

/// Collects what the states have of some publications.
pub(super) struct TraceFinder<'f> {
    pub states: [&'f ComparedState; 2],
    pub changed: &'f ChangedMentions,
    pub traces: Sorter<PublicationTrace>,
    /// What counts of the later state's deliveries with the holds of the earlier state, if the holds differ.
    pub between: Option<&'f [(PublicationKind, Vec<Dt>)]>,
    pub task: &'f Task,
}

impl TraceFinder<'_> {
    /// Finds the rows of publications that only one state has mentions of, in the other state.
    pub(super) fn find_rows(&mut self) -> Result<()> {
        for side in [0, 1] {
            let wanted = without(&self.changed.of_state[1 - side], &self.changed.of_state[side]);
            if wanted.is_empty() {
                continue;
            }
            let (state, other) = (self.states[side], self.states[1 - side]);
            for (path, file) in &state.publications {
                let in_other = other.publications.get(path);
                // In a file that both have, both have the publication, and its mentions know it.
                if in_other.is_none_or(|same| same.file.sha256 != file.file.sha256) {
                    self.read(side, file, trace::ROW, None, &wanted)?;
                }
            }
        }
        Ok(())
    }

    /// Finds the texts of publications with a change; where those of all are not wanted, of the ones that a partition names
    /// which only one state has.
    pub(super) fn find_texts(&mut self, wanted: WantedTexts) -> Result<()> {
        let publications = match wanted {
            WantedTexts::None => return Ok(()),
            WantedTexts::Changed => self.in_changed_partitions()?,
            WantedTexts::All => self.all(),
        };
        if publications.is_empty() {
            return Ok(());
        }
        for side in [0, 1] {
            let state = self.states[side];
            let fields = SearchedField::CHOICES.iter().copied();
            let fields = fields.filter(|field| self.states.iter().any(|state| state.searches(*field)));
            let fields: Vec<SearchedField> = fields.collect();
            for kind in PublicationKind::ALL {
                let mut dates: BTreeSet<Dt> = state.dates_of(kind.source_table()).into_iter().collect();
                if side == 1 {
                    dates.extend(self.dates_between(kind));
                }
                for dt in dates {
                    for file in state.silver_files(&PUBLICATIONS, kind, dt)? {
                        for field in &fields {
                            self.read(side, &file, trace::TEXT, Some(*field), &publications)?;
                        }
                        if self.states.iter().any(|state| state.excludes_any()) {
                            self.read(side, &file, trace::STATUS, None, &publications)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The publications with a change that are in a partition which differs between the states, or which only one has.
    fn in_changed_partitions(&self) -> Result<Vec<PublicationKey>> {
        let all = self.all();
        let mut found = Vec::new();
        for (side, kind, dt) in self.changed_partitions() {
            let state = self.states[side];
            for file in state.silver_files(&PUBLICATIONS, kind, dt)? {
                state.read_groups(&file, &["publication_id"], self.task, |frame| {
                    let ids = frame.column("publication_id")?.str()?;
                    let keys = ids.iter().flatten().map(|id| PublicationKey::of(kind, id));
                    found.extend(keys.filter(|key| all.binary_search(key).is_ok()));
                    Ok(())
                })?;
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// The partitions of each state that the other has not, or has with other contents.
    fn changed_partitions(&self) -> Vec<(usize, PublicationKind, Dt)> {
        let mut changed = Vec::new();
        for side in [0, 1] {
            let (state, other) = (self.states[side], self.states[1 - side]);
            for kind in PublicationKind::ALL {
                let others: BTreeSet<Dt> = other.dates_of(kind.source_table()).into_iter().collect();
                let dates = state.dates_of(kind.source_table()).into_iter();
                let differs = |dt: &Dt| {
                    !others.contains(dt) || state.partition(kind, *dt) != other.partition(kind, *dt)
                };
                changed.extend(dates.filter(differs).map(|dt| (side, kind, dt)));
            }
        }
        changed
    }

    /// Finds the notices of deletion that one state obeys and the other does not.
    pub(super) fn find_notices(&mut self) -> Result<()> {
        let publications = self.all();
        if publications.is_empty() {
            return Ok(());
        }
        for (side, kind, dt) in self.changed_partitions() {
            for file in self.states[side].silver_files(&DELETED, kind, dt)? {
                self.read(side, &file, trace::NOTICE, None, &publications)?;
            }
        }
        Ok(())
    }

    /// Finds what was delivered of the publications with a change, if the holds differ.
    pub(super) fn find_deliveries(&mut self) -> Result<()> {
        let publications = self.all();
        if publications.is_empty() {
            return Ok(());
        }
        for kind in PublicationKind::ALL {
            for dt in self.dates_between(kind) {
                for (table, what) in [
                    (&PUBLICATIONS, trace::DELIVERED),
                    (&DELETED, trace::DELIVERED_NOTICE),
                ] {
                    for file in self.states[1].silver_files(table, kind, dt)? {
                        self.read(1, &file, what, None, &publications)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn dates_between(&self, kind: PublicationKind) -> Vec<Dt> {
        let all = self.between.unwrap_or_default().iter();
        all.filter(|(of, _)| *of == kind)
            .flat_map(|(_, dates)| dates.clone())
            .collect()
    }

    /// All publications with a change.
    fn all(&self) -> Vec<PublicationKey> {
        let mut all = self.changed.of_state.concat();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn read(
        &mut self,
        side: usize,
        file: &LakeFile,
        what: u8,
        field: Option<SearchedField>,
        wanted: &[PublicationKey],
    ) -> Result<()> {
        let (Some(kind), Some(dt)) = (file.kind, file.dt) else {
            return Ok(());
        };
        let (state, task) = (self.states[side], self.task);
        let mut reader = state.open_file(file)?;
        let ids = ["publication_id".to_owned()];
        while let Some(frame) = reader.peek(Some(&ids))? {
            task.check()?;
            let ids = frame.column("publication_id")?.str()?;
            let rows: Vec<(usize, &str)> = ids
                .iter()
                .enumerate()
                .filter_map(|(row, id)| Some((row, id?)))
                .filter(|(_, id)| wanted.binary_search(&PublicationKey::of(kind, id)).is_ok())
                .collect();
            let column = match (field, what) {
                (Some(field), _) => Some(field.name()),
                (None, trace::STATUS) => Some(STATUS_COLUMN),
                (None, _) => None,
            };
            let columns = match column.filter(|_| !rows.is_empty()) {
                Some(column) => reader.peek(Some(&[column.to_owned()]))?,
                None => None,
            };
            let texts = match (&columns, field) {
                (Some(frame), Some(field)) => Some(FieldTexts::of(frame, field)?),
                _ => None,
            };
            let statuses = match (&columns, field) {
                (Some(frame), None) => Some(frame.column(STATUS_COLUMN)?.str()?),
                _ => None,
            };
            for (row, id) in rows {
                let found = texts.as_ref().and_then(|texts| texts.get(row));
                let status = statuses.and_then(|statuses| statuses.get(row));
                let text = found.as_ref().map(|found| &*found.text).or(status);
                if column.is_some() && text.is_none() {
                    continue;
                }
                let found = PublicationTrace {
                    kind,
                    publication_id: id.to_owned(),
                    in_later: side == 1,
                    what,
                    dt: dt.to_string(),
                    field: column.unwrap_or_default().to_owned(),
                    text: text.unwrap_or_default().to_owned(),
                };
                self.traces.push(found).map_err(failed)?;
            }
            reader.skip();
        }
        Ok(())
    }
}

/// The keys of one sorted list that another one lacks.
fn without(keys: &[PublicationKey], other: &[PublicationKey]) -> Vec<PublicationKey> {
    let lacks = |key: &&PublicationKey| other.binary_search(key).is_err();
    keys.iter().filter(lacks).copied().collect()
}
