"""A real scheduler, a real triggerer and really forked tasks, on the oldest and the newest Airflow.

One session for all: wait in the triggerer, be killed, be retried, be cleared, wait in vain, be slow, be over time, be
killed for good.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bucket_peers import Google
from conftest import SOURCES
from lake_state import GOLD_FILES, leftovers, stamps
from notifiers import lines
from standalone import Standalone, standalone, until

from drugs_rs.airflow.compat import AIRFLOW_3, AIRFLOW_VERSION

# The version between is tested in one process (test_runs.py): a session takes a minute.
pytestmark = pytest.mark.skipif(
    (2, 7) <= AIRFLOW_VERSION < (3, 0), reason="the oldest and the newest Airflow have a session each"
)
DAY, NEXT_DAY, THIRD_DAY, LAST_DAY = (f"2024-03-0{number}" for number in (1, 2, 3, 4))
# Long enough to put an object into the bucket after its sensor was seen waiting for it.
PATIENCE = 30
RETRIES = 1


def gold(lake: Path) -> dict[str, bytes]:
    return {name: (lake / "gold" / name).read_bytes() for name in GOLD_FILES}


def from_the_shell(sources: dict[str, str], lake: Path, day: str) -> dict[str, bytes]:
    """What the command makes of the same deliveries."""
    words = ["run", "--out", str(lake), "--dt", day, "--quiet"]
    for name, source in sources.items():
        words += ["--" + name.split("_")[0].replace("clinical", "clinical-trials"), source.replace("{dt}", day)]
    subprocess.run([sys.executable, "-m", "drugs_rs", *words], check=True, timeout=120)
    return gold(lake)


def process_at_work(lake: Path) -> int | None:
    """A process that has a transaction open: staging folders carry the number of their process."""
    for path in (lake / ".staging").glob("*-*"):
        found = re.fullmatch(r"(\d+)-\d+", path.name)
        if found and Path("/proc", found.group(1)).exists():
            return int(found.group(1))
    return None


def wait_in_the_triggerer(airflow: Standalone, google: Google, run_id: str) -> None:
    """See that a sensor waits there, is looked for, and goes on waiting beside an object that bronze would not take."""
    until(lambda: airflow.states(run_id).get("pubmed_b_sensor") == "deferred", 300, airflow.said(run_id))
    # The sensor has looked once by now; the other requests are the triggerer's. Nothing else uses the bucket.
    seen = len(google.service.log)
    until(lambda: len(google.service.log) > seen + 4, 60, airflow.said(run_id))
    assert airflow.states(run_id)["pubmed_b_sensor"] == "deferred"


def trigger_deliver_and_kill_one_at_work(airflow: Standalone, google: Google, samples: Path, lake: Path) -> None:
    """Kill a bronze task in the middle of its transaction, kept open by the lake's lock."""
    lake.mkdir()
    with (lake / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        airflow.trigger("first", DAY)
        wait_in_the_triggerer(airflow, google, "first")
        google.put(f"landing/{DAY}/pubmed.json", (samples / "pubmed.json").read_bytes())
        process = until(lambda: process_at_work(lake), 300, airflow.said("first"))
        os.kill(process, signal.SIGKILL)


def waited_in_vain(airflow: Standalone, alerts: Path) -> None:
    """A wait that was too long fails once, in spite of its retries, and sends one alert."""
    airflow.wait_for_run("late", "failed")
    states = airflow.states("late")
    assert {task: state for task, state in states.items() if state == "failed"} == {"pubmed_b_sensor": "failed"}
    assert airflow.tries("late")["pubmed_b_sensor"] == 1

    alert = told(alerts, "failure", "late")
    assert (alert["task_id"], alert["dt"], alert["try_number"]) == ("pubmed_b_sensor", NEXT_DAY, 1)
    assert alert["message"].startswith("AirflowSensorTimeout: ")
    assert "set DRUGS_RS_PUBMED_B in the environment of Airflow" in alert["hint"]
    alert = told(alerts, "run", "late")
    assert (alert["reason"], alert["dt"]) == ("task_failure", NEXT_DAY)


def over_its_time(airflow: Standalone, alerts: Path) -> None:
    """No task failed, and the run is reported with the reason."""
    airflow.wait_for_run("overdue", "failed")
    assert "failed" not in airflow.states("overdue").values()
    alert = told(alerts, "run", "overdue")
    assert (alert["reason"], alert["dt"]) == ("timed_out", THIRD_DAY)
    assert alert["message"].startswith("the run overdue failed: it took longer than the setting dagrun_timeout_hours")
    assert "set DRUGS_RS_DAGRUN_TIMEOUT_HOURS in the environment of Airflow" in alert["hint"]


def killed_for_good(airflow: Standalone, google: Google, samples: Path, lake: Path, alerts: Path) -> None:
    """A task whose process is killed on its last try cannot call back; the run does."""
    google.put(f"landing/{LAST_DAY}/pubmed.json", (samples / "pubmed.json").read_bytes())

    def kill() -> bool:
        process = process_at_work(lake)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return "failed" in airflow.states("killed").values()

    with (lake / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        airflow.trigger("killed", LAST_DAY)
        until(kill, 300, airflow.said("killed"))
    airflow.wait_for_run("killed", "failed")
    failed = {
        task: airflow.tries("killed")[task] for task, state in airflow.states("killed").items() if state == "failed"
    }
    assert failed and all(task.endswith("_bronze") and tries == RETRIES + 1 for task, tries in failed.items())
    alert = told(alerts, "run", "killed")
    assert (alert["reason"], alert["dt"]) == ("task_failure", LAST_DAY)
    assert alert["message"] == "the run killed failed: a task failed (task_failure)"
    assert "one without an alert was killed" in alert["hint"]


def told(alerts: Path, kind: str, run_id: str) -> dict[str, Any]:
    """The one alert of a kind about a run. Airflow 2 calls back at least once, so there it may come again."""
    found = until(lambda: [each for each in lines(alerts) if (each["kind"], each["run_id"]) == (kind, run_id)], 60)
    assert len(found) == 1 or (not AIRFLOW_3 and len({each["message"] for each in found}) == 1), found
    return dict(found[0])


@pytest.mark.timeout(1800)
def test_wait_trigger_kill_retry_and_clear(google: Google, samples: Path, tmp_path: Path) -> None:
    lake, home, alerts = tmp_path / "lake", tmp_path / "home", tmp_path / "alerts"
    home.mkdir()
    for day in (DAY, NEXT_DAY):  # an object that is none of what is waited for
        google.put(f"landing/{day}/readme.txt", b"soon")
    sources = {name: str(samples / file) for name, file in SOURCES.items()}
    sources["pubmed_b"] = google.uri("landing/{dt}/*.json")
    settings = {f"DRUGS_RS_{name.upper()}": source for name, source in sources.items()}
    settings.update(
        google.environment,
        DRUGS_RS_OUT=str(lake),
        DRUGS_RS_SCHEDULE="null",
        DRUGS_RS_MAX_ACTIVE_RUNS="4",
        DRUGS_RS_RETRIES=str(RETRIES),
        DRUGS_RS_RETRY_DELAY_SECONDS="1",
        DRUGS_RS_MAX_RETRY_DELAY_SECONDS="2",
        DRUGS_RS_POKE_INTERVAL_SECONDS="1",
        DRUGS_RS_SENSOR_TIMEOUT_HOURS=str(PATIENCE / 3600),
        DRUGS_RS_SLOW_RUN_HOURS=str(1 / 3600),
        DRUGS_RS_NOTIFIERS=json.dumps([{"class": "notifiers.ToLines", "arguments": {"path": str(alerts)}}]),
    )
    with standalone(home, settings) as airflow:
        trigger_deliver_and_kill_one_at_work(airflow, google, samples, lake)
        airflow.wait_for_run("first", "success", 600)
        assert set(airflow.states("first").values()) == {"success"}
        tries = {task: count for task, count in airflow.tries("first").items() if count > 1}
        assert tries and all(task.endswith("_bronze") for task in tries), "the task that was killed was tried again"
        assert gold(lake) == from_the_shell(sources, tmp_path / "shell", DAY)
        # As the filters of monitoring/alerts find it; Airflow 3 writes lines of JSON, with escapes.
        assert re.search(
            r"drugs_rs_event[^a-z_]+incident[^a-z_]+event[^a-z_]+end[^a-z_]+step[^a-z_]+gold", airflow.logs()
        )
        assert leftovers(lake) == {}

        before = stamps(lake)
        airflow.trigger("late", NEXT_DAY)
        wait_in_the_triggerer(airflow, google, "late")
        airflow.trigger("overdue", THIRD_DAY)
        until(lambda: airflow.states("overdue").get("pubmed_b_sensor") == "deferred", 300, airflow.said("overdue"))
        airflow.age("overdue", 25)
        if AIRFLOW_3:
            airflow.trigger("dateless", None)
        airflow.clear("drugs_silver", DAY)
        until(lambda: airflow.tries("first")["drug_graph_gold"] > 1, 300, airflow.said("first"))
        airflow.wait_for_run("first", "success")
        assert stamps(lake) == before, "a task that is cleared and run again changes nothing"

        over_its_time(airflow, alerts)
        assert stamps(lake) == before, "a run that has come as far as its sensors leaves the lake untouched"

        killed_for_good(airflow, google, samples, lake, alerts)
        waited_in_vain(airflow, alerts)
        changed = {path for path, stamp in stamps(lake).items() if before.get(path) != stamp}
        assert all(f"dt={LAST_DAY}" in path for path in changed), "as a day that lacks a delivery does"

        if AIRFLOW_3:
            slow = [alert["message"] for alert in lines(alerts) if alert["kind"] == "slow"]
            for run_id in ("first", "late"):
                message = f"the run takes longer than the setting slow_run_hours allows: the run {run_id} is not done"
                assert slow.count(message) == 1, slow

            airflow.wait_for_run("dateless", "failed")
            assert "has no logical date" in airflow.logs()
            assert "trigger it with the parameter `dt`" in airflow.logs()
