//! `DrugGraph`: the result of a lake, from Python.

use std::io::Write;

use chrono::{Datelike, NaiveDate};
use polars::prelude::{
    DataFrame, DataType, Int32Chunked, IntoColumn, IntoSeries, NamedFrom, NewChunkedArray, Series,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::table::Table;
use super::{arguments, call, errors};
use crate::error::{Error, Result};
use crate::graph::{self, Shape};
use crate::pipeline::{self, run};
use crate::schema::PublicationKind;
use crate::storage::{LocalStorage, Storage};

/// Drugs, publications, journals and who mentions whom; `read_graph` makes one.
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct DrugGraph {
    inner: graph::DrugGraph,
}

/// Read the drug graph of a lake.
#[pyfunction]
pub(super) fn read_graph(lake: &Bound<'_, PyAny>) -> PyResult<DrugGraph> {
    let py = lake.py();
    let lake = arguments::path(lake, "lake")?;
    let inner = call::here(py, || run::read_graph(pipeline::existing_lake(&lake)?.as_ref()))?;
    Ok(DrugGraph { inner })
}

#[pymethods]
impl DrugGraph {
    /// Every drug of the vocabulary, mentioned or not.
    fn drugs(&self, py: Python<'_>) -> PyResult<Table> {
        call::here(py, || self.drugs_frame()).map(Table::new)
    }

    /// Every journal with a mention.
    fn journals(&self, py: Python<'_>) -> PyResult<Table> {
        call::here(py, || self.journals_frame()).map(Table::new)
    }

    /// Every pair of a drug and a publication that mentions it.
    fn mentions(&self, py: Python<'_>) -> PyResult<Table> {
        call::here(py, || self.mentions_frame()).map(Table::new)
    }

    /// The journals that mention the most different drugs, and that number: every journal that shares first place.
    fn top_journals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let journals = PyDict::new(py);
        for (journal, drugs) in graph::top_journals(&self.inner) {
            journals.set_item(journal, drugs)?;
        }
        Ok(journals)
    }

    /// The codes of the drugs that share a journal with this one through PubMed alone, in code order.
    fn exclusive_drugs(&self, py: Python<'_>, code: &str) -> PyResult<Vec<String>> {
        let drugs = self.inner.drugs();
        let Some(number) = drugs.iter().position(|drug| drug.atccode == code) else {
            let error = Error::argument(
                "code",
                format!("`{code}` is no drug of this graph"),
                "a code of drugs()",
            );
            return Err(errors::exception(py, &error));
        };
        call::here(py, || {
            let mut all = graph::exclusive_drugs(&self.inner);
            Ok(all
                .swap_remove(number)
                .into_iter()
                .map(|other| drugs[other as usize].atccode.clone())
                .collect())
        })
    }

    /// The graph in node-link form, as networkx and D3 read it.
    fn to_node_link<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.parsed(py, Shape::NodeLink)
    }

    /// The graph as a networkx one, with the nodes, links and attributes of `to_node_link`.
    fn to_networkx<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("drugs_rs.graph")?
            .call_method1("to_networkx", (slf,))
    }

    /// The text of `drug_graph.json`: the same bytes, encoded as UTF-8, that the gold step writes.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        self.text(py, Shape::Graph)
    }

    /// Write the graph to a file, which is replaced at once or not at all.
    #[pyo3(signature = (path, shape=None))]
    fn write(&self, py: Python<'_>, path: &Bound<'_, PyAny>, shape: Option<&str>) -> PyResult<()> {
        let path = arguments::path(path, "path")?;
        let shape = shape_of(&path, shape).map_err(|error| errors::exception(py, &error))?;
        call::here(py, || write_file(&self.inner, &path, shape))
    }

    fn __repr__(&self) -> String {
        let count = |kind| self.inner.publications(kind).len();
        format!(
            "DrugGraph({} drugs, {} PubMed articles, {} clinical trials, {} mentions)",
            self.inner.drugs().len(),
            count(PublicationKind::Pubmed),
            count(PublicationKind::ClinicalTrial),
            self.inner.links().len()
        )
    }
}

impl DrugGraph {
    fn text(&self, py: Python<'_>, shape: Shape) -> PyResult<String> {
        call::here(py, || {
            let mut bytes = Vec::new();
            graph::write_shape(&self.inner, shape, &mut bytes)
                .map_err(|error| Error::storage("memory", "write", error))?;
            String::from_utf8(bytes).map_err(|error| Error::Internal {
                message: error.to_string(),
            })
        })
    }

