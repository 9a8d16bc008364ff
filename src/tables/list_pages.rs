//! Pages of columns of lists: those that polars' own writer makes, byte for byte, at a fraction of their cost.
//!
//! That writer walks through the lists value by value, three times a page. Here a pass over the offsets of a level of lists makes
//! the levels of all leaves in it, and polars encodes the values of a leaf as a column without lists.

use std::borrow::Cow;

use polars::error::{PolarsResult, polars_bail};
use polars_arrow::array::{Array, ListArray, StructArray};
use polars_arrow::offset::OffsetsBuffer;
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::encoding::hybrid_rle::encode;
use polars_parquet::parquet::page::{DataPage, DataPageHeader};
use polars_parquet::parquet::read::levels::get_bit_width;
use polars_parquet::parquet::schema::Repetition;
use polars_parquet::write::{Encoding, Nested, Page, ParquetType, WriteOptions, array_to_page};

/// In place of the definition level of a value that is there, up to the level that is looked at.
const THERE: u8 = u8::MAX;

/// The levels of Parquet down to some depth of a column.
#[derive(Clone)]
struct Levels {
    repetition: Vec<u8>,
    /// Of a value that is there, [`THERE`]; of others, where they end.
    definition: Vec<u8>,
    most_repetition: u8,
    /// The definition level of a value that is there.
    depth: u8,
}

impl Levels {
    fn of_rows(rows: usize) -> Self {
        Self {
            repetition: vec![0; rows],
            definition: vec![THERE; rows],
            most_repetition: 0,
            depth: 0,
        }
    }

    /// Goes down into what may be missing, if it may.
    fn enter_optional(&mut self, parquet_type: &ParquetType) {
        self.depth += u8::from(is_optional(parquet_type));
    }

    /// Goes down into lists, one for each value that is there.
    fn enter_lists(&mut self, offsets: &OffsetsBuffer<i64>) {
        let rows = self.repetition.len();
        let values = usize::try_from(offsets.range()).unwrap_or_default();
        let mut repetition = Vec::with_capacity(rows + values);
        let mut definition = Vec::with_capacity(rows + values);
        let mut lengths = offsets.lengths();
        let inner = self.most_repetition + 1;
        for (repeated, defined) in self.repetition.iter().zip(&self.definition) {
            repetition.push(*repeated);
            let length = if *defined == THERE {
                lengths.next().unwrap_or_default()
            } else {
                0
            };
            match (length, *defined) {
                (0, THERE) => definition.push(self.depth),
                (0, before) => definition.push(before),
                (length, _) => {
                    repetition.resize(repetition.len() + length - 1, inner);
                    definition.resize(definition.len() + length, THERE);
                }
            }
        }
        (self.repetition, self.definition) = (repetition, definition);
        self.most_repetition = inner;
        self.depth += 1;
    }

    /// The page of a leaf with these levels.
    fn page(
        mut self,
        values: &dyn Array,
        parquet_type: &ParquetType,
        rows: usize,
        options: WriteOptions,
    ) -> PolarsResult<Page> {
        let ParquetType::PrimitiveType(primitive) = parquet_type else {
            polars_bail!(InvalidOperation: "a leaf of lists that is no primitive type");
        };
        let optional = is_optional(parquet_type);
        self.enter_optional(parquet_type);
        let nested = [Nested::primitive(
            values.validity().cloned(),
            optional,
            values.len(),
        )];
        let flat = array_to_page(values, primitive.clone(), &nested, options, Encoding::Plain)?;
        let Page::Data(flat) = flat else {
            polars_bail!(InvalidOperation: "a dictionary of the values of lists");
        };
        let DataPageHeader::V1(mut header) = flat.header().clone() else {
            polars_bail!(InvalidOperation: "a page of version 2");
        };
        let mut validity = values.validity().map(|validity| validity.iter());
        for defined in self.definition.iter_mut().filter(|defined| **defined == THERE) {
            let valid = validity
                .as_mut()
                .is_none_or(|validity| validity.next() == Some(true));
            *defined = self.depth - u8::from(!valid);
        }
        header.num_values = i32::try_from(self.repetition.len())
            .map_err(|_| polars::error::polars_err!(InvalidOperation: "a page of more than 2^31 values"))?;
        // The values of the flat page follow its own levels, which are a length of four bytes and that many bytes.
        let levels = match flat.buffer().first_chunk() {
            Some(length) if optional => 4 + u32::from_le_bytes(*length) as usize,
            _ => 0,
        };
        let flat_values = flat.buffer().get(levels..).unwrap_or_default();
        let mut buffer = Vec::with_capacity(flat_values.len() + self.repetition.len() / 4 + 64);
        add_levels(&mut buffer, &self.repetition, self.most_repetition)?;
        add_levels(&mut buffer, &self.definition, self.depth)?;
        buffer.extend_from_slice(flat_values);
        let buffer = CowBuffer::Owned(buffer);
        let header = DataPageHeader::V1(header);
        Ok(Page::Data(DataPage::new(
            header,
            buffer,
            flat.descriptor.clone(),
            rows,
        )))
    }
}

