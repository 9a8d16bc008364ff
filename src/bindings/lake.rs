//! `Lake`: the tables of a lake, for Python.

use std::collections::BTreeSet;

use chrono::{NaiveDate, Utc};
use polars::prelude::DataFrame;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple};

use super::arguments;
use super::lake_diff::LakeDiff;
use super::pair_evidence::PairEvidence;
use super::process::call;
use super::steps::dictionary;
use super::table::Table;
use super::table_scan::TableScan;
use crate::api::contracts::required_contract;
use crate::api::diff::{DiffRequest, lake_diff};
use crate::api::evidence::pair_evidence;
use crate::api::explain::{MentionQuestion, explain_mention};
use crate::api::gaps::{GapRequest, vocabulary_gaps};
use crate::api::lake_drop::lake_drop;
use crate::api::lake_tables;
use crate::api::metrics::lake_metrics;
use crate::api::quality::{LakeQuality, lake_objectives, lake_quality};
use crate::api::rejected_rows::{RejectedRequest, rejected_rows, write_rejected};
use crate::api::scan::ScanRequest;
use crate::error::{Error, Result};
use crate::lake::report::to_json;
use crate::lake::states::KeepStates;
use crate::lake::table_files::PartitionFilter;
use crate::lake::{LakeAddress, WantedState, existing_lake_for, find_state};
use crate::quality::contracts::Contract;
use crate::schema::{PublicationKind, VOCABULARY_GAPS, find_table};
use crate::steps::drop::DropTarget;
use crate::steps::replay::{ReplaySettings, replay};
use crate::task::Task;

#[doc = stub_doc!(Lake)]
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct Lake {
    address: LakeAddress,
}

impl Lake {
    /// Fails for an earlier state, which cannot be changed.
    fn check_is_current(&self, py: Python<'_>) -> PyResult<()> {
        call::run_inline(py, || match self.address.state {
            None => Ok(()),
            Some(_) => Err(Error::argument(
                "lake",
                "an earlier state, which cannot be changed",
                "the lake itself",
            )),
        })
    }

    /// What a contract says of the lake, as a dictionary.
    fn judge<'py>(
        &self,
        py: Python<'py>,
        contract: Option<&Bound<'py, PyAny>>,
        today: Option<&Bound<'py, PyAny>>,
        judge: fn(&LakeAddress, &Contract, NaiveDate, &Task) -> Result<LakeQuality>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let contract = arguments::contract(contract)?.unwrap_or_else(|| Contract::DEFAULT.to_owned());
        let today = match today {
            None => Utc::now().date_naive(),
            Some(today) => arguments::dt(today)?.day(),
        };
        let found = call::run_interruptible(py, false, |task| {
            judge(
                &self.address,
                required_contract(&contract, task)?.as_ref(),
                today,
                task,
            )
        })?;
        let json = call::run_inline(py, || to_json(&found))?;
        py.import("json")?.call_method1("loads", (json,))
    }

    /// A table of what a reader of the lake finds.
    fn table(&self, py: Python<'_>, read: impl FnOnce(&Task) -> Result<DataFrame> + Send) -> PyResult<Table> {
        Ok(Table::new(call::run_interruptible(py, false, read)?))
    }
}

#[pymethods]
impl Lake {
    #[new]
    fn new(lake: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut root = arguments::path(lake, "lake")?;
        while root.len() > 1 && root.ends_with('/') {
            root.pop();
        }
        let state = None;
        Ok(Self {
            address: LakeAddress { root, state },
        })
    }

    #[doc = stub_doc!(Lake.root)]
    #[getter]
    fn root(&self) -> &str {
        &self.address.root
    }

