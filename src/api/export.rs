//! A graph as a file of a shape that other tools read.

use polars::prelude::ParquetWriter;

use crate::error::{Error, Result};
use crate::graph::{DrugGraph, GraphShape, frames, write_shape};
use crate::schema::DrugUnit;
pub use crate::storage::write_file;
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

/// The shape that a name or, without one, the file's ending asks for.
pub fn shape_of(path: &str, name: Option<&str>) -> Result<FileShape> {
    let name = match name {
        Some(name) => name,
        None => shape_of_ending(path)?,
    };
    Ok(FileShape::Text(match name {
        "graph" => GraphShape::Graph,
        "node-link" => GraphShape::NodeLink,
        "graphml" => GraphShape::GraphMl,
        "gexf" => GraphShape::Gexf,
        "edges-csv" => GraphShape::EdgesCsv,
        "edges-ndjson" => GraphShape::EdgesNdjson,
        "edges-parquet" => return Ok(FileShape::EdgesParquet),
        "neo4j-nodes" => GraphShape::Neo4jNodes,
        "neo4j-relationships" => GraphShape::Neo4jRelationships,
        other => return Err(Error::argument("shape", format!("`{other}`"), SHAPES)),
    }))
}

const SHAPES: &str = "graph, node-link, graphml, gexf, edges-csv, edges-ndjson, edges-parquet, neo4j-nodes or \
                      neo4j-relationships";

/// The shape for the ending of a file's name, in small letters or capitals.
fn shape_of_ending(path: &str) -> Result<&'static str> {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("json") => Ok("graph"),
        Some("graphml") => Ok("graphml"),
        Some("gexf") => Ok("gexf"),
        Some("csv") => Ok("edges-csv"),
        Some("ndjson" | "jsonl") => Ok("edges-ndjson"),
        Some("parquet") => Ok("edges-parquet"),
        other => {
            let found = other.map_or_else(
                || "a file name without an ending".to_owned(),
                |ending| format!("no shape for the ending `.{ending}`"),
            );
            let expected = format!(
                "a name that ends in .json, .graphml, .gexf, .csv, .ndjson or .parquet, or the argument shape: {SHAPES}"
            );
            Err(Error::argument(path.to_owned(), found, expected))
        }
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
