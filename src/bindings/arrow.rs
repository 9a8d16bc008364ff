//! The Arrow PyCapsule interface: exports tables and imports string columns, without a copy.
//!
//! This file, `plugin.rs` and `allocator.rs` have the crate's `unsafe` code. The C structures of Arrow are plain memory
//! with a release function; polars-arrow builds and reads them. The unsafe part is to trust that a capsule with the
//! right name, which another library made, holds such a structure. The interface fixes the names
//! (<https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>), and PyO3 checks them.
#![expect(unsafe_code, reason = "the C structures of Arrow cross the border here")]

use std::ffi::CStr;

use polars::error::PolarsError;
use polars::prelude::{
    ArrowDataType, ArrowField, ChunkedArray, CompatLevel, DataFrame, DataType, PlSmallStr, SchemaExt, Series,
    StringChunked,
};
use polars_arrow::array::{Array, DictionaryArray, StructArray, Utf8Array, Utf8ViewArray};
use polars_arrow::datatypes::Metadata;
use polars_arrow::ffi::{
    ArrowArray, ArrowArrayStream, ArrowArrayStreamReader, ArrowSchema, export_array_to_c, export_field_to_c,
    export_iterator, import_array_from_c, import_field_from_c,
};
use polars_arrow::match_integer_type;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use super::errors;
use super::process::call;
use crate::error::{Error, Result};
use crate::schema::TableColumn;

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

/// A frame as a stream of record batches. Texts are exported as `large_utf8`, which every reader since Arrow 1
/// supports.
pub(super) fn stream<'py>(
    py: Python<'py>,
    frame: &DataFrame,
    columns: &[&TableColumn],
) -> PyResult<Bound<'py, PyCapsule>> {
    let field = ArrowField::new("".into(), struct_type(frame, columns), false);
    let mut frame = frame.clone();
    frame.align_chunks_par();
    let arrays: Vec<_> = records(&frame, field.dtype()).map(Ok).collect();
    PyCapsule::new_with_value(py, export_iterator(Box::new(arrays.into_iter()), field), STREAM)
}

/// Frames with the same schema as a stream of record batches. `next` returns each frame on demand, and `None` at the
/// end; its error becomes the consumer's error. The consumer may call from any thread, one at a time.
pub(super) fn stream_of<'py>(
    py: Python<'py>,
    empty: &DataFrame,
    columns: &[&TableColumn],
    mut next: impl FnMut() -> Result<Option<DataFrame>> + Send + 'static,
) -> PyResult<Bound<'py, PyCapsule>> {
    let field = ArrowField::new("".into(), struct_type(empty, columns), false);
    let data_type = field.dtype().clone();
    let arrays = std::iter::from_fn(move || {
        // A panic must not unwind through the consumer's code.
        let record = call::without_panic(|| {
            let Some(mut frame) = next()? else { return Ok(None) };
            frame.rechunk_mut();
            Ok(records(&frame, &data_type).next())
        });
        let failed =
            |error: Error| PolarsError::ComputeError(error.to_string().replace('\0', "\u{fffd}").into());
        record.map_err(failed).transpose()
    });
    PyCapsule::new_with_value(py, export_iterator(Box::new(arrays), field), STREAM)
}

/// A column as one array, after its schema.
pub(super) fn array<'py>(
    py: Python<'py>,
    column: &Series,
) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
    let array = column.rechunk().to_arrow(0, CompatLevel::oldest());
    let field = ArrowField::new(column.name().clone(), array.dtype().clone(), true);
    Ok((
        PyCapsule::new_with_value(py, export_field_to_c(&field), SCHEMA)?,
        PyCapsule::new_with_value(py, export_array_to_c(array), ARRAY)?,
    ))
}

/// The record batches of a frame, one for each chunk.
fn records<'f>(
    frame: &'f DataFrame,
    data_type: &'f ArrowDataType,
) -> impl Iterator<Item = Box<dyn Array>> + 'f {
    frame.iter_chunks(CompatLevel::oldest(), false).map(|batch| {
        let length = batch.len();
        StructArray::new(data_type.clone(), length, batch.into_arrays(), None).boxed()
    })
}

/// The schema of a frame.
pub(super) fn schema<'py>(
    py: Python<'py>,
    frame: &DataFrame,
    columns: &[&TableColumn],
) -> PyResult<Bound<'py, PyCapsule>> {
    let field = ArrowField::new("".into(), struct_type(frame, columns), false);
    PyCapsule::new_with_value(py, export_field_to_c(&field), SCHEMA)
}

/// The fields of a frame; those of known columns with their descriptions.
fn struct_type(frame: &DataFrame, columns: &[&TableColumn]) -> ArrowDataType {
    let schema = frame.schema().to_arrow(CompatLevel::oldest());
    let fields = schema.iter_values().map(|field| {
        let known = columns.iter().find(|column| field.name == column.name);
        match known {
            Some(column) => field.clone().with_metadata(metadata(column)),
            None => field.clone(),
        }
    });
    ArrowDataType::Struct(fields.collect())
}

fn metadata(column: &TableColumn) -> Metadata {
    let pairs = [
        ("description", column.description),
        ("term", column.term),
        ("example", column.example),
    ];
    pairs
        .into_iter()
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}

