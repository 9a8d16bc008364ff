//! BigQuery, as `bq mk --schema` reads the list of a table.

use serde_json::{Value, json};

use super::{ColumnType, SchemaForm, Table, pretty};

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "bigquery",
    sentence: "BigQuery schemas as JSON: a list of fields, or an object of lists by table",
    write,
};

fn fields(table: &Table) -> Value {
    let fields = table.all_columns().map(|column| {
        let (name, is_list) = match column.column_type {
            ColumnType::Text => ("STRING", false),
            ColumnType::TextList => ("STRING", true),
            ColumnType::Date => ("DATE", false),
            ColumnType::Number => ("INTEGER", false),
        };
        let mode = match (is_list, column.nullable) {
            (true, _) => "REPEATED",
            (false, true) => "NULLABLE",
            (false, false) => "REQUIRED",
        };
        json!({"name": column.name, "type": name, "mode": mode, "description": column.description})
    });
    Value::Array(fields.collect())
}

fn write(tables: &[&Table]) -> String {
    match tables {
        [table] => pretty(&fields(table)),
        _ => {
            let all = tables.iter().map(|table| (table.name.to_owned(), fields(table)));
            pretty(&Value::Object(all.collect()))
        }
    }
}
