//! One publication that is dropped: its rows in silver, and what else holds it.

use std::collections::BTreeSet;

use polars::prelude::{BooleanChunked, NewChunkedArray};

use super::{DropAction, Dropping, nothing};
use crate::error::{Result, shown};
use crate::lake::documents::{BronzeManifest, SilverManifest};
use crate::lake::dt::Dt;
use crate::lake::partitions::delivered_dates;
use crate::lake::{layout, manifest};
use crate::schema::{PUBLICATIONS, PublicationKind, SourceTable};
use crate::storage::{Storage, Transaction, sha256_hex};
use crate::tables::table_writer::{TableWriter, read_frames};
use crate::task::Task;

/// A silver partition with rows of a publication.
pub(super) struct RewrittenPartition {
    kind: PublicationKind,
    dt: Dt,
    manifest: SilverManifest,
}

impl Dropping<'_> {
    /// The partitions with rows of a publication, and what else holds it.
    pub(super) fn find_publication(&mut self, id: &str) -> Result<Vec<RewrittenPartition>> {
        let mut found = Vec::new();
        for kind in PublicationKind::ALL {
            for dt in delivered_dates(self.storage, kind.source_table())? {
                self.task.check()?;
                let path = layout::silver_manifest(kind.source_table(), dt);
                let (manifest, version) = manifest::read::<SilverManifest>(self.storage, path)?;
                let Some(manifest) = manifest else { continue };
                let part = layout::silver_part(kind.source_table(), dt);
                let (rows, sources) = self.rows_of(&part, id)?;
                let deleted = layout::deleted(kind, dt);
                if manifest.outputs.iter().any(|output| output.path == deleted) {
                    let notices = self.ids_in(&deleted, id)?;
                    if notices > 0 {
                        self.tell(
                            DropAction::Left,
                            deleted,
                            notices,
                            "notices of deletion, which hold the id alone",
                        );
                    }
                }
                if rows > 0 {
                    // What is written again gets a digest of its own.
                    for output in manifest.outputs.iter().filter(|output| output.path == part) {
                        output.check(self.storage, self.task)?;
                    }
                    self.tell(
                        DropAction::Rewritten,
                        part.clone(),
                        rows,
                        "without the publication",
                    );
                    for source in sources {
                        self.tell(
                            DropAction::Left,
                            source,
                            0,
                            "the source that the row was cleaned from: remove it, and its copy in bronze, where the publication \
                             must not stay",
                        );
                    }
                    for source in self.storage.list(layout::BRONZE)? {
                        let folder = layout::bronze(&source, dt);
                        let manifest = format!("{folder}/{}", layout::MANIFEST);
                        let bronze = manifest::read::<BronzeManifest>(self.storage, manifest)?.0;
                        if bronze.is_some_and(|bronze| bronze.table == kind.source_table()) {
                            self.tell(DropAction::Left, folder, 0, "the copies of the date's sources");
                        }
                    }
                    self.units.push(part);
                    self.units.push(version.0.clone());
                    self.versions.push(version);
                    found.push(RewrittenPartition { kind, dt, manifest });
                    continue;
                }
                self.versions.push(version);
            }
        }
        self.find_rejected(id)?;
        if found.is_empty() {
            return Err(nothing(
                self.storage,
                &format!("rows of the publication `{}`", shown(id)),
            ));
        }
        Ok(found)
    }

    /// How many rows of a file are of a publication, and where they come from.
    fn rows_of(&self, path: &str, id: &str) -> Result<(u64, BTreeSet<String>)> {
        let wanted = ["publication_id", "source_uri"];
        let (mut rows, mut sources) = (0, BTreeSet::new());
        read_frames(self.storage, path, Some(&wanted), |frame| {
            self.task.check()?;
            let uris = frame.column("source_uri")?.str()?;
            for (found, uri) in frame.column("publication_id")?.str()?.iter().zip(uris.iter()) {
                if found == Some(id) {
                    rows += 1;
                    sources.extend(uri.map(str::to_owned));
                }
            }
            Ok(())
        })?;
        Ok((rows, sources))
    }

    /// How many rows of a file of ids are of a publication.
    fn ids_in(&self, path: &str, id: &str) -> Result<u64> {
        let mut rows = 0;
        read_frames(self.storage, path, Some(&["publication_id"]), |frame| {
            let ids = frame.column("publication_id")?.str()?;
            rows += ids.iter().filter(|found| *found == Some(id)).count() as u64;
            Ok(())
        })?;
        Ok(rows)
    }

    /// The rejected rows whose text names the publication.
    fn find_rejected(&mut self, id: &str) -> Result<()> {
        for table in SourceTable::ALL {
            if table.publication_kind().is_none() {
                continue;
            }
            for dt in delivered_dates(self.storage, table)? {
                let path = layout::rejected(table, dt);
                if self.storage.size(&path)?.is_none() {
                    continue;
                }
                let mut rows = 0;
                read_frames(self.storage, &path, Some(&["raw"]), |frame| {
                    self.task.check()?;
                    let raw = frame.column("raw")?.str()?;
                    rows += raw.iter().flatten().filter(|raw| names(raw, id)).count() as u64;
                    Ok(())
                })?;
                if rows > 0 {
                    self.tell(
                        DropAction::Left,
                        path,
                        rows,
                        "rejected rows whose text has the id",
                    );
                }
            }
        }
        Ok(())
    }
}

/// Whether a text has an id as a word of its own.
fn names(text: &str, id: &str) -> bool {
    text.match_indices(id).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let behind = text[start + id.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !behind.is_some_and(char::is_alphanumeric)
    })
}

impl RewrittenPartition {
    /// Writes the partition without the publication.
    pub(super) fn write(
        mut self,
        storage: &dyn Storage,
        id: &str,
        transaction: &mut dyn Transaction,
        task: &Task,
    ) -> Result<()> {
        let table = self.kind.source_table();
        let path = layout::silver_part(table, self.dt);
        let mut writer = TableWriter::create(transaction, path.clone(), &PUBLICATIONS)?;
        read_frames(storage, &path, None, |frame| {
            task.check()?;
            let ids = frame.column("publication_id")?.str()?;
            let stays: Vec<bool> = ids.iter().map(|found| found != Some(id)).collect();
            let frame = frame.filter(&BooleanChunked::from_slice("stays".into(), &stays))?;
            writer.write(&frame)
        })?;
        let written = writer.finish()?;
        for output in &mut self.manifest.outputs {
            if output.path == path {
                output.clone_from(&written);
            }
        }
        let before = self.manifest.inputs_fingerprint().to_owned();
        let dropped = format!(
            "{} without {}",
            self.manifest.fingerprint,
            sha256_hex(id.as_bytes())
        );
        self.manifest.fingerprint = sha256_hex(dropped.as_bytes());
        self.manifest.cleaned_as = Some(before);
        manifest::write(
            transaction,
            &layout::silver_manifest(table, self.dt),
            &self.manifest,
        )
        .map(|_| ())
    }
}
