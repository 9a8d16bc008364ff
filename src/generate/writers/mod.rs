//! Records as each format writes them.

pub(super) mod medline;
pub(super) mod plain;
pub(super) mod pubmed_xml;
pub(super) mod registry;
