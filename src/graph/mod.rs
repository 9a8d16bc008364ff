//! The graph: drugs, publications and journals, and who mentions whom.
//!
//! A drug is its ATC code. [`DrugGraph`] holds what `drug_graph.json` says, in less memory; [`json`] reads and writes
//! that file, [`answers`] answers the two questions, and [`export`] gives the other shapes. A [`LargeGraph`] is written
//! without ever being held. Pure, but for the writers and scratch files it is given.

mod answers;
mod export;
pub mod frames;
mod json;
mod large;
mod model;
mod writer;

pub use answers::{Shelf, exclusive_drugs, journal_ranking, top_journals};
pub use export::{Shape, nodes_and_links, write_shape};
pub use json::{read_json, write_answers, write_json};
pub use large::{LargeGraph, Written};
pub use model::{DrugGraph, DrugNode, GraphBuilder, Link, PublicationNode};
