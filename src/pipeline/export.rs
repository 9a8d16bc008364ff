//! A graph as a file of a shape that other tools read.

use polars::prelude::ParquetWriter;

use super::frames::{common_types, statistics};
use crate::error::{Error, Result};
use crate::graph::{DrugGraph, Shape, frames, write_shape};
use crate::schema::DrugUnit;
#[cfg(feature = "cloud")]
use crate::storage::replace_object;
use crate::storage::uri::Place;
use crate::storage::{LocalStorage, Storage, Written, write_target};
use crate::task::Task;

/// What a graph is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileShape {
    /// Text of a shape.
    Text(Shape),
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
        "graph" => Shape::Graph,
        "node-link" => Shape::NodeLink,
        "graphml" => Shape::GraphMl,
        "gexf" => Shape::Gexf,
        "edges-csv" => Shape::EdgesCsv,
        "edges-ndjson" => Shape::EdgesNdjson,
        "edges-parquet" => return Ok(FileShape::EdgesParquet),
        "neo4j-nodes" => Shape::Neo4jNodes,
        "neo4j-relationships" => Shape::Neo4jRelationships,
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

/// Writes one file whole or not at all, by the commit protocol of its folder, which must exist; or as one object.
pub(super) fn write_file(path: &str, bytes: &[u8], task: &Task) -> Result<()> {
    let path = match Place::parse(path)? {
        Place::Local(path) => path,
        #[cfg(feature = "cloud")]
        Place::Bucket(uri) => return replace_object(&uri, bytes, task),
        #[cfg(not(feature = "cloud"))]
        Place::Bucket(_) => crate::storage::uri::local_path(path)?,
    };
    task.check()?;
    let path = write_target(&path, Written::File)?;
    let parent = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = parent.map_or_else(|| ".".into(), ToOwned::to_owned);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if !folder.is_dir() {
        let found = std::io::ErrorKind::NotFound.into();
        return Err(Error::storage(
            path.display(),
            "write, for there is no such folder",
            found,
        ));
    }
    LocalStorage::existing(folder)?.plain().put(&name, bytes)
}
