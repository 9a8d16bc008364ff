"""`dbt build` with the package of the SQL models, in a project that installs it, in three warehouses.

DuckDB and PostgreSQL are real, BigQuery is an emulator. dbt has an environment of its own, `.venv/dbt`; `make test-dbt`
runs this.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator
from urllib.error import URLError

import duckdb
import pytest
from lake_story import in_order, tell
from postgres_server import Postgres, postgres
from sql_warehouses import OF_FOUND, PostgresServer, Rows, plain, scanned, status_of

import drugs_rs
from drugs_rs import sql

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("DRUGS_RS_DBT", ROOT / ".venv" / "dbt")) / "bin"
START_SECONDS = 60
MADE = ("publications", "mentions", "journal_drugs")
TABLES = (*MADE, "publications_all", "deleted", "journal_ids", "drugs")

PROJECT = 'name: shop\nversion: "1.0"\nconfig-version: 2\nprofile: shop\nvars: {drugs_schema: lake}\n'
WAREHOUSES = ("duckdb", "postgres", "bigquery")
# What dbt does in each warehouse, by the name of its target.
COMMANDS = {
    "duckdb": ["build"],
    "postgres": ["build"],
    # The tests of the sources alone would take the emulator as long.
    "bigquery": ["build", "--select", *sql.names()],
    "wrong": ["test"],
}
# A rule that there is not, a row that comes twice, a date that may be held or not; and in the models what lacks
# a substance, a publication or a row of the loaded table.
FAULTS = {
    "UPDATE lake.found SET rule = 'guess' WHERE surface = 'acetaminophen'": {
        "source_accepted_values_drugs_found__rule___name__synonym__abbreviation__combination"
    },
    "INSERT INTO lake.drugs SELECT * FROM lake.drugs LIMIT 1": {"source_unique_together_drugs_drugs_atccode__drug"},
    "UPDATE lake.status SET held = NULL WHERE dt = '2024-02-01'": {"source_not_null_drugs_status__held_"},
    "UPDATE analytics_models.mentions SET substance = NULL WHERE atccode = 'B01AA03'": {
        "not_null_mentions__substance_",
        "same_rows_mentions",
    },
    "UPDATE analytics_models.mentions SET publication_id = 'gone' WHERE publication_id = '2'": {
        "mentions_have_publications",
        "relationships_mentions__publication_id___publication_id__ref_publications_",
        "same_rows_mentions",
    },
    "DELETE FROM lake.publications WHERE publication_id = 'NCT1'": {"same_rows_publications"},
    "INSERT INTO analytics_models.top_journals SELECT * FROM analytics_models.top_journals LIMIT 1": {
        "unique_together_top_journals_journal"
    },
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> drugs_rs.Lake:
    folder = tmp_path_factory.mktemp("story")
    tell(folder / "lake", folder, lambda _: None)
    return drugs_rs.Lake(folder / "lake")


def loaded(lake: drugs_rs.Lake) -> dict[str, Any]:
    """The tables that a load brings, and what a matcher found."""
    tables = {table: scanned(lake, table) for table in TABLES}
    return {**tables, "status": status_of(lake), "found": tables["mentions"].select(OF_FOUND)}


def fill_duckdb(path: Path, tables: dict[str, Any], models: dict[str, Any]) -> None:
    with duckdb.connect() as connection:
        # dbt may have an older DuckDB.
        connection.execute(f"ATTACH '{path}' AS warehouse (STORAGE_VERSION 'v1.2.0')")
        connection.execute("USE warehouse")
        for schema, of_schema in (("lake", tables), ("analytics_models", models)):
            connection.execute(f"CREATE SCHEMA {schema}")
            for table, rows in of_schema.items():
                connection.register("given_rows", rows)
                connection.execute(f"CREATE TABLE {schema}.{table} AS SELECT * FROM given_rows")
                connection.unregister("given_rows")
        for fault in FAULTS if models else ():
            connection.execute(fault)


def read_duckdb(path: Path, query: str) -> Rows:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(query)
        columns = [column[0] for column in found.description or ()]
        return plain([dict(zip(columns, row)) for row in found.fetchall()])


def statements(tables: dict[str, Any]) -> Iterator[str]:
    """What fills a dataset of BigQuery, with dates as a load has them there."""
    yield "CREATE SCHEMA lake"
    for table, rows in tables.items():
        types = {field.name: "DATE" if field.name == "dt" else bigquery_type(str(field.type)) for field in rows.schema}
        yield f"CREATE TABLE lake.{table} ({', '.join(f'`{name}` {kind}' for name, kind in types.items())})"
        values = [f"({', '.join(in_bigquery(row[name], types[name]) for name in row)})" for row in rows.to_pylist()]
        yield f"INSERT INTO lake.{table} VALUES {', '.join(values)}"


def bigquery_type(kind: str) -> str:
    """The type of a column."""
    known = {"int64": "INT64", "double": "FLOAT64", "bool": "BOOL", "date32[day]": "DATE"}
    return known.get(kind, "ARRAY<STRING>" if "list" in kind else "STRING")


def in_bigquery(value: Any, kind: str) -> str:
    """A literal."""
    if value is None:
        return "NULL"
    return f"DATE '{value}'" if kind == "DATE" else json.dumps(value, ensure_ascii=False)


@contextmanager
def bigquery(folder: Path) -> Iterator[str]:
    """Start an emulator, and return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    serve = [str(PROGRAMS / "crucible"), "serve", "--dialect", "bigquery", "--port", str(port)]
    with (folder / "emulator.log").open("wb") as log, subprocess.Popen(serve, stdout=log, stderr=log) as server:
        try:
            for _ in range(START_SECONDS * 10):
                try:
                    urllib.request.urlopen(f"{address}/_crucible/health").close()
                    break
                except URLError:
                    assert server.poll() is None, (folder / "emulator.log").read_text(encoding="utf-8")
                    time.sleep(0.1)
            yield address
        finally:
            server.terminate()


