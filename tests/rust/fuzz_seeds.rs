//! The seeds and findings of the fuzz targets of formats and dates: they must hold in every build.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/checks/formats.rs"]
#[expect(
    dead_code,
    reason = "the fuzz targets have less time and check some choices alone"
)]
mod formats;
use formats::Form;
use proptest::prelude::*;

use super::text::checks::check_dates;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let seeds: Vec<Vec<u8>> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!seeds.is_empty());
    seeds
}

const FORMS: [(&str, Form); 4] = [
    ("csv", Form::Csv),
    ("json", Form::Json),
    ("medline", Form::Medline),
    ("pubmed_xml", Form::PubmedXml),
];

#[test]
fn the_seeds_of_the_formats_hold() {
    for (target, form) in FORMS {
        seeds(target).iter().for_each(|seed| formats::check(form, seed));
    }
}

#[test]
fn the_seeds_of_dates_hold() {
    seeds("dates")
        .iter()
        .for_each(|seed| check_dates(&String::from_utf8_lossy(seed)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A seed that is cut, or has some bytes replaced.
    #[test]
    fn spoiled_seeds_hold(form in 0..FORMS.len(), seed in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let (target, form) = FORMS[form];
        let seeds = seeds(target);
        let mut bytes = seed.get(&seeds).clone();
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(1 + cut.index(bytes.len()));
        formats::check(form, &bytes);
    }
}
