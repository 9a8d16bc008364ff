"""Loads beside hands, settings and addresses that would lose rows, double them, or show a password."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from contextlib import closing
from pathlib import Path
from typing import Any, Iterator

import duckdb
import psycopg
import pytest
from loaded_lakes import DuckDatabase, PostgresDatabase, held, wanted
from postgres_server import Postgres, postgres
from written_sources import write_drugs, write_pubmed

import drugs_rs
import drugs_rs.duckdb
import drugs_rs.postgres
from drugs_rs import exceptions, targets

SECRET = "Se-cret17"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def schema(server: Postgres) -> PostgresDatabase:
    server.run("DROP SCHEMA IF EXISTS loaded CASCADE")
    return PostgresDatabase(server, "loaded")


@pytest.fixture
def file(tmp_path: Path) -> DuckDatabase:
    return DuckDatabase(tmp_path / "loaded.duckdb")


def lake_of(folder: Path, *titles: str, dt: str = "2024-01-31", **options: Any) -> Path:
    """A lake of one day, or one day more of it."""
    lake = folder / "lake"
    drugs = write_drugs(folder / "drugs.csv", ("B01AA03", "WARFARIN"), ("N02BE01", "paracetamol"))
    rows = [(f"{dt}-{number}", title, "2020-05-01", "Annals") for number, title in enumerate(titles)]
    drugs_rs.run(drugs=drugs, pubmed=write_pubmed(folder / f"{dt}.csv", *rows), lake=lake, dt=dt, **options)
    return lake


def test_letters_are_those_of_the_lake_in_every_client_encoding(
    schema: PostgresDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = lake_of(tmp_path, "Warfarin für Émile 💊", "Wárfarin")
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    schema.load(lake)
    monkeypatch.delenv("PGCLIENTENCODING")
    assert held(schema) == wanted(lake)


def test_limits_of_a_role_do_not_end_a_load(schema: PostgresDatabase, server: Postgres, tmp_path: Path) -> None:
    """A load that waits for another one waits longer than the role may."""
    lake = lake_of(tmp_path, "Warfarin")
    server.run("ALTER ROLE drugs SET statement_timeout = '200ms'", "ALTER ROLE drugs SET lock_timeout = '100ms'")
    try:
        with psycopg.connect(schema.dsn) as blocker:
            blocker.execute(b"SELECT pg_advisory_xact_lock(hashtextextended('drugs_rs load loaded', 0))")
            let_go = threading.Timer(0.6, blocker.rollback)
            let_go.start()
            schema.load(lake)
            assert let_go.finished.is_set()
            let_go.join()
    finally:
        server.run("SET statement_timeout = 0", "ALTER ROLE drugs RESET ALL")
    assert held(schema) == wanted(lake)


def test_a_load_that_waited_sees_the_load_before_it(schema: PostgresDatabase, server: Postgres, tmp_path: Path) -> None:
    """Also where transactions are REPEATABLE READ by default, and so have their snapshot from before they waited."""
    lake = lake_of(tmp_path, "Warfarin")
    schema.load(lake)
    lake_of(tmp_path, *["Warfarin"] * 50, dt="2024-02-01")
    server.run("ALTER ROLE drugs SET default_transaction_isolation = 'repeatable read'")
    results: list[Any] = []

    def load() -> None:
        try:
            results.append(schema.load(lake).unchanged)
        except exceptions.DrugsError as error:
            results.append(error)

    try:
        with psycopg.connect(schema.dsn) as blocker:
            blocker.execute(b"SELECT pg_advisory_xact_lock(hashtextextended('drugs_rs load loaded', 0))")
            threads = [threading.Thread(target=load) for _ in range(2)]
            for thread in threads:
                thread.start()
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while server.run(waiting).strip() != "2":
                assert not results
        for thread in threads:
            thread.join()
    finally:
        server.run("ALTER ROLE drugs RESET ALL")
    assert sorted(results, key=str) == [False, True]
    assert held(schema) == wanted(lake)


@pytest.mark.parametrize("dt", ["0001-01-01", "1969-12-31", "9999-11-30", "9999-12-31"])
def test_the_first_and_last_months_have_partitions(schema: PostgresDatabase, tmp_path: Path, dt: str) -> None:
    lake = lake_of(tmp_path, "Warfarin", dt=dt)
    schema.load(lake)
    assert held(schema) == wanted(lake)


def test_a_month_that_was_dropped_is_loaded_again(schema: PostgresDatabase, tmp_path: Path) -> None:
    lake = lake_of(tmp_path, "Warfarin", dt="2024-01-30")
    lake_of(tmp_path, "Warfarin", "Paracetamol")
    schema.load(lake)
    schema.query("DROP TABLE mentions_2024_01")
    assert {step.table for step in schema.load(lake).steps} == {"mentions"}
    assert held(schema) == wanted(lake)


def test_a_month_that_was_detached_is_not_written_to(schema: PostgresDatabase, tmp_path: Path) -> None:
    lake = lake_of(tmp_path, "Warfarin", dt="2024-01-30")
    lake_of(tmp_path, "Warfarin")
    schema.load(lake)
    schema.query("ALTER TABLE mentions DETACH PARTITION mentions_2024_01")
    lake_of(tmp_path, "Warfarin", "Paracetamol")
    with pytest.raises(exceptions.SchemaError, match="mentions_2024_01 is no partition of mentions any more"):
        schema.load(lake)
    schema.query("ALTER TABLE mentions_2024_01 RENAME TO old")
    schema.load(lake)
    assert held(schema) == wanted(lake)


@pytest.mark.parametrize("table", ["mentions", "publications_all"])
def test_a_table_that_was_renamed_keeps_its_months(schema: PostgresDatabase, tmp_path: Path, table: str) -> None:
    """Its months have the names that the new table's need; rows went to the old one, or loads failed for ever."""
    lake = lake_of(tmp_path, "Warfarin")
    schema.load(lake)
    schema.query(f"ALTER TABLE {table} RENAME TO old")
    with pytest.raises(
        exceptions.SchemaError, match=f"{table}_2024_01 is a partition of loaded.old and no partition of {table}"
    ):
        schema.load(lake)
    assert len(schema.query("SELECT * FROM old")) == 1
    schema.query(f"ALTER TABLE {table}_2024_01 RENAME TO old_2024_01")
    schema.load(lake)
    assert held(schema) == wanted(lake)


