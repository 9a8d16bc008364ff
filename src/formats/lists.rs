//! Lists in one text of a batch: of a record that says several things of one kind, such as its publication types.
//!
//! Items, their parts, and the values of a part are separated by control characters, which no text of a record keeps.

use memchr::{memchr, memchr3};

/// Between two items of a list.
pub const ITEM: char = '\u{1e}';
/// Between two parts of an item.
pub const PART: char = '\u{1f}';
/// Between two values of a part.
pub const VALUE: char = '\u{1d}';

/// Adds an item of these parts to a list.
pub(crate) fn push_item<'t>(list: &mut String, parts: impl IntoIterator<Item = &'t str>) {
    if !list.is_empty() {
        list.push(ITEM);
    }
    for (number, part) in parts.into_iter().enumerate() {
        if number > 0 {
            list.push(PART);
        }
        push_plain(list, part);
    }
}

/// Adds a value to the last part of a list; `first` if the part has none yet.
pub(crate) fn push_value(list: &mut String, value: &str, first: bool) {
    if !first {
        list.push(VALUE);
    }
    push_plain(list, value);
}

/// The pieces of a list between separators of one byte, which for short pieces is quicker than `str::split`.
pub fn split(list: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let list = rest?;
        let Some(end) = memchr(separator as u8, list.as_bytes()) else {
            return rest.take();
        };
        rest = Some(&list[end + 1..]);
        Some(&list[..end])
    })
}

/// Adds a text without the separators.
fn push_plain(list: &mut String, text: &str) {
    let separators = [ITEM, PART, VALUE];
    if memchr3(ITEM as u8, PART as u8, VALUE as u8, text.as_bytes()).is_none() {
        list.push_str(text);
    } else {
        list.extend(
            text.chars()
                .map(|letter| if separators.contains(&letter) { ' ' } else { letter }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_parts_and_values_keep_apart() {
        let mut list = String::new();
        push_item(&mut list, ["a\u{1e}b", ""]);
        push_item(&mut list, ["c"]);
        push_value(&mut list, "d\u{1d}", false);
        push_value(&mut list, "e", false);
        assert_eq!(list, "a b\u{1f}\u{1e}c\u{1d}d \u{1d}e");
        for text in [&*list, "", "é|ü||", "|", "no"] {
            for separator in [ITEM, PART, VALUE, '|'] {
                assert!(split(text, separator).eq(text.split(separator)));
            }
        }
    }
}
