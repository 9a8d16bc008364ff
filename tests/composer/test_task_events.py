"""The structured lines of tasks and their metrics: every kind of end, no text of an error, no failure by them."""

from __future__ import annotations

import datetime
import importlib.util
import json
import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from conftest import ROOT
from fired_alerts import events_of, lines_of

import drugs_rs
from drugs_rs.airflow import (
    BronzeOperator,
    GoldOperator,
    LakeToDuckDBOperator,
    LakeWatchOperator,
    SilverOperator,
    lake_watch,
    run_metrics,
)
from drugs_rs.airflow.compat import (
    AIRFLOW_3,
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
    BaseOperator,
    TaskDeferred,
    airflow_stats,
)
from drugs_rs.airflow.quality import QualityError
from drugs_rs.airflow.task_events import EVENTS, FIELDS, INCIDENTS, age_in_days, logged

DAY = "2024-03-01"
SECRET = "row 7: ASPIRIN for Mrs Smith"


class Ending(BaseOperator):  # type: ignore[misc]
    """A task that ends as it is told."""

    step = "load"
    incident_of_failure = "load_failed"
    dt = DAY

    def __init__(self, *, end: Any, **keywords: Any) -> None:
        super().__init__(task_id="ending", **keywords)
        self.end = end

    @logged
    def execute(self, context: Any) -> Any:  # noqa: ARG002
        """End."""
        if isinstance(self.end, BaseException):
            raise self.end
        return self.end


def context_of(try_number: int = 1, max_tries: int = 0) -> dict[str, Any]:
    ti = SimpleNamespace(dag_id="drug", task_id="ending", map_index=-1, try_number=try_number, max_tries=max_tries)
    return {"ti": ti, "dag_run": SimpleNamespace(run_id="first")}


