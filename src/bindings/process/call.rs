//! Calls the core from Python: handles signals, forks and panics.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use pyo3::prelude::*;

use super::interpreter::{with_interpreter, without_interpreter};
use super::progress::{NotebookLine, ProgressLog};
use crate::bindings::errors::exception;
use crate::cli::ProgressBar;
use crate::error::{Error, Result};
use crate::task::{Task, is_waiting};

/// The interval at which the calling thread checks for Python's signals.
const SIGNALS: Duration = Duration::from_millis(100);

/// The stack of worker threads: larger than a Rust thread's default, and as large as a main thread's.
const STACK: usize = 8 << 20;

/// The first process that used the engine. Its threads do not survive a fork.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// The place of the last panic, for its exception.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Rejects the engine in a forked child of the process that used it first: the child would wait for ever for threads
/// that do not exist there.
fn guard_fork() -> Result<()> {
    let child = std::process::id();
    match OWNER.compare_exchange(0, child, Ordering::Relaxed, Ordering::Relaxed) {
        Err(parent) if parent != child => Err(Error::Forked { parent, child }),
        _ => Ok(()),
    }
}

/// Silences the runtime's own report of a panic: the exception says the same.
pub(in crate::bindings) fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|place| format!(" ({}:{})", place.file(), place.line()))
            .unwrap_or_default();
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }));
}

fn panic_error(payload: &(dyn Any + Send)) -> Error {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    let place = PANIC
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .unwrap_or_default();
    Error::internal(format!("{text}{place}"))
}

/// Runs work and turns its panic into an error.
pub(in crate::bindings) fn without_panic<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(panic_error(payload.as_ref())))
}

/// Runs short work in this thread, without the interpreter lock, and without the engine or checks for signals.
pub(in crate::bindings) fn run_inline<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    without_interpreter(py, || without_panic(work)).map_err(|error| exception(py, &error))
}

/// Runs single-threaded work without side effects. A signal returns at once with its exception, and the result of the
/// work is dropped later.
pub(in crate::bindings) fn run_detached<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(&Task) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let signals = Signals::new(py);
    let task = Task::new();
    let done: PyResult<Result<T>> = without_interpreter(py, move || {
        let (give, take) = sync_channel(1);
        let worker_task = task.clone();
        let worker = move || {
            // Nobody receives it if a signal came first.
            let _ = give.send(without_panic(|| work(&worker_task)));
        };
        if let Err(error) = worker_thread().spawn(worker) {
            return Ok(Err(not_started(error)));
        }
        wait_for(&take, || signals.check().inspect_err(|_| task.cancel()))
    });
    done?.map_err(|error| exception(py, &error))
}

fn worker_thread() -> std::thread::Builder {
    std::thread::Builder::new()
        .name("drugs_rs".to_owned())
        .stack_size(STACK)
}

/// Waits for the result of a worker, and calls `each_time` as often as signals are checked.
fn wait_for<T>(
    worker: &Receiver<Result<T>>,
    mut each_time: impl FnMut() -> PyResult<()>,
) -> PyResult<Result<T>> {
    loop {
        match worker.recv_timeout(SIGNALS) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => return Ok(Err(lost())),
            Err(RecvTimeoutError::Timeout) => each_time()?,
        }
    }
}

fn not_started(error: std::io::Error) -> Error {
    Error::storage("this process", "start a thread", error)
}

fn lost() -> Error {
    Error::internal("the worker ended without a result")
}

/// Python's signals, for a thread that runs without the interpreter.
#[derive(Clone, Copy)]
struct Signals {
    /// Python runs signal handlers only in its main thread, so other threads need not check.
    is_main: bool,
}

impl Signals {
    /// Runs no Python code: meanwhile another thread might run and end the interpreter, which would terminate this
    /// thread when it returns. So it reads no property and imports nothing.
    fn new(py: Python<'_>) -> Self {
        let is_main = || -> PyResult<bool> {
            let modules = py.import("sys")?.getattr("modules")?;
            let own = modules.get_item("_thread")?.getattr("get_ident")?.call0()?;
            // A program that never imported `threading` has only one thread.
            let Ok(threading) = modules.get_item("threading") else {
                return Ok(true);
            };
            own.eq(threading.getattr("_main_thread")?.getattr("_ident")?)
        };
        // This fails only at the end of Python, when modules and signal handlers are gone.
        Self {
            is_main: is_main().unwrap_or(false),
        }
    }

    /// Runs Python's signal handlers, if this is the main thread.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the path alone has one lifetime too few"
    )]
    fn check(self) -> PyResult<()> {
        if self.is_main {
            with_interpreter(|py| py.check_signals())
        } else {
            Ok(())
        }
    }
}

/// Runs long work that may use all threads. A signal whose handler raises (such as Ctrl-C) cancels it at its next
/// batch, and the caller gets the handler's exception.
pub(in crate::bindings) fn run_interruptible<T: Send>(
    py: Python<'_>,
    progress: bool,
    work: impl FnOnce(&Task) -> Result<T> + Send,
) -> PyResult<T> {
    guard_fork().map_err(|error| exception(py, &error))?;
    run_waiting(py, progress, work)
}

