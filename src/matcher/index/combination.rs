//! Finds combinations of several substances, however a text joins their names.
//!
//! Vocabularies write `valsartan and sacubitril`, texts `sacubitril/valsartan`. A name of several parts gets further
//! spellings: its parts in another order, with other joints between them. They are patterns of the index like names,
//! and only a text that contains one of them costs more time.
//!
//! A spelling hides no mention: every mention by a name of the vocabulary is still found. A spelling that crosses such
//! a mention, or lies inside one, does not count.

use std::ops::ControlFlow;

use super::{Hit, WordIndex};
use crate::matcher::names::PatternNames;
use crate::task::Task;

/// Words after a phrase that make it a binding target or a part of a molecule.
const TARGETS: [&str; 5] = ["receptor", "receptors", "residue", "residues", "binding"];
/// Finds every hit of a name, as [`WordIndex::find`] does, and every hit of a spelling, in the order of their places;
/// of hits at the same place, the longer one comes first.
pub(in crate::matcher) fn find(
    index: &WordIndex,
    names: &PatternNames,
    text: &str,
    task: Option<&Task>,
    mut give: impl FnMut(Hit),
) {
    let is_name = |hit: &Hit| (hit.pattern as usize) < names.len();
    let mut first = None;
    index.find(names, (text, 0), task, &|_| true, |hit| {
        if is_name(&hit) {
            give(hit);
            return ControlFlow::Continue(());
        }
        first = Some(hit.start);
        ControlFlow::Break(())
    });
    // No spelling so far. From here on the text is searched twice: for names and for spellings.
    let Some(from) = first else { return };
    let (mut named, mut joined) = (Vec::new(), Vec::new());
    index.find(names, (text, from), task, &is_name, |hit| {
        named.push(hit);
        ControlFlow::Continue(())
    });
    let counts = |hit: &Hit| !is_name(hit) && surrounds(hit, &named) && is_whole(text, hit.start, hit.end);
    index.find(names, (text, from), task, &counts, |hit| {
        joined.push(hit);
        ControlFlow::Continue(())
    });
    named.extend(joined);
    named.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
    named.into_iter().for_each(give);
}

/// Whether the text at these bytes is no part of a longer list with the same sign between its words, which is another
/// product, and not the first half of a target in the body: `estrogen and progesterone receptors`.
pub(in crate::matcher) fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let (before, surface, behind) = (&text[..start], &text[start..end], &text[end..]);
    let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '(' | ')');
    let goes_on = ['/', '+'].into_iter().any(|sign| {
        let earlier = before.trim_end().strip_suffix(sign);
        let later = behind.trim_start().strip_prefix(sign);
        surface.contains(sign)
            && (earlier.is_some_and(|text| text.trim_end().ends_with(is_word))
                || later.is_some_and(|text| text.trim_start().starts_with(is_word)))
    });
    let next = behind.trim_start_matches([' ', '-', '\u{2010}', '\u{2011}', '\u{2013}']);
    let next = next.split(|letter: char| !letter.is_alphabetic()).next();
    let is_target = |word: &str| TARGETS.iter().any(|target| target.eq_ignore_ascii_case(word));
    !goes_on && !next.is_some_and(is_target)
}

/// Whether every hit of a name that shares a letter with this one lies inside it. Hits of names do not overlap.
fn surrounds(hit: &Hit, named: &[Hit]) -> bool {
    let first = named.partition_point(|name| name.end <= hit.start);
    let behind = named.partition_point(|name| name.start < hit.end);
    named[first..behind]
        .first()
        .is_none_or(|name| name.start >= hit.start)
        && named[first..behind].last().is_none_or(|name| name.end <= hit.end)
}
