//! DuckDB, as `CREATE TABLE`.

use super::{ColumnType, SchemaForm, Table, sql_name, sql_tables};

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "duckdb",
    sentence: "DuckDB's CREATE TABLE with keys and comments",
    write,
};

fn write(tables: &[&Table]) -> String {
    let type_of = |column_type| match column_type {
        ColumnType::Text => "VARCHAR",
        ColumnType::TextList => "VARCHAR[]",
        ColumnType::Date => "DATE",
        ColumnType::Number => "BIGINT",
    };
    sql_tables(tables, type_of, sql_name)
}
