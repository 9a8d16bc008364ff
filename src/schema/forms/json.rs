//! JSON Schema of a row as JSON.

use serde_json::{Value, json};

use super::{ColumnType, SchemaForm, Table, pretty};
use crate::schema::table::StructField;

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "json",
    sentence: "JSON Schema (2020-12) of a row",
    write,
};

fn row(table: &Table) -> Value {
    let properties = table.all_columns().map(|column| {
        let base = match column.column_type {
            ColumnType::Text | ColumnType::Date => "string",
            ColumnType::TextList | ColumnType::StructList(_) => "array",
            ColumnType::Number => "integer",
        };
        let mut property = json!({"type": base, "title": column.term, "description": column.description});
        if column.nullable {
            property["type"] = json!([base, "null"]);
        }
        if column.column_type == ColumnType::TextList {
            property["items"] = json!({"type": "string"});
        }
        if let ColumnType::StructList(fields) = column.column_type {
            property["items"] = item(fields);
        }
        if column.column_type == ColumnType::Date {
            property["format"] = json!("date");
        }
        let example = match column.column_type {
            ColumnType::Text | ColumnType::Date => Ok(Value::from(column.example)),
            ColumnType::TextList | ColumnType::StructList(_) | ColumnType::Number => serde_json::from_str(column.example),
        };
        if let Ok(example) = example {
            property["examples"] = json!([example]);
        }
        (column.name.to_owned(), property)
    });
    let required: Vec<&str> = table.all_columns().map(|column| column.name).collect();
    json!({
        "title": table.name,
        "description": table.description,
        "type": "object",
        "properties": Value::Object(properties.collect()),
        "required": required,
        "additionalProperties": false,
    })
}

/// The structs of a list.
fn item(fields: &[StructField]) -> Value {
    let properties = fields.iter().map(|field| {
        let mut property = match field.field_type {
            ColumnType::TextList => json!({"type": "array", "items": {"type": "string"}}),
            _ => json!({"type": ["string", "null"]}),
        };
        property["description"] = Value::from(field.description);
        (field.name.to_owned(), property)
    });
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    json!({
        "type": "object",
        "properties": Value::Object(properties.collect()),
        "required": names,
        "additionalProperties": false,
    })
}

fn write(tables: &[&Table]) -> String {
    let mut schema = match tables {
        [table] => row(table),
        _ => {
            let all = tables.iter().map(|table| (table.name.to_owned(), row(table)));
            json!({"$defs": Value::Object(all.collect())})
        }
    };
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    pretty(&schema)
}
