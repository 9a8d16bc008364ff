//! `generate`: made-up sources with the truth about them.

use std::collections::BTreeMap;

use pyo3::prelude::*;

use super::process::call;
use super::{arguments, errors};
use crate::error::Error;
use crate::generate::{Delivery, Format, GenerateSettings, MadeTable, Packing, Shares};

#[doc = stub_doc!(generate)]
#[pyfunction]
#[pyo3(signature = (out, *, seed=1, articles=7000, trials=3000, drugs=1000, journals=300, articles_format="csv",
    trials_format="csv", drugs_format="csv", files=1, packing=None, abstracts=0.0, dirt=None, clean=false,
    delivery=None, of=None, changed=0.0, force=false, progress=false))]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
pub(super) fn generate<'py>(
    py: Python<'py>,
    out: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = arguments::seed)] seed: u64,
    #[pyo3(from_py_with = arguments::articles)] articles: u64,
    #[pyo3(from_py_with = arguments::trials)] trials: u64,
    #[pyo3(from_py_with = arguments::drugs)] drugs: u64,
    #[pyo3(from_py_with = arguments::journals)] journals: u64,
    articles_format: &str,
    trials_format: &str,
    drugs_format: &str,
    #[pyo3(from_py_with = arguments::files)] files: u64,
    packing: Option<&str>,
    abstracts: f64,
    dirt: Option<BTreeMap<String, f64>>,
    clean: bool,
    #[pyo3(from_py_with = arguments::delivery)] delivery: Option<u64>,
    #[pyo3(from_py_with = arguments::of)] of: Option<u64>,
    changed: f64,
    force: bool,
    progress: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let out = arguments::path(out, "out")?;
    let refuse = |error: Error| errors::exception(py, &error);
    let mut shares = if clean { Shares::none() } else { Shares::default() };
    for (name, share) in dirt.unwrap_or_default() {
        shares.set(&name, share).map_err(refuse)?;
    }
    let packing = packing.unwrap_or(Packing::None.name());
    let settings = GenerateSettings {
        seed,
        articles,
        trials,
        drugs,
        journals,
        articles_format: Format::named(articles_format, MadeTable::Articles, "articles_format")
            .map_err(refuse)?,
        trials_format: Format::named(trials_format, MadeTable::Trials, "trials_format").map_err(refuse)?,
        drugs_format: Format::named(drugs_format, MadeTable::Drugs, "drugs_format").map_err(refuse)?,
        files,
        packing: arguments::choice(py, "packing", packing)?,
        abstracts,
        dirt: shares,
        delivery: Delivery::from_arguments(delivery, of, changed).map_err(refuse)?,
    };
    let (json, _) = call::run_interruptible(py, progress, |task| {
        crate::api::generate::generate(&out, &settings, force, task)
    })?;
    py.import("json")?.call_method1("loads", (json,))
}
