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
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let name = name.unwrap_or(match ending {
        "graphml" => "graphml",
        "csv" => "edges-csv",
        "ndjson" | "jsonl" => "edges-ndjson",
        "parquet" => "edges-parquet",
        _ => "graph",
    });
    Ok(FileShape::Text(match name {
        "graph" => Shape::Graph,
        "node-link" => Shape::NodeLink,
        "graphml" => Shape::GraphMl,
        "edges-csv" => Shape::EdgesCsv,
        "edges-ndjson" => Shape::EdgesNdjson,
        "edges-parquet" => return Ok(FileShape::EdgesParquet),
        "neo4j-nodes" => Shape::Neo4jNodes,
        "neo4j-relationships" => Shape::Neo4jRelationships,
        other => {
            let expected = "graph, node-link, graphml, edges-csv, edges-ndjson, edges-parquet, neo4j-nodes or \
                            neo4j-relationships";
            return Err(Error::argument("shape", format!("`{other}`"), expected));
        }
    }))
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
pub fn write_file(path: &str, bytes: &[u8], task: &Task) -> Result<()> {
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
