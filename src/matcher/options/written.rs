//! How values of options are written in fingerprints and in saved matchers.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// The value of an option. It is written under the name of the option.
pub(super) trait StoredValue: Debug + Default + PartialEq {
    /// The value in a fingerprint.
    fn fingerprint(&self) -> String {
        format!("{self:?}")
    }

    /// Adds the value to a saved matcher.
    fn save(&self, option: &'static str, saved: &mut SavedSettings);

    /// Takes the value from a saved matcher, or the default if it has none; `None` for anything else.
    fn load(option: &'static str, saved: &mut SavedSettings) -> Option<Self>;
}

impl StoredValue for bool {
    fn save(&self, option: &'static str, saved: &mut SavedSettings) {
        saved.put(option, *self);
    }

    fn load(option: &'static str, saved: &mut SavedSettings) -> Option<Self> {
        saved.take(option)
    }
}

/// A value as it is written.
pub(super) struct WrittenValue {
    pub option: &'static str,
    pub is_default: bool,
    pub fingerprint: String,
    pub saved: SavedSettings,
}

impl WrittenValue {
    pub(super) fn of<T: StoredValue>(option: &'static str, value: &T) -> Self {
        let mut saved = SavedSettings::default();
        value.save(option, &mut saved);
        Self {
            option,
            is_default: *value == T::default(),
            fingerprint: value.fingerprint(),
            saved,
        }
    }
}

/// The settings of a saved matcher: an object of JSON in the order of writing, so that equal settings give equal bytes.
#[derive(Default, Deserialize)]
#[serde(from = "BTreeMap<String, Value>")]
pub(in crate::matcher) struct SavedSettings(Vec<(String, Value)>);

impl SavedSettings {
    pub(super) fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.0.push((key.to_owned(), value.into()));
    }

    /// Removes and returns the value of a key, or the default without one; `None` for a value of another type.
    pub(super) fn take<T: DeserializeOwned + Default>(&mut self, key: &str) -> Option<T> {
        match self.0.iter().position(|(known, _)| known == key) {
            Some(place) => serde_json::from_value(self.0.swap_remove(place).1).ok(),
            None => Some(T::default()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<SavedSettings> for SavedSettings {
    fn from_iter<I: IntoIterator<Item = SavedSettings>>(parts: I) -> Self {
        Self(parts.into_iter().flat_map(|part| part.0).collect())
    }
}

impl From<BTreeMap<String, Value>> for SavedSettings {
    fn from(object: BTreeMap<String, Value>) -> Self {
        Self(object.into_iter().collect())
    }
}

impl Serialize for SavedSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
