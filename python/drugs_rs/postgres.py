"""PostgreSQL: loads of a lake into a database, what has changed since the last load.

``drugs-rs load LAKE postgresql://host/database`` is ``load``. It needs psycopg 3: ``pip install drugs-rs[postgres]``.

Tables with dates are partitioned by month. A month that is new, or of which every date has changed, is loaded beside
the old one, gets its keys and indexes when all rows are there, and takes the old one's place. In other months the rows
of the changed dates are replaced. All of it is one transaction: a query sees the old state or the new one. Only a
transaction of the level REPEATABLE READ that began before can see a month empty that took another's place.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Sequence

from drugs_rs.exceptions import ArgumentError, ConflictError, MissingLibraryError, SchemaError, StorageError
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
)

if TYPE_CHECKING:
    import psycopg

    from drugs_rs import Lake

__all__ = ["load"]

# The types of PostgreSQL for those of a table.
TYPES = {
    "string": "text",
    "int64": "bigint",
    "float64": "double precision",
    "bool": "boolean",
    "date": "date",
    "list[string]": "text[]",
}
# The columns that queries look for, in tables that have them.
INDEXED = ("atccode", "substance", "journal")
# A lock is waited for less than `deadlock_timeout`, a second by default; all attempts together take ten minutes.
LOCK_MILLISECONDS, LOCK_ATTEMPTS = 300, 120
# Limits that a role or a database may have for its queries, and that would end a long load every time.
LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")
_TABLE_OF_PARTS = """
    table_name text NOT NULL, dt text, content text NOT NULL, "rows" bigint NOT NULL, bytes bigint NOT NULL,
    load bigint NOT NULL, UNIQUE (table_name, dt)
"""
_TABLE_OF_LOADS = """
    load bigint PRIMARY KEY, lake text NOT NULL, state bigint NOT NULL, version text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now()
"""

# What the two tables above and their columns hold.
_COMMENTS = {
    f"TABLE {PARTS}": "What this schema holds: a row for each date of each table",
    f"COLUMN {PARTS}.table_name": "The table",
    f"COLUMN {PARTS}.dt": "The date; null for a table that is loaded whole",
    f"COLUMN {PARTS}.content": "A digest of the lake's files with these rows",
    f"COLUMN {PARTS}.rows": "How many rows",
    f"COLUMN {PARTS}.bytes": "The size of the lake's files with these rows",
    f"COLUMN {PARTS}.load": "The load that brought these rows",
    f"TABLE {LOADS}": "The loads of a lake into this schema",
    f"COLUMN {LOADS}.load": "The number of the load, from 1",
    f"COLUMN {LOADS}.lake": "The root of the lake",
    f"COLUMN {LOADS}.state": "The state of the lake that was loaded",
    f"COLUMN {LOADS}.version": "The version of drugs_rs that loaded",
    f"COLUMN {LOADS}.loaded_at": "When the load began",
}
# The statements that give the current user what a load needs: a schema to make or to write to, and tables of its own.
_MISSING_RIGHTS = """
    SELECT array_agg(statement ORDER BY statement) FROM (
        SELECT format('GRANT CREATE ON DATABASE %%I TO %%I', current_database(), current_user) AS statement
        WHERE to_regnamespace(quote_ident(%(schema)s)) IS NULL
            AND NOT has_database_privilege(current_database(), 'CREATE')
        UNION ALL
        SELECT format('GRANT %%s ON SCHEMA %%I TO %%I', missing, nspname, current_user)
        FROM pg_namespace, unnest(ARRAY['CREATE', 'USAGE']) missing
        WHERE nspname = %(schema)s AND NOT has_schema_privilege(oid, missing)
        UNION ALL
        SELECT format('ALTER TABLE %%I.%%I OWNER TO %%I', nspname, relname, current_user)
        FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname = %(schema)s AND relkind IN ('r', 'p') AND NOT pg_has_role(relowner, 'USAGE')
    ) missing
