"""Single steps of one partition side by side, as Airflow starts them: nothing is lost, none has to be run again."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Sequence

import pytest
from lake_state import hashes, leftovers
from shell import command

pytestmark = pytest.mark.core

DT = "2024-03-01"
BRONZE = [
    ("--drugs", "drugs.csv", "drugs"),
    ("--clinical-trials", "clinical_trials.csv", "clinical_trials"),
    ("--pubmed", "pubmed.csv", "pubmed_a"),
    ("--pubmed", "pubmed.json", "pubmed_b"),
]
TABLES = ("drugs", "clinical_trials", "pubmed")


def all_at_once(lines: Sequence[Sequence[str]]) -> None:
    """Start every process, then wait for all."""
    running = [subprocess.Popen(command(*line), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) for line in lines]
    for process in running:
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 0, said.decode("utf-8", "replace")


def one_by_one(lines: Sequence[Sequence[str]]) -> None:
    for line in lines:
        all_at_once([line])


def test_four_bronze_and_three_silver_steps_side_by_side(samples: Path, tmp_path: Path) -> None:
    for lake, start in ((tmp_path / "ordered", one_by_one), (tmp_path / "beside", all_at_once)):
        end = ["--out", str(lake), "--dt", DT]
        start([["bronze", flag, str(samples / file), "--name", name, *end] for flag, file, name in BRONZE])
        start([["silver", "--table", table, *end] for table in TABLES])
        start([["gold", *end]])
    for layer in ("bronze", "silver", "gold"):
        assert hashes(tmp_path / "beside", layer) == hashes(tmp_path / "ordered", layer)
    reports = [name for name in hashes(tmp_path / "beside", "reports") if "/silver/" in name]
    assert len(reports) == 3
    assert leftovers(tmp_path / "beside") == {}


def test_days_side_by_side(samples: Path, tmp_path: Path) -> None:
    """Backfills overlap where `max_active_runs` lets them."""
    lake, days = tmp_path / "lake", ("2024-03-01", "2024-03-02")
    ends = [["--out", str(lake), "--dt", day] for day in days]
    all_at_once([["bronze", f, str(samples / file), "--name", name, *end] for end in ends for f, file, name in BRONZE])
    all_at_once([["silver", "--table", table, *end] for end in ends for table in TABLES])
    all_at_once([["gold", *end] for end in ends])
    one_by_one([["gold", *ends[0]]])
    ordered = tmp_path / "ordered"
    for day in days:
        end = ["--out", str(ordered), "--dt", day]
        one_by_one([["bronze", flag, str(samples / file), "--name", name, *end] for flag, file, name in BRONZE])
        one_by_one([["silver", *end], ["gold", *end]])
    for layer in ("bronze", "silver", "gold"):
        assert hashes(lake, layer) == hashes(ordered, layer)
