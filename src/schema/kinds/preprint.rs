//! Articles before their review; their journal is the server, such as medRxiv.

use super::{KindDescription, SourceShape};

pub(super) const KIND: KindDescription = KindDescription {
    name: "preprint",
    sources: "preprints",
    flag: "preprints",
    turn: 3,
    plural: "preprints",
    column: "preprints",
    expected: "a CSV, JSON, NDJSON, Parquet, PubMed XML, MEDLINE, RIS or Ovid file of preprints",
    shape: SourceShape::Articles,
    ids: "preprint_id",
    is_always_in_graph: false,
};
