//! Any bytes as a text to clean, to fold and to read dates from.
#![no_main]

#[path = "../checks/text.rs"]
mod checks;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checks::check(&String::from_utf8_lossy(bytes)));
