//! The bytes of a source: from a file, a pipe or a member of an archive, unpacked and in UTF-8.

mod archive_faults;
pub(crate) mod compression;
mod decoding;
pub(crate) mod input;
pub(crate) mod marks;
pub(crate) mod members;
mod tar;
mod tar_header;
mod whole_file;
mod zip;
mod zip_directory;
