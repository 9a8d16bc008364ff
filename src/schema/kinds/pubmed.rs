//! PubMed articles.

use super::{KindDescription, SourceShape};

pub(super) const KIND: KindDescription = KindDescription {
    name: "pubmed",
    sources: "pubmed",
    flag: "pubmed",
    turn: 1,
    plural: "PubMed articles",
    column: "articles",
    expected: "a PubMed XML, MEDLINE, RIS, Ovid, CSV, JSON, NDJSON or Parquet file of PubMed articles",
    shape: SourceShape::Articles,
    ids: "pubmed_id",
    is_always_in_graph: true,
};
