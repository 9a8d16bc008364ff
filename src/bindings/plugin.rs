//! The expressions of `drugs_rs.polars` as polars calls them: C functions that it finds in this library by name.
//!
//! polars calls two functions for each expression. One says of which type the result is, when a query is planned; the
//! other computes, on a thread of polars, without the interpreter and its lock. Columns and types come and go in the C
//! structures of Arrow; a result that is not written means that there is a message to ask for.
//!
//! The macro of pyo3-polars would write these functions, but it takes types of columns apart before it asks anybody, and
//! one that this build does not know is a panic there, which tells a user nothing.
//!
//! Beside `arrow.rs` and `allocator.rs` this is a file with `unsafe` code: what is unsafe is to trust that polars passes what version 0.1
//! of its interface says, which is the version that `_polars_plugin_get_version` (of pyo3-polars) tells it we speak.
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

use super::{call, kept};
use crate::api::match_column;
use crate::error::{Error, Result};
use crate::matcher::Matcher;

/// What `drugs_rs.polars` says beside the column.
#[derive(Deserialize)]
struct Keywords {
    /// The fingerprint of a kept matcher.
    matcher: String,
}

/// The work of an expression.
type Work = fn(&Matcher, &StringChunked) -> Result<Series>;

/// Writes the functions of one expression. The names are polars' rule: `_polars_plugin_` and `_polars_plugin_field_`.
macro_rules! expression {
    ($compute:ident, $plan:ident, $work:expr, $data_type:expr) => {
        /// Computes the expression.
        ///
        /// # Safety
        ///
        /// For polars to call, with what version 0.1 of its interface says.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $compute(
            columns: *mut SeriesExport,
            count: usize,
            keywords: *const u8,
            length: usize,
            result: *mut SeriesExport,
            _context: *const CallerContext,
        ) {
            // SAFETY: handed on as it came.
            answering(|| unsafe { compute(columns, count, keywords, length, result, $work) });
        }

        /// Says the type of the expression.
        ///
        /// # Safety
        ///
        /// For polars to call, with what version 0.1 of its interface says.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $plan(
            fields: *const ArrowSchema,
            count: usize,
            result: *mut ArrowSchema,
            _keywords: *const u8,
            _length: usize,
        ) {
            // SAFETY: handed on as it came.
            answering(|| unsafe { plan(fields, count, result, $data_type) });
        }
    };
}

expression!(
    _polars_plugin_find,
    _polars_plugin_field_find,
    match_column::mentions,
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

/// Leaves a message where polars looks for it when work fails or panics.
fn answering(work: impl FnOnce() -> Result<()>) {
    /// pyo3-polars sets a panic hook of its own when polars first asks for the version, before any other call.
    static HOOK: Once = Once::new();
    HOOK.call_once(call::keep_panics_quiet);
    if let Err(error) = call::without_panic(work) {
        // The message crosses as a C string, which a NUL inside a column's name would end early.
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
    // SAFETY: polars passes `count` exported columns and gives them away; their types passed `plan` before.
    let columns = unsafe { import_series_buffer(columns, count) }?;
    // SAFETY: polars passes so many bytes, which stay there during the call.
    let keywords = unsafe { std::slice::from_raw_parts(keywords, length) };
    let Keywords { matcher } = _parse_kwargs(keywords)?;
    let matcher = kept::matcher(&matcher)?;
    let [column] = columns.as_slice() else {
        return Err(one_column(count));
    };
    // A column of nulls alone has no type, and stands for texts that are all missing.
    let found = work(&matcher, column.cast(&DataType::String)?.str()?)?;
    // SAFETY: polars passes a place with an empty structure in it.
    unsafe { *result = export_series(&found) };
    Ok(())
}

unsafe fn plan(
    fields: *const ArrowSchema,
    count: usize,
    result: *mut ArrowSchema,
    data_type: DataType,
) -> Result<()> {
    // SAFETY: polars passes `count` exported fields, which stay its own.
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
    // SAFETY: polars passes a place with an empty structure in it.
    unsafe { *result = export_field_to_c(&field) };
    Ok(())
}

/// The function in Python passes one.
fn one_column(count: usize) -> Error {
    Error::argument("texts", format!("{count} columns"), "one column of strings")
}

/// What polars calls a type, as far as this build knows it.
fn type_name(data_type: &ArrowDataType) -> String {
    match data_type {
        ArrowDataType::Dictionary(..) => "categorical".to_owned(),
        _ => catch_unwind(AssertUnwindSafe(|| {
            DataType::from_arrow_dtype(data_type).to_string()
        }))
        .unwrap_or_else(|_| format!("{data_type:?}")),
    }
}
