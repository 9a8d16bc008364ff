//! Reads one JSON object as a row: the wanted keys, in one pass; other values are skipped.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::shown;
use crate::formats::batch::ExtraColumns;
use crate::formats::fields::Fields;
use crate::formats::trials;
use crate::formats::trials::Study;
use crate::schema::Reason;

/// Why an element is no row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ObjectFault {
    pub reason: Reason,
    pub message: String,
}

/// A larger buffer was needed by one giant value, and is freed.
const LARGEST_ROOM: usize = 1 << 16;

/// The values of one object; the next object reuses the memory.
#[derive(Debug)]
pub(crate) struct ObjectRow {
    texts: Vec<String>,
    /// The rank, among the field's names, of the key that set each value: a lower rank takes precedence.
    ranks: Vec<Option<usize>>,
    /// The fields that any object has had so far, each with the rank of its key.
    pub seen: Vec<Option<usize>>,
    pub extra: ExtraColumns,
    /// The first value of a type that no field allows, while an object is read.
    fault: Option<ObjectFault>,
}

impl ObjectRow {
    pub(crate) fn new(fields: &Fields) -> Self {
        Self {
            texts: vec![String::new(); fields.len()],
            ranks: vec![None; fields.len()],
            seen: vec![None; fields.len()],
            extra: ExtraColumns::default(),
            fault: None,
        }
    }

    /// The values of the last object, one for each field.
    pub(crate) fn values(&self) -> impl Iterator<Item = Option<&str>> {
        let given = self.texts.iter().zip(&self.ranks);
        given.map(|(text, rank)| rank.map(|_| text.as_str()))
    }

    /// Whether a value replaces the one that is already set. A blank value never hides one under another name.
    fn goes_before(&self, field: usize, rank: usize, value: &str) -> bool {
        match self.ranks[field] {
            None => true,
            Some(known) if known == rank => true,
            Some(_) if value.trim().is_empty() => false,
            Some(known) => rank < known || self.texts[field].trim().is_empty(),
        }
    }

    fn set(&mut self, field: usize, rank: usize, value: Cow<'_, str>) {
        let text = &mut self.texts[field];
        match value {
            Cow::Borrowed(value) if text.capacity() <= LARGEST_ROOM => {
                text.clear();
                text.push_str(value);
            }
            value => *text = value.into_owned(),
        }
        self.ranks[field] = Some(rank);
    }

    /// Reads an element. `Ok(true)` means that trailing commas were ignored.
    pub(crate) fn read(&mut self, element: &str, fields: &Fields) -> Result<bool, ObjectFault> {
        let element = element.trim();
        if !element.starts_with('{') {
            return Err(match serde_json::from_str::<serde::de::IgnoredAny>(element) {
                Ok(_) => ObjectFault {
                    reason: Reason::NotAnObject,
                    message: format!("{} where an object was expected", kind_of(element)),
                },
                Err(error) => invalid(&error),
            });
        }
        match self.parse(element, fields) {
            Ok(()) => self.judge(false),
            Err(error) => match without_trailing_commas(element) {
                Some(mended) if self.parse(&mended, fields).is_ok() => self.judge(true),
                _ if error.is_data() => Err(wrong_type(element, &error)),
                _ => Err(invalid(&error)),
            },
        }
    }

    fn parse(&mut self, element: &str, fields: &Fields) -> Result<(), serde_json::Error> {
        self.ranks.fill(None);
        self.fault = None;
        let mut deserializer = serde_json::Deserializer::from_str(element);
        RowSeed { row: self, fields }.deserialize(&mut deserializer)?;
        deserializer.end()
    }

    fn judge(&mut self, mended: bool) -> Result<bool, ObjectFault> {
        match self.fault.take() {
            None => Ok(mended),
            Some(fault) => Err(fault),
        }
    }
}

fn invalid(error: &serde_json::Error) -> ObjectFault {
    ObjectFault {
        reason: Reason::InvalidJson,
        message: format!("not valid JSON: {}", cause(error)),
    }
}

/// A short cause: the parser quotes texts of any length, and its message for an unpaired surrogate is unclear.
fn cause(error: &serde_json::Error) -> String {
    let told = error.to_string();
    match told.split_once(" at line ") {
        Some(("lone leading surrogate in hex escape" | "unexpected end of hex escape", place)) => {
            format!("half of a surrogate pair, which is no character, at line {place}")
        }
        _ => shown(&told).into_owned(),
    }
}

/// The fault of a study with a value of the wrong type, such as a list instead of a text. Parses the element again to
/// find the place, which is nested.
fn wrong_type(element: &str, error: &serde_json::Error) -> ObjectFault {
    let place = match trials::wrong_place(element) {
        Some(place) => format!("`{place}`"),
        None => "a value".to_owned(),
    };
    ObjectFault {
        reason: Reason::WrongType,
        message: format!("{place} is of another type than belongs there: {}", cause(error)),
    }
}

fn kind_of(element: &str) -> &'static str {
    match element.as_bytes().first() {
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b'n') => "null",
        Some(b't' | b'f') => "a truth value",
        _ => "a number",
    }
}

