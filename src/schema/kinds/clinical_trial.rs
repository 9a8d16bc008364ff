//! Clinical trials.

use super::{KindDescription, SourceShape};

pub(super) const KIND: KindDescription = KindDescription {
    name: "clinical_trial",
    sources: "clinical_trials",
    flag: "clinical-trials",
    turn: 2,
    plural: "clinical trials",
    column: "trials",
    expected: "a CSV, JSON, NDJSON or Parquet file of clinical trials",
    shape: SourceShape::Trials,
    ids: "clinical_trial_id",
    is_always_in_graph: true,
};
