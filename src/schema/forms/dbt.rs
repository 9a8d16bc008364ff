//! dbt, as the sources of a project.

use super::{SchemaForm, Table, quoted};

pub(super) const FORM: SchemaForm = SchemaForm {
    name: "dbt",
    sentence: "sources of a dbt project as YAML, with descriptions and tests",
    write,
};

fn write(tables: &[&Table]) -> String {
    let mut text = "version: 2\nsources:\n  - name: drugs\n    tables:\n".to_owned();
    for table in tables {
        text.push_str(&format!("      - name: {}\n", table.name));
        text.push_str(&format!("        description: {}\n", quoted(table.description)));
        text.push_str("        columns:\n");
        for column in table.all_columns() {
            text.push_str(&format!("          - name: {}\n", quoted(column.name)));
            text.push_str(&format!("            description: {}\n", quoted(column.description)));
            // `end` and `table` are words of SQL.
            text.push_str("            quote: true\n");
            let is_key = table.key == [column.name];
            let tests: Vec<&str> = [(!column.nullable, "not_null"), (is_key, "unique")]
                .into_iter()
                .filter_map(|(holds, test)| holds.then_some(test))
                .collect();
            if !tests.is_empty() {
                text.push_str(&format!("            data_tests: [{}]\n", tests.join(", ")));
            }
        }
    }
    text
}
