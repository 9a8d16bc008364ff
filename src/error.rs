//! All errors, with one variant for each thing that a caller can act on.
//!
//! A message names the file, the row or byte, what was found and what to do. [`Error::class`] maps each variant to an
//! exception class of Python; the command maps each to an exit code.

use std::borrow::Cow;
use std::io;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed. A failed transaction leaves the lake unchanged; what the same call committed before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A source, a vocabulary or a part of the lake does not exist.
    #[error("{uri}: not found; expected {expected}")]
    SourceNotFound { uri: String, expected: String },

    /// A folder in place of a file or of a folder with files.
    #[error(
        "{uri}: a directory without data files in it; expected {expected}, or a folder or glob of such files"
    )]
    EmptyFolder { uri: String, expected: String },

    /// An argument that is invalid whatever the files hold.
    #[error("{argument}: {found}; expected {expected}")]
    Argument {
        argument: String,
        found: String,
        expected: String,
    },

    /// A name that is none of a table's columns.
    #[error("`{}` is not a column; expected {}{}", shown(found), listed(columns),
        close.as_ref().map(|close| format!("; did you mean `{close}`?")).unwrap_or_default())]
    Column {
        found: String,
        columns: Vec<String>,
        /// The column that was probably meant.
        close: Option<String>,
    },

    /// A row that a table does not have.
    #[error(
        "row {} of a table with {rows} rows; rows count from 0, and from -1 at the end",
        shown(found)
    )]
    Row { found: String, rows: usize },

    /// A source lacks columns that its table needs.
    #[error("{uri}: missing column{} {}; found {}; rename the columns or add them{}",
        if missing.len() == 1 { "" } else { "s" }, listed(missing), listed(found), or_empty(hint))]
    Schema {
        uri: String,
        missing: Vec<String>,
        found: Vec<String>,
        hint: String,
    },

    /// A source with invalid content: empty, truncated, not an array, a broken archive.
    #[error("{uri}: {place}: {found}; {remedy}")]
    Format {
        uri: String,
        place: String,
        found: String,
        remedy: String,
    },

    /// Bytes that are not text in the expected encoding.
    #[error("{uri}: byte {byte}: {found}; {remedy}")]
    Encoding {
        uri: String,
        byte: u64,
        found: String,
        remedy: String,
    },

    /// A delivery with far fewer or more rows than expected.
    #[error(
        "{uri}: {found}; nothing was written to silver; check the delivery, or accept it with a run without expect_rows \
         (--expect-rows)"
    )]
    RowCount { uri: String, found: String },

    /// Rows break rules of a contract whose severity is `error`, or an objective is missed.
    #[error("{table}: {found} (contract {contract}); {remedy}")]
    Contract {
        table: String,
        contract: String,
        found: String,
        remedy: &'static str,
    },

    /// More is lost than a bound allows.
    #[error("{uri}: {found}; {remedy}")]
    Loss {
        uri: String,
        found: String,
        remedy: String,
    },

    /// The file system or the server refused: no permission, no space, a file in place of a folder.
    #[error("{path}: cannot {action}: {source}; {}", remedy_for(source))]
    Storage {
        path: String,
        action: &'static str,
        #[source]
        source: io::Error,
    },

    /// Another run works on the same partition, or has changed it meanwhile. This run wrote nothing.
    #[error("{path}: {found}; wait for the other run to end and start this one again")]
    Conflict { path: String, found: String },

    /// Rows were lost or added: a bug of this crate, reported instead of written.
    #[error(
        "{uri}: {rows_in} rows in but {rows_kept} kept + {rows_merged} merged + {rows_rejected} rejected; \
         nothing was written; please report this as a bug"
    )]
    Conservation {
        uri: String,
        rows_in: u64,
        rows_kept: u64,
        rows_merged: u64,
        rows_rejected: u64,
    },

    /// The process was forked after it had used the engine, whose threads do not survive a fork.
    #[error(
        "this process (pid {child}) was forked from pid {parent}, which had already used the drugs_rs engine, and threads \
         do not survive a fork; start the work with the multiprocessing 'spawn' or 'forkserver' method, in a new \
         process (`python -m drugs_rs ...`), or import and use drugs_rs only after the fork"
    )]
    Forked { parent: u32, child: u32 },

    /// The caller cancelled the work (Ctrl-C, SIGTERM, the time-out of an Airflow task).
    #[error("stopped on request; nothing was written")]
    Cancelled,

    /// A panic of this crate or of a library, caught at the border to Python.
    #[error("internal error: {message}; nothing was written; please report this as a bug")]
    Internal { message: String },
}

/// A message repeats at most this many letters of a text from a file or a caller.
const MOST_SHOWN: usize = 200;

/// No path of the system is longer.
const LONGEST_PATH: usize = 4096;

