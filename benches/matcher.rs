//! Compares the matcher with the automata of the `aho-corasick` crate, on the same titles and names, in one process.
//!
//! `cargo bench --no-default-features --bench matcher -- TITLES NAMES` prints one JSON object; `benches/matcher.py`
//! writes the two files (one title or name on each line) and the table. Every figure is the best of several rounds in
//! which the sides take turns, so that a busy moment of the machine affects all of them alike.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measuring program, not the product"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::Instant;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use drugs_rs::matcher::{Matcher, MatcherSettings, StopWords, VocabularyEntry};
use rayon::prelude::*;

const ROUNDS: usize = 7;
/// Passes over the titles in a round of a fast side: a single pass takes ten milliseconds, less than two threads need
/// to share it fairly.
const PASSES: usize = 20;
/// The sizes of vocabularies between which the slowdown is reported.
const FEW: usize = 5_000;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"));
    let (Some(titles), Some(names)) = (arguments.next(), arguments.next()) else {
        println!("no files: run `make bench`");
        return;
    };
    let titles = std::fs::read_to_string(titles).unwrap();
    let titles: Vec<&str> = titles.lines().collect();
    let names = std::fs::read_to_string(names).unwrap();
    let names: Vec<&str> = names.lines().collect();
    let bytes: usize = titles.iter().map(|title| title.len()).sum();

    // For profiling: only this side, without the automata, which take most of the time to build.
    let alone = std::env::args().any(|argument| argument == "--alone");

    let (before, started) = (resident(), Instant::now());
    let all = matcher(&names);
    let built = started.elapsed().as_secs_f64();
    let index_bytes = resident().saturating_sub(before);
    let few = matcher(&names[..FEW.min(names.len())]);
    let same = matcher(&with_the_same_mentions(&all, &names, &titles));
    let automata: Vec<(&str, AhoCorasick)> = [
        ("aho-corasick DFA", AhoCorasickKind::DFA),
        ("aho-corasick contiguous NFA", AhoCorasickKind::ContiguousNFA),
        (
            "aho-corasick noncontiguous NFA",
            AhoCorasickKind::NoncontiguousNFA,
        ),
    ]
    .into_iter()
    .filter(|_| !alone)
    .filter_map(|(name, kind)| Some((name, automaton(&names, kind)?)))
    .collect();

    let mut best: BTreeMap<&str, f64> = BTreeMap::new();
    let mut hits: BTreeMap<&str, usize> = BTreeMap::new();
    let two = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    for _ in 0..ROUNDS {
        let mut run = |name: &'static str, passes: usize, work: &dyn Fn() -> usize| {
            let started = Instant::now();
            hits.insert(name, black_box(work()) / passes);
            let seconds = started.elapsed().as_secs_f64() / passes as f64;
            best.entry(name)
                .and_modify(|least| *least = least.min(seconds))
                .or_insert(seconds);
        };
        run("all names", PASSES, &|| again(&all, &titles));
        run("two threads", PASSES, &|| {
            two.install(|| {
                let slices: Vec<&[&str]> = (0..PASSES).flat_map(|_| titles.chunks(1024)).collect();
                slices.par_iter().map(|slice| ours(&all, slice)).sum()
            })
        });
        run("few names", PASSES, &|| again(&few, &titles));
        run("few names, same mentions", PASSES, &|| again(&same, &titles));
        for (name, automaton) in &automata {
            run(name, 1, &|| theirs(automaton, &titles));
        }
    }
    let record = serde_json::json!({
        "titles": titles.len(), "bytes": bytes, "names": names.len(), "few": few.len(), "same": same.len(),
        "seconds": best, "hits": hits, "built_seconds": built, "index_bytes": index_bytes,
    });
    println!("{record}");
}

fn matcher(names: &[&str]) -> Matcher {
    // The peers search for every name, so this side does too.
    let settings = MatcherSettings {
        stop_words: StopWords::none(),
        ..MatcherSettings::default()
    };
    let entries: Vec<VocabularyEntry> = names
        .iter()
        .enumerate()
        .map(|(number, name)| VocabularyEntry::new(format!("C{number:06}"), *name, []))
        .collect();
    Matcher::new(&entries, &settings).unwrap()
}

/// A few names with the same mentions: those that the titles mention, and others up to about [`FEW`].
fn with_the_same_mentions<'n>(all: &Matcher, names: &[&'n str], titles: &[&str]) -> Vec<&'n str> {
    let mut chosen: BTreeSet<u32> = titles
        .iter()
        .flat_map(|title| all.find(title))
        .map(|mention| mention.entry)
        .collect();
    let room = FEW.saturating_sub(chosen.len()).max(1);
    chosen.extend((0..names.len() as u32).step_by(names.len().div_ceil(room)));
    chosen.into_iter().map(|number| names[number as usize]).collect()
}

fn again(matcher: &Matcher, titles: &[&str]) -> usize {
    (0..PASSES).map(|_| ours(matcher, titles)).sum()
}

fn ours(matcher: &Matcher, titles: &[&str]) -> usize {
    let mut finder = matcher.finder();
    let mut count = 0;
    for title in titles {
        finder.each(title, |mention| count += usize::from(black_box(mention.end) > 0));
    }
    count
}

fn automaton(names: &[&str], kind: AhoCorasickKind) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(kind))
        .build(names)
        .ok()
}

fn theirs(automaton: &AhoCorasick, titles: &[&str]) -> usize {
    let mut count = 0;
    for title in titles {
        let bytes = title.as_bytes();
        for found in automaton.find_iter(bytes) {
            let free = |place: Option<&u8>| place.is_none_or(|byte| !byte.is_ascii_alphanumeric());
            let before = found.start().checked_sub(1).and_then(|place| bytes.get(place));
            if free(before) && free(bytes.get(found.end())) {
                count += usize::from(black_box(found.end()) > 0);
            }
        }
    }
    count
}

/// The resident memory of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or("0");
    line.trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) * 1024
}
