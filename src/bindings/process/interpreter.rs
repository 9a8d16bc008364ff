//! Leaving Python's interpreter and returning to it, also while it ends.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// Whether Python's interpreter is about to end.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// The number of threads that wait to re-enter the interpreter.
static RETURNING: AtomicUsize = AtomicUsize::new(0);

/// The end of the interpreter waits at most this long for those threads.
const LAST_WAIT: Duration = Duration::from_secs(2);

thread_local! {
    /// Whether this thread ends the interpreter.
    static ENDS_PYTHON: Cell<bool> = const { Cell::new(false) };
}

/// Runs work without the interpreter, and then re-enters it.
///
/// Before 3.14 Python terminates a thread that re-enters while the interpreter ends, by unwinding as C does. That
/// passes through frames of Rust, which not all builds survive. So such a thread blocks for ever and ends with the
/// process; [`end_of_python`] makes sure that no thread is re-entering when the end begins.
pub(in crate::bindings) fn without_interpreter<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Send,
) -> T {
    let done = py.detach(|| {
        let done = work();
        return_to_python();
        done
    });
    RETURNING.fetch_sub(1, Ordering::SeqCst);
    done
}

/// Counts this thread as waiting for the interpreter, or blocks for ever if the interpreter is ending. Either this
/// thread sees that it is ending, or the thread that ends it sees this one waiting.
fn return_to_python() {
    RETURNING.fetch_add(1, Ordering::SeqCst);
    if IS_ENDING.load(Ordering::SeqCst) && !ENDS_PYTHON.get() {
        RETURNING.fetch_sub(1, Ordering::SeqCst);
        loop {
            std::thread::park();
        }
    }
}

/// Enters the interpreter for a moment, from work that runs without it.
pub(super) fn with_interpreter<T>(work: impl FnOnce(Python<'_>) -> T) -> T {
    return_to_python();
    Python::attach(|py| {
        RETURNING.fetch_sub(1, Ordering::SeqCst);
        work(py)
    })
}

/// Python calls this before the interpreter ends (`atexit`): from now on no other thread re-enters it, and those that
/// are waiting enter first.
#[pyfunction]
pub(super) fn end_of_python(py: Python<'_>) {
    ENDS_PYTHON.set(true);
    IS_ENDING.store(true, Ordering::SeqCst);
    py.detach(|| {
        let began = Instant::now();
        while RETURNING.load(Ordering::SeqCst) > 0 && began.elapsed() < LAST_WAIT {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Registers [`end_of_python`] with Python.
pub(in crate::bindings) fn watch_the_end(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let last = wrap_pyfunction!(end_of_python, module)?;
    module.py().import("atexit")?.call_method1("register", (last,))?;
    Ok(())
}
