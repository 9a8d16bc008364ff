//! Probable drugs in texts and records that a vocabulary does not have: the rules, pure, for one text at a time.
//!
//! | rule | what it looks at |
//! |---|---|
//! | [`GapRule::InnStem`] | words with a stem of international nonproprietary names ([`stems`], [`names`]) |
//! | [`GapRule::CompanyCode`] | research codes such as `MK-3475` ([`codes`]) |
//! | [`GapRule::Context`] | words that a title says patients are treated with ([`context`]) |
//! | [`GapRule::Intervention`] | what trials give ([`interventions`]) |
//! | [`GapRule::Substance`] | what NLM's indexers name ([`substances`]) |
//!
//! None of them knows the vocabulary. Whoever calls them leaves out what the matcher finds.

pub mod codes;
pub mod context;
pub mod interventions;
pub mod names;
mod rule;
pub mod stems;
pub mod substances;
mod words;

pub use rule::{GapConfidence, GapRule};
pub use words::{FoldedWord, folded_words};

/// A place of a text that probably names a drug: bytes of the text, and the key under which its spellings are one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePlace {
    pub start: usize,
    pub end: usize,
    pub key: String,
}
