//! What a source says a journal is, beside its name.

/// A journal as one row knows it: the key of its name and the ids that the row gives it, of which there is at least one.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalIds {
    pub key: String,
    /// The id in the catalogue of the National Library of Medicine, `0370077`.
    pub nlm_id: Option<String>,
    /// The linking ISSN, or else the first one, `0006-2952`.
    pub issn: Option<String>,
}
