"""Databases and functions of SQL beside what people do without this project, in one run.

    make bench-engines                                           everything
    make bench-engines ENGINES_BENCH="--mentions 10000000"   as many mentions as a large lake has; 15 GB of disk
    make bench-engines ENGINES_BENCH="--mentions 0"          the function of DuckDB alone

PostgreSQL: a load of the mentions over `psql`'s COPY of the same rows as CSV, into a table with the same columns whose
key and indexes are made afterwards, and into one without any; then a load of nothing new, and of one day in a hundred.
DuckDB: `drugs_find` over `Matcher.find_column`, one thread, the same column. Ratios are medians of paired runs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Callable

import duckdb
import pyarrow

import drugs_rs
import drugs_rs.duckdb
import drugs_rs.postgres

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "python"))
from postgres_server import Postgres, postgres  # noqa: E402  # shared with the tests

FIRST = date(2024, 1, 1)
DAYS = 100
# Of the made-up titles this share has a drug, so that many mentions need as many rows.
ROWS_FOR_A_MENTION = 1.3


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def lake_of(folder: Path, mentions: int) -> Path:
    """A lake of a hundred days."""
    rows = int(mentions * ROWS_FOR_A_MENTION)
    lake = folder / "lake"
    for number in range(1, DAYS + 1):
        world = folder / "world"
        drugs_rs.generate(
            world, articles=rows * 7 // 10, trials=rows * 3 // 10, journals=5000, delivery=number, of=DAYS
        )
        day = str(FIRST + timedelta(number))
        sources = {name: world / name for name in ("drugs", "pubmed", "clinical_trials")}
        drugs_rs.bronze(lake=lake, dt=day, **sources)
        drugs_rs.silver(lake=lake, dt=day)
        shutil.rmtree(str(world))
        shutil.rmtree(str(lake / "bronze"))
        if number >= DAYS - 1:
            drugs_rs.gold(lake=lake, dt=day, graph="none")
    return lake


def load(lake: Any, server: Postgres) -> float:
    dsn = f"postgresql://drugs@/postgres?host={server.folder}"
    return seconds(lambda: drugs_rs.postgres.load(lake, dsn, tables=["mentions"]))


def copy_by_psql(server: Postgres, csv: Path, indexed: bool) -> float:
    """The same rows as CSV by `psql`, and then the key and the indexes that a load makes."""
    ddl = drugs_rs.describe_tables("postgres", "mentions").split(";")[0].replace("PRIMARY KEY", "UNIQUE")
    columns = ddl.split(",\n  UNIQUE")[0]
    key = ddl.split("UNIQUE ")[1].rsplit(")", 1)[0].replace(")", ', "dt")')
    server.run("DROP TABLE IF EXISTS mentions", f"{columns})")
    start = time.perf_counter()
    server.run(f"\\copy mentions FROM '{csv}' (FORMAT csv, HEADER)")
    if indexed:
        server.run(f"ALTER TABLE mentions ADD PRIMARY KEY {key}")
        for column in ("atccode", "substance", "journal"):
            server.run(f"CREATE INDEX ON mentions ({column})")
        server.run("ANALYZE mentions")
    return time.perf_counter() - start


def databases(folder: Path, mentions: int, repeat: int) -> dict[str, float]:
    lake = drugs_rs.Lake(lake_of(folder, mentions))
    csv = folder / "mentions.csv"
    lake.duckdb().execute(f"COPY (SELECT * FROM mentions) TO '{csv}' (FORMAT csv, HEADER)")
    found: dict[str, float] = {"mentions": lake.scan("mentions", ["dt"]).read().num_rows}
    with postgres() as server:
        csv.chmod(0o644)
        full, indexed, bare, day, nothing = [], [], [], [], []
        for _ in range(repeat):
            server.run("DROP SCHEMA IF EXISTS drugs CASCADE")
            load(lake.at(1), server)
            day.append(load(lake, server))
            nothing.append(load(lake, server))
            server.run("DROP SCHEMA IF EXISTS drugs CASCADE")
            full.append(load(lake, server))
            indexed.append(copy_by_psql(server, csv, indexed=True))
            bare.append(copy_by_psql(server, csv, indexed=False))
        found["PostgreSQL: load, seconds"] = statistics.median(full)
        found["PostgreSQL: psql's COPY, key and indexes, seconds"] = statistics.median(indexed)
        found["load over COPY, key and indexes"] = statistics.median(a / b for a, b in zip(full, indexed))
        found["load over COPY alone"] = statistics.median(a / b for a, b in zip(full, bare))
        found["load of nothing new, seconds"] = statistics.median(nothing)
        found["load of one day in a hundred over a full load"] = statistics.median(a / b for a, b in zip(day, full))
    file = folder / "loaded.duckdb"
    drugs_rs.duckdb.load(lake.at(1), file)
    found["DuckDB: load of one day in a hundred, seconds"] = seconds(lambda: drugs_rs.duckdb.load(lake, file))
    found["DuckDB: load of nothing new, seconds"] = seconds(lambda: drugs_rs.duckdb.load(lake, file))
    file.unlink()
    found["DuckDB: full load, seconds"] = seconds(lambda: drugs_rs.duckdb.load(lake, file))
    return found


def function(folder: Path, repeat: int) -> dict[str, float]:
    """`drugs_find` in SQL over the core alone, on one thread."""
    world = folder / "titles"
    drugs_rs.generate(world, articles=300_000, trials=0, drugs=5000)
    titles = pyarrow.table(drugs_rs.read_publications(world / "pubmed", kind="pubmed"))["title"]
    matcher = drugs_rs.Matcher.from_vocabulary(world / "drugs")
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.register("given", pyarrow.table({"title": titles}))
    connection.execute("CREATE TABLE titles AS SELECT title FROM given")
    drugs_rs.duckdb.register(connection, matcher)
    core, sql = [], []
    for _ in range(max(3, repeat)):
        core.append(seconds(lambda: [matcher.find_column(chunk) for chunk in titles.chunks]))
        sql.append(seconds(lambda: connection.execute("SELECT sum(len(drugs_find(title))) FROM titles").fetchall()))
    ratios = [one / other for one, other in zip(sql, core)]
    return {
        "DuckDB: drugs_find, seconds": statistics.median(sql),
        "Matcher.find_column, seconds": statistics.median(core),
        "drugs_find over find_column": statistics.median(ratios),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mentions", type=int, default=1_000_000, help="about how many; 0: no databases")
    parser.add_argument("--repeat", type=int, default=3, help="paired runs")
    parser.add_argument("--keep", type=Path, help="a folder for the data, which stays")
    arguments = parser.parse_args()
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="bench-engines-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    try:
        found = function(folder, arguments.repeat)
        if arguments.mentions:
            found.update(databases(folder, arguments.mentions, arguments.repeat))
    finally:
        if arguments.keep is None:
            shutil.rmtree(str(folder))
    print(json.dumps({name: round(value, 3) for name, value in found.items()}, indent=2))


if __name__ == "__main__":
    main()
