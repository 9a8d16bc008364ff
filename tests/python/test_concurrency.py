"""Two runs of one partition at once: one wins, whole, and the other says so; never a mixture."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from generated_input import generate
from lake_state import GOLD_FILES, gold_files, hashes, leftovers
from lake_tables import DT, Row, drugs, publications, without
from shell import program
from written_sources import whole_sample

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

ROUNDS = 12


class State(NamedTuple):
    """The result of one delivery in a lake of its own."""

    bronze: list[str]
    silver: list[list[Row]]
    gold: frozenset[tuple[str, str]]


def state(lake: Path) -> State:
    """Read all three layers of one partition."""
    copies = [digest for path, digest in hashes(lake, "bronze").items() if not path.endswith("_manifest.json")]
    tables = [drugs(lake), publications(lake), publications(lake, "clinical_trial")]
    # The source URI may contain the path of the lake, so it is left out.
    return State(sorted(copies), [without(rows, "source_uri") for rows in tables], gold_files(lake))


def together(lake: Path, deliveries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run all deliveries into one partition at once and return what each process says."""
    processes = [
        subprocess.Popen(
            [sys.executable, str(program("run_when_told")), json.dumps(dict(sources, out=str(lake), dt=DT))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for sources in deliveries
    ]
    answers: list[dict[str, Any]] = []
    try:
        for process in processes:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline()) == "ready"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers.extend(json.loads(process.communicate(timeout=120)[0]) for process in processes)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    return answers


def fault(answer: dict[str, Any]) -> str:
    """Empty for a run that came through or lost with the error that is meant for it."""
    if answer["error"] is None:
        return ""
    if answer["error"] == "ConflictError" and DT in answer["message"]:
        return ""
    return "{error}: {message}".format(**answer)


@pytest.mark.parametrize("size", [20, 4000], ids=["small", "large"])
def test_two_deliveries_at_once(size: int, tmp_path: Path) -> None:
    deliveries = [generate(tmp_path / seed, seed, size, size // 4) for seed in ("one", "two")]
    wanted = []
    for sources, name in zip(deliveries, ("alone one", "alone two")):
        drugs_rs.run(out=tmp_path / name, dt=DT, **sources)
        wanted.append(state(tmp_path / name))
    assert wanted[0] != wanted[1]
    for number in range(ROUNDS):
        lake = tmp_path / f"lake{number}"
        answers = together(lake, deliveries if number % 2 else deliveries[::-1])
        assert [fault(answer) for answer in answers] == ["", ""]
        assert any(answer["error"] is None for answer in answers), "one of the two wins"
        assert state(lake) in wanted, f"round {number} left a mixture of the two"
        assert leftovers(lake) == {}


def test_the_same_delivery_twice_at_once(samples: Path, tmp_path: Path) -> None:
    """A task that a scheduler started two or three times: whichever run succeeds, the result is that of one."""
    sources = whole_sample(samples)
    drugs_rs.run(out=tmp_path / "alone", dt=DT, **sources)
    for number in range(ROUNDS):
        lake = tmp_path / f"lake{number}"
        answers = together(lake, [sources, sources, sources])
        assert [fault(answer) for answer in answers] == ["", "", ""]
        assert any(answer["error"] is None for answer in answers), "one of the three wins"
        assert state(lake) == state(tmp_path / "alone")


def test_gold_files_never_disagree_while_two_deliveries_alternate(tmp_path: Path) -> None:
    """A reader beside the writers sees the answers of one run, or of the next, at whatever moment it looks."""
    deliveries = [generate(tmp_path / seed, seed, 500) for seed in ("one", "two")]
    sets = []
    for sources, name in zip(deliveries, ("alone one", "alone two")):
        drugs_rs.run(out=tmp_path / name, dt=DT, **sources)
        sets.append(drugs_rs.read_answers(tmp_path / name))
    lake = tmp_path / "lake"
    drugs_rs.run(out=lake, dt=DT, **deliveries[0])
    done = threading.Event()

    def write() -> None:
        try:
            for number in range(30):
                drugs_rs.run(out=lake, dt=DT, **deliveries[(number + 1) % 2])
        finally:
            done.set()

    writer = threading.Thread(target=write)
    writer.start()
    looks = 0
    while not done.is_set():
        answers = drugs_rs.read_answers(lake)
        assert answers in sets
        assert len(gold_files(lake)) == len(GOLD_FILES), "no answer is ever missing"
        looks += 1
    writer.join()
    assert looks > 10


def test_tables_are_of_one_state_while_two_deliveries_alternate(tmp_path: Path) -> None:
    """A table has as many files as kinds and dates; a reader beside the writers never sees some old and some new."""
    deliveries = [generate(tmp_path / seed, seed, 500) for seed in ("one", "two")]
    lake, seen = drugs_rs.Lake(tmp_path / "lake"), []
    for sources in deliveries:
        drugs_rs.run(lake=lake.root, dt=DT, **sources)
        seen.append({table: lake.scan(table).read().to_dicts() for table in ("publications", "mentions")})
    assert seen[0]["mentions"] != seen[1]["mentions"]
    done = threading.Event()

    def write() -> None:
        try:
            for number in range(20):
                drugs_rs.run(lake=lake.root, dt=DT, **deliveries[number % 2])
        finally:
            done.set()

    writer = threading.Thread(target=write)
    writer.start()
    reads: list[int] = []
    while not done.is_set():
        for table in ("publications", "mentions"):
            found = lake.scan(table).read().to_dicts()
            reads.append([state[table] for state in seen].index(found))
    writer.join()
    assert set(reads) == {0, 1}, "each state was seen"
