//! Reading a table of a lake: chosen columns and rows, a row group at a time, however large the table is.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;

use polars::prelude::{BooleanChunked, Column, DataFrame, NewChunkedArray, StringChunked};
use rayon::prelude::*;

use crate::choice::close_names;
use crate::error::{Error, Refusal, Result};
use crate::lake::table_files::{LakeFile, PartitionFilter, table_files};
use crate::schema::{PublicationStatus, Table, TableColumn, find_table};
use crate::storage::Storage;
use crate::tables::table_reader::TableReader;
use crate::task::Task;

/// Files that are read at a time where all rows are wanted.
const TOGETHER: usize = 32;

/// The rows and columns that are wanted of a table; the default is all of them.
#[derive(Debug, Clone, Default)]
pub struct ScanRequest {
    /// The names of the columns, in the order in which they come.
    pub columns: Option<Vec<String>>,
    pub partitions: PartitionFilter,
    /// The codes, for tables that have them.
    pub atccodes: Option<BTreeSet<String>>,
    /// The ids of publications, for tables that have them.
    pub publication_ids: Option<BTreeSet<String>>,
    /// Publications of these statuses are left out, in tables that have statuses.
    pub exclude_status: BTreeSet<PublicationStatus>,
}

/// A column that rows are chosen by.
struct ValueFilter {
    column: &'static str,
    values: BTreeSet<String>,
    /// Whether rows with one of the values are wanted, or the others.
    are_wanted: bool,
}

/// The rows of a table in one state of the lake.
pub struct TableScan {
    storage: Arc<dyn Storage>,
    table: &'static Table,
    columns: Vec<&'static TableColumn>,
    filters: Vec<ValueFilter>,
    files: VecDeque<LakeFile>,
    current: Option<(LakeFile, TableReader)>,
}

impl TableScan {
    /// Finds the files; reads no row.
    pub fn open(storage: Arc<dyn Storage>, table: &str, request: ScanRequest) -> Result<Self> {
        let table = find_table(table)?;
        let columns = match &request.columns {
            None => table.all_columns().collect(),
            Some(names) => names
                .iter()
                .map(|name| find_column(table, name))
                .collect::<Result<_>>()?,
        };
        let columns: Vec<&'static TableColumn> = columns;
        let twice = (1..columns.len()).find(|place| columns[..*place].contains(&columns[*place]));
        if let Some(place) = twice {
            let found = format!("`{}` twice", columns[place].name);
            return Err(Error::argument("columns", found, "each name once"));
        }
        let excluded = request
            .exclude_status
            .iter()
            .map(|status| status.name().to_owned());
        let excluded = (!request.exclude_status.is_empty()).then(|| excluded.collect());
        let asked = [
            ("atccode", "atccode", "codes", request.atccodes),
            (
                "publication_id",
                "publication_id",
                "ids of publications",
                request.publication_ids,
            ),
            ("exclude_status", "status", "statuses", excluded),
        ];
        let mut filters = Vec::new();
        for (argument, name, what, values) in asked {
            let Some(values) = values else { continue };
            if !table.columns.iter().any(|column| column.name == name) {
                let found = format!("a filter of the table `{}`, which has no {what}", table.name);
                let expected = format!("a table with the column `{name}`");
                return Err(Error::argument(argument, found, expected));
            }
            filters.push(ValueFilter {
                column: name,
                values,
                are_wanted: argument == name,
            });
        }
        let files = table_files(storage.as_ref(), table, &request.partitions)?;
        Ok(Self {
            storage,
            table,
            columns,
            filters,
            files: files.into(),
            current: None,
        })
    }

    /// A frame of the columns without a row.
    pub fn empty(&self) -> DataFrame {
        DataFrame::empty_with_schema(&self.columns.iter().map(|column| column.field()).collect())
    }

    /// The columns.
    pub fn columns(&self) -> &[&'static TableColumn] {
        &self.columns
    }

    /// The next rows, those of one row group; `None` at the end.
    pub fn next_frame(&mut self, task: &Task) -> Result<Option<DataFrame>> {
        loop {
            task.check()?;
            let Some((file, reader)) = &mut self.current else {
                match self.files.pop_front() {
                    Some(file) => {
                        let reader = self.open_file(&file)?;
                        self.current = Some((file, reader));
                        continue;
                    }
                    None => return Ok(None),
                }
            };
            let frame = next_group(reader, &self.columns, self.table, &self.filters)?;
            let Some(frame) = frame else {
                self.current = None;
                continue;
            };
            let frame = with_partition(frame, &self.columns, file)?;
            if frame.height() > 0 {
                return Ok(Some(frame));
            }
        }
    }

    /// All rows that are left; several files are read at a time.
    pub fn read_all(&mut self, task: &Task) -> Result<DataFrame> {
        let mut all = self.empty();
        if let Some((file, mut reader)) = self.current.take() {
            for frame in self.frames(&file, &mut reader, task)? {
                all.vstack_mut_owned(frame)?;
            }
        }
        let files: Vec<LakeFile> = self.files.drain(..).collect();
        for together in files.chunks(TOGETHER) {
            let frames: Vec<Vec<DataFrame>> = together
                .par_iter()
                .map(|file| self.frames(file, &mut self.open_file(file)?, task))
                .collect::<Result<_>>()?;
            for frame in frames.into_iter().flatten() {
                all.vstack_mut_owned(frame)?;
            }
        }
        Ok(all)
    }

