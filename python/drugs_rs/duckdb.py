"""A DuckDB connection with a view for each table of a lake: what is behind ``Lake.duckdb``."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from drugs_rs.exceptions import ArgumentError, MissingLibraryError, SourceNotFoundError

if TYPE_CHECKING:
    import duckdb

    from drugs_rs import Lake

__all__ = ["connect"]

# The types of DuckDB for those of a table.
TYPES = {"string": "VARCHAR", "int64": "BIGINT", "date": "DATE", "list[string]": "VARCHAR[]"}


def connect(lake: Lake) -> duckdb.DuckDBPyConnection:
    """Open a database in memory with a view for each table, as ``Lake.duckdb()`` documents it.

    The views read the files of the moment at which they are made. In a bucket DuckDB opens the files itself, so it
    needs its extension ``httpfs`` and a secret.
    """
    connection: duckdb.DuckDBPyConnection = _library().connect()
    tables = lake.tables()["table"]
    if re.search(r"/(kind|dt)=", f"{Path(lake.root).absolute()}/"):
        message = f"{lake.root}: DuckDB takes the folder `kind=…` or `dt=…` above the lake for a column; use Lake.scan"
        raise ArgumentError(message)
    for name in tables:
        connection.execute(f"CREATE VIEW {name} AS {_query(lake, name)}")
    return connection


def _query(lake: Lake, table: str) -> str:
    """Build the query of a view: one part for each set of columns that paths have."""
    types = {column: TYPES[kind] for column, kind in lake.schema(table).items()}
    parts: dict[tuple[str, ...], list[str]] = {}
    kept: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for file in _files(lake, table):
        keys = tuple((column, file[column]) for column in ("kind", "dt") if file[column] is not None)
        if all(f"/{column}={value}/" in file["uri"] for column, value in keys):
            parts.setdefault(tuple(column for column, _ in keys), []).append(file["uri"])
        else:
            kept.setdefault(keys, []).append(file["uri"])
    queries = [_part(types, in_path, files) for in_path, files in parts.items()]
    # Files that are kept for an earlier state have no such folders.
    queries += [_kept_part(types, dict(keys), files) for keys, files in kept.items()]
    if not queries:
        nothing = (f'CAST(NULL AS {kind}) AS "{column}"' for column, kind in types.items())
        return f"SELECT {', '.join(nothing)} WHERE false"
    return " UNION ALL ".join(queries)


def _files(lake: Lake, table: str) -> list[dict[str, Any]]:
    """List the files of a table; none if gold has not run."""
    try:
        return list(lake.files(table))
    except SourceNotFoundError:
        return []


def _part(types: dict[str, str], in_path: tuple[str, ...], files: list[str]) -> str:
    """Build the query of files whose paths have the same columns."""
    listed = ", ".join(_quoted(uri) for uri in files)
    keys = ", ".join(f"{column}: VARCHAR" for column in in_path)
    hive = f"hive_partitioning = true, hive_types = {{{keys}}}" if in_path else "hive_partitioning = false"
    source = f"read_parquet([{listed}], {hive})"
    # The rejected rows of a vocabulary have no kind, neither in their files nor in their paths.
    lacks_kind = in_path == ("dt",) and "raw" in types
    columns = (
        "CAST(NULL AS VARCHAR) AS kind" if lacks_kind and column == "kind" else f'"{column}"' for column in types
    )
    return f"SELECT {', '.join(columns)} FROM {source}"


def _kept_part(types: dict[str, str], keys: dict[str, str], files: list[str]) -> str:
    """Build the query of files of one partition whose paths do not say so."""
    listed = ", ".join(_quoted(uri) for uri in files)
    columns = []
    for column in types:
        if column in keys:
            columns.append(f"'{keys[column]}' AS {column}")
        elif column == "kind" and "raw" in types:
            columns.append("CAST(NULL AS VARCHAR) AS kind")
        else:
            columns.append(f'"{column}"')
    return f"SELECT {', '.join(columns)} FROM read_parquet([{listed}], hive_partitioning = false)"


def _quoted(text: str) -> str:
    """Quote a path for ``read_parquet``, which takes some letters for patterns."""
    literal = re.sub(r"[*?[]", r"[\g<0>]", text)
    return "'" + literal.replace("'", "''") + "'"


def _library() -> ModuleType:
    """Import DuckDB, or say how to install it."""
    try:
        return import_module("duckdb")
    except ImportError as error:
        message = f"Lake.duckdb() needs duckdb, which cannot be imported ({error}): pip install drugs-rs[duckdb]"
        raise MissingLibraryError(message) from error


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
