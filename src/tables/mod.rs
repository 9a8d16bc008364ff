//! Tables as Parquet files in bounded memory: row groups, pages, and rows that wait on a scratch file.

mod list_pages;
pub(crate) mod open_row_group;
pub(crate) mod output_file;
pub(crate) mod page_compression;
pub(crate) mod pages;
pub(crate) mod pending_table;
pub(crate) mod row_group;
pub(crate) mod row_groups;
pub(crate) mod spill_buffer;
pub(crate) mod spill_file;
pub(crate) mod stored_groups;
pub(crate) mod table_file;
pub(crate) mod table_reader;
pub(crate) mod table_writer;