    #[doc = stub_doc!(Lake.state)]
    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(match self.address.state {
            None => None,
            Some(WantedState::Number(number)) => Some(number.into_pyobject(py)?.into_any()),
            Some(WantedState::Date(dt)) => Some(dt.to_string().into_pyobject(py)?.into_any()),
        })
    }

    #[doc = stub_doc!(Lake.states)]
    fn states(&self, py: Python<'_>) -> PyResult<Table> {
        self.table(py, |task| {
            lake_tables::lake_states(existing_lake_for(&self.address.root, task)?.as_ref())
        })
    }

    #[doc = stub_doc!(Lake.at)]
    fn at(&self, py: Python<'_>, state: &Bound<'_, PyAny>) -> PyResult<Self> {
        let wanted = wanted_state(state, "state")?;
        let root = self.address.root.clone();
        // A state that is not there is an error here.
        call::run_interruptible(py, false, |task| {
            find_state(existing_lake_for(&root, task)?.as_ref(), wanted).map(|_| ())
        })?;
        let state = Some(wanted);
        Ok(Self {
            address: LakeAddress { root, state },
        })
    }

    #[doc = stub_doc!(Lake.vacuum)]
    #[pyo3(signature = (*, keep=KeepStates::default(), keep_days=None, dry_run=false),
        text_signature = "($self, *, keep=\"30 days\", keep_days=None, dry_run=False)")]
    fn vacuum(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::keep)] keep: KeepStates,
        keep_days: Option<u32>,
        dry_run: bool,
    ) -> PyResult<Table> {
        self.check_is_current(py)?;
        let keep = keep_days.map_or(keep, KeepStates::Days);
        self.table(py, |task| {
            lake_tables::lake_vacuum(
                existing_lake_for(&self.address.root, task)?.as_ref(),
                keep,
                dry_run,
            )
        })
    }

    #[doc = stub_doc!(Lake.tables)]
    fn tables(&self, py: Python<'_>) -> PyResult<Table> {
        self.table(py, |task| {
            lake_tables::lake_tables(self.address.open(task)?.as_ref())
        })
    }

    #[doc = stub_doc!(Lake.schema)]
    fn schema<'py>(&self, py: Python<'py>, table: &str) -> PyResult<Bound<'py, PyAny>> {
        let table = call::run_inline(py, || find_table(table))?;
        let columns: Vec<_> = table.all_columns().collect();
        let frame = DataFrame::empty_with_schema(&columns.iter().map(|column| column.field()).collect());
        Table::described(frame, columns).schema(py)
    }

    #[doc = stub_doc!(Lake.files)]
    #[pyo3(signature = (table, *, dt=None, kind=None))]
    fn files(
        &self,
        py: Python<'_>,
        table: &str,
        dt: Option<&Bound<'_, PyAny>>,
        kind: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Table> {
        let filter = partitions(dt, kind)?;
        self.table(py, |task| {
            lake_tables::lake_files(self.address.open(task)?.as_ref(), table, &filter)
        })
    }

    #[doc = stub_doc!(Lake.scan)]
    #[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
    #[pyo3(signature = (table, columns=None, *, dt=None, kind=None, atccode=None, exclude_status=None))]
    fn scan(
        &self,
        py: Python<'_>,
        table: &str,
        columns: Option<&Bound<'_, PyAny>>,
        dt: Option<&Bound<'_, PyAny>>,
        kind: Option<&Bound<'_, PyAny>>,
        atccode: Option<&Bound<'_, PyAny>>,
        exclude_status: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<TableScan> {
        let request = ScanRequest {
            columns: columns
                .map(|columns| arguments::texts(columns, "columns"))
                .transpose()?,
            partitions: partitions(dt, kind)?,
            atccodes: atccode.map(|codes| one_or_more(codes, "atccode")).transpose()?,
            exclude_status: arguments::statuses(exclude_status)?,
            ..ScanRequest::default()
        };
        TableScan::new(py, self.address.clone(), table.to_owned(), request)
    }

    #[doc = stub_doc!(Lake.status)]
    fn status(&self, py: Python<'_>) -> PyResult<Table> {
        self.table(py, |task| {
            lake_tables::lake_status(self.address.open(task)?.as_ref())
        })
    }

    #[doc = stub_doc!(Lake.history)]
    fn history(&self, py: Python<'_>) -> PyResult<Table> {
        self.table(py, |task| {
            lake_tables::lake_history(self.address.open(task)?.as_ref())
        })
    }

    #[doc = stub_doc!(Lake.metrics)]
    fn metrics(&self, py: Python<'_>) -> PyResult<String> {
        call::run_interruptible(py, false, |task| lake_metrics(self.address.open(task)?.as_ref()))
    }

    #[doc = stub_doc!(Lake.quality)]
    #[pyo3(signature = (contract=None, *, today=None), text_signature = "($self, contract=\"default\", *, today=None)")]
    fn quality<'py>(
        &self,
        py: Python<'py>,
        contract: Option<&Bound<'py, PyAny>>,
        today: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.judge(py, contract, today, lake_quality)
    }

    #[doc = stub_doc!(Lake.objectives)]
    #[pyo3(signature = (contract=None, *, today=None), text_signature = "($self, contract=\"default\", *, today=None)")]
    fn objectives<'py>(
        &self,
        py: Python<'py>,
        contract: Option<&Bound<'py, PyAny>>,
        today: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.judge(py, contract, today, lake_objectives)?
            .get_item("objectives")
    }

    #[doc = stub_doc!(Lake.explain)]
    #[pyo3(signature = (publication_id, drug, *, kind=None))]
    fn explain(
        &self,
        py: Python<'_>,
        publication_id: &Bound<'_, PyAny>,
        drug: &Bound<'_, PyAny>,
        kind: Option<&str>,
    ) -> PyResult<String> {
        let (id, drug) = (
            arguments::text(publication_id, "publication_id")?,
            arguments::text(drug, "drug")?,
        );
        let question = MentionQuestion {
            publication_id: &id,
            kind: kind.map(|kind| arguments::choice(py, "kind", kind)).transpose()?,
            drug: &drug,
        };
        call::run_interruptible(py, false, |task| {
            let lake = self.address.open(task)?.into();
            Ok(explain_mention(&lake, &question, task)?.to_text())
        })
    }

    #[doc = stub_doc!(Lake.evidence)]
    #[pyo3(signature = (drug, publication_id, *, kind=None))]
    fn evidence(
        &self,
        py: Python<'_>,
        drug: &Bound<'_, PyAny>,
        publication_id: &Bound<'_, PyAny>,
        kind: Option<&str>,
    ) -> PyResult<PairEvidence> {
        let (id, drug) = (
            arguments::text(publication_id, "publication_id")?,
            arguments::text(drug, "drug")?,
        );
        let question = MentionQuestion {
            publication_id: &id,
            kind: kind.map(|kind| arguments::choice(py, "kind", kind)).transpose()?,
            drug: &drug,
        };
        call::run_interruptible(py, false, |task| pair_evidence(&self.address, &question, task))
            .map(PairEvidence)
    }

    #[doc = stub_doc!(Lake.diff)]
    #[pyo3(signature = (a=None, b=None))]
    fn diff(
        &self,
        py: Python<'_>,
        a: Option<&Bound<'_, PyAny>>,
        b: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<LakeDiff> {
        let to = b.map(|state| wanted_state(state, "b")).transpose()?;
        let request = DiffRequest {
            from: a.map(|state| wanted_state(state, "a")).transpose()?,
            to: to.or(self.address.state),
        };
        let found = call::run_interruptible(py, false, |task| lake_diff(&self.address.root, request, task))?;
        Ok(LakeDiff::new(found))
    }

    #[doc = stub_doc!(Lake.vocabulary_gaps)]
    #[pyo3(signature = (*, rules=None, min_publications=1, limit=1_000),
        text_signature = "($self, *, rules=None, min_publications=1, limit=1000)")]
    fn vocabulary_gaps(
        &self,
        py: Python<'_>,
        rules: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = arguments::min_publications)] min_publications: u64,
        #[pyo3(from_py_with = arguments::limit)] limit: Option<u64>,
    ) -> PyResult<Table> {
        let mut request = GapRequest {
            min_publications,
            limit: limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            ..GapRequest::default()
        };
        if let Some(rules) = rules {
            let names = one_or_more(rules, "rules")?;
            let rules = names.iter().map(|name| arguments::choice(py, "rules", name));
            request.rules = rules.collect::<PyResult<_>>()?;
        }
        let found =
            call::run_interruptible(py, false, |task| vocabulary_gaps(&self.address, &request, task))?;
        Ok(Table::described(found, VOCABULARY_GAPS.columns.iter().collect()))
    }

    #[doc = stub_doc!(Lake.compact)]
    #[pyo3(signature = (*, older_than_days=30))]
    fn compact(&self, py: Python<'_>, older_than_days: u32) -> PyResult<Table> {
        self.check_is_current(py)?;
        self.table(py, |task| {
            let lake = existing_lake_for(&self.address.root, task)?;
            lake_tables::lake_compact(lake.as_ref(), older_than_days, task)
        })
    }

    #[doc = stub_doc!(Lake.drop)]
    #[pyo3(signature = (*, before=None, dt=None, publication_id=None, dry_run=false))]
    fn drop(
        &self,
        py: Python<'_>,
        before: Option<&Bound<'_, PyAny>>,
        dt: Option<&Bound<'_, PyAny>>,
        publication_id: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Table> {
        self.check_is_current(py)?;
        let before = before.map(arguments::dt).transpose()?;
        let dt = dt.map(arguments::dt).transpose()?;
        let target = call::run_inline(py, || DropTarget::of(before, dt, publication_id))?;
        self.table(py, |task| {
            lake_drop(
                existing_lake_for(&self.address.root, task)?.as_ref(),
                &target,
                dry_run,
                task,
            )
        })
    }

    #[doc = stub_doc!(Lake.rejected)]
    #[pyo3(signature = (dt, reason=None, *, corrected=false, out=None, overwrite=false))]
    fn rejected(
        &self,
        py: Python<'_>,
        dt: &Bound<'_, PyAny>,
        reason: Option<&str>,
        corrected: bool,
        out: Option<&Bound<'_, PyAny>>,
        overwrite: bool,
    ) -> PyResult<Table> {
        let dt = arguments::dt(dt)?;
        let out = out.map(|out| arguments::path(out, "out")).transpose()?;
        self.table(py, |task| {
            let request = RejectedRequest { reason, corrected };
            let rows = rejected_rows(self.address.open(task)?.as_ref(), dt, request, task)?;
            if let Some(out) = &out {
                write_rejected(&rows, out, overwrite, task)?;
            }
            Ok(rows)
        })
    }

    #[doc = stub_doc!(Lake.replay)]
    #[pyo3(signature = (path, *, withdraw=false, encoding=None))]
    fn replay<'py>(
        &self,
        py: Python<'py>,
        path: &Bound<'py, PyAny>,
        withdraw: bool,
        encoding: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.check_is_current(py)?;
        let path = arguments::path(path, "path")?;
        let encoding = arguments::encoding(py, encoding)?;
        let settings = ReplaySettings {
            reading: encoding.into(),
            withdraw,
        };
        let report = call::run_interruptible(py, false, |task| {
            replay(
                existing_lake_for(&self.address.root, task)?.as_ref(),
                &path,
                settings,
                task,
            )
        })?;
        dictionary(py, &report)
    }

    #[doc = stub_doc!(Lake.duckdb)]
    fn duckdb<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("drugs_rs.duckdb")?
            .call_method1("connect", (slf,))
    }

    fn __repr__(&self) -> String {
        match self.address.state {
            None => format!("Lake({:?})", self.address.root),
            Some(WantedState::Number(number)) => format!("Lake({:?}).at({number})", self.address.root),
            Some(WantedState::Date(dt)) => format!("Lake({:?}).at(\"{dt}\")", self.address.root),
        }
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other
            .cast::<Self>()
            .is_ok_and(|other| other.get().address == self.address)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        PyString::new(py, &self.__repr__()).hash()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, own) = (slf.py(), slf.get());
        let lake = slf.get_type().call1((own.address.root.clone(),))?;
        let made = (slf.get_type(), (own.address.root.clone(),));
        match own.state(py)? {
            None => made.into_bound_py_any(py),
            Some(state) => (lake.getattr("at")?, (state,)).into_bound_py_any(py),
        }
    }
}

