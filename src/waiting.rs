//! Waits for futures from synchronous code, without missing the flag to stop.
//!
//! Each user has a runtime of its own, which ends with it: importing starts no thread, and a forked child never inherits
//! a runtime, whose threads it would not have.

use std::pin::pin;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::task::Task;

/// How often a wait checks for cancellation.
const LOOK: Duration = Duration::from_millis(100);

/// Two threads that drive connections. When it is dropped, nobody waits for requests that are still running.
pub(crate) struct AsyncRuntime(Option<Runtime>);

impl AsyncRuntime {
    pub(crate) fn new(thread_name: &'static str) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(thread_name)
            .enable_all()
            .build()
            .map_err(|source| Error::storage("this process", "start a thread", source))?;
        Ok(Self(Some(runtime)))
    }

    fn runtime(&self) -> Result<&Runtime> {
        self.0
            .as_ref()
            .ok_or_else(|| Error::internal("the connection is closed"))
    }

    /// Waits for an answer, or for the task to be stopped.
    pub(crate) fn wait<T>(&self, task: &Task, answer: impl Future<Output = T>) -> Result<T> {
        task.check()?;
        self.runtime()?.block_on(async {
            let mut answer = pin!(answer);
            loop {
                match tokio::time::timeout(LOOK, &mut answer).await {
                    Ok(answer) => return Ok(answer),
                    Err(_) => task.check()?,
                }
            }
        })
    }

    /// Waits at most this long, even if the task is cancelled: for cleaning up.
    pub(crate) fn wait_at_most<T>(&self, time: Duration, answer: impl Future<Output = T>) -> Option<T> {
        let runtime = self.runtime().ok()?;
        runtime
            .block_on(async { tokio::time::timeout(time, answer).await })
            .ok()
    }

    /// Starts work in the background.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<JoinHandle<T>> {
        Ok(self.runtime()?.spawn(work))
    }
}

impl Drop for AsyncRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
