//! JSON: arrays, objects one after the other, and pages that hold rows.

pub(crate) mod array;
pub(crate) mod head;
pub(crate) mod ndjson;
mod object;
mod value_end;
