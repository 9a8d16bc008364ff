//! Any bytes as PubMed's XML.
#![no_main]

#[path = "../checks/formats.rs"]
#[expect(dead_code, reason = "each target checks one form, and some choices of it")]
mod checks;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| checks::check_some(checks::Form::PubmedXml, bytes));
