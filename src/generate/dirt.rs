//! The faults of records and their frequencies. A record has at most one kind of dirt.

use super::format::Format;
use super::random::dice::{Dice, parts};
use crate::error::{Error, Result};

/// A kind of dirt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dirt {
    /// No title: the row is rejected.
    BlankTitle,
    /// No id.
    MissingId,
    MissingJournal,
    /// Two rows, one without the journal and one without the id.
    HalfRows,
    /// The same row twice.
    RepeatedId,
    /// Two rows of one id; the later one counts.
    SupersededId,
    /// Literal `\xNN` in the title that is valid UTF-8.
    Escapes,
    /// Literal `\xNN` in the title that is not.
    BrokenEscapes,
    /// Tags in the title.
    Markup,
    /// A day that does not exist, or words.
    BadDate,
    MissingDate,
    /// The journal in capitals, or with a point at its end.
    JournalSpelling,
    /// A comma before a closing bracket of JSON.
    TrailingComma,
    /// An empty line before the row.
    BlankLine,
    /// A row that its format cannot parse: it is rejected.
    MalformedRow,
    /// A notice after the record deletes it.
    Deleted,
}

impl Dirt {
    /// All kinds, in order.
    pub const ALL: [Self; 16] = [
        Self::BlankTitle,
        Self::MissingId,
        Self::MissingJournal,
        Self::HalfRows,
        Self::RepeatedId,
        Self::SupersededId,
        Self::Escapes,
        Self::BrokenEscapes,
        Self::Markup,
        Self::BadDate,
        Self::MissingDate,
        Self::JournalSpelling,
        Self::TrailingComma,
        Self::BlankLine,
        Self::MalformedRow,
        Self::Deleted,
    ];

    /// The name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::BlankTitle => "blank_title",
            Self::MissingId => "missing_id",
            Self::MissingJournal => "missing_journal",
            Self::HalfRows => "half_rows",
            Self::RepeatedId => "repeated_id",
            Self::SupersededId => "superseded_id",
            Self::Escapes => "escapes",
            Self::BrokenEscapes => "broken_escapes",
            Self::Markup => "markup",
            Self::BadDate => "bad_date",
            Self::MissingDate => "missing_date",
            Self::JournalSpelling => "journal_spelling",
            Self::TrailingComma => "trailing_comma",
            Self::BlankLine => "blank_line",
            Self::MalformedRow => "malformed_row",
            Self::Deleted => "deleted",
        }
    }

    /// The default share of records with this kind.
    fn usual(self) -> f64 {
        match self {
            Self::MissingJournal | Self::JournalSpelling => 0.03,
            Self::MissingId | Self::HalfRows | Self::Escapes | Self::Markup => 0.01,
            Self::BadDate => 0.008,
            Self::BlankTitle | Self::MissingDate => 0.005,
            Self::RepeatedId | Self::SupersededId | Self::BrokenEscapes => 0.004,
            Self::BlankLine | Self::Deleted => 0.002,
            Self::TrailingComma | Self::MalformedRow => 0.001,
        }
    }

    /// Whether a format can express this kind; records of other formats do not have it.
    pub fn fits(self, format: Format) -> bool {
        use Format::{Csv, CtgovClassicCsv, CtgovCsv, Json, Medline, Ndjson, Parquet, PubmedCsv, PubmedXml};
        let tables = matches!(format, Csv | Json | Ndjson | Parquet);
        let exports = matches!(format, PubmedCsv | CtgovCsv | CtgovClassicCsv);
        match self {
            Self::MissingId => tables || exports,
            Self::HalfRows => tables,
            Self::MissingJournal | Self::JournalSpelling => format.has_journals(),
            // The old export repeats the year in the column with the journal.
            Self::BadDate => format != PubmedCsv,
            Self::TrailingComma => format.is_json(),
            Self::BlankLine => {
                matches!(format, Csv | CtgovCsv | CtgovClassicCsv | PubmedCsv | Medline) || format.is_ndjson()
            }
            Self::MalformedRow => {
                exports || matches!(format, Csv) || (format.is_json() && format != Format::StudyFiles)
            }
            Self::Deleted => format == PubmedXml,
            Self::BlankTitle
            | Self::RepeatedId
            | Self::SupersededId
            | Self::Escapes
            | Self::BrokenEscapes
            | Self::Markup
            | Self::MissingDate => true,
        }
    }
}

/// The share of records that have each kind of dirt.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares([f64; Dirt::ALL.len()]);

impl Default for Shares {
    fn default() -> Self {
        Self(Dirt::ALL.map(Dirt::usual))
    }
}

impl Shares {
    /// No dirt at all.
    pub fn none() -> Self {
        Self([0.0; Dirt::ALL.len()])
    }

    /// Sets the share of a kind by its name.
    pub fn set(&mut self, name: &str, share: f64) -> Result<()> {
        let Some(dirt) = Dirt::ALL.into_iter().find(|dirt| dirt.name() == name) else {
            let names: Vec<&str> = Dirt::ALL.into_iter().map(Dirt::name).collect();
            return Err(Error::argument("dirt", format!("`{name}`"), names.join(", ")));
        };
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::argument(
                "dirt",
                format!("`{name}` {share}"),
                "a share from 0 to 1",
            ));
        }
        self.0[dirt as usize] = share;
        Ok(())
    }

    /// Each kind with its share.
    pub fn iter(&self) -> impl Iterator<Item = (Dirt, f64)> {
        Dirt::ALL.into_iter().zip(self.0)
    }

    pub(super) fn check(&self) -> Result<()> {
        let sum: u64 = self.0.iter().map(|share| parts(*share)).sum();
        if sum <= parts(1.0) {
            return Ok(());
        }
        let found = format!("shares that come to {:.3} together", self.0.iter().sum::<f64>());
        Err(Error::argument(
            "dirt",
            found,
            "at most 1, for a record has one kind of dirt",
        ))
    }

    pub(super) fn draw(&self, dice: &mut Dice, format: Format) -> Option<Dirt> {
        let mut left = dice.part();
        for (dirt, share) in self.iter() {
            let share = parts(share);
            if left < share {
                return dirt.fits(format).then_some(dirt);
            }
            left -= share;
        }
        None
    }
}