/// A string column of another library, or `None` for an object without the interface.
pub(super) fn texts(object: &Bound<'_, PyAny>) -> PyResult<Option<StringChunked>> {
    let (name, chunks) = if object.hasattr("__arrow_c_stream__")? {
        read_stream(&object.call_method0("__arrow_c_stream__")?)?
    } else if object.hasattr("__arrow_c_array__")? {
        read_array(&object.call_method0("__arrow_c_array__")?)?
    } else {
        return Ok(None);
    };
    let refused = |found: String| {
        PyTypeError::new_err(format!(
            "expected a column of strings, found {found}; select one column of text"
        ))
    };
    let name: PlSmallStr = name.into();
    let chunks = chunks.into_iter().map(spelled_out).collect::<Vec<_>>();
    let series = Series::try_from((name, chunks)).map_err(|error: PolarsError| refused(error.to_string()))?;
    let series = match series.dtype() {
        DataType::String => series,
        DataType::Struct(fields) if fields.len() == 1 => {
            let only = series.struct_().map(ChunkedArray::fields_as_series);
            only.map_err(|error| refused(error.to_string()))?
                .into_iter()
                .next()
                .unwrap_or(series)
        }
        DataType::Null => series
            .cast(&DataType::String)
            .map_err(|error| refused(error.to_string()))?,
        other => return Err(refused(other.to_string())),
    };
    let texts = series.str().map_err(|_| refused(series.dtype().to_string()))?;
    match first_without_text(texts) {
        None => Ok(Some(texts.clone())),
        Some(row) => {
            let found = format!("row {row} (counted from 0) of the column is not UTF-8");
            let expected = "a column of UTF-8 text: decode its bytes before you pass it";
            Err(errors::exception(
                object.py(),
                &Error::argument("texts", found, expected),
            ))
        }
    }
}

/// The first row whose bytes are not UTF-8. The interface requires UTF-8 and checks nothing, and a matcher that reads
/// other bytes as text would end the process.
fn first_without_text(texts: &StringChunked) -> Option<usize> {
    let chunks: Vec<_> = texts.downcast_iter().map(Utf8ViewArray::to_binview).collect();
    let mut values = chunks.iter().flat_map(|chunk| chunk.iter());
    values.position(|value| value.is_some_and(|bytes| std::str::from_utf8(bytes).is_err()))
}

/// The texts of a dictionary array (categories); any other array unchanged.
fn spelled_out(chunk: Box<dyn Array>) -> Box<dyn Array> {
    let ArrowDataType::Dictionary(keys, ..) = chunk.dtype() else {
        return chunk;
    };
    match_integer_type!(keys, |$key| {
        let Some(dictionary) = chunk.as_any().downcast_ref::<DictionaryArray<$key>>() else { return chunk };
        let Some(values) = texts_of(dictionary.values().as_ref()) else { return chunk };
        let texts = dictionary.keys_iter().map(|key| key.and_then(|key| values.get(key).copied().flatten()));
        Utf8ViewArray::from_slice(texts.collect::<Vec<_>>()).boxed()
    })
}

fn texts_of(values: &dyn Array) -> Option<Vec<Option<&str>>> {
    let any = values.as_any();
    if let Some(values) = any.downcast_ref::<Utf8Array<i32>>() {
        return Some(values.iter().collect());
    }
    if let Some(values) = any.downcast_ref::<Utf8Array<i64>>() {
        return Some(values.iter().collect());
    }
    any.downcast_ref::<Utf8ViewArray>()
        .map(|values| values.iter().collect())
}

type Chunks = (String, Vec<Box<dyn Array>>);

fn read_stream(capsule: &Bound<'_, PyAny>) -> PyResult<Chunks> {
    let capsule = capsule.cast::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(Some(STREAM))?.cast::<ArrowArrayStream>();
    // SAFETY: a capsule of this name holds such a structure, and the interface lets the consumer move it out if it
    // leaves a released one, which the capsule's owner then frees.
    let stream = unsafe { pointer.replace(ArrowArrayStream::empty()) };
    // SAFETY: as above; the producer guarantees the stream's contract.
    let mut reader =
        unsafe { ArrowArrayStreamReader::try_new(Box::new(stream)) }.map_err(|error| broken(&error))?;
    let mut chunks = Vec::new();
    // SAFETY: as above.
    while let Some(chunk) = unsafe { reader.next() } {
        chunks.push(chunk.map_err(|error| broken(&error))?);
    }
    if chunks.is_empty() {
        chunks.push(polars_arrow::array::new_empty_array(
            reader.field().dtype().clone(),
        ));
    }
    Ok((reader.field().name.to_string(), chunks))
}

fn read_array(pair: &Bound<'_, PyAny>) -> PyResult<Chunks> {
    let pair = pair.cast::<PyTuple>()?;
    let (schema, array) = (pair.get_item(0)?, pair.get_item(1)?);
    let schema = schema
        .cast::<PyCapsule>()?
        .pointer_checked(Some(SCHEMA))?
        .cast::<ArrowSchema>();
    let array = array
        .cast::<PyCapsule>()?
        .pointer_checked(Some(ARRAY))?
        .cast::<ArrowArray>();
    // SAFETY: a capsule of this name holds such a structure; the schema is only read.
    let field = unsafe { import_field_from_c(schema.as_ref()) }.map_err(|error| broken(&error))?;
    // SAFETY: as for the stream: moved out, with a released structure left behind.
    let array = unsafe { array.replace(ArrowArray::empty()) };
    // SAFETY: the array has the type of its schema; the producer guarantees it.
    let array =
        unsafe { import_array_from_c(array, field.dtype().clone()) }.map_err(|error| broken(&error))?;
    Ok((field.name.to_string(), vec![array]))
}

fn broken(error: &PolarsError) -> PyErr {
    PyTypeError::new_err(format!("the Arrow column cannot be read: {error}"))
}