/// Runs long work for the command, which owns the process. It is like [`run_interruptible`], but if a thread is blocked
/// on bytes that do not come, a signal ends the process. That is like a kill, which leaves nothing half-written.
pub(in crate::bindings) fn run_command<T: Send>(
    py: Python<'_>,
    bar: &ProgressBar,
    work: impl FnOnce(&Task) -> Result<T> + Send,
) -> PyResult<T> {
    guard_fork().map_err(|error| exception(py, &error))?;
    let leave = |signal: &PyErr| std::process::exit(with_interpreter(|py| exit_code(py, signal)));
    run_on_worker(py, bar, Some(&leave), work)?.map_err(|error| exception(py, &error))
}

/// The exit code for a signal's exception: that of a `SystemExit`, or else the code of an interruption.
fn exit_code(py: Python<'_>, signal: &PyErr) -> i32 {
    let code = signal.value(py).getattr("code").and_then(|code| code.extract());
    code.unwrap_or(INTERRUPTED)
}

/// 128 plus the number of the signal, as shells report it.
const INTERRUPTED: i32 = 130;

/// The process ends when a thread is found blocked this many times in a row.
const PATIENCE: u32 = 4;

/// Runs work for a consumer of an Arrow stream, which calls from its own code: in any thread, with or without Python's
/// lock.
///
/// Signals are checked only in the thread `asker` that requested the stream: it has the lock, or released it itself.
/// Any other thread might wait for a lock whose holder waits for this work.
pub(in crate::bindings) fn run_for_stream<T: Send>(
    asker: ThreadId,
    work: impl FnOnce(&Task) -> Result<T> + Send,
) -> Result<T> {
    guard_fork()?;
    if std::thread::current().id() != asker {
        return run_on_big_stack(work);
    }
    let mut work = Some(work);
    // While Python ends, the lock cannot be taken.
    let done = Python::try_attach(|py| {
        let done = work
            .take()
            .map(|work| run_on_worker(py, &ProgressBar::new(false), None, work));
        // A handler's exception cannot pass through the consumer's code; the consumer's error says that the work was
        // cancelled.
        done.unwrap_or_else(|| Ok(Err(lost())))
            .unwrap_or(Err(Error::Cancelled))
    });
    match (done, work) {
        (Some(done), _) => done,
        (None, Some(work)) => run_on_big_stack(work),
        (None, None) => Err(lost()),
    }
}

/// Runs work on a thread with a large stack, whatever the calling thread's is.
fn run_on_big_stack<T: Send>(work: impl FnOnce(&Task) -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let worker = worker_thread().spawn_scoped(scope, || without_panic(|| work(&Task::new())));
        match worker {
            Ok(worker) => worker.join().unwrap_or_else(|_| Err(lost())),
            Err(error) => Err(not_started(error)),
        }
    })
}

/// Runs single-threaded work that may wait for a server, as [`run_interruptible`] does, but also in forked children.
pub(in crate::bindings) fn run_waiting<T: Send>(
    py: Python<'_>,
    progress: bool,
    work: impl FnOnce(&Task) -> Result<T> + Send,
) -> PyResult<T> {
    run_on_worker(py, &ProgressBar::new(progress), None, work)?.map_err(|error| exception(py, &error))
}

/// Runs work on a worker thread while this one checks for signals. The inner error is the crate's own, the outer one is
/// the exception of a signal handler. `leave` ends the process if the worker may be blocked for ever.
fn run_on_worker<T: Send>(
    py: Python<'_>,
    bar: &ProgressBar,
    leave: Option<&(dyn Fn(&PyErr) + Sync)>,
    work: impl FnOnce(&Task) -> Result<T> + Send,
) -> PyResult<Result<T>> {
    let task = bar.task();
    let mut log = ProgressLog::new();
    let mut line = NotebookLine::new(py, bar.is_hidden());
    let signals = Signals::new(py);
    let done = without_interpreter(py, || {
        std::thread::scope(|scope| {
            let (give, take) = sync_channel(1);
            let worker_task = task.clone();
            let worker = worker_thread().spawn_scoped(scope, move || {
                // The receiver lives as long as this thread, so sending cannot fail.
                let _ = give.send(without_panic(|| work(&worker_task)));
            });
            if let Err(error) = worker {
                return Ok(Err(not_started(error)));
            }
            wait_for(&take, || {
                bar.show(&task);
                let progress = task.progress();
                let shown = line.show(progress).and_then(|()| log.show(progress));
                shown.and_then(|()| signals.check()).inspect_err(|signal| {
                    task.cancel();
                    // Wait for the worker, so that nothing goes on behind the caller's back.
                    let mut waits = 0;
                    while let Err(RecvTimeoutError::Timeout) = take.recv_timeout(SIGNALS) {
                        waits = if is_waiting() { waits + 1 } else { 0 };
                        if let Some(leave) = leave.filter(|_| waits >= PATIENCE) {
                            bar.clear(&task);
                            leave(signal);
                        }
                    }
                })
            })
        })
    });
    bar.clear(&task);
    // What ended the work comes before an error of the last write.
    let written = line.finish(py);
    let done = done?;
    written.map(|()| done)
}