"""


def load(
    lake: Lake | str | os.PathLike[str],
    dsn: str,
    *,
    schema: str = "drugs",
    tables: Iterable[str] | None = None,
    plan: bool = False,
) -> LoadPlan | LoadReceipt:
    """Load the tables of a lake into a schema of a database: what has changed since the last load, in one transaction.

    Killed at any moment, the database holds the state before or the one after. A load waits for another one of the same
    schema, and then looks at what is left to do. The table ``status`` has the rows of ``Lake.status()``, ``loads`` the
    loads, ``loaded_parts`` what they brought.

    Args:
        lake: The lake, its folder or its URI. An earlier state (``Lake.at``) is loaded as it was.
        dsn: The database, as libpq takes it: ``postgresql://user@host/database``, or ``host=… dbname=…``. Passwords are
            better in PGPASSWORD, PGPASSFILE or ``~/.pgpass``; no message shows one.
        schema: The schema, which is made if it is not there. A ``?schema=`` in the address comes first.
        tables: The names of the tables; ``None`` is all.
        plan: Return what would be done, and change nothing.

    Raises:
        ArgumentError: There is no table of a name, or the address cannot be read.
        ConflictError: Queries hold a table for ten minutes on end, or a run has given up the state meanwhile.
        MissingLibraryError: psycopg is not installed.
        SchemaError: A table in the database was altered, is no table of a load, or has rows that no load brought.
        SourceNotFoundError: There is no lake, or gold has not run.
        StorageError: The server cannot be reached, or refuses; the message names a missing grant.
    """
    psycopg = _library()
    address = _Address.parse(psycopg, dsn, schema)
    with address.connected(psycopg) as connection:
        transaction = _PostgresTransaction(connection, address)
        transaction.lift_limits()
        with connection.transaction():
            if plan:
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            else:
                # With another default a load that waited would not see what the load before it did.
                connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
                transaction.wait_for_other_loads()
            return load_in(transaction, address.shown, lake, tables, plan=plan)


def column_type(kind: str) -> str:
    """Translate a type of a table; lists of structs are ``jsonb``."""
    return TYPES.get(kind, "jsonb")


class _Address:
    """A database and a schema."""

    def __init__(self, settings: dict[str, Any], schema: str) -> None:
        self.settings = settings
        self.schema = schema
        self.password = settings.get("password")
        host, port = settings.get("host", ""), settings.get("port")
        user = f"{settings['user']}@" if "user" in settings else ""
        place = f"{host}:{port}" if port else host
        self.shown = f"postgresql://{user}{place}/{settings.get('dbname', '')}?schema={schema}"

    @classmethod
    def parse(cls, library: ModuleType, dsn: str, schema: str) -> _Address:
        """Read an address; the schema is the project's own word in it."""
        given = re.search(r"[?&]schema=([^&]*)", dsn) if re.match("postgres(ql)?://", dsn) else None
        if given and "@" in given.group(1):
            # A part of a password is not shown.
            message = "schema: found an `@`; write a `?` or `&` of a password as %3F or %26 in the address"
            raise ArgumentError(message)
        if given:
            schema = given.group(1)
            dsn = (dsn[: given.start()] + dsn[given.start()] + dsn[given.end() :].lstrip("&")).rstrip("?&")
        # PostgreSQL's own schemas take no tables.
        if schema == "information_schema" or schema.startswith("pg_"):
            message = f"schema: found {schema!r}, which is PostgreSQL's own; expected a schema for the tables of a lake"
            raise ArgumentError(message)
        if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]{0,62}", schema):
            message = f"schema: found {schema!r}, expected letters, digits and underscores, 63 at most"
            raise ArgumentError(message)
        try:
            settings = library.conninfo.conninfo_to_dict(dsn)
        except library.ProgrammingError as error:
            # The message of libpq repeats the address, and so a password in it.
            expected = "expected postgresql://user@host:port/database, or host=… dbname=…"
            message = f"the address of the PostgreSQL database cannot be read; {expected}"
            raise ArgumentError(message) from (None if "@" in dsn or "password" in dsn else error)
        # A host may begin with one, for an abstract socket.
        if "@" in str(settings.get("host", ""))[1:] or "@" in str(settings.get("dbname", "")):
            message = (
                "the address of the PostgreSQL database has an `@` in its host or its database; write `@`, `/` and `:` "
                "of a password as %40, %2F and %3A"
            )
            raise ArgumentError(message)
        settings.setdefault("application_name", "drugs-rs load")
        # The rows are in UTF-8, whatever PGCLIENTENCODING or the role says.
        settings["client_encoding"] = "UTF8"
        return cls(settings, schema)

    @contextmanager
    def connected(self, library: ModuleType) -> Iterator[psycopg.Connection[Any]]:
        """Connect; errors of the server name what it refuses and the remedy, without the password."""
        try:
            # Without prepared statements, which a pool of connections may not keep.
            connection = library.connect(**self.settings, autocommit=True, prepare_threshold=None)
        except (library.OperationalError, library.ProgrammingError) as error:
            message = f"{self.shown}: cannot connect: {self._hidden(error)}"
            raise StorageError(message) from None
        try:
            with connection:
                try:
                    yield connection
                except library.errors.InsufficientPrivilege as error:
                    message = f"{self.shown}: {self._hidden(error)}; nothing was changed{self._grants(connection)}"
                    raise StorageError(message) from error
        except library.Error as error:
            message = f"{self.shown}: the load failed: {self._hidden(error)}; nothing was changed, load again"
            raise StorageError(message) from error

    def _grants(self, connection: psycopg.Connection[Any]) -> str:
        """The statements that give the user of a connection what a load needs and the user lacks."""
        row = connection.execute(_MISSING_RIGHTS, {"schema": self.schema}).fetchone()
        statements = row[0] if row else None
        return f". An owner or a superuser has to run: {'; '.join(statements)}" if statements else ""

    def _hidden(self, error: BaseException) -> str:
        text = " ".join(str(error).split())
        return text.replace(self.password, "***") if self.password else text


