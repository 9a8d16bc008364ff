//! The tables of the lake: names, keys, columns and their meaning. Every other description of a table (Arrow schemas, DDL,
//! contracts, docs) is made from these.

use polars::prelude::{DataFrame, DataType, Field, PlSmallStr, Schema};

use crate::error::{Error, Result};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// A list of texts.
    TextList,
    /// A calendar day.
    Date,
    /// A whole number. Signed, for engines compute with it, and some have no function that takes an unsigned one.
    Number,
}

impl ColumnType {
    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::String,
            Self::TextList => DataType::List(Box::new(DataType::String)),
            Self::Date => DataType::Date,
            Self::Number => DataType::Int64,
        }
    }
}

/// One column of a [`Table`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableColumn {
    pub name: &'static str,
    pub column_type: ColumnType,
    pub nullable: bool,
    /// Whether many rows share few values, so that a file stores them in a dictionary.
    pub repeats: bool,
    /// What the value is, in a sentence.
    pub description: &'static str,
    /// The word of the field for it.
    pub term: &'static str,
    /// A value, as text.
    pub example: &'static str,
}

impl TableColumn {
    const fn new(name: &'static str, column_type: ColumnType, nullable: bool) -> Self {
        Self {
            name,
            column_type,
            nullable,
            repeats: false,
            description: "",
            term: "",
            example: "",
        }
    }

    const fn repeating(mut self) -> Self {
        self.repeats = true;
        self
    }

    const fn is(mut self, term: &'static str, example: &'static str, description: &'static str) -> Self {
        self.term = term;
        self.example = example;
        self.description = description;
        self
    }

    /// Whether it holds texts of which each row has its own.
    #[must_use]
    pub fn is_free_text(&self) -> bool {
        matches!(self.column_type, Text) && !self.repeats
    }

    /// Its name and type.
    pub fn field(&self) -> Field {
        Field::new(self.name.into(), self.column_type.data_type())
    }
}

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// The folder in the lake, and the layer with it.
    pub folder: &'static str,
    /// What a row is, in a sentence.
    pub description: &'static str,
    /// The columns in the files.
    pub columns: &'static [TableColumn],
    /// The columns that are in the names of the folders, and in no file.
    pub partitions: &'static [TableColumn],
    /// The columns that identify a row; none if rows may be equal.
    pub key: &'static [&'static str],
}

const fn required(name: &'static str, column_type: ColumnType) -> TableColumn {
    TableColumn::new(name, column_type, false)
}

const fn optional(name: &'static str, column_type: ColumnType) -> TableColumn {
    TableColumn::new(name, column_type, true)
}

use ColumnType::{Date, Number, Text, TextList};

