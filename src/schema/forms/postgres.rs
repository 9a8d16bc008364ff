//! PostgreSQL, as `CREATE TABLE`.

use super::{ColumnType, SchemaForm, Table, sql_name, sql_tables};

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "postgres",
    sentence: "PostgreSQL's CREATE TABLE with keys and comments",
    write,
};

fn write(tables: &[&Table]) -> String {
    sql_tables(tables, type_of, sql_name)
}

fn type_of(column_type: ColumnType) -> String {
    let name = match column_type {
        ColumnType::Text => "text",
        ColumnType::TextList => "text[]",
        ColumnType::Date => "date",
        ColumnType::Number => "bigint",
        // An array of a composite type would need a type of its own in each schema.
        ColumnType::StructList(_) => "jsonb",
    };
    name.to_owned()
}
