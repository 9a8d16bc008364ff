//! From clean tables to mentions and the answers' raw material. Pure: frames in, frames out.
//!
//! - [`newest`] finds the rows that are the newest state of their publication.
//! - [`chunk_index`] is what each part of a lake adds to the answers, [`index_bytes`] its form on disk.
//! - [`same_journals`] joins the keys of one journal, [`journals`] chooses its display name.
//! - [`mentions`] finds the drugs in the fields of a frame, of which [`field_texts`] are the texts; [`places`] counts their
//!   places.
//! - [`struct_columns`] reads lists of structs.
//! - [`publications`] puts silver rows under the display names of their journals.

pub mod chunk_index;
pub mod field_texts;
pub mod index_bytes;
pub mod journals;
pub mod mentions;
pub mod newest;
pub mod places;
pub mod publications;
pub mod same_journals;
pub mod struct_columns;