const ATCCODE: TableColumn = required("atccode", Text).is(
    "ATC code",
    "A04AD",
    "The code of the drug; where the source has none, a UUIDv5 of the name in lower case",
);
const DRUG: TableColumn = required("drug", Text).is(
    "drug name",
    "DIPHENHYDRAMINE",
    "The name of the drug in the vocabulary, cleaned",
);
const SUBSTANCE: TableColumn = required("substance", Text).is(
    "active substance",
    "insulin",
    "What several codes of one drug have in common: its folded name without qualifiers in brackets, salts and hydrates",
);
const PUBLICATION_ID: TableColumn = required("publication_id", Text).is(
    "publication identifier",
    "31839592",
    "The PMID or NCT id, trimmed; where the source has none, a UUIDv5 of kind, title, date and journal",
);
const KIND: TableColumn = required("kind", Text).repeating().is(
    "publication type",
    "pubmed",
    "The kind of publication: pubmed, clinical_trial or preprint",
);
const DT: TableColumn = required("dt", Text).repeating().is(
    "logical date",
    "2024-01-31",
    "The date of the delivery, which is the partition",
);
const TITLE: TableColumn = required("title", Text).is(
    "title",
    "Tranexamic acid versus epinephrine during exploratory tympanotomy",
    "The title, cleaned",
);
const DATE: TableColumn = optional("date", Date).is(
    "publication date",
    "2019-01-01",
    "The first day of the period that the source names; null if it is missing, impossible or in no accepted form",
);
const DATE_PRECISION: TableColumn = optional("date_precision", Text).repeating().is(
    "precision of the date",
    "month",
    "How exact the date is: day, month, season or year; null with the date",
);
const DISPLAY_NAME: TableColumn = optional("journal", Text).repeating().is(
    "journal title",
    "Journal of emergency nursing",
    "The display name of the journal: its most frequent spelling in the lake",
);
const JOURNAL_KEY: TableColumn = optional("journal_key", Text).repeating().is(
    "journal key",
    "journal of emergency nursing",
    "The journal's name with case, accents and punctuation folded, by which spellings are one journal",
);
const FLAGS: TableColumn = required("flags", TextList).is(
    "data quality flags",
    "[\"missing_journal\"]",
    "What was repaired or is doubtful in the row",
);
const SOURCE_URI: TableColumn = required("source_uri", Text).repeating().is(
    "source file",
    "gs://bucket/pubmed.csv",
    "The file that delivered the row, as the caller named it",
);
const SOURCE_ROW: TableColumn = required("source_row", Number).is(
    "source row",
    "2",
    "The line of a CSV or NDJSON file (the header is line 1), or the element of a JSON array or record (from 1)",
);

const SYNONYMS: TableColumn = required("synonyms", TextList).is(
    "synonyms",
    "[\"benadryl\"]",
    "Other names of the drug, cleaned, without duplicates",
);

/// `gold/drugs`: the vocabulary that gold used.
pub const CURRENT_DRUGS: Table = Table {
    name: "drugs",
    folder: "gold/drugs",
    description: "The drugs of the vocabulary that the mentions were found with, one row for each pair of a code and a name",
    key: &["atccode", "drug"],
    partitions: &[],
    columns: &[ATCCODE, DRUG, SUBSTANCE, SYNONYMS],
};

/// `silver/drugs`: one row an entry of the vocabulary.
pub const DRUGS: Table = Table {
    name: "drugs_all",
    folder: "silver/drugs",
    description: "The drugs of every delivery of a vocabulary, one row for each pair of a code and a name",
    key: &["atccode", "drug", "dt"],
    partitions: &[DT],
    columns: &[ATCCODE, DRUG, SYNONYMS, FLAGS, SOURCE_URI, SOURCE_ROW],
};

/// `silver/publications`: one row a publication of one partition.
pub const PUBLICATIONS: Table = Table {
    name: "publications_all",
    folder: "silver/publications",
    description: "Every publication of every delivery, one row for each publication and date",
    key: &["kind", "publication_id", "dt"],
    partitions: &[KIND, DT],
    columns: &[
        PUBLICATION_ID,
        TITLE,
        optional("abstract", Text).is("abstract", "Background: …", "The abstract or summary, cleaned"),
        DATE,
        DATE_PRECISION,
        optional("journal", Text).repeating().is(
            "journal title",
            "Journal of Emergency Nursing",
            "The journal in this row's own spelling, cleaned",
        ),
        JOURNAL_KEY,
        FLAGS,
        SOURCE_URI,
        SOURCE_ROW,
    ],
};

/// `gold/publications`: the newest state of every publication.
pub const CURRENT_PUBLICATIONS: Table = Table {
    name: "publications",
    folder: "gold/publications",
    description: "The current state of every publication: the newest delivery of it, without held and deleted ones",
    key: &["kind", "publication_id"],
    partitions: &[KIND, DT],
    columns: &[
        PUBLICATION_ID,
        TITLE,
        DATE,
        DATE_PRECISION,
        DISPLAY_NAME,
        JOURNAL_KEY,
        FLAGS,
    ],
};

