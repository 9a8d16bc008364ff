//! The formats whose lines begin with a tag, and how to recognise such lines.

/// The formats whose lines begin with a tag: `TI  - A title`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// As saved by PubMed.
    Medline,
    /// As saved by Ovid, for MEDLINE and other databases.
    Ovid,
    /// As exchanged between reference managers.
    Ris,
}

impl Dialect {
    /// The name of the format, for reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Medline => "medline",
            Self::Ovid => "ovid",
            Self::Ris => "ris",
        }
    }

    /// The name of the format in a sentence.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Medline => "a MEDLINE file",
            Self::Ovid => "a file of Ovid",
            Self::Ris => "a RIS file",
        }
    }
}

/// Whether a line begins with a tag: `TI  - `, `PMID- `.
pub(crate) fn is_tag(line: &[u8]) -> bool {
    let Some((tag, rest)) = line.split_at_checked(4) else {
        return false;
    };
    let name = tag.trim_ascii_end();
    name.len() >= 2
        && name
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && matches!(rest, [b'-', b' ' | b'\r' | b'\n', ..] | [b'-'])
}

/// Whether a line is Ovid's mark before each record: `<1. >`, `<1>`.
pub(crate) fn is_record_mark(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let inner = line.strip_prefix(b"<").and_then(|line| line.strip_suffix(b">"));
    inner.is_some_and(|inner| {
        let number = inner.trim_ascii_end();
        let number = number.strip_suffix(b".").unwrap_or(number);
        !number.is_empty() && number.iter().all(u8::is_ascii_digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_text() {
        for line in ["PMID- 1", "TI  - A title", "AB  -", "FAU - Name", "AB  -\r"] {
            assert!(is_tag(line.as_bytes()), "{line}");
        }
        for line in [
            "      going on",
            "ti  - small",
            "T   - one letter",
            "TITLE- x",
            "",
            "PMID",
            "TI - x",
        ] {
            assert!(!is_tag(line.as_bytes()), "{line}");
        }
    }
}
