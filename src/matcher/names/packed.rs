//! Many strings in one text: a column that costs four bytes for each string besides its letters.

use crate::error::{Error, Result};

/// Texts one after the other, with the end of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::matcher) struct PackedTexts {
    text: String,
    ends: Vec<u32>,
}

impl PackedTexts {
    /// Adds a text; an error if all texts together exceed 32-bit offsets.
    pub(in crate::matcher) fn push(&mut self, text: &str) -> Result<()> {
        self.text.push_str(text);
        let end = u32::try_from(self.text.len()).map_err(|_| too_large())?;
        self.ends.push(end);
        Ok(())
    }

    /// The column with these parts; `None` if the ends do not fit the text.
    pub(in crate::matcher) fn of_parts(text: String, ends: Vec<u32>) -> Option<Self> {
        let ascending = ends.is_sorted() && ends.last().map_or(0, |end| *end as usize) == text.len();
        let whole = text.is_ascii() || ends.iter().all(|end| text.is_char_boundary(*end as usize));
        (ascending && whole).then_some(Self { text, ends })
    }

    pub(in crate::matcher) fn text(&self) -> &str {
        &self.text
    }

    pub(in crate::matcher) fn ends(&self) -> &[u32] {
        &self.ends
    }

    pub(in crate::matcher) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(in crate::matcher) fn get(&self, place: usize) -> &str {
        let start = if place == 0 {
            0
        } else {
            self.ends[place - 1] as usize
        };
        &self.text[start..self.ends[place] as usize]
    }
}

/// The error for a vocabulary that exceeds 32-bit offsets.
pub(in crate::matcher) fn too_large() -> Error {
    Error::argument(
        "vocabulary",
        "more than 4 GiB of names",
        "a vocabulary that fits the memory; split it and match with each part",
    )
}

/// Packs two numbers of 32 bits into one.
#[inline]
pub(in crate::matcher) fn packed(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
