"""DuckDB: a view for each table of a lake, loads into a database file, and the matcher as a function.

>>> import duckdb
>>> import drugs_rs
>>> import drugs_rs.duckdb
>>> connection = duckdb.connect()
>>> matcher = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]})
>>> drugs_rs.duckdb.register(connection, matcher)
>>> connection.sql("SELECT found.drug, found.start FROM (SELECT unnest(drugs_find('Oral diphenhydramine')) AS found)")
...     .fetchall()
[('diphenhydramine', 5)]

``Lake.duckdb()`` is ``connect``, and ``drugs-rs load LAKE duckdb:FILE`` is ``load``.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, Sequence

from drugs_rs.column_types import translated
from drugs_rs.exceptions import (
    ArgumentError,
    ConflictError,
    MissingLibraryError,
    SourceNotFoundError,
    StorageError,
)
from drugs_rs.loading import (
    LOADS,
    PARTS,
    STATUS,
    LoadPlan,
    LoadReceipt,
    LoadStep,
    LoadTable,
    check_columns,
    check_origin,
    lake_place,
    load_in,
    load_tables,
    pinned,
)

if TYPE_CHECKING:
    import duckdb

    from drugs_rs import Lake, Matcher, Table, TableScan

    Handler = Callable[[int, FrameType | None], object]

__all__ = ["connect", "load", "register"]

# The types of DuckDB for those of a table.
TYPES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
}
# Fields of structs whose names DuckDB quotes.
WORDS = ("name", "type")
# The type of what `Matcher.find_column` returns.
MENTIONS = 'STRUCT(atccode VARCHAR, drug VARCHAR, "start" BIGINT, "end" BIGINT, surface VARCHAR, rule VARCHAR)[]'


def column_type(kind: str) -> str:
    """Translate a type of a table, as DuckDB's own list of columns writes it."""
    return translated(
        kind,
        TYPES,
        lambda item: f"{item}[]",
        lambda fields: f"STRUCT({', '.join(f'{_field_name(name)} {its}' for name, its in fields.items())})",
    )


def _field_name(name: str) -> str:
    """Quote the name of a field as DuckDB does: only where it is a word of SQL."""
    return f'"{name}"' if name in WORDS else name


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