class _PostgresTransaction:
    """A load into a schema of an open transaction."""

    def __init__(self, connection: psycopg.Connection[Any], address: _Address) -> None:
        self.connection = connection
        self.schema = address.schema
        self.shown = address.shown
        # What puts new partitions in the place of old ones, and the tables whose old ones go.
        self.swaps: list[str] = []
        self.replaced: list[str] = []

    def lift_limits(self) -> None:
        """Take the limits of time from this connection; those that this version of PostgreSQL knows."""
        self._execute("SELECT set_config(name, '0', false) FROM pg_settings WHERE name = ANY(%s)", [list(LIMITS)])

    def wait_for_other_loads(self) -> None:
        """Wait until no other load works on the schema; the lock ends with the transaction."""
        self._execute("SELECT pg_advisory_xact_lock(hashtextextended('drugs_rs load ' || %s, 0))", [self.schema])

    def held_parts(self, tables: Sequence[LoadTable]) -> dict[tuple[str, str | None], str]:
        query = """
            SELECT c.relname, c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
            ORDER BY a.attnum
        """
        there: dict[str, dict[str, str]] = {}
        kinds: dict[str, str] = {}
        for table, relation, column, kind in self._execute(query, [self.schema]):
            there.setdefault(table, {})[column] = kind
            kinds[table] = relation
        for table in tables:
            if table.name in there:
                place = f"{self.shown}: the table {table.name}"
                check_columns(place, table, there[table.name], column_type)
                self._check_kind(place, table, kinds[table.name])
        names = {table.name for table in tables}.intersection(there)
        query = f"SELECT table_name, dt, content FROM {self._name(PARTS)}"
        parts = self._execute(query).fetchall() if PARTS in there else []
        held = {(table, dt): content for table, dt, content in parts if table in names}
        for name in sorted(names.difference(table for table, _ in held)):
            rows = self._execute(f"SELECT 1 FROM {self._name(name)} LIMIT 1").fetchone()
            check_origin(f"{self.shown}: the table {name}", has_rows=rows is not None)
        return self._in_partitions(held, there)

    def last_lake(self) -> str | None:
        loads = self._name(LOADS)
        if self._execute("SELECT to_regclass(%s)", [loads]).fetchone() == (None,):
            return None
        last = self._execute(f"SELECT lake FROM {loads} ORDER BY load DESC LIMIT 1").fetchone()
        return None if last is None else str(last[0])

    def _check_kind(self, place: str, table: LoadTable, found: str) -> None:
        expected = "p" if table.is_dated else "r"
        if found != expected:
            partitioned = "partitioned by dt" if table.is_dated else "a plain table"
            message = f"{place} is not {partitioned}. Drop or rename it, and load again: the load creates it"
            raise SchemaError(message)

    def _in_partitions(
        self, held: Mapping[tuple[str, str | None], str], there: Mapping[str, Any]
    ) -> dict[tuple[str, str | None], str]:
        """Leave out the parts whose partitions were dropped; refuse partitions that were detached."""
        query = """
            SELECT p.relname, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = %s AND p.relnamespace = n.oid
        """
        attached = {tuple(row) for row in self._execute(query, [self.schema])}
        found = {}
        for (table, dt), content in held.items():
            partition = f"{table}_{dt[:7].replace('-', '_')}" if dt else None
            if partition in there:
                message = (
                    f"{self.shown}: the table {partition} is no partition of {table} any more. Attach, drop or rename "
                    "it, and load again"
                )
                raise SchemaError(message)
            if partition is None or (table, partition) in attached:
                found[table, dt] = content
        return found

    def write_parts(self, lake: Lake, table: LoadTable, steps: Sequence[LoadStep]) -> int:
        if not self._execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [self.schema]).fetchone():
            self._execute(f'CREATE SCHEMA "{self.schema}"')
        self._create(table)
        if table.is_dated:
            months = sorted({_month(step) for step in steps})
            return sum(
                self._write_month(lake, table, month, [step for step in steps if _month(step) == month])
                for month in months
            )
        if any(step.action != "load" for step in steps):
            self._execute(f"DELETE FROM {self._name(table.name)}")
        return self._copy(lake, table, steps, self._name(table.name))

    def record(self, lake: Lake, steps: Sequence[LoadStep], contents: Mapping[tuple[str, str | None], str]) -> int:
        from drugs_rs import __version__

        self._swap()
        parts, loads = self._name(PARTS), self._name(LOADS)
        self._execute(f"CREATE TABLE IF NOT EXISTS {parts} ({_TABLE_OF_PARTS})")
        self._execute(f"CREATE TABLE IF NOT EXISTS {loads} ({_TABLE_OF_LOADS})")
        for thing, comment in _COMMENTS.items():
            kind, _, name = thing.partition(" ")
            table, _, column = name.partition(".")
            self._comment(f"{kind} {self._name(table)}{f'.{_quoted(column)}' if column else ''}", comment)
        insert = (
            f"INSERT INTO {loads} (load, lake, state, version)"
            f" SELECT coalesce(max(load), 0) + 1, %s, %s, %s FROM {loads} RETURNING load"
        )
        (number,) = self._execute(insert, [lake_place(lake.root), lake.state, __version__]).fetchone() or (0,)
        with self.connection.cursor() as cursor:
            gone = [(step.table, step.dt) for step in steps]
            delete = f"DELETE FROM {parts} WHERE table_name = %s AND dt IS NOT DISTINCT FROM %s"
            cursor.executemany(delete.encode(), gone)
            rows = [
                (step.table, step.dt, contents[step.table, step.dt], step.rows, step.bytes, number)
                for step in steps
                if step.action != "remove"
            ]
            cursor.executemany(f"INSERT INTO {parts} VALUES (%s, %s, %s, %s, %s, %s)".encode(), rows)
        return int(number)

    def _swap(self) -> None:
        """Put new partitions in the place of old ones. This locks tables against readers, so it comes last."""
        self._lock_against_readers()
        for statement in self.swaps:
            self._execute(statement)

    def _lock_against_readers(self) -> None:
        """Lock the tables of which partitions go, at the end of the load and for a moment.

        A reader may hold one of them and want the next. So no lock is waited for longer than PostgreSQL's deadlock
        detection takes: the load lets go of all and tries again, and readers never get an error.
        """
        if not self.replaced:
            return
        from psycopg.errors import LockNotAvailable

        tables = ", ".join(dict.fromkeys(self.replaced))
        for attempt in range(LOCK_ATTEMPTS):
            try:
                with self.connection.transaction():
                    self._execute(f"SET LOCAL lock_timeout = '{LOCK_MILLISECONDS}ms'")
                    self._execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
            except LockNotAvailable:
                time.sleep(min(5.0, 0.05 * 2**attempt))
            else:
                self._execute("SET LOCAL lock_timeout = 0")
                return
        message = (
            f"{self.shown}: queries hold {tables} all the time, so that new partitions could not take their places; "
            "nothing was changed. End the long ones (see pg_stat_activity), and load again"
        )
        raise ConflictError(message)

    def _create(self, table: LoadTable) -> None:
        """Make a table that is not there, with its comments, key and indexes."""
        name = self._name(table.name)
        if self._execute("SELECT to_regclass(%s)", [name]).fetchone() != (None,):
            return
        columns = ", ".join(
            f'"{column.name}" {column_type(column.type)}{"" if column.nullable else " NOT NULL"}'
            for column in table.columns
        )
        self._execute(f"CREATE TABLE {name} ({columns}){' PARTITION BY RANGE (dt)' if table.is_dated else ''}")
        self._comment(f"TABLE {name}", table.description)
        for column in table.columns:
            self._comment(f'COLUMN {name}."{column.name}"', column.description)
        self._index(table, name)

    def _index(self, table: LoadTable, name: str) -> None:
        """Give a table or a partition the table's key and indexes."""
        if table.key:
            # The key of a partitioned table has the column of its partitions.
            key = [*table.key, *(["dt"] if table.is_dated and "dt" not in table.key else [])]
            self._execute(f"ALTER TABLE {name} ADD PRIMARY KEY ({', '.join(map(_quoted, key))})")
        for column in table.columns:
            if column.name in INDEXED and (column.name,) != table.key:
                self._execute(f"CREATE INDEX ON {name} ({_quoted(column.name)})")

    def _write_month(self, lake: Lake, table: LoadTable, month: str, steps: Sequence[LoadStep]) -> int:
        """Carry out the steps of one partition."""
        name = self._name(f"{table.name}_{month}")
        is_there = self._has_partition(table, f"{table.name}_{month}")
        changed = [step.dt for step in steps if step.action != "load"]
        if is_there:
            left = self._execute(f"SELECT 1 FROM {name} WHERE dt <> ALL(%s) LIMIT 1", [changed]).fetchone()
            if left is not None:
                self._execute(f"DELETE FROM {name} WHERE dt = ANY(%s)", [changed])
                return self._copy(lake, table, steps, name)
        return self._replace_month(lake, table, month, steps, name if is_there else None)

    def _has_partition(self, table: LoadTable, partition: str) -> bool:
        """Look for a partition of a table; a table of this name that is none of its partitions is refused."""
        query = """
            SELECT i.inhparent = to_regclass(%s), i.inhparent::regclass::text
            FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.oid = to_regclass(%s)
        """
        found = self._execute(query, [self._name(table.name), self._name(partition)]).fetchone()
        if found is None or found[0]:
            return found is not None
        other = f"a partition of {found[1]}" if found[1] else "a table of its own"
        message = (
            f"{self.shown}: {partition} is {other} and no partition of {table.name}. Drop or rename it, and load "
            "again; who renames a table with partitions has to rename these too"
        )
        raise SchemaError(message)

    def _replace_month(
        self, lake: Lake, table: LoadTable, month: str, steps: Sequence[LoadStep], old: str | None
    ) -> int:
        """Write a whole partition, and put it in the place of the old one."""
        parent, name = self._name(table.name), self._name(f"{table.name}_{month}")
        if old:
            self.replaced.append(parent)
            self.swaps.append(f"DROP TABLE {old}")
        if all(step.action == "remove" for step in steps):
            return 0
        new = self._name(f"{table.name}_{month}_new") if old else name
        if old:
            self._has_partition(table, f"{table.name}_{month}_new")
        year, number = map(int, month.split("_"))
        first, following = f"{year:04}-{number:02}-01", f"{year + number // 12:04}-{number % 12 + 1:02}-01"
        # The dates are texts, and no year of four digits follows the last one.
        bound, check = (f"'{following}'", f" AND dt < '{following}'") if month != "9999_12" else ("MAXVALUE", "")
        self._execute(f"CREATE TABLE {new} (LIKE {parent} INCLUDING COMMENTS)")
        written = self._copy(lake, table, steps, new)
        self._index(table, new)
        # With this the server does not read the rows again when the partition takes its place.
        self._execute(f"ALTER TABLE {new} ADD CONSTRAINT of_month CHECK (dt >= '{first}'{check})")
        self._execute(f"ANALYZE {new}")
        if old:
            self.swaps.append(f'ALTER TABLE {new} RENAME TO "{table.name}_{month}"')
        self.swaps += [
            f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ({bound})",
            f"ALTER TABLE {name} DROP CONSTRAINT of_month",
        ]
        return written

    def _copy(self, lake: Lake, table: LoadTable, steps: Sequence[LoadStep], name: str) -> int:
        """Copy the rows of parts into a table, and return how many the server took."""
        dates = [step.dt for step in steps if step.rows > 0]
        if not dates:
            return 0
        columns = ", ".join(_quoted(column.name) for column in table.columns)
        with self.connection.cursor() as cursor:
            if table.name == STATUS:
                rows = [[row[column.name] for column in table.columns] for row in lake.status()]
                with cursor.copy(f"COPY {name} ({columns}) FROM STDIN".encode()) as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                scan = lake.scan(table.name, dt=[dt for dt in dates if dt is not None] or None)
                with cursor.copy(f"COPY {name} ({columns}) FROM STDIN (FORMAT binary)".encode()) as copy:
                    for piece in scan.postgres_copy():
                        copy.write(piece)
            return cursor.rowcount

    def _name(self, table: str) -> str:
        return f'"{self.schema}"."{table}"'

    def _comment(self, thing: str, text: str) -> None:
        self._execute("COMMENT ON {} IS '{}'".format(thing, text.replace("'", "''")))

    def _execute(self, query: str, values: Sequence[Any] | None = None) -> psycopg.Cursor[Any]:
        return self.connection.execute(query.encode(), values)


def _month(step: LoadStep) -> str:
    """The month of a part with a date, as names of partitions have it."""
    return str(step.dt)[:7].replace("-", "_")


def _quoted(name: str) -> str:
    return f'"{name}"'


def _library() -> ModuleType:
    """Import psycopg, or say how to install it."""
    try:
        import_module("psycopg.conninfo")
        return import_module("psycopg")
    except ImportError as error:
        message = f"drugs_rs.postgres needs psycopg, which cannot be imported ({error}): pip install drugs-rs[postgres]"
        raise MissingLibraryError(message) from error


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
