//! What packed files, archives and Parquet are called in manifests, by the same looks by which they are read.

use super::input::PARQUET as PARQUET_MAGIC;
use super::members::archive_kind;
use super::packing::packing;

/// The media type of Parquet.
pub const PARQUET_TYPE: &str = "application/vnd.apache.parquet";

/// The media type of a file that is more than a text, by its beginning; `None` for what is read as a text.
pub fn packed_media_type(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(PARQUET_MAGIC) {
        return Some(PARQUET_TYPE);
    }
    match (packing(head), archive_kind(head)) {
        (Some("gzip"), _) => Some("application/gzip"),
        (Some("zstd"), _) => Some("application/zstd"),
        (Some(_), _) => Some("application/x-bzip2"),
        (None, Some("ZIP")) => Some("application/zip"),
        (None, Some(_)) => Some("application/x-tar"),
        (None, None) => None,
    }
}
