//! Reading a contract: the parts of ODCS 3.1 that this program checks. What it does not know is left to other tools; what
//! contradicts the tables, or names no owner, is an error that names the place.

use serde::Deserialize;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::counts::TableRules;
use super::objective::{Objective, ObjectiveKind};
use super::quality_rule::QualityRule;
use crate::choice::{Choice as _, UnknownChoice};
use crate::error::{Error, Result};
use crate::schema::{ColumnType, TABLES, Table, TableColumn, describe_tables, find_table};

/// The rules of a contract for tables of the lake, and its objectives for the lake.
#[derive(Debug, Clone)]
pub struct Contract {
    /// `default`, or where it was read.
    pub name: String,
    /// Of its text: with another contract, tables are checked again.
    pub digest: String,
    tables: Vec<TableRules>,
    objectives: Vec<Objective>,
}

impl Contract {
    /// The name of the contract that comes with the program.
    pub const DEFAULT: &'static str = "default";

    /// The contract that comes with the program.
    pub fn shipped() -> Result<Self> {
        Self::parse(Self::DEFAULT, &describe_tables("odcs", None)?)
    }

    /// Reads the text of a contract; `uri` is its name in messages.
    pub fn parse(uri: &str, text: &str) -> Result<Self> {
        let fault = |place: &str, found: String, remedy: &str| Error::format(uri, place, found, remedy);
        let value: Value = serde_saphyr::from_str(text)
            .map_err(|error| fault("the contract", error.to_string(), "correct the YAML"))?;
        let document: ContractDocument = serde_path_to_error::deserialize(&value).map_err(|error| {
            let place = error.path().to_string();
            fault(
                &place,
                error.inner().to_string(),
                "correct it as ODCS 3.1 describes it",
            )
        })?;
        document.check_head(uri)?;
        let mut tables = Vec::new();
        for (number, schema) in document.schema.iter().enumerate() {
            let place = format!("schema[{number}] {}", schema.name);
            tables.push(schema.rules(uri, &place)?);
        }
        let mut objectives = Vec::new();
        for (number, property) in document.sla_properties.iter().enumerate() {
            let place = format!("slaProperties[{number}] {}", property.property);
            objectives.extend(property.objective(uri, &place)?);
        }
        Ok(Self {
            name: uri.to_owned(),
            digest: digest(text),
            tables,
            objectives,
        })
    }

    /// The rules for a table; `None` if it has none.
    pub fn rules(&self, table: &Table) -> Option<&TableRules> {
        self.tables.iter().find(|rules| rules.table().name == table.name)
    }

    /// The rules of all its tables.
    pub fn tables(&self) -> &[TableRules] {
        &self.tables
    }

    /// Its objectives.
    pub fn objectives(&self) -> &[Objective] {
        &self.objectives
    }
}

fn digest(text: &str) -> String {
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

/// A contract as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContractDocument {
    api_version: String,
    kind: String,
    #[serde(default)]
    team: Value,
    #[serde(default)]
    schema: Vec<SchemaObject>,
    #[serde(default)]
    sla_properties: Vec<SlaProperty>,
}

#[derive(Deserialize)]
struct SchemaObject {
    name: String,
    #[serde(default)]
    properties: Vec<SchemaProperty>,
    #[serde(default)]
    quality: Vec<QualityRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SchemaProperty {
    name: String,
    logical_type: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    quality: Vec<QualityRule>,
}

#[derive(Deserialize)]
struct SlaProperty {
    property: String,
    value: Value,
    unit: Option<String>,
}

impl ContractDocument {
    fn check_head(&self, uri: &str) -> Result<()> {
        if self.kind != "DataContract" || !self.api_version.starts_with("v3.") {
            let found = format!("kind `{}`, apiVersion `{}`", self.kind, self.api_version);
            let remedy = "write `kind: DataContract` and `apiVersion: v3.1.0`";
            return Err(Error::format(uri, "the contract", found, remedy));
        }
        let named = |value: &Value, key: &str| {
            let name = value.get(key).and_then(Value::as_str);
            name.is_some_and(|name| !name.trim().is_empty())
        };
        let members = match &self.team {
            Value::Array(members) => members.as_slice(),
            team => team
                .get("members")
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice),
        };
        if named(&self.team, "name") || members.iter().any(|member| named(member, "username")) {
            return Ok(());
        }
        Err(Error::format(
            uri,
            "team",
            "no owner",
            "name who answers for the data: `team: {name: …}`, or a member of it with a `username`",
        ))
    }
}

