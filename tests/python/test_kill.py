"""SIGKILL at any moment leaves the old state or the new one, and the next run comes through."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from generated_input import generate
from lake_state import GOLD_FILES, files, gold_files, hashes, leftovers
from lake_tables import DT, drugs, publications, rows, without
from shell import command, run_arguments

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

KILLS = int(os.environ.get("DRUGS_RS_KILLS", "15"))
ARTICLES, TRIALS = 20000, 2000
SEED = int(os.environ.get("DRUGS_RS_KILL_SEED", "20200601"))


def tables(lake: Path) -> list[Any]:
    """The clean tables, without the place of the lake."""
    kinds = ("pubmed", "clinical_trial")
    return [without(found, "source_uri") for found in (drugs(lake), *(publications(lake, kind) for kind in kinds))]


def parse_everything(lake: Path) -> None:
    """Every table, manifest and report of the current state is whole: each run adds to those of earlier states."""
    for path in files(lake, "bronze", "silver", "gold", "reports"):
        if path.suffix == ".parquet":
            rows(path)
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))


def under_way(lake: Path, process: subprocess.Popen[bytes]) -> bool:
    """Wait until a run begins to write; False if it ended without. What comes before is an interpreter starting."""
    deadline = time.monotonic() + 60
    while not any(path for path in (lake / ".staging").glob("**/*")):
        if process.poll() is not None:
            return False
        assert time.monotonic() < deadline, "the run neither writes nor ends"
        time.sleep(0.0005)
    return True


def started(arguments: list[str]) -> subprocess.Popen[bytes]:
    """A run in a process of its own."""
    return subprocess.Popen(command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def killed_after(seconds: float, lake: Path, arguments: list[str]) -> bool:
    """Start a run, and kill it some time after it began to write; False if it was done before."""
    process = started(arguments)
    try:
        if under_way(lake, process):
            process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    _, talk = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), talk.decode("utf-8", "replace")
    return process.returncode != 0


def answers_seen(lake: Path) -> list[tuple[int, int]]:
    """What shows that an answer was replaced, read much faster than its hash."""
    found = [(lake / "gold" / name).stat() for name in GOLD_FILES]
    return [(status.st_ino, status.st_mtime_ns) for status in found]


def killed_at_first_change(lake: Path, arguments: list[str]) -> bool:
    """Start a run, and kill it when the first answer is replaced: the worst moment, if there is more than one."""
    before = answers_seen(lake)
    process = started(arguments)
    while process.poll() is None and answers_seen(lake) == before:
        time.sleep(0)
    process.kill()
    process.communicate()
    return process.returncode != 0


def seconds_of_writing(lake: Path, arguments: list[str]) -> float:
    """How long a whole run takes from its first byte to its end."""
    process = started(arguments)
    assert under_way(lake, process), "a run with new input writes something"
    start = time.monotonic()
    _, talk = process.communicate()
    assert process.returncode == 0, talk.decode("utf-8", "replace")
    return time.monotonic() - start


def moment(generator: random.Random, number: int, duration: float) -> float:
    """Any moment, and every second time one in the last part: there the results take their places."""
    return generator.uniform(0.6 * duration if number % 2 else 0, duration)


def test_killed_at_random_moments(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    deliveries: dict[str, dict[str, Any]] = {
        name: generate(tmp_path / name, name, ARTICLES, TRIALS) for name in ("old", "new")
    }
    arguments = {name: run_arguments(sources, lake, DT) for name, sources in deliveries.items()}
    whole = {}
    for name, sources in deliveries.items():
        drugs_rs.run(out=tmp_path / ("clean " + name), dt=DT, **sources)
        whole[name] = gold_files(tmp_path / ("clean " + name))
    assert whole["old"] != whole["new"]

    # A busy moment makes a run longer, and kills timed by it come too late.
    duration = min(seconds_of_writing(lake, arguments[name]) for name in ("old", "new", "old"))
    generator = random.Random(SEED)
    in_time = number = 0
    # A busy machine kills some too late.
    while number < KILLS or (in_time < KILLS // 2 and number < 3 * KILLS):
        # The run changes the lake to the other state, or there would be nothing to interrupt.
        now = "old" if gold_files(lake) == whole["old"] else "new"
        target = "new" if now == "old" else "old"
        seconds = moment(generator, number, duration)
        if number % 3 == 2:
            in_time += killed_at_first_change(lake, arguments[target])
        else:
            in_time += killed_after(seconds, lake, arguments[target])
        # Whoever opens the lake first finishes what the killed run had begun to put in place.
        drugs_rs.Lake(lake).status()
        told = f"kill {number + 1} of {KILLS}, after {seconds:.3f} s, seed {SEED}"
        assert gold_files(lake) in (whole[now], whole[target]), told
        parse_everything(lake)
        number += 1
    assert in_time >= KILLS // 2, "most runs were done before they were killed: nothing was tested"

    drugs_rs.run(out=lake, dt=DT, **deliveries["new"])
    assert gold_files(lake) == whole["new"]
    assert tables(lake) == tables(tmp_path / "clean new")
    assert leftovers(lake) == {}, "the run that comes through cleans up behind the killed ones"
    # The history has a record of each run that was not killed, and each of them made a state.
    names, clean = (
        {name for name in hashes(folder) if not name.startswith(("reports/history/", "states/"))}
        for folder in (lake, tmp_path / "clean new")
    )
    assert names == clean, "no stray file of a killed run stands in the lake"


def test_killed_first_run_leaves_nothing_that_looks_done(tmp_path: Path) -> None:
    """There is no old state here: until the first run comes through, the answers do not exist."""
    sources = generate(tmp_path / "sources", "first", ARTICLES)
    drugs_rs.run(out=tmp_path / "clean", dt=DT, **sources)
    wanted = gold_files(tmp_path / "clean")
    duration = seconds_of_writing(tmp_path / "timed", run_arguments(sources, tmp_path / "timed", DT))
    generator = random.Random(SEED)
    for number in range(max(4, KILLS // 5)):
        lake = tmp_path / f"lake{number}"
        killed_after(moment(generator, number, duration), lake, run_arguments(sources, lake, DT))
        assert gold_files(lake) in (frozenset(), wanted)
        parse_everything(lake)
        drugs_rs.run(out=lake, dt=DT, **sources)
        assert gold_files(lake) == wanted
        assert leftovers(lake) == {}
