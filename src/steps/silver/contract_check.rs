//! What the contract says of a partition that is being written: before the commit, so that a broken rule of severity `error`
//! leaves the lake as it was.

use super::{SilverPartition, WrittenTable};
use crate::error::{Error, Result};
use crate::lake::partitions::kept_rows;
use crate::quality::Totals;
use crate::quality::contracts::{Contract, RuleResult, RuleSeverity, TableRules};
use crate::schema::{DRUGS, PUBLICATIONS, Table};

/// At most this many broken rules are in a message.
const MOST_SHOWN: usize = 10;

impl SilverPartition<'_> {
    fn contract(&self) -> Option<&Contract> {
        self.settings.contract.as_deref()
    }

    /// The digest of the contract that the partition is checked against; `None` without one.
    pub(super) fn contract_digest(&self) -> Option<String> {
        self.contract().map(|contract| contract.digest.clone())
    }

    /// The rules of the contract for a table.
    pub(super) fn rules(&self, table: &Table) -> Option<&TableRules> {
        self.contract()?.rules(table)
    }

    /// What the rules found, if there are any; fails if one of severity `error` is broken.
    pub(super) fn check_contract(&self, written: &WrittenTable) -> Result<Vec<RuleResult>> {
        let is_drugs = self.table.publication_kind().is_none();
        let Some(rules) = self.rules(if is_drugs { &DRUGS } else { &PUBLICATIONS }) else {
            return Ok(Vec::new());
        };
        let rows = kept_rows(&written.outputs, self.table, self.dt).unwrap_or_default();
        let totals: Totals = written.tallies.iter().collect();
        // Merging leaves one row for each key, so no row is looked at for duplicates.
        let results = rules.results(&written.counts, rows, (!is_drugs).then_some(&totals.flags));
        let broken: Vec<&RuleResult> = results
            .iter()
            .filter(|result| result.breaks(RuleSeverity::Error))
            .collect();
        if broken.is_empty() {
            return Ok(results);
        }
        let mut found: Vec<String> = broken
            .iter()
            .take(MOST_SHOWN)
            .map(|result| result.sentence())
            .collect();
        if broken.len() > MOST_SHOWN {
            found.push(format!("and {} more", broken.len() - MOST_SHOWN));
        }
        Err(Error::Contract {
            table: format!("{} dt={}", self.table.name(), self.dt),
            contract: self
                .contract()
                .map(|contract| contract.name.clone())
                .unwrap_or_default(),
            found: found.join("; "),
            remedy: "nothing was committed; correct the source, or the rule in the contract",
        })
    }
}
