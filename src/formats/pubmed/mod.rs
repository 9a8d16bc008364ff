//! What PubMed and programs for references export: XML, MEDLINE, Ovid and RIS.

pub(crate) mod dialect;
pub(crate) mod tagged_reader;
mod tags;
mod xml;
pub(crate) mod xml_reader;
mod xml_record;
