//! Spark, as `StructType.fromJson` reads it.

use serde_json::{Value, json};

use super::{ColumnType, SchemaForm, Table, pretty};

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "spark",
    sentence: "Spark's StructType as JSON: one, or an object of them by table",
    write,
};

fn struct_type(table: &Table) -> Value {
    let fields = table.all_columns().map(|column| {
        let data_type = match column.column_type {
            ColumnType::Text => json!("string"),
            ColumnType::TextList => json!({"type": "array", "elementType": "string", "containsNull": true}),
            ColumnType::Date => json!("date"),
            ColumnType::Number => json!("long"),
        };
        json!({
            "name": column.name,
            "type": data_type,
            "nullable": column.nullable,
            "metadata": {"comment": column.description},
        })
    });
    json!({"type": "struct", "fields": fields.collect::<Vec<_>>()})
}

fn write(tables: &[&Table]) -> String {
    match tables {
        [table] => pretty(&struct_type(table)),
        _ => {
            let all = tables.iter().map(|table| (table.name.to_owned(), struct_type(table)));
            pretty(&Value::Object(all.collect()))
        }
    }
}
