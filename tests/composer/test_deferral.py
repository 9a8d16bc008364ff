"""Waiting in the triggerer, one look at a time: what defers, what a trigger takes, how a wait that was too long ends.

The sensors and triggers are the providers' own, hooks and clients included; test_standalone.py has the whole of it.
"""

from __future__ import annotations

import asyncio
import datetime
import functools
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Iterator, Sequence

import pytest
from bucket_peers import Google, Peer, amazon, point_to
from conftest import settings_of
from google_objects import google_for_airflow, without_scheme

import drugs_rs
from drugs_rs.airflow import Settings, source_sensor
from drugs_rs.airflow.compat import (
    AIRFLOW_3,
    AIRFLOW_VERSION,
    AirflowException,
    AirflowSensorTimeout,
    AirflowSkipException,
)
from drugs_rs.airflow.deliveries import taken

if AIRFLOW_3:
    from airflow.sdk.exceptions import TaskDeferred
else:
    from airflow.exceptions import TaskDeferred

NAMES = [
    "in/a.csv",
    "in/b.csv.gz",
    "in/_b.csv",
    "in/.c.csv",
    "in/deep/d.csv",
    "in/deep/er/e.csv",
    "in/[f].csv",
    "g.csv",
]


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    with google_for_airflow(monkeypatch) as found:
        yield found


@pytest.mark.parametrize(
    "wanted",
    [
        "in/",
        "in/deep/",
        "in/*.csv",
        "in/*",
        "in/?.csv",
        "in/[a-c].csv",
        "in/[!a].csv",
        "in/[f].csv",
        "in/**/*.csv",
        "**/e.csv",
        "*/*.csv",
        "*.csv",
        "in/dee*/*",
        "in/**",
        "in/*.xml.gz",
        "nowhere/",
        "in/_*",
    ],
)
def test_what_is_waited_for_is_what_bronze_takes(wanted: str, google: Google, tmp_path: Path) -> None:
    for name in NAMES:
        google.put(name, b"atccode,drug\nA01AA01,ASPIRIN\n")
    expected = set()
    try:
        report = drugs_rs.bronze(drugs=google.uri(wanted), out=str(tmp_path), dt="2024-03-01")
        expected = {source["uri"] for source in report["sources"]}
    except (drugs_rs.exceptions.SourceNotFoundError, drugs_rs.exceptions.SourceIsDirectoryError):
        pass
    assert {google.uri(name) for name in NAMES if taken(name, wanted)} == expected


def deferred(task: Any) -> Any:
    """The trigger that a sensor leaves its wait to, as the triggerer makes it again."""
    with pytest.raises(TaskDeferred) as caught:
        task.execute({})
    assert caught.value.method_name == "execute_complete"
    assert caught.value.timeout == datetime.timedelta(hours=5)
    path, arguments = caught.value.trigger.serialize()
    module, _, name = path.rpartition(".")
    return getattr(__import__(module, fromlist=[name]), name)(**arguments)


def waited(trigger: Any, steps: Sequence[Callable[[], Any]]) -> dict[str, Any]:
    """The event of a trigger, before which each step was taken and looked at for a while without one."""

    async def wait() -> dict[str, Any]:
        event = asyncio.ensure_future(trigger.run().__anext__())
        for step in steps:
            await asyncio.sleep(0.3)
            assert not event.done(), event.result()
            step()
        found: dict[str, Any] = (await asyncio.wait_for(event, 30)).payload
        return found

    return asyncio.run(wait())


def sensor(source: str, **arguments: Any) -> Any:
    settings = Settings(pubmed_b=source, sensor_timeout_hours=5.0, poke_interval_seconds=0.05)
    return source_sensor("pubmed_b_sensor", "pubmed_b", settings, **arguments)


