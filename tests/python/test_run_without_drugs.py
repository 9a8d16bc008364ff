"""A run without a vocabulary of its own takes the newest one of the lake, and says so where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lake_tables import rows
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs.exceptions import ArgumentError, SourceNotFoundError

if TYPE_CHECKING:
    from pathlib import Path


def state(lake: Path) -> dict[str, bytes]:
    """Every file of a lake; nothing of one that does not exist."""
    return {path.relative_to(lake).as_posix(): path.read_bytes() for path in lake.rglob("*") if path.is_file()}


def atccodes(lake: Path) -> list[str]:
    return [row["atccode"] for row in rows(lake / "gold" / "drugs" / "part-00000.parquet")]


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    for name, text in {
        "old.csv": "atccode,drug\nA01,VELORIN\n",
        "new.csv": "atccode,drug\nA01,VELORIN\nA02,DORANTEL\n",
        "one.csv": "id,title,date,journal\n1,Velorin,2020-01-01,J\n",
        "two.csv": "id,title,date,journal\n2,Dorantel,2020-01-02,J\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return {path.stem: path for path in tmp_path.glob("*.csv")}


def test_the_newest_vocabulary_of_the_lake_is_used(sources: dict[str, Path], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drugs_rs.run(drugs=sources["old"], pubmed=sources["one"], lake=lake, dt="2020-01-01")
    report = drugs_rs.run(pubmed=sources["two"], lake=lake, dt="2020-01-02")
    assert (report["mentions"], atccodes(lake)) == (1, ["A01"])
    assert not (lake / "silver" / "drugs" / "dt=2020-01-02").exists()
    drugs_rs.run(drugs=sources["new"], lake=lake, dt="2020-01-03")
    report = drugs_rs.run(pubmed=sources["two"], lake=lake, dt="2020-01-02")
    assert (report["mentions"], atccodes(lake)) == (2, ["A01", "A02"])


def test_a_backfill_takes_the_vocabulary_that_gold_has_reached(sources: dict[str, Path], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drugs_rs.run(drugs=sources["new"], lake=lake, dt="2020-02-01")
    assert drugs_rs.run(pubmed=sources["two"], lake=lake, dt="2020-01-02")["mentions"] == 1


def test_with_none_the_error_says_so_and_nothing_is_written(sources: dict[str, Path], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    with pytest.raises(SourceNotFoundError) as refused:
        drugs_rs.run(pubmed=sources["one"], lake=lake, dt="2020-01-01")
    assert str(refused.value) == (
        f"{lake}/silver/drugs: not found; expected a vocabulary of 2020-01-01 or before, because this run has none of "
        "its own: pass drugs (--drugs) once, and later runs take it from the lake"
    )
    assert not lake.exists()
    finished = shell("run", "--pubmed", sources["one"], "--out", lake, "--dt", "2020-01-01")
    assert (finished.returncode, b"pass drugs (--drugs) once" in finished.stderr) == (1, True)
    assert not lake.exists()


def test_one_that_gold_would_not_take_is_none(sources: dict[str, Path], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    later = tmp_path / "later"
    drugs_rs.bronze(drugs=sources["old"], lake=later, dt="2020-01-05")
    drugs_rs.silver(lake=later, dt="2020-01-05")
    before = state(later)
    with pytest.raises(SourceNotFoundError, match="its first one is of 2020-01-05"):
        drugs_rs.run(pubmed=sources["one"], lake=later, dt="2020-01-04")
    assert state(later) == before
    drugs_rs.run(drugs=sources["old"], lake=lake, dt="2020-01-01")
    drugs_rs.hold(lake, "2020-01-01", "a test")
    before = state(lake)
    with pytest.raises(SourceNotFoundError, match="that of 2020-01-01 is held, so release it"):
        drugs_rs.run(pubmed=sources["one"], lake=lake, dt="2020-01-02")
    assert state(lake) == before
    drugs_rs.release(lake, "2020-01-01")
    assert drugs_rs.run(pubmed=sources["one"], lake=lake, dt="2020-01-02")["mentions"] == 1


@pytest.mark.parametrize("given", [{}, {"drugs": None}, {"drugs": None, "pubmed": None}])
def test_a_run_needs_a_source(given: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="run: no source; expected at least one of"):
        drugs_rs.run(lake=tmp_path / "lake", dt="2020-01-01", **given)
    assert not (tmp_path / "lake").exists()
    finished = shell("run", "--out", tmp_path / "lake", "--dt", "2020-01-01")
    assert (finished.returncode, b"no source" in finished.stderr) == (2, True)