/// `silver/rejected/<table>`: one row a rejected row.
pub const REJECTED: Table = Table {
    name: "rejected",
    folder: "silver/rejected",
    description: "The rows of sources that cannot be a drug or a publication, with the reason",
    key: &[],
    partitions: &[
        optional("kind", Text).repeating().is(
            KIND.term,
            KIND.example,
            "The kind of publication; null for rows of a vocabulary",
        ),
        DT,
    ],
    columns: &[
        required("reason", Text).repeating().is(
            "reason for rejection",
            "blank_title",
            "Why the row was rejected, as a word",
        ),
        required("message", Text).is(
            "explanation",
            "pubmed.csv row 7: the title is blank",
            "The place, what was found, and what to do",
        ),
        required("raw", Text).is(
            "raw row",
            "7,,2020-01-01,",
            "The row as in the source, at most its first 64 KiB",
        ),
        SOURCE_URI,
        SOURCE_ROW,
    ],
};

/// `silver/deleted`: one row a notice that a publication is deleted.
pub const DELETED: Table = Table {
    name: "deleted",
    folder: "silver/deleted/publications",
    description: "The notices that a publication is deleted",
    key: &[],
    partitions: &[KIND, DT],
    columns: &[PUBLICATION_ID, SOURCE_URI, SOURCE_ROW],
};

/// `silver/journals`: one row for each set of ids under which sources know a journal.
pub const JOURNAL_IDS: Table = Table {
    name: "journal_ids",
    folder: "silver/journals",
    description: "The identifiers under which sources know a journal, one row for each set of them",
    key: &[],
    partitions: &[KIND, DT],
    columns: &[
        required("journal_key", Text).is(JOURNAL_KEY.term, JOURNAL_KEY.example, JOURNAL_KEY.description),
        optional("nlm_id", Text).is("NLM catalogue id", "0370077", "The id in NLM's catalogue"),
        optional("issn", Text).is(
            "ISSN",
            "0006-2952",
            "The linking ISSN, or else the first one; only with a correct check digit",
        ),
    ],
};

/// `gold/mentions`: one row a drug found at one place of a publication.
pub const MENTIONS: Table = Table {
    name: "mentions",
    folder: "gold/mentions",
    description: "The places in the text of current publications that name a drug, one row for each place and code",
    key: &[
        "kind",
        "publication_id",
        "field",
        "start",
        "end",
        "atccode",
        "drug",
    ],
    partitions: &[KIND, DT],
    columns: &[
        ATCCODE.repeating(),
        DRUG.repeating(),
        SUBSTANCE.repeating(),
        PUBLICATION_ID,
        DISPLAY_NAME,
        DATE,
        required("field", Text).repeating().is(
            "searched field",
            "title",
            "The field of the publication that was searched: title or abstract",
        ),
        required("start", Number).is(
            "start of the span",
            "0",
            "Where the mention begins, in Unicode code points of the silver text of the field, from 0",
        ),
        required("end", Number).is("end of the span", "15", "Where the mention ends, exclusive"),
        required("surface", Text).repeating().is(
            "surface form",
            "Diphenhydramine",
            "The text of the mention: exactly text[start:end]",
        ),
        required("rule", Text).repeating().is(
            "matching rule",
            "name",
            "How the drug was found: name, synonym, abbreviation or combination",
        ),
    ],
};

/// `gold/journals`: the journals of current publications.
pub const JOURNALS: Table = Table {
    name: "journals",
    folder: "gold/journals",
    description: "The journals of current publications, one row for each display name",
    key: &["journal"],
    partitions: &[],
    columns: &[
        required("journal", Text).is(DISPLAY_NAME.term, DISPLAY_NAME.example, DISPLAY_NAME.description),
        required("publications", Number).is(
            "number of publications",
            "120",
            "How many current publications of all kinds the journal has",
        ),
        required("substances", Number).is(
            "number of substances",
            "67",
            "How many different substances its publications mention",
        ),
        required("codes", Number).is(
            "number of codes",
            "101",
            "How many different codes its publications mention",
        ),
    ],
};

