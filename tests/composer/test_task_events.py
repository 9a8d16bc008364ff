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
from fired_alerts import events_of, fired, lines_of
from log_filter import metrics

import drugs_rs
from drugs_rs.airflow import (
    BronzeOperator,
    GoldOperator,
    LakeToDuckDBOperator,
    LakeWatchOperator,
    SilverOperator,
    alerts,
    lake_watch,
    on_failure,
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


class Refusing(logging.Handler):
    """A handler that raises, as one may whose server is gone."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError(record.getMessage())


def test_no_task_fails_because_of_its_line() -> None:
    """A committed step failed at its `end` line, and was run again."""
    handler = Refusing()
    logging.getLogger("drugs_rs.event").addHandler(handler)
    try:
        assert Ending(end={"rows": 1}).execute(context_of()) == {"rows": 1}
        with pytest.raises(AirflowFailException, match="its own error"):
            Ending(end=AirflowFailException("its own error")).execute(context_of())
    finally:
        logging.getLogger("drugs_rs.event").removeHandler(handler)


@pytest.mark.parametrize(
    "returned",
    [
        {"rows_in": 3},  # no rows_rejected
        {"step": "bronze", "sources": [{}]},
        {"step": "gold", "as_of": "yesterday"},
        {"tables": {"drugs": {}}},
        {"lost": {"pairs": "many"}},
    ],
)
def test_a_report_of_another_form_leaves_out_the_numbers_alone(
    returned: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    task = Ending(end=returned)
    assert task.execute(context_of()) == returned
    assert [event["event"] for event in events_of(caplog.records)] == ["start", "end"]


def test_numbers_that_json_lacks_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """A collector does not read a line with NaN, so its alert would not fire."""
    error = QualityError("x")
    error.incident, error.numbers = "rejected_share", {"rejected_share": float("nan"), "rows": 10**400}
    line = last_line(error, context_of(), caplog)
    assert (line["incident"], line["numbers"]) == ("rejected_share", {"rows": 10**400})


def test_errors_behind_each_other_end(caplog: pytest.LogCaptureFixture) -> None:
    """`raise a from b` while b came from a: looking for the cause never ended, with the task at full load."""
    one, other = AirflowException("one"), OSError("other")
    one.__cause__, other.__cause__ = other, one
    other.numbers = 7  # type: ignore[attr-defined]  # of another package
    line = last_line(one, context_of(), caplog)
    assert (line["error"], line["numbers"]) == ("OSError", {})


def test_an_error_that_was_left_out_on_purpose_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    error = AirflowFailException("x")
    error.__context__, error.__suppress_context__ = KeyError("x"), True
    assert last_line(error, context_of(), caplog)["error"] == "AirflowFailException"


@pytest.mark.parametrize("name", ["caf\udce9.csv", 'a"b\n{"kind": "slow"}', "\x1b[31m", "é"])
def test_any_name_gives_one_line_that_can_be_written(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The name of a file that is not UTF-8 has surrogates: no handler could write the line, and no alert fired."""
    file = tmp_path / "log"
    handler = logging.FileHandler(file, encoding="utf-8")
    loggers = [logging.getLogger(each) for each in ("drugs_rs.event", "drugs_rs.alert")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        context = {**context_of(), "run_id": name, "dag_run": SimpleNamespace(run_id=name, conf=None)}
        with pytest.raises(AirflowFailException):
            Ending(end=AirflowFailException(name)).execute(context)
        on_failure({**context, "exception": AirflowFailException(name)})
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()
    start, end, alert = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line[:1] == "{")
    assert end["drugs_rs_event"]["run_id"] == alert["drugs_rs_alert"]["run_id"] == name
    assert set(fired(caplog.records)) == {"load_failed", "failed_run"}
    assert start["drugs_rs_event"]["event"] == "start"


def test_an_error_that_cannot_describe_itself_has_its_alert(caplog: pytest.LogCaptureFixture) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    on_failure({**context_of(), "exception": Mute()})
    (line,) = lines_of(caplog.records)
    assert line["message"] == "Mute: its text cannot be read (RuntimeError)"


def test_a_handler_that_raises_does_not_stop_the_notifiers(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    monkeypatch.setattr(alerts, "_notifiers", lambda: [{"class": "x"}])
    monkeypatch.setattr(alerts, "_send", lambda _, context: called.append(context["alert"]["kind"]))
    handler = Refusing()
    logging.getLogger("drugs_rs.alert").addHandler(handler)
    try:
        on_failure({**context_of(), "exception": OSError("x")})
    finally:
        logging.getLogger("drugs_rs.alert").removeHandler(handler)
    assert called == ["failure"]


@pytest.mark.parametrize(
    ("as_of", "held", "found"),
    [
        (0, [], []),
        (-1, [-1], []),
        # A mistyped day: gold was fresh until 2204, whatever came after it.
        (-65_000, [], ["stale_gold"]),
        (0, [-65_000], ["held_day"]),
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
    # What the alert *silent watch* counts.
    lines = [{"jsonPayload": line} for line in lines_of(caplog.records)]
    assert [metrics()["drugs_rs_watch"](line) for line in lines] == [False] * (len(lines) - 1) + [True]


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


def test_the_watch_logs_each_missed_objective(samples: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Three deliveries of two rows and one of nine, of which three are rejected; the age of gold has its own line."""
    lake = tmp_path / "lake"
    given = tmp_path / "pubmed.csv"
    for day, rows in enumerate((2, 2, 2, 9), start=1):
        titles = "".join(f"{day}{row},{'' if row > 5 else 'Ibuprofen'},2020,Annals\n" for row in range(rows))
        given.write_text(f"id,title,date,journal\n{titles}", encoding="utf-8")
        drugs_rs.run(drugs=samples / "drugs.csv", pubmed=given, lake=lake, dt=f"2024-01-0{day}")
    caplog.clear()
    LakeWatchOperator(task_id="watch", lake=str(lake), contract="default").execute({})
    found = [event for event in events_of(caplog.records) if event["event"] == "finding"]
    assert [(event["incident"], event["numbers"]) for event in found if event["incident"] != "stale_gold"] == [
        ("missed_objective", {"volume_pubmed": 6.0}),
        ("missed_objective", {"rejectedShare_pubmed": pytest.approx(100 / 3, abs=1e-5)}),
    ]
    assert {event["dt"] for event in found} == {"2024-01-04"}


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
