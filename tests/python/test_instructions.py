"""The gate on counts of instructions: what it lets pass, with made-up counts."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.core

BENCHES = Path(__file__).resolve().parents[2] / "benches"
HERE = {"compiler": "rustc 1.95.0 (59807616e 2026-04-14)", "processor": "x86_64 with avx2", "library": "glibc 2.36"}
COUNTS = {"build_index": 71_766_061, "find_names": 13_609_615, "read_csv": 10_000}


@pytest.fixture(scope="module")
def gate() -> Any:
    spec = importlib.util.spec_from_file_location("benches_instructions", str(BENCHES / "instructions.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def compared(gate: Any, counts: dict[str, int], conditions: dict[str, str] = HERE) -> tuple[int, str]:
    code, message = gate.compare(gate.Record(HERE, COUNTS), gate.Record(conditions, counts))
    return code, message


@pytest.mark.parametrize("count", [9_800, 9_999, 10_000, 10_200])
def test_up_to_two_percent_pass(gate: Any, count: int) -> None:
    code, message = compared(gate, {**COUNTS, "read_csv": count})
    assert (code, message) == (0, "3 hot paths are within 2 % of their recorded instructions")


@pytest.mark.parametrize(("count", "change"), [(10_201, "+2.0 %"), (9_799, "-2.0 %"), (20_000, "+100.0 %")])
def test_more_fails_in_either_direction_and_names_the_path(gate: Any, count: int, change: str) -> None:
    code, message = compared(gate, {**COUNTS, "read_csv": count})
    assert code == 1
    assert f"read_csv: 10,000 instructions recorded, {count:,} counted ({change})" in message
    assert "make record-instructions" in message
    assert "find_names" not in message


def test_a_path_that_one_side_lacks_fails(gate: Any) -> None:
    code, message = compared(gate, {"build_index": 71_766_061, "find_names": 13_609_615, "clean_cells": 5})
    assert code == 1
    assert "read_csv: recorded, but not counted" in message
    assert "clean_cells: not recorded" in message


@pytest.mark.parametrize("name", list(HERE))
def test_other_conditions_are_loud_and_not_fatal(gate: Any, name: str) -> None:
    """Another compiler makes other instructions: no change of this project, so CI must not fail by it."""
    code, message = compared(gate, {**COUNTS, "read_csv": 1}, {**HERE, name: "another"})
    assert code == 0
    assert message.startswith("NOT COMPARED")
    assert f"{name}: recorded with {HERE[name]}, here another" in message


def test_the_record_holds_every_path_and_is_read_as_it_is_written(gate: Any) -> None:
    text = gate.RECORD.read_text(encoding="utf-8")
    record = gate.Record.parse(text)
    assert list(record.counts) == list(gate.PATHS)
    assert sorted(record.conditions) == sorted(HERE)
    assert record.text() == text