/// `gold/journal_drugs`: which journal mentions which substance.
pub const JOURNAL_DRUGS: Table = Table {
    name: "journal_drugs",
    folder: "gold/journal_drugs",
    description: "Which journal mentions which substance, one row for each journal, substance and kind of publication",
    key: &["journal", "substance", "kind"],
    partitions: &[],
    columns: &[
        required("journal", Text).repeating().is(
            DISPLAY_NAME.term,
            DISPLAY_NAME.example,
            DISPLAY_NAME.description,
        ),
        SUBSTANCE.repeating(),
        KIND,
        required("pairs", Number).is(
            "number of publications",
            "3",
            "How many current publications of that kind in the journal mention the substance",
        ),
    ],
};

/// `gold/atc_classes`: the levels of the ATC classification.
pub const ATC_CLASSES: Table = Table {
    name: "atc_classes",
    folder: "gold/atc_classes",
    description: "The classes of the ATC classification that codes of the vocabulary belong to, one row for each class",
    key: &["atc_class"],
    partitions: &[],
    columns: &[
        required("atc_class", Text).is(
            "ATC class",
            "A04",
            "The code of the class: the first 1, 3, 4, 5 or 7 characters of a code",
        ),
        required("level", Number).is(
            "ATC level",
            "2",
            "The level of the class: 1 is the anatomical main group, 5 the substance",
        ),
        optional("parent", Text).repeating().is(
            "parent class",
            "A",
            "The class one level above; null at level 1",
        ),
        required("codes", Number).is(
            "number of codes",
            "12",
            "How many codes of the vocabulary belong to the class",
        ),
    ],
};

/// The format of the tables that this version writes. In format 1, whose manifests do not name it, `kind` and `dt` were in
/// the files and not only in their paths.
pub const TABLE_FORMAT: u32 = 2;

/// Every table, in the order of the docs.
pub const TABLES: &[&Table] = &[
    &CURRENT_DRUGS,
    &CURRENT_PUBLICATIONS,
    &MENTIONS,
    &JOURNALS,
    &JOURNAL_DRUGS,
    &ATC_CLASSES,
    &REJECTED,
    &PUBLICATIONS,
    &DRUGS,
    &DELETED,
    &JOURNAL_IDS,
];

impl Table {
    /// The polars schema of its files.
    pub fn schema(&self) -> Schema {
        self.columns.iter().map(TableColumn::field).collect()
    }

    /// All of its columns: those in the files, then those in the names of folders.
    pub fn all_columns(&self) -> impl Iterator<Item = &'static TableColumn> + use<> {
        self.columns.iter().chain(self.partitions)
    }

    /// The layer of the lake that holds it.
    pub fn layer(&self) -> &'static str {
        self.folder.split('/').next().unwrap_or_default()
    }

    /// An empty frame of the table.
    pub fn empty(&self) -> DataFrame {
        DataFrame::empty_with_schema(&self.schema())
    }

    /// Checks names, order, types and missing values of a frame, and reports every difference at once.
    pub fn check(&self, frame: &DataFrame) -> Result<()> {
        let mut faults = Vec::new();
        let found: Vec<&str> = frame
            .get_column_names()
            .into_iter()
            .map(PlSmallStr::as_str)
            .collect();
        let wanted: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        if found != wanted {
            faults.push(format!("columns {found:?} instead of {wanted:?}"));
        }
        for column in self.columns {
            let Ok(values) = frame.column(column.name) else {
                continue;
            };
            let data_type = column.column_type.data_type();
            if values.dtype() != &data_type {
                faults.push(format!(
                    "`{}` is {} instead of {data_type}",
                    column.name,
                    values.dtype()
                ));
            }
            if !column.nullable && values.null_count() > 0 {
                faults.push(format!(
                    "`{}` has {} missing values",
                    column.name,
                    values.null_count()
                ));
            }
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(Error::Internal {
            message: format!("table {}: {}", self.name, faults.join("; ")),
        })
    }
}
