//! A rule as it is written in a contract.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::rule::{AllowedNumber, ContractRule, RuleMetric, RuleSeverity};
use crate::choice::{Choice as _, UnknownChoice};
use crate::error::{Error, Result};
use crate::schema::{ColumnType, Flag, Table, TableColumn};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QualityRule {
    id: Option<String>,
    #[serde(default = "library", rename = "type")]
    rule_type: String,
    metric: Option<String>,
    #[serde(default)]
    arguments: BTreeMap<String, Value>,
    unit: Option<String>,
    severity: Option<String>,
    #[serde(default)]
    dimension: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    custom_properties: Vec<CustomProperty>,
    /// The comparison among them: `mustBe` and the like.
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct CustomProperty {
    property: String,
    value: Value,
}

fn library() -> String {
    "library".to_owned()
}

impl QualityRule {
    /// The rule of a table, or of a column of it; `place` is its position in the contract `uri`.
    pub(super) fn read(
        &self,
        uri: &str,
        place: &str,
        table: &'static Table,
        column: Option<&'static TableColumn>,
    ) -> Result<ContractRule> {
        let fault = |found: String, remedy: &str| Error::format(uri, place, found, remedy);
        let metric = self
            .metric(table, column)
            .map_err(|(found, remedy)| fault(found, remedy))?;
        let severity = match self.severity.as_deref() {
            None => RuleSeverity::default(),
            Some(name) => RuleSeverity::from_choice_name(name)
                .map_err(|unknown| fault(format!("severity {unknown}"), "correct the severity"))?,
        };
        let allowed = match &metric {
            RuleMetric::Elsewhere => AllowedNumber::AtLeast(0.0),
            _ => self.allowed().map_err(|(found, remedy)| fault(found, remedy))?,
        };
        let percent = match self.unit.as_deref() {
            None | Some("rows") => false,
            Some("percent") => true,
            Some(other) => return Err(fault(format!("the unit `{other}`"), "write `rows` or `percent`")),
        };
        if percent && matches!(metric, RuleMetric::RowCount | RuleMetric::DuplicateValues(_)) {
            return Err(fault(
                format!("{} in percent", metric.name()),
                "bound it as a number of rows",
            ));
        }
        let usual = || {
            let parts = [
                Some(table.name),
                column.map(|column| column.name),
                Some(metric.name()),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join("_")
        };
        Ok(ContractRule {
            id: self.id.clone().unwrap_or_else(usual),
            column: column.map(|column| column.name),
            allowed,
            percent,
            severity,
            dimension: self.dimension.clone(),
            description: self.description.clone(),
            metric,
        })
    }

    fn metric(
        &self,
        table: &'static Table,
        column: Option<&'static TableColumn>,
    ) -> Result<RuleMetric, (String, &'static str)> {
        match self.rule_type.as_str() {
            "library" => {}
            "sql" => return self.flag(table, column),
            "text" | "custom" => return Ok(RuleMetric::Elsewhere),
            other => {
                let found = UnknownChoice::among(other, ["library", "sql", "text", "custom"]).to_string();
                return Err((found, "correct the type of the rule"));
            }
        }
        let name = self.metric.as_deref().unwrap_or_default();
        let of_table = ["rowCount", "duplicateValues"];
        let of_column = ["nullValues", "missingValues", "invalidValues", "duplicateValues"];
        let known: &[&str] = if column.is_some() { &of_column } else { &of_table };
        if !known.contains(&name) {
            let found = format!("metric {}", UnknownChoice::among(name, known.iter().copied()));
            return Err((found, "rules of columns and of tables have different metrics"));
        }
        let text_only = |what: &str| match column.map(|column| column.column_type) {
            Some(ColumnType::Text) => Ok(()),
            _ => Err((
                format!("{what} of a column that is no text"),
                "bound its nullValues",
            )),
        };
        Ok(match (name, column) {
            ("rowCount", _) => RuleMetric::RowCount,
            ("nullValues", _) => RuleMetric::NullValues,
            ("duplicateValues", Some(column)) => RuleMetric::DuplicateValues(vec![column.name]),
            ("duplicateValues", None) => RuleMetric::DuplicateValues(self.key(table)?),
            ("missingValues", _) => {
                let values = self.texts("missingValues")?.unwrap_or_default();
                if !values.is_empty() {
                    text_only("missingValues")?;
                }
                RuleMetric::MissingValues(values)
            }
            _ => {
                text_only("invalidValues")?;
                let valid = self.texts("validValues")?;
                let pattern =
                    match self.arguments.get("pattern").and_then(Value::as_str) {
                        None => None,
                        Some(pattern) => Some(Regex::new(pattern).map_err(|error| {
                            (format!("pattern: {error}"), "correct the regular expression")
                        })?),
                    };
                if valid.is_none() && pattern.is_none() {
                    let remedy = "name the valid ones as `arguments: {validValues: […]}` or `{pattern: …}`";
                    return Err(("invalidValues without valid ones".to_owned(), remedy));
                }
                RuleMetric::InvalidValues { valid, pattern }
            }
        })
    }

    /// A rule of SQL that counts a flag, which its custom property names.
    fn flag(
        &self,
        table: &'static Table,
        column: Option<&'static TableColumn>,
    ) -> Result<RuleMetric, (String, &'static str)> {
        let property = self
            .custom_properties
            .iter()
            .find(|property| property.property == "flag");
        let Some(property) = property else {
            return Ok(RuleMetric::Elsewhere);
        };
        let name = property.value.as_str().unwrap_or_default();
        if column.is_none_or(|column| column.name != "flags") {
            let found = format!("a flag outside of the column `flags` of {}", table.name);
            return Err((found, "write the rule under the property `flags`"));
        }
        match Flag::from_name(name) {
            Some(flag) => Ok(RuleMetric::FlaggedRows(flag)),
            None => {
                let found = UnknownChoice::among(name, Flag::ALL.iter().map(|flag| flag.name()));
                Err((format!("flag {found}"), "correct the flag"))
            }
        }
    }

    fn key(&self, table: &'static Table) -> Result<Vec<&'static str>, (String, &'static str)> {
        let names = self.texts("properties")?.unwrap_or_default();
        if names.is_empty() {
            let remedy = "name the columns of the key as `arguments: {properties: […]}`";
            return Err(("duplicateValues without columns".to_owned(), remedy));
        }
        let find = |name: &String| {
            let column = table.all_columns().find(|column| column.name == *name);
            let column = column.filter(|column| {
                !matches!(
                    column.column_type,
                    ColumnType::TextList | ColumnType::StructList(_)
                )
            });
            column.map(|column| column.name).ok_or_else(|| {
                let found = format!("the column `{name}`, which {} has not, or as a list", table.name);
                (found, "name columns of texts, numbers or dates of the table")
            })
        };
        names.iter().map(find).collect()
    }

    /// An argument that is a list of texts.
    fn texts(&self, argument: &str) -> Result<Option<Vec<String>>, (String, &'static str)> {
        let Some(value) = self.arguments.get(argument) else {
            return Ok(None);
        };
        let list = value
            .as_array()
            .ok_or_else(|| (format!("{argument} is no list"), "write it as `[first, second]`"))?;
        let text = |value: &Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        Ok(Some(list.iter().filter_map(text).collect()))
    }

    /// The comparison of the rule: exactly one.
    fn allowed(&self) -> Result<AllowedNumber, (String, &'static str)> {
        let names = [
            "mustBe",
            "mustNotBe",
            "mustBeGreaterThan",
            "mustBeGreaterOrEqualTo",
            "mustBeLessThan",
            "mustBeLessOrEqualTo",
            "mustBeBetween",
            "mustNotBeBetween",
        ];
        let given: Vec<(&String, &Value)> = self
            .others
            .iter()
            .filter(|(name, _)| name.starts_with("must"))
            .collect();
        let [(name, value)] = given.as_slice() else {
            let found = format!("{} comparisons", given.len());
            return Err((found, "write one, such as `mustBeLessThan: 5`"));
        };
        if !names.contains(&name.as_str()) {
            let found = format!("comparison {}", UnknownChoice::among(name, names));
            return Err((found, "correct the comparison"));
        }
        let numbers: Vec<f64> = match value {
            Value::Array(values) => values.iter().filter_map(Value::as_f64).collect(),
            value => value.as_f64().into_iter().collect(),
        };
        let allowed = match (name.as_str(), numbers.as_slice()) {
            ("mustBe", [number]) => AllowedNumber::Exactly(*number),
            ("mustNotBe", [number]) => AllowedNumber::Not(*number),
            ("mustBeGreaterThan", [least]) => AllowedNumber::MoreThan(*least),
            ("mustBeGreaterOrEqualTo", [least]) => AllowedNumber::AtLeast(*least),
            ("mustBeLessThan", [most]) => AllowedNumber::LessThan(*most),
            ("mustBeLessOrEqualTo", [most]) => AllowedNumber::AtMost(*most),
            ("mustBeBetween", [least, most]) => AllowedNumber::Between(*least, *most),
            ("mustNotBeBetween", [least, most]) => AllowedNumber::NotBetween(*least, *most),
            _ => {
                let found = format!("{name}: {value}");
                return Err((found, "a comparison has one number, `between` has two"));
            }
        };
        Ok(allowed)
    }
}
