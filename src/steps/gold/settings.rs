//! The settings of gold: as fingerprints, and as a report shows them.

use crate::choice::Choice as _;
use crate::graph::AnswerSettings;
use crate::lake::report::ReportSettings;
use crate::matcher::MatcherSettings;
use crate::schema::GraphOutput;
use crate::sorting::Bound;
use crate::storage::sha256_hex;

/// Increment this with every change that alters the outputs for the same silver tables.
const VERSION: u32 = 6;

/// The report shows a longer setting, or a list of words, by its digest.
const LONGEST_SETTING: usize = 80;

/// How drugs are found.
#[derive(Debug, Clone, Default)]
pub struct GoldSettings {
    pub matcher: MatcherSettings,
    /// Whether abstracts are searched besides titles.
    pub abstracts: bool,
    pub answers: AnswerSettings,
    pub graph: GraphOutput,
    /// Bytes of growing data to hold in memory before it goes to a scratch file. It changes no byte of the outputs.
    pub memory: Bound,
}

impl GoldSettings {
    /// The settings that the mentions depend on.
    pub(super) fn mentions_fingerprint(&self) -> String {
        format!(
            "gold {VERSION} abstracts={} {}",
            self.abstracts,
            self.matcher.fingerprint()
        )
    }

    /// The settings by name, for a report.
    pub(super) fn in_report(&self) -> ReportSettings {
        let short = |text: String| match text.as_str() {
            "true" | "false" => (text == "true").into(),
            _ if text.len() <= LONGEST_SETTING && !text.contains(['[', '{']) => text.to_lowercase().into(),
            _ => format!("sha256:{}", sha256_hex(text.as_bytes())).into(),
        };
        let matcher = self.matcher.as_texts().into_iter();
        let mut settings: ReportSettings = matcher
            .map(|(name, text)| (name.to_owned(), short(text)))
            .collect();
        settings.extend(
            [
                ("abstracts", self.abstracts.into()),
                ("unit", self.answers.unit.name().into()),
                ("max_exclusive", self.answers.max_exclusive.into()),
                ("graph", self.graph.choice_name().into()),
                // For `lake explain`, which finds drugs as this run did.
                ("matcher", self.matcher.to_record()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        settings
    }

    /// The settings that the outputs depend on.
    pub(super) fn fingerprint(&self) -> String {
        format!(
            "{} unit={} max_exclusive={} graph={}",
            self.mentions_fingerprint(),
            self.answers.unit.name(),
            self.answers.max_exclusive,
            self.graph.choice_name()
        )
    }
}
