//! Open Data Contract Standard 3.1: the columns from the tables, the owner, rules and objectives from the file that people
//! write.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::{ColumnType, SchemaForm, Table, key_position, quoted};

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "odcs",
    sentence: "an Open Data Contract (ODCS 3.1) as YAML, with rules and objectives",
    write,
};

/// What people promise of the tables.
const OBJECTIVES: &str = include_str!("../../../python/drugs_rs/contracts/objectives.yaml");

fn write(tables: &[&Table]) -> String {
    // A test reads the file, so that it is never `null` here.
    let objectives: Value = serde_saphyr::from_str(OBJECTIVES).unwrap_or_default();
    let mut text = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: drugs-rs-lake\nname: {}\nversion: {}\nstatus: active\n",
        quoted("Drugs, publications and mentions"),
        quoted(env!("CARGO_PKG_VERSION")),
    );
    push_block(&mut text, 0, "team", &objectives["team"]);
    text.push_str("servers:\n");
    for table in tables {
        // For other tools, which start in the lake's folder. Of `rejected` they read the rows of publications: those of
        // vocabularies are in folders without a kind.
        let partitions: String = table.partitions.iter().map(|column| format!("{}=*/", column.name)).collect();
        let of_publications = if table.name == "rejected" { "publications/" } else { "" };
        let _ = write!(
            text,
            "  - server: {0}\n    type: local\n    path: {1}/{of_publications}{partitions}*.parquet\n    format: parquet\n",
            table.name, table.folder
        );
    }
    text.push_str("schema:\n");
    for table in tables {
        write_table(&mut text, table, &objectives["tables"][table.name]);
    }
    let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
    let is_of_tables = |property: &&Value| {
        let element = property["element"].as_str().unwrap_or_default();
        names.contains(&element.split('.').next().unwrap_or_default())
    };
    let properties = objectives["slaProperties"].as_array().map_or(&[][..], Vec::as_slice);
    let properties: Vec<Value> = properties.iter().filter(is_of_tables).cloned().collect();
    push_block(&mut text, 0, "slaProperties", &properties.into());
    text
}

fn write_table(text: &mut String, table: &Table, promised: &Value) {
    let _ = write!(text, "  - name: {}\n    physicalType: table\n", table.name);
    let _ = writeln!(text, "    description: {}", quoted(table.description));
    push_block(text, 4, "quality", &promised["quality"]);
    text.push_str("    properties:\n");
    for column in table.all_columns() {
        let (logical, physical) = match column.column_type {
            ColumnType::Text => ("string", "string"),
            ColumnType::TextList => ("array", "list<string>"),
            ColumnType::StructList(_) => ("array", "list<struct>"),
            ColumnType::Date => ("date", "date"),
            ColumnType::Number => ("integer", "int64"),
        };
        text.push_str(&format!("      - name: {}\n", quoted(column.name)));
        text.push_str(&format!("        businessName: {}\n", quoted(column.term)));
        text.push_str(&format!("        logicalType: {logical}\n        physicalType: {}\n", quoted(physical)));
        if column.column_type == ColumnType::TextList {
            text.push_str("        items:\n          logicalType: string\n");
        }
        if let ColumnType::StructList(fields) = column.column_type {
            text.push_str("        items:\n          logicalType: object\n          properties:\n");
            for field in fields {
                text.push_str(&format!("            - name: {}\n", quoted(field.name)));
                if field.field_type == ColumnType::TextList {
                    text.push_str("              logicalType: array\n");
                    text.push_str("              items:\n                logicalType: string\n");
                } else {
                    text.push_str("              logicalType: string\n");
                }
                text.push_str(&format!("              description: {}\n", quoted(field.description)));
            }
        }
        text.push_str(&format!("        required: {}\n", !column.nullable));
        if let Some(position) = key_position(table, column) {
            text.push_str("        primaryKey: true\n");
            text.push_str(&format!("        primaryKeyPosition: {}\n", position + 1));
        }
        text.push_str(&format!("        description: {}\n", quoted(column.description)));
        text.push_str(&format!("        examples: [{}]\n", quoted(column.example)));
        push_block(text, 8, "quality", &promised["columns"][column.name]);
    }
}

/// Adds a key with a value as a block of YAML; nothing for an empty one.
fn push_block(text: &mut String, indent: usize, key: &str, value: &Value) {
    if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
        return;
    }
    let block = BTreeMap::from([(key, value)]);
    let yaml = serde_saphyr::to_string(&block).unwrap_or_default();
    for line in yaml.lines() {
        let _ = writeln!(text, "{}{line}", " ".repeat(indent));
    }
}
