//! What an attempt would do, without doing it.

use super::attempt::Attempt;
use super::plan::{GoldChunk, GoldPlan, PartitionChange, PlannedPartition, Remake};
use crate::error::Result;

impl Attempt<'_> {
    /// The settings that differ from those of the gold layer before: the name, the value before and the value now.
    pub(super) fn changed_settings(&self) -> Vec<[String; 3]> {
        let before = self.old.as_ref().map(|old| &old.settings);
        let now = self.settings.in_report().into_iter();
        // The matcher's settings are here one by one, too.
        let changed = now.filter_map(|(name, now)| {
            let then = before?.get(&name)?;
            (*then != now && name != "matcher").then(|| [name, value_text(then), value_text(&now)])
        });
        changed.collect()
    }

    /// The plan without carrying it out.
    pub(super) fn explain(mut self) -> Result<GoldPlan> {
        let unchanged = self.is_up_to_date()?;
        let has_graph = self.has_graph();
        for partition in &mut self.partitions {
            partition.check_chunks(self.storage, has_graph, self.task)?;
        }
        let mut plan = GoldPlan {
            unchanged,
            as_of: self.as_of.to_string(),
            everything: self.everything.clone().filter(|_| !unchanged),
            mentions: self.mentions.clone().filter(|_| !unchanged),
            settings: self.changed_settings(),
            graph: self.has_graph(),
            partitions: Vec::new(),
            kept: 0,
        };
        for partition in &self.partitions {
            let gone = partition.before.iter().flat_map(|before| &before.chunks);
            let rows = match partition.change {
                PartitionChange::Removed => gone.map(|chunk| chunk.rows).sum(),
                _ => partition.chunks.iter().map(|chunk| chunk.rows).sum(),
            };
            let is_missing = |chunk: &&GoldChunk| match chunk.remake {
                Remake::All => true,
                Remake::Mentions => self.mentions.is_none(),
                Remake::Rows | Remake::Nothing => false,
            };
            let remade = partition.chunks.iter().filter(is_missing);
            let reason = match partition.change {
                PartitionChange::New => "delivered, or released, since the last run".to_owned(),
                PartitionChange::Replaced => "delivered again, or cleaned with other settings".to_owned(),
                PartitionChange::Removed => "held, or not delivered any more".to_owned(),
                PartitionChange::Kept => match remade.count() {
                    0 => {
                        plan.kept += 1;
                        continue;
                    }
                    count => format!("{count} of its files in gold are missing or damaged"),
                },
            };
            plan.partitions.push(PlannedPartition {
                kind: partition.kind,
                dt: partition.dt.to_string(),
                change: partition.change,
                rows,
                reason,
            });
        }
        Ok(plan)
    }
}

/// A setting as text.
fn value_text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
