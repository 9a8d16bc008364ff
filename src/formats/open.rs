//! Chooses the reader for the content of a source that is no archive.

use super::batch::RowReader;
use super::bytes::input::Input;
use super::csv::CsvReader;
use super::fields::Fields;
use super::json::array::JsonReader;
use super::json::head::shape;
use super::json::ndjson::NdjsonReader;
#[cfg(feature = "tables")]
use super::parquet::ParquetReader;
use super::pubmed::tagged_reader::TaggedReader;
use super::pubmed::xml_reader::PubmedXmlReader;
use super::shaped::ShapedReader;
use super::sniff::{TextFormat, text_format};
use crate::error::{Error, Result};

/// Opens the reader for the content of an input that is no archive.
pub(crate) fn open_plain<'f>(mut input: Input, shapes: &'f [Fields]) -> Result<Box<dyn RowReader + 'f>> {
    #[cfg(feature = "tables")]
    if let Some((uri, file, most_ratio)) = input.take_parquet()? {
        return Ok(Box::new(ParquetReader::new(uri, file, shapes, most_ratio)?));
    }
    let fields = shapes
        .first()
        .ok_or_else(|| Error::internal("a source without a shape"))?;
    input.first_letter()?;
    let format = text_format(input.head());
    let number = match format {
        TextFormat::JsonArray | TextFormat::JsonObjects => shape(input.head(), shapes),
        _ => 0,
    };
    let its = shapes.get(number).unwrap_or(fields);
    Ok(match format {
        TextFormat::JsonArray => ShapedReader::boxed(number, JsonReader::new(input, its)),
        TextFormat::JsonObjects => ShapedReader::boxed(number, NdjsonReader::new(input, its)),
        TextFormat::PubmedXml if fields.are_publications() => Box::new(PubmedXmlReader::new(input, fields)),
        TextFormat::PubmedXml | TextFormat::OtherXml => return Err(refused(&input, fields, "XML or HTML")),
        TextFormat::Tagged(dialect) if fields.are_publications() => {
            Box::new(TaggedReader::new(input, fields, dialect))
        }
        TextFormat::Tagged(dialect) => return Err(refused(&input, fields, dialect.title())),
        TextFormat::Delimited => Box::new(CsvReader::new(input, shapes)?),
    })
}

/// The error for a text whose format does not fit these fields.
fn refused(input: &Input, fields: &Fields, found: &str) -> Error {
    let remedy = if fields.are_publications() {
        "expected PubMed's XML, MEDLINE, RIS, Ovid, CSV with a header line, a JSON array, NDJSON or Parquet"
    } else {
        "expected CSV with a header line, a JSON array, NDJSON or Parquet"
    };
    Error::format(input.uri(), "byte 0", found, remedy)
}
