//! The form by which names of vocabularies are compared. It is the matcher's, so names that are joined are also found
//! alike.

use super::fold::{Accents, Class, class, fold};

/// The folded letters and signs of a name, with one blank for each gap inside it.
pub fn form(name: &str) -> String {
    let mut form = String::with_capacity(name.len());
    let mut gap = false;
    // A mark without a letter before it separates words.
    let mut after_letter = false;
    for letter in name.chars() {
        let kind = class(letter);
        if kind == Class::Gap || (kind == Class::Mark && !after_letter) {
            gap = true;
            after_letter = false;
            continue;
        }
        if std::mem::take(&mut gap) && !form.is_empty() {
            form.push(' ');
        }
        after_letter = true;
        match kind {
            Class::Sign(sign) => form.push(sign),
            _ => fold(letter, Accents::Fold, |folded| form.push(folded)),
        }
    }
    form
}