    /// The wanted rows that are left in a file.
    fn frames(&self, file: &LakeFile, reader: &mut TableReader, task: &Task) -> Result<Vec<DataFrame>> {
        let mut frames = Vec::new();
        loop {
            task.check()?;
            let frame = next_group(reader, &self.columns, self.table, &self.filters)?;
            let Some(frame) = frame else { return Ok(frames) };
            let frame = with_partition(frame, &self.columns, file)?;
            if frame.height() > 0 {
                frames.push(frame);
            }
        }
    }

    fn open_file(&self, file: &LakeFile) -> Result<TableReader> {
        let path = &file.file.path;
        let uri = self.storage.uri(path)?;
        let refused = |found: String| {
            let remedy =
                "run the step that writes it again; `drugs-rs lake verify` lists every file that differs";
            Error::storage(&uri, "read", io::Error::other(Refusal { found, remedy }))
        };
        let opened = self.storage.open_file(path);
        // After the file is open, for it stays what it is now.
        file.check_is_current(self.storage.as_ref())?;
        let opened = opened.map_err(|error| match error {
            Error::Storage { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                refused("it is not there, and the manifest names it".to_owned())
            }
            error => error,
        })?;
        let size = opened
            .metadata()
            .map_err(|error| Error::storage(&uri, "read", error))?
            .len();
        if size != file.file.bytes {
            let written = file.file.bytes;
            return Err(refused(format!(
                "it has {size} bytes, and the manifest says {written}"
            )));
        }
        TableReader::open(opened, &uri)
    }
}

/// The column of a table with this name.
pub fn find_column(table: &Table, name: &str) -> Result<&'static TableColumn> {
    table
        .all_columns()
        .find(|column| column.name == name)
        .ok_or_else(|| {
            let names: Vec<&str> = table.all_columns().map(|column| column.name).collect();
            let meant = match close_names(name, names.iter().copied(), 1).first() {
                Some(close) => format!("; did you mean `{close}`?"),
                None => String::new(),
            };
            let expected = format!("columns of `{}`: {}{meant}", table.name, names.join(", "));
            Error::argument("columns", format!("`{name}`"), expected)
        })
}

/// The wanted rows of the next row group, with the wanted columns that the file has; `None` at the end of the file.
fn next_group(
    reader: &mut TableReader,
    columns: &[&'static TableColumn],
    table: &Table,
    filters: &[ValueFilter],
) -> Result<Option<DataFrame>> {
    let in_file = |column: &&&TableColumn| table.columns.iter().any(|of_file| of_file.name == column.name);
    let mut wanted: Vec<String> = columns
        .iter()
        .filter(in_file)
        .map(|column| column.name.to_owned())
        .collect();
    if wanted.is_empty() {
        // Some column has to say how many rows there are.
        wanted.extend(table.columns.first().map(|column| column.name.to_owned()));
    }
    // The filtered columns alone say whether the others are needed.
    let mut mask: Option<BooleanChunked> = None;
    for filter in filters {
        let Some(found) = reader.peek(Some(&[filter.column.to_owned()]))? else {
            return Ok(None);
        };
        let matches = matching(found.column(filter.column)?.str()?, filter);
        let both = mask.map_or_else(|| matches.clone(), |mask| mask & matches.clone());
        if !both.any() {
            reader.skip();
            return Ok(Some(found.clear()));
        }
        mask = Some(both);
    }
    let frame = reader.peek(Some(&wanted))?;
    reader.skip();
    Ok(match (frame, mask) {
        (Some(frame), Some(mask)) => Some(frame.filter(&mask)?),
        (frame, _) => frame,
    })
}

/// Which values are wanted. Neighbours are often equal.
fn matching(values: &StringChunked, filter: &ValueFilter) -> BooleanChunked {
    let mut last: Option<(&str, bool)> = None;
    let mask = values.iter().map(|value| {
        let value = value.unwrap_or_default();
        match last {
            Some((before, is_wanted)) if before == value => is_wanted,
            _ => {
                let is_wanted = filter.values.contains(value) == filter.are_wanted;
                last = Some((value, is_wanted));
                is_wanted
            }
        }
    });
    BooleanChunked::from_slice("wanted".into(), &mask.collect::<Vec<bool>>())
}

/// The wanted columns in their order, with those that the path of the file has.
fn with_partition(frame: DataFrame, columns: &[&'static TableColumn], file: &LakeFile) -> Result<DataFrame> {
    let height = frame.height();
    if height == 0 {
        return Ok(frame);
    }
    let all = columns.iter().map(|column| {
        let constant =
            |text: Option<String>| Column::new(column.name.into(), [text]).new_from_index(0, height);
        Ok(match column.name {
            "dt" => constant(file.dt.map(|dt| dt.to_string())),
            "kind" if frame.column("kind").is_err() => constant(file.kind.map(|kind| kind.name().to_owned())),
            name => frame.column(name)?.clone(),
        })
    });
    Ok(DataFrame::new(height, all.collect::<Result<_>>()?)?)
}
