//! The silver partitions that gold reads: those up to its date that are not held.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::lake::documents::{HeldDate, SilverManifest};
use crate::lake::dt::Dt;
use crate::lake::holds::HeldDates;
use crate::lake::manifest::Version;
use crate::lake::partitions::delivered_dates;
use crate::lake::{layout, manifest};
use crate::schema::{PublicationKind, SourceTable};
use crate::storage::Storage;

/// At most this many dates in a message.
const MOST_NAMED: usize = 5;

/// The silver partitions up to the date that gold has reached.
pub(crate) struct Delivered {
    partitions: Vec<(SourceTable, Dt)>,
    held: HeldDates,
    reached: Dt,
    as_of: Dt,
}

impl Delivered {
    /// Finds the partitions for a gold run of `dt`, in a lake whose gold had reached the date `before`. Gold never goes
    /// back in time, except to the newest partition that is left if some were removed.
    pub(crate) fn find(storage: &dyn Storage, dt: Dt, before: Option<Dt>) -> Result<Self> {
        let held = HeldDates::read(storage)?;
        let mut partitions = Vec::new();
        for table in SourceTable::ALL {
            let dates = delivered_dates(storage, table)?;
            partitions.extend(dates.into_iter().map(|dt| (table, dt)));
        }
        let newest = |counts: &dyn Fn(Dt) -> bool| {
            let dates = partitions.iter().map(|(_, dt)| *dt);
            let newest = dates.filter(|dt| Some(*dt) <= before && counts(*dt)).max();
            newest.map_or(dt, |newest| newest.max(dt))
        };
        // A held date still counts as reached, so that the graph includes it again after its release.
        let (reached, as_of) = (newest(&|_| true), newest(&|dt| !held.has(dt)));
        partitions.retain(|(_, dt)| *dt <= reached);
        Ok(Self {
            partitions,
            held,
            reached,
            as_of,
        })
    }

    /// The date that gold has reached, held or not.
    pub(crate) fn reached(&self) -> Dt {
        self.reached
    }

    /// The graph holds the partitions up to this date.
    pub(crate) fn as_of(&self) -> Dt {
        self.as_of
    }

    /// The held dates that are left out.
    pub(crate) fn held_back(&self) -> Vec<HeldDate> {
        let dates = self.dates();
        self.held.among(|dt| dates.contains(&dt))
    }

    /// The manifests of all partitions up to the date that gold has reached, held or not.
    pub(crate) fn manifests(&self) -> Vec<String> {
        let partitions = self.partitions.iter();
        partitions
            .map(|(table, dt)| layout::silver_manifest(*table, *dt))
            .collect()
    }

    /// The version of every date's hold, for the commit: a hold or release meanwhile changes what gold is made from.
    pub(crate) fn holds(&self) -> Vec<Version> {
        self.dates().iter().map(|dt| self.held.version(*dt)).collect()
    }

    /// The dates of the partitions of publications, in order. Those before a snapshot are among them.
    pub(crate) fn publications(&self, kind: PublicationKind) -> impl Iterator<Item = Dt> + '_ {
        self.taken(move |table| table.publication_kind() == Some(kind))
    }

    /// The date of the vocabulary, which is the newest drugs partition.
    pub(crate) fn newest_drugs(&self, storage: &dyn Storage) -> Result<Dt> {
        let drugs = |table| table == SourceTable::Drugs;
        self.taken(drugs).max().ok_or_else(|| Error::SourceNotFound {
            uri: format!(
                "{}/{}",
                storage.root(),
                layout::silver(SourceTable::Drugs, self.as_of)
            ),
            expected: self.missing_drugs(),
        })
    }

    fn missing_drugs(&self) -> String {
        let held: Vec<String> = self
            .partitions
            .iter()
            .filter(|(table, dt)| *table == SourceTable::Drugs && self.held.has(*dt))
            .map(|(_, dt)| dt.to_string())
            .collect();
        if held.is_empty() {
            return "a drugs partition of that dt or an earlier one; run bronze and silver of the drugs first".to_owned();
        }
        let mut named = held[..held.len().min(MOST_NAMED)].join(", ");
        if held.len() > MOST_NAMED {
            named.push_str(&format!(" and {} more", held.len() - MOST_NAMED));
        }
        format!(
            "a drugs partition of that dt or an earlier one that is not held back, as those of {named} are: release one (`{}` \
             says why it is held), or run bronze and silver of the drugs of another dt",
            layout::HELD
        )
    }

    fn taken(&self, wanted: impl Fn(SourceTable) -> bool) -> impl Iterator<Item = Dt> {
        let taken = self
            .partitions
            .iter()
            .filter(move |(table, dt)| wanted(*table) && *dt <= self.as_of && !self.held.has(*dt));
        taken.map(|(_, dt)| *dt)
    }

    fn dates(&self) -> BTreeSet<Dt> {
        self.partitions.iter().map(|(_, dt)| *dt).collect()
    }
}

/// The manifest of a silver partition, which must exist; adds its version.
pub(crate) fn silver_manifest(
    storage: &dyn Storage,
    (table, dt): (SourceTable, Dt),
    versions: &mut Vec<Version>,
) -> Result<SilverManifest> {
    let (manifest, version) = manifest::read(storage, layout::silver_manifest(table, dt))?;
    let manifest = manifest.ok_or_else(|| Error::SourceNotFound {
        uri: format!("{}/{}", storage.root(), version.0),
        expected: "the manifest of a silver partition; run the silver step of that dt again".to_owned(),
    })?;
    versions.push(version);
    Ok(manifest)
}
