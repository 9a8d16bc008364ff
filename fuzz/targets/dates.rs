//! Any bytes as dates, one a line.
#![no_main]

#[path = "../checks/text.rs"]
#[expect(dead_code, reason = "the target `text` checks the rest")]
mod checks;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checks::check_dates(&String::from_utf8_lossy(bytes)));
