//! `DrugGraph`: the graph of a lake, for Python.

use std::sync::{Arc, OnceLock};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt};

use super::process::call;
use super::table::Table;
use super::{arguments, errors};
use crate::api::{answers, export};
use crate::error::Error;
use crate::graph::{self, DrugGrouping, GraphShape, Shelf, frames};
use crate::lake::existing_lake;
use crate::schema::DrugUnit;
use crate::task::Task;

#[doc = stub_doc!(DrugGraph)]
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct DrugGraph {
    inner: Arc<graph::DrugGraph>,
    /// The data for answers, for each unit, built at the first question.
    shelves: [OnceLock<(DrugGrouping, Shelf)>; DrugUnit::ALL.len()],
}

#[doc = stub_doc!(read_graph)]
#[pyfunction]
pub(super) fn read_graph(lake: &Bound<'_, PyAny>) -> PyResult<DrugGraph> {
    let py = lake.py();
    let lake = arguments::path(lake, "lake")?;
    let inner = call::run_detached(py, move |_| answers::read_graph(existing_lake(&lake)?.as_ref()))?;
    Ok(DrugGraph {
        inner: Arc::new(inner),
        shelves: Default::default(),
    })
}

#[doc = stub_doc!(read_answers)]
#[pyfunction]
pub(super) fn read_answers<'py>(lake: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = lake.py();
    let lake = arguments::path(lake, "lake")?;
    let found = call::run_detached(py, move |_| answers::read_answers(existing_lake(&lake)?.as_ref()))?;
    let json = py.import("json")?;
    let dictionary = PyDict::new(py);
    dictionary.set_item("as_of", found.as_of)?;
    for (name, text) in [
        ("top_journals", found.top_journals),
        ("exclusive_drugs", found.exclusive_drugs),
    ] {
        dictionary.set_item(name, json.call_method1("loads", (text,))?)?;
    }
    Ok(dictionary.into_any())
}

#[pymethods]
impl DrugGraph {
    #[doc = stub_doc!(DrugGraph.drugs)]
    #[pyo3(signature = (*, unit="substance"))]
    fn drugs(&self, py: Python<'_>, unit: &str) -> PyResult<Table> {
        let unit = arguments::unit(py, unit)?;
        call::run_inline(py, || frames::drugs(&self.inner, unit)).map(Table::new)
    }

    #[doc = stub_doc!(DrugGraph.journals)]
    #[pyo3(signature = (*, unit="substance"))]
    fn journals(&self, py: Python<'_>, unit: &str) -> PyResult<Table> {
        let unit = arguments::unit(py, unit)?;
        call::run_inline(py, || frames::journals(&self.inner, unit)).map(Table::new)
    }

    #[doc = stub_doc!(DrugGraph.mentions)]
    #[pyo3(signature = (*, unit="substance"))]
    fn mentions(&self, py: Python<'_>, unit: &str) -> PyResult<Table> {
        let unit = arguments::unit(py, unit)?;
        call::run_inline(py, || frames::mentions(&self.inner, unit)).map(Table::new)
    }

    #[doc = stub_doc!(DrugGraph.answer)]
    #[pyo3(signature = (name, **options))]
    fn answer(&self, py: Python<'_>, name: &str, options: Option<&Bound<'_, PyDict>>) -> PyResult<Table> {
        let mut given = Vec::new();
        for (option, value) in options.into_iter().flatten() {
            let option = arguments::text(&option, "option")?;
            if value.is_none() {
                continue;
            }
            let is_number = value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>();
            let text = if is_number {
                value.str()?.to_string()
            } else {
                arguments::text(&value, &option)?
            };
            given.push((option, text));
        }
        self.ask(py, name, &given)
    }

    #[doc = stub_doc!(DrugGraph.co_mentions)]
    #[pyo3(signature = (drug=None, *, min_count=2, unit="substance"))]
    fn co_mentions(
        &self,
        py: Python<'_>,
        drug: Option<String>,
        #[pyo3(from_py_with = arguments::min_count)] min_count: u64,
        unit: &str,
    ) -> PyResult<Table> {
        let mut options = vec![
            ("min_count".to_owned(), min_count.to_string()),
            ("unit".to_owned(), unit.to_owned()),
        ];
        options.extend(drug.map(|drug| ("drug".to_owned(), drug)));
        self.ask(py, "co_mentions", &options)
    }

