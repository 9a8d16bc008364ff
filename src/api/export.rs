//! A graph as a file of a shape that other tools read.

use polars::prelude::ParquetWriter;

use crate::choice::{Choice, UnknownChoice, one_of, parse_choices};
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

impl Choice for FileShape {
    const CHOICES: &'static [Self] = &[
        Self::Text(GraphShape::Graph),
        Self::Text(GraphShape::NodeLink),
        Self::Text(GraphShape::GraphMl),
        Self::Text(GraphShape::Gexf),
        Self::Text(GraphShape::EdgesCsv),
        Self::Text(GraphShape::EdgesNdjson),
        Self::EdgesParquet,
        Self::Text(GraphShape::Neo4jNodes),
        Self::Text(GraphShape::Neo4jRelationships),
    ];

    fn choice_name(self) -> &'static str {
        self.name_and_endings().0
    }
}

parse_choices!(FileShape);

impl FileShape {
    /// The name of the shape, and the endings of files that ask for it.
    fn name_and_endings(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Text(GraphShape::Graph) => ("graph", &["json"]),
            Self::Text(GraphShape::NodeLink) => ("node-link", &[]),
            Self::Text(GraphShape::GraphMl) => ("graphml", &["graphml"]),
            Self::Text(GraphShape::Gexf) => ("gexf", &["gexf"]),
            Self::Text(GraphShape::EdgesCsv) => ("edges-csv", &["csv"]),
            Self::Text(GraphShape::EdgesNdjson) => ("edges-ndjson", &["ndjson", "jsonl"]),
            Self::EdgesParquet => ("edges-parquet", &["parquet"]),
            Self::Text(GraphShape::Neo4jNodes) => ("neo4j-nodes", &[]),
            Self::Text(GraphShape::Neo4jRelationships) => ("neo4j-relationships", &[]),
        }
    }

    fn endings(self) -> &'static [&'static str] {
        self.name_and_endings().1
    }
}

/// The shape that a name or, without one, the file's ending asks for.
pub fn shape_of(path: &str, name: Option<&str>) -> Result<FileShape> {
    match name {
        Some(name) => name.parse().map_err(|unknown: UnknownChoice| unknown.of("shape")),
        None => shape_of_ending(path),
    }
}

/// The shape for the ending of a file's name, in small letters or capitals.
fn shape_of_ending(path: &str) -> Result<FileShape> {
    // The message below repeats the path; a URI with credentials is refused before.
    Location::parse(path)?;
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    let shapes = FileShape::CHOICES.iter().copied();
    let mut asked = shapes.clone();
    let asked = asked.find(|shape| shape.endings().iter().any(|its| Some(*its) == ending.as_deref()));
    asked.ok_or_else(|| {
        let found = ending.map_or_else(
            || "a file name without an ending".to_owned(),
            |ending| format!("no shape for the ending `.{ending}`"),
        );
        let first_endings = shapes.clone().filter_map(|shape| shape.endings().first());
        let endings: Vec<String> = first_endings.map(|ending| format!(".{ending}")).collect();
        let names: Vec<String> = shapes.map(|shape| shape.choice_name().to_owned()).collect();
        let expected = format!(
            "a name that ends in {}, or the argument shape: {}",
            one_of(&endings),
            one_of(&names)
        );
        Error::argument(path.to_owned(), found, expected)
    })
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
