//! Any bytes as a vocabulary, settings and a text (see `Case::read`).
#![no_main]

#[path = "../checks/matcher.rs"]
mod checks;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(case) = checks::Case::read(&String::from_utf8_lossy(bytes)) else {
        return Corpus::Reject;
    };
    case.check();
    Corpus::Keep
});