@pytest.mark.parametrize("name", ["mentions_2024_01", "mentions_2024_01_new"])
def test_a_strangers_table_with_the_name_of_a_month_is_named(
    schema: PostgresDatabase, tmp_path: Path, name: str
) -> None:
    lake = lake_of(tmp_path, "Warfarin")
    if name.endswith("new"):
        schema.load(lake)
        lake_of(tmp_path, "Warfarin and warfarin")
    else:
        schema.query("CREATE SCHEMA loaded")
    schema.query(f"CREATE TABLE loaded.{name} (a integer)")
    with pytest.raises(exceptions.SchemaError, match=f"{name} is a table of its own and no partition of mentions"):
        schema.load(lake)
    schema.query(f"DROP TABLE loaded.{name}")
    schema.load(lake)
    assert held(schema) == wanted(lake)


def test_what_is_meant_is_said(sample_lake: Path, tmp_path: Path) -> None:
    with pytest.raises(exceptions.ArgumentError, match="did you mean duckdb:drugs.duckdb?"):
        targets.load(sample_lake, "drugs.duckdb")
    with pytest.raises(exceptions.ArgumentError, match="tables: found an empty list"):
        drugs_rs.duckdb.load(sample_lake, tmp_path / "a.duckdb", tables=[])


@pytest.mark.parametrize("table", ["mentions", "journals"])
def test_another_thing_in_the_place_of_a_table_is_refused(schema: PostgresDatabase, tmp_path: Path, table: str) -> None:
    lake = lake_of(tmp_path, "Warfarin")
    schema.load(lake)
    schema.query(f"CREATE TABLE copied AS SELECT * FROM {table}")
    schema.query(f"DROP TABLE {table}")
    schema.query(f"CREATE VIEW {table} AS SELECT * FROM copied")
    with pytest.raises(exceptions.SchemaError, match=f"the table {table} is not .*Drop or rename it"):
        schema.load(lake)


def test_rows_that_no_load_brought_are_not_doubled(
    file: DuckDatabase, schema: PostgresDatabase, tmp_path: Path
) -> None:
    lake = lake_of(tmp_path, "Warfarin")
    for database in (file, schema):
        database.load(lake)
        database.query("DROP TABLE loaded_parts")
        with pytest.raises(exceptions.SchemaError, match="atc_classes has rows that no load brought"):
            database.load(lake)
        assert held(database) == wanted(lake)
    mentions = drugs_rs.Lake(lake).scan("mentions")
    other = tmp_path / "other.duckdb"
    with closing(duckdb.connect(str(other))) as connection:
        connection.register("found", mentions)
        connection.execute("CREATE TABLE Mentions AS SELECT * FROM found")
    with pytest.raises(exceptions.SchemaError, match="the table mentions has rows that no load brought"):
        drugs_rs.duckdb.load(lake, other)


