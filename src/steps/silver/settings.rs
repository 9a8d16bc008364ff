//! The settings of silver.

use std::sync::Arc;

use super::{ExpectedRows, OnBadFile};
use crate::choice::Choice as _;
use crate::formats::{Encoding, MostRatio, ReadOptions};
use crate::lake::report::ReportSettings;
use crate::quality::contracts::Contract;
use crate::sorting::Bound;
use crate::text::date::NumericOrder;

/// How sources are read.
#[derive(Debug, Clone)]
pub struct SilverSettings {
    pub encoding: Encoding,
    pub order: NumericOrder,
    pub on_bad_file: OnBadFile,
    pub most_ratio: MostRatio,
    /// Bytes of growing data to hold in memory before it goes to a scratch file. It changes no byte of the tables.
    pub memory: Bound,
    /// Holds the date in the same commit that changes one of its tables, until it is released: gold never reads tables
    /// that nobody has judged. It changes no byte of the tables.
    pub hold: bool,
    /// Fails before the commit if the number of rows is far from that of other deliveries. It changes no byte of the
    /// tables.
    pub expect_rows: Option<ExpectedRows>,
    /// Checks the tables before the commit. It changes no byte of the tables.
    pub contract: Option<Arc<Contract>>,
}

impl Default for SilverSettings {
    fn default() -> Self {
        Self {
            encoding: Encoding::default(),
            order: NumericOrder::default(),
            on_bad_file: OnBadFile::default(),
            most_ratio: MostRatio::default(),
            // Several sorters hold this much each, and the frames of the row store a multiple of it. Runs of this size
            // are few enough to merge.
            memory: Bound(1 << 20),
            hold: false,
            expect_rows: None,
            contract: None,
        }
    }
}

impl SilverSettings {
    pub(super) fn in_report(&self) -> ReportSettings {
        [
            ("encoding", self.encoding.choice_name().into()),
            ("month_first", (self.order == NumericOrder::MonthFirst).into()),
            ("on_bad_file", self.on_bad_file.choice_name().into()),
            ("max_ratio", self.most_ratio.0.into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// How the bytes of a file are read.
    pub(crate) fn reading(&self) -> ReadOptions {
        ReadOptions {
            encoding: self.encoding,
            most_ratio: self.most_ratio,
        }
    }
}
