"""`drugs-rs lake`: the same tables as `Lake`, for a shell."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Callable

import pytest
from lake_story import FIRST, SECOND
from shell import drugs_rs as shell

from drugs_rs import Lake

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

TABLES: dict[str, Callable[[Lake], Any]] = {"tables": Lake.tables, "status": Lake.status, "history": Lake.history}


def printed(*arguments: object) -> str:
    finished = shell("lake", *map(str, arguments))
    assert finished.returncode == 0, finished.stderr.decode()
    return finished.stdout.decode("utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_a_command_prints_the_table_of_the_method(name: str, story: dict[str, Path]) -> None:
    lake = story["held"]
    rows = TABLES[name](Lake(lake)).to_dicts()
    assert rows
    assert json.loads(printed(name, lake, "--json")) == rows
    assert [json.loads(line) for line in printed(name, lake).splitlines()] == rows, "NDJSON where no terminal is"
    in_csv = list(csv.DictReader(io.StringIO(printed(name, lake, "--format", "csv"))))
    assert [list(row) for row in in_csv] == [list(row) for row in rows]
    assert len(printed(name, lake, "--format", "table").splitlines()) >= len(rows) + 1


def test_a_history_for_people_has_no_settings(story: dict[str, Path]) -> None:
    """Each run has a long list of them, which programs may want."""
    lines = printed("history", story["held"], "--format", "table").splitlines()
    columns = list(Lake(story["held"]).history().to_dicts()[0])
    assert lines[0].split() == [name for name in columns if name != "settings"] != columns
    assert max(map(len, lines)) < 200


def test_files_of_some_partitions(story: dict[str, Path]) -> None:
    lake = story["released"]
    some = printed("files", lake, "publications_all", "--kind", "pubmed", "--dt", FIRST, "--dt", SECOND, "--json")
    expected = Lake(lake).files("publications_all", kind="pubmed", dt=[FIRST, SECOND]).to_dicts()
    assert json.loads(some) == expected and len(expected) == 2


def test_the_lake_may_come_from_the_environment(story: dict[str, Path]) -> None:
    finished = shell("lake", "tables", "--json", variables={"DRUGS_RS_OUT": str(story["first"])})
    assert json.loads(finished.stdout) == Lake(story["first"]).tables().to_dicts()


def test_wrong_words_and_lakes(story: dict[str, Path], tmp_path: Path) -> None:
    for arguments, code, message in (
        (("files", story["first"], "mention"), 2, b'did you mean "mentions"?'),
        (("files", story["first"], "journals", "--dt", FIRST), 2, b"has no partitions by it"),
        (("files", story["first"], "mentions", "--dt", "yesterday"), 2, b"an ISO date"),
        (("tables", tmp_path / "none"), 1, b"not found"),
    ):
        finished = shell("lake", *map(str, arguments))
        assert finished.returncode == code and message in finished.stderr, (arguments, finished.stderr)
        assert finished.stdout == b""