/// A state by its number, or by a date.
fn wanted_state(state: &Bound<'_, PyAny>, name: &str) -> PyResult<WantedState> {
    match state.extract::<u64>() {
        Ok(number) => Ok(WantedState::Number(number)),
        Err(_) if state.is_instance_of::<PyInt>() => Err(PyTypeError::new_err(format!(
            "{name} must be a number from 1 on, or a date"
        ))),
        Err(_) => Ok(WantedState::Date(arguments::dt(state)?)),
    }
}

/// A text, or several of them.
fn one_or_more(value: &Bound<'_, PyAny>, name: &str) -> PyResult<BTreeSet<String>> {
    if value.is_instance_of::<PyString>() {
        return Ok(BTreeSet::from([arguments::text(value, name)?]));
    }
    if !is_several(value) {
        let found = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "{name} must be a string or a list of strings, not {found}"
        )));
    }
    value
        .try_iter()?
        .map(|text| arguments::text(&text?, name))
        .collect()
}

fn is_several(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>()
}

/// The partitions of these dates and kinds, each one or a list of them.
fn partitions(dt: Option<&Bound<'_, PyAny>>, kind: Option<&Bound<'_, PyAny>>) -> PyResult<PartitionFilter> {
    let dates = |value: &Bound<'_, PyAny>| {
        if is_several(value) {
            return value.try_iter()?.map(|dt| arguments::dt(&dt?)).collect();
        }
        Ok(BTreeSet::from([arguments::dt(value)?]))
    };
    let kinds = |value: &Bound<'_, PyAny>| -> PyResult<BTreeSet<PublicationKind>> {
        let names = one_or_more(value, "kind")?;
        let kinds = names
            .iter()
            .map(|name| arguments::choice(value.py(), "kind", name));
        kinds.collect()
    };
    Ok(PartitionFilter {
        kinds: kind.map(kinds).transpose()?,
        dates: dt.map(dates).transpose()?,
    })
}

#[doc = stub_doc!(describe_tables)]
#[pyfunction]
#[pyo3(signature = (format="markdown", table=None))]
pub(super) fn describe_tables(py: Python<'_>, format: &str, table: Option<&str>) -> PyResult<String> {
    call::run_inline(py, || crate::schema::describe_tables(format, table))
}
