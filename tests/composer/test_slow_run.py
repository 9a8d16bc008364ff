"""A run that takes too long: from what the scheduler of Airflow 2 asks the DAG processor to what a notifier writes.

Airflow 3 has Deadline Alerts, which test_standalone.py sees fire.
"""

from __future__ import annotations

import asyncio
import datetime
import json
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import ROOT, settings_of
from notifiers import Slow, lines

from drugs_rs.airflow.alerts import on_deadline, on_failure, on_run_failure, on_sla_miss
from drugs_rs.airflow.compat import AIRFLOW_3


def succeeded(dag: Any, day: datetime.datetime, task_id: str) -> None:
    """A run of a day with one successful task: the SLAs of that task are checked for the days after it."""
    from airflow.utils.session import create_session

    with create_session() as session:
        run = dag.create_dagrun(
            run_id=f"scheduled__{day.isoformat()}",
            state="success",
            run_type="scheduled",
            execution_date=day,
            data_interval=(day, day + datetime.timedelta(days=1)),
            session=session,
        )
        run.get_task_instance(task_id, session=session).state = "success"


@pytest.mark.skipif(AIRFLOW_3, reason="Airflow 3 has no SLAs")
@pytest.mark.parametrize(("hours", "days"), [(24.0, 2), (48.0, 1), (0.0, 0)])
def test_a_missed_sla_reaches_the_notifiers_once(
    hours: float, days: int, make_dag: Callable[..., Any], samples: Path, tmp_path: Path
) -> None:
    from airflow.callbacks.callback_requests import SlaCallbackRequest
    from airflow.dag_processing.processor import DagFileProcessor
    from airflow.models import DagBag, DagModel, DagRun, SlaMiss, TaskInstance
    from airflow.utils.session import create_session

    told = tmp_path / "told"
    notifiers = [{"class": "notifiers.ToLines", "arguments": {"path": str(told)}}]
    dag = make_dag(**settings_of(samples, tmp_path / "lake", slow_run_hours=hours, notifiers=notifiers))
    today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    file = str(ROOT / "dags" / "drug.py")

    def forget() -> None:
        """Runs of other tests, years ago, would have missed an SLA on each day since."""
        with create_session() as session:
            for table in (SlaMiss, TaskInstance, DagRun, DagModel):
                session.query(table).filter(table.dag_id == "drug").delete()

    forget()
    try:
        with create_session() as session:
            session.add(DagModel(dag_id="drug", fileloc=file, is_active=True, is_paused=False))
        succeeded(dag, today - datetime.timedelta(days=4), "top_journals_gold")
        request = SlaCallbackRequest(full_filepath=file, dag_id="drug", processor_subdir=None)
        for _ in range(2):
            with create_session() as session:
                processor = DagFileProcessor(dag_ids=None, dag_directory=str(ROOT / "dags"), log=dag.log)
                processor.execute_callbacks(DagBag(str(ROOT / "dags")), [request], session)
        alerts = lines(told)
        assert len(alerts) == bool(days), "told once, though it is looked at again"
        for alert in alerts:
            assert (alert["kind"], alert["dag_id"]) == ("slow", "drug")
            assert alert["message"].count("top_journals_gold on ") == days
            assert "set DRUGS_RS_SLOW_RUN_HOURS in the environment of Airflow" in alert["hint"]
    finally:
        forget()


def test_what_is_told_is_short_and_rendered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A DAG that was paused for a year misses 365 SLAs at once: that was a message of 100,054 characters."""
    told = tmp_path / "told"
    text = "{{ alert.kind }}: {{ alert.message }}{{ alert.task_id }}|"
    notifier = {"class": "notifiers.ToFile", "arguments": {"path": str(told), "text": text}}
    monkeypatch.setenv("DRUGS_RS_NOTIFIERS", json.dumps([notifier]))
    missed = "\n".join(f"top_journals_gold on 2024-03-01T00:00:00+00:00 {number}" for number in range(2000))
    on_sla_miss(None, missed, "", [], [])
    asyncio.run(on_deadline(context={"dag_run": {"dag_id": "drug", "dag_run_id": "first"}}))
    on_run_failure({"run_id": "first", "reason": "timed_out", "dag_run": None})
    on_failure({"exception": ValueError("x" * 100_000)})
    sla, deadline, ended, failure = told.read_text(encoding="utf-8").split("|")[:-1]
    assert sla.startswith("slow: ") and sla.count("top_journals_gold") == 10 and "and 1990 more not done" in sla
    assert deadline.endswith("the run first is not done")
    assert ended.startswith("run: the run first failed: it took longer than the setting dagrun_timeout_hours allows")
    assert failure.startswith("failure: ValueError: xxx") and len(failure) < 2100


def test_a_slow_notifier_keeps_no_trigger_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Deadline Alert runs in the triggerer, where all waits share one thread."""
    monkeypatch.setenv("DRUGS_RS_NOTIFIERS", json.dumps([{"class": "notifiers.Slow"}]))

    async def triggerer() -> None:
        told = asyncio.ensure_future(on_deadline(context={"dag_run": {"dag_id": "drug", "dag_run_id": "first"}}))
        await asyncio.sleep(0.1)
        Slow.others.set()
        await told

    asyncio.run(triggerer())
    assert Slow.others.is_set() and not Slow.waited_in_vain
