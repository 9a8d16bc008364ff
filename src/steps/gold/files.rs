//! The files of a partition in gold: its current publications and their mentions, made or kept.

use std::collections::BTreeMap;

use polars::prelude::{BooleanChunked, NewChunkedArray};

use super::links::add_links;
use super::{Attempt, GoldPartition, PartitionFiles};
use crate::error::Result;
use crate::gold::journals::DisplayNames;
use crate::gold::mentions::{Substances, columns, find_mentions};
use crate::gold::places::MentionPlaces;
use crate::gold::publications::current_publications;
use crate::graph::LargeGraph;
use crate::lake::layout;
use crate::matcher::{Matcher, VocabularyEntry};
use crate::schema::{CURRENT_PUBLICATIONS, MENTIONS};
use crate::storage::{Transaction, sha256_hex};
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::{TableWriter, read_frames};

/// The file of a partition's current publications.
enum PublicationsFile {
    Kept(OutputFile),
    New(TableWriter),
}

impl Attempt<'_> {
    /// Makes or keeps the files of every partition; adds the mentions to the graph.
    pub(super) fn write_partitions(
        &self,
        entries: &[VocabularyEntry],
        journals: &DisplayNames,
        graph: &mut LargeGraph,
        transaction: &mut dyn Transaction,
    ) -> Result<BTreeMap<String, PartitionFiles>> {
        let mut matcher: Option<Matcher> = None;
        let drugs = graph.drugs().iter();
        let substances: Substances = drugs
            .map(|drug| (drug.atccode.clone(), drug.substance.clone()))
            .collect();
        let vocabulary = format!(
            "{} {}",
            self.settings.mentions_fingerprint(),
            self.drugs_fingerprint
        );
        let nothing = BTreeMap::new();
        let old = self.old.as_ref().map_or(&nothing, |old| &old.partitions);
        let mut all = BTreeMap::new();
        for partition in &self.partitions {
            let folder = layout::silver(partition.kind.source_table(), partition.dt);
            let mentions_fingerprint =
                sha256_hex(format!("{vocabulary} {}", partition.fingerprint).as_bytes());
            let kept = old.get(&folder);
            // A missing file, or one of another size, is made again.
            let publications = match kept {
                Some(kept)
                    if kept.publications_fingerprint == partition.fingerprint
                        && kept.publications.stands(self.storage)? =>
                {
                    Some(kept.publications.clone())
                }
                _ => None,
            };
            // So is a damaged file of mentions, for it is about to be read.
            let mentions = match kept {
                Some(kept)
                    if kept.mentions_fingerprint == mentions_fingerprint
                        && publications.is_some()
                        && kept.mentions.is_intact(self.storage, self.task)? =>
                {
                    Some((kept.mentions.clone(), kept.places))
                }
                _ => None,
            };
            let (publications, mentions, places) = match (publications, mentions) {
                (Some(publications), Some((mentions, places))) => {
                    self.add_kept(partition, graph)?;
                    (publications, mentions, places)
                }
                (publications, _) => {
                    let found = match matcher.take() {
                        Some(built) => built,
                        None => Matcher::build(entries, &self.settings.matcher, self.task)?,
                    };
                    let matcher = matcher.insert(found);
                    let names = (&substances, journals);
                    self.make_files(partition, publications, matcher, names, graph, transaction)?
                }
            };
            let files = PartitionFiles {
                publications_fingerprint: partition.fingerprint.clone(),
                mentions_fingerprint,
                publications,
                mentions,
                places,
            };
            all.insert(folder, files);
        }
        Ok(all)
    }

    /// Adds the mentions of a partition, whose file is kept, to the graph.
    fn add_kept(&self, partition: &GoldPartition, graph: &mut LargeGraph) -> Result<()> {
        let path = partition.mentions();
        let wanted = ["atccode", "publication_id", "journal", "date"].map(str::to_owned);
        read_frames(
            || self.storage.open_file(&path),
            &path,
            Some(&wanted),
            |frame| {
                self.task.check()?;
                add_links(&frame, partition.kind, graph)
            },
        )
    }

    /// Makes the mentions of a partition, and its current publications unless they are there.
    fn make_files(
        &self,
        partition: &GoldPartition,
        publications: Option<OutputFile>,
        matcher: &Matcher,
        names: (&Substances, &DisplayNames),
        graph: &mut LargeGraph,
        transaction: &mut dyn Transaction,
    ) -> Result<(OutputFile, OutputFile, MentionPlaces)> {
        let mut places = MentionPlaces::default();
        let mut create = |path: String, table| {
            transaction.replace(&path)?;
            TableWriter::create(transaction, path, table)
        };
        let mut mentions_file = create(partition.mentions(), &MENTIONS)?;
        let mut publications = match publications {
            Some(kept) => PublicationsFile::Kept(kept),
            None => PublicationsFile::New(create(partition.publications(), &CURRENT_PUBLICATIONS)?),
        };
        let mut wanted = columns(self.settings.abstracts);
        if matches!(publications, PublicationsFile::New(_)) {
            let of_table = CURRENT_PUBLICATIONS.columns.iter();
            wanted.extend(of_table.map(|column| column.name.to_owned()));
            wanted.sort_unstable();
            wanted.dedup();
        }
        let path = partition.path();
        let mut row = 0;
        read_frames(
            || self.storage.open_file(&path),
            &path,
            Some(&wanted),
            |frame| {
                self.task.check()?;
                let live = partition.live.mask(row, frame.height());
                row += frame.height() as u64;
                let frame = if live.iter().all(|live| *live) {
                    frame
                } else {
                    frame.filter(&BooleanChunked::from_slice("live".into(), &live))?
                };
                let mentions = find_mentions(&frame, matcher, names, self.task)?;
                places.add(&mentions)?;
                add_links(&mentions, partition.kind, graph)?;
                if let PublicationsFile::New(file) = &mut publications {
                    file.write(&current_publications(&frame, names.1)?)?;
                }
                mentions_file.write(&mentions)
            },
        )?;
        let publications = match publications {
            PublicationsFile::Kept(kept) => kept,
            PublicationsFile::New(file) => file.finish()?,
        };
        Ok((publications, mentions_file.finish()?, places))
    }
}
