//! Converts Python's arguments for the core.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chrono::NaiveDate;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::choice::Choice;
use crate::error::Error;
use crate::fetch::parse_day;
use crate::formats::Encoding;
use crate::gold::mentions::SearchSettings;
use crate::ingest::parallel_reader::OnBadFile;
use crate::lake::dt::{Dt, DtRange, RunDates};
use crate::lake::states::KeepStates;
use crate::matcher::{MatcherOption, MatcherSettings, OPTIONS, OptionKind};
use crate::schema::{DrugUnit, GraphOutput, PublicationStatus, SearchedField, SearchedFields, SourceTable};
use crate::steps::silver::ExpectedRows;
use crate::text::date::NumericOrder;

use super::errors::exception;

/// A path or URI: a string or an `os.PathLike`.
pub(super) fn path(value: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    path_or(value, name, "")
}

fn path_or(value: &Bound<'_, PyAny>, name: &str, or: &str) -> PyResult<String> {
    if let Ok(text) = value.extract::<String>() {
        return Ok(text);
    }
    if value.is_instance_of::<PyString>() || value.hasattr("__fspath__")? {
        let Ok(path) = value.extract::<PathBuf>() else {
            let found = format!("{} without a path in UTF-8", value.get_type().name()?);
            return Err(exception(
                value.py(),
                &Error::argument(name, found, "a path in UTF-8"),
            ));
        };
        return path.into_os_string().into_string().map_err(|path| {
            let error = Error::argument(
                name,
                format!("{} is not UTF-8", path.to_string_lossy()),
                "a path in UTF-8",
            );
            exception(value.py(), &error)
        });
    }
    Err(PyTypeError::new_err(format!(
        "{name} must be a path (str or os.PathLike){or}, not {}",
        value.get_type().name()?
    )))
}

/// The lake that a step writes to: `lake`, or `out`, its former name.
pub(super) fn lake(
    lake: Option<&Bound<'_, PyAny>>,
    out: Option<&Bound<'_, PyAny>>,
    function: &str,
) -> PyResult<String> {
    match (lake, out) {
        (Some(lake), None) => path(lake, "lake"),
        (None, Some(out)) => path(out, "out"),
        (Some(_), Some(_)) => Err(PyTypeError::new_err(format!(
            "{function}() got both 'lake' and 'out', which is another name for it"
        ))),
        (None, None) => Err(PyTypeError::new_err(format!(
            "{function}() missing 1 required keyword-only argument: 'lake'"
        ))),
    }
}

/// A source: a path or a list of paths.
pub(super) fn paths(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<String>> {
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        return value.try_iter()?.map(|item| path(&item?, name)).collect();
    }
    Ok(vec![path_or(value, name, " or a list of them")?])
}

/// A logical date: an ISO date or a `datetime.date`.
pub(super) fn dt(value: &Bound<'_, PyAny>) -> PyResult<Dt> {
    Dt::parse(&day_text(value, "dt")?).map_err(|error| exception(value.py(), &error))
}

/// A day: an ISO date or a `datetime.date`.
pub(super) fn day(value: &Bound<'_, PyAny>, name: &str) -> PyResult<NaiveDate> {
    parse_day(name, &day_text(value, name)?).map_err(|error| exception(value.py(), &error))
}

fn day_text(value: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    if value.is_instance_of::<PyString>() {
        return text(value, name);
    }
    if value.hasattr("isoformat")? {
        let text = text(&value.call_method0("isoformat")?, name)?;
        // The day of a datetime.
        return Ok(text.get(..10).unwrap_or(&text).to_owned());
    }
    Err(PyTypeError::new_err(format!(
        "{name} must be an ISO date such as \"2026-11-22\" or a datetime.date, not {}",
        value.get_type().name()?
    )))
}

/// The dates of a run: `dt`, or `dates`.
pub(super) fn dates(dt: Option<&Bound<'_, PyAny>>, dates: Option<&Bound<'_, PyAny>>) -> PyResult<RunDates> {
    match (dt, dates) {
        (Some(dt), None) => self::dt(dt).map(RunDates::One),
        (None, Some(dates)) => {
            let range = DtRange::parse(&text(dates, "dates")?);
            range
                .map(RunDates::Each)
                .map_err(|error| exception(dates.py(), &error))
        }
        (Some(_), Some(dates)) => {
            let error = Error::argument("dates", "both `dt` and `dates`", "one of them");
            Err(exception(dates.py(), &error))
        }
        (None, None) => Err(PyTypeError::new_err(
            "run() missing 1 required keyword-only argument: 'dt', or 'dates'",
        )),
    }
}

