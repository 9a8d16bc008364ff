//! From clean tables to mentions and the answers' raw material. Pure: frames in, frames out.
//!
//! - [`newest`] tells which rows are the newest state of their publication.
//! - [`journals`] chooses the display name of each journal.
//! - [`mentions`] finds the drugs in the titles (and abstracts) of a frame.

pub mod journals;
pub mod mentions;
pub mod newest;
