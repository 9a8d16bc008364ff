//! Leaving Python's interpreter and returning to it, also while it ends.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// Whether Python's interpreter is about to end.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// How many threads wait for the interpreter, to go on in it.
static RETURNING: AtomicUsize = AtomicUsize::new(0);

/// How long the end of the interpreter waits for those threads.
const LAST_WAIT: Duration = Duration::from_secs(2);

thread_local! {
    /// Whether this thread is the one that ends the interpreter.
    static ENDS_PYTHON: Cell<bool> = const { Cell::new(false) };
}

/// Does work without the interpreter, and comes back to it.
///
/// Before 3.14 Python ends any thread that comes back while the interpreter ends, from within, as C does it: not all
/// builds survive that, for it unwinds through frames of Rust. Such a thread stays away for ever instead, and ends with
/// the process; [`end_of_python`] sees to it that none is on its way back when it begins.
pub(super) fn without_interpreter<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    let done = py.detach(|| {
        let done = work();
        return_to_python();
        done
    });
    RETURNING.fetch_sub(1, Ordering::SeqCst);
    done
}

/// Counts this thread among those that wait for the interpreter, or never comes back where that ends. Either this thread
/// sees that it ends, or the one that ends it sees this one waiting.
fn return_to_python() {
    RETURNING.fetch_add(1, Ordering::SeqCst);
    if IS_ENDING.load(Ordering::SeqCst) && !ENDS_PYTHON.get() {
        RETURNING.fetch_sub(1, Ordering::SeqCst);
        loop {
            std::thread::park();
        }
    }
}

/// Goes to the interpreter for a moment from work without it.
pub(super) fn with_interpreter<T>(work: impl FnOnce(Python<'_>) -> T) -> T {
    return_to_python();
    Python::attach(|py| {
        RETURNING.fetch_sub(1, Ordering::SeqCst);
        work(py)
    })
}

/// What Python calls before its interpreter ends (`atexit`): from now on no other thread comes back to it, and those that
/// are on their way get in first.
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

/// Asks Python to call [`end_of_python`].
pub(super) fn watch_the_end(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let last = wrap_pyfunction!(end_of_python, module)?;
    module.py().import("atexit")?.call_method1("register", (last,))?;
    Ok(())
}
