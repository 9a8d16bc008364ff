//! The texts of the fields of publications, as they are searched.
//!
//! A title or an abstract is one text. A field of several names is one text too, with ` | ` between them, where no mention
//! can cross: `Docetaxel | Taxotere | Placebo`.

use std::borrow::Cow;

use polars::prelude::{DataFrame, StringChunked};
use polars_arrow::array::{ListArray, StructArray, Utf8ViewArray};

use crate::error::{Error, Result};
use crate::schema::{INTERVENTION_ROLES, SearchedField};
use crate::text::BETWEEN_NAMES;

/// The texts of one field of the publications in a frame of silver.
pub struct FieldTexts {
    field: SearchedField,
    texts: Texts,
}

enum Texts {
    Plain(StringChunked),
    Names(Box<NameLists>),
    /// A frame without rows.
    None,
}

/// A list of structs a row.
struct NameLists {
    rows: ListArray<i64>,
    names: Utf8ViewArray,
    other_names: Option<ListArray<i64>>,
    roles: Option<ListArray<i64>>,
}

/// The text of a field of one publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldText<'t> {
    pub text: Cow<'t, str>,
    /// Where the names of each intervention end, and its role.
    roles: Vec<(usize, Option<&'static str>)>,
}

impl FieldText<'_> {
    /// The role of the intervention that is named at a byte.
    pub fn role_at(&self, byte: usize) -> Option<&'static str> {
        let named = self.roles.iter().find(|(end, _)| byte < *end);
        named.and_then(|(_, role)| *role)
    }
}

impl FieldTexts {
    /// The texts in a frame, which has the column of the field.
    pub fn of(frame: &DataFrame, field: SearchedField) -> Result<Self> {
        let column = frame.column(field.name())?;
        let texts = match field {
            SearchedField::Title | SearchedField::Abstract => Texts::Plain(column.str()?.clone()),
            SearchedField::Interventions | SearchedField::Substances => {
                let lists = column.list()?.rechunk();
                match lists.downcast_iter().next() {
                    Some(rows) => Texts::Names(Box::new(NameLists::of(rows)?)),
                    None => Texts::None,
                }
            }
        };
        Ok(Self { field, texts })
    }

    /// The field.
    pub fn field(&self) -> SearchedField {
        self.field
    }

    /// The text in a row; `None` if there is none.
    pub fn get(&self, row: usize) -> Option<FieldText<'_>> {
        match &self.texts {
            Texts::Plain(texts) => texts.get(row).map(|text| FieldText {
                text: text.into(),
                roles: Vec::new(),
            }),
            Texts::Names(lists) => lists.get(row),
            Texts::None => None,
        }
    }
}

impl NameLists {
    fn of(rows: &ListArray<i64>) -> Result<Self> {
        let wrong = || Error::internal("a column of names that is no list of structs with names");
        let structs = rows.values().as_any().downcast_ref::<StructArray>();
        let structs = structs.ok_or_else(wrong)?;
        let field = |name: &str| {
            let place = structs.fields().iter().position(|field| field.name == name);
            place.map(|place| structs.values()[place].as_any())
        };
        let list = |name: &str| field(name).and_then(|array| array.downcast_ref::<ListArray<i64>>().cloned());
        let names = field("name").and_then(|array| array.downcast_ref::<Utf8ViewArray>());
        Ok(Self {
            rows: rows.clone(),
            names: names.cloned().ok_or_else(wrong)?,
            other_names: list("other_names"),
            roles: list("roles"),
        })
    }

    fn get(&self, row: usize) -> Option<FieldText<'_>> {
        let mut text = String::new();
        let mut roles = Vec::new();
        let mut add = |name: &str| {
            if !text.is_empty() {
                text.push_str(BETWEEN_NAMES);
            }
            text.push_str(name);
            text.len()
        };
        for item in items(&self.rows, row) {
            let mut end = self.names.get(item).map(&mut add);
            for name in texts_of(self.other_names.as_ref(), item).into_iter().flatten() {
                end = Some(add(name));
            }
            if let Some(end) = end {
                roles.push((end, self.role(item)));
            }
        }
        (!text.is_empty()).then_some(FieldText {
            text: text.into(),
            roles,
        })
    }

    /// The first role of an intervention.
    fn role(&self, item: usize) -> Option<&'static str> {
        let roles: Vec<&str> = texts_of(self.roles.as_ref(), item)
            .into_iter()
            .flatten()
            .collect();
        INTERVENTION_ROLES.into_iter().find(|role| roles.contains(role))
    }
}

/// The places of a list's values.
fn items(lists: &ListArray<i64>, row: usize) -> std::ops::Range<usize> {
    let ends = lists.offsets();
    match (ends.get(row), ends.get(row + 1)) {
        (Some(start), Some(end)) => *start as usize..*end as usize,
        _ => 0..0,
    }
}

/// The texts of a list of texts.
fn texts_of(lists: Option<&ListArray<i64>>, row: usize) -> Option<impl Iterator<Item = &str>> {
    let lists = lists?;
    let texts = lists.values().as_any().downcast_ref::<Utf8ViewArray>()?;
    Some(items(lists, row).filter_map(move |place| texts.get(place)))
}
