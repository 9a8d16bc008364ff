//! A study as version 2 of ClinicalTrials.gov's API gives it: the few wanted values, everything else passed over.

use std::borrow::Cow;

use serde::Deserialize;

/// The key that makes an object a study.
pub(super) const KEY: &str = "protocolSection";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 's"))]
pub(super) struct Study<'s> {
    identification_module: Identification<'s>,
    status_module: Status<'s>,
    description_module: Description<'s>,
    arms_interventions_module: Arms<'s>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 's"))]
struct Identification<'s> {
    #[serde(borrow)]
    nct_id: Option<Cow<'s, str>>,
    #[serde(borrow)]
    brief_title: Option<Cow<'s, str>>,
    #[serde(borrow)]
    official_title: Option<Cow<'s, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 's"))]
struct Status<'s> {
    start_date_struct: StartDate<'s>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 's"))]
struct StartDate<'s> {
    #[serde(borrow)]
    date: Option<Cow<'s, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 's"))]
struct Description<'s> {
    #[serde(borrow)]
    brief_summary: Option<Cow<'s, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 's"))]
struct Arms<'s> {
    interventions: Vec<Intervention<'s>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 's"))]
struct Intervention<'s> {
    #[serde(borrow)]
    r#type: Option<Cow<'s, str>>,
    #[serde(borrow)]
    name: Option<Cow<'s, str>>,
    #[serde(borrow)]
    other_names: Vec<Cow<'s, str>>,
}

impl Study<'_> {
    /// The value of a field.
    pub(super) fn value(&self, field: &str) -> Option<String> {
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

    /// As the exports write them: `DRUG: Docetaxel (Taxotere)|OTHER: Rest`.
    fn interventions(&self) -> Option<String> {
        let mut all = String::new();
        for intervention in &self.arms_interventions_module.interventions {
            let Some(name) = &intervention.name else { continue };
            if !all.is_empty() {
                all.push('|');
            }
            if let Some(kind) = &intervention.r#type {
                all.push_str(kind);
                all.push_str(": ");
            }
            all.push_str(name);
            if !intervention.other_names.is_empty() {
                all.push_str(&format!(" ({})", intervention.other_names.join(", ")));
            }
        }
        (!all.is_empty()).then_some(all)
    }
}
