"""`drugs-rs schema`: the tables in the languages of other tools, which take them.

`DRUGS_RS_UPDATE_GOLDEN=1 pytest tests/python/test_schema_forms.py` writes `tests/golden/schema/` anew. Its difference
is to be read like code, because other systems have tables of these forms.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
from postgres_server import postgres
from shell import drugs_rs as shell

import drugs_rs

pytestmark = pytest.mark.core

# Each form with the ending of its file in `tests/golden/schema/`; the Markdown is `docs/tables.md`.
GOLDEN = {
    **dict.fromkeys(("arrow", "bigquery", "json", "spark"), "json"),
    **dict.fromkeys(("dbt", "odcs"), "yaml"),
    **dict.fromkeys(("duckdb", "postgres"), "sql"),
}
FORMS = (*GOLDEN, "markdown")
ROOT = Path(__file__).resolve().parent.parent.parent
HEAD = """# Tables of the lake

Written by `make tables-doc` from `src/schema/tables/`; [the lake as tables](lake.md) shows how to read them.

"""


def schema(*arguments: str) -> str:
    finished = shell("schema", *arguments)
    assert finished.returncode == 0, finished.stderr.decode()
    return finished.stdout.decode("utf-8")


def test_the_page_of_tables_is_that_of_the_code() -> None:
    """`make tables-doc` writes it anew."""
    page = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert page == HEAD + schema("--format", "markdown")


@pytest.mark.parametrize("form", GOLDEN)
def test_a_change_of_a_form_is_seen(form: str) -> None:
    path = ROOT / "tests" / "golden" / "schema" / f"{form}.{GOLDEN[form]}"
    found = schema("--format", form)
    if os.environ.get("DRUGS_RS_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def test_each_form_is_in_the_help() -> None:
    assert "[possible values: {}]".format(", ".join(sorted(FORMS))) in " ".join(
        shell("schema", "-h").stdout.decode("utf-8").split()
    )


@pytest.mark.parametrize("form", FORMS)
def test_each_form_has_every_table_and_column(form: str, sample_lake: Path) -> None:
    lake = drugs_rs.Lake(sample_lake)
    text = schema("--format", form)
    for table in lake.tables()["table"]:
        alone = schema(table, "--format", form)
        assert table in text
        for column in lake.schema(table):
            assert column in alone, (table, column)


def test_rows_are_what_the_json_schema_says(sample_lake: Path) -> None:
    lake = drugs_rs.Lake(sample_lake)
    seen = 0
    for table in lake.tables()["table"]:
        validator = jsonschema.Draft202012Validator(json.loads(schema(table, "--format", "json")))
        for row in lake.scan(table).read().to_dicts()[:50]:
            validator.validate(json.loads(json.dumps(row, default=str)))
            seen += 1
    assert seen > 20
    wrong = {"atc_class": 1, "level": "one", "parent": None, "codes": 0}
    errors = jsonschema.Draft202012Validator(json.loads(schema("atc_classes", "--format", "json"))).iter_errors(wrong)
    assert {error.path[0] for error in errors} == {"atc_class", "level"}


def test_duckdb_makes_the_tables_and_takes_the_rows(sample_lake: Path) -> None:
    lake = drugs_rs.Lake(sample_lake)
    connection = duckdb.connect()
    connection.execute(schema("--format", "duckdb"))
    for table in lake.tables()["table"]:
        rows = lake.scan(table).to_arrow()
        connection.register("arrow_rows", rows)
        connection.execute(f"INSERT INTO {table} SELECT * FROM arrow_rows")
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(rows.num_rows,)]
    comments = connection.execute("SELECT comment FROM duckdb_columns() WHERE table_name = 'mentions'").fetchall()
    assert all(comment for (comment,) in comments)


def in_postgres(value: Any, kind: str) -> str:
    """A value of a type as PostgreSQL reads it in CSV."""
    if value is None:
        return "NULL"
    if kind.startswith("list[struct"):
        value = json.dumps(value)
    elif isinstance(value, list):
        quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in value)
        value = "{" + ",".join(f'"{text}"' for text in quoted) + "}"
    return '"{}"'.format(str(value).replace('"', '""'))


def test_postgres_makes_the_tables_and_takes_the_rows(sample_lake: Path, story: dict[str, Path]) -> None:
    """With the keys: a row that comes twice, or lacks a value, would be refused."""
    rows: dict[str, list[dict[str, Any]]] = {}
    with postgres() as server:
        for place in (sample_lake, story["held"]):
            lake = drugs_rs.Lake(place)
            server.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", schema("--format", "postgres"))
            for table in lake.tables()["table"]:
                rows[table] = lake.scan(table).read().to_dicts()
                kinds = lake.schema(table).values()
                lines = [",".join(map(in_postgres, row.values(), kinds)) for row in rows[table]]
                server.run(f"COPY {table} FROM STDIN (FORMAT csv, NULL 'NULL')", given="\n".join(lines))
                back = json.loads(server.run(f"SELECT coalesce(json_agg(line), '[]') FROM {table} line"))
                assert back == json.loads(json.dumps(rows[table], default=str)), table
        remarks = server.run(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'mentions'::regclass AND attnum > 0"
            " AND col_description(attrelid, attnum) IS NULL"
        )
        assert remarks == "0\n"
    assert all(rows.values())


def test_json_forms_are_those_that_tools_read() -> None:
    fields: list[dict[str, Any]] = json.loads(schema("drugs_all", "--format", "bigquery"))
    modes = {field["name"]: (field["type"], field["mode"]) for field in fields}
    assert modes["synonyms"] == ("STRING", "REPEATED") and modes["source_row"] == ("INTEGER", "REQUIRED")
    fields = json.loads(schema("publications_all", "--format", "bigquery"))
    [record] = [field for field in fields if field["name"] == "interventions"]
    inner = [(field["name"], field["type"], field["mode"]) for field in record["fields"]]
    assert (record["type"], record["mode"]) == ("RECORD", "REPEATED")
    assert inner[1:3] == [("name", "STRING", "NULLABLE"), ("other_names", "STRING", "REPEATED")]
    spark = json.loads(schema("mentions", "--format", "spark"))
    assert spark["type"] == "struct" and {field["name"]: field["type"] for field in spark["fields"]}["start"] == "long"


def test_wrong_names_have_suggestions() -> None:
    finished = shell("schema", "mention")
    assert finished.returncode == 2 and b'did you mean "mentions"?' in finished.stderr
    assert shell("schema", "--format", "postgress").returncode == 2
