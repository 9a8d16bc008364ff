//! Open Data Contract Standard 3.1.

use super::{ColumnType, SchemaForm, Table, key_position, quoted};

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "odcs",
    sentence: "an Open Data Contract (ODCS 3.1) as YAML, without objectives",
    write,
};

fn write(tables: &[&Table]) -> String {
    let mut text = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: drugs-rs-lake\nname: {}\nversion: {}\nstatus: active\nschema:\n",
        quoted("Drugs, publications and mentions"),
        quoted(env!("CARGO_PKG_VERSION")),
    );
    for table in tables {
        text.push_str(&format!("  - name: {}\n    physicalType: table\n", table.name));
        text.push_str(&format!("    description: {}\n    properties:\n", quoted(table.description)));
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
        }
    }
    text
}
