"""Waiting for deliveries, one look at a time: what defers, what ends a wait, how one that was too long ends.

test_standalone.py has the whole of it.
"""

from __future__ import annotations

import asyncio
import datetime
import functools
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import pytest
from bucket_peers import Google, Peer, amazon, point_to
from conftest import settings_of

from drugs_rs.airflow import DeliverySensor, Settings, source_sensor
from drugs_rs.airflow.compat import (
    AIRFLOW_3,
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
)
from drugs_rs.airflow.sensors import DeliveryTrigger

if AIRFLOW_3:
    from airflow.sdk.exceptions import TaskDeferred
else:
    from airflow.exceptions import TaskDeferred


@pytest.fixture(scope="module")
def s3() -> Iterator[Peer]:
    with amazon() as found:
        yield found


@pytest.fixture
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Peer:
    """One of the two services."""
    found: Peer = request.getfixturevalue(request.param)
    if request.param == "s3":
        point_to(found, monkeypatch)
    return found


def sensor(source: str, **arguments: Any) -> DeliverySensor:
    settings = Settings(pubmed_b=source, sensor_timeout_hours=5.0, poke_interval_seconds=0.05)
    return source_sensor("pubmed_b_sensor", "pubmed_b", settings, **arguments)


def deferred(task: Any) -> Any:
    """The trigger that a sensor leaves its wait to, as the triggerer makes it again."""
    with pytest.raises(TaskDeferred) as caught:
        task.execute({})
    assert caught.value.method_name == "execute_complete"
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


@pytest.mark.parametrize("bucket", ["google", "s3"], indirect=True)
@pytest.mark.parametrize(
    ("wanted", "others", "right"),
    [
        ("one/pubmed.json", ["one/pubmed"], "one/pubmed.json"),
        ("two/*.xml.gz", ["two/readme.txt", "two/deep/a.xml.gz", "two/_a.xml.gz"], "two/a.xml.gz"),
        ("three/", ["three/_SUCCESS", "three/deep/a.xml.gz"], "three/a.xml.gz"),
        ("four", ["four.csv"], "four/a.csv"),
    ],
)
def test_a_wait_ends_with_an_object_that_bronze_takes(bucket: Peer, wanted: str, others: list[str], right: str) -> None:
    task = sensor(bucket.uri(wanted))
    event = waited(deferred(task), [functools.partial(bucket.put, name, b"x") for name in [*others, right]])
    assert event == {"status": "success", "message": f"1 files, the first is {bucket.uri(right)}"}
    task.execute_complete({}, event)
    task.execute({})  # a first look is enough
    assert task.poke({})


@pytest.mark.parametrize(
    ("wanted", "others", "right"),
    [("pubmed.json", [], "pubmed.json"), ("*.csv", ["a.txt"], "b.csv"), ("", ["_SUCCESS", ".a.csv"], "a.csv")],
)
def test_a_file_is_looked_for_in_a_worker(wanted: str, others: list[str], right: str, tmp_path: Path) -> None:
    task = sensor(str(tmp_path / wanted))
    assert (task.deferrable, task.mode) == (False, "reschedule")
    for name in others:
        (tmp_path / name).write_text("", encoding="utf-8")
    assert not task.poke({})
    (tmp_path / right).write_text("", encoding="utf-8")
    assert task.poke({})


def test_a_look_that_fails_is_a_matter_for_a_retry(
    google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = sensor(google.uri("in/*.json"))
    trigger = deferred(task)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    monkeypatch.delenv("GOOGLE_SKIP_SIGNATURE", raising=False)
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    event = waited(trigger, [])
    assert event["status"] == "error" and event["message"].startswith("StorageError: ")
    with pytest.raises(AirflowException) as caught:
        task.execute_complete({}, event)
    assert not isinstance(caught.value, (AirflowSensorTimeout, AirflowFailException))


def test_a_wait_that_was_too_long_is_final(google: Google) -> None:
    """Airflow 2 takes a time that is up in the triggerer for a failure to be retried; this one is the trigger's own."""
    task = sensor(google.uri("in/*.json"))
    event = waited(DeliveryTrigger(google.uri("in/*.json"), 0.05, 0.0), [])
    assert event["status"] == "timeout"
    with pytest.raises(AirflowSensorTimeout, match="nothing was delivered within 18000 seconds: .*matches no object"):
        task.execute_complete({}, event)
    with pytest.raises(AirflowSkipException):
        sensor("gs://bucket/a.json", soft_fail=True).execute_complete({}, event)


@pytest.mark.usefixtures("google")
def test_a_bucket_that_does_not_exist_is_told() -> None:
    event = waited(DeliveryTrigger("gs://no-such-bucket/in/*.json", 0.05, 0.0), [])
    assert event["status"] == "timeout" and "expected a bucket that exists" in event["message"]


@pytest.mark.parametrize("source", ["", "  ", "None"])
def test_a_source_that_is_not_set_is_told(source: str) -> None:
    with pytest.raises(AirflowFailException, match="`pubmed_b` is empty.*set DRUGS_RS_PUBMED_B in the environment"):
        sensor(source).poke({})


def test_a_wait_may_take_as_long_as_the_setting_says() -> None:
    """Airflow 2 ends a wait in the triggerer at the time that the task's work may take, too."""
    settings = Settings(pubmed_b="gs://bucket/a.json", sensor_timeout_hours=30.0, execution_timeout_hours=2.0)
    task = source_sensor("a", "pubmed_b", settings, execution_timeout=datetime.timedelta(hours=1))
    assert task.execution_timeout == datetime.timedelta(hours=1), "the caller's word"
    assert source_sensor("b", "pubmed_b", settings).execution_timeout == datetime.timedelta(hours=32)
    assert source_sensor("c", "pubmed_b", settings, deferrable=False).deferrable is False


@pytest.mark.skipif(AIRFLOW_3, reason="test_standalone.py has it with Airflow 3's own scheduler")
def test_a_time_that_is_up_fails_once_on_airflow_2(
    google: Google,
    make_dag: Callable[..., Any],
    heard: Callable[..., list[dict[str, Any]]],
    samples: Path,
    tmp_path: Path,
) -> None:
    """Database and task instance are Airflow's; the triggerer's event is put into it as the triggerer does."""
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
    assert left > datetime.timedelta(hours=6), "Airflow's own limit comes after the trigger's"
    assert heard() == []

    from airflow.utils.session import create_session

    with create_session() as session:
        instance = session.merge(instance)
        instance.next_kwargs = {"event": waited(DeliveryTrigger(google.uri("in/*.json"), 0.05, 0.0), [])}
        instance.state = "scheduled"
    instance = run.get_task_instance("pubmed_b_sensor")
    instance.refresh_from_task(dag.get_task("pubmed_b_sensor"))
    with pytest.raises(AirflowSensorTimeout):
        instance.run(ignore_all_deps=True)
    instance.refresh_from_db()
    assert instance.state == "failed", "for good, though there are three retries"
    (alert,) = heard()
    assert alert["task_id"] == "pubmed_b_sensor"
    assert "set DRUGS_RS_PUBMED_B in the environment of Airflow" in alert["hint"]
