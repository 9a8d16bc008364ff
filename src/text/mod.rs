//! Text: repair, normal form, dates and folding. Pure functions on strings, without tables or files.
//!
//! - [`clean()`] makes the silver text of a title, a name or a journal (escapes, markup, NFC, white space).
//! - [`is_missing`] and [`given_id`] read cells that are not texts.
//! - [`date`] parses the accepted forms of a date.
//! - [`journal_key`] folds a journal's name, so that its spellings share one key.
//! - [`fold`] is the folding of the matcher, which keeps offsets; [`form()`] is a whole name folded by it.
//! - [`substance()`] is the canonical name that the codes of one drug share.

mod cell;
mod clean;
pub mod date;
mod escapes;
pub mod fold;
mod form;
mod journal;
mod markup;
mod salts;
mod substance;

pub use cell::{given_id, is_missing};
pub use clean::{Cleaned, clean};
pub use form::form;
pub use journal::journal_key;
pub use markup::begins_line;
pub use salts::{is_salt, without_salts};
pub use substance::{BETWEEN_NAMES, is_qualifier, substance};
