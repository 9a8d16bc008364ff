//! The expressions of `drugs_rs.polars`, as C functions that polars finds in this library by name.
//!
//! polars calls two functions for each expression. One returns the type of the result when a query is planned. The
//! other computes it on a thread of polars, without the interpreter and its lock. Columns and types are passed in the C
//! structures of Arrow; if a result is not written, polars reads an error message.
//!
//! The macro of pyo3-polars would write these functions, but it converts the columns' types before any of our code
//! runs, and panics on a type that this build does not know, with a message that does not help a user.
//!
//! This file, `arrow.rs` and `allocator.rs` have the crate's `unsafe` code. The unsafe part is to trust that polars
//! passes what version 0.1 of its interface specifies, which is the version that `_polars_plugin_get_version` (of
//! pyo3-polars) reports.
#![expect(
    unsafe_code,
    reason = "polars calls its plugins through C functions with pointers"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use polars::error::PolarsError;
use polars::prelude::{ArrowDataType, CompatLevel, DataType, Field, Series, StringChunked};
use polars_arrow::ffi::{ArrowSchema, export_field_to_c, import_field_from_c};
use pyo3_polars::derive::{_parse_kwargs, _update_last_error};
use pyo3_polars::export::polars_ffi::version_0::{
    CallerContext, SeriesExport, export_series, import_series_buffer,
};
use serde::Deserialize;

use super::matcher_registry;
use crate::api::match_column;
use crate::bindings::process::call;
use crate::error::{Error, Result};
use crate::matcher::Matcher;
use crate::task::Task;

/// The arguments of `drugs_rs.polars` besides the column.
#[derive(Deserialize)]
struct Keywords {
    /// The fingerprint of a kept matcher.
    matcher: String,
}

/// The work of an expression.
type Work = fn(&Matcher, &StringChunked) -> Result<Series>;

/// Defines the functions of one expression. polars requires the prefixes `_polars_plugin_` and `_polars_plugin_field_`.
macro_rules! expression {
    ($compute:ident, $plan:ident, $work:expr, $data_type:expr) => {
        /// Computes the expression.
        ///
        /// # Safety
        ///
        /// Only for polars, with the arguments of version 0.1 of its interface.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $compute(
            columns: *mut SeriesExport,
            count: usize,
            keywords: *const u8,
            length: usize,
            result: *mut SeriesExport,
            _context: *const CallerContext,
        ) {
            // SAFETY: passed on unchanged.
            answering(|| unsafe { compute(columns, count, keywords, length, result, $work) });
        }

        /// Returns the type of the expression.
        ///
        /// # Safety
        ///
        /// Only for polars, with the arguments of version 0.1 of its interface.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $plan(
            fields: *const ArrowSchema,
            count: usize,
            result: *mut ArrowSchema,
            _keywords: *const u8,
            _length: usize,
        ) {
            // SAFETY: passed on unchanged.
            answering(|| unsafe { plan(fields, count, result, $data_type) });
        }
    };
}

expression!(
    _polars_plugin_find,
    _polars_plugin_field_find,
    |matcher, texts| match_column::mentions(matcher, texts, &Task::new()),
    match_column::mentions_type()
);
expression!(
    _polars_plugin_count,
    _polars_plugin_field_count,
    match_column::counts,
    DataType::UInt32
);
expression!(
    _polars_plugin_contains,
    _polars_plugin_field_contains,
    match_column::any,
    DataType::Boolean
);

/// Stores a message for polars if work fails or panics.
fn answering(work: impl FnOnce() -> Result<()>) {
    /// pyo3-polars sets its own panic hook when polars first asks for the version, before any other call.
    static HOOK: Once = Once::new();
    HOOK.call_once(call::keep_panics_quiet);
    if let Err(error) = call::without_panic(work) {
        // The message is passed as a C string, which a NUL in a column's name would end early.
        let message = error.to_string().replace('\0', "\u{fffd}");
        _update_last_error(PolarsError::ComputeError(message.into()));
    }
}

unsafe fn compute(
    columns: *mut SeriesExport,
    count: usize,
    keywords: *const u8,
    length: usize,
    result: *mut SeriesExport,
    work: Work,
) -> Result<()> {
    // SAFETY: polars passes `count` exported columns and their ownership; `plan` has checked their types.
    let columns = unsafe { import_series_buffer(columns, count) }?;
    // SAFETY: polars passes a pointer to this many bytes, which stay valid during the call.
    let keywords = unsafe { std::slice::from_raw_parts(keywords, length) };
    let Keywords { matcher } = _parse_kwargs(keywords)?;
    let matcher = matcher_registry::matcher(&matcher)?;
    let [column] = columns.as_slice() else {
        return Err(one_column(count));
    };
    // A column of only nulls has no type: all its texts are missing.
    let found = work(&matcher, column.cast(&DataType::String)?.str()?)?;
    // SAFETY: polars passes a pointer to an empty structure.
    unsafe { *result = export_series(&found) };
    Ok(())
}

unsafe fn plan(
    fields: *const ArrowSchema,
    count: usize,
    result: *mut ArrowSchema,
    data_type: DataType,
) -> Result<()> {
    // SAFETY: polars passes `count` exported fields, and keeps their ownership.
    let [field] = (unsafe { std::slice::from_raw_parts(fields, count) }) else {
        return Err(one_column(count));
    };
    // SAFETY: as above.
    let field = unsafe { import_field_from_c(field) }?;
    use ArrowDataType::{LargeUtf8, Null, Utf8, Utf8View};
    if !matches!(field.dtype(), Utf8View | LargeUtf8 | Utf8 | Null) {
        let found = format!("`{}` is {}", field.name, type_name(field.dtype()));
        let expected = "a column of strings: select a column of text, or make one with .cast(polars.String)";
        return Err(Error::argument("texts", found, expected));
    }
    let field = Field::new(field.name, data_type).to_arrow(CompatLevel::newest());
    // SAFETY: polars passes a pointer to an empty structure.
    unsafe { *result = export_field_to_c(&field) };
    Ok(())
}

/// The error for a wrong number of columns; our Python function passes one.
fn one_column(count: usize) -> Error {
    Error::argument("texts", format!("{count} columns"), "one column of strings")
}

/// polars' name of a type, for the types that this build knows.
fn type_name(data_type: &ArrowDataType) -> String {
    match data_type {
        ArrowDataType::Dictionary(..) => "categorical".to_owned(),
        _ => catch_unwind(AssertUnwindSafe(|| {
            DataType::from_arrow_dtype(data_type).to_string()
        }))
        .unwrap_or_else(|_| format!("{data_type:?}")),
    }
}
