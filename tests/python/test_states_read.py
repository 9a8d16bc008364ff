"""All readers of a lake read an earlier state as they read a copy of the lake from that time."""

from __future__ import annotations

from pathlib import Path

import pytest
from lake_story import BY_DATE, FIRST, STATES, TABLES, in_order

import drugs_rs.polars as lazy
from drugs_rs import Lake, exceptions

pytestmark = pytest.mark.core


@pytest.fixture(params=list(enumerate(STATES, start=1)), ids=STATES)
def pair(request: pytest.FixtureRequest, story: dict[str, Path]) -> tuple[Lake, Lake]:
    """A state, and the copy."""
    number, name = request.param
    return Lake(story["released"]).at(number), Lake(story[name])


def test_files_and_scans(pair: tuple[Lake, Lake]) -> None:
    then, copy = pair
    for table in TABLES:
        found, wanted = ([{**file, "uri": ""} for file in lake.files(table)] for lake in pair)
        assert found == wanted, table
        assert then.schema(table) == copy.schema(table)
        if table in BY_DATE:
            assert then.scan(table, dt=FIRST).read().to_dicts() == copy.scan(table, dt=FIRST).read().to_dicts()
    of_code = [lake.scan("mentions", ["drug", "kind", "dt"], atccode="B01AA03").read().to_dicts() for lake in pair]
    assert of_code[0] == of_code[1]


def test_lazy_frames(pair: tuple[Lake, Lake]) -> None:
    for table in ("mentions", "publications", "rejected"):
        found, wanted = (lazy.scan(lake, table).collect().to_dicts() for lake in pair)
        assert in_order(found) == in_order(wanted), table


def explained(lake: Lake, publication_id: str, drug: str, kind: str) -> str:
    try:
        return lake.explain(publication_id, drug, kind=kind)
    except exceptions.DrugsError as error:
        return f"{type(error).__name__}: {error}".replace(lake.root, "lake")


def test_explanations(pair: tuple[Lake, Lake]) -> None:
    for row in pair[1].scan("publications_all", ["publication_id", "kind"]).read():
        told = [explained(lake, row["publication_id"], "warfarin", row["kind"]) for lake in pair]
        assert told[0] == told[1] or "held" in told[1]


@pytest.mark.parametrize("number", range(1, len(STATES) + 1))
def test_status(number: int, story: dict[str, Path]) -> None:
    name = STATES[number - 1]
    assert Lake(story["released"]).at(number).status().to_dicts() == Lake(story[name]).status().to_dicts()


@pytest.mark.parametrize("number", range(1, len(STATES) + 1))
def test_duckdb(number: int, story: dict[str, Path]) -> None:
    pytest.importorskip("duckdb")
    name = STATES[number - 1]
    with Lake(story["released"]).at(number).duckdb() as then, Lake(story[name]).duckdb() as copy:
        for table in TABLES:
            query = f"SELECT * FROM {table} ORDER BY ALL"
            assert then.sql(query).fetchall() == copy.sql(query).fetchall(), table
