//! The texts of the fields of publications, as they are searched.
//!
//! A title or an abstract is one text. A field of several names is one text too, with ` | ` between them, where no mention
//! can cross: `Docetaxel | Taxotere | Placebo`.

use std::borrow::Cow;

use polars::prelude::{DataFrame, StringChunked};

use super::struct_columns::{StructListColumn, TextListField};
use crate::error::Result;
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
}

/// Names in lists.
struct NameLists {
    lists: StructListColumn,
    names: StringChunked,
    other_names: Option<TextListField>,
    roles: Option<TextListField>,
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
                let lists = StructListColumn::of(column)?;
                let has_roles = field == SearchedField::Interventions;
                let of_each = |name: &str| has_roles.then(|| lists.text_lists(name)).transpose();
                Texts::Names(Box::new(NameLists {
                    names: lists.texts("name")?,
                    other_names: of_each("other_names")?,
                    roles: of_each("roles")?,
                    lists,
                }))
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
        }
    }
}

impl NameLists {
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
        for item in self.lists.of_row(row) {
            let mut end = self.names.get(item).map(&mut add);
            for name in self.other_names.iter().flat_map(|names| names.of_row(item)) {
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
        let roles: Vec<&str> = self.roles.iter().flat_map(|roles| roles.of_row(item)).collect();
        INTERVENTION_ROLES.into_iter().find(|role| roles.contains(role))
    }
}
