//! Stems of international nonproprietary names (INN): WHO gives the substances of a group names with a common part.
//!
//! `stems.tsv` lists the stems and their source, `ordinary_words.tsv` the words that look like one.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

const STEMS: &str = include_str!("stems.tsv");
const ORDINARY: &str = include_str!("ordinary_words.tsv");

/// Shorter words have too little beside a stem, and longer ones are no names.
const SHORTEST: usize = 6;
const LONGEST_WORD: usize = 40;

/// Letters of a name before a stem at its end: a long stem is surer.
const BEFORE_SHORT: usize = 3;
const BEFORE_LONG: usize = 2;
const LONG: usize = 5;

/// Letters of a name after a stem at its beginning.
const AFTER: usize = 4;

/// How names of derivatives, metabolites and opposites begin, before the name of the substance.
const DERIVING: &[&str] = &[
    "acetyl",
    "amino",
    "anti",
    "apo",
    "azido",
    "bis",
    "bromo",
    "chloro",
    "cis",
    "co",
    "cyclo",
    "deacetyl",
    "dehydro",
    "demethyl",
    "deoxy",
    "desacetyl",
    "desmethyl",
    "desoxy",
    "di",
    "dihydro",
    "dimethyl",
    "epi",
    "ethyl",
    "fluoro",
    "glyco",
    "hemi",
    "homo",
    "hydroxy",
    "imino",
    "immuno",
    "iodo",
    "iso",
    "keto",
    "lipo",
    "methyl",
    "meta",
    "mono",
    "nitro",
    "non",
    "nor",
    "oxo",
    "para",
    "phospho",
    "photo",
    "poly",
    "post",
    "pre",
    "propyl",
    "pseudo",
    "radio",
    "retro",
    "seco",
    "tetrahydro",
    "thio",
    "trans",
    "tri",
    "un",
    "oxy",
];

/// A stem and what it says about a substance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InnStem {
    /// With a dash where the rest of the name is: `-mab`, `cef-`.
    pub stem: &'static str,
    /// What a name with the stem at its beginning ends with; any ending if empty.
    endings: Vec<&'static str>,
    pub meaning: &'static str,
}

struct StemLists {
    stems: Vec<InnStem>,
    at_end: HashMap<&'static str, usize>,
    at_beginning: Vec<(&'static str, usize)>,
    ordinary_ends: HashSet<&'static str>,
    ordinary_beginnings: Vec<&'static str>,
    longest: usize,
}

static LISTS: LazyLock<StemLists> = LazyLock::new(read_lists);

fn read_lists() -> StemLists {
    let stems: Vec<InnStem> = rows(STEMS)
        .map(|row| InnStem {
            stem: row[0],
            endings: row[1]
                .split(' ')
                .map(|ending| ending.trim_start_matches('-'))
                .collect(),
            meaning: row[2],
        })
        .map(|stem| match stem.endings.as_slice() {
            [""] => InnStem {
                endings: Vec::new(),
                ..stem
            },
            _ => stem,
        })
        .collect();
    let mut lists = StemLists {
        at_end: HashMap::new(),
        at_beginning: Vec::new(),
        ordinary_ends: HashSet::new(),
        ordinary_beginnings: Vec::new(),
        longest: 0,
        stems,
    };
    for (number, stem) in lists.stems.iter().enumerate() {
        match stem.stem.strip_prefix('-') {
            Some(end) => {
                lists.longest = lists.longest.max(end.len());
                lists.at_end.insert(end, number);
            }
            None => lists.at_beginning.push((stem.stem.trim_end_matches('-'), number)),
        }
    }
    for row in rows(ORDINARY) {
        match row[0].strip_prefix('-') {
            Some(end) => {
                lists.longest = lists.longest.max(end.len());
                lists.ordinary_ends.insert(end);
            }
            None => lists.ordinary_beginnings.push(row[0].trim_end_matches('-')),
        }
    }
    lists
}

/// The rows of a shipped list: three cells, of which the last ones may be empty. Lines that begin with `#` are comments.
pub(super) fn rows(text: &'static str) -> impl Iterator<Item = [&'static str; 3]> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut cells = line.splitn(3, '\t');
        [0, 1, 2].map(|_| cells.next().unwrap_or_default())
    })
}

/// All stems that are looked for.
pub fn all_stems() -> &'static [InnStem] {
    &LISTS.stems
}

/// The stem of a folded word, the longest one that it has; `None` for an ordinary word.
pub fn inn_stem(word: &str) -> Option<&'static InnStem> {
    let lists = &*LISTS;
    if !(SHORTEST..=LONGEST_WORD).contains(&word.len()) {
        return None;
    }
    let mut found = None;
    for length in (2..=lists.longest.min(word.len())).rev() {
        let Some((before, end)) = word.split_at_checked(word.len() - length) else {
            continue;
        };
        if lists.ordinary_ends.contains(end) {
            return None;
        }
        if found.is_none() && before.len() >= if length < LONG { BEFORE_SHORT } else { BEFORE_LONG } {
            found = lists.at_end.get(end);
        }
    }
    let begins = |beginning: &&str| word.starts_with(beginning);
    if found.is_none() && !lists.ordinary_beginnings.iter().any(begins) {
        let of_word = |(beginning, number): &&(&str, usize)| {
            let endings = &lists.stems[*number].endings;
            word.strip_prefix(beginning).is_some_and(|rest| {
                rest.len() >= AFTER
                    && (endings.is_empty() || endings.iter().any(|ending| rest.ends_with(ending)))
            })
        };
        found = lists.at_beginning.iter().find(of_word).map(|(_, number)| number);
    }
    found.map(|number| &lists.stems[*number])
}

/// Whether a folded word is the name of a known substance behind a chemical prefix or a negation, such as
/// `hydroxypropranolol` and `antireserpine`.
pub fn is_derivative(word: &str, is_known: &dyn Fn(&str) -> bool) -> bool {
    DERIVING.iter().any(|prefix| {
        word.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() > BEFORE_SHORT && (is_known(rest) || is_derivative(rest, is_known))
        })
    })
}
