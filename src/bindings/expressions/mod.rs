//! Expressions of polars: the C functions that polars calls, and the matchers that they name.

pub(super) mod matcher_registry;
mod plugin;
