"""A real scheduler and really forked tasks, on the oldest and the newest Airflow: trigger, kill, retry, clear."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SOURCES
from lake_state import GOLD_FILES, leftovers, stamps
from standalone import Standalone, standalone, until

from drugs_rs.airflow.compat import AIRFLOW_3, AIRFLOW_VERSION

# The one between is run in one process (test_runs.py): a session costs a minute.
pytestmark = pytest.mark.skipif(
    (2, 7) <= AIRFLOW_VERSION < (3, 0), reason="the oldest and the newest Airflow have a session each"
)
DAY = "2024-03-01"


def gold(lake: Path) -> dict[str, bytes]:
    return {name: (lake / "gold" / name).read_bytes() for name in GOLD_FILES}


def from_the_shell(samples: Path, lake: Path, day: str) -> dict[str, bytes]:
    """What the command makes of the same deliveries."""
    words = ["run", "--out", str(lake), "--dt", day, "--quiet"]
    for name, file in SOURCES.items():
        words += ["--" + name.split("_")[0].replace("clinical", "clinical-trials"), str(samples / file)]
    subprocess.run([sys.executable, "-m", "drugs_rs", *words], check=True, timeout=120)
    return gold(lake)


def process_at_work(lake: Path) -> int | None:
    """A process that has a transaction open: staging folders carry the number of their process."""
    for path in (lake / ".staging").glob("*-*"):
        found = re.fullmatch(r"(\d+)-\d+", path.name)
        if found and Path("/proc", found.group(1)).exists():
            return int(found.group(1))
    return None


def trigger_and_kill_one_at_work(airflow: Standalone, lake: Path) -> None:
    """Kill a bronze task in the middle of its transaction, kept open by the lake's lock."""
    lake.mkdir()
    with (lake / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        airflow.trigger("first", DAY)
        process = until(lambda: process_at_work(lake), 300, lambda: str(airflow.states("first")))
        os.kill(process, signal.SIGKILL)


@pytest.mark.timeout(1800)
def test_trigger_kill_retry_and_clear(samples: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    settings = {f"DRUGS_RS_{name.upper()}": str(samples / file) for name, file in SOURCES.items()}
    settings.update(
        DRUGS_RS_OUT=str(lake),
        DRUGS_RS_SCHEDULE="null",
        DRUGS_RS_RETRY_DELAY_SECONDS="1",
        DRUGS_RS_MAX_RETRY_DELAY_SECONDS="2",
        DRUGS_RS_POKE_INTERVAL_SECONDS="1",
    )
    with standalone(tmp_path / "home", settings) as airflow:
        trigger_and_kill_one_at_work(airflow, lake)
        airflow.wait_for_run("first", "success", 600)
        assert set(airflow.states("first").values()) == {"success"}
        tries = {task: count for task, count in airflow.tries("first").items() if count > 1}
        assert tries and all(task.endswith("_bronze") for task in tries), "the task that was killed was tried again"
        assert gold(lake) == from_the_shell(samples, tmp_path / "shell", DAY)
        assert leftovers(lake) == {}

        before = stamps(lake)
        airflow.clear("drugs_silver")
        until(lambda: airflow.tries("first")["drug_graph_gold"] > 1, 300, lambda: str(airflow.states("first")))
        airflow.wait_for_run("first", "success")
        assert stamps(lake) == before, "a task that is cleared and run again changes nothing"

        if AIRFLOW_3:
            airflow.trigger("dateless", None)
            airflow.wait_for_run("dateless", "failed")
            assert "has no logical date" in airflow.logs()
            assert "trigger it with the parameter `dt`" in airflow.logs()
