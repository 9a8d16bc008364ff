"""SIGKILL at any moment of a day's run, a drop or a vacuum leaves the old state or the new one, and the next run heals.

`DRUGS_RS_KILLS` is how many kills there are, `DRUGS_RS_KILL_SEED` decides when and of what.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lake_story
import pytest
import shell
from changing_lake import (
    KEPT_STATES,
    Change,
    Digests,
    Story,
    answers_view,
    gold_from_nothing,
    gold_view,
    silver_view,
)
from lake_state import files, hashes, leftovers
from lake_tables import rows

import drugs_rs
from drugs_rs import exceptions

pytestmark = pytest.mark.core

KILLS = int(os.environ.get("DRUGS_RS_KILLS", "10"))
SEED = int(os.environ.get("DRUGS_RS_KILL_SEED", "20200601"))
ROWS = 1500
KILLS_OF_A_CHANGE = 3


@dataclass
class View:
    """What all readers of this project see."""

    silver: Digests
    gold: Digests
    answers: str
    states: dict[int, tuple[Digests, Digests]]


def seen(lake: Path) -> View:
    """Read everything but the earlier states."""
    reader = drugs_rs.Lake(lake)
    return View(silver_view(reader), gold_view(reader), answers_view(str(lake)), {})


def states_seen(lake: Path) -> dict[int, tuple[Digests, Digests]]:
    """Read all states."""
    reader = drugs_rs.Lake(lake)
    found = {}
    for number in reader.states()["state"]:
        then = reader.at(number)
        found[number] = (silver_view(then), gold_view(then))
    return found


def wait_for_commit(lake: Path, number: int, process: subprocess.Popen[str]) -> None:
    """Wait until a change puts the files of its commit of this number in place, or ends."""
    journal, was_there = lake / ".staging" / "commit", False
    while number > 0 and process.poll() is None:
        is_there = journal.exists()
        number -= is_there and not was_there
        was_there = is_there


def killed(change: Change, lake: Path, seconds: float, commit: int) -> bool:
    """Begin a change in another process, and kill it some time after it, or one of its commits, began.

    Returns whether it was killed before it was done.
    """
    arguments = json.dumps({**change.arguments, "lake": str(lake)})
    with subprocess.Popen(
        [sys.executable, str(shell.program("change_when_told")), change.what, arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert json.loads(process.stdout.readline()) == "ready"
        process.stdin.write("go\n")
        process.stdin.flush()
        wait_for_commit(lake, commit, process)
        time.sleep(seconds)
        process.kill()
        told = process.stdout.read()
        assert not told or json.loads(told)["error"] is None, told
    return not told


def check(lake: Path, change: Change, old: View, new: View, told: str) -> bool:
    """Readers see the old or the new; returns whether there is nothing left to kill. The first finishes a commit."""
    now = seen(lake)
    assert now.silver in (old.silver, new.silver), told
    assert (now.gold, now.answers) in ((old.gold, old.answers), (new.gold, new.answers)), told
    if now.gold == new.gold != old.gold:
        assert now.silver == new.silver, told
    done = shell.drugs_rs("lake", "verify", lake)
    assert done.returncode == 0, (told, done)
    numbers = drugs_rs.Lake(lake).states()["state"]
    for number in numbers:
        try:
            then = drugs_rs.Lake(lake).at(number)
            found = (silver_view(then), gold_view(then))
        except exceptions.SourceNotFoundError:
            # Between its two commits, a drop leaves a state whose silver is gone.
            assert change.what == "drop" and number == numbers[-1] and now.silver == new.silver != old.silver, told
        else:
            assert found in [view.states[number] for view in (old, new) if number in view.states], (told, number)
    if change.what == "run":
        return now.gold == new.gold != old.gold
    # The second time there is nothing to drop.
    return numbers == list(new.states) if change.what == "vacuum" else now.silver == new.silver


def finish(change: Change, lake: Path, settings: dict[str, Any]) -> None:
    """What whoever finds the lake does next."""
    try:
        change.apply(lake)
    except exceptions.SourceNotFoundError:
        # A drop whose tables are gone already finds nothing to drop.
        assert change.what == "drop"
        newest = max(row["dt"] for row in drugs_rs.Lake(lake).status())
        drugs_rs.gold(lake=lake, dt=newest, **{**settings, "keep": "0 states"})


def names(lake: Path) -> set[str]:
    """The files of a lake; the history has a record of each run that was not killed."""
    return {name for name in hashes(lake) if "reports/" not in name}


@pytest.mark.parametrize("graph", ["none", "json"])
def test_killed_at_random_moments(graph: str, tmp_path: Path) -> None:
    settings = {"graph": graph, "keep": f"{KEPT_STATES} states"}
    chance = random.Random(f"{SEED} {graph}")
    story = Story(tmp_path, chance, ROWS, settings)
    lake, other, scratch = tmp_path / "lake", tmp_path / "other", tmp_path / "scratch"
    for _ in range(2):
        story.deliver(story.date()).apply(lake)
    old = seen(lake)
    old.states = states_seen(lake)
    kills, in_time, results = 0, 0, Counter[str]()
    while kills < KILLS // 2:
        change = story.next(drugs_rs.Lake(lake))
        shutil.rmtree(str(other), ignore_errors=True)
        shutil.copytree(str(lake), str(other), symlinks=True)
        began = time.monotonic()
        change.apply(other)
        duration = time.monotonic() - began
        new = seen(other)
        new.states = states_seen(other)
        told = f"seed {SEED}, graph {graph}, {story.number} deliveries: {change}"
        for number in range(KILLS_OF_A_CHANGE):
            commit = number * chance.randint(0, 2)
            moment = chance.uniform(0, 0.002 if commit else duration)
            in_time += killed(change, lake, moment, commit)
            kills += 1
            is_done = check(lake, change, old, new, f"{told}, kill {number + 1} {moment:.4f} s after commit {commit}")
            results[f"{change.what}: {'new' if is_done else 'old or between'}"] += 1
            if is_done:
                break
        finish(change, lake, settings)
        now = seen(lake)
        now.states = states_seen(lake)
        assert now == new, told
        assert hashes(lake, "gold") == hashes(other, "gold") == gold_from_nothing(lake, scratch, settings), told
        assert names(lake) == names(other), told
        old = new
    # A step that finds everything done need not clean up; one that writes does.
    story.deliver(story.date()).apply(lake)
    # The lock of a date is an empty file, which stays for the next run of the date.
    assert not [name for name in leftovers(lake) if not name.startswith(".staging/locks/")]
    sys.stdout.write(f"{kills} kills, {in_time} in time, {dict(results)}\n")
    assert in_time >= kills // 3, "most changes were done before they were killed: nothing was tested"


def test_a_drop_killed_between_its_commits_can_be_completed(tmp_path: Path) -> None:
    days = lake_story.sources(tmp_path)
    whole = tmp_path / "whole"
    for dt in (lake_story.FIRST, lake_story.SECOND, lake_story.THIRD):
        drugs_rs.run(lake=whole, dt=dt, **days[dt])
    for attempt in range(20):
        lake = tmp_path / f"lake{attempt}"
        shutil.copytree(str(whole), str(lake))
        gold = (lake / "gold" / "_manifest.json").stat().st_ino
        was_killed = killed(Change("drop", {"publication_id": "8"}), lake, 0, 1)
        drugs_rs.Lake(lake).status()
        # A busy machine may kill it too late.
        if was_killed and (lake / "gold" / "_manifest.json").stat().st_ino == gold:
            break
    else:
        pytest.fail("it was never killed in time: nothing was tested")
    assert "8" not in {row["publication_id"] for row in lake_story.scanned(lake, "publications_all")}
    drugs_rs.run(lake=lake, dt=lake_story.FOURTH, **days[lake_story.FOURTH])
    for path in files(lake, "gold", "silver", "states"):
        if path.suffix == ".parquet":
            assert "8" not in {row.get("publication_id") for row in rows(path)}, path
    for number in drugs_rs.Lake(lake).states()["state"]:
        drugs_rs.Lake(lake).at(number).scan("publications").read()
    with pytest.raises(exceptions.SourceNotFoundError, match="something to drop"):
        drugs_rs.Lake(lake).drop(publication_id="8")


def test_a_killed_compaction_leaves_the_old_index_or_the_new_one(tmp_path: Path) -> None:
    days = lake_story.sources(tmp_path)
    made, lake = tmp_path / "made", tmp_path / "lake"
    for dt in (lake_story.FIRST, lake_story.SECOND, lake_story.THIRD):
        drugs_rs.run(lake=made, dt=dt, **days[dt])
    whole = seen(made)
    compaction = Change("compact", {"older_than_days": 0})
    chance, in_time, indexes = random.Random(SEED), 0, set[bool]()
    for number in range(max(5, KILLS // 10)):
        shutil.rmtree(str(lake), ignore_errors=True)
        shutil.copytree(str(made), str(lake), symlinks=True)
        in_time += killed(compaction, lake, chance.uniform(0, 0.01 if number % 2 else 0.001), number % 2)
        assert seen(lake) == whole
        assert shell.drugs_rs("lake", "verify", lake).returncode == 0
        indexes.add((lake / "gold" / "index" / "kind=pubmed" / "keys.bin").exists())
        assert drugs_rs.gold(lake=lake, dt=lake_story.THIRD)["unchanged"]
        assert drugs_rs.Lake(lake).at(3).scan("mentions").read().num_rows > 0
        drugs_rs.run(lake=lake, dt=lake_story.FOURTH, **days[lake_story.FOURTH])
    assert in_time and indexes, "no compaction was killed in time: nothing was tested"
