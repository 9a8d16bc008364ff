//! Which states have a publication, and a pair.

use std::collections::{BTreeMap, BTreeSet};

use super::{EvidenceFinder, OpenState, codes_of, texts};
use crate::api::lake::explain::{explain_mention, unknown_drug};
use crate::error::{Error, Result, shown};
use crate::lake::LakeAddress;
use crate::lake::dt::Dt;
use crate::lake::table_files::table_files;
use crate::schema::{CURRENT_PUBLICATIONS, MENTIONS, PublicationKind, Table};

/// A partition of a table, and the digests of its files.
type PartitionFiles = (PublicationKind, Dt, String);

/// Whether a state has the publication, by kind, and the pair in it.
pub(super) type PairSighting = BTreeMap<PublicationKind, bool>;

impl EvidenceFinder<'_> {
    /// In each state whether it has the publication, and the pair. What several states share is read once.
    pub(super) fn sightings(&self) -> Result<BTreeMap<u64, PairSighting>> {
        let mut has_publication: BTreeMap<PartitionFiles, bool> = BTreeMap::new();
        let mut codes_in: BTreeMap<PartitionFiles, BTreeSet<String>> = BTreeMap::new();
        let mut found = BTreeMap::new();
        let mut is_known = false;
        for record in self.all {
            self.task.check()?;
            let state = match self.open(record.state) {
                // It was given up meanwhile, or somebody removed a file of it.
                Err(Error::SourceNotFound { .. }) if record.state != self.asked.state => continue,
                opened => opened?,
            };
            let codes = codes_of(&state.entries, self.question.drug);
            is_known |= !codes.is_empty();
            let mut seen = PairSighting::new();
            let mentions = self.partitions(&state, &MENTIONS)?;
            for files in self.partitions(&state, &CURRENT_PUBLICATIONS)? {
                let (kind, dt, _) = files;
                let has = match has_publication.get(&files) {
                    Some(has) => *has,
                    None => {
                        let columns = ["publication_id"];
                        let rows = self.rows(&state.storage, &CURRENT_PUBLICATIONS, &columns, kind, dt)?;
                        has_publication.insert(files.clone(), rows.height() > 0);
                        rows.height() > 0
                    }
                };
                if !has {
                    continue;
                }
                seen.insert(kind, false);
                for files in mentions
                    .iter()
                    .filter(|(of_kind, of, _)| (*of_kind, *of) == (kind, dt))
                {
                    if !codes_in.contains_key(files) {
                        let rows = self.rows(&state.storage, &MENTIONS, &["atccode"], kind, dt)?;
                        codes_in.insert(
                            files.clone(),
                            texts(&rows, "atccode")?.into_iter().flatten().collect(),
                        );
                    }
                    let has_pair = codes_in.get(files).is_some_and(|of| !of.is_disjoint(&codes));
                    seen.insert(kind, has_pair);
                }
            }
            found.insert(record.state, seen);
        }
        if !is_known {
            let state = self.open(self.asked.state)?;
            return Err(unknown_drug(&state.entries, self.question.drug, self.lake));
        }
        Ok(found)
    }

    /// The partitions of a table in a state, with the digests of their files.
    fn partitions(&self, state: &OpenState, table: &'static Table) -> Result<BTreeSet<PartitionFiles>> {
        let mut digests: BTreeMap<(PublicationKind, Dt), String> = BTreeMap::new();
        for file in table_files(state.storage.as_ref(), table, &self.filter(None))? {
            if let (Some(kind), Some(dt)) = (file.kind, file.dt) {
                digests.entry((kind, dt)).or_default().push_str(&file.file.sha256);
            }
        }
        Ok(digests
            .into_iter()
            .map(|((kind, dt), digests)| (kind, dt, digests))
            .collect())
    }

    /// The kind of the publication; fails if no state has it, or if it has several.
    pub(super) fn kind(&self, sightings: &BTreeMap<u64, PairSighting>) -> Result<PublicationKind> {
        let kinds: BTreeSet<PublicationKind> =
            sightings.values().flat_map(|seen| seen.keys().copied()).collect();
        let wanted = self.question.kind;
        match kinds
            .iter()
            .filter(|kind| wanted.is_none_or(|wanted| wanted == **kind))
            .collect::<Vec<_>>()[..]
        {
            [kind] => Ok(*kind),
            [] => {
                // The error of an explanation says whether it is held, or newer than gold.
                let address = LakeAddress {
                    root: self.lake.to_owned(),
                    state: None,
                };
                let explained = explain_mention(&address.open(self.task)?.into(), self.question, self.task);
                Err(explained.err().unwrap_or_else(|| Error::Conflict {
                    path: self.lake.to_owned(),
                    found: "another run delivered the publication meanwhile".to_owned(),
                }))
            }
            _ => {
                let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                let id = shown(self.question.publication_id);
                let found = format!("`{id}` is the id of several publications");
                Err(Error::argument(
                    "kind",
                    found,
                    format!("one of {}", names.join(", ")),
                ))
            }
        }
    }
}
