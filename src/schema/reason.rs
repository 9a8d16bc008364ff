//! Reasons for rejecting a row: it cannot be a publication or a drug.

/// Why a row went to `silver/rejected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    BlankTitle,
    BlankDrug,
    ClassOfDrugs,
    NameTooLong,
    MalformedRow,
    UnclosedQuote,
    NulByte,
    RowTooLong,
    NotAnObject,
    InvalidJson,
    WrongType,
    BadFile,
}

impl Reason {
    /// Every reason, in order.
    pub const ALL: [Self; 12] = [
        Self::BlankTitle,
        Self::BlankDrug,
        Self::ClassOfDrugs,
        Self::NameTooLong,
        Self::MalformedRow,
        Self::UnclosedQuote,
        Self::NulByte,
        Self::RowTooLong,
        Self::NotAnObject,
        Self::InvalidJson,
        Self::WrongType,
        Self::BadFile,
    ];

    /// The name in tables and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::BlankTitle => "blank_title",
            Self::BlankDrug => "blank_drug",
            Self::ClassOfDrugs => "class_of_drugs",
            Self::NameTooLong => "name_too_long",
            Self::MalformedRow => "malformed_row",
            Self::UnclosedQuote => "unclosed_quote",
            Self::NulByte => "nul_byte",
            Self::RowTooLong => "row_too_long",
            Self::NotAnObject => "not_an_object",
            Self::InvalidJson => "invalid_json",
            Self::WrongType => "wrong_type",
            Self::BadFile => "bad_file",
        }
    }

    /// The reason of a name, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// A sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::BlankTitle => "A publication without a title cannot be searched.",
            Self::BlankDrug => "A drug without a name cannot be found.",
            Self::ClassOfDrugs => "The row of an ATC classification names a class of drugs, not a drug.",
            Self::NameTooLong => "The name of the drug has more words than the 512 that a name may have.",
            Self::MalformedRow => "The row has more or fewer fields than the header.",
            Self::UnclosedQuote => "A quote is opened and not closed, or closed inside a field.",
            Self::NulByte => "The row holds a NUL byte.",
            Self::RowTooLong => "The row has no end within the bytes that are read as one row.",
            Self::NotAnObject => "The element is not a JSON object.",
            Self::InvalidJson => "The element or line is not valid JSON.",
            Self::WrongType => "A value is of a type that its column cannot be.",
            Self::BadFile => "The file as a whole cannot be read; none of its rows was used.",
        }
    }
}

/// A rejected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub reason: Reason,
    /// The reason as a sentence, with the place and what was found there.
    pub message: String,
    /// The row as it stood in the source.
    pub raw: String,
    /// Where it stood: the line of a CSV or NDJSON file (the header is line 1), the element of a JSON array (from 1).
    pub source_row: u64,
}
