//! The exports of PubMed and of reference managers: XML, MEDLINE, Ovid and RIS.

pub(crate) mod dialect;
pub(crate) mod tagged_reader;
mod tags;
mod xml;
mod xml_details;
pub(crate) mod xml_reader;
mod xml_record;
