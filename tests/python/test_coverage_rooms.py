"""The gate on coverage: how files become rooms, and what it lets pass, with made-up figures."""

from __future__ import annotations

import json

import coverage_rooms
import pytest
from coverage_rooms import Lines

pytestmark = pytest.mark.core

FILES = {
    "src/lib.rs": Lines(10, 10),
    "src/api/lake/mod.rs": Lines(100, 80),
    "src/api/read.rs": Lines(100, 100),
    "python/drugs_rs/__init__.py": Lines(4, 3),
    "python/drugs_rs/sql/__init__.py": Lines(0, 0),
    "tests/rust/main.rs": Lines(50, 0),
}
ROOMS = {
    "python/drugs_rs": Lines(4, 3),
    "python/drugs_rs/sql": Lines(0, 0),
    "src/api": Lines(200, 180),
    "src": Lines(10, 10),
}


def test_a_room_is_a_folder_with_all_below_it_and_tests_are_none() -> None:
    assert coverage_rooms.rooms_of(FILES) == ROOMS


def test_floors_are_written_below_what_was_found_and_hold_for_it() -> None:
    text = coverage_rooms.write_floors(ROOMS)
    floors = coverage_rooms.parse_floors(text)
    assert floors == {"python/drugs_rs": 74, "python/drugs_rs/sql": 99, "src/api": 89, "src": 99}
    assert coverage_rooms.faults(ROOMS, floors) == []
    assert coverage_rooms.hints(ROOMS, floors) == []


@pytest.mark.parametrize(("floor", "fault"), [(90, False), (91, True)])
def test_a_room_below_its_floor_fails(floor: int, fault: bool) -> None:
    found = coverage_rooms.faults({"src/api": Lines(200, 180)}, {"src/api": floor})
    assert found == (["src/api is below its floor: 90.0 % of its lines run, 91 % must"] if fault else [])


def test_a_new_room_needs_a_floor_and_a_floor_its_room() -> None:
    found = coverage_rooms.faults({"src/new": Lines(1, 1)}, {"src/old": 5})
    assert [fault.split()[0] for fault in found] == ["src/new", "src/old"]


@pytest.mark.parametrize(("floor", "hint"), [(88, []), (87, ["the floor of src/api could rise from 87 to 89"])])
def test_two_points_are_worth_a_hint(floor: int, hint: list[str]) -> None:
    assert coverage_rooms.hints({"src/api": Lines(200, 180)}, {"src/api": floor}) == hint


def test_the_least_covered_files_come_first() -> None:
    rows = coverage_rooms.least_covered(FILES).splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [
        "| python/drugs_rs/__init__.py",
        "| src/api/lake/mod.rs",
        "| src/api/read.rs",
        "| src/lib.rs",
    ]


def test_a_line_counts_if_one_of_the_suites_runs_it() -> None:
    """The core's suite never imports Airflow's operators, and each environment has a package of its own."""

    def report(place: str, executed: list[int], missing: list[int]) -> str:
        file = {"executed_lines": executed, "missing_lines": missing}
        return json.dumps({"files": {f"{place}/site-packages/drugs_rs/airflow/steps.py": file, "tests/x.py": file}})

    files = coverage_rooms.python_files([report(".venv/a", [1], [2, 3, 4]), report("/b", [1, 3], [2, 4])])
    assert files == {"python/drugs_rs/airflow/steps.py": Lines(4, 2)}


def test_of_the_crate_only_its_sources_count() -> None:
    def file(path: object, count: int, covered: int) -> dict[str, object]:
        return {"filename": str(path), "summary": {"lines": {"count": count, "covered": covered}}}

    root = coverage_rooms.ROOT
    files = [
        file(root / "src" / "text" / "fold.rs", 20, 19),
        file(root / "tests/rust/main.rs", 5, 5),
        file("/x.rs", 1, 1),
    ]
    export = json.dumps({"data": [{"files": files}]})
    assert coverage_rooms.rust_files(export) == {"src/text/fold.rs": Lines(20, 19)}


def test_every_room_of_the_sources_has_a_floor() -> None:
    floors = coverage_rooms.parse_floors(coverage_rooms.FLOORS.read_text(encoding="utf-8"))
    sources = [path for house in coverage_rooms.HOUSES for path in (coverage_rooms.ROOT / house).rglob("*.[rp][sy]")]
    rooms = {coverage_rooms.room_of(path.relative_to(coverage_rooms.ROOT).as_posix()) for path in sources}
    assert set(floors) == rooms
