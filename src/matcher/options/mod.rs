//! The options of the matcher: one file each, registered in one list.
//!
//! [`MatcherSettings`], the flags of the command, the keywords of Python, fingerprints and saved matchers follow from the list. So
//! a new option is a new file here, its line in the list below, and the code that asks for its value.

mod option;
mod recorded;
mod written;

pub use boundary::Boundary;
pub use option::{EmptyList, MatcherOption, OptionKind, WordOption};
pub(super) use written::SavedSettings;

use super::stop_words::StopWords;
use crate::text::fold::Accents;
use written::{StoredValue, WrittenValue};

/// Makes [`MatcherSettings`] and the list of options from one line each: its file, and the type of its value. An option
/// without a type is kept in the value of another one.
macro_rules! matcher_options {
    ($($module:ident $(: $value:ty)?;)+) => {
        $(mod $module;)+

        /// All options, in the order of the help.
        pub const OPTIONS: &[MatcherOption] = &[$($module::OPTION),+];

        /// How a [`Matcher`](super::Matcher) compares names with texts: a value for each option of the list.
        #[derive(Debug, Clone, Default)]
        pub struct MatcherSettings {
            $($(pub $module: $value,)?)+
        }

        impl MatcherSettings {
            fn values(&self) -> Vec<WrittenValue> {
                vec![$($(WrittenValue::of::<$value>(stringify!($module), &self.$module),)?)+]
            }

            /// The settings of a saved matcher; `None` if they are none of this version.
            pub(super) fn of_saved(mut saved: SavedSettings) -> Option<Self> {
                let settings = Self {
                    $($($module: <$value>::load(stringify!($module), &mut saved)?,)?)+
                };
                saved.is_empty().then_some(settings)
            }
        }
    };
}

matcher_options! {
    boundary: Boundary;
    stop_words: StopWords;
    extra_stop_words;
    abbreviations: bool;
    salts: bool;
    accents: Accents;
}

/// The options that every fingerprint and every saved matcher has, in their order there. Others are written only if they
/// differ from their default: lakes and files from before a new option stay valid.
const ALWAYS_WRITTEN: [&str; 5] = ["boundary", "abbreviations", "salts", "accents", "stop_words"];

impl MatcherSettings {
    /// The settings that change the mentions, as text for a fingerprint.
    pub fn fingerprint(&self) -> String {
        let written = self.written().into_iter();
        let parts: Vec<String> = written
            .map(|value| format!("{}={}", value.option, value.fingerprint))
            .collect();
        parts.join(" ")
    }

    /// Each option with its value as text, for a report.
    pub fn as_texts(&self) -> Vec<(&'static str, String)> {
        let values = self.values().into_iter();
        values.map(|value| (value.option, value.fingerprint)).collect()
    }

    /// The settings for a saved matcher.
    pub(super) fn to_saved(&self) -> SavedSettings {
        self.written().into_iter().map(|value| value.saved).collect()
    }

    fn written(&self) -> Vec<WrittenValue> {
        let place = |option: &str| ALWAYS_WRITTEN.iter().position(|always| *always == option);
        let mut values = self.values();
        values.retain(|value| !value.is_default || place(value.option).is_some());
        values.sort_by_key(|value| place(value.option).unwrap_or(ALWAYS_WRITTEN.len()));
        values
    }
}
