//! BigQuery, as `bq mk --schema` reads the list of a table.

use serde_json::{Value, json};

use super::{ColumnType, SchemaForm, Table, pretty};
use crate::schema::table::StructField;

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "bigquery",
    sentence: "BigQuery schemas as JSON: a list of fields, or an object of lists by table",
    write,
};

fn fields(table: &Table) -> Value {
    let fields = table
        .all_columns()
        .map(|column| field(column.name, column.column_type, column.nullable, column.description));
    Value::Array(fields.collect())
}

fn field(name: &str, column_type: ColumnType, nullable: bool, description: &str) -> Value {
    let (type_name, is_list) = match column_type {
        ColumnType::Text => ("STRING", false),
        ColumnType::TextList => ("STRING", true),
        ColumnType::Date => ("DATE", false),
        ColumnType::Number => ("INTEGER", false),
        ColumnType::StructList(_) => ("RECORD", true),
    };
    let mode = match (is_list, nullable) {
        (true, _) => "REPEATED",
        (false, true) => "NULLABLE",
        (false, false) => "REQUIRED",
    };
    let mut found = json!({"name": name, "type": type_name, "mode": mode, "description": description});
    if let ColumnType::StructList(fields) = column_type {
        let of = |its: &StructField| field(its.name, its.field_type, true, its.description);
        found["fields"] = Value::Array(fields.iter().map(of).collect());
    }
    found
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
