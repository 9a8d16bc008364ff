"""Warehouses for the SQL models: the tables of a lake go in, the rows of models come out as JSON has them.

The texts for BigQuery and Spark run on DuckDB after sqlglot has translated them, from what it reads in that dialect.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Dict, List, Mapping, Sequence

import pyarrow as pa
from postgres_server import Postgres

import drugs_rs
from drugs_rs import sql
from drugs_rs.column_types import translated

Row = Dict[str, Any]
Rows = List[Row]

# The tables of a lake that the models read, and what is made of them.
LOADED = ("publications_all", "deleted", "journal_ids", "drugs")
MADE = {
    "publications": "made.publications",
    "mentions": "made.mentions",
    "found": "made.found",
}
COUNTS = ("rows_in", "rows_kept", "rows_merged", "rows_rejected")
STATUS = pa.schema(
    [
        *((name, pa.string()) for name in ("dt", "table")),
        *((name, pa.int64()) for name in COUNTS),
        ("rejected_share", pa.float64()),
        *((name, pa.bool_()) for name in ("snapshot", "held")),
        *((name, pa.string()) for name in ("reason", "as_of")),
    ]
)
POSTGRES_TYPES = {"int64": "bigint", "double": "double precision", "bool": "boolean", "date32[day]": "date"}
OF_FOUND = ("kind", "publication_id", "field", "atccode", "drug", "start", "end", "surface", "rule", "role")
FOUND = pa.schema([(name, pa.int64() if name in ("start", "end") else pa.string()) for name in OF_FOUND])


def plain(rows: Sequence[Mapping[str, Any]]) -> Rows:
    """The rows with dates as texts."""
    found: Rows = json.loads(json.dumps([dict(row) for row in rows], default=str))
    return found


def status_of(lake: drugs_rs.Lake) -> Any:
    """The rows of `Lake.status()`, which a load brings as a table."""
    return pa.Table.from_pylist(list(lake.status()), STATUS)


def found_in(publications: Rows, matcher: drugs_rs.Matcher) -> Any:
    """What a matcher finds in the titles, as the table `found`."""
    rows = []
    for mention in matcher.find_many([row["title"] for row in publications]):
        publication = publications[mention["row"]]
        of_title = {"kind": publication["kind"], "publication_id": publication["publication_id"], "field": "title"}
        rows.append({**{name: mention.get(name) for name in FOUND.names}, **of_title})
    return pa.Table.from_pylist(rows, FOUND)


@lru_cache(maxsize=None)
def in_duckdb(text: str, dialect: str) -> str:
    """A text of another dialect, translated."""
    import sqlglot

    return sqlglot.transpile(text, read=dialect, write="duckdb")[0].replace("RAISE_ERROR(", "ERROR(")


class Duck:
    """DuckDB over the views of `Lake.duckdb()`, with the texts of a dialect."""

    def __init__(self, lake: drugs_rs.Lake, dialect: str = "duckdb") -> None:
        self.dialect = dialect
        self.connection = lake.duckdb()
        self.connection.execute("CREATE SCHEMA made")
        self.insert("status", status_of(lake), "main")

    def insert(self, table: str, rows: Any, schema: str = "made") -> None:
        """Create a table of these rows."""
        self.connection.register("given_rows", rows)
        self.connection.execute(f"CREATE OR REPLACE TABLE {schema}.{table} AS SELECT * FROM given_rows")
        self.connection.unregister("given_rows")

    def change_status(self, change: str) -> None:
        """Write into the loaded table `status`."""
        self.connection.execute(f"UPDATE main.status {change}")

    def text(self, name: str, **options: Any) -> str:
        """The text of a model, in DuckDB's dialect."""
        read = {table: MADE[table] for table in sql.inputs(name) if table in MADE}
        text = sql.model(name, self.dialect, read, schema="main", **options)
        return text if self.dialect == "duckdb" else in_duckdb(text, self.dialect)

    def read(self, query: str) -> Rows:
        """The rows of a query, in its order."""
        found = self.connection.execute(query)
        columns = [column[0] for column in found.description or ()]
        return plain([dict(zip(columns, row)) for row in found.fetchall()])

    def rows(self, name: str, **options: Any) -> Rows:
        """The rows of a model, in its order."""
        return self.read(self.text(name, **options))

    def make(self, name: str) -> Rows:
        """Create the table of a model, and return its rows."""
        self.connection.execute(f"CREATE OR REPLACE TABLE made.{name} AS {self.text(name)}")
        return self.read(f"SELECT * FROM made.{name}")