    #[doc = stub_doc!(DrugGraph.top_journals)]
    #[pyo3(signature = (*, unit="substance"))]
    fn top_journals<'py>(&self, py: Python<'py>, unit: &str) -> PyResult<Bound<'py, PyDict>> {
        let unit = arguments::unit(py, unit)?;
        let top = call::run_inline(py, || Ok(self.shelf(unit).1.top(self.inner.journals())))?;
        let journals = PyDict::new(py);
        for (journal, drugs) in top {
            journals.set_item(journal, drugs)?;
        }
        Ok(journals)
    }

    #[doc = stub_doc!(DrugGraph.exclusive_drugs)]
    #[pyo3(signature = (code, *, unit="substance"))]
    fn exclusive_drugs(&self, py: Python<'_>, code: &str, unit: &str) -> PyResult<Vec<String>> {
        let unit = arguments::unit(py, unit)?;
        let drugs = self.inner.drugs();
        let Some(number) = self.inner.drug_number(code) else {
            let error = Error::argument(
                "code",
                format!("`{code}` is not a drug of this graph"),
                "a code of drugs(unit=\"code\")",
            );
            return Err(errors::exception(py, &error));
        };
        call::run_inline(py, || {
            let (grouping, shelf) = self.shelf(unit);
            let others = shelf.exclusive(grouping.first(number), drugs.len());
            Ok(others
                .into_iter()
                .map(|other| drugs[other as usize].atccode.clone())
                .collect())
        })
    }

    #[doc = stub_doc!(DrugGraph.to_node_link)]
    fn to_node_link<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.parsed(py, GraphShape::NodeLink)
    }

    #[doc = stub_doc!(DrugGraph.to_networkx)]
    fn to_networkx<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("drugs_rs.graph")?
            .call_method1("to_networkx", (slf,))
    }

    #[doc = stub_doc!(DrugGraph.to_json)]
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        self.text(py, GraphShape::Graph)
    }

    #[doc = stub_doc!(DrugGraph.write)]
    #[pyo3(signature = (path, shape=None))]
    fn write(&self, py: Python<'_>, path: &Bound<'_, PyAny>, shape: Option<&str>) -> PyResult<()> {
        let path = arguments::path(path, "path")?;
        let shape = export::shape_of(&path, shape).map_err(|error| errors::exception(py, &error))?;
        call::run_waiting(py, false, |task| {
            export::write_graph(&self.inner, &path, shape, task)
        })
    }

    fn __repr__(&self) -> String {
        let kinds = self.inner.kinds().map(|kind| {
            let count = self.inner.publications(kind).len();
            format!("{count} {}", kind.description().plural)
        });
        let publications: Vec<String> = kinds.collect();
        format!(
            "DrugGraph({} drugs, {}, {} pairs)",
            self.inner.drugs().len(),
            publications.join(", "),
            self.inner.links().len()
        )
    }
}

impl DrugGraph {
    fn shelf(&self, unit: DrugUnit) -> &(DrugGrouping, Shelf) {
        self.shelves[unit as usize].get_or_init(|| {
            let grouping = DrugGrouping::of(self.inner.drugs(), unit);
            let shelf = Shelf::of(&self.inner, &grouping);
            (grouping, shelf)
        })
    }

    fn ask(&self, py: Python<'_>, name: &str, options: &[(String, String)]) -> PyResult<Table> {
        let ask = |task: &Task| graph::ask(&self.inner, name, options, task);
        call::run_waiting(py, false, ask).map(Table::new)
    }

    fn text(&self, py: Python<'_>, shape: GraphShape) -> PyResult<String> {
        let graph = Arc::clone(&self.inner);
        call::run_detached(py, move |_| {
            let mut bytes = Vec::new();
            graph::write_shape(&graph, shape, &mut bytes)
                .map_err(|error| Error::storage("memory", "write", error))?;
            String::from_utf8(bytes).map_err(|error| Error::internal(error.to_string()))
        })
    }

    fn parsed<'py>(&self, py: Python<'py>, shape: GraphShape) -> PyResult<Bound<'py, PyAny>> {
        let text = self.text(py, shape)?;
        py.import("json")?
            .call_method1("loads", (text,))
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }
}
