//! The columns of a batch. They are polars' own, so that nothing is copied on the way to a table.
//!
//! Without the feature `tables` they are plain vectors: the readers need no frames, and the fuzz targets read millions
//! of small files without compiling polars.

#[cfg(feature = "tables")]
mod in_frames {
    use polars::prelude::{Column, DataType, IntoColumn, NamedFrom, Series, StringChunked};
    use polars_arrow::array::{MutableBinaryViewArray, Utf8ViewArray};

    use crate::error::Result;

    pub use polars::prelude::DataFrame as Frame;

    /// Builds a column of texts. Missing values cost nothing until one is there: most sources lack most columns.
    pub(crate) struct TextColumn {
        name: &'static str,
        rows: usize,
        texts: MutableBinaryViewArray<str>,
        /// Missing values behind those in `texts`.
        missing: usize,
    }

    impl TextColumn {
        pub(crate) fn new(name: &'static str, rows: usize) -> Self {
            Self {
                name,
                rows,
                texts: MutableBinaryViewArray::new(),
                missing: 0,
            }
        }

        pub(crate) fn push(&mut self, text: Option<&str>) {
            let Some(text) = text else {
                return self.push_missing(1);
            };
            if self.texts.views().is_empty() {
                self.texts.reserve(self.rows);
            }
            self.add_missing();
            self.texts.push_value(text);
        }

        /// Adds missing values.
        pub(crate) fn push_missing(&mut self, rows: usize) {
            self.missing += rows;
        }

        fn add_missing(&mut self) {
            if self.missing > 0 {
                self.texts.extend_null(std::mem::take(&mut self.missing));
            }
        }

        pub(crate) fn finish(mut self) -> Column {
            let name = self.name.into();
            if self.texts.views().is_empty() {
                return Column::full_null(name, self.missing, &DataType::String);
            }
            self.add_missing();
            let texts: Utf8ViewArray = self.texts.into();
            StringChunked::with_chunk(name, texts).into_column()
        }
    }

    /// The frame of some rows.
    pub(crate) fn frame(source_rows: Vec<u64>, texts: Vec<TextColumn>) -> Result<Frame> {
        let height = source_rows.len();
        let rows = Series::new("source_row".into(), source_rows);
        let mut columns: Vec<Column> = vec![rows.into_column()];
        columns.extend(texts.into_iter().map(TextColumn::finish));
        Ok(Frame::new(height, columns)?)
    }
}

#[cfg(not(feature = "tables"))]
mod in_frames {
    use crate::error::Result;

    /// Plain vectors in place of a polars frame.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Frame {
        pub source_rows: Vec<u64>,
        /// One column for each field.
        pub texts: Vec<Vec<Option<String>>>,
    }

    impl Frame {
        /// The number of rows.
        pub fn height(&self) -> usize {
            self.source_rows.len()
        }
    }

    /// Builds a column of texts.
    pub(crate) struct TextColumn(Vec<Option<String>>);

    impl TextColumn {
        pub(crate) fn new(_name: &'static str, rows: usize) -> Self {
            Self(Vec::with_capacity(rows.min(64)))
        }

        pub(crate) fn push(&mut self, text: Option<&str>) {
            self.0.push(text.map(str::to_owned));
        }
    }

    /// The plain frame of some rows.
    pub(crate) fn frame(source_rows: Vec<u64>, texts: Vec<TextColumn>) -> Result<Frame> {
        Ok(Frame {
            source_rows,
            texts: texts.into_iter().map(|column| column.0).collect(),
        })
    }
}

pub use in_frames::Frame;
pub(crate) use in_frames::{TextColumn, frame};
