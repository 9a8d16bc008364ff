//! Flags: what was repaired or is doubtful in a row that was kept.

/// One thing worth knowing about a kept row. The order is the order in which flags are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Flag {
    SyntheticId,
    MergedHalves,
    BadDate,
    MissingDate,
    MissingJournal,
    DecodedEscapes,
    RemovedEscapes,
    MarkupRemoved,
    NotAtc,
    MissingAtccode,
    SharedName,
    SharedCode,
    DoubtfulJoin,
}

impl Flag {
    /// Every flag, in order.
    pub const ALL: [Self; 13] = [
        Self::SyntheticId,
        Self::MergedHalves,
        Self::BadDate,
        Self::MissingDate,
        Self::MissingJournal,
        Self::DecodedEscapes,
        Self::RemovedEscapes,
        Self::MarkupRemoved,
        Self::NotAtc,
        Self::MissingAtccode,
        Self::SharedName,
        Self::SharedCode,
        Self::DoubtfulJoin,
    ];

    /// The name in tables and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::SyntheticId => "synthetic_id",
            Self::MergedHalves => "merged_halves",
            Self::BadDate => "bad_date",
            Self::MissingDate => "missing_date",
            Self::MissingJournal => "missing_journal",
            Self::DecodedEscapes => "decoded_escapes",
            Self::RemovedEscapes => "removed_escapes",
            Self::MarkupRemoved => "markup_removed",
            Self::NotAtc => "not_atc",
            Self::MissingAtccode => "missing_atccode",
            Self::SharedName => "shared_name",
            Self::SharedCode => "shared_code",
            Self::DoubtfulJoin => "doubtful_join",
        }
    }

    /// The flag of a name, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.name() == name)
    }

    /// A sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::SyntheticId => {
                "The row had no id; it has one derived from its kind, title, date and journal."
            }
            Self::MergedHalves => {
                "Two half rows, one without the id and one without the journal, became this record."
            }
            Self::BadDate => "The date is impossible or in no accepted form; it is null, not guessed.",
            Self::MissingDate => "The row had no date.",
            Self::MissingJournal => "The row had no journal.",
            Self::DecodedEscapes => "Literal \\xNN escapes were decoded to their letters.",
            Self::RemovedEscapes => "Literal \\xNN escapes that are not valid UTF-8 were removed.",
            Self::MarkupRemoved => "XML markup was dropped and its text kept.",
            Self::NotAtc => "The code does not have the shape of an ATC code.",
            Self::MissingAtccode => "The drug had no code; it has one derived from its name.",
            Self::SharedName => {
                "Several codes have this name; a mention counts once with unit=substance, and once per code with unit=code."
            }
            Self::SharedCode => "The code has several names; all of them count for it.",
            Self::DoubtfulJoin => {
                "Its names belong to several drugs of other vocabularies; it kept its own code."
            }
        }
    }

    fn bit(self) -> u16 {
        1 << (self as u8)
    }
}

/// The set of flags of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flags(u16);

impl Flags {
    /// Adds a flag.
    pub fn insert(&mut self, flag: Flag) {
        self.0 |= flag.bit();
    }

    /// Takes a flag away.
    pub fn remove(&mut self, flag: Flag) {
        self.0 &= !flag.bit();
    }

    /// Adds all flags of another set.
    pub fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether a flag is set.
    pub fn contains(self, flag: Flag) -> bool {
        self.0 & flag.bit() != 0
    }

    /// The set as a number.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The set that [`Flags::bits`] gave.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The flags that are set, in order.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.contains(*flag))
    }
}

impl FromIterator<Flag> for Flags {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        let mut set = Self::default();
        for flag in flags {
            set.insert(flag);
        }
        set
    }
}
