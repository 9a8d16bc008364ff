//! Tables for people, as Markdown.

use super::{ColumnType, SchemaForm, Table};

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "markdown",
    sentence: "a table for people",
    write,
};

fn write(tables: &[&Table]) -> String {
    let mut text = String::new();
    for table in tables {
        let key: Vec<String> = table.key.iter().map(|name| format!("`{name}`")).collect();
        let key = if key.is_empty() {
            "none, rows may be equal".to_owned()
        } else {
            key.join(", ")
        };
        text.push_str(&format!("## `{}`\n\n{}. ", table.name, table.description));
        text.push_str(&format!("Folder `{}`. Key: {key}.\n\n", table.folder));
        text.push_str("| column | type | null | business term | meaning | example |\n|---|---|---|---|---|---|\n");
        for column in table.all_columns() {
            let type_name = match column.column_type {
                ColumnType::Text => "text".to_owned(),
                ColumnType::TextList => "list of text".to_owned(),
                ColumnType::Date => "date".to_owned(),
                ColumnType::Number => "int64".to_owned(),
                ColumnType::StructList(fields) => {
                    let names = fields.iter().map(|field| format!("`{}`", field.name));
                    format!("list of {}", names.collect::<Vec<_>>().join(", "))
                }
            };
            let in_path = table.partitions.iter().any(|partition| partition.name == column.name);
            let type_name = if in_path {
                format!("{type_name}, in the path")
            } else {
                type_name
            };
            let null = if column.nullable { "yes" } else { "no" };
            text.push_str(&format!(
                "| `{}` | {type_name} | {null} | {} | {} | `{}` |\n",
                column.name, column.term, column.description, column.example
            ));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}
