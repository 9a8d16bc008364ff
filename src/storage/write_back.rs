//! Makes written data durable in the background, so that most of it is done before the commit waits for it.

use std::fs::File;
use std::io;
use std::thread::{Builder, JoinHandle};

/// The background thread, and the first error of an earlier one.
#[derive(Debug, Default)]
pub(super) struct WriteBack {
    thread: Option<JoinHandle<io::Result<()>>>,
    failed: Option<io::Error>,
}

impl WriteBack {
    /// Starts to sync what the file holds now, unless the thread is still busy.
    pub(super) fn begin(&mut self, file: &File) {
        if self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        self.join();
        let Ok(file) = file.try_clone() else { return };
        // Without a thread, the commit does all of it.
        self.thread = Builder::new()
            .name("drugs_rs-sync".to_owned())
            .spawn(move || file.sync_data())
            .ok();
    }

    /// Waits for the thread. The system reports a write error only once, so a later sync of the same file would
    /// succeed.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.join();
        self.failed.take().map_or(Ok(()), Err)
    }

    fn join(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let ended = thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that writes back panicked")));
        if let Err(error) = ended {
            self.failed.get_or_insert(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn an_error_is_told_at_the_end_whatever_went_well_after_it() -> io::Result<()> {
        // A pipe cannot be made durable.
        let (pipe, _writer) = io::pipe()?;
        let pipe = File::from(OwnedFd::from(pipe));
        let folder = tempfile::tempdir()?;
        let file = File::create(folder.path().join("file"))?;
        let mut write_back = WriteBack::default();
        write_back.begin(&pipe);
        while write_back
            .thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
        {
            std::thread::yield_now();
        }
        write_back.begin(&file);
        let told = write_back.end();
        assert_eq!(
            told.map_err(|error| error.kind()),
            Err(io::ErrorKind::InvalidInput)
        );
        assert!(write_back.end().is_ok(), "told once");
        write_back.begin(&file);
        write_back.end()
    }
}
