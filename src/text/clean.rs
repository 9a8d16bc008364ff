//! Cleans texts for silver: every title, abstract, name and journal.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{escapes, markup};
use crate::schema::{Flag, Flags};

/// A cleaned text and the repairs that it needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned<'a> {
    pub text: Cow<'a, str>,
    pub flags: Flags,
}

/// At most this many rounds of repairs, each of which may reveal more to repair; real texts need at most two.
const DEPTH: usize = 4;

/// Cleans a text: drops XML markup, decodes or removes literal `\xNN` runs, normalises to Unicode NFC, replaces white
/// space by single blanks, and trims it. Cleaning a cleaned text changes nothing.
pub fn clean(text: &str) -> Cleaned<'_> {
    let mut flags = Flags::default();
    if is_clean_ascii(text.as_bytes()) {
        return Cleaned {
            text: Cow::Borrowed(text),
            flags,
        };
    }
    let mut text = Cow::Borrowed(text);
    for depth in 0.. {
        match repair_once(&text, &mut flags) {
            Some(better) if depth < DEPTH => {
                text = Cow::Owned(better);
                continue;
            }
            // Endlessly nested repairs are an attack and no text: without these two characters, the rest can hold
            // neither an escape nor a tag.
            Some(_) => {
                flags.insert(Flag::RemovedEscapes);
                text = Cow::Owned(text.replace(['\\', '<'], ""));
            }
            None => {}
        }
        let Some(plain) = tidied(&text) else { break };
        text = Cow::Owned(plain);
        // A new blank can complete a tag: `<b` and a vertical tab before `a="1">`.
        if !text.contains(['\\', '<']) {
            break;
        }
    }
    // A text of only direction marks or soft hyphens cannot be read or searched.
    if text.chars().all(is_invisible) {
        text = Cow::Borrowed("");
    }
    Cleaned { text, flags }
}

/// Whether a letter is invisible: blanks, controls, and what Unicode lets programs ignore.
fn is_invisible(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        )
}

/// A text in NFC with single blanks between its words; `None` if it already is.
fn tidied(text: &str) -> Option<String> {
    let composed = composed(text);
    single_blanks(composed.as_deref().unwrap_or(text)).or(composed)
}

/// A text in NFC; `None` if it already is.
fn composed(text: &str) -> Option<String> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return None;
    }
    let composed: String = text.nfc().collect();
    (composed != text).then_some(composed)
}

/// One round of repairs; `None` if there was nothing to repair.
fn repair_once(text: &str, flags: &mut Flags) -> Option<String> {
    let without_markup = markup::remove(text);
    if without_markup.is_some() {
        flags.insert(Flag::MarkupRemoved);
    }
    match escapes::decode(without_markup.as_deref().unwrap_or(text)) {
        None => without_markup,
        Some(decoded) => {
            if decoded.decoded {
                flags.insert(Flag::DecodedEscapes);
            }
            if decoded.removed {
                flags.insert(Flag::RemovedEscapes);
            }
            Some(decoded.text)
        }
    }
}

/// Whether a text needs no repair: plain ASCII, single blanks, no backslash, no angle bracket. Most texts do not. The
/// loop works on pieces without branches, which the compiler vectorises.
fn is_clean_ascii(bytes: &[u8]) -> bool {
    const PIECE: usize = 128;
    if bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ') {
        return false;
    }
    let plain = |piece: &[u8]| {
        piece.iter().fold(true, |plain, &byte| {
            plain & (b' '..0x7f).contains(&byte) & (byte != b'\\') & (byte != b'<')
        })
    };
    let parted = |(before, behind): (&[u8], &[u8])| {
        let pairs = before.iter().zip(behind);
        pairs.fold(true, |parted, (&before, &behind)| {
            parted & ((before != b' ') | (behind != b' '))
        })
    };
    let next = bytes.get(1..).unwrap_or_default();
    bytes.chunks(PIECE).all(plain) && bytes.chunks(PIECE).zip(next.chunks(PIECE)).all(parted)
}

/// Replaces each run of white space by one blank, and removes it at both ends. `None` if nothing changes.
fn single_blanks(text: &str) -> Option<String> {
    let mut before = true;
    let mut needed = false;
    for letter in text.chars() {
        let blank = letter.is_whitespace();
        needed |= blank && (before || letter != ' ');
        before = blank;
    }
    if !needed && (!before || text.is_empty()) {
        return None;
    }
    let mut single = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !single.is_empty() {
            single.push(' ');
        }
        single.push_str(word);
    }
    Some(single)
}
