//! `Matcher`: finds drugs in texts, for Python.

use std::sync::Arc;
use std::time::{Duration, Instant};

use polars::prelude::{StringChunked, StringChunkedBuilder};
use polars_arrow::array::ValueSize;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyString, PyType};

use super::mention::Mention;
use super::mention_column::MentionColumn;
use super::process::{call, interpreter};
use super::table::Table;
use super::{arguments, arrow, errors};
use crate::api::vocabulary::{self, LoadedVocabulary};
use crate::api::{match_column, matching};
use crate::error::{Error, Result};
use crate::formats::{MostRatio, ReadOptions};
use crate::lake::report;
use crate::matcher::{self, CodePoints, VocabularyEntry};
use crate::quality::FileTally;
use crate::task::Task;

/// Copying holds the interpreter for this long at a time. A waiting thread requests its turn after five milliseconds;
/// if it could run before, but only briefly, it would never request the turn, and never get one.
const TURN: Duration = Duration::from_millis(10);

/// A text of at most this many bytes takes only a moment, whatever the names.
const SHORT_TEXT: usize = 64 << 10;

/// A column with at most this many bytes of text takes only some milliseconds.
const SHORT_COLUMN: usize = 1 << 20;

/// Memory is reserved for at most this many texts in advance, because a sequence may report any length.
const MOST_EXPECTED: usize = 1 << 20;

#[doc = stub_doc!(Matcher)]
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct Matcher {
    inner: Arc<matcher::Matcher>,
    /// The files of the vocabulary and the counts of their rows.
    sources: Vec<FileTally>,
}

impl Matcher {
    /// The matcher itself, for work that may outlive the Python object.
    pub(super) fn inner(&self) -> &Arc<matcher::Matcher> {
        &self.inner
    }

    fn new(inner: matcher::Matcher, sources: Vec<FileTally>) -> Self {
        Self {
            inner: Arc::new(inner),
            sources,
        }
    }
}

#[pymethods]
impl Matcher {
    #[doc = stub_help!(Matcher.from_names)]
    #[classmethod]
    #[pyo3(signature = (names, **options), text_signature = None)]
    fn from_names(
        _class: &Bound<'_, PyType>,
        names: &Bound<'_, PyAny>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = names.py();
        let settings = arguments::matcher_settings("Matcher.from_names", options)?;
        let mut entries = Vec::new();
        let Ok(mapping) = names.cast::<PyMapping>() else {
            let found = names.get_type().name()?;
            let message = format!("names must be a mapping of codes to lists of names, not {found}");
            return Err(PyTypeError::new_err(message));
        };
        for item in mapping.items()? {
            let (code, own): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
            let code = arguments::text(&code, "names: a code")?;
            if own.is_instance_of::<PyString>() {
                let message = format!("the names of {code} must be a list of strings, not a string");
                return Err(PyTypeError::new_err(message));
            }
            let own = arguments::texts(&own, &format!("names: the names of {code}"))?;
            if own.iter().any(|name| name.trim().is_empty()) || own.is_empty() {
                let error = Error::argument(
                    "names",
                    format!("code {code} has a blank name or none"),
                    "names of drugs",
                );
                return Err(errors::exception(py, &error));
            }
            let mut own = own.into_iter();
            let drug = own.next().unwrap_or_default();
            entries.push(VocabularyEntry::new(code, drug, own));
        }
        let inner = call::run_detached(py, move |task| matcher::Matcher::build(&entries, &settings, task))?;
        Ok(Self::new(inner, Vec::new()))
    }

    #[doc = stub_help!(Matcher.from_vocabulary)]
    #[classmethod]
    #[pyo3(signature = (vocabulary, *, encoding=None, max_ratio=400, **options), text_signature = None)]
    fn from_vocabulary(
        _class: &Bound<'_, PyType>,
        vocabulary: &Bound<'_, PyAny>,
        encoding: Option<&str>,
        #[pyo3(from_py_with = arguments::max_ratio)] max_ratio: u64,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = vocabulary.py();
        let settings = arguments::matcher_settings("Matcher.from_vocabulary", options)?;
        let uris = arguments::paths(vocabulary, "vocabulary")?;
        let reading = ReadOptions {
            encoding: arguments::encoding(py, encoding)?,
            most_ratio: MostRatio(max_ratio),
        };
        let LoadedVocabulary { entries, sources } = call::run_interruptible(py, false, |task| {
            vocabulary::load_vocabulary(&uris, reading, task)
        })?;
        let inner = call::run_detached(py, move |task| matcher::Matcher::build(&entries, &settings, task))?;
        Ok(Self::new(inner, sources))
    }

