//! A study as returned by version 2 of ClinicalTrials.gov's API: the few wanted values; all others are skipped.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

/// The key that makes an object a study.
pub(crate) const KEY: &str = "protocolSection";

#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "camelCase",
    default,
    expecting = "an object",
    bound(deserialize = "'de: 's")
)]
pub(crate) struct Study<'s> {
    #[serde(deserialize_with = "or_nothing")]
    identification_module: Identification<'s>,
    #[serde(deserialize_with = "or_nothing")]
    status_module: Status<'s>,
    #[serde(deserialize_with = "or_nothing")]
    description_module: Description<'s>,
    #[serde(deserialize_with = "or_nothing")]
    arms_interventions_module: Arms<'s>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "camelCase",
    default,
    expecting = "an object",
    bound(deserialize = "'de: 's")
)]
struct Identification<'s> {
    #[serde(borrow)]
    nct_id: Option<Cow<'s, str>>,
    #[serde(borrow)]
    brief_title: Option<Cow<'s, str>>,
    #[serde(borrow)]
    official_title: Option<Cow<'s, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "camelCase",
    default,
    expecting = "an object",
    bound(deserialize = "'de: 's")
)]
struct Status<'s> {
    #[serde(deserialize_with = "or_nothing")]
    start_date_struct: StartDate<'s>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "an object", bound(deserialize = "'de: 's"))]
struct StartDate<'s> {
    #[serde(borrow)]
    date: Option<Cow<'s, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "camelCase",
    default,
    expecting = "an object",
    bound(deserialize = "'de: 's")
)]
struct Description<'s> {
    #[serde(borrow)]
    brief_summary: Option<Cow<'s, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "an object", bound(deserialize = "'de: 's"))]
struct Arms<'s> {
    #[serde(deserialize_with = "or_nothing")]
    interventions: Vec<Option<Intervention<'s>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(
    rename_all = "camelCase",
    default,
    expecting = "an object",
    bound(deserialize = "'de: 's")
)]
struct Intervention<'s> {
    #[serde(borrow)]
    r#type: Option<Cow<'s, str>>,
    #[serde(borrow)]
    name: Option<Cow<'s, str>>,
    #[serde(borrow)]
    #[serde(deserialize_with = "or_nothing")]
    other_names: Vec<Option<Cow<'s, str>>>,
}

/// An element that holds a study.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 's"))]
struct StudyElement<'s> {
    #[serde(rename = "protocolSection")]
    _study: Option<Study<'s>>,
}

/// The first place in an element whose value has the wrong type, as a path of keys.
pub(crate) fn wrong_place(element: &str) -> Option<String> {
    let mut deserializer = serde_json::Deserializer::from_str(element);
    let read: Result<StudyElement<'_>, _> = serde_path_to_error::deserialize(&mut deserializer);
    read.err().map(|error| error.path().to_string())
}

/// Reads `null` as the default: tools that write every study with the same keys give `null` for what it lacks.
fn or_nothing<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(given: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(given)?.unwrap_or_default())
}

impl Study<'_> {
    /// The value of a field.
    pub(crate) fn value(&self, field: &str) -> Option<String> {
        let names = &self.identification_module;
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        match field {
            "id" => text(&names.nct_id),
            "title" => text(&names.official_title),
            "brief_title" => text(&names.brief_title),
            "date" => text(&self.status_module.start_date_struct.date),
            "abstract" => text(&self.description_module.brief_summary),
            "interventions" => self.interventions(),
            _ => None,
        }
    }

    /// The interventions in the form of the exports: `DRUG: Docetaxel (Taxotere)|OTHER: Rest`.
    fn interventions(&self) -> Option<String> {
        let mut all = String::new();
        for intervention in self.arms_interventions_module.interventions.iter().flatten() {
            let Some(name) = &intervention.name else { continue };
            if !all.is_empty() {
                all.push('|');
            }
            if let Some(kind) = &intervention.r#type {
                all.push_str(kind);
                all.push_str(": ");
            }
            all.push_str(name);
            let others: Vec<&str> = intervention
                .other_names
                .iter()
                .flatten()
                .map(|name| &**name)
                .collect();
            if !others.is_empty() {
                all.push_str(&format!(" ({})", others.join(", ")));
            }
        }
        (!all.is_empty()).then_some(all)
    }
}