def profiles(project: Path, server: Postgres, address: str) -> str:
    """The warehouses of a project, as `profiles.yml`."""
    outputs: dict[str, dict[str, Any]] = {
        name: {"type": "duckdb", "path": str(project / f"{name}.duckdb"), "schema": "analytics"} for name in COMMANDS
    }
    outputs["postgres"] = {"type": "postgres", "host": str(server.folder), "port": 5432, "dbname": "postgres"}
    outputs["postgres"].update(user="drugs", password="", schema="analytics")
    outputs["bigquery"] = {"type": "bigquery", "method": "oauth-secrets", "token": "none", "api_endpoint": address}
    outputs["bigquery"].update(project="p", dataset="analytics")
    for output in outputs.values():
        output["threads"] = 4
    return json.dumps({"shop": {"target": "duckdb", "outputs": outputs}})


@pytest.fixture(scope="module")
def built(lake: drugs_rs.Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What dbt said of each target, and the rows of the models in each warehouse."""
    project, tables = tmp_path_factory.mktemp("shop"), loaded(lake)
    fill_duckdb(project / "duckdb.duckdb", tables, {})
    graph = drugs_rs.read_graph(lake.root)
    answers = {name: graph.answer(name).to_arrow() for name in ("top_journals", "exclusive_drugs")}
    fill_duckdb(project / "wrong.duckdb", tables, {**{table: tables[table] for table in MADE}, **answers})
    queries = {name: f"SELECT * FROM analytics_models.{name}" for name in sql.names()}
    with postgres() as server, bigquery(project) as address:
        warehouse = PostgresServer(server, lake)
        for table in (*MADE, "found"):
            warehouse.insert(table, tables[table], "lake")
        plan = {
            "bigquery": address,
            "statements": list(statements(tables)),
            "commands": {name: [*command, "--target", name] for name, command in COMMANDS.items()},
            "queries": queries,
        }
        packages = {"packages": [{"local": sql.dbt_package()}]}
        (project / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        (project / "packages.yml").write_text(json.dumps(packages), encoding="utf-8")
        (project / "dbt_project.yml").write_text(PROJECT, encoding="utf-8")
        (project / "profiles.yml").write_text(profiles(project, server, address), encoding="utf-8")
        # Nothing is sent anywhere.
        environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
        program = [str(PROGRAMS / "python"), str(Path(__file__).with_name("build.py")), str(project)]
        done = subprocess.run(program, capture_output=True, check=False, env=environment, cwd=str(project))
        output = done.stdout.decode()
        assert done.returncode == 0, output + done.stderr.decode()
        lines = [json.loads(line) for line in output.splitlines() if line.startswith(('{"command"', '{"query"'))]
        commands = {line["command"]: line for line in lines if "command" in line}
        assert list(commands) == ["deps", *COMMANDS], output
        assert {line["exception"] for line in commands.values()} == {None}, output
        rows = {
            "duckdb": {name: read_duckdb(project / "duckdb.duckdb", query) for name, query in queries.items()},
            "postgres": {name: warehouse.read(query) for name, query in queries.items()},
            "bigquery": {line["query"]: line["rows"] for line in lines if "query" in line},
        }
        yield {"nodes": {name: line["nodes"] for name, line in commands.items()}, "rows": rows}


@pytest.mark.parametrize("target", WAREHOUSES)
def test_the_package_builds(target: str, built: dict[str, Any]) -> None:
    nodes = dict(built["nodes"][target])
    assert {nodes.pop(name) for name in sql.names()} == {"success"}
    assert set(nodes.values()) == {"pass"}
    kinds = [
        "unique_together",
        "same_rows",
        "not_null",
        "accepted_values",
        "relationships",
        "mentions_have_publications",
    ]
    if target != "bigquery":
        kinds += ["source_not_null", "source_unique_together", "source_accepted_values"]
    assert all(any(name.startswith(kind) for name in nodes) for kind in kinds)


@pytest.mark.parametrize("target", WAREHOUSES)
def test_the_models_have_the_rows_of_the_core(target: str, built: dict[str, Any], lake: drugs_rs.Lake) -> None:
    rows = built["rows"][target]
    for table in MADE:
        assert in_order(rows[table]) == in_order(plain(list(lake.scan(table).read())))
    graph = drugs_rs.read_graph(lake.root)
    for name in ("top_journals", "exclusive_drugs"):
        assert in_order(rows[name]) == in_order(graph.answer(name).to_dicts())
        assert rows[name]


def test_the_tests_of_the_package_can_fail(built: dict[str, Any]) -> None:
    found = {name for name, status in built["nodes"]["wrong"].items() if status != "pass"}
    shortened = {name.split("_atccode__drug__sub")[0].split("_publication_id__title")[0] for name in found}
    assert shortened == set().union(*FAULTS.values())
