//! A study as returned by version 2 of ClinicalTrials.gov's API: the few wanted values; all others are skipped.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::lists::{ITEM, PART, push_item, push_value};

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
    #[serde(deserialize_with = "if_readable")]
    design_module: Design<'s>,
    #[serde(deserialize_with = "if_readable")]
    conditions_module: Conditions<'s>,
}

/// What only describes a study is missing if it has another type: it rejects no study.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 's"))]
struct Design<'s> {
    #[serde(borrow)]
    phases: Vec<Cow<'s, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 's"))]
struct Conditions<'s> {
    #[serde(borrow)]
    conditions: Vec<Cow<'s, str>>,
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
    #[serde(deserialize_with = "if_readable")]
    overall_status: Option<Cow<'s, str>>,
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
#[serde(
    rename_all = "camelCase",
    default,
    expecting = "an object",
    bound(deserialize = "'de: 's")
)]
struct Arms<'s> {
    #[serde(deserialize_with = "or_nothing")]
    interventions: Vec<Option<Intervention<'s>>>,
    #[serde(deserialize_with = "if_readable")]
    arm_groups: Vec<ArmGroup<'s>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 's"))]
struct ArmGroup<'s> {
    #[serde(borrow)]
    label: Option<Cow<'s, str>>,
    #[serde(borrow)]
    r#type: Option<Cow<'s, str>>,
    #[serde(borrow)]
    intervention_names: Vec<Cow<'s, str>>,
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
    #[serde(deserialize_with = "if_readable")]
    arm_group_labels: Vec<Cow<'s, str>>,
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

/// Reads a value of another type as the default.
fn if_readable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(given: D) -> Result<T, D::Error> {
    let raw: &RawValue = Deserialize::deserialize(given)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
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
            "intervention_list" => self.intervention_list(),
            "trial_status" => text(&self.status_module.overall_status),
            "phase" => listed(&self.design_module.phases),
            "conditions" => listed(&self.conditions_module.conditions),
            _ => None,
        }
    }

    /// The interventions as items of four parts: type, name, other names, and the types of the arms that have them.
    fn intervention_list(&self) -> Option<String> {
        let mut list = String::new();
        let module = &self.arms_interventions_module;
        for intervention in module.interventions.iter().flatten() {
            let Some(name) = &intervention.name else { continue };
            let its_type = intervention.r#type.as_deref().unwrap_or_default();
            push_item(&mut list, [its_type, name, ""]);
            for (number, other) in intervention.other_names.iter().flatten().enumerate() {
                push_value(&mut list, other, number == 0);
            }
            list.push(PART);
            let arms = module.arm_groups.iter().filter(|arm| arm.has(intervention));
            for (number, arm) in arms.enumerate() {
                // A group of an observational study has no type, and an empty value alone would be no arm.
                let its_type = arm.r#type.as_deref().filter(|its_type| !its_type.is_empty());
                push_value(&mut list, its_type.unwrap_or("OTHER"), number == 0);
            }
        }
        (!list.is_empty()).then_some(list)
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

impl ArmGroup<'_> {
    /// Whether an intervention is given in this arm. Arms and interventions name each other, and some name only one way.
    fn has(&self, intervention: &Intervention<'_>) -> bool {
        let is_named = self
            .label
            .as_ref()
            .is_some_and(|label| intervention.arm_group_labels.contains(label));
        // `Drug: Docetaxel`
        let name = intervention.name.as_deref().unwrap_or_default();
        is_named
            || self
                .intervention_names
                .iter()
                .any(|given| given.split_once(": ").is_some_and(|(_, behind)| behind == name))
    }
}

/// Texts as a list that begins with a separator, so that it differs from a text of an export.
fn listed(texts: &[Cow<'_, str>]) -> Option<String> {
    let mut list = ITEM.to_string();
    for text in texts {
        push_item(&mut list, [&**text]);
    }
    (!texts.is_empty()).then_some(list)
}
