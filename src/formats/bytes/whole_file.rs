//! A file that is read from its end, wherever it comes from.

use std::fs::File;

use super::compression::ByteStream;

/// A whole file, or the bytes of one: packed, in an archive, in a bucket, in a pipe.
#[cfg_attr(
    not(feature = "tables"),
    expect(dead_code, reason = "without tables nobody reads it")
)]
pub(crate) enum WholeFile {
    Here(File),
    Coming(ByteStream),
}

#[cfg(feature = "tables")]
mod copying {
    use std::io::{BufWriter, Seek, Write};

    use super::{File, WholeFile};
    use crate::error::{Error, Result};
    use crate::formats::bytes::compression::BUFFER;
    use crate::scratch;
    use crate::task::Task;

    impl WholeFile {
        /// The file itself, or a temporary copy of the bytes of a stream. `failed` makes the error of a failed read from its byte
        /// and cause.
        pub(crate) fn file(
            self,
            uri: &str,
            failed: impl Fn(u64, std::io::Error) -> Error,
            task: &Task,
        ) -> Result<File> {
            let bytes = match self {
                Self::Here(file) => return Ok(file),
                Self::Coming(bytes) => bytes,
            };
            let kept = |error| Error::storage(uri, "keep a temporary copy of it", error);
            let mut copy = BufWriter::with_capacity(BUFFER, scratch::unnamed().map_err(kept)?);
            task.read_pieces(bytes, BUFFER, failed, |piece| copy.write_all(piece).map_err(kept))?;
            let mut copy = copy.into_inner().map_err(|error| kept(error.into_error()))?;
            copy.rewind().map_err(kept)?;
            Ok(copy)
        }
    }
}
