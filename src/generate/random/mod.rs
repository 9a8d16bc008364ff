//! What is drawn at random from the seed, or by number: dates, drugs, journals, words.

pub(super) mod date;
pub(super) mod dice;
pub(super) mod drugs;
pub(super) mod journals;
pub(super) mod words;
