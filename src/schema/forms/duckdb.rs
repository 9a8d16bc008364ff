//! DuckDB, as `CREATE TABLE`.

use super::{ColumnType, SchemaForm, Table, sql_name, sql_tables};

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "duckdb",
    sentence: "DuckDB's CREATE TABLE with keys and comments",
    write,
};

fn write(tables: &[&Table]) -> String {
    sql_tables(tables, type_of, sql_name)
}

fn type_of(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Text => "VARCHAR".to_owned(),
        ColumnType::TextList => "VARCHAR[]".to_owned(),
        ColumnType::Date => "DATE".to_owned(),
        ColumnType::Number => "BIGINT".to_owned(),
        ColumnType::StructList(fields) => {
            let fields = fields
                .iter()
                .map(|field| format!("{} {}", sql_name(field.name), type_of(field.field_type)));
            format!("STRUCT({})[]", fields.collect::<Vec<_>>().join(", "))
        }
    }
}