class PostgresServer:
    """PostgreSQL with the loaded tables; all texts have the collation of a language, as in most databases."""

    def __init__(self, server: Postgres, lake: drugs_rs.Lake) -> None:
        self.server = server
        self.server.run("DROP SCHEMA IF EXISTS made CASCADE", "DROP SCHEMA IF EXISTS lake CASCADE")
        self.server.run("CREATE SCHEMA made", "CREATE SCHEMA lake")
        for table in LOADED:
            self.insert(table, scanned(lake, table), "lake")
        self.insert("status", status_of(lake), "lake")

    def insert(self, table: str, rows: Any, schema: str = "made") -> None:
        """Create a table of these rows."""
        kinds = [self.type_of(field.type) for field in rows.schema]
        columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(rows.schema.names, kinds))
        lines = [",".join(map(self.literal, row.values(), kinds)) for row in rows.to_pylist()]
        create = f"CREATE TABLE {schema}.{table} ({columns});"
        copy = f"COPY {schema}.{table} FROM STDIN WITH (FORMAT csv, NULL 'null');"
        self.server.run(given="\n".join([create, copy, *lines, "\\.", ""]))

    def type_of(self, kind: Any) -> str:
        """The type of a column."""
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            return "jsonb" if pa.types.is_struct(kind.value_type) else "text[]"
        return POSTGRES_TYPES.get(str(kind), 'text COLLATE "en-x-icu"')

    @staticmethod
    def literal(value: Any, kind: str) -> str:
        """A value of a type in CSV."""
        if value is None:
            return "null"
        if isinstance(value, list) and kind == "jsonb":
            value = json.dumps(value)
        elif isinstance(value, list):
            value = "{" + ",".join(json.dumps(text) for text in value) + "}"
        return '"{}"'.format(str(value).replace('"', '""'))

    def change_status(self, change: str) -> None:
        """Write into the loaded table `status`."""
        self.server.run(f"UPDATE lake.status {change}")

    def text(self, name: str, **options: Any) -> str:
        """The text of a model."""
        read = {table: MADE[table] for table in sql.inputs(name) if table in MADE}
        return sql.model(name, "postgres", read, schema="lake", **options)

    def read(self, query: str) -> Rows:
        """The rows of a query, in its order."""
        found: Rows = json.loads(self.server.run(f"SELECT coalesce(json_agg(rows), '[]') FROM ({query}) AS rows"))
        return found

    def rows(self, name: str, **options: Any) -> Rows:
        """The rows of a model, in its order."""
        return self.read(self.text(name, **options))

    def make(self, name: str) -> Rows:
        """Create the table of a model, and return its rows."""
        self.server.run(f"CREATE TABLE made.{name} AS {self.text(name)}")
        return self.read(f"SELECT * FROM made.{name}")


def scanned(lake: drugs_rs.Lake, table: str) -> Any:
    """The rows of a table of a lake; none if gold has not run."""
    try:
        return lake.scan(table).to_arrow()
    except drugs_rs.exceptions.SourceNotFoundError:
        kinds = {"string": pa.string(), "int64": pa.int64(), "date": pa.date32()}
        types = {
            name: translated(kind, kinds, pa.list_, lambda fields: pa.struct(list(fields.items())))
            for name, kind in lake.schema(table).items()
        }
        return pa.schema(list(types.items())).empty_table()
