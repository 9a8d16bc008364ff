//! Manners in a Python process: threads, signals, forks, panics, progress, memory, and the end of the interpreter.

pub(super) mod allocator;
pub(super) mod call;
pub(super) mod interpreter;
pub(super) mod progress;
