//! What a command prints: data, messages and progress.

pub(super) mod printing;
pub(super) mod progress;
pub(super) mod summary;
pub(super) mod table;
pub(super) mod voice;
