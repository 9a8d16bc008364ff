//! The tables in the languages of other tools: one file a form, registered in one list.
//!
//! A form writes its text from [`Table`] alone, so it is never behind the code. `drugs-rs schema` prints it.

use crate::choice::find_named;
use crate::error::Result;

use super::table::{ColumnType, Table, TableColumn};
use super::tables::TABLES;

/// A language that tables can be described in.
#[derive(Debug)]
pub struct SchemaForm {
    pub name: &'static str,
    /// What it is, for the help.
    pub sentence: &'static str,
    write: fn(&[&Table]) -> String,
}

/// Makes the list of forms from one line each.
macro_rules! forms {
    ($($module:ident;)+) => {
        $(mod $module;)+

        /// All forms, in the order of their names.
        pub const SCHEMA_FORMS: &[&SchemaForm] = &[$(&$module::FORM),+];
    };
}

forms! {
    arrow;
    bigquery;
    dbt;
    duckdb;
    json;
    markdown;
    odcs;
    postgres;
    spark;
}

/// Describes one table, or all of them, in the form with this name.
pub fn describe_tables(form: &str, table: Option<&str>) -> Result<String> {
    let form = find_named(SCHEMA_FORMS, |form| form.name, form, "format")?;
    Ok(match table {
        Some(name) => (form.write)(&[find_table(name)?]),
        None => (form.write)(TABLES),
    })
}

/// The table with this name.
pub fn find_table(name: &str) -> Result<&'static Table> {
    find_named(TABLES, |table| table.name, name, "table").copied()
}

/// A text as a JSON string, which is also one of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text as a string of SQL.
fn sql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// JSON for people and programs.
fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

/// `CREATE TABLE` for each table, with comments; `type_of` is the type of a column, `comment` makes the statements of
/// comments from a name such as `TABLE mentions` and a text.
fn sql_tables(tables: &[&Table], type_of: fn(ColumnType) -> String, quote: fn(&str) -> String) -> String {
    let mut text = String::new();
    for table in tables {
        let columns = table.all_columns().map(|column| {
            let null = if column.nullable { "" } else { " NOT NULL" };
            format!("  {} {}{null}", quote(column.name), type_of(column.column_type))
        });
        let mut lines: Vec<String> = columns.collect();
        if !table.key.is_empty() {
            let key: Vec<String> = table.key.iter().map(|name| quote(name)).collect();
            lines.push(format!("  PRIMARY KEY ({})", key.join(", ")));
        }
        let name = quote(table.name);
        text.push_str(&format!("CREATE TABLE {name} (\n{}\n);\n", lines.join(",\n")));
        text.push_str(&format!(
            "COMMENT ON TABLE {name} IS {};\n",
            sql_text(table.description)
        ));
        for column in table.all_columns() {
            let place = format!("{name}.{}", quote(column.name));
            let comment = sql_text(column.description);
            text.push_str(&format!("COMMENT ON COLUMN {place} IS {comment};\n"));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// A name in double quotes, as standard SQL has it: `date`, `start` and `end` are words of the language.
fn sql_name(name: &str) -> String {
    format!("\"{name}\"")
}

/// Whether a column is part of the table's key.
fn key_position(table: &Table, column: &TableColumn) -> Option<usize> {
    table.key.iter().position(|name| *name == column.name)
}
