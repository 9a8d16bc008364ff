//! The tables and formats of made-up sources.

use crate::choice::{Choice, UnknownChoice, parse_choices};
use crate::error::{Error, Result};

/// The content of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeTable {
    Drugs,
    Articles,
    Trials,
}

impl MadeTable {
    pub const ALL: [Self; 3] = [Self::Drugs, Self::Articles, Self::Trials];

    /// The folder of its files, named like the argument of `run` that takes them.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Drugs => "drugs",
            Self::Articles => "pubmed",
            Self::Trials => "clinical_trials",
        }
    }

    /// The error for a format that this table cannot have.
    pub(super) fn refuse(self, name: &str, argument: &str) -> Error {
        UnknownChoice::among(name, self.format_names()).of(argument)
    }

    /// The names of the formats that this table can have.
    pub fn format_names(self) -> impl Iterator<Item = &'static str> {
        let formats = Format::ALL.into_iter().filter(move |format| format.is_for(self));
        formats.map(Format::name)
    }
}

/// A format that the pipeline reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Json,
    Ndjson,
    Parquet,
    PubmedXml,
    Medline,
    /// PubMed's CSV export before 2020.
    PubmedCsv,
    /// The CSV export of the new site of ClinicalTrials.gov.
    CtgovCsv,
    /// The CSV export of the old site of ClinicalTrials.gov.
    CtgovClassicCsv,
    /// Studies of the API in an array.
    StudiesJson,
    /// Studies of the API, one on each line.
    StudiesNdjson,
    /// Studies of the API, one in each file.
    StudyFiles,
}

impl Format {
    pub const ALL: [Self; 12] = [
        Self::Csv,
        Self::Json,
        Self::Ndjson,
        Self::Parquet,
        Self::PubmedXml,
        Self::Medline,
        Self::PubmedCsv,
        Self::CtgovCsv,
        Self::CtgovClassicCsv,
        Self::StudiesJson,
        Self::StudiesNdjson,
        Self::StudyFiles,
    ];

    /// The name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::PubmedXml => "pubmed-xml",
            Self::Medline => "medline",
            Self::PubmedCsv => "pubmed-csv",
            Self::CtgovCsv => "ctgov-csv",
            Self::CtgovClassicCsv => "ctgov-classic-csv",
            Self::StudiesJson => "studies-json",
            Self::StudiesNdjson => "studies-ndjson",
            Self::StudyFiles => "study-files",
        }
    }

    /// The format with a name, if the table can have it; the error names the argument.
    pub fn named(name: &str, table: MadeTable, argument: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name && format.is_for(table))
            .ok_or_else(|| table.refuse(name, argument))
    }

    /// Whether a table can have this format.
    pub fn is_for(self, table: MadeTable) -> bool {
        match self {
            Self::Csv | Self::Json | Self::Ndjson | Self::Parquet => true,
            Self::PubmedXml | Self::Medline | Self::PubmedCsv => table == MadeTable::Articles,
            _ => table == MadeTable::Trials,
        }
    }

    /// The extension of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv | Self::PubmedCsv | Self::CtgovCsv | Self::CtgovClassicCsv => "csv",
            Self::Json | Self::StudiesJson | Self::StudyFiles => "json",
            Self::Ndjson | Self::StudiesNdjson => "ndjson",
            Self::Parquet => "parquet",
            Self::PubmedXml => "xml",
            Self::Medline => "nbib",
        }
    }

    pub(super) fn has_journals(self) -> bool {
        !matches!(
            self,
            Self::CtgovCsv
                | Self::CtgovClassicCsv
                | Self::StudiesJson
                | Self::StudiesNdjson
                | Self::StudyFiles
        )
    }

    pub(super) fn has_abstracts(self) -> bool {
        !matches!(self, Self::PubmedCsv | Self::CtgovClassicCsv)
    }

    pub(super) fn is_ndjson(self) -> bool {
        matches!(self, Self::Ndjson | Self::StudiesNdjson)
    }

    pub(super) fn is_json(self) -> bool {
        self.is_ndjson() || matches!(self, Self::Json | Self::StudiesJson | Self::StudyFiles)
    }
}

/// The compression of files. Parquet files are never compressed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packing {
    #[default]
    None,
    Gzip,
    Zstd,
}

impl Packing {
    pub const ALL: [Self; 3] = [Self::None, Self::Gzip, Self::Zstd];

    /// The name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gz",
            Self::Zstd => "zst",
        }
    }

    /// The extension that it adds to a file's name.
    pub fn ending(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}

impl Choice for Packing {
    const CHOICES: &'static [Self] = &Self::ALL;

    fn choice_name(self) -> &'static str {
        self.name()
    }
}

parse_choices!(Packing);