def last_line(end: Any, context: Any, caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    task = Ending(end=end)
    if isinstance(end, BaseException):
        with pytest.raises(type(end)):
            task.execute(context)
    else:
        assert task.execute(context) == end
    first, last = lines_of(caplog.records)
    assert first["severity"] == "INFO" and first["drugs_rs_event"]["event"] == "start"
    assert tuple(first["drugs_rs_event"]) == tuple(last["drugs_rs_event"]) == FIELDS
    assert SECRET not in json.dumps([first, last])
    return {"severity": last["severity"], **last["drugs_rs_event"]}


def deferred() -> Any:
    return TaskDeferred(trigger=None, method_name="execute")


@pytest.fixture(autouse=True)
def plain_log(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("drugs_rs").propagate = True
    caplog.set_level(logging.INFO)


@pytest.mark.parametrize(
    ("end", "event", "severity"),
    [
        ({"rows": 3}, "end", "INFO"),
        (None, "end", "INFO"),
        (AirflowSkipException(SECRET), "skip", "INFO"),
        (AirflowRescheduleException(datetime.datetime.now(datetime.timezone.utc)), "wait", "INFO"),
        (deferred(), "wait", "INFO"),
        (AirflowFailException(SECRET), "failure", "ERROR"),
        (AirflowException(SECRET), "failure", "ERROR"),
        (SystemExit(143), "failure", "ERROR"),
    ],
)
def test_each_end_has_its_line(end: Any, event: str, severity: str, caplog: pytest.LogCaptureFixture) -> None:
    line = last_line(end, context_of(), caplog)
    assert (line["event"], line["severity"]) == (event, severity)
    assert event in EVENTS
    assert (line["dag_id"], line["task_id"], line["run_id"], line["dt"]) == ("drug", "ending", "first", DAY)
    assert line["incident"] == ("load_failed" if event == "failure" else "")
    assert line["seconds"] >= 0


@pytest.mark.parametrize(
    ("error", "try_number", "is_final"),
    [(AirflowException("x"), 1, False), (AirflowException("x"), 4, True), (AirflowFailException("x"), 1, True)],
)
def test_a_failure_that_is_retried_is_no_incident(
    error: BaseException, try_number: int, is_final: bool, caplog: pytest.LogCaptureFixture
) -> None:
    line = last_line(error, context_of(try_number, 3), caplog)
    assert (line["is_final"], line["incident"]) == (is_final, "load_failed" if is_final else "")
    assert line["severity"] == ("ERROR" if is_final else "WARNING")


def test_the_error_behind_is_named_and_its_numbers_are_taken(caplog: pytest.LogCaptureFixture) -> None:
    """A gate that could not hold its day raises another error, with the refusal behind it."""
    refusal = QualityError(SECRET)
    refusal.incident, refusal.numbers = "rejected_share", {"rows_rejected": 9}
    error = AirflowFailException(SECRET)
    error.__cause__ = drugs_rs.exceptions.StorageError(SECRET)
    error.__cause__.__context__ = refusal
    line = last_line(error, context_of(), caplog)
    assert (line["incident"], line["numbers"]) == ("rejected_share", {"rows_rejected": 9})
    assert (line["error"], line["incident"] in INCIDENTS) == ("StorageError", True)


@pytest.mark.parametrize(
    "returned",
    [{"rows": SECRET, "entries": True, "shown": {SECRET: 1}}, [SECRET], {"mentions": 4, "reason": SECRET}],
)
def test_only_numbers_are_taken(returned: Any, caplog: pytest.LogCaptureFixture) -> None:
    numbers = last_line(returned, {}, caplog)["numbers"]
    assert numbers == ({"mentions": 4} if "mentions" in returned else {})


def test_the_numbers_are_those_of_the_whole_report(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A report with more files than a task returns."""
    for number in range(60):
        (tmp_path / f"{number}.csv").write_text("id,title,date,journal\n", encoding="utf-8")
    task = BronzeOperator(
        task_id="many", table="pubmed", sources=str(tmp_path / "*.csv"), out=str(tmp_path / "lake"), dt=DAY
    )
    assert len(task.execute({})["sources"]) == 50
    assert events_of(caplog.records)[-1]["numbers"] == {"bytes": 60 * len("id,title,date,journal\n")}


def test_a_date_in_the_future_has_no_age() -> None:
    assert age_in_days("9999-01-01") == 0
    yesterday = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=1)
    assert age_in_days(yesterday.isoformat()) == 1


@pytest.mark.parametrize(
    ("as_of", "held", "found"),
    [
        (0, [], []),
        (2, [2], []),
        (3, [], ["stale_gold"]),
        (None, [], ["stale_gold"]),
        (0, [1, 3, 9], ["held_day", "held_day"]),
    ],
)
def test_the_watch_judges_ages(
    as_of: int | None,
    held: list[int],
    found: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    today = datetime.datetime.now(datetime.timezone.utc).date()

    def ago(days: int) -> str:
        return (today - datetime.timedelta(days=days)).isoformat()

    standing = {"as_of": None if as_of is None else ago(as_of), "held": [ago(days) for days in held]}
    monkeypatch.setattr(lake_watch, "Step", lambda *_: SimpleNamespace(run=lambda: standing, stop=lambda: None))
    returned = LakeWatchOperator(task_id="watch", lake="lake").execute({})
    assert returned["held_days"] == len(held)
    assert [event["incident"] for event in events_of(caplog.records) if event["event"] == "finding"] == found


def test_a_lake_without_gold_and_no_lake(samples: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lake = tmp_path / "lake"
    with pytest.raises(AirflowFailException, match="SourceNotFoundError"):
        LakeWatchOperator(task_id="watch", lake=str(lake)).execute({})
    drugs_rs.bronze(drugs=samples / "drugs.csv", out=lake, dt=DAY)
    drugs_rs.silver(out=lake, dt=DAY)
    for isolation in ("process", "subprocess"):
        caplog.clear()
        watch = LakeWatchOperator(task_id="watch", lake=str(lake), isolation=isolation)
        returned = watch.execute({"params": {"dt": DAY}})
        assert returned == {"as_of": None, "held": [], "held_days": 0}
        assert [event["incident"] for event in events_of(caplog.records)] == ["", "stale_gold", ""]
        # The line about gold once had the day of the run, as if gold had reached it.
        assert [event["dt"] for event in events_of(caplog.records)] == [DAY, None, DAY]
        assert [line["message"] for line in lines_of(caplog.records)][1] == "watch: stale_gold"


def test_an_argument_that_is_empty_names_its_setting_if_it_has_one() -> None:
    """Without `out` the watch once asked for DRUGS_RS_LAKE, which is no setting, or looked at a stranger's lake."""
    with pytest.raises(AirflowFailException, match=r"`lake` .* for dags/drug\.py: set DRUGS_RS_OUT in the environment"):
        LakeWatchOperator(task_id="watch", lake="").execute({})
    with pytest.raises(AirflowFailException, match="`database` of the task load is '' .*: pass a value$"):
        LakeToDuckDBOperator(task_id="load", lake="lake", database="").execute({})


def test_the_dag_of_the_examples_watches_the_lake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DRUGS_RS_OUT", str(tmp_path / "lake"))
    spec = importlib.util.spec_from_file_location("drug_watch", ROOT / "examples" / "airflow" / "drug_watch.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "drug_watch", module)
    spec.loader.exec_module(module)
    (task,) = module.dag.tasks
    assert (task.lake, task.max_gold_age_days, task.max_held_days) == (str(tmp_path / "lake"), 2, 2)
    assert module.dag.on_failure_callback and task.on_failure_callback


class Client:
    """A client of StatsD that remembers, behind Airflow's own logger, which checks names."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}

    def gauge(self, name: str, value: float, *_: Any) -> None:
        """Remember it."""
        self.sent[name] = value

    incr = gauge


@pytest.fixture
def statsd(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Airflow's StatsD, with a client that remembers instead of its own."""
    client: Any = Client()
    if AIRFLOW_3:
        from airflow.sdk._shared.observability.metrics import stats
        from airflow.sdk._shared.observability.metrics.statsd_logger import SafeStatsdLogger

        monkeypatch.setattr(stats, "_backend", SafeStatsdLogger(client))
    else:
        from airflow.stats import Stats

        try:
            from airflow.metrics.statsd_logger import SafeStatsdLogger  # 2.7 and newer
        except ImportError:
            from airflow.stats import SafeStatsdLogger

        monkeypatch.setattr(type(Stats), "instance", SafeStatsdLogger(client), raising=False)
        monkeypatch.setattr(Stats, "instance", SafeStatsdLogger(client), raising=False)
    return client


@pytest.fixture
def lake(samples: Path, tmp_path: Path) -> str:
    """A lake with bronze."""
    drugs_rs.bronze(drugs=samples / "drugs.csv", out=tmp_path / "lake", dt=DAY)
    drugs_rs.bronze(clinical_trials=samples / "clinical_trials.csv", out=tmp_path / "lake", dt=DAY)
    return str(tmp_path / "lake")


def test_metrics_go_where_airflow_sends_its_own(statsd: Client, lake: str) -> None:
    for table in ("drugs", "clinical_trials"):
        SilverOperator(task_id="silver", table=table, out=lake, dt=DAY).execute({})
    assert statsd.sent["drugs_rs.rows_rejected.clinical_trials"] == 1
    assert statsd.sent["drugs_rs.rejected_share.drugs"] == 0
    GoldOperator(task_id="gold", out=lake, dt=DAY).execute({})
    assert statsd.sent["drugs_rs.mentions"] > 0 and statsd.sent["drugs_rs.gold_age_days"] > 900
    assert statsd.sent["drugs_rs.step_seconds.gold"] >= 0
    with pytest.raises(AirflowFailException):
        Ending(end=AirflowFailException("x")).execute(context_of())
    assert statsd.sent["drugs_rs.failures.load"] == statsd.sent["drugs_rs.incidents.load_failed"] == 1
    assert Ending(end={"lost": {"mentions": 5, "pairs": 4}}).execute({})
    assert (statsd.sent["drugs_rs.mentions_lost"], statsd.sent["drugs_rs.pairs_lost"]) == (5, 4)


def broken(*_: Any, **__: Any) -> None:
    raise OSError("no server")


@pytest.mark.parametrize("stats", [lambda: None, broken, lambda: SimpleNamespace(gauge=broken, incr=broken)])
def test_no_task_fails_because_of_a_metric(stats: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_metrics, "airflow_stats", stats)
    assert Ending(end={"rows": 1}).execute(context_of()) == {"rows": 1}
    with pytest.raises(AirflowFailException):
        Ending(end=AirflowFailException("x")).execute(context_of())


def test_this_version_has_metrics() -> None:
    stats = airflow_stats()
    assert callable(stats.gauge) and callable(stats.incr)
