//! The native module `drugs_rs._core`: the only place that says pyo3.
//!
//! A binding converts its arguments, lets go of the interpreter, calls the pipeline, and converts what comes back. One
//! helper ([`call::run_interruptible`]) does the middle part: it computes on a worker thread while the calling thread asks Python for
//! signals ten times a second, refuses to work in a forked child, and turns panics into exceptions.

// `stub_doc!`: what the stub `python/drugs_rs/_core.pyi` says about a name, made by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/stub_docs.rs"));

mod allocator;
mod arguments;
mod arrow;
mod call;
mod command;
mod errors;
mod generate;
mod graph;
mod interpreter;
mod matcher;
mod matcher_registry;
mod mention;
mod plugin;
mod progress;
mod reading;
mod steps;
mod table;

use pyo3::prelude::*;

#[doc = stub_doc!(module)]
#[pymodule(name = "_core")]
mod core_module {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::command::main;
    #[pymodule_export]
    use super::generate::generate;
    #[pymodule_export]
    use super::graph::{DrugGraph, read_answers, read_graph};
    #[pymodule_export]
    use super::matcher::Matcher;
    #[pymodule_export]
    use super::matcher_registry::{keep_matcher, release_matcher};
    #[pymodule_export]
    use super::mention::Mention;
    #[pymodule_export]
    use super::reading::{CleanTable, PublicationBatches, iter_publications, read_drugs, read_publications};
    #[pymodule_export]
    use super::steps::{bronze, gold, hold, list_sources, release, run, silver};
    #[pymodule_export]
    use super::table::Table;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::allocator::return_freed_memory_soon();
        super::call::keep_panics_quiet();
        super::interpreter::watch_the_end(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        super::set_all(module)
    }
}

/// What `from drugs_rs._core import *` would give, and what the stubs list.
fn set_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let names = [
        "CleanTable",
        "DrugGraph",
        "Matcher",
        "Mention",
        "PublicationBatches",
        "Table",
        "__version__",
        "bronze",
        "generate",
        "gold",
        "hold",
        "iter_publications",
        "keep_matcher",
        "list_sources",
        "main",
        "read_answers",
        "read_drugs",
        "read_graph",
        "read_publications",
        "release",
        "release_matcher",
        "run",
        "silver",
    ];
    module.setattr("__all__", names.to_vec())
}