struct RowSeed<'r> {
    row: &'r mut ObjectRow,
    fields: &'r Fields,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key_seed(KeySeed {
            fields: self.fields,
            extra: &mut self.row.extra,
        })? {
            let (field, rank) = match field {
                ObjectKey::Field(field, rank) => (field, rank),
                ObjectKey::Study => {
                    let study = map.next_value::<Option<Study<'_>>>()?.unwrap_or_default();
                    for (place, field) in self.fields.iter().enumerate() {
                        self.row.ranks[place] = None;
                        if let Some(value) = study.value(field.name) {
                            self.row.set(place, 0, Cow::Owned(value));
                        }
                        // A study counts as complete: registries have no journals.
                        self.row.seen[place].get_or_insert(0);
                    }
                    continue;
                }
                ObjectKey::Other => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                    continue;
                }
            };
            let raw: &RawValue = map.next_value()?;
            let its = self.fields.iter().nth(field);
            match scalar(raw.get(), its.is_some_and(|field| field.many)) {
                Ok(value) => {
                    self.row.seen[field].get_or_insert(rank);
                    if let Some(value) = value.filter(|value| self.row.goes_before(field, rank, value)) {
                        self.row.set(field, rank, value);
                    }
                }
                Err(_) if its.is_some_and(|field| field.lenient) => {
                    self.row.seen[field].get_or_insert(rank);
                }
                Err(fault) => {
                    self.row.seen[field].get_or_insert(rank);
                    let name = its.map_or("", |field| field.aliases.first().unwrap_or(&field.name));
                    let fault = match fault {
                        // Such as an unpaired surrogate, which skipping a value does not detect.
                        ScalarFault::Invalid(error) => ObjectFault {
                            reason: Reason::InvalidJson,
                            message: format!("`{name}` is not valid JSON: {}", cause(&error)),
                        },
                        ScalarFault::Kind(kind) => ObjectFault {
                            reason: Reason::WrongType,
                            message: format!("`{name}` is {kind} where text was expected"),
                        },
                    };
                    self.row.fault.get_or_insert(fault);
                }
            }
        }
        Ok(())
    }
}

/// The meaning of an object's key.
enum ObjectKey {
    /// A field, and the rank of the key among the field's names.
    Field(usize, usize),
    /// A study of ClinicalTrials.gov, whose values are nested.
    Study,
    Other,
}

/// Reads a key: returns its field and its rank among the field's names, and notes a key that belongs to no field.
struct KeySeed<'r> {
    fields: &'r Fields,
    extra: &'r mut ExtraColumns,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = ObjectKey;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = ObjectKey;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        if let Some((field, rank)) = self.fields.position(key) {
            return Ok(ObjectKey::Field(field, rank));
        }
        if key == trials::KEY && self.fields.are_trials() {
            return Ok(ObjectKey::Study);
        }
        self.extra.add(key);
        Ok(ObjectKey::Other)
    }
}

enum ScalarFault {
    Invalid(serde_json::Error),
    Kind(&'static str),
}

/// A value as text: strings and numbers as written, null as `None`, and a list of strings joined if the field allows
/// lists.
fn scalar(raw: &str, many: bool) -> Result<Option<Cow<'_, str>>, ScalarFault> {
    match raw.as_bytes().first() {
        Some(b'"') => {
            let inner = &raw[1..raw.len() - 1];
            if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
                return Ok(Some(Cow::Borrowed(inner)));
            }
            serde_json::from_str(raw)
                .map(|text: String| Some(Cow::Owned(text)))
                .map_err(ScalarFault::Invalid)
        }
        Some(b'n') => Ok(None),
        Some(b'[') => match serde_json::from_str::<Vec<Option<String>>>(raw) {
            Ok(texts) if many => {
                let texts: Vec<String> = texts.into_iter().flatten().collect();
                Ok(Some(Cow::Owned(texts.join(" | "))))
            }
            _ => Err(ScalarFault::Kind("an array")),
        },
        Some(b'{') => Err(ScalarFault::Kind("an object")),
        Some(b't' | b'f') => Err(ScalarFault::Kind("a truth value")),
        _ => Ok(Some(Cow::Borrowed(raw))),
    }
}

/// The element without commas directly before a closing bracket; `None` if there are none.
fn without_trailing_commas(element: &str) -> Option<String> {
    let mut mended = String::with_capacity(element.len());
    let mut comma: Option<usize> = None;
    let (mut in_text, mut escaped, mut found) = (false, false, false);
    for letter in element.chars() {
        if in_text {
            in_text = escaped || letter != '"';
            escaped = letter == '\\' && !escaped;
        } else if letter == '"' {
            in_text = true;
            comma = None;
        } else if letter == ',' {
            comma = Some(mended.len());
        } else if matches!(letter, '}' | ']') {
            if let Some(position) = comma.take() {
                mended.remove(position);
                found = true;
            }
        } else if !letter.is_ascii_whitespace() {
            comma = None;
        }
        mended.push(letter);
    }
    found.then_some(mended)
}
