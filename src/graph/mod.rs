//! The graph: drugs, publications and journals, and who mentions whom.
//!
//! A drug is its ATC code; codes of one substance count as one drug where the caller wants that ([`DrugGrouping`]).
//! [`DrugGraph`] holds what `drug_graph.json` says, in less memory; [`json`] reads and writes
//! that file, [`answers`] answers questions, and [`export`] gives the other shapes. A [`LargeGraph`] is written
//! without ever being held. Pure, but for the writers and scratch files it is given.

mod answers;
mod export;
pub mod frames;
mod grouping;
mod journal_totals;
mod json;
mod large;
mod model;
mod shelf;
mod writer;

pub use answers::{
    ANSWERS, Answer, AnswerOption, AnswerSettings, AnswerTotals, ExclusiveDrugs, OptionValue, Question, ask,
    find_answer, write_answers,
};
pub use export::{GraphShape, nodes_and_links, write_shape};
pub use grouping::DrugGrouping;
pub use journal_totals::{CountedGraph, JournalCounter, JournalTotals};
pub use json::{read_json, write_json};
pub use large::{LargeGraph, drug_of};
pub use model::{DrugGraph, DrugNode, GraphBuilder, Link, PublicationNode};
pub use shelf::Shelf;