/// The value with a name, or an error that lists all names.
pub(super) fn choice<T: Choice>(py: Python<'_>, argument: &str, name: &str) -> PyResult<T> {
    T::from_choice_name(name).map_err(|unknown| exception(py, &unknown.of(argument)))
}

/// An encoding; UTF-8 for `None`.
pub(super) fn encoding(py: Python<'_>, value: Option<&str>) -> PyResult<Encoding> {
    value.map_or(Ok(Encoding::default()), |name| choice(py, "encoding", name))
}

/// The reaction to an unreadable file.
pub(super) fn on_bad_file(py: Python<'_>, name: &str) -> PyResult<OnBadFile> {
    choice(py, "on_bad_file", name)
}

/// By which share the rows of a delivery may differ.
pub(super) fn expect_rows(py: Python<'_>, value: Option<&str>) -> PyResult<Option<ExpectedRows>> {
    let share = value.map(ExpectedRows::parse).transpose();
    share.map_err(|error| exception(py, &error))
}

/// The name or place of a contract.
pub(super) fn contract(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<String>> {
    value
        .filter(|value| !value.is_none())
        .map(|value| path(value, "contract"))
        .transpose()
}

/// Whether gold writes the graph as a file.
pub(super) fn graph(py: Python<'_>, name: &str) -> PyResult<GraphOutput> {
    choice(py, "graph", name)
}

/// How long earlier states are kept.
pub(super) fn keep(value: &Bound<'_, PyAny>) -> PyResult<KeepStates> {
    if !value.is_instance_of::<PyString>() {
        let found = value.get_type().name()?;
        let message = format!("keep must be a string such as \"30 days\" or \"10 states\", not {found}");
        return Err(PyTypeError::new_err(message));
    }
    let parsed = text(value, "keep")?.parse();
    parsed.map_err(|error| exception(value.py(), &error))
}

/// The names in a list, each of them a choice; a single name is one, too.
fn choices<T: Choice>(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<T>> {
    let names = match value.is_instance_of::<PyString>() {
        true => vec![text(value, name)?],
        false => texts(value, name)?,
    };
    names.iter().map(|one| choice(value.py(), name, one)).collect()
}

/// Which texts of which publications are searched.
pub(super) fn search(
    py: Python<'_>,
    fields: Option<&Bound<'_, PyAny>>,
    abstracts: bool,
    exclude_status: Option<&Bound<'_, PyAny>>,
) -> PyResult<SearchSettings> {
    let fields = match fields {
        Some(fields) => {
            SearchedFields::of(choices(fields, "fields")?).map_err(|error| exception(py, &error))?
        }
        None => SearchedFields::default(),
    };
    Ok(SearchSettings {
        fields: match abstracts {
            true => fields.with(SearchedField::Abstract),
            false => fields,
        },
        exclude_status: statuses(exclude_status)?,
    })
}

/// The statuses of publications that are left out.
pub(super) fn statuses(value: Option<&Bound<'_, PyAny>>) -> PyResult<BTreeSet<PublicationStatus>> {
    let Some(value) = value else {
        return Ok(BTreeSet::new());
    };
    Ok(choices(value, "exclude_status")?.into_iter().collect())
}

/// What counts as one drug.
pub(super) fn unit(py: Python<'_>, name: &str) -> PyResult<DrugUnit> {
    choice(py, "unit", name)
}

/// Readers of whole numbers, one for each argument: Python's own error for a negative number does not name the
/// argument.
macro_rules! whole_numbers {
    ($($name:ident)*) => {
        $(pub(super) fn $name(value: &Bound<'_, PyAny>) -> PyResult<u64> {
            whole_number(value, stringify!($name))
        })*
    };
}

whole_numbers! { n max_ratio max_exclusive min_count min_publications batch_rows seed articles trials drugs journals files start end parallel attempts timeout }

/// Readers of whole numbers that may be `None`.
macro_rules! optional_whole_numbers {
    ($($name:ident)*) => {
        $(pub(super) fn $name(value: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
            (!value.is_none()).then(|| whole_number(value, stringify!($name))).transpose()
        })*
    };
}

optional_whole_numbers! { delivery of first limit }

fn whole_number(value: &Bound<'_, PyAny>, name: &str) -> PyResult<u64> {
    value.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyTypeError>(value.py()) {
            let found = value
                .get_type()
                .name()
                .map_or_else(|_| "another object".to_owned(), |name| name.to_string());
            return PyTypeError::new_err(format!("{name}: expected a whole number, found {found}"));
        }
        if !error.is_instance_of::<PyOverflowError>(value.py()) {
            return error;
        }
        let found = value
            .str()
            .map_or_else(|_| "too large".to_owned(), |text| text.to_string());
        let error = Error::argument(name, found, format!("a whole number from 0 to {}", u64::MAX));
        exception(value.py(), &error)
    })
}

