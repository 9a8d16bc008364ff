//! The columns that a table takes from a source, and their names in sources.

use super::bytes::input::Input;
use crate::error::{Error, Result, shown};

/// A column that a table takes from its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name in the raw batch.
    pub name: &'static str,
    /// Names in sources, the usual one first; compared without case and surrounding blanks.
    pub aliases: &'static [&'static str],
    /// Whether a source without this column is an error.
    pub required: bool,
    /// Whether JSON may hold a list of texts, which are joined with ` | `.
    pub many: bool,
    /// Whether a value of another type counts as missing; otherwise it rejects its row.
    pub lenient: bool,
}

impl Field {
    /// A column that a source must have.
    pub const fn required(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self {
            name,
            aliases,
            required: true,
            many: false,
            lenient: false,
        }
    }

    /// A column that a source may lack.
    pub const fn optional(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self {
            required: false,
            ..Self::required(name, aliases)
        }
    }

    /// The column, which in JSON may hold lists.
    #[must_use]
    pub const fn many(self) -> Self {
        Self { many: true, ..self }
    }

    /// The column, of which a value of another type counts as missing: a column of that name may hold anything.
    #[must_use]
    pub const fn lenient(self) -> Self {
        Self {
            lenient: true,
            ..self
        }
    }
}

/// The columns that a table takes from its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    fields: Vec<Field>,
    title: &'static str,
}

impl Fields {
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Self {
        Self {
            fields: fields.into_iter().collect(),
            title: "",
        }
    }

    /// Sets the title of the shape, for the message about a header that fits no shape.
    #[must_use]
    pub fn titled(mut self, title: &'static str) -> Self {
        self.title = title;
        self
    }

    /// How well a header fits: whether it has all required columns, then how many of the fields it has.
    pub(crate) fn fit(&self, header: &[String]) -> (bool, usize) {
        let places = self.places(header);
        let complete = self
            .fields
            .iter()
            .zip(&places)
            .all(|(field, place)| !field.required || place.is_some());
        (complete, places.iter().flatten().count())
    }

    /// The shape in one phrase: its title and its required columns.
    pub(crate) fn described(&self) -> String {
        let required: Vec<String> = self
            .fields
            .iter()
            .filter(|field| field.required)
            .map(|field| format!("`{}`", field.aliases[0]))
            .collect();
        format!("{} ({})", self.title, required.join(", "))
    }

    /// The number of the field with this name.
    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Whether the rows are publications, which have formats of their own.
    pub(crate) fn are_publications(&self) -> bool {
        ["id", "title", "date"]
            .iter()
            .all(|name| self.index(name).is_some())
    }

    /// Whether the rows are clinical trials, which ClinicalTrials.gov exports as studies.
    pub(crate) fn are_trials(&self) -> bool {
        self.are_publications() && self.index("brief_title").is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// The number of the field that a source calls `name`, and the position of that name among the field's names.
    pub(crate) fn position(&self, name: &str) -> Option<(usize, usize)> {
        let name = name.trim();
        self.fields.iter().enumerate().find_map(|(field, its)| {
            let rank = its
                .aliases
                .iter()
                .position(|alias| alias.eq_ignore_ascii_case(name))?;
            Some((field, rank))
        })
    }

    /// The column of each field in a header: the first of the field's names that is present; of equal names the first
    /// column.
    pub(crate) fn places(&self, header: &[String]) -> Vec<Option<usize>> {
        let mut places: Vec<Option<(usize, usize)>> = vec![None; self.len()];
        for (column, name) in header.iter().enumerate() {
            if let Some((field, rank)) = self.position(name) {
                let better = places[field].is_none_or(|(best, _)| rank < best);
                if better {
                    places[field] = Some((rank, column));
                }
            }
        }
        places
            .into_iter()
            .map(|place| place.map(|(_, column)| column))
            .collect()
    }

    /// Checks the keys of JSON objects: an error if none of them is a field, because they are then something else.
    pub(crate) fn check_keys(
        &self,
        input: &Input,
        byte: u64,
        seen: &[Option<usize>],
        extra: &[String],
    ) -> Result<()> {
        let present: Vec<bool> = seen.iter().map(Option::is_some).collect();
        if !present.contains(&true) {
            let keys = some_of(extra);
            let found = format!("objects without any of the expected keys; their keys are {keys:?}");
            let wanted: Vec<&str> = self
                .fields
                .iter()
                .filter(|field| field.required)
                .map(|field| field.aliases[0])
                .collect();
            let remedy =
                format!("expected a JSON array of objects, or one object a line, with the keys {wanted:?}");
            return Err(Error::format(input.uri(), input.place(byte), found, remedy));
        }
        let named =
            self.fields.iter().zip(seen).filter_map(|(field, seen)| {
                Some(field.aliases.get((*seen)?).unwrap_or(&field.name).to_string())
            });
        let found: Vec<String> = named.chain(extra.iter().cloned()).collect();
        self.check(input.uri(), &present, &found, "no object has the key")
    }

    /// An error that names the required fields that are missing.
    pub(crate) fn check(&self, uri: &str, present: &[bool], found: &[String], hint: &str) -> Result<()> {
        let missing: Vec<String> = self
            .fields
            .iter()
            .zip(present)
            .filter(|(field, present)| field.required && !**present)
            .map(|(field, _)| field.aliases.join("` or `"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::Schema {
            uri: uri.to_owned(),
            missing,
            found: some_of(found),
            hint: hint.to_owned(),
        })
    }
}

/// More names than this in a message would help nobody.
const MOST_FOUND: usize = 40;

/// The names that a message lists.
fn some_of(names: &[String]) -> Vec<String> {
    let mut some: Vec<String> = names
        .iter()
        .take(MOST_FOUND)
        .map(|name| shown(name).into_owned())
        .collect();
    if names.len() > MOST_FOUND {
        some.push(format!("… and {} more", names.len() - MOST_FOUND));
    }
    some
}
