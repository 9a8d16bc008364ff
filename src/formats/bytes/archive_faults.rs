//! Errors of archives.

use std::io;

/// The archive is not what its format requires.
pub(crate) fn broken(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

/// Says of an end that comes too early that the archive is cut off.
pub(crate) fn cut_off(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => broken("the archive is cut off"),
        _ => error,
    }
}
