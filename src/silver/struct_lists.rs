//! Builds columns of lists of structs, field by field.

use polars::prelude::{Column, IntoColumn, PlSmallStr, Series};
use polars_arrow::array::{Array, ListArray, MutableBinaryViewArray, StructArray, Utf8ViewArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::offset::Offsets;

use crate::error::{Error, Result};
use crate::schema::{ColumnType, StructField};

/// The offsets of lists that are built one after the other.
#[derive(Default)]
pub(super) struct ListEnds {
    offsets: Offsets<i64>,
    end: usize,
}

impl ListEnds {
    pub(super) fn with_capacity(lists: usize) -> Self {
        Self {
            offsets: Offsets::with_capacity(lists),
            end: 0,
        }
    }

    /// Ends a list at this number of values.
    pub(super) fn end_at(&mut self, end: usize) -> Result<()> {
        self.offsets.try_push(end - self.end)?;
        self.end = end;
        Ok(())
    }

    /// Adds empty lists.
    pub(super) fn extend_blank(&mut self, lists: usize) {
        self.offsets.extend_constant(lists);
    }
}

/// The values of one field, of all items.
struct FieldValues {
    texts: MutableBinaryViewArray<str>,
    /// Where the lists end, if each value is one.
    lists: Option<ListEnds>,
}

/// Builds the column: [`push`](Self::push) for each struct, [`end_row`](Self::end_row) after those of a list.
pub(super) struct StructLists {
    name: PlSmallStr,
    fields: &'static [StructField],
    values: Vec<FieldValues>,
    items: usize,
    rows: ListEnds,
}

impl StructLists {
    pub(super) fn new(name: &str, fields: &'static [StructField]) -> Self {
        let values = fields.iter().map(|field| FieldValues {
            texts: MutableBinaryViewArray::new(),
            lists: (field.field_type == ColumnType::TextList).then(ListEnds::default),
        });
        Self {
            name: name.into(),
            fields,
            values: values.collect(),
            items: 0,
            rows: ListEnds::default(),
        }
    }

    /// Adds the texts of a struct, one for each field, and the values of those that are lists.
    pub(super) fn push<const N: usize>(&mut self, item: [StructValue<'_>; N]) -> Result<()> {
        for (field, value) in self.values.iter_mut().zip(item) {
            match (value, &mut field.lists) {
                (StructValue::Text(text), None) => field.texts.push(text),
                (StructValue::List(values), Some(lists)) => {
                    for value in values {
                        field.texts.push_value(value);
                    }
                    lists.end_at(field.texts.len())?;
                }
                _ => {
                    return Err(Error::internal(
                        "a text in place of a list, or a list in place of a text",
                    ));
                }
            }
        }
        self.items += 1;
        Ok(())
    }

    /// Ends the list of a row.
    pub(super) fn end_row(&mut self) -> Result<()> {
        self.rows.end_at(self.items)
    }

    /// Adds rows with empty lists.
    pub(super) fn push_blank(&mut self, rows: usize) {
        self.rows.extend_blank(rows);
    }

    pub(super) fn finish(self) -> Result<Column> {
        let arrays = self.values.into_iter().map(|field| {
            let texts: Utf8ViewArray = field.texts.into();
            match field.lists {
                None => texts.boxed(),
                Some(lists) => list_of(texts.boxed(), lists),
            }
        });
        let arrays: Vec<Box<dyn Array>> = arrays.collect();
        let named = self.fields.iter().zip(&arrays);
        let named = named.map(|(field, array)| Field::new(field.name.into(), array.dtype().clone(), true));
        let structs = ArrowDataType::Struct(named.collect());
        let structs = StructArray::new(structs, self.items, arrays, None).boxed();
        Ok(Series::try_from((self.name, list_of(structs, self.rows)))?.into_column())
    }
}

/// The value of a field of a struct.
pub(super) enum StructValue<'v> {
    Text(Option<&'v str>),
    List(&'v [&'v str]),
}

/// Lists of these values, none of them missing.
pub(super) fn list_of(values: Box<dyn Array>, lists: ListEnds) -> Box<dyn Array> {
    let data_type = ListArray::<i64>::default_datatype(values.dtype().clone());
    ListArray::new(data_type, lists.offsets.into(), values, None).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Table;

    const FIELDS: &[StructField] = &[
        StructField {
            name: "name",
            field_type: ColumnType::Text,
            description: "",
        },
        StructField {
            name: "others",
            field_type: ColumnType::TextList,
            description: "",
        },
    ];

    #[test]
    fn rows_have_their_structs() -> Result<()> {
        let mut lists = StructLists::new("items", FIELDS);
        lists.end_row()?;
        lists.push([StructValue::Text(Some("a")), StructValue::List(&["b", "c"])])?;
        lists.push([StructValue::Text(None), StructValue::List(&[])])?;
        lists.end_row()?;
        let column = lists.finish()?;
        let lengths = column.list()?.downcast_iter().flat_map(|chunk| {
            let ends = chunk.offsets().windows(2);
            ends.map(|ends| ends[1] - ends[0]).collect::<Vec<_>>()
        });
        assert_eq!(lengths.collect::<Vec<_>>(), [0, 2]);
        let table = Table {
            name: "items",
            folder: "silver/items",
            description: "",
            columns: &[crate::schema::TableColumn {
                name: "items",
                column_type: ColumnType::StructList(FIELDS),
                nullable: false,
                repeats: false,
                description: "",
                term: "",
                example: "",
            }],
            partitions: &[],
            key: &[],
        };
        table.check(&polars::prelude::DataFrame::new(2, vec![column])?)
    }
}
