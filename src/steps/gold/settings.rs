//! The settings of gold: as fingerprints, and as a report shows them.

use crate::choice::Choice as _;
use crate::gold::mentions::SearchSettings;
use crate::graph::AnswerSettings;
use crate::lake::report::ReportSettings;
use crate::lake::states::KeepStates;
use crate::matcher::MatcherSettings;
use crate::schema::{GraphOutput, SearchedField, SearchedFields};
use crate::sorting::Bound;
use crate::storage::sha256_hex;

/// Increment this with every change that alters the outputs for the same silver tables.
const VERSION: u32 = 8;

/// The report shows a longer setting, or a list of words, by its digest.
const LONGEST_SETTING: usize = 80;

/// Rows of silver that the files of one chunk in gold are made from: enough for a row group that warehouses like, few enough
/// that a changed row is no reason to write much again.
const CHUNK_ROWS: u64 = 1 << 17;

/// How drugs are found.
#[derive(Debug, Clone)]
pub struct GoldSettings {
    pub matcher: MatcherSettings,
    pub search: SearchSettings,
    pub answers: AnswerSettings,
    pub graph: GraphOutput,
    /// Bytes of growing data to hold in memory before it goes to a scratch file. It changes no byte of the outputs.
    pub memory: Bound,
    /// Rows of silver in a chunk: a multiple of 64.
    pub chunk_rows: u64,
    /// How long the states that this one follows can be read. It changes no byte of the outputs.
    pub keep: KeepStates,
}

/// What was searched, as a record of gold has it; `None` if that is not known.
pub(crate) fn search_of_record(record: &ReportSettings) -> Option<SearchSettings> {
    let names = |name: &str| -> Option<Vec<&str>> {
        let list = record.get(name)?.as_array()?;
        list.iter().map(serde_json::Value::as_str).collect()
    };
    // Records from before there was a choice of fields.
    if let Some(abstracts) = record.get("abstracts").and_then(serde_json::Value::as_bool) {
        let title = SearchedFields::default();
        let fields = match abstracts {
            true => title.with(SearchedField::Abstract),
            false => title,
        };
        return Some(SearchSettings {
            fields,
            ..SearchSettings::default()
        });
    }
    let fields = names("fields")?.into_iter().map(str::parse);
    let statuses = names("exclude_status")?.into_iter().map(str::parse);
    Some(SearchSettings {
        fields: SearchedFields::of(fields.collect::<Result<_, _>>().ok()?).ok()?,
        exclude_status: statuses.collect::<Result<_, _>>().ok()?,
    })
}

/// What the mentions of a gold layer were found with, as its manifest has it: two equal parts are the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MentionsOrigin {
    /// The rules of this version of the matcher.
    pub rules: String,
    /// The settings of the matcher, and the fields that were searched.
    pub settings: String,
    /// The digest of the entries of the vocabulary.
    pub vocabulary: String,
}

impl MentionsOrigin {
    /// From `mentions_made_with` of a manifest; `None` if an earlier version of drugs_rs wrote that.
    pub(crate) fn parse(made_with: &str) -> Option<Self> {
        let (with, vocabulary) = made_with.rsplit_once(' ')?;
        let (name, rest) = with.split_once(' ')?;
        let (version, settings) = rest.split_once(' ')?;
        Some(Self {
            rules: format!("{name} {version}"),
            settings: settings.to_owned(),
            vocabulary: vocabulary.to_owned(),
        })
    }

    /// Whether this version of drugs_rs has the rules that found the mentions.
    pub(crate) fn has_current_rules(&self) -> bool {
        self.rules == format!("gold {VERSION}")
    }
}

impl Default for GoldSettings {
    fn default() -> Self {
        Self {
            matcher: MatcherSettings::default(),
            search: SearchSettings::default(),
            answers: AnswerSettings::default(),
            graph: GraphOutput::default(),
            memory: Bound::default(),
            chunk_rows: CHUNK_ROWS,
            keep: KeepStates::default(),
        }
    }
}

impl GoldSettings {
    /// What every file in gold depends on.
    pub(super) fn files_fingerprint(&self) -> String {
        format!("gold {VERSION} chunk_rows={}", self.chunk_rows)
    }

    /// The settings that the mentions depend on.
    pub(super) fn mentions_fingerprint(&self) -> String {
        format!(
            "gold {VERSION} fields={} exclude_status={} {}",
            self.search.fields.names().join(","),
            self.excluded().join(","),
            self.matcher.fingerprint()
        )
    }

    /// The names of the statuses that are left out.
    fn excluded(&self) -> Vec<&'static str> {
        let statuses = self.search.exclude_status.iter();
        statuses.map(|status| status.name()).collect()
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
                ("fields", self.search.fields.names().into()),
                ("exclude_status", self.excluded().into()),
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

    /// The settings of a gold layer; `None` if they are not exactly those that were recorded.
    pub(super) fn of_record(record: &ReportSettings) -> Option<Self> {
        let text = |name: &str| record.get(name)?.as_str();
        Some(Self {
            matcher: MatcherSettings::of_record(record.get("matcher")?)?,
            search: search_of_record(record)?,
            answers: AnswerSettings {
                unit: text("unit")?.parse().ok()?,
                max_exclusive: record.get("max_exclusive")?.as_u64()?,
            },
            graph: text("graph")?.parse().ok()?,
            ..Self::default()
        })
    }

    /// The settings that the outputs depend on.
    pub(super) fn fingerprint(&self) -> String {
        format!(
            "{} {} unit={} max_exclusive={} graph={}",
            self.files_fingerprint(),
            self.mentions_fingerprint(),
            self.answers.unit.name(),
            self.answers.max_exclusive,
            self.graph.choice_name()
        )
    }
}