@pytest.fixture
def in_triggerer(google: Google, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Have a sensor defer, and then be the triggerer, whose client wants another address on the oldest Airflow."""

    def leave(task: Any) -> Any:
        found = deferred(task)
        if AIRFLOW_VERSION < (2, 10):
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", without_scheme(google))
        return found

    return leave


def test_an_object_is_waited_for(google: Google, in_triggerer: Callable[[Any], Any]) -> None:
    task = sensor(google.uri("in/pubmed.json"))
    trigger = in_triggerer(task)
    event = waited(trigger, [lambda: google.put("in/pubmed", b"[]"), lambda: google.put("in/pubmed.json", b"[]")])
    task.execute_complete({}, event)


@pytest.mark.parametrize(
    ("wanted", "others", "right"),
    [
        ("in/*.xml.gz", ["in/readme.txt", "in/deep/a.xml.gz", "in/_a.xml.gz"], "in/a.xml.gz"),
        ("in/", ["in/", "in/_SUCCESS", "in/deep/a.xml.gz"], "in/a.xml.gz"),
    ],
)
def test_a_glob_or_a_folder_waits_for_an_object_that_bronze_takes(
    wanted: str, others: list[str], right: str, google: Google, in_triggerer: Callable[[Any], Any]
) -> None:
    google.put("in/deep/other.xml.gz", b"")
    task = sensor(google.uri(wanted))
    trigger = in_triggerer(task)
    event = waited(trigger, [functools.partial(google.put, name, b"") for name in [*others, right]])
    assert task.execute_complete({}, event) == [right]


@pytest.mark.parametrize("how", [{"deferrable": True}, {"deferrable": False, "mode": "poke"}])
def test_a_first_look_is_enough(how: dict[str, Any], google: Google) -> None:
    for number in range(30):
        google.put(f"in/{number}.json", b"[]")
    task = sensor(google.uri("in/*.json"), **how)
    assert len(task.execute({})) == 20, "not a hundred thousand names, which would go into the database"


def test_a_trigger_that_fails_is_a_matter_for_a_retry(google: Google, in_triggerer: Callable[[Any], Any]) -> None:
    task = sensor(google.uri("in/*.json"))
    trigger = in_triggerer(task)
    event = waited(trigger, [google.service.buckets.clear])
    assert event["status"] == "error"
    with pytest.raises(AirflowException) as caught:
        task.execute_complete({}, event)
    assert not isinstance(caught.value, AirflowSensorTimeout)


@pytest.fixture(scope="module")
def s3() -> Iterator[Peer]:
    with amazon() as found:
        yield found


@pytest.fixture
def at_amazon(s3: Peer, monkeypatch: pytest.MonkeyPatch) -> Peer:
    """That service, for the clients of the amazon provider as for the core."""
    point_to(s3, monkeypatch)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws:///?region_name=us-east-1")
    return s3


@pytest.mark.parametrize(
    ("wanted", "key", "other", "right"),
    [
        ("one/pubmed.json", "one/pubmed.json", "one/pubmed", "one/pubmed.json"),
        ("two/*.json", "two/*.json", "two/readme.txt", "two/a.json"),
        ("three/", "three/*", "three", "three/a.json"),
    ],
)
def test_an_object_at_amazon_is_waited_for(wanted: str, key: str, other: str, right: str, at_amazon: Peer) -> None:
    task = sensor(at_amazon.uri(wanted))
    assert (type(task).__name__, task.bucket_key) == ("S3KeySensor", at_amazon.uri(key))
    event = waited(deferred(task), [lambda: at_amazon.put(other, b""), lambda: at_amazon.put(right, b"")])
    task.execute_complete({}, event)
    assert task.poke({})


def test_without_the_client_of_its_trigger_a_sensor_at_amazon_waits_in_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The amazon provider does not bring it along, and the triggerer would fail."""
    assert sensor("s3://bucket/in/a.json").deferrable is True
    monkeypatch.setattr("drugs_rs.airflow.sensors.is_installed", lambda module: module != "aiobotocore")
    task = sensor("s3://bucket/in/a.json")
    assert (task.deferrable, task.mode) == (False, "reschedule")


def resumed(method: str, error: str = "") -> Any:
    """A task instance of Airflow 2 that goes on after a wait."""
    return SimpleNamespace(next_method=method, next_kwargs={"error": error} if error else {})


TIME_UP = resumed("__fail__", "Trigger/execution timeout")


def test_what_a_caller_wants_done_before_is_done_after_the_checks() -> None:
    seen: list[Any] = []
    task = sensor("gs://bucket/a.json", pre_execute=seen.append)
    context = {"task": task, "ti": resumed("")}
    task._pre_execute_hook(context)  # noqa: SLF001
    assert seen == [context]
    task.object = ""
    with pytest.raises(AirflowException, match="`pubmed_b` is empty"):
        task._pre_execute_hook(context)  # noqa: SLF001
    assert len(seen) == 1


@pytest.mark.skipif(AIRFLOW_3, reason="Airflow 3 lets a sensor fail for good by itself (test_dag_file.py)")
def test_only_a_time_that_is_up_is_final() -> None:
    task = sensor("gs://bucket/a.json", deferrable=True)
    look = task._pre_execute_hook  # noqa: SLF001
    look({"task": task, "ti": resumed("__fail__", "Trigger failure")})
    with pytest.raises(AirflowSensorTimeout, match="nothing was delivered within 18000 seconds"):
        look({"task": task, "ti": TIME_UP})
    soft = sensor("gs://bucket/a.json", deferrable=True, soft_fail=True)
    with pytest.raises(AirflowSkipException):
        look({"task": soft, "ti": TIME_UP})
    # What has begun goes on, though a setting is gone meanwhile.
    task.object = ""
    look({"task": task, "ti": resumed("execute_complete")})


def test_a_wait_may_take_as_long_as_the_setting_says() -> None:
    """Airflow 2 ends a wait in the triggerer at the time that the task's work may take, too."""
    settings = Settings(pubmed_b="gs://bucket/a.json", sensor_timeout_hours=30.0, execution_timeout_hours=2.0)
    task = source_sensor("a", "pubmed_b", settings, execution_timeout=datetime.timedelta(hours=1))
    assert task.execution_timeout == datetime.timedelta(hours=1), "the caller's word"
    assert source_sensor("b", "pubmed_b", settings).execution_timeout == datetime.timedelta(hours=32)


@pytest.mark.skipif(AIRFLOW_3, reason="test_standalone.py has it with Airflow 3's own scheduler")
def test_a_time_that_is_up_fails_once_through_the_scheduler_of_airflow_2(
    google: Google,
    make_dag: Callable[..., Any],
    heard: Callable[[], list[dict[str, Any]]],
    samples: Path,
    tmp_path: Path,
) -> None:
    """Database, scheduler's look and task instance are Airflow's; time is what the database says."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models import TaskInstance
    from airflow.utils.session import create_session

    settings = {**settings_of(samples, tmp_path / "lake", retries=3), "pubmed_b": google.uri("in/*.json")}
    dag = make_dag(**settings)
    day = datetime.datetime(2024, 4, 1, tzinfo=datetime.timezone.utc)
    run = dag.create_dagrun(
        run_id="late", state="running", run_type="manual", execution_date=day, data_interval=(day, day)
    )
    instance = run.get_task_instance("pubmed_b_sensor")
    instance.refresh_from_task(dag.get_task("pubmed_b_sensor"))
    instance.run(ignore_all_deps=True)
    instance.refresh_from_db()
    assert (instance.state, instance.next_method) == ("deferred", "execute_complete")
    left = instance.trigger_timeout - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(hours=5, minutes=55) < left <= datetime.timedelta(hours=6)
    assert heard() == []

    with create_session() as session:
        session.query(TaskInstance).filter(TaskInstance.run_id == "late").update({"trigger_timeout": day})
    SchedulerJobRunner(job=Job()).check_trigger_timeouts()
    instance.refresh_from_db()
    assert (instance.state, instance.next_method) == ("scheduled", "__fail__")
    with pytest.raises(AirflowSensorTimeout):
        instance.run(ignore_all_deps=True)
    instance.refresh_from_db()
    assert instance.state == "failed", "for good, though there are three retries"
    (alert,) = heard()
    assert alert["task_id"] == "pubmed_b_sensor"
    assert "set DRUGS_RS_PUBMED_B in the environment of Airflow" in alert["hint"]
