//! `Mention`: one drug at one place of a text.

use pyo3::prelude::*;

use super::arguments;

/// A drug found in a text: a value that never changes, equal by its fields, hashable and picklable.
#[pyclass(frozen, eq, hash, get_all, module = "drugs_rs", skip_from_py_object)]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Mention {
    /// The drug's code.
    pub atccode: String,
    /// The drug's name in the vocabulary.
    pub drug: String,
    /// Where the mention begins, in code points of the text.
    pub start: usize,
    /// Where it ends, in code points: `text[start:end]` is `surface`.
    pub end: usize,
    /// The words of the text.
    pub surface: String,
    /// Why it is one: `"name"`, `"synonym"`, `"abbreviation"` or `"combination"`.
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
