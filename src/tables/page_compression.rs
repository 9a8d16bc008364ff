//! Compresses Parquet pages with Zstandard. Each thread keeps its compressor and its output buffer, which would otherwise be
//! allocated again for every page.

use std::cell::RefCell;

use polars::error::PolarsResult;
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::page::CompressedDictPage;
use polars_parquet::write::{CompressedDataPage, CompressedPage, Page};
use zstd::bulk::Compressor;
use zstd::zstd_safe::compress_bound;

/// The quickest of the usual levels.
pub(crate) const LEVEL: i32 = 1;

/// A thread keeps no more room than this: a page may be one text of a gigabyte.
const MOST_KEPT: usize = 4 << 20;

/// What a thread compresses with.
struct Tools {
    compressor: Compressor<'static>,
    room: Vec<u8>,
}

impl Tools {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            compressor: Compressor::new(LEVEL)?,
            room: Vec::new(),
        })
    }

    fn compress(&mut self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        self.room.clear();
        self.room.reserve(compress_bound(bytes.len()));
        self.compressor.compress_to_buffer(bytes, &mut self.room)?;
        let compressed = self.room.as_slice().to_vec();
        if self.room.capacity() > MOST_KEPT {
            self.room = Vec::new();
        }
        Ok(compressed)
    }
}

fn compress_bytes(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    thread_local! {
        static TOOLS: RefCell<Option<Tools>> = const { RefCell::new(None) };
    }
    TOOLS.with_borrow_mut(|tools| {
        let tools = match tools {
            Some(tools) => tools,
            None => tools.insert(Tools::new()?),
        };
        tools.compress(bytes)
    })
}

/// Compresses a page for a file. Pages are of version 1 of Parquet's data pages, which are compressed as a whole.
pub(crate) fn compress(page: Page) -> PolarsResult<CompressedPage> {
    Ok(match page {
        Page::Data(page) => CompressedPage::Data(CompressedDataPage::new(
            page.header().clone(),
            CowBuffer::Owned(compress_bytes(page.buffer())?),
            Compression::Zstd,
            page.buffer().len(),
            page.descriptor.clone(),
            page.num_rows().unwrap_or_default(),
        )),
        Page::Dict(page) => CompressedPage::Dict(CompressedDictPage::new(
            CowBuffer::Owned(compress_bytes(&page.buffer)?),
            Compression::Zstd,
            page.buffer.len(),
            page.num_values,
            page.is_sorted,
        )),
    })
}