impl SchemaObject {
    fn rules(&self, uri: &str, place: &str) -> Result<TableRules> {
        let table = find_table(&self.name).map_err(|_| {
            let names = TABLES.iter().map(|table| table.name);
            let found = UnknownChoice::among(&self.name, names).to_string();
            Error::format(uri, place, found, "a contract is for tables of the lake")
        })?;
        let mut rules = Vec::new();
        for (number, rule) in self.quality.iter().enumerate() {
            rules.push(rule.read(uri, &format!("{place} quality[{number}]"), table, None)?);
        }
        for property in &self.properties {
            let place = format!("{place} property {}", property.name);
            let column = property.column(uri, &place, table)?;
            for (number, rule) in property.quality.iter().enumerate() {
                rules.push(rule.read(uri, &format!("{place} quality[{number}]"), table, Some(column))?);
            }
        }
        let mut ids = std::collections::BTreeSet::new();
        if let Some(twice) = rules.iter().find(|rule| !ids.insert(rule.id.as_str())) {
            let found = format!("two rules with the id `{}`", twice.id);
            return Err(Error::format(
                uri,
                place,
                found,
                "give each rule an id of its own",
            ));
        }
        Ok(TableRules::new(table, rules))
    }
}

impl SchemaProperty {
    /// The column that it describes, if it does so correctly.
    fn column(&self, uri: &str, place: &str, table: &'static Table) -> Result<&'static TableColumn> {
        let Some(column) = table.all_columns().find(|column| column.name == self.name) else {
            let names = table.all_columns().map(|column| column.name);
            let found = UnknownChoice::among(&self.name, names).to_string();
            return Err(Error::format(uri, place, found, "name a column of the table"));
        };
        let actual = logical_type(column.column_type);
        if let Some(said) = self.logical_type.as_ref().filter(|said| *said != actual) {
            let found = format!("logicalType `{said}`, and the column is `{actual}`");
            let remedy = "the schema comes from the program: `drugs-rs schema --format odcs` prints it";
            return Err(Error::format(uri, place, found, remedy));
        }
        if self.required && column.nullable {
            let remedy =
                "leave `required` out, and bound the rows without a value by a rule: `metric: nullValues`";
            return Err(Error::format(
                uri,
                place,
                "required, and the column may be null",
                remedy,
            ));
        }
        Ok(column)
    }
}

/// The logical type of a column in ODCS.
fn logical_type(column: ColumnType) -> &'static str {
    match column {
        ColumnType::Text => "string",
        ColumnType::TextList | ColumnType::StructList(_) => "array",
        ColumnType::Date => "date",
        ColumnType::Number => "integer",
    }
}

impl SlaProperty {
    /// The objective that it is; `None` for a property that other tools know.
    fn objective(&self, uri: &str, place: &str) -> Result<Option<Objective>> {
        let Ok(kind) = ObjectiveKind::from_choice_name(&self.property) else {
            return Ok(None);
        };
        let unit = self.unit.as_deref().unwrap_or_else(|| kind.unit());
        let value = self.value.as_f64().filter(|value| *value >= 0.0);
        match value {
            Some(value) if unit == kind.unit() => Ok(Some(Objective { kind, value })),
            _ => {
                let found = format!("{} in `{unit}`", self.value);
                let remedy = format!(
                    "write a number, 0 or more, in `{}`: {}",
                    kind.unit(),
                    kind.meaning()
                );
                Err(Error::format(uri, place, found, remedy))
            }
        }
    }
}
