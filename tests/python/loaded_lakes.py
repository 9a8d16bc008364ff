"""Databases that lakes are loaded into, and what they hold, for the tests of loads."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Protocol, Tuple

import duckdb
import psycopg

import drugs_rs
import drugs_rs.duckdb
import drugs_rs.postgres
from drugs_rs.loading import LoadPlan, load_tables

if TYPE_CHECKING:
    from postgres_server import Postgres

Rows = List[Tuple[Any, ...]]
Contents = Dict[str, Rows]


class Database(Protocol):
    """A database that takes loads."""

    @property
    def target(self) -> str:
        """Its address for the command."""

    def load(self, lake: Any, **options: Any) -> LoadPlan:
        """Load a lake."""

    def query(self, sql: str) -> Rows:
        """The rows of a query."""


@dataclass
class DuckDatabase:
    """A file."""

    file: Path

    @property
    def target(self) -> str:
        return f"duckdb:{self.file}"

    def load(self, lake: Any, **options: Any) -> LoadPlan:
        return drugs_rs.duckdb.load(lake, self.file, **options)

    def query(self, sql: str) -> Rows:
        with closing(duckdb.connect(str(self.file))) as connection:
            return connection.execute(sql).fetchall()


@dataclass
class PostgresDatabase:
    """A schema of a server."""

    server: Postgres
    schema: str

    @property
    def dsn(self) -> str:
        return f"postgresql://drugs@/postgres?host={self.server.folder}"

    @property
    def target(self) -> str:
        return f"{self.dsn}&schema={self.schema}"

    def load(self, lake: Any, **options: Any) -> LoadPlan:
        return drugs_rs.postgres.load(lake, self.dsn, schema=self.schema, **options)

    def query(self, sql: str) -> Rows:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(f"SET search_path TO {self.schema}".encode())
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []


def comparable(rows: Any) -> Rows:
    """Rows in an order that all databases have."""
    return sorted(
        (tuple(tuple(value) if isinstance(value, list) else value for value in row) for row in rows), key=repr
    )


def held(database: Database) -> Contents:
    """All rows that a database holds, by table."""
    contents = {}
    for table in load_tables():
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        contents[table.name] = comparable(database.query(f'SELECT {columns} FROM "{table.name}"'))
    return contents


def wanted(lake: Any) -> Contents:
    """All rows that a database should hold, by table."""
    opened = lake if isinstance(lake, drugs_rs.Lake) else drugs_rs.Lake(lake)
    contents = {"status": comparable(tuple(row.values()) for row in opened.status())}
    for table in opened.tables()["table"]:
        contents[table] = comparable(tuple(row.values()) for row in opened.scan(table).read())
    return contents