    #[doc = stub_doc!(Matcher.find)]
    fn find(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Vec<Mention>> {
        let text = utf8(arguments::string(text, "text")?)?;
        one_text(py, &text, |task| {
            let mut points = CodePoints::new(&text);
            let mentions = self
                .inner
                .find_under(&text, task)?
                .into_iter()
                .map(|mention| Mention {
                    atccode: mention.atccode().to_owned(),
                    drug: mention.drug().to_owned(),
                    start: points.at(mention.start),
                    end: points.at(mention.end),
                    surface: text[mention.start..mention.end].to_owned(),
                    rule: mention.rule.name().to_owned(),
                });
            Ok(mentions.collect())
        })
    }

    #[doc = stub_doc!(Matcher.find_many)]
    fn find_many(&self, texts: &Bound<'_, PyAny>) -> PyResult<Table> {
        let py = texts.py();
        if texts.is_instance_of::<PyString>() || texts.is_instance_of::<PyBytes>() {
            return Err(PyTypeError::new_err(
                "texts must be a list or a column of strings, not one string; see find",
            ));
        }
        let column = match arrow::texts(texts)? {
            Some(column) => column,
            None if texts.is_instance_of::<PyMapping>() => {
                return Err(PyTypeError::new_err(
                    "texts must be a list or a column of strings, not a mapping",
                ));
            }
            None => copied(texts)?,
        };
        // The engine's thread owns the column, so it also frees the memory while other threads have the interpreter.
        let frame = call::run_interruptible(py, false, move |task| {
            let texts: Vec<Option<&str>> = column.iter().collect();
            matching::find_many(&self.inner, &texts, task)
        })?;
        Ok(Table::new(frame))
    }

    #[doc = stub_doc!(Matcher.find_column)]
    fn find_column(&self, texts: &Bound<'_, PyAny>) -> PyResult<MentionColumn> {
        let py = texts.py();
        let Some(column) = arrow::texts(texts)? else {
            let found = texts.get_type().name()?;
            let message =
                format!("texts must be a column of strings in Arrow memory, not {found}; see find_many");
            return Err(PyTypeError::new_err(message));
        };
        // In this thread or one other, so that an engine's own threads share the work.
        let lists = if column.get_values_size() <= SHORT_COLUMN {
            call::run_inline(py, || match_column::mentions(&self.inner, &column, &Task::new()))?
        } else {
            call::run_waiting(py, false, |task| {
                match_column::mentions(&self.inner, &column, task)
            })?
        };
        Ok(MentionColumn::new(lists))
    }

    #[doc = stub_doc!(Matcher.save)]
    fn save(&self, path: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = path.py();
        let path = arguments::path(path, "path")?;
        call::run_waiting(py, false, |task| matching::save(&self.inner, &path, task))
    }

    #[doc = stub_doc!(Matcher.load)]
    #[classmethod]
    fn load(_class: &Bound<'_, PyType>, path: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = path.py();
        let path = arguments::path(path, "path")?;
        let inner = call::run_waiting(py, false, |task| matching::load(&path, task))?;
        Ok(Self::new(inner, Vec::new()))
    }

    #[doc = stub_doc!(Matcher.to_bytes)]
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = call::run_inline(py, || self.inner.to_bytes())?;
        Ok(PyBytes::new(py, &bytes))
    }

    #[doc = stub_doc!(Matcher.from_bytes)]
    #[classmethod]
    fn from_bytes(_class: &Bound<'_, PyType>, data: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let py = data.py();
        let bytes = data.as_bytes();
        let inner = call::run_inline(py, || matcher::Matcher::from_bytes(bytes, "these bytes"))?;
        Ok(Self::new(inner, Vec::new()))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let make = slf.get_type().getattr("from_bytes")?;
        Ok((make, (slf.get().to_bytes(slf.py())?,)))
    }

    #[doc = stub_doc!(Matcher.explain)]
    fn explain(&self, py: Python<'_>, text: &Bound<'_, PyAny>, drug: &Bound<'_, PyAny>) -> PyResult<String> {
        let text = utf8(arguments::string(text, "text")?)?;
        let drug = arguments::text(drug, "drug")?;
        one_text(py, &text, |task| self.inner.explain_under(&text, &drug, task))
    }

    #[doc = stub_doc!(Matcher.sources)]
    #[getter]
    fn sources<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let json = call::run_inline(py, || report::to_json(&self.sources))?;
        py.import("json")?.call_method1("loads", (json,))
    }

    #[doc = stub_doc!(Matcher.__len__)]
    fn __len__(&self) -> usize {
        self.inner.len()
    }

    fn __repr__(&self) -> String {
        format!(
            "Matcher({} names of {} drugs)",
            self.inner.len(),
            self.inner.entries()
        )
    }
}

/// Runs the work on one text: in this thread if the text is short, else so that signals are handled meanwhile.
fn one_text<T: Send>(
    py: Python<'_>,
    text: &str,
    work: impl FnOnce(&Task) -> Result<T> + Send,
) -> PyResult<T> {
    if text.len() <= SHORT_TEXT {
        call::run_inline(py, || work(&Task::new()))
    } else {
        call::run_waiting(py, false, work)
    }
}

/// The strings of any iterable. Copying a long list holds the interpreter, so it lets other threads and signals in from
/// time to time.
fn copied(texts: &Bound<'_, PyAny>) -> PyResult<StringChunked> {
    let py = texts.py();
    let mut copy = StringChunkedBuilder::new("texts".into(), texts.len().unwrap_or(0).min(MOST_EXPECTED));
    let mut turn = Instant::now();
    for (row, text) in texts.try_iter()?.enumerate() {
        let text = text?;
        if row % 1024 == 1023 && turn.elapsed() >= TURN {
            interpreter::without_interpreter(py, || ());
            py.check_signals()?;
            turn = Instant::now();
        }
        if text.is_none() {
            copy.append_null();
        } else {
            let Ok(text) = text.cast::<PyString>() else {
                let found = text.get_type().name()?;
                let message = format!("texts must be strings or None, and at {row} is {found}");
                return Err(PyTypeError::new_err(message));
            };
            copy.append_value(utf8(text)?);
        }
    }
    Ok(copy.finish())
}

/// A Python string in UTF-8. A lone surrogate, which UTF-8 cannot hold, becomes one unknown letter, so that all offsets
/// stay the same as in Python.
fn utf8(text: &Bound<'_, PyString>) -> PyResult<String> {
    if let Ok(text) = text.extract::<String>() {
        return Ok(text);
    }
    let bytes = text.call_method1("encode", ("utf-32-le", "surrogatepass"))?;
    let bytes = bytes.cast::<PyBytes>()?.as_bytes();
    let letters = bytes.chunks_exact(4).map(|four| {
        let number = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)
    });
    Ok(letters.collect())
}
