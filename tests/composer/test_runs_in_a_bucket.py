"""The whole DAG with its deliveries and its lake in a bucket: what comes out is what comes out on a disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from bucket_peers import Google, bucket_gold
from conftest import SOURCES, settings_of
from running import returned, run
from test_runs import DAY, all_succeeded, from_the_shell

NEXT_DAY = "2024-03-02"


def deliver(google: Google, samples: Path, day: str, without: str = "") -> None:
    """The sample files as the delivery of a day."""
    for name, file in SOURCES.items():
        if name != without:
            google.put(f"landing/{day}/{file}", (samples / file).read_bytes())


def in_bucket(google: Google, samples: Path, **more: Any) -> dict[str, Any]:
    """Three sources are objects, one is a glob."""
    sources = {name: google.uri(f"landing/{{dt}}/{file}") for name, file in SOURCES.items()}
    sources["pubmed_b"] = google.uri("landing/{dt}/*.json")
    return {**settings_of(samples, samples, **more), **sources, "out": google.uri("lake")}


@pytest.mark.parametrize("isolation", ["process", "subprocess"])
def test_the_lake_has_the_answers_of_a_lake_on_a_disk_and_a_second_run_writes_no_object(
    isolation: str, google: Google, make_dag: Callable[..., Any], samples: Path, tmp_path: Path
) -> None:
    deliver(google, samples, DAY)
    dag = make_dag(**in_bucket(google, samples, isolation=isolation))
    assert all_succeeded(run(dag, DAY))
    assert bucket_gold(google, "lake") == from_the_shell(samples, tmp_path / "shell")

    report = returned(dag, DAY, "drug_graph_gold")
    assert report["report_uri"] == google.uri(f"lake/reports/gold/dt={DAY}/gold.json")
    told = json.loads(google.data(f"lake/reports/gold/dt={DAY}/gold.json"))
    assert (report["mentions"], told["mentions"]) == (23, 23)
    answer = returned(dag, DAY, "top_journals_gold")
    assert (answer["entries"], set(answer["first_place"].values())) == (6, {3})

    before = google.contents()
    assert all_succeeded(run(dag, DAY))
    assert google.contents() == before, "a second run writes no object, not even to the same bytes"


def test_a_day_that_lacks_an_object_times_out_and_leaves_the_lake_untouched(
    google: Google,
    make_dag: Callable[..., Any],
    heard: Callable[..., list[dict[str, Any]]],
    samples: Path,
) -> None:
    deliver(google, samples, DAY)
    assert all_succeeded(run(make_dag(**in_bucket(google, samples)), DAY))
    deliver(google, samples, NEXT_DAY, without="clinical_trials")
    before = google.contents()
    states = run(make_dag(**in_bucket(google, samples, sensor_timeout_hours=0.0, deferrable=False)), NEXT_DAY)
    assert states.pop("clinical_trials_sensor") == "failed"
    assert {state for task, state in states.items() if task.endswith("_sensor")} == {"success"}
    assert {state for task, state in states.items() if not task.endswith("_sensor")} == {"upstream_failed"}
    assert google.contents() == before
    (alert,) = heard()
    assert (alert["kind"], alert["task_id"], alert["dt"]) == ("failure", "clinical_trials_sensor", NEXT_DAY)
    assert "set DRUGS_RS_CLINICAL_TRIALS in the environment of Airflow" in alert["hint"]
    assert "DRUGS_RS_SENSOR_TIMEOUT_HOURS" in alert["hint"]

    # The delivery is late, and the same run succeeds.
    deliver(google, samples, NEXT_DAY)
    assert all_succeeded(run(make_dag(**in_bucket(google, samples)), NEXT_DAY))
    assert f"lake/reports/gold/dt={NEXT_DAY}/gold.json" in google.contents()


def test_an_answer_that_somebody_changed_is_published_anew(
    google: Google, make_dag: Callable[..., Any], samples: Path
) -> None:
    """In a bucket the file of this name is a copy, and gold sees that it is not its own."""
    deliver(google, samples, DAY)
    dag = make_dag(**in_bucket(google, samples))
    assert all_succeeded(run(dag, DAY))
    wanted = google.data("lake/gold/top_journals.json")
    google.put("lake/gold/top_journals.json", wanted.replace(b": 3", b": 4"))
    assert all_succeeded(run(dag, DAY))
    assert google.data("lake/gold/top_journals.json") == wanted
