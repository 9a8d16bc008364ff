"""Loads of a lake into DuckDB and PostgreSQL: the rows of the lake, what has changed alone, whole or not at all."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import duckdb
import psycopg
import pytest
import shell
from changing_lake import KEPT_STATES, Story
from loaded_lakes import Database, DuckDatabase, PostgresDatabase, held, wanted
from postgres_server import Postgres, postgres
from written_sources import write_drugs, write_pubmed

import drugs_rs
import drugs_rs.duckdb
import drugs_rs.postgres
from drugs_rs import exceptions
from drugs_rs.loading import LoadReceipt, load_tables

KILLS = int(os.environ.get("DRUGS_RS_KILLS", "4"))
SEED = int(os.environ.get("DRUGS_RS_KILL_SEED", "20200601"))
ENGINES = ("duckdb", "postgres")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A maker of empty databases."""

    def made(engine: str) -> Database:
        if engine == "duckdb":
            return DuckDatabase(tmp_path / "loaded.duckdb")
        server: Postgres = request.getfixturevalue("server")
        server.run("DROP SCHEMA IF EXISTS loaded CASCADE")
        return PostgresDatabase(server, "loaded")

    return made


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, make_database: Any) -> Database:
    found: Database = make_database(request.param)
    return found


def small_lake(folder: Path, *titles: str, dt: str = "2024-01-31") -> Path:
    """A lake of one day, or one day more of it."""
    lake = folder / "lake"
    drugs = write_drugs(folder / "drugs.csv", ("B01AA03", "WARFARIN"), ("N02BE01", "paracetamol"))
    rows = [(f"{dt}-{number}", title, "2020-05-01", "Annals") for number, title in enumerate(titles)]
    drugs_rs.run(drugs=drugs, pubmed=write_pubmed(folder / f"{dt}.csv", *rows), lake=lake, dt=dt)
    return lake


def actions(plan: Any) -> set[tuple[str, str | None, str]]:
    return {(step["table"], step["dt"], step["action"]) for step in plan.to_dict()["steps"]}


def test_a_database_holds_the_rows_of_the_lake(database: Database, story: dict[str, Path]) -> None:
    """In every state of a story of corrections, deletions, held and late days, one load after the other."""
    for name, lake in story.items():
        receipt = database.load(lake)
        assert held(database) == wanted(lake), name
        assert isinstance(receipt, LoadReceipt) or receipt.unchanged
        assert database.load(lake).unchanged, name


def test_a_load_of_nothing_new_changes_nothing(database: Database, sample_lake: Path) -> None:
    first = database.load(sample_lake)
    assert isinstance(first, LoadReceipt) and first.load == 1 and not first.unchanged
    again = database.load(sample_lake)
    assert again.unchanged and "nothing to load" in str(again)
    assert database.query("SELECT count(*) FROM loads") == [(1,)]


def test_a_plan_is_what_the_load_does(database: Database, tmp_path: Path) -> None:
    lake = small_lake(tmp_path, "Warfarin", "Paracetamol")
    plan = database.load(lake, plan=True)
    receipt = database.load(lake)
    assert isinstance(receipt, LoadReceipt)
    assert plan.to_dict() == {key: value for key, value in receipt.to_dict().items() if key != "load"}
    assert "would load state 1" in str(plan) and "1 part to load" in str(plan)
    assert str(receipt).startswith("loaded state 1") and "1 part loaded" in str(receipt)
    small_lake(tmp_path, "Warfarin again", dt="2024-02-01")
    plan = database.load(lake, plan=True)
    assert held(database) != wanted(lake)
    assert actions(plan) == {
        ("publications", "2024-02-01", "load"),
        ("publications_all", "2024-02-01", "load"),
        ("mentions", "2024-02-01", "load"),
        ("drugs_all", "2024-02-01", "load"),
        ("journals", None, "replace"),
        ("journal_drugs", None, "replace"),
        ("status", None, "replace"),
    }
    receipt = database.load(lake)
    assert actions(receipt) == actions(plan) and receipt.rows == plan.rows
    assert held(database) == wanted(lake)


