//! Keeps the matchers that polars expressions refer to.
//!
//! A polars plan holds bytes and no Python objects, and nothing reports when it is dropped. So an expression holds the
//! fingerprint of its matcher, and the process keeps the matcher under it, until it is released explicitly or the
//! process ends. Equal matchers have equal fingerprints: building one again stores no second one. A plan from another
//! process finds an equal matcher that was built here, or none, but never a wrong one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use crate::bindings::matcher::Matcher;
use crate::bindings::process::call;
use crate::error::{Error, Result};
use crate::matcher;

static KEPT: Mutex<BTreeMap<String, Arc<matcher::Matcher>>> = Mutex::new(BTreeMap::new());

/// The map is valid at any moment, so a panic elsewhere does not damage it.
fn kept() -> MutexGuard<'static, BTreeMap<String, Arc<matcher::Matcher>>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The matcher of an expression.
pub(in crate::bindings) fn matcher(fingerprint: &str) -> Result<Arc<matcher::Matcher>> {
    kept().get(fingerprint).cloned().ok_or_else(|| {
        let found = "this process has no such matcher: the expression was made in another process, or its matcher was released";
        let expected = "the matcher built here as well, from the same names with the same settings, and given to \
                        drugs_rs.polars.keep()";
        Error::argument("matcher of the expression", found, expected)
    })
}

#[doc = stub_doc!(keep_matcher)]
#[pyfunction]
pub(in crate::bindings) fn keep_matcher(py: Python<'_>, matcher: &Matcher) -> PyResult<String> {
    let matcher = matcher.inner();
    // A kept matcher is still in memory, so no other one can have its address.
    let known = kept()
        .iter()
        .find_map(|(fingerprint, kept)| Arc::ptr_eq(kept, matcher).then(|| fingerprint.clone()));
    if let Some(fingerprint) = known {
        return Ok(fingerprint);
    }
    let fingerprint = call::run_inline(py, || Ok(matcher.fingerprint()))?;
    kept()
        .entry(fingerprint.clone())
        .or_insert_with(|| Arc::clone(matcher));
    Ok(fingerprint)
}

#[doc = stub_doc!(release_matcher)]
#[pyfunction]
pub(in crate::bindings) fn release_matcher(py: Python<'_>, matcher: &Matcher) -> PyResult<bool> {
    let matcher = matcher.inner();
    call::run_inline(py, || {
        let gone = kept().remove(&matcher.fingerprint());
        Ok(gone.is_some())
    })
}
