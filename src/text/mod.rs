//! Text: repair, normal form, dates and folding. Pure functions on strings, nothing of tables or files.
//!
//! - [`clean`] makes the silver text of a title, a name or a journal (escapes, markup, NFC, white space).
//! - [`date`] reads the accepted forms of a date.
//! - [`journal_key`] folds a journal's name so that spellings meet.
//! - [`fold`] is the folding of the matcher, which keeps offsets.

mod clean;
pub mod date;
mod escapes;
pub mod fold;
mod journal;
mod markup;

pub use clean::{Cleaned, clean};
pub use journal::journal_key;
pub use markup::begins_line;
