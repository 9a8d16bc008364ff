"""The SQL models give what the core gives, row by row, on DuckDB and PostgreSQL, on lakes of every kind.

The texts for BigQuery and Spark are read by sqlglot and run on DuckDB.
"""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path
from typing import Any, Callable, Iterator, Union

import pytest
from changing_lake import Story
from lake_story import STATES, in_order
from model_lakes import LAKES
from postgres_server import Postgres, postgres
from sql_warehouses import Duck, PostgresServer, Rows, found_in, plain
from written_sources import csv_text, write, write_drugs, write_pubmed, write_trials

import drugs_rs
from drugs_rs import sql
from drugs_rs.exceptions import ArgumentError

pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ("bigquery", "duckdb", "postgres", "spark")
Warehouse = Union[Duck, PostgresServer]
Loader = Callable[[drugs_rs.Lake], Warehouse]
TABLES = ("publications", "mentions", "journal_drugs")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as found:
        yield found


@pytest.fixture(params=ENGINES)
def load(request: pytest.FixtureRequest) -> Loader:
    """Loads a lake into each warehouse."""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("server")
        return lambda lake: PostgresServer(server, lake)
    return lambda lake: Duck(lake, request.param)


def matcher_of(lake: drugs_rs.Lake, folder: Path) -> drugs_rs.Matcher:
    """A matcher of the vocabulary that gold used, from its table."""
    rows = [(row["atccode"], row["drug"], "|".join(row["synonyms"])) for row in lake.scan("drugs").read()]
    path = write(folder / "vocabulary.csv", csv_text(("atccode", "drug", "synonyms"), rows))
    return drugs_rs.Matcher.from_vocabulary(path)


def check(place: Path, load: Loader, folder: Path) -> dict[str, Rows]:
    """Compare every model with the core; return the rows of the core."""
    lake = drugs_rs.Lake(place)
    core = {table: plain(list(lake.scan(table).read())) for table in TABLES}
    warehouse = load(lake)
    publications = warehouse.make("publications")
    assert in_order(publications) == in_order(core["publications"])
    warehouse.insert("found", found_in(publications, matcher_of(lake, folder)))
    assert in_order(warehouse.make("mentions")) == in_order(core["mentions"])
    assert in_order(warehouse.rows("journal_drugs")) == in_order(core["journal_drugs"])

    published = drugs_rs.read_answers(place)
    top = warehouse.rows("top_journals")
    assert [(row["journal"], row["drugs"]) for row in top] == list(published["top_journals"].items())
    exclusive = warehouse.rows("exclusive_drugs")
    assert lists_of(exclusive) == {code: others for code, others in published["exclusive_drugs"].items() if others}
    graph = drugs_rs.read_graph(place)
    assert top == graph.answer("top_journals").to_dicts()
    assert exclusive == graph.answer("exclusive_drugs", max_exclusive=0).to_dicts()
    assert warehouse.rows("top_journals", unit="code") == graph.answer("top_journals", unit="code").to_dicts()
    by_code = graph.answer("exclusive_drugs", unit="code", max_exclusive=0).to_dicts()
    assert warehouse.rows("exclusive_drugs", unit="code") == [names_in_order(row) for row in by_code]
    return core


def lists_of(exclusive: Rows) -> dict[str, list[str]]:
    """For each code the others, as in `exclusive_drugs.json`."""
    found: dict[str, list[str]] = {}
    for row in exclusive:
        found.setdefault(row["atccode"], []).append(row["other_atccode"])
    return found


def names_in_order(row: dict[str, Any]) -> dict[str, Any]:
    """The only deviation: a warehouse knows no order of the names of a code, so the model sorts them."""
    return {
        name: " | ".join(sorted(value.split(" | "))) if name.endswith("drug") else value for name, value in row.items()
    }


@pytest.mark.parametrize("state", STATES)
def test_the_story(state: str, story: dict[str, Path], load: Loader, tmp_path: Path) -> None:
    """Corrections, a deletion, a late delivery, a held and a released date, preprints, other vocabularies."""
    core = check(story[state], load, tmp_path)
    assert all(core.values())


def test_the_four_files(sample_lake: Path, load: Loader, tmp_path: Path) -> None:
    assert all(check(sample_lake, load, tmp_path).values())


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: build(tmp_path_factory.mktemp("lake")) for name, build in LAKES.items()}


@pytest.mark.parametrize("name", LAKES)
def test_lakes_of_every_kind(name: str, lakes: dict[str, Path], load: Loader, tmp_path: Path) -> None:
    assert all(check(lakes[name], load, tmp_path).values())