/// A text from a file or a caller for a message: whole, or its beginning if it is long.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()).into(),
        None => text.into(),
    }
}

/// A name for a message: whole if it may be a path, because its end is the most useful part.
fn shown_name(name: String) -> String {
    if name.len() > LONGEST_PATH {
        shown(&name).into_owned()
    } else {
        name
    }
}

/// Replaces each quoted part of a text.
fn requoted<'t>(text: &'t str, quote: char, other: impl Fn(&'t str) -> Cow<'t, str>) -> String {
    let parts = text.split(quote).enumerate();
    let told: Vec<Cow<'_, str>> = parts
        .map(|(number, part)| if number % 2 == 0 { part.into() } else { other(part) })
        .collect();
    told.join(&String::from(quote))
}

/// Replaces each quoted part of a text by an ellipsis.
fn unquoted(text: &str, quote: char) -> String {
    requoted(text, quote, |_| "…".into())
}

impl Error {
    /// The class of `drugs_rs.exceptions` for this error, or Python's own class if the work was cancelled.
    pub fn class(&self) -> &'static str {
        match self {
            Self::SourceNotFound { .. } => "SourceNotFoundError",
            Self::EmptyFolder { .. } => "SourceIsDirectoryError",
            Self::Argument { .. } => "ArgumentError",
            Self::Column { .. } => "ColumnNotFoundError",
            Self::Row { .. } => "RowNotFoundError",
            Self::Schema { .. } => "SchemaError",
            Self::Format { .. } => "FormatError",
            Self::Encoding { .. } => "EncodingError",
            Self::RowCount { .. } => "RowCountError",
            Self::Contract { .. } => "ContractError",
            Self::Loss { .. } => "LossError",
            Self::Storage { .. } => "StorageError",
            Self::Conflict { .. } => "ConflictError",
            Self::Conservation { .. } => "ConservationError",
            Self::Forked { .. } => "ForkError",
            Self::Cancelled => "KeyboardInterrupt",
            Self::Internal { .. } => "InternalError",
        }
    }

    /// The message without anything that a file contains: without names of columns, which are values if the header is
    /// missing, and without quoted texts.
    pub fn without_contents(&self) -> String {
        match self {
            Self::Schema {
                uri, missing, found, ..
            } => format!(
                "{uri}: missing column{} {} among {} found",
                if missing.len() == 1 { "" } else { "s" },
                listed(missing),
                found.len()
            ),
            Self::Format {
                uri,
                place,
                found,
                remedy,
            } => format!(
                "{uri}: {place}: {}; {remedy}",
                unquoted(&unquoted(found, '`'), '"')
            ),
            _ => self.to_string(),
        }
    }

    /// A storage error about `path` while doing `action` ("read", "write", "create the folder").
    pub fn storage(path: impl std::fmt::Display, action: &'static str, source: io::Error) -> Self {
        Self::Storage {
            path: shown_name(path.to_string()),
            action,
            source,
        }
    }

    /// An argument error.
    pub fn argument(
        argument: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::Argument {
            argument: shown_name(argument.into()),
            found: shown_name(requoted(&found.into(), '`', shown)),
            expected: expected.into(),
        }
    }

    /// A fault of this crate.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal {
            message: message.into(),
        }
    }

    /// Whether the error is the fault of a source file, and not of this call, this machine or this crate.
    pub fn is_of_a_file(&self) -> bool {
        matches!(
            self,
            Self::Schema { .. } | Self::Format { .. } | Self::Encoding { .. }
        )
    }

    /// A format error at `place` ("byte 12", "line 3") of `uri`.
    pub fn format(
        uri: impl Into<String>,
        place: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Format {
            uri: uri.into(),
            place: place.into(),
            found: found.into(),
            remedy: remedy.into(),
        }
    }
}

/// A failure of polars on frames that this crate has built is a bug, not bad input.
#[cfg(feature = "tables")]
impl From<polars::error::PolarsError> for Error {
    fn from(error: polars::error::PolarsError) -> Self {
        Self::internal(format!("polars: {error}"))
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn or_empty(hint: &str) -> String {
    if hint.is_empty() {
        String::new()
    } else {
        format!(" ({hint})")
    }
}

/// A refusal of a server, a file system or a compressed file, inside an [`io::Error`]: what was found and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{found}")]
pub struct Refusal {
    pub found: String,
    pub remedy: &'static str,
}

fn remedy_for(source: &io::Error) -> &'static str {
    if let Some(refusal) = source.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>()) {
        return refusal.remedy;
    }
    match source.kind() {
        io::ErrorKind::PermissionDenied => "check the permissions of the folder and the user that runs this",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "free some space; the old state is untouched"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "there is a file where a folder should be: choose another output folder or move the file"
        }
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only: choose another output folder",
        _ => "the old state is untouched",
    }
}
