"""Core, `Lake.scan`, `Lake.duckdb`, polars, DuckDB, PostgreSQL, BigQuery: the same rows for the same lakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Iterator

import conformance
import duckdb
import psycopg
import pyarrow.parquet
import pytest
from bigquery_lakes import client_of, load
from bigquery_server import PROJECT, BigQuery, bigquery_server
from conformance import CASES, TABLES, Findings, as_json, by_models, check, of_core
from postgres_server import Postgres, postgres
from psycopg.rows import dict_row

import drugs_rs
import drugs_rs.duckdb
import drugs_rs.polars
import drugs_rs.postgres
from drugs_rs import sql

pytestmark = pytest.mark.core

# The models that a database with a whole lake computes from what it was loaded.
INPUTS = ("publications_all", "deleted", "journal_ids", "status")


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: build(tmp_path_factory.mktemp("lake")) for name, build in CASES.items()}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(scope="module")
def warehouse() -> Iterator[BigQuery]:
    with bigquery_server() as running:
        yield running


def by_files(lake: Path, _: pytest.FixtureRequest) -> Findings:
    """Any reader of Parquet: the files as they lie there, with the keys of their folders."""

    def rows(table: str) -> Any:
        found = []
        for path in sorted((lake / "gold" / table).glob("**/*.parquet")):
            keys = dict(part.split("=") for part in path.parts if part.startswith(("kind=", "dt=")))
            found += [{**row, **keys} for row in pyarrow.parquet.ParquetFile(str(path)).read().to_pylist()]
        return as_json(found)

    publications, mentions, journal_drugs = map(rows, TABLES)
    return of_core(lake)._replace(publications=publications, mentions=mentions, journal_drugs=journal_drugs)


def by_polars(lake: Path, _: pytest.FixtureRequest) -> Findings:
    publications, mentions, journal_drugs = (
        as_json(drugs_rs.polars.scan(str(lake), table).collect().to_dicts()) for table in TABLES
    )
    return of_core(lake)._replace(publications=publications, mentions=mentions, journal_drugs=journal_drugs)


def rows_in_duckdb(connection: duckdb.DuckDBPyConnection) -> Callable[..., Any]:
    def rows(query: str, _: str = "") -> Any:
        found = connection.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row)) for row in found.fetchall()]

    return rows


def by_views(lake: Path, _: pytest.FixtureRequest) -> Findings:
    rows = rows_in_duckdb(drugs_rs.Lake(lake).duckdb())
    given = {table: rows(f"SELECT * FROM {table}") for table in ("publications", "mentions")}
    return by_models(rows, "duckdb", given)


def by_duckdb_file(lake: Path, request: pytest.FixtureRequest) -> Findings:
    """Loaded; publications are computed from all deliveries, and mentions are found again by the function."""
    file = request.getfixturevalue("tmp_path") / "lake.duckdb"
    drugs_rs.duckdb.load(lake, file)
    with duckdb.connect(str(file)) as connection:
        rows = rows_in_duckdb(connection)
        connection.execute(f"CREATE TEMP TABLE own AS {sql.model('publications', 'duckdb')}")
        drugs_rs.duckdb.register(connection, matcher_of(lake, file.parent))
        connection.execute(
            "CREATE TEMP TABLE found AS SELECT kind, publication_id, 'title' AS field, CAST(NULL AS VARCHAR) AS role,"
            " mention.* FROM (SELECT kind, publication_id, unnest(drugs_find(title)) AS mention FROM own)"
        )
        mentions = sql.model("mentions", "duckdb", {"publications": "own"})
        given = {"publications": rows("SELECT * FROM own"), "mentions": rows(mentions)}
        return by_models(rows, "duckdb", given)


def matcher_of(lake: Path, folder: Path) -> drugs_rs.Matcher:
    """A matcher of the vocabulary that gold used, from its table."""
    from written_sources import csv_text, write

    rows = [
        (row["atccode"], row["drug"], "|".join(row["synonyms"])) for row in drugs_rs.Lake(lake).scan("drugs").read()
    ]
    vocabulary = write(folder / "vocabulary.csv", csv_text(("atccode", "drug", "synonyms"), rows))
    return drugs_rs.Matcher.from_vocabulary(vocabulary)


def by_postgres(lake: Path, request: pytest.FixtureRequest) -> Findings:
    """Loaded; publications are computed from all deliveries."""
    server: Postgres = request.getfixturevalue("server")
    server.run("DROP SCHEMA IF EXISTS drugs CASCADE")
    dsn = f"postgresql://drugs@/postgres?host={server.folder}"
    drugs_rs.postgres.load(lake, dsn)
    with psycopg.connect(dsn, row_factory=dict_row) as connection:

        def rows(query: str, _: str = "") -> Any:
            return connection.execute(query.encode()).fetchall()

        own = rows(sql.model("publications", "postgres", schema="drugs"))
        assert as_json(own) == as_json(rows("SELECT * FROM drugs.publications"))
        given = {"publications": own, "mentions": rows("SELECT * FROM drugs.mentions")}
        return by_models(rows, "postgres", given, schema="drugs")


def by_bigquery(lake: Path, request: pytest.FixtureRequest) -> Findings:
    """Loaded by the real client into the strict server, which runs the queries on DuckDB; `dt` is a date there."""
    service: BigQuery = request.getfixturevalue("warehouse")
    load(service, lake)
    with client_of(service) as client:

        def rows(query: str, _: str = "") -> Any:
            return [dict(row) for row in client.query(query).result()]

        dataset = f"{PROJECT}.drugs"
        own = rows(sql.model("publications", "bigquery", schema=dataset))
        assert as_json(own) == as_json(rows(f"SELECT * FROM `{PROJECT}`.drugs.publications"))
        given = {"publications": own, "mentions": rows(f"SELECT * FROM `{PROJECT}`.drugs.mentions")}
        return by_models(rows, "bigquery", given, schema=dataset)


ENGINES: dict[str, tuple[Callable[[Path, pytest.FixtureRequest], Findings], str]] = {
    "Parquet files of the lake": (by_files, "tables; the answers are the core's files"),
    "`drugs_rs.polars.scan`": (by_polars, "tables"),
    "`Lake.duckdb()`": (by_views, "tables; answers by the SQL models"),
    "DuckDB, loaded": (by_duckdb_file, "publications and answers by the SQL models; mentions by `drugs_find`"),
    "PostgreSQL, loaded": (by_postgres, "mentions as loaded; publications and answers by the SQL models"),
    "BigQuery, loaded": (by_bigquery, "the same, on a server of the tests; `dt` is a DATE there"),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES)
def test_an_engine_gives_the_rows_of_the_core(
    engine: str, case: str, lakes: dict[str, Path], request: pytest.FixtureRequest
) -> None:
    expected = of_core(lakes[case])
    assert all(expected[:-1]), case
    check(engine, ENGINES[engine][0](lakes[case], request), expected)


def test_the_page_says_what_is_compared(lakes: dict[str, Path]) -> None:
    if "real corpora" not in CASES:
        pytest.skip(f"the page has the real corpora too, and there are none in {conformance.CORPORA}")
    lines = ["| lake | publications | mentions | journals and substances | answers' journals | exclusive lists |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for name, lake in lakes.items():
        counts = " | ".join(f"{len(part):,}" for part in of_core(lake))
        lines.append(f"| {name} | {counts} |")
    conformance.write_part("lakes", lines)
    rows = [f"| {engine} | {compared} | equal |" for engine, (_, compared) in ENGINES.items()]
    conformance.write_part("engines", ["| engine | what is compared | rows |", "|---|---|---|", *rows])
