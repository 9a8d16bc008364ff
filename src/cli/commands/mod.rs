//! The commands that do more than call one function of the core: their arguments, or how their result is written.

pub(super) mod answer;
pub(super) mod diff;
pub(super) mod evidence;
#[cfg(feature = "cloud")]
pub(super) mod fetch;
pub(super) mod gaps;
pub(super) mod generate;
pub(super) mod lake;
pub(super) mod lake_explain;
pub(super) mod lake_history;
pub(super) mod lake_quality;
pub(super) mod manual;
pub(super) mod mentions;
pub(super) mod plan;
pub(super) mod rejected;