fn add_levels(buffer: &mut Vec<u8>, levels: &[u8], most: u8) -> PolarsResult<()> {
    let start = buffer.len();
    buffer.extend([0; 4]);
    let bits = get_bit_width(i16::from(most));
    encode::<u32, _, _>(buffer, levels.iter().map(|level| u32::from(*level)), bits)?;
    let length = (buffer.len() - start - 4) as u32;
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

fn is_optional(parquet_type: &ParquetType) -> bool {
    parquet_type.get_field_info().repetition != Repetition::Required
}

/// One page for each leaf of a column of lists; `None` if it is no such column, or lists or structs in it are missing.
pub(super) fn list_pages(
    array: &dyn Array,
    parquet_type: &ParquetType,
    options: WriteOptions,
) -> PolarsResult<Option<Vec<Page>>> {
    if !array.as_any().is::<ListArray<i64>>() || misses_some(array) {
        return Ok(None);
    }
    let mut pages = Vec::new();
    let levels = Cow::Owned(Levels::of_rows(array.len()));
    add_pages(array, parquet_type, levels, array.len(), options, &mut pages)?;
    Ok(Some(pages))
}

/// Whether a list or a struct is null.
fn misses_some(array: &dyn Array) -> bool {
    let any = array.as_any();
    if let Some(lists) = any.downcast_ref::<ListArray<i64>>() {
        return array.null_count() > 0 || misses_some(&**lists.values());
    }
    any.downcast_ref::<StructArray>().is_some_and(|structs| {
        array.null_count() > 0 || structs.values().iter().any(|values| misses_some(&**values))
    })
}

fn add_pages(
    array: &dyn Array,
    parquet_type: &ParquetType,
    mut levels: Cow<'_, Levels>,
    rows: usize,
    options: WriteOptions,
    pages: &mut Vec<Page>,
) -> PolarsResult<()> {
    let any = array.as_any();
    if let Some(lists) = any.downcast_ref::<ListArray<i64>>() {
        let ParquetType::GroupType { fields, .. } = parquet_type else {
            polars_bail!(InvalidOperation: "lists whose type is no group");
        };
        let Some(ParquetType::GroupType { fields: items, .. }) = fields.first() else {
            polars_bail!(InvalidOperation: "lists without a group of items");
        };
        levels.to_mut().enter_optional(parquet_type);
        levels.to_mut().enter_lists(lists.offsets());
        let first = usize::try_from(*lists.offsets().first()).unwrap_or_default();
        let length = usize::try_from(lists.offsets().range()).unwrap_or_default();
        let values = lists.values().sliced(first, length);
        return add_pages(&*values, &items[0], levels, rows, options, pages);
    }
    if let Some(structs) = any.downcast_ref::<StructArray>() {
        let ParquetType::GroupType { fields, .. } = parquet_type else {
            polars_bail!(InvalidOperation: "structs whose type is no group");
        };
        levels.to_mut().enter_optional(parquet_type);
        for (values, field) in structs.values().iter().zip(fields) {
            add_pages(&**values, field, Cow::Borrowed(&levels), rows, options, pages)?;
        }
        return Ok(());
    }
    pages.push(levels.into_owned().page(array, parquet_type, rows, options)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use polars_arrow::array::{MutableBinaryViewArray, Utf8ViewArray};
    use polars_arrow::datatypes::{ArrowDataType, Field};
    use polars_arrow::offset::Offsets;
    use polars_parquet::write::{array_to_columns, to_parquet_type};
    use proptest::prelude::*;

    use super::super::pages::page_options;
    use super::*;

    type Struct = (Option<String>, Vec<Option<String>>, Option<String>);

    fn texts<'t>(texts: impl Iterator<Item = &'t Option<String>>) -> Box<dyn Array> {
        let mut array = MutableBinaryViewArray::<str>::new();
        texts.for_each(|text| array.push(text.as_deref()));
        let array: Utf8ViewArray = array.into();
        let array = array.boxed();
        if array.null_count() == 0 {
            array.with_validity(None)
        } else {
            array
        }
    }

    fn lists(values: Box<dyn Array>, lengths: impl Iterator<Item = usize>) -> Box<dyn Array> {
        let offsets = Offsets::<i64>::try_from_lengths(lengths).unwrap_or_default();
        let data_type = ListArray::<i64>::default_datatype(values.dtype().clone());
        ListArray::new(data_type, offsets.into(), values, None).boxed()
    }

    fn structs(rows: &[Vec<Struct>]) -> Box<dyn Array> {
        let items: Vec<&Struct> = rows.iter().flatten().collect();
        let others = texts(items.iter().flat_map(|item| &item.1));
        let fields = vec![
            texts(items.iter().map(|item| &item.0)),
            lists(others, items.iter().map(|item| item.1.len())),
            texts(items.iter().map(|item| &item.2)),
        ];
        let named = fields.iter().zip(["a", "b", "c"]);
        let named = named.map(|(values, name)| Field::new(name.into(), values.dtype().clone(), true));
        let data_type = ArrowDataType::Struct(named.collect());
        let structs = StructArray::new(data_type, items.len(), fields, None).boxed();
        lists(structs, rows.iter().map(Vec::len))
    }

    /// The pages of some rows are those that polars makes.
    fn same_pages(array: &dyn Array, optional: bool) -> Result<(), TestCaseError> {
        let (ours, theirs) =
            pages(array, optional).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(ours, theirs);
        Ok(())
    }

    /// Our pages and those of polars.
    fn pages(array: &dyn Array, optional: bool) -> PolarsResult<(String, String)> {
        let field = Field::new("lists".into(), array.dtype().clone(), optional);
        let parquet_type = to_parquet_type(&field)?;
        let options = page_options()?;
        let ours = list_pages(array, &parquet_type, options)?.unwrap_or_default();
        let encodings = vec![Encoding::Plain; ours.len()];
        let theirs = array_to_columns(array.to_boxed(), parquet_type, options, &encodings)?;
        let theirs = theirs
            .into_iter()
            .flatten()
            .collect::<PolarsResult<Vec<Page>>>()?;
        Ok((format!("{ours:?}"), format!("{theirs:?}")))
    }

    fn some_text() -> impl Strategy<Value = Option<String>> {
        proptest::option::weighted(0.8, "[a-dü]{0,20}")
    }

    proptest! {
        #[test]
        fn lists_of_texts_have_the_pages_of_polars(
            rows in proptest::collection::vec(proptest::collection::vec(some_text(), 0..4), 1..60),
            empty in 0..40_usize,
            optional: bool,
            start in 0.0..1.0,
        ) {
            let rows: Vec<_> = rows.into_iter().chain(std::iter::repeat_n(Vec::new(), empty)).collect();
            let array = lists(texts(rows.iter().flatten()), rows.iter().map(Vec::len));
            same_pages(&*array, optional)?;
            let start = (rows.len() as f64 * start) as usize;
            same_pages(&*array.sliced(start, (rows.len() - start).div_ceil(2)), optional)?;
        }

        #[test]
        fn lists_of_structs_have_the_pages_of_polars(
            rows in proptest::collection::vec(
                proptest::collection::vec(
                    (some_text(), proptest::collection::vec(some_text(), 0..4), some_text()),
                    0..4,
                ),
                1..40,
            ),
            empty in 0..40_usize,
            start in 0.0..1.0,
        ) {
            let rows: Vec<_> = std::iter::repeat_n(Vec::new(), empty).chain(rows).collect();
            let array = structs(&rows);
            same_pages(&*array, false)?;
            let start = (rows.len() as f64 * start) as usize;
            same_pages(&*array.sliced(start, (rows.len() - start).div_ceil(2)), true)?;
        }
    }

    #[test]
    fn a_missing_list_is_left_to_polars() -> PolarsResult<()> {
        let array = lists(texts([None].iter()), [1].into_iter());
        let parquet_type = to_parquet_type(&Field::new("lists".into(), array.dtype().clone(), true))?;
        let missing = array.with_validity(Some([false].into_iter().collect()));
        assert!(list_pages(&*missing, &parquet_type, page_options()?)?.is_none());
        Ok(())
    }
}
