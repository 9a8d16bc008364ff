//! What a table is: its name, its place, its columns and their types.

use polars::prelude::{DataFrame, DataType, Field, PlSmallStr, Schema};

use crate::error::{Error, Result};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// A list of texts.
    TextList,
    /// A calendar day.
    Date,
    /// A whole number. Signed, for engines compute with it, and some have no function that takes an unsigned one.
    Number,
    /// A list of structs with these fields.
    StructList(&'static [StructField]),
}

/// A field of the structs of a [`ColumnType::StructList`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StructField {
    pub name: &'static str,
    /// [`ColumnType::Text`], which may be null, or [`ColumnType::TextList`], which is empty instead; in a table of no lake
    /// also [`ColumnType::Number`].
    pub field_type: ColumnType,
    /// What the value is, in a sentence.
    pub description: &'static str,
}

impl ColumnType {
    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::String,
            Self::TextList => DataType::List(Box::new(DataType::String)),
            Self::Date => DataType::Date,
            Self::Number => DataType::Int64,
            Self::StructList(fields) => {
                let fields = fields.iter().map(StructField::field);
                DataType::List(Box::new(DataType::Struct(fields.collect())))
            }
        }
    }
}

impl StructField {
    /// Its name and type.
    pub fn field(&self) -> Field {
        Field::new(self.name.into(), self.field_type.data_type())
    }
}

/// One column of a [`Table`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableColumn {
    pub name: &'static str,
    pub column_type: ColumnType,
    pub nullable: bool,
    /// Whether many rows share few values, so that a file stores them in a dictionary.
    pub repeats: bool,
    /// What the value is, in a sentence.
    pub description: &'static str,
    /// The word of the field for it.
    pub term: &'static str,
    /// A value, as text.
    pub example: &'static str,
}

impl TableColumn {
    const fn new(name: &'static str, column_type: ColumnType, nullable: bool) -> Self {
        Self {
            name,
            column_type,
            nullable,
            repeats: false,
            description: "",
            term: "",
            example: "",
        }
    }

    pub(super) const fn repeating(mut self) -> Self {
        self.repeats = true;
        self
    }

    pub(super) const fn is(
        mut self,
        term: &'static str,
        example: &'static str,
        description: &'static str,
    ) -> Self {
        self.term = term;
        self.example = example;
        self.description = description;
        self
    }

    /// Whether it holds texts of which each row has its own.
    #[must_use]
    pub fn is_free_text(&self) -> bool {
        matches!(self.column_type, ColumnType::Text) && !self.repeats
    }

    /// Its name and type.
    pub fn field(&self) -> Field {
        Field::new(self.name.into(), self.column_type.data_type())
    }
}

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// The folder in the lake, and the layer with it.
    pub folder: &'static str,
    /// What a row is, in a sentence.
    pub description: &'static str,
    /// The columns in the files.
    pub columns: &'static [TableColumn],
    /// The columns that are in the names of the folders, and in no file.
    pub partitions: &'static [TableColumn],
    /// The columns that identify a row; none if rows may be equal.
    pub key: &'static [&'static str],
}

pub(super) const fn required(name: &'static str, column_type: ColumnType) -> TableColumn {
    TableColumn::new(name, column_type, false)
}

pub(super) const fn optional(name: &'static str, column_type: ColumnType) -> TableColumn {
    TableColumn::new(name, column_type, true)
}

impl Table {
    /// The polars schema of its files.
    pub fn schema(&self) -> Schema {
        self.columns.iter().map(TableColumn::field).collect()
    }

    /// All of its columns: those in the files, then those in the names of folders.
    pub fn all_columns(&self) -> impl Iterator<Item = &'static TableColumn> + use<> {
        self.columns.iter().chain(self.partitions)
    }

    /// The layer of the lake that holds it.
    pub fn layer(&self) -> &'static str {
        self.folder.split('/').next().unwrap_or_default()
    }

    /// An empty frame of the table.
    pub fn empty(&self) -> DataFrame {
        DataFrame::empty_with_schema(&self.schema())
    }

    /// Checks names, order, types and missing values of a frame, and reports every difference at once.
    pub fn check(&self, frame: &DataFrame) -> Result<()> {
        let mut faults = Vec::new();
        let found: Vec<&str> = frame
            .get_column_names()
            .into_iter()
            .map(PlSmallStr::as_str)
            .collect();
        let wanted: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        if found != wanted {
            faults.push(format!("columns {found:?} instead of {wanted:?}"));
        }
        for column in self.columns {
            let Ok(values) = frame.column(column.name) else {
                continue;
            };
            let data_type = column.column_type.data_type();
            if values.dtype() != &data_type {
                faults.push(format!(
                    "`{}` is {} instead of {data_type}",
                    column.name,
                    values.dtype()
                ));
            }
            if !column.nullable && values.null_count() > 0 {
                faults.push(format!(
                    "`{}` has {} missing values",
                    column.name,
                    values.null_count()
                ));
            }
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(Error::internal(format!(
            "table {}: {}",
            self.name,
            faults.join("; ")
        )))
    }
}
