//! The allocator of the Python module.
//!
//! Columns are allocated and freed in large pieces, which the C library's allocator returns to the system and requests
//! again each time. mimalloc keeps freed memory for a while, by default one second: longer than a step works on a whole
//! PubMed file, so that the peak of a moment would remain the step's memory to its end. A tenth of a second still
//! reuses the same pieces many times, and returning them ten times a second costs nothing measurable; returning them a
//! hundred times a second does.
//!
//! With `arrow.rs` and `plugin.rs` this is a file with `unsafe` code: one call of a C function that stores a number.
#![expect(unsafe_code, reason = "the options of mimalloc are set through a C function")]

use libmimalloc_sys::{mi_option_set_default, mi_option_t};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_purge_delay`, which the crate does not export. Its number is the same in mimalloc 2 and 3.
const PURGE_DELAY: mi_option_t = 15;

/// Milliseconds after which freed memory goes back to the system.
const KEPT_FOR: std::ffi::c_long = 100;

/// Makes mimalloc return freed memory to the system early, unless the environment sets a delay
/// (`MIMALLOC_PURGE_DELAY`).
pub(in crate::bindings) fn return_freed_memory_soon() {
    // SAFETY: the function takes any number, checks that there is such an option, and stores the value.
    unsafe { mi_option_set_default(PURGE_DELAY, KEPT_FOR) };
}
