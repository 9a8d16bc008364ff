//! Spark, as `StructType.fromJson` reads it.

use serde_json::{Value, json};

use super::{ColumnType, SchemaForm, Table, pretty};
use crate::schema::table::StructField;

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "spark",
    sentence: "Spark's StructType as JSON: one, or an object of them by table",
    write,
};

fn struct_type(table: &Table) -> Value {
    let fields = table
        .all_columns()
        .map(|column| field(column.name, column.column_type, column.nullable, column.description));
    json!({"type": "struct", "fields": fields.collect::<Vec<_>>()})
}

fn field(name: &str, column_type: ColumnType, nullable: bool, description: &str) -> Value {
    let data_type = match column_type {
        ColumnType::Text => json!("string"),
        ColumnType::TextList => json!({"type": "array", "elementType": "string", "containsNull": true}),
        ColumnType::Date => json!("date"),
        ColumnType::Number => json!("long"),
        ColumnType::StructList(fields) => {
            let of = |its: &StructField| field(its.name, its.field_type, true, its.description);
            let item = json!({"type": "struct", "fields": fields.iter().map(of).collect::<Vec<_>>()});
            json!({"type": "array", "elementType": item, "containsNull": true})
        }
    };
    json!({"name": name, "type": data_type, "nullable": nullable, "metadata": {"comment": description}})
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