/// The order of numeric dates.
pub(super) fn order(month_first: bool) -> NumericOrder {
    if month_first {
        NumericOrder::MonthFirst
    } else {
        NumericOrder::DayFirst
    }
}

/// A Python string. Python's own errors for other types do not always name the argument.
pub(super) fn string<'b, 'py>(
    value: &'b Bound<'py, PyAny>,
    name: &str,
) -> PyResult<&'b Bound<'py, PyString>> {
    value.cast().map_err(|_| match value.get_type().name() {
        Ok(found) => PyTypeError::new_err(format!("{name} must be a string, not {found}")),
        Err(error) => error,
    })
}

/// A string in UTF-8.
pub(super) fn text(value: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    string(value, name)?.extract().map_err(|_| {
        let found = "a string with half of a surrogate pair, which UTF-8 cannot hold";
        exception(value.py(), &Error::argument(name, found, "text"))
    })
}

/// Readers of strings and of lists of them, one for each argument, for the errors of [`text`].
macro_rules! texts {
    ($($reader:ident $name:literal)*) => {
        $(pub(super) fn $reader(value: &Bound<'_, PyAny>) -> PyResult<String> {
            text(value, $name)
        })*
    };
}

texts! {
    atccode_text "atccode" drug_text "drug" surface_text "surface" rule_text "rule"
}

/// The strings of any iterable except a string. Its reported length is not trusted.
pub(super) fn texts(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<String>> {
    let is_text = value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>();
    let Some(items) = (!is_text).then(|| value.try_iter().ok()).flatten() else {
        return Err(PyTypeError::new_err(format!(
            "{name} must be a list of strings, not {}",
            value.get_type().name()?
        )));
    };
    // `collect` would ask for the length.
    let mut found = Vec::new();
    for item in items {
        found.push(text(&item?, name)?);
    }
    Ok(found)
}

/// The settings of a matcher, from the keywords of a function that are options of the matcher.
pub(super) fn matcher_settings(
    function: &str,
    given: Option<&Bound<'_, PyDict>>,
) -> PyResult<MatcherSettings> {
    let mut settings = MatcherSettings::default();
    let Some(given) = given else { return Ok(settings) };
    for name in given.keys() {
        if !OPTIONS.iter().any(|option| name.eq(option.name).unwrap_or(false)) {
            let message = format!("{function}() got an unexpected keyword argument '{name}'");
            return Err(PyTypeError::new_err(message));
        }
    }
    // In the order of the list, whatever the caller's: an option may add to an earlier one.
    for option in OPTIONS {
        if let Some(value) = given.get_item(option.name)? {
            put_option(&mut settings, option, &value)?;
        }
    }
    Ok(settings)
}

fn put_option(
    settings: &mut MatcherSettings,
    option: &MatcherOption,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = value.py();
    // What pyo3 notes for the arguments that it knows itself; before Python 3.11 exceptions have no notes.
    let noted = |error: PyErr| {
        let note = format!("while processing '{}'", option.name);
        let _ = error.value(py).call_method1("add_note", (note,));
        error
    };
    match option.kind {
        OptionKind::Switch(set) => set(settings, value.extract().map_err(noted)?),
        OptionKind::Word { choice, .. } => {
            let text: String = value.extract().map_err(noted)?;
            choice
                .set(settings, &text)
                .map_err(|unknown| exception(py, &unknown.of(option.name)))?;
        }
        OptionKind::Names { .. } if value.is_none() => {}
        OptionKind::Names { set, .. } => set(settings, texts(value, option.name).map_err(noted)?),
    }
    Ok(())
}

/// The tables of a silver step.
pub(super) fn tables(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Vec<SourceTable>>> {
    let Some(value) = value else { return Ok(None) };
    let names = paths(value, "tables")?;
    let tables = names.iter().map(|name| choice(value.py(), "tables", name));
    tables.collect::<PyResult<_>>().map(Some)
}
