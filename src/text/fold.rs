//! Folds letters for comparing a name with a text. It folds one letter at a time, so that offsets can be kept.
//!
//! Letters and digits fold by case, width, compatibility (`ﬁ` is `fi`, `₂` is `2`) and accents (unless they are kept);
//! `ß` is `ss`, `æ` is `ae`, and a Greek letter is its name. White space, dashes and invisible joiners are all the same
//! *gap*; all apostrophes are `'`. Anything else is a *sign*, which equals only itself.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use crate::choice::{Choice, parse_choices};

/// Whether accents distinguish letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accents {
    /// `é` is `e`.
    #[default]
    Fold,
    /// `é` is not `e`.
    Keep,
}

impl Choice for Accents {
    const CHOICES: &'static [Self] = &[Self::Fold, Self::Keep];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Fold => "fold",
            Self::Keep => "keep",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Fold => "é equals e",
            Self::Keep => "é differs from e",
        }
    }
}

parse_choices!(Accents);

/// The class of a letter for the matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A letter or a digit: part of a word.
    Word,
    /// An accent or another mark that belongs to the letter before it.
    Mark,
    /// White space, a dash or an invisible joint.
    Gap,
    /// Anything else, as the sign that it is compared as.
    Sign(char),
}

/// The class of a letter.
pub fn class(letter: char) -> Class {
    if letter.is_ascii() {
        return match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Word,
            '-' | ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c' => Class::Gap,
            '`' => Class::Sign('\''),
            _ => Class::Sign(letter),
        };
    }
    match letter {
        // Hyphens, dashes and minus signs; a soft hyphen shows only at the end of a line.
        '\u{ad}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2212}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff0d}'
        | '\u{2043}' => Class::Gap,
        // Zero-width space, joiners and the word joiner separate words invisibly.
        '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => Class::Gap,
        _ if is_apostrophe(letter) => Class::Sign('\''),
        _ if letter.is_whitespace() => Class::Gap,
        // Marks first: some marks of Indic scripts count as alphabetic too, and they belong to their letter.
        _ if is_combining_mark(letter) => Class::Mark,
        // A few presentation forms of lone marks count as letters, but fold to nothing.
        _ if letter.is_alphanumeric() => {
            let mut anything = false;
            fold(letter, Accents::Fold, |_| anything = true);
            if anything { Class::Word } else { Class::Mark }
        }
        _ => Class::Sign(letter),
    }
}

/// Unicode counts some of these as letters.
fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '‘' | '’' | '‛' | '′' | '´' | 'ʼ' | 'ʹ' | 'ʻ' | '＇')
}

/// Passes on the folded letters of a letter of class [`Class::Word`] or [`Class::Mark`], in order. They are only
/// letters, digits and (if kept) marks, and fold to themselves.
pub fn fold(letter: char, accents: Accents, mut give: impl FnMut(char)) {
    if letter.is_ascii() {
        give(letter.to_ascii_lowercase());
        return;
    }
    decompose_compatible(letter, |part| {
        for lower in part.to_lowercase() {
            if let Some(name) = greek_name(lower) {
                name.chars().for_each(&mut give);
            } else {
                match lower {
                    'ß' => "ss".chars().for_each(&mut give),
                    'æ' => "ae".chars().for_each(&mut give),
                    'œ' => "oe".chars().for_each(&mut give),
                    // The slash of `½` and the blank of some presentation forms are no letters.
                    _ if kept(lower, accents) => give(lower),
                    _ => {}
                }
            }
        }
    });
}

/// Whether folding keeps a small letter: letters and digits always, marks if they are kept, but not the apostrophe of
/// `ŉ`. Marks are tested first, because some of them count as alphabetic.
fn kept(lower: char, accents: Accents) -> bool {
    if is_combining_mark(lower) {
        accents == Accents::Keep
    } else {
        lower.is_alphanumeric() && !is_apostrophe(lower)
    }
}

/// The name of a small Greek letter.
fn greek_name(letter: char) -> Option<&'static str> {
    Some(match letter {
        'α' => "alpha",
        'β' => "beta",
        'γ' => "gamma",
        'δ' => "delta",
        'ε' => "epsilon",
        'ζ' => "zeta",
        'η' => "eta",
        'θ' => "theta",
        'ι' => "iota",
        'κ' => "kappa",
        'λ' => "lambda",
        'μ' => "mu",
        'ν' => "nu",
        'ξ' => "xi",
        'ο' => "omicron",
        'π' => "pi",
        'ρ' => "rho",
        'σ' | 'ς' => "sigma",
        'τ' => "tau",
        'υ' => "upsilon",
        'φ' => "phi",
        'χ' => "chi",
        'ψ' => "psi",
        'ω' => "omega",
        _ => return None,
    })
}
