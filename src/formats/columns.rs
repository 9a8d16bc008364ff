//! The columns of a batch. They are polars' own, so that nothing is copied on the way to a table.
//!
//! In builds without the feature `tables` plain vectors stand in for them: the readers themselves need no frames, and the
//! fuzz targets read millions of little files with them without compiling polars.

#[cfg(feature = "tables")]
mod in_frames {
    use polars::prelude::{Column, IntoColumn, NamedFrom, Series, StringChunkedBuilder};

    use crate::error::Result;

    pub use polars::prelude::DataFrame as Frame;

    /// A column of texts in the making.
    pub(crate) struct Texts(StringChunkedBuilder);

    impl Texts {
        pub(crate) fn new(name: &'static str, rows: usize) -> Self {
            Self(StringChunkedBuilder::new(name.into(), rows))
        }

        pub(crate) fn push(&mut self, text: Option<&str>) {
            self.0.append_option(text);
        }
    }

    /// The frame of some rows.
    pub(crate) fn frame(source_rows: Vec<u64>, texts: Vec<Texts>) -> Result<Frame> {
        let height = source_rows.len();
        let rows = Series::new("source_row".into(), source_rows);
        let mut columns: Vec<Column> = vec![rows.into_column()];
        columns.extend(texts.into_iter().map(|column| column.0.finish().into_column()));
        Ok(Frame::new(height, columns)?)
    }
}

#[cfg(not(feature = "tables"))]
mod in_frames {
    use crate::error::Result;

    /// What stands in for a frame.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Frame {
        pub source_rows: Vec<u64>,
        /// A column a field.
        pub texts: Vec<Vec<Option<String>>>,
    }

    impl Frame {
        /// Count the rows.
        pub fn height(&self) -> usize {
            self.source_rows.len()
        }
    }

    /// A column of texts in the making.
    pub(crate) struct Texts(Vec<Option<String>>);

    impl Texts {
        pub(crate) fn new(_name: &'static str, rows: usize) -> Self {
            Self(Vec::with_capacity(rows.min(64)))
        }

        pub(crate) fn push(&mut self, text: Option<&str>) {
            self.0.push(text.map(str::to_owned));
        }
    }

    /// The stand-in of some rows.
    pub(crate) fn frame(source_rows: Vec<u64>, texts: Vec<Texts>) -> Result<Frame> {
        Ok(Frame {
            source_rows,
            texts: texts.into_iter().map(|column| column.0).collect(),
        })
    }
}

pub use in_frames::Frame;
pub(crate) use in_frames::{Texts, frame};
