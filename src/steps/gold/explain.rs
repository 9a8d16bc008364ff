//! What an attempt would do, without doing it.

use super::attempt::Attempt;
use super::plan::{GoldChunk, GoldPlan, PartitionChange, PlannedPartition, Remake};
use crate::error::Result;

impl Attempt<'_> {
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
            graph: self.has_graph(),
            partitions: Vec::new(),
            kept: 0,
        };
        for partition in &self.partitions {
            let rows = partition.chunks.iter().map(|chunk| chunk.rows).sum();
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
