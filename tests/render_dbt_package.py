"""Write the dbt package of the SQL models: `render_dbt_package.py [FOLDER]`.

The package is made of the rendered models, of the tables as `drugs-rs schema --format dbt` has them
(`tests/golden/schema/dbt.yaml`, which is tested to be that), of their keys, and of two tables that only a warehouse
has, `status` and `found`. The result goes to `python/drugs_rs/sql/dbt`, or to FOLDER. `make sql-models` runs this.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

from render_sql_models import DIALECTS, SOURCES, render_all

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "tests" / "golden" / "schema"
FOLDER = SOURCES.parent / "dbt"
NOTE = "Written by `make sql-models`: change tests/render_dbt_package.py, the models or the schema."

PROJECT = f"""# {NOTE}
name: drugs_rs
version: "VERSION"
config-version: 2
require-dbt-version: [">=1.11.0", "<2.0.0"]

model-paths: [models]
macro-paths: [macros]
test-paths: [tests]

vars:
  # Where the tables of the lake are: a schema or a dataset, and the database or the project.
  drugs_schema: drugs
  drugs_database: null
  # What counts as one drug in top_journals and exclusive_drugs: substance or code.
  drugs_unit: substance
  # Whether the models are compared with the tables of the same names that were loaded with the lake.
  drugs_compare: true

models:
  drugs_rs:
    +materialized: table
    # Beside the loaded tables, whose names are those of the models.
    +schema: models
