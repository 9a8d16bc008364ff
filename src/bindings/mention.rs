//! `Mention`: one drug at one place of a text.

use pyo3::prelude::*;

use super::arguments;

#[doc = stub_doc!(Mention)]
#[pyclass(frozen, eq, hash, get_all, module = "drugs_rs", skip_from_py_object)]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Mention {
    #[doc = stub_doc!(Mention.atccode)]
    pub atccode: String,
    #[doc = stub_doc!(Mention.drug)]
    pub drug: String,
    #[doc = stub_doc!(Mention.start)]
    pub start: usize,
    #[doc = stub_doc!(Mention.end)]
    pub end: usize,
    #[doc = stub_doc!(Mention.surface)]
    pub surface: String,
    #[doc = stub_doc!(Mention.rule)]
    pub rule: String,
}

#[pymethods]
impl Mention {
    #[new]
    fn new(
        #[pyo3(from_py_with = arguments::atccode_text)] atccode: String,
        #[pyo3(from_py_with = arguments::drug_text)] drug: String,
        #[pyo3(from_py_with = arguments::start)] start: u64,
        #[pyo3(from_py_with = arguments::end)] end: u64,
        #[pyo3(from_py_with = arguments::surface_text)] surface: String,
        #[pyo3(from_py_with = arguments::rule_text)] rule: String,
    ) -> Self {
        Self {
            atccode,
            drug,
            start: start as usize,
            end: end as usize,
            surface,
            rule,
        }
    }

    fn __getnewargs__(&self) -> (&str, &str, usize, usize, &str, &str) {
        (
            &self.atccode,
            &self.drug,
            self.start,
            self.end,
            &self.surface,
            &self.rule,
        )
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let text = |text: &str| -> PyResult<String> { Ok(text.into_pyobject(py)?.repr()?.to_string()) };
        Ok(format!(
            "Mention(atccode={}, drug={}, start={}, end={}, surface={}, rule={})",
            text(&self.atccode)?,
            text(&self.drug)?,
            self.start,
            self.end,
            text(&self.surface)?,
            text(&self.rule)?,
        ))
    }
}