def test_plan_and_receipt_name_the_lake_that_is_replaced(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two lakes loaded into one place by mistake: each load replaces the rows of the other, and says so."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = small_lake(tmp_path / "one", "Warfarin"), small_lake(tmp_path / "two", "Paracetamol")
    assert database.load(one).replaced_lake is None
    small_lake(tmp_path / "one", "Warfarin", dt="2024-02-01")
    monkeypatch.chdir(tmp_path)
    assert database.load(Path("one/lake")).replaced_lake is None, "the same lake by another path"
    for answer in (database.load(two, plan=True), database.load(two)):
        assert answer.replaced_lake == answer.to_dict()["replaced_lake"] == str(one)
        assert f"in place of another lake, {one}" in str(answer)
    assert held(database) == wanted(two)
    assert database.load(two).replaced_lake is None


def test_a_plan_makes_nothing(make_database: Any, sample_lake: Path) -> None:
    file = make_database("duckdb")
    assert file.load(sample_lake, plan=True).rows > 0
    assert not file.file.exists()
    schema = make_database("postgres")
    assert schema.load(sample_lake, plan=True).rows > 0
    assert schema.query("SELECT 1 FROM pg_namespace WHERE nspname = 'loaded'") == []


def test_days_of_a_month_are_replaced_alone_or_together(database: Database, tmp_path: Path) -> None:
    """A day of a month, all days of a month, a day that is dropped, a month that is dropped."""
    for dt in ("2024-01-30", "2024-01-31", "2024-02-01", "2023-12-31"):
        lake = small_lake(tmp_path, "Warfarin", "Nothing", dt=dt)
    database.load(lake)
    small_lake(tmp_path, "Paracetamol", "Nothing", dt="2024-01-31")
    assert {step[1] for step in actions(database.load(lake)) if step[0] == "mentions"} == {"2024-01-31"}
    assert held(database) == wanted(lake)
    small_lake(tmp_path, "Paracetamol", "Warfarin", dt="2024-01-31")
    small_lake(tmp_path, "Paracetamol", "Warfarin", dt="2024-01-30")
    database.load(lake)
    assert held(database) == wanted(lake)
    drugs_rs.Lake(lake).drop(before="2024-01-31")
    removed = {(table, dt) for table, dt, action in actions(database.load(lake)) if action == "remove"}
    assert {("mentions", "2023-12-31"), ("mentions", "2024-01-30")} <= removed
    assert held(database) == wanted(lake)


def test_an_earlier_state_can_be_loaded_and_the_newest_again(database: Database, tmp_path: Path) -> None:
    lake = small_lake(tmp_path, "Warfarin")
    small_lake(tmp_path, "Warfarin and paracetamol", dt="2024-02-01")
    small_lake(tmp_path, "Paracetamol", dt="2024-01-31")
    database.load(lake)
    for state in (1, 2, "2024-01-31", 3):
        then = drugs_rs.Lake(lake).at(state)
        database.load(then)
        assert held(database)["mentions"] == wanted(then)["mentions"], state
    assert database.load(lake).to_dict()["state"] == 3


def test_random_histories_load_like_new_ones(make_database: Any, tmp_path: Path) -> None:
    """Deliveries, corrections, deletions, drops, vacuums, in any order; some loads are left out."""
    for engine in ENGINES:
        chance = random.Random(SEED)
        folder = tmp_path / engine
        lake = folder / "lake"
        settings = {"keep": f"{KEPT_STATES} states"}
        history = Story(folder, chance, rows=60, settings=settings)
        database = make_database(engine)
        change = history.deliver(history.date())
        for number in range(12):
            change.apply(lake)
            if chance.random() < 0.7:
                database.load(lake)
                assert held(database) == wanted(lake), (engine, number, change)
            change = history.next(drugs_rs.Lake(lake))
        database.load(lake)
        assert held(database) == wanted(lake), engine


@pytest.mark.parametrize("table", ["mentions", "journals"])
def test_only_the_named_tables_are_loaded(database: Database, sample_lake: Path, table: str) -> None:
    receipt = database.load(sample_lake, tables=[table])
    assert {step[0] for step in actions(receipt)} == {table}
    assert len(database.query(f"SELECT * FROM {table}")) == receipt.rows > 0
    database.load(sample_lake)
    assert held(database) == wanted(sample_lake)


def test_every_table_and_column_has_its_comment(make_database: Any, sample_lake: Path) -> None:
    queries = {
        "duckdb": "SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
        " AND table_name NOT IN ('loads', 'loaded_parts')",
        "postgres": "SELECT count(*) FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid"
        " WHERE relnamespace = 'loaded'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0"
        " AND relname NOT LIKE 'load%' AND col_description(attrelid, attnum) IS NULL",
    }
    for engine, query in queries.items():
        database = make_database(engine)
        database.load(sample_lake)
        assert database.query(query) == [(0,)], engine
    (about,) = make_database("duckdb").query("SELECT comment FROM duckdb_tables() WHERE table_name = 'mentions'")[0]
    assert about == next(table.description for table in load_tables(["mentions"]))


def test_postgres_has_keys_indexes_and_months(make_database: Any, tmp_path: Path) -> None:
    lake = small_lake(tmp_path, "Warfarin")
    small_lake(tmp_path, "Warfarin", dt="2024-12-31")
    database = make_database("postgres")
    database.load(lake)
    parts = database.query(
        "SELECT inhrelid::regclass::text, pg_get_expr(relpartbound, inhrelid) FROM pg_inherits"
        " JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'mentions'::regclass ORDER BY 1"
    )
    assert parts == [
        ("mentions_2024_01", "FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')"),
        ("mentions_2024_12", "FOR VALUES FROM ('2024-12-01') TO ('2025-01-01')"),
    ]
    for table in load_tables():
        keys = database.query(
            "SELECT array_agg(attname::text ORDER BY place) FROM pg_constraint"
            " CROSS JOIN unnest(conkey) WITH ORDINALITY AS key(number, place)"
            " JOIN pg_attribute ON attnum = number AND attrelid = conrelid"
            f" WHERE contype = 'p' AND conrelid = '{table.name}'::regclass"
        )
        dt = ["dt"] if table.key and table.is_dated and "dt" not in table.key else []
        assert keys == [([*table.key, *dt] or None,)], table.name
    indexed = database.query("SELECT indexdef FROM pg_indexes WHERE tablename = 'mentions_2024_01'")
    assert {text.split(" btree ")[1] for (text,) in indexed} >= {"(atccode)", "(substance)", "(journal)"}
    assert database.query("SELECT conname FROM pg_constraint WHERE conname = 'of_month'") == []
    plan = database.query("EXPLAIN SELECT * FROM mentions WHERE dt BETWEEN '2024-12-01' AND '2024-12-31'")
    assert "mentions_2024_12" in str(plan) and "mentions_2024_01" not in str(plan)


def test_letters_that_postgres_cannot_hold_are_replaced(make_database: Any, tmp_path: Path) -> None:
    """A rejected row is kept as it came, NUL and all."""
    lake = tmp_path / "lake"
    source = tmp_path / "articles.csv"
    source.write_bytes(b"id,title,date,journal\n1,Warfarin,2020,Annals\n2, ,\x00 2020,Annals\n")
    drugs_rs.run(
        drugs=write_drugs(tmp_path / "drugs.csv", ("B", "warfarin")), pubmed=source, lake=lake, dt="2024-01-31"
    )
    (raw,) = drugs_rs.Lake(lake).scan("rejected").read()["raw"]
    assert "\0" in raw
    database = make_database("postgres")
    database.load(lake)
    assert database.query("SELECT raw FROM rejected") == [(raw.replace("\0", "\ufffd"),)]


def test_an_altered_table_is_refused_and_named(database: Database, sample_lake: Path) -> None:
    database.load(sample_lake)
    before = held(database)
    database.query("ALTER TABLE journals ADD COLUMN extra integer")
    database.query("ALTER TABLE journals DROP COLUMN codes")
    with pytest.raises(exceptions.SchemaError) as caught:
        database.load(sample_lake)
    message = str(caught.value)
    for words in (
        "table journals was altered",
        "column `codes` is missing",
        "column `extra` is none of this table",
        "Drop or",
    ):
        assert words in message
    database.query("DROP TABLE journals")
    repaired = database.load(sample_lake)
    assert actions(repaired) == {("journals", None, "load")}
    assert held(database) == before


def test_unknown_tables_and_addresses_are_refused(sample_lake: Path, tmp_path: Path) -> None:
    database = DuckDatabase(tmp_path / "a.duckdb")
    with pytest.raises(exceptions.ArgumentError, match="tables: found `mention`, expected names among .*mentions"):
        database.load(sample_lake, tables=["mention"])
    with pytest.raises(exceptions.ArgumentError, match="list of names"):
        database.load(sample_lake, tables="mentions")
    assert not database.file.exists()
    finished = shell.drugs_rs("load", sample_lake, "mysql://x/y")
    assert finished.returncode == 2
    assert b"begins with 'mysql', expected duckdb:FILE, postgresql://HOST/DATABASE or bigquery://" in finished.stderr
    with pytest.raises(exceptions.ArgumentError, match="schema: found 'a b'"):
        drugs_rs.postgres.load(sample_lake, "postgresql://h/d", schema="a b")


def test_there_is_nothing_to_load_before_gold(tmp_path: Path) -> None:
    drugs_rs.bronze(
        pubmed=write_pubmed(tmp_path / "a.csv", ("1", "Warfarin", "2020", "A")), lake=tmp_path / "lake", dt="2024-01-31"
    )
    with pytest.raises(exceptions.SourceNotFoundError, match="gold has not run"):
        drugs_rs.duckdb.load(tmp_path / "lake", tmp_path / "a.duckdb")


def test_the_command_loads_plans_and_says_so(database: Database, sample_lake: Path) -> None:
    planned = shell.drugs_rs("load", sample_lake, database.target, "--plan", "--json")
    assert planned.returncode == 0, planned.stderr
    loaded = shell.drugs_rs("load", sample_lake, database.target, "--json")
    assert loaded.returncode == 0, loaded.stderr
    receipt = json.loads(loaded.stdout)
    assert receipt.pop("load") == 1 and receipt == json.loads(planned.stdout)
    assert held(database) == wanted(sample_lake)
    assert b"nothing to load" in shell.drugs_rs("load", sample_lake, database.target).stdout
    assert shell.drugs_rs("load", sample_lake, database.target, "--quiet").stdout == b""


def killed_load(lake: Path, database: Database, seconds: float) -> bool:
    """Begin a load in another process and kill it; returns whether it was killed before it was done."""
    program = [sys.executable, "-m", "drugs_rs", "load", str(lake), database.target, "--quiet"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(seconds)
        process.kill()
        _, told = process.communicate()
        assert process.returncode in (-9, 0), told
        return process.returncode == -9


@pytest.mark.core
def test_a_killed_load_leaves_the_old_rows_or_the_new(make_database: Any, tmp_path: Path) -> None:
    """SIGKILL at any moment, then a load that repairs it: no row lost, doubled or mixed."""
    for engine in ENGINES:
        chance = random.Random(SEED)
        folder = tmp_path / engine
        lake = folder / "lake"
        history = Story(folder, chance, rows=2000, settings={"keep": f"{KEPT_STATES} states"})
        database = make_database(engine)
        history.deliver(history.date()).apply(lake)
        database.load(lake)
        before = held(database)
        seconds, kills = 1.0, 0
        rounds = 0
        # A busy machine kills some too late.
        while kills < KILLS and rounds < 10 * KILLS:
            rounds += 1
            history.next(drugs_rs.Lake(lake)).apply(lake)
            after = wanted(lake)
            started = time.monotonic()
            if not killed_load(lake, database, chance.uniform(0.1, seconds)):
                seconds = max(0.2, min(seconds, time.monotonic() - started))
            else:
                kills += 1
            now = held(database)
            assert now in (before, after), engine
            database.load(lake)
            assert held(database) == after, engine
            before = after
        assert kills == KILLS, engine


@pytest.mark.core
def test_two_loads_at_once_are_harmless(make_database: Any, tmp_path: Path) -> None:
    """In PostgreSQL the second waits; the file of DuckDB has one writer, and the other is told."""
    lake = small_lake(tmp_path, *(f"Warfarin {number}" for number in range(500)))
    for engine in ENGINES:
        database = make_database(engine)
        results: list[Any] = []

        def load(database: Database = database, results: list[Any] = results) -> None:
            results.append(shell.drugs_rs("load", lake, database.target, "--json"))

        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results:
            assert result.returncode == 0 or b"another process has the file open" in result.stderr, result.stderr
        assert any(result.returncode == 0 for result in results)
        if engine == "postgres":
            assert sorted(json.loads(result.stdout)["unchanged"] for result in results) == [False, True, True]
        assert held(database) == wanted(lake), engine


@pytest.mark.core
def test_readers_of_postgres_see_one_state(make_database: Any, tmp_path: Path) -> None:
    """A reader beside loads sees publications and mentions of the same state, never none."""
    database: PostgresDatabase = make_database("postgres")
    lake = small_lake(tmp_path, "Warfarin", "Warfarin")
    database.load(lake)
    seen, done = [], threading.Event()

    def read() -> None:
        with psycopg.connect(database.dsn, autocommit=True) as connection:
            while not done.is_set():
                row = connection.execute(
                    b"SELECT (SELECT count(*) FROM loaded.publications), (SELECT count(*) FROM loaded.mentions)"
                ).fetchone()
                seen.append(row)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(2, 6):
        small_lake(tmp_path, *["Warfarin"] * (number + 1))
        database.load(lake)
    done.set()
    reader.join()
    assert set(seen) <= {(count, count) for count in range(2, 7)} and len(seen) > 5


def test_a_server_that_is_down_or_refuses_is_named_without_the_password(sample_lake: Path, server: Postgres) -> None:
    secret = "Pass%40word-17"
    down = f"postgresql://someone:{secret}@127.0.0.1:1/nowhere"
    with pytest.raises(exceptions.StorageError, match="cannot connect") as caught:
        drugs_rs.postgres.load(sample_lake, down)
    finished = shell.drugs_rs("load", sample_lake, down, "--json")
    assert finished.returncode == 1
    for text in (str(caught.value), finished.stderr.decode(), repr(caught.value.__cause__)):
        assert "Pass" not in text and "word-17" not in text
    assert "someone@127.0.0.1:1/nowhere" in str(caught.value)
    with pytest.raises(exceptions.ArgumentError) as wrong:
        drugs_rs.postgres.load(sample_lake, f"postgresql://u:{secret}@h/d?sslmode=no&nonsense=1")
    assert "Pass" not in str(wrong.value)
    with pytest.raises(exceptions.StorageError, match='database "nowhere" does not exist'):
        drugs_rs.postgres.load(sample_lake, f"postgresql://drugs@/nowhere?host={server.folder}")


def test_the_missing_grants_are_named_and_suffice(sample_lake: Path, server: Postgres) -> None:
    """The message has exactly the statements that are missing: with them the load works."""
    drops = "DROP SCHEMA IF EXISTS loaded CASCADE"
    server.run(drops, "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    dsn = f"postgresql://reader@/postgres?host={server.folder}"

    def missing() -> str:
        with pytest.raises(exceptions.StorageError, match="permission denied|must be owner") as refused:
            drugs_rs.postgres.load(sample_lake, dsn, schema="loaded")
        return str(refused.value).split("An owner or a superuser has to run: ")[1]

    assert missing() == "GRANT CREATE ON DATABASE postgres TO reader"
    server.run(missing())
    assert drugs_rs.postgres.load(sample_lake, dsn, schema="loaded").rows > 0
    server.run(drops, "REVOKE CREATE ON DATABASE postgres FROM reader", "CREATE SCHEMA loaded")
    assert missing() == "GRANT CREATE ON SCHEMA loaded TO reader; GRANT USAGE ON SCHEMA loaded TO reader"
    server.run("GRANT USAGE ON SCHEMA loaded TO reader")
    assert missing() == "GRANT CREATE ON SCHEMA loaded TO reader"
    server.run(missing())
    drugs_rs.postgres.load(sample_lake, dsn, schema="loaded", tables=["journals"])
    server.run("ALTER TABLE loaded.journals OWNER TO drugs", "TRUNCATE loaded.loaded_parts")
    server.run("TRUNCATE loaded.journals")
    assert missing() == "ALTER TABLE loaded.journals OWNER TO reader"
    server.run(missing())
    assert drugs_rs.postgres.load(sample_lake, dsn, schema="loaded").rows > 0


@pytest.mark.parametrize("schema", ["information_schema", "pg_catalog", "pg_temp"])
def test_schemas_of_the_server_are_refused(sample_lake: Path, schema: str) -> None:
    with pytest.raises(exceptions.ArgumentError, match="PostgreSQL's own"):
        drugs_rs.postgres.load(sample_lake, "postgresql://nowhere/", schema=schema)


def test_a_file_that_is_no_database_is_refused(sample_lake: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.duckdb"
    file.write_text("no database, but more than a few words of text " * 200)
    with pytest.raises(exceptions.StorageError, match="a.duckdb"):
        drugs_rs.duckdb.load(sample_lake, file)
    assert file.read_text().startswith("no database")
    with pytest.raises(exceptions.StorageError, match="cannot be opened"):
        drugs_rs.duckdb.load(sample_lake, tmp_path / "no folder" / "a.duckdb")
    with pytest.raises(exceptions.ArgumentError, match="path of a file"):
        drugs_rs.duckdb.load(sample_lake, ":memory:")


def test_a_lake_in_a_bucket_loads_too(gs: Any, prefix: str, sample_lake: Path, samples: Path, tmp_path: Path) -> None:
    lake = gs.uri(prefix)
    drugs_rs.run(
        drugs=samples / "drugs.csv",
        pubmed=[samples / "pubmed.csv", samples / "pubmed.json"],
        clinical_trials=samples / "clinical_trials.csv",
        lake=lake,
        dt="2024-03-01",
    )
    database = DuckDatabase(tmp_path / "a.duckdb")
    database.load(lake)
    assert held(database) == wanted(lake)
    assert held(database)["mentions"] == wanted(sample_lake)["mentions"]


def test_the_function_of_duckdb_finds_what_the_matcher_finds() -> None:
    matcher = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"], "B01AA03": ["warfarin"]})
    texts = ["Warfarin & diphenhydramine", "", None, "émigré: wárfarin 💊 warfarin", "nothing"] * 1000
    connection = duckdb.connect()
    drugs_rs.duckdb.register(connection, matcher)
    connection.execute("CREATE TABLE t AS SELECT unnest(?::VARCHAR[]) AS text", [texts])
    found = connection.execute("SELECT drugs_find(text) FROM t").fetchall()
    fields = ("atccode", "drug", "start", "end", "surface", "rule")
    for text, (mentions,) in zip(texts, found):
        if text is None:
            assert mentions is None
        else:
            expected = [{name: getattr(mention, name) for name in fields} for mention in matcher.find(text)]
            assert mentions == expected
    drugs_rs.duckdb.register(connection, drugs_rs.Matcher.from_names({"X": ["nothing"]}))
    assert connection.execute("SELECT sum(len(drugs_find(text))) FROM t").fetchall() == [(1000,)]
    with pytest.raises(exceptions.ArgumentError, match="name: found"):
        drugs_rs.duckdb.register(connection, matcher, "drugs find")