def register(connection: duckdb.DuckDBPyConnection, matcher: Matcher, name: str = "drugs_find") -> None:
    """Register a matcher as a function of SQL: ``drugs_find(text)``.

    The function returns a list of structs with the fields of ``Mention``: ``atccode``, ``drug``, ``start``, ``end``,
    ``surface`` and ``rule``. The list is empty for a text without a mention, and null for null. Needs pyarrow. A
    function that the connection has registered by this name is replaced.

    Args:
        connection: The connection. Others of the same database see the function too, as long as this one lives.
        matcher: What to find.
        name: The name of the function.

    Raises:
        ArgumentError: The name is no name, or one that DuckDB or another connection has.
        MissingLibraryError: pyarrow is not installed.
    """
    library = _library()
    try:
        import pyarrow
    except ImportError as error:
        message = f"drugs_find needs pyarrow, which cannot be imported ({error}): pip install drugs-rs[duckdb]"
        raise MissingLibraryError(message) from error
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        message = f"name: found {name!r}, expected letters, digits and underscores"
        raise ArgumentError(message)

    # Without annotations, which DuckDB would evaluate.
    def drugs_find(texts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        return pyarrow.array(matcher.find_column(texts))

    # DuckDB's own list keeps the letters of the first registration, and functions have one name in all cases.
    query = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE lower(function_name) = ?"
    for (taken,) in connection.execute(query, [name.lower()]).fetchall():
        try:
            connection.remove_function(taken)
        except library.InvalidInputException as error:
            message = (
                f"name: DuckDB or another connection has a function {taken!r}, which cannot be replaced; take another "
                "name, or register on that connection"
            )
            raise ArgumentError(message) from error
    # DuckDB's stubs do not know the texts that it takes for types.
    untyped: Any = connection
    untyped.create_function(name, drugs_find, ["VARCHAR"], MENTIONS, type="arrow", null_handling="special")


def load(
    lake: Lake | str | os.PathLike[str],
    database: str | os.PathLike[str],
    *,
    tables: Iterable[str] | None = None,
    plan: bool = False,
) -> LoadPlan | LoadReceipt:
    """Load the tables of a lake into a database file: what has changed since the last load, in one transaction.

    Killed at any moment, the file holds the state before or the one after. The tables have the columns of the lake and
    comments, and no keys: in DuckDB a key is an index in memory, and what comes from a lake has unique keys already.
    The table ``status`` has the rows of ``Lake.status()``, ``loads`` the loads, ``loaded_parts`` what they brought.

    Args:
        lake: The lake, its folder or its URI. An earlier state (``Lake.at``) is loaded as it was.
        database: The file, which is made if it is not there.
        tables: The names of the tables; ``None`` is all.
        plan: Return what would be done, and change nothing.

    Raises:
        ArgumentError: There is no table of a name.
        ConflictError: Another process has the file open, another thread loads into it, or a run gave up the state.
        MissingLibraryError: DuckDB is not installed.
        SchemaError: A table in the file was altered, or has rows that no load brought.
        SourceNotFoundError: There is no lake, or gold has not run.
        StorageError: The file cannot be written, or is no database.
    """
    file = os.fsdecode(database)
    if file.startswith("duckdb:"):
        file = file[len("duckdb:") :]
    if not file or file.startswith(":"):
        message = f"database: found {file!r}, expected the path of a file"
        raise ArgumentError(message)
    if "://" in file:
        # An address may have a password.
        scheme = file.split("://", 1)[0]
        message = f"database: found an address that begins with {scheme!r} after `duckdb:`, expected the path of a file"
        raise ArgumentError(message)
    if file.startswith("~/"):
        file = str(Path(file).expanduser())
    target = f"duckdb:{file}"
    library = _library()
    # A wrong name or a lake that is not there makes no file.
    load_tables(tables)
    pinned(lake)
    if plan and not Path(file).exists():
        return load_in(_DuckTransaction(library.connect(), target), target, lake, tables, plan=True)
    try:
        with _signals_kept(), _opened(library, file, read_only=plan) as connection:
            return load_in(_DuckTransaction(connection, target), target, lake, tables, plan=plan)
    except library.TransactionException as error:
        if "conflict" not in str(error).lower():
            message = f"{target}: DuckDB cannot load: {error}; the file is as it was"
            raise StorageError(message) from error
        message = f"{target}: something else in this process wrote to the file; load again ({error})"
        raise ConflictError(message) from error
    except library.Error as error:
        message = f"{target}: DuckDB cannot load: {error}; the file is as it was"
        raise StorageError(message) from error


@contextmanager
def _opened(library: ModuleType, file: str, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database file for one transaction, which is undone if it fails."""
    try:
        connection = library.connect(file, read_only=read_only)
    except library.IOException as error:
        if "set lock on file" in str(error):
            message = f"duckdb:{file}: another process has the file open; load again when it has closed it ({error})"
            raise ConflictError(message) from error
        message = f"duckdb:{file}: the file cannot be opened: {error}"
        raise StorageError(message) from error
    try:
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
    finally:
        # What is not committed is undone.
        connection.close()


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Let the exception of a signal's handler through, such as KeyboardInterrupt.

    DuckDB looks for signals while it works, but then raises a RuntimeError of its own.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raised: list[BaseException] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def kept(handler: Handler) -> Handler:
        def handle(number: int, frame: FrameType | None) -> None:
            try:
                handler(number, frame)
            except BaseException as error:
                raised.append(error)
                raise

        return handle

    try:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, kept(handler))
        yield
    except Exception:
        if raised:
            raise raised[0] from None
        raise
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)


class _DuckTransaction:
    """A load into an open database file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, target: str) -> None:
        self.connection = connection
        self.target = target
        # The types of the columns of each table.
        self.there: dict[str, dict[str, str]] = {}

    def held_parts(self, tables: Sequence[LoadTable]) -> dict[tuple[str, str | None], str]:
        there = self.there
        query = (
            "SELECT lower(table_name), column_name, data_type FROM duckdb_columns()"
            " WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal"
        )
        for table, column, kind in self.connection.execute(query).fetchall():
            there.setdefault(table, {})[column] = kind
        for table in tables:
            if table.name in there:
                check_columns(f"{self.target}: the table {table.name}", table, there[table.name], column_type)
        names = {table.name for table in tables}.intersection(there)
        query = f"SELECT table_name, dt, content FROM {PARTS}"
        parts = self.connection.execute(query).fetchall() if PARTS in there else []
        held = {(table, dt): content for table, dt, content in parts if table in names}
        for name in sorted(names.difference(table for table, _ in held)):
            rows = self.connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchall()
            check_origin(f"{self.target}: the table {name}", has_rows=bool(rows))
        return held

    def last_lake(self) -> str | None:
        if LOADS not in self.there:
            return None
        last = self.connection.execute(f"SELECT lake FROM {LOADS} ORDER BY load DESC LIMIT 1").fetchall()
        return str(last[0][0]) if last else None

    def write_parts(self, lake: Lake, table: LoadTable, steps: Sequence[LoadStep]) -> int:
        if table.name not in self.there:
            self._create(table)
        old = [step.dt for step in steps if step.action != "load"]
        if old:
            condition, values = (" WHERE list_contains(?, dt)", [old]) if table.is_dated else ("", [])
            self.connection.execute(f'DELETE FROM "{table.name}"{condition}', values)
        return self._insert(lake, table, [step.dt for step in steps if step.rows > 0])

    def _create(self, table: LoadTable) -> None:
        columns = ", ".join(
            f'"{column.name}" {column_type(column.type)}{"" if column.nullable else " NOT NULL"}'
            for column in table.columns
        )
        self.connection.execute(f'CREATE TABLE "{table.name}" ({columns})')
        self._comment(f'TABLE "{table.name}"', table.description)
        for column in table.columns:
            self._comment(f'COLUMN "{table.name}"."{column.name}"', column.description)

    def _comment(self, thing: str, text: str) -> None:
        self.connection.execute("COMMENT ON {} IS '{}'".format(thing, text.replace("'", "''")))

    def _insert(self, lake: Lake, table: LoadTable, dates: Sequence[str | None]) -> int:
        """Insert the rows of these dates, or all of a table without dates."""
        if not dates:
            return 0
        rows: Table | TableScan
        if table.name == STATUS:
            rows = lake.status()
        else:
            rows = lake.scan(table.name, dt=[dt for dt in dates if dt is not None] or None)
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        # Rows of one code lie together, so that a query of a code reads few of them.
        order = ' ORDER BY dt, "atccode"' if table.is_dated and table.name == "mentions" else ""
        self.connection.register("rows_of_the_lake", rows)
        inserted = self.connection.execute(f'INSERT INTO "{table.name}" SELECT {names} FROM rows_of_the_lake{order}')
        ((count,),) = inserted.fetchall()
        self.connection.unregister("rows_of_the_lake")
        return int(count)

    def record(self, lake: Lake, steps: Sequence[LoadStep], contents: Mapping[tuple[str, str | None], str]) -> int:
        from drugs_rs import __version__

        execute = self.connection.execute
        execute(
            f"CREATE TABLE IF NOT EXISTS {PARTS} (table_name VARCHAR NOT NULL, dt VARCHAR, content VARCHAR NOT NULL,"
            ' "rows" BIGINT NOT NULL, bytes BIGINT NOT NULL, load BIGINT NOT NULL)'
        )
        execute(
            f"CREATE TABLE IF NOT EXISTS {LOADS} (load BIGINT NOT NULL, lake VARCHAR NOT NULL, state BIGINT NOT NULL,"
            " version VARCHAR NOT NULL, loaded_at TIMESTAMPTZ NOT NULL)"
        )
        ((last,),) = execute(f"SELECT coalesce(max(load), 0) FROM {LOADS}").fetchall()
        number = int(last) + 1
        load = [number, lake_place(lake.root), lake.state, __version__]
        execute(f"INSERT INTO {LOADS} VALUES (?, ?, ?, ?, now())", load)
        for step in steps:
            execute(f"DELETE FROM {PARTS} WHERE table_name = ? AND dt IS NOT DISTINCT FROM ?", [step.table, step.dt])
            if step.action != "remove":
                row = [step.table, step.dt, contents[step.table, step.dt], step.rows, step.bytes, number]
                execute(f"INSERT INTO {PARTS} VALUES (?, ?, ?, ?, ?, ?)", row)
        return number


def _query(lake: Lake, table: str) -> str:
    """Build the query of a view: one part for each set of columns that paths have."""
    types = {column: column_type(kind) for column, kind in lake.schema(table).items()}
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
        message = f"drugs_rs.duckdb needs duckdb, which cannot be imported ({error}): pip install drugs-rs[duckdb]"
        raise MissingLibraryError(message) from error


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
