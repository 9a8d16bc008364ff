//! Combinations of several substances, in whatever way a text joins them.
//!
//! Vocabularies write `valsartan and sacubitril`, texts `sacubitril/valsartan`. A name of several parts gives further
//! spellings: its parts in another order, with another joint between them. They are patterns of the index like names, and
//! only a text that holds one of them costs more than a text without.
//!
//! A spelling found this way hides nothing: what the text mentions by the names of the vocabulary alone it mentions all
//! the same. A spelling that crosses such a mention, or lies inside of one, does not count.

use std::ops::ControlFlow;

use super::index::{Hit, WordIndex};
use super::names::PatternNames;
use crate::task::Task;

/// A phrase that goes on with one of these speaks of what substances bind to, or are part of.
const TARGETS: [&str; 5] = ["receptor", "receptors", "residue", "residues", "binding"];
/// Gives every hit: those of names as [`WordIndex::find`] does, and those of spellings besides, in the order of their places,
/// of those that begin at one place the longer one first.
pub(super) fn find(
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
    // Up to here spellings have changed nothing. From here on the text is read twice, by names and by spellings.
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

/// Whether what stands at these bytes is neither part of a longer list with the same sign between its words, which is
/// another product, nor the first half of a target in the body: `estrogen and progesterone receptors`.
pub(super) fn is_whole(text: &str, start: usize, end: usize) -> bool {
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
