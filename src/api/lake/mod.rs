//! What is asked of a lake: its tables, its graph and answers, its history, what its vocabulary lacks, and what drops do.

pub mod answers;
pub mod diff;
pub mod evidence;
pub mod explain;
pub mod gaps;
mod graph_tables;
pub mod lake_drop;
pub mod lake_tables;
pub mod metrics;
pub mod quality;
pub mod rejected_rows;
pub mod scan;
