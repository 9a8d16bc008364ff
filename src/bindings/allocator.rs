//! The allocator of the Python module.
//!
//! Columns come and go in large pieces, which the C library's allocator returns to the system each time and asks for again.
//! mimalloc keeps them for a while, by default for a second: longer than a step takes on a whole file of PubMed, so that what it
//! had held for a moment was its memory to the end. In a tenth of that the same pieces are used again many times, and to
//! give them back and ask for them again ten times a second costs nothing that can be measured; a hundred times does.
//!
//! With `arrow.rs` and `plugin.rs` this is a file with `unsafe` code: one call of a C function that stores a number.
#![expect(unsafe_code, reason = "the options of mimalloc are set through a C function")]

use libmimalloc_sys::{mi_option_set_default, mi_option_t};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_purge_delay`: the crate names only few options. Its number is the same in mimalloc 2 and 3.
const PURGE_DELAY: mi_option_t = 15;

/// Milliseconds after which freed memory goes back to the system.
const KEPT_FOR: std::ffi::c_long = 100;

/// Lets freed memory go back to the system soon, unless the environment (`MIMALLOC_PURGE_DELAY`) says when.
pub(super) fn return_freed_memory_soon() {
    // SAFETY: the function takes any number, checks that there is such an option, and stores the value.
    unsafe { mi_option_set_default(PURGE_DELAY, KEPT_FOR) };
}
