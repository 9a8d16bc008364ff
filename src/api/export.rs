//! A graph as a file of a shape that other tools read.

use polars::prelude::ParquetWriter;

use crate::choice::UnknownChoice;
use crate::error::{Error, Result};
use crate::graph::{DrugGraph, GraphShape, frames, write_shape};
use crate::schema::DrugUnit;
use crate::storage::uri::Location;
use crate::storage::write_file;
use crate::tables::pages::statistics;
use crate::tables::table_writer::common_types;
use crate::task::Task;

/// What a graph is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileShape {
    /// Text of a shape.
    Text(GraphShape),
    /// One mention a row, as Parquet.
    EdgesParquet,
}

/// A shape under its name, with the endings of files that ask for it. A new shape is a line here, and what writes it.
struct Export {
    name: &'static str,
    endings: &'static [&'static str],
    shape: FileShape,
}

const fn text(name: &'static str, endings: &'static [&'static str], shape: GraphShape) -> Export {
    Export {
        name,
        endings,
        shape: FileShape::Text(shape),
    }
}

const EXPORTS: &[Export] = &[
    text("graph", &["json"], GraphShape::Graph),
    text("node-link", &[], GraphShape::NodeLink),
    text("graphml", &["graphml"], GraphShape::GraphMl),
    text("gexf", &["gexf"], GraphShape::Gexf),
    text("edges-csv", &["csv"], GraphShape::EdgesCsv),
    text("edges-ndjson", &["ndjson", "jsonl"], GraphShape::EdgesNdjson),
    Export {
        name: "edges-parquet",
        endings: &["parquet"],
        shape: FileShape::EdgesParquet,
    },
    text("neo4j-nodes", &[], GraphShape::Neo4jNodes),
    text("neo4j-relationships", &[], GraphShape::Neo4jRelationships),
];

/// The shape that a name or, without one, the file's ending asks for.
pub fn shape_of(path: &str, name: Option<&str>) -> Result<FileShape> {
    let Some(name) = name else {
        return shape_of_ending(path);
    };
    let found = EXPORTS.iter().find(|export| export.name == name);
    found
        .map(|export| export.shape)
        .ok_or_else(|| UnknownChoice::among(name, names()).of("shape"))
}

fn names() -> impl Iterator<Item = &'static str> {
    EXPORTS.iter().map(|export| export.name)
}

/// The shape for the ending of a file's name, in small letters or capitals.
fn shape_of_ending(path: &str) -> Result<FileShape> {
    // The message below repeats the path; a URI with credentials is refused before.
    Location::parse(path)?;
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    let mut exports = EXPORTS.iter();
    let asked = exports.find(|export| export.endings.iter().any(|its| Some(*its) == ending.as_deref()));
    asked.map(|export| export.shape).ok_or_else(|| {
        let found = ending.map_or_else(
            || "a file name without an ending".to_owned(),
            |ending| format!("no shape for the ending `.{ending}`"),
        );
        let first = EXPORTS.iter().filter_map(|export| export.endings.first());
        let endings = list(first.map(|ending| format!(".{ending}")));
        let shapes = list(names().map(str::to_owned));
        let expected = format!("a name that ends in {endings}, or the argument shape: {shapes}");
        Error::argument(path.to_owned(), found, expected)
    })
}

/// Words in a sentence.
fn list(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => words.concat(),
    }
}

/// Writes a graph to one file.
pub fn write_graph(graph: &DrugGraph, path: &str, shape: FileShape, task: &Task) -> Result<()> {
    let mut bytes = Vec::new();
    match shape {
        FileShape::Text(shape) => {
            write_shape(graph, shape, &mut bytes).map_err(|error| Error::storage(path, "write", error))?;
        }
        FileShape::EdgesParquet => {
            let mut frame = frames::mentions(graph, DrugUnit::Code)?;
            ParquetWriter::new(&mut bytes)
                .with_statistics(statistics())
                .with_key_value_metadata(Some(common_types(frame.schema())))
                .finish(&mut frame)?;
        }
    }
    write_file(path, &bytes, task)
}