    fn parsed<'py>(&self, py: Python<'py>, shape: Shape) -> PyResult<Bound<'py, PyAny>> {
        let text = self.text(py, shape)?;
        py.import("json")?
            .call_method1("loads", (text,))
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn drugs_frame(&self) -> Result<DataFrame> {
        let drugs = self.inner.drugs();
        let mut counts = vec![[0_u64; 2]; drugs.len()];
        for link in self.inner.links() {
            counts[link.drug as usize][link.kind as usize] += 1;
        }
        let count =
            |kind: PublicationKind| -> Vec<u64> { counts.iter().map(|count| count[kind as usize]).collect() };
        let codes: Vec<&str> = drugs.iter().map(|drug| drug.atccode.as_str()).collect();
        let names: Vec<&str> = drugs.iter().map(|drug| drug.name.as_str()).collect();
        Ok(DataFrame::new(
            drugs.len(),
            vec![
                Series::new("atccode".into(), codes).into_column(),
                Series::new("drug".into(), names).into_column(),
                Series::new("pubmed".into(), count(PublicationKind::Pubmed)).into_column(),
                Series::new("clinical_trial".into(), count(PublicationKind::ClinicalTrial)).into_column(),
            ],
        )?)
    }

    fn mentions_frame(&self) -> Result<DataFrame> {
        let graph = &self.inner;
        let text =
            |name: &str, value: &dyn for<'g> Fn(&'g graph::DrugGraph, graph::Link) -> Option<&'g str>| {
                let values: Vec<Option<&str>> =
                    graph.links().iter().map(|link| value(graph, *link)).collect();
                Series::new(name.into(), values).into_column()
            };
        let dates: Vec<Option<i32>> = graph
            .links()
            .iter()
            .map(|link| graph.publication(*link).date.map(days))
            .collect();
        let dates = Int32Chunked::from_slice_options("date".into(), &dates)
            .into_series()
            .cast(&DataType::Date)?;
        Ok(DataFrame::new(
            graph.links().len(),
            vec![
                text("atccode", &|graph, link| Some(&graph.drug(link).atccode)),
                text("drug", &|graph, link| Some(&graph.drug(link).name)),
                text("publication_id", &|graph, link| Some(&graph.publication(link).id)),
                text("kind", &|_, link| Some(link.kind.name())),
                text("journal", &|graph, link| graph.journal(graph.publication(link))),
                dates.into_column(),
            ],
        )?)
    }

    fn journals_frame(&self) -> Result<DataFrame> {
        let journals = self.inner.links_by_journal();
        let names: Vec<&str> = journals
            .keys()
            .map(|journal| self.inner.journals()[*journal as usize].as_str())
            .collect();
        let mentions: Vec<u64> = journals.values().map(|links| links.len() as u64).collect();
        let drugs: Vec<u64> = journals
            .into_values()
            .map(|mut links| {
                links.dedup_by_key(|link| link.drug);
                links.len() as u64
            })
            .collect();
        Ok(DataFrame::new(
            names.len(),
            vec![
                Series::new("journal".into(), names).into_column(),
                Series::new("drugs".into(), drugs).into_column(),
                Series::new("mentions".into(), mentions).into_column(),
            ],
        )?)
    }
}

/// Days since 1970-01-01.
fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// The shape that a name or, without one, the file's ending asks for.
fn shape_of(path: &str, shape: Option<&str>) -> Result<Shape> {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    match shape.unwrap_or(match ending {
        "graphml" => "graphml",
        "csv" => "edges-csv",
        "ndjson" | "jsonl" => "edges-ndjson",
        _ => "graph",
    }) {
        "graph" => Ok(Shape::Graph),
        "node-link" => Ok(Shape::NodeLink),
        "graphml" => Ok(Shape::GraphMl),
        "edges-csv" => Ok(Shape::EdgesCsv),
        "edges-ndjson" => Ok(Shape::EdgesNdjson),
        "neo4j-nodes" => Ok(Shape::Neo4jNodes),
        "neo4j-relationships" => Ok(Shape::Neo4jRelationships),
        other => Err(Error::argument(
            "shape",
            format!("`{other}`"),
            "graph, node-link, graphml, edges-csv, edges-ndjson, neo4j-nodes or neo4j-relationships",
        )),
    }
}

/// Writes one file whole or not at all, by the commit protocol of its folder.
fn write_file(graph: &graph::DrugGraph, path: &str, shape: Shape) -> Result<()> {
    let path = crate::storage::source::local_path(path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .map_or_else(|| ".".into(), ToOwned::to_owned);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut bytes = Vec::new();
    graph::write_shape(graph, shape, &mut bytes)
        .and_then(|()| bytes.flush())
        .map_err(|error| Error::storage(path.display(), "write", error))?;
    if !folder.is_dir() {
        return Err(Error::storage(
            path.display(),
            "write, for there is no such folder",
            std::io::ErrorKind::NotFound.into(),
        ));
    }
    LocalStorage::existing(folder)?.put(&name, &bytes)
}