"""

DISPATCH = """{{# {note} #}}

{{% macro {name}() %}}
  {{{{- return(adapter.dispatch('{name}', 'drugs_rs')()) -}}}}
{{% endmacro %}}
"""
UNIQUE = """{{# {note} #}}

{{% test unique_together(model, columns) %}}
SELECT {{% for column in columns %}}{{{{ adapter.quote(column) }}}}, {{% endfor %}}COUNT(*) AS rows_of_key
FROM {{{{ model }}}}
GROUP BY {{% for column in columns %}}{{{{ adapter.quote(column) }}}}{{{{ ', ' if not loop.last }}}}{{% endfor %}}
HAVING COUNT(*) > 1
{{% endtest %}}
"""
SAME = """{{# {note} #}}

{{% test same_rows(model, other, columns) %}}
{{{{ config(enabled=var('drugs_compare')) }}}}
{{%- set listed -%}}
  {{% for column in columns %}}{{{{ adapter.quote(column) }}}}{{{{ ', ' if not loop.last }}}}{{% endfor %}}
{{%- endset -%}}
{{%- set except = 'EXCEPT DISTINCT' if target.type == 'bigquery' else 'EXCEPT' -%}}
SELECT 'only in the model' AS difference, more.* FROM (
  SELECT {{{{ listed }}}} FROM {{{{ model }}}} {{{{ except }}}} SELECT {{{{ listed }}}} FROM {{{{ other }}}}
) AS more
UNION ALL
SELECT 'only in the loaded table' AS difference, less.* FROM (
  SELECT {{{{ listed }}}} FROM {{{{ other }}}} {{{{ except }}}} SELECT {{{{ listed }}}} FROM {{{{ model }}}}
) AS less
{{% endtest %}}
"""
ORPHANS = """-- {note}
-- A mention without its publication.
SELECT mentions.kind, mentions.publication_id
FROM {{{{ ref('mentions') }}}} AS mentions
LEFT JOIN {{{{ ref('publications') }}}} AS publications
  ON publications.kind = mentions.kind AND publications.publication_id = mentions.publication_id
WHERE publications.publication_id IS NULL
"""


class Column(NamedTuple):
    """A column with what it means."""

    name: str
    description: str
    required: bool = True


class Table(NamedTuple):
    """A table with what a row is."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()


# Columns whose values are few; each value is in the description of the column.
ACCEPTED = {
    "kind": ("pubmed", "clinical_trial", "preprint"),
    "rule": ("name", "synonym", "abbreviation", "combination"),
    "date_precision": ("day", "month", "season", "year"),
}
# As loads bring it (`drugs_rs.loading`).
STATUS = Table(
    "status",
    "The delivered partitions of the lake: their rows, what is a snapshot or held, and the date that gold has reached",
    (
        Column("dt", "The date of the delivery"),
        Column("table", "What was delivered: drugs, pubmed, clinical_trials or preprints"),
        Column("rows_in", "The rows of the sources"),
        Column("rows_kept", "The rows that were kept"),
        Column("rows_merged", "The rows that were merged into another"),
        Column("rows_rejected", "The rows that were rejected"),
        Column("rejected_share", "The share of rejected rows, from 0 to 1"),
        Column("snapshot", "Whether it is a snapshot, which replaces all earlier ones of its table"),
        Column("held", "Whether the date is held, so that gold leaves it out"),
        Column("reason", "Why the date is held", required=False),
        Column("as_of", "The date that gold has reached", required=False),
    ),
    ("dt", "table"),
)
OF_FOUND = ("publication_id", "kind", "field", "atccode", "drug", "start", "end", "surface", "rule", "role")
FOUND = "What a matcher finds in the current publications, one row for each place and code"
ANSWERS = (
    Table(
        "top_journals",
        "Journals with a mention, by the number of different drugs that they mention",
        (
            Column("journal", "The display name of the journal: its most frequent spelling in the lake"),
            Column("drugs", "How many different drugs its publications mention"),
        ),
        ("journal",),
    ),
    Table(
        "exclusive_drugs",
        "Drugs that share a journal with a drug through PubMed alone, one row for each pair",
        (
            Column("atccode", "The code of the drug, or the first code of the substance"),
            Column("drug", "The name of the drug, or the substance"),
            Column("other_atccode", "The code of the other drug, or the first code of the other substance"),
            Column("other_drug", "The name of the other drug, or the other substance"),
        ),
        ("atccode", "other_atccode"),
    ),
)


def tables_of_the_lake() -> list[Table]:
    """Read the tables from the form of the schema for dbt, and their keys from that for PostgreSQL."""
    keys = {
        name: tuple(re.findall(r'"(\w+)"', key))
        for name, key in re.findall(
            r'CREATE TABLE "(\w+)" \((?:[^;]*?PRIMARY KEY \(([^)]*)\))?[^;]*;', text_of("postgres.sql")
        )
    }
    tables = []
    for part in text_of("dbt.yaml").split("\n      - name: ")[1:]:
        name, description, columns = re.findall(
            r"\A(\w+)\n        description: (.*)\n        columns:\n(.*)\Z", part, re.DOTALL
        )[0]
        found = re.findall(
            r"          - name: (.*)\n +description: (.*)\n +quote: true(?:\n            data_tests: (.*))?",
            columns,
        )
        of_table = (
            Column(json.loads(column), json.loads(meaning), "not_null" in tests) for column, meaning, tests in found
        )
        tables.append(Table(name, json.loads(description), tuple(of_table), keys[name]))
    return tables


def text_of(name: str) -> str:
    """Read a form of the schema."""
    return (SCHEMA / name).read_text(encoding="utf-8")


def columns_yaml(table: Table, *, is_tested: bool = True) -> list[str]:
    """Write the columns of a table. They are quoted, because `end` is a word of SQL."""
    lines = ["columns:"]
    for column in table.columns:
        lines += [
            f"  - name: {column.name}",
            "    quote: true",
            f"    description: {json.dumps(column.description, ensure_ascii=False)}",
        ]
        if not is_tested:
            continue
        tests = ["      - not_null"] if column.required else []
        if column.name in ACCEPTED:
            values = ", ".join(accepted_values(table, column))
            tests += ["      - accepted_values:", "          arguments:", f"            values: [{values}]"]
        if (table.name, column.name) == ("mentions", "publication_id"):
            tests += ["      - relationships:", "          arguments:"]
            tests += ["            to: ref('publications')", f"            field: {column.name}"]
        if tests:
            lines += ["    data_tests:", *tests]
    return lines


def accepted_values(table: Table, column: Column) -> tuple[str, ...]:
    """Check that the description of a column has the values that are accepted, and return them."""
    for value in ACCEPTED[column.name]:
        if value not in column.description:
            message = f"{table.name}.{column.name}: {value} is accepted, and its description has not got it"
            raise ValueError(message)
    return ACCEPTED[column.name]


def key_yaml(key: tuple[str, ...]) -> list[str]:
    """Write the test of a key."""
    return ["  - unique_together:", "      arguments:", f"        columns: [{', '.join(key)}]"]


def sources_yaml(tables: list[Table], read: set[str]) -> str:
    """Write the sources: tables that models read with tests, the others with descriptions alone."""
    lines = [
        f"# {NOTE}",
        "sources:",
        "  - name: drugs",
        '    description: "The tables of a lake, loaded with the rows of Lake.status()"',
        "    schema: \"{{ var('drugs_schema') }}\"",
        "    database: \"{{ var('drugs_database') or target.database }}\"",
        "    tables:",
    ]
    for table in tables:
        described = [
            f"- name: {table.name}",
            f"  description: {json.dumps(table.description, ensure_ascii=False)}",
        ]
        if table.name in read and table.key:
            described += ["  data_tests:", *("  " + line for line in key_yaml(table.key))]
        described += ["  " + line for line in columns_yaml(table, is_tested=table.name in read)]
        lines += ["      " + line for line in described]
    return "\n".join([*lines, ""])


def models_yaml(models: list[Table], loaded: set[str]) -> str:
    """Write the models with their tests."""
    lines = [f"# {NOTE}", "models:"]
    for model in models:
        described = [
            f"- name: {model.name}",
            f"  description: {json.dumps(model.description, ensure_ascii=False)}",
            "  data_tests:",
            *("  " + line for line in key_yaml(model.key)),
        ]
        if model.name in loaded:
            # Lists cannot be compared in every warehouse.
            names = ", ".join(column.name for column in model.columns if column.name != "flags")
            described += [
                "    - same_rows:",
                "        arguments:",
                f"          other: source('drugs', '{model.name}')",
                f"          columns: [{names}]",
            ]
        described += ["  " + line for line in columns_yaml(model)]
        lines += ["  " + line for line in described]
    return "\n".join([*lines, ""])


def macros(name: str, texts: dict[str, str], models: set[str]) -> str:
    """Write a model as a macro for each dialect."""

    def relation(match: re.Match[str]) -> str:
        read = match.group(1)
        return "{{ ref('" + read + "') }}" if read in models else "{{ source('drugs', '" + read + "') }}"

    found = [DISPATCH.format(note=NOTE, name=name)]
    for dialect in DIALECTS:
        text = texts[f"{dialect}/{name}.sql"].replace("{unit}", "{{ var('drugs_unit') }}")
        body = "\n".join(line for line in text.split("\n") if not line.startswith("--"))
        body = re.sub(r"(?<!\{)\{(\w+)\}(?!\})", relation, body)
        found.append(f"{{% macro {dialect}__{name}() %}}\n{body}{{% endmacro %}}\n")
    return "\n".join(found)


def package() -> dict[str, str]:
    """Write the package: path → text."""
    texts = render_all()
    names = sorted({place.split("/")[1].split(".")[0] for place in texts})
    tables = tables_of_the_lake()
    by_name = {table.name: table for table in (*tables, *ANSWERS)}
    mention = {column.name: column for column in by_name["mentions"].columns}
    found = Table("found", FOUND, tuple(mention[name] for name in OF_FOUND), by_name["mentions"].key)
    inputs = {name for text in texts.values() for name in re.findall(r" \{(\w+)\} AS ", text)}
    version = re.findall(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)[0]
    models = set(names)
    files = {
        "dbt_project.yml": PROJECT.replace("VERSION", version),
        "models/sources.yml": sources_yaml([*tables, STATUS, found], inputs - models),
        "models/models.yml": models_yaml([by_name[name] for name in names], {table.name for table in tables}),
        "tests/generic/unique_together.sql": UNIQUE.format(note=NOTE),
        "tests/generic/same_rows.sql": SAME.format(note=NOTE),
        "tests/mentions_have_publications.sql": ORPHANS.format(note=NOTE),
    }
    for name in names:
        files[f"macros/{name}.sql"] = macros(name, texts, models)
        files[f"models/{name}.sql"] = f"{{# {NOTE} #}}\n{{{{ drugs_rs.{name}() }}}}\n"
    return files


def main(folder: Path) -> None:
    """Write every file."""
    for place, text in package().items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