@pytest.mark.parametrize(
    "address",
    [
        f"host=127.0.0.1 port=1 password={SECRET}:x dbname=d",
        f"postgresql://u:pass@{SECRET}@127.0.0.1:1/d",
        f"postgresql://u:pass/{SECRET}@127.0.0.1:1/d",
        f"postgresql://u:pass?schema={SECRET}@127.0.0.1:1/d",
        f"postgresql://u:pass&schema={SECRET}@127.0.0.1:1/d",
        f"postgresql://u:{SECRET}@127.0.0.1:1/d?connect_timeout=soon",
        f"duckdb:postgresql://u:{SECRET}@h/d",
    ],
)
def test_no_form_of_an_address_shows_its_password(tmp_path: Path, address: str) -> None:
    lake = lake_of(tmp_path, "Warfarin")
    with pytest.raises(exceptions.DrugsError) as caught:
        targets.load(lake, address)
    assert isinstance(caught.value, (exceptions.ArgumentError, exceptions.StorageError))
    for error in (caught.value, caught.value.__cause__, caught.value.__context__):
        assert SECRET not in "".join(traceback.format_exception_only(type(error), error))


def test_a_keyword_password_may_have_every_letter(
    sample_lake: Path, server: Postgres, schema: PostgresDatabase
) -> None:
    dsn = f"host={server.folder} user=drugs dbname=postgres password='a ?schema=b&c@d/e'"
    assert drugs_rs.postgres.load(sample_lake, dsn, schema="loaded").rows > 0
    assert held(schema) == wanted(sample_lake)


def test_a_signal_during_a_load_into_duckdb_is_no_error(
    file: DuckDatabase, sample_lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB says only that its query was interrupted; the exception of the handler comes through."""

    class Stopped(BaseException):
        pass

    def stop(_number: int, _frame: Any) -> None:
        raise Stopped

    def slow(self: Any, *_arguments: Any) -> Any:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        self.connection.execute("SELECT count(*) FROM range(4000000000) AS r(i) WHERE hash(i) % 7 = 9")

    monkeypatch.setattr("drugs_rs.duckdb._DuckTransaction.write_parts", slow)
    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(Stopped):
            file.load(sample_lake)
        assert signal.getsignal(signal.SIGTERM) is stop
    finally:
        signal.signal(signal.SIGTERM, before)
    monkeypatch.undo()
    file.load(sample_lake)
    assert held(file) == wanted(sample_lake)


def test_a_state_that_is_given_up_during_a_load_is_a_conflict(
    file: DuckDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retry loads the newest one; a state that the caller chose is just not there any more."""
    lake = lake_of(tmp_path, "Warfarin", keep="0 states")
    transaction = drugs_rs.duckdb._DuckTransaction  # noqa: SLF001  # the moment between plan and rows
    held_parts = transaction.held_parts

    def later(self: Any, tables: Any) -> Any:
        lake_of(tmp_path, *["Paracetamol"] * (drugs_rs.Lake(lake).states()["state"][-1] + 1), keep="0 states")
        return held_parts(self, tables)

    monkeypatch.setattr(transaction, "held_parts", later)
    with pytest.raises(exceptions.ConflictError, match="given up state 1 while it was loaded.*Load again"):
        file.load(lake)
    chosen = drugs_rs.Lake(lake).at(2)
    with pytest.raises(exceptions.SourceNotFoundError, match="state 2"):
        file.load(chosen)
    monkeypatch.undo()
    file.load(lake)
    assert held(file) == wanted(lake)


def test_a_folder_that_is_not_there_is_no_lock(sample_lake: Path, tmp_path: Path) -> None:
    with pytest.raises(exceptions.StorageError, match="cannot be opened"):
        drugs_rs.duckdb.load(sample_lake, tmp_path / "no blocks" / "a.duckdb")


def test_a_home_folder_and_bytes_are_paths(sample_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path: Any = b"~/a.duckdb"
    drugs_rs.duckdb.load(sample_lake, path)
    assert (tmp_path / "a.duckdb").exists()
    assert drugs_rs.duckdb.load(sample_lake, "~/a.duckdb", plan=True).unchanged


def test_a_function_is_replaced_in_every_spelling_or_refused() -> None:
    matcher = drugs_rs.Matcher.from_names({"B01AA03": ["warfarin"]})
    connection = duckdb.connect()
    for name in ("Find_It", "Find_It", "FIND_IT"):
        drugs_rs.duckdb.register(connection, matcher, name)
    assert connection.execute("SELECT len(find_it('Warfarin'))").fetchall() == [(1,)]
    for other, name in ((connection, "lower"), (connection.cursor(), "find_it")):
        with pytest.raises(exceptions.ArgumentError, match="which cannot be replaced"):
            drugs_rs.duckdb.register(other, matcher, name)
