//! From clean tables to mentions and the answers' raw material. Pure: frames in, frames out.
//!
//! - [`newest`] finds the rows that are the newest state of their publication.
//! - [`same_journals`] joins the keys of one journal, [`journals`] chooses its display name.
//! - [`mentions`] finds the drugs in the titles (and abstracts) of a frame, [`places`] counts their places.
//! - [`publications`] puts silver rows under the display names of their journals.

pub mod journals;
pub mod mentions;
pub mod newest;
pub mod places;
pub mod publications;
pub mod same_journals;
