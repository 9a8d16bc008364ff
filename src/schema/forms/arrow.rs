//! Arrow, in the JSON of its integration tests.

use serde_json::{Value, json};

use super::{ColumnType, SchemaForm, Table, pretty};

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "arrow",
    sentence: "Arrow schemas as JSON",
    write,
};

fn field(name: &str, nullable: bool, column_type: ColumnType) -> Value {
    let (arrow_type, children) = match column_type {
        ColumnType::Text => (json!({"name": "largeutf8"}), json!([])),
        ColumnType::TextList => {
            let item = field("item", true, ColumnType::Text);
            (json!({"name": "largelist"}), json!([item]))
        }
        ColumnType::StructList(fields) => {
            let fields = fields.iter().map(|its| field(its.name, true, its.field_type));
            let item = json!({
                "name": "item",
                "type": {"name": "struct"},
                "nullable": true,
                "children": fields.collect::<Vec<_>>(),
            });
            (json!({"name": "largelist"}), json!([item]))
        }
        ColumnType::Date => (json!({"name": "date", "unit": "DAY"}), json!([])),
        ColumnType::Number => (json!({"name": "int", "bitWidth": 64, "isSigned": true}), json!([])),
    };
    json!({"name": name, "type": arrow_type, "nullable": nullable, "children": children})
}

fn write(tables: &[&Table]) -> String {
    let schemas = tables.iter().map(|table| {
        let fields = table.all_columns().map(|column| {
            let mut field = field(column.name, column.nullable, column.column_type);
            field["metadata"] = json!([
                {"key": "description", "value": column.description},
                {"key": "example", "value": column.example},
                {"key": "term", "value": column.term},
            ]);
            field
        });
        let metadata = json!([
            {"key": "description", "value": table.description},
            {"key": "primary_key", "value": table.key.join(",")},
        ]);
        let schema = json!({"fields": fields.collect::<Vec<_>>(), "metadata": metadata});
        (table.name.to_owned(), schema)
    });
    pretty(&Value::Object(schemas.collect()))
}
