"""Operators one by one: what they pass on, refuse, log and stop."""

from __future__ import annotations

import datetime
import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest

from drugs_rs.airflow import (
    AnswerOperator,
    BronzeOperator,
    GoldOperator,
    QualityOperator,
    SilverOperator,
    asset,
    partition_of,
)
from drugs_rs.airflow.compat import AIRFLOW_3, AirflowException, AirflowFailException
from drugs_rs.airflow.links import address
from drugs_rs.airflow.quality import Thresholds, judge
from drugs_rs.airflow.reports import MOST_ENTRIES, bounded, tell
from drugs_rs.airflow.steps import Step

DT = "2024-03-01"
LOG = logging.getLogger("tests")


def test_bronze_takes_the_words_of_gcs_to_gcs() -> None:
    task = BronzeOperator(
        task_id="copy",
        table="pubmed",
        name="pubmed_a",
        source_bucket="landing",
        source_object=["a/*.json", "b.json"],
        destination_bucket="lakes",
        destination_object="drugs/lake/",
        dt=DT,
    )
    assert task.keywords() == {
        "out": "gs://lakes/drugs/lake",
        "dt": DT,
        "pubmed": ["gs://landing/a/*.json", "gs://landing/b.json"],
        "name": "pubmed_a",
    }
    assert {"source_bucket", "source_object", "destination_bucket", "destination_object"} <= set(task.template_fields)


def test_uris_go_to_the_core_as_they_are() -> None:
    task = BronzeOperator(task_id="copy", table="drugs", sources="s3://a//b?c#d.csv", out="gs://bucket/x/../y", dt=DT)
    assert task.keywords() == {"out": "gs://bucket/x/../y", "dt": DT, "drugs": "s3://a//b?c#d.csv", "name": None}


@pytest.mark.parametrize("nothing", ["", "  ", "None", None, []])
def test_a_template_that_comes_to_nothing_is_told_with_what_to_set(nothing: Any, tmp_path: Path) -> None:
    task = BronzeOperator(task_id="copy", table="pubmed", name="pubmed_a", sources=nothing, out=str(tmp_path), dt=DT)
    with pytest.raises(AirflowFailException, match="`sources` of the task copy is .*set DRUGS_RS_PUBMED_A in the env"):
        task.execute({})
    with pytest.raises(AirflowFailException, match="`out` of the task gold is .*set DRUGS_RS_OUT in the environment"):
        GoldOperator(task_id="gold", out=nothing, dt=DT).execute({})
    assert not any(tmp_path.iterdir())


def test_a_run_without_logical_date_needs_the_parameter() -> None:
    dateless = SimpleNamespace(run_id="manual__x", logical_date=None)
    with pytest.raises(AirflowFailException, match="manual__x has no logical date.*the parameter `dt`"):
        partition_of({"dt": None}, dateless)
    assert partition_of({"dt": "2024-03-01"}, dateless) == "2024-03-01"
    with pytest.raises(AirflowFailException, match="the parameter `dt` is '01/03/2024': set it to a date such as"):
        partition_of({"dt": "01/03/2024"}, dateless)
    keyed = SimpleNamespace(run_id="k", logical_date=None, partition_key="2024-03-05")
    assert partition_of({}, keyed) == "2024-03-05"
    night = datetime.datetime(2024, 3, 1, 23, 30, tzinfo=datetime.timezone.utc)
    assert partition_of({}, SimpleNamespace(logical_date=night)) == "2024-03-01"


def test_a_partition_that_came_to_nothing_is_told_with_the_parameter(tmp_path: Path) -> None:
    """A message about the setting DRUGS_RS_DT, which does not exist, once helped nobody."""
    task = BronzeOperator(task_id="copy", table="drugs", sources="a.csv", out=str(tmp_path), dt="")
    with pytest.raises(AirflowFailException) as refused:
        task.execute({})
    assert "trigger it with the parameter `dt`" in str(refused.value)
    assert "DRUGS_RS" not in str(refused.value)


def event(**fields: Any) -> Any:
    return SimpleNamespace(**fields)


def test_a_run_that_assets_triggered_is_for_the_partition_of_their_events() -> None:
    """In Airflow 2 such a run has the time of the event as its logical date, in Airflow 3 none."""
    now = datetime.datetime(2026, 11, 28, tzinfo=datetime.timezone.utc)
    for logical in (now, None):
        run = SimpleNamespace(run_id="r", logical_date=logical, run_type="dataset_triggered", partition_key=None)
        events = {"a": [event(extra={"dt": "2024-03-01"}), event(extra={"dt": "2024-03-03"})], "b": [event(extra={})]}
        assert partition_of({}, run, events) == "2024-03-03", "the newest"
        assert partition_of({"dt": "2024-03-02"}, run, events) == "2024-03-02"
        source = SimpleNamespace(run_id="s", logical_date=now, run_type="manual", conf={"dt": "2024-03-04"})
        assert partition_of({}, run, {"a": [event(extra={}, source_dag_run=source)]}) == "2024-03-04", "before 2.10"
        with pytest.raises(
            AirflowFailException, match="r was triggered by assets whose events have no `dt`.*parameter"
        ):
            partition_of({}, run, {"a": [event(extra={})]})


@pytest.mark.parametrize("isolation", ["process", "subprocess"])
@pytest.mark.parametrize(
    ("content", "dt", "kind", "told"),
    [
        ("atccode,drug\nA01,B\n", "yesterday", "ArgumentError", "yesterday"),
        ("a,b\n1,2\n", DT, "SchemaError", "missing columns"),
        ("", DT, "FormatError", "drugs.csv"),
    ],
)
def test_what_will_fail_again_is_not_retried_and_keeps_its_class(
    content: str, dt: str, kind: str, told: str, isolation: str, tmp_path: Path
) -> None:
    """A bad file in a child once took four tries, and its alert had no class and a message without the cause."""
    (tmp_path / "drugs.csv").write_text(content, encoding="utf-8")
    lake: dict[str, Any] = {"out": str(tmp_path / "lake"), "isolation": isolation}
    copy = BronzeOperator(task_id="copy", table="drugs", sources=str(tmp_path / "drugs.csv"), dt=DT, **lake)
    copy.execute({})
    with pytest.raises(AirflowFailException) as refused:
        SilverOperator(task_id="silver", table="drugs", dt=dt, **lake).execute({})
    assert str(refused.value).startswith(f"{kind}: ") and told in str(refused.value)
    assert type(refused.value.__cause__).__name__ == kind


@pytest.mark.parametrize("isolation", ["process", "subprocess"])
def test_a_delivery_of_another_size_is_refused_or_told(
    isolation: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lake: dict[str, Any] = {"out": str(tmp_path / "lake"), "dt": DT, "isolation": isolation}
    source = tmp_path / "drugs.csv"

    def deliver(rows: int, share: str | None) -> Any:
        names = "".join(f"A0{number},VELORIN{number}A\n" for number in range(rows))
        source.write_text("atccode,drug\n" + names, encoding="utf-8")
        BronzeOperator(task_id="copy", table="drugs", sources=str(source), **lake).execute({})
        return SilverOperator(task_id="silver", table="drugs", expect_rows=share, **lake).execute({})

    deliver(9, "50%")
    with pytest.raises(AirflowFailException, match="RowCountError: .*: 4 kept rows, and the delivery that it replaces"):
        deliver(4, "50%")
    report = deliver(4, None)
    with caplog.at_level(logging.WARNING):
        tell(report, LOG)
    assert report["shrunk"] == [{"table": "drugs", "dt": DT, "rows_before": 9, "rows": 4}]
    assert f"drugs of dt={DT} has fewer rows than the delivery that it replaces: 9 before, 4 now" in caplog.text


@pytest.mark.parametrize("isolation", ["process", "subprocess"])
def test_what_a_retry_may_help_keeps_its_class(isolation: str, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file where the lake should be", encoding="utf-8")
    with pytest.raises(AirflowException, match="^StorageError: ") as refused:
        bronze_step(samples, tmp_path / "lake", isolation).run()
    assert not isinstance(refused.value, AirflowFailException)
    assert isinstance(refused.value.__cause__, OSError)


def test_a_child_that_cannot_start_is_told_by_its_own_words(samples: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "drugs_rs").mkdir()
    (tmp_path / "drugs_rs" / "__init__.py").write_text("raise ImportError('no such library')", encoding="utf-8")
    with pytest.raises(AirflowException, match="ended with exit code 1: .*ImportError: no such library"):
        bronze_step(samples, tmp_path / "lake", "subprocess").run()


def bronze_step(samples: Path, lake: Path, isolation: str, log: logging.Logger = LOG) -> Step:
    keywords = {"drugs": str(samples / "drugs.csv"), "out": str(lake), "dt": DT}
    return Step("bronze", keywords, isolation, log)


def test_a_child_that_is_killed_is_a_matter_for_a_retry(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    with (tmp_path / "lake" / ".lock").open("wb") as lock:  # keeps the step at work until it is killed
        fcntl.flock(lock, fcntl.LOCK_EX)
        step = bronze_step(samples, tmp_path / "lake", "subprocess")

        def out_of_memory() -> None:
            child = step._child  # noqa: SLF001
            assert child is not None
            child.kill()

        after(1.0, out_of_memory)
        with pytest.raises(
            AirflowException, match="was ended by SIGKILL; the machine may have run out of memory"
        ) as told:
            step.run()
    assert not isinstance(told.value, AirflowFailException)
    assert not (tmp_path / "lake" / "bronze").exists()


def test_a_child_s_progress_reaches_the_log(samples: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "lake").mkdir()
    with (tmp_path / "lake" / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        after(3.5, lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        with caplog.at_level(logging.INFO):
            report = bronze_step(samples, tmp_path / "lake", "subprocess").run()
    assert report["outputs"]
    assert any("bytes read" in record.getMessage() for record in caplog.records)


def test_the_core_s_progress_reaches_the_log(samples: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "lake").mkdir()
    with (tmp_path / "lake" / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        after(3.5, lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        with caplog.at_level(logging.INFO):
            bronze_step(samples, tmp_path / "lake", "process").run()
    (record,) = [record for record in caplog.records if record.name == "drugs_rs"]
    assert record.getMessage().startswith("bronze: ") and "bytes read" in record.getMessage()


def after(seconds: float, act: Callable[[], Any]) -> None:
    """Do something in a moment, from another thread: this one is at work."""
    import threading

    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


@pytest.mark.parametrize("isolation", ["process", "subprocess"])
def test_a_signal_to_the_task_stops_the_step_within_seconds(isolation: str, tmp_path: Path) -> None:
    """As Airflow does it: a handler that calls on_kill and, on Airflow 2, raises; here on a source that takes long."""
    source, lake = tmp_path / "long.csv", tmp_path / "lake"
    with source.open("wb") as file:
        file.truncate(16 << 30)  # a hole: it takes no room, and reading it takes longer than this test
    task = BronzeOperator(task_id="copy", table="drugs", sources=str(source), out=str(lake), dt=DT, isolation=isolation)

    def terminated(_number: int, _frame: Any) -> None:
        task.on_kill()
        if not AIRFLOW_3:
            raise AirflowException("Task received SIGTERM signal")

    before = signal.signal(signal.SIGTERM, terminated)
    after(1.0, lambda: os.kill(os.getpid(), signal.SIGTERM))
    started = time.monotonic()
    try:
        with pytest.raises(AirflowException):
            task.execute({})
    finally:
        signal.signal(signal.SIGTERM, before)
    assert time.monotonic() - started < 1 + 8, "seconds, on a busy machine too"
    assert not (lake / "bronze").exists()


def test_execution_timeout_stops_the_core(tmp_path: Path) -> None:
    """Airflow's own time-out, around a step in this process."""
    if AIRFLOW_3:
        from airflow.sdk.exceptions import AirflowTaskTimeout
        from airflow.sdk.execution_time.timeout import timeout
    else:
        from airflow.exceptions import AirflowTaskTimeout
        from airflow.utils.timeout import timeout

    source, lake = tmp_path / "long.csv", tmp_path / "lake"
    with source.open("wb") as file:
        file.truncate(16 << 30)
    task = BronzeOperator(task_id="copy", table="drugs", sources=str(source), out=str(lake), dt=DT)
    started = time.monotonic()
    with pytest.raises(AirflowTaskTimeout):
        with timeout(1):
            task.execute({})
    task.on_kill()  # what Airflow 3 does then: there is nothing left to stop, and nothing is raised
    assert time.monotonic() - started < 1 + 8
    assert not (lake / "bronze").exists()


def test_the_task_s_parent_may_have_imported_everything(samples: Path, tmp_path: Path) -> None:
    """Airflow forks a task from a process that has parsed the DAG: the engine works in that child."""
    program = (
        "import os, sys\n"
        "from drugs_rs.airflow import BronzeOperator, SilverOperator, GoldOperator\n"
        f"task = BronzeOperator(task_id='copy', table='drugs', sources={str(samples / 'drugs.csv')!r},"
        f" out={str(tmp_path / 'lake')!r}, dt={DT!r})\n"
        "assert 'drugs_rs._core' not in sys.modules\n"
        "for _ in range(2):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        os._exit(0 if task.execute({})['outputs'] else 3)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "assert 'drugs_rs._core' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120, check=False, text=True)
    assert done.returncode == 0, done.stderr


def test_reports_stay_small_in_xcom() -> None:
    source = {"uri": "a.csv", "bytes": 1}
    report = {"step": "gold", "sources": [source] * 1000, "outputs": [], "steps": [{}]}
    small = bounded(report, "gs://lake/reports/x.json")
    assert (len(small["sources"]), small["sources_left_out"]) == (MOST_ENTRIES, 1000 - MOST_ENTRIES)
    assert small["report_uri"] == "gs://lake/reports/x.json" and "steps" not in small


def test_links_and_assets() -> None:
    assert address("gs://b/lake/reports/gold/x.json").endswith("/storage/browser/_details/b/lake/reports/gold/x.json")
    assert address("/lake/x.json") == "file:///lake/x.json"
    assert asset("gs://b/lake/", "gold", "drug_graph.json").uri == "gs://b/lake/gold/drug_graph.json"
    assert asset("/data/lake", "gold").uri == "file:///data/lake/gold"


def report(**rows: int) -> dict[str, Any]:
    """A report of silver with these counts."""
    counts = {f"rows_{part}": rows.get(part, 0) for part in ("in", "kept", "merged", "rejected")}
    source = {"uri": "p.csv", "table": "pubmed", **counts}
    return {
        "step": "silver",
        "sources": [source],
        "flags": {"bad_date": rows.get("bad_date", 0)},
        "rejected": {},
        **counts,
    }


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({"in": 10, "kept": 9}, "rows in are not rows kept"),
        ({"in": 10, "kept": 5, "rejected": 5}, "pubmed: 5 of 10 rows rejected, 50.0 % and at most 20.0 % pass"),
        ({"in": 0}, "pubmed: 0 rows kept, expected at least 1"),
        ({"in": 4, "kept": 4, "bad_date": 3}, "pubmed: 3 of 4 rows have the flag bad_date, 75.0 % and at most 50.0 %"),
    ],
)
def test_what_the_gate_refuses(rows: dict[str, int], told: str) -> None:
    gate: dict[str, Any] = {"max_rejected_share": 0.2, "max_flag_shares": {"bad_date": 0.5}, "min_rows": 1}
    with pytest.raises(AirflowFailException) as refused:
        judge([report(**rows)], Thresholds(**gate), LOG)
    assert told in str(refused.value)
    assert isinstance(refused.value, ValueError)


@pytest.fixture
def delivered(samples: Path, tmp_path: Path) -> Path:
    """A lake in which silver has cleaned a day."""
    words = ["run", "--drugs", str(samples / "drugs.csv"), "--out", str(tmp_path / "lake"), "--dt", DT, "--quiet"]
    subprocess.run([sys.executable, "-m", "drugs_rs", *words], check=True, timeout=60)
    return tmp_path / "lake"


@pytest.mark.parametrize("isolation", ["process", "subprocess"])
def test_the_gate_holds_what_it_refuses_and_releases_what_it_lets_pass(isolation: str, delivered: Path) -> None:
    def gate(*reports: Any) -> QualityOperator:
        return QualityOperator(task_id="gate", reports=list(reports), out=str(delivered), dt=DT, isolation=isolation)

    good, poor = report(**{"in": 10, "kept": 8, "merged": 1, "rejected": 1}), report(**{"in": 10, "rejected": 10})
    found = gate(good).execute({})
    assert found["passed"] and found["tables"]["pubmed"]["rejected_share"] == 0.1
    assert found["released"] is False
    file = delivered / "silver" / "held" / f"dt={DT}.json"
    for task in (gate(poor), gate(poor)):  # the second is a cleared task
        with pytest.raises(AirflowFailException) as refused:
            task.execute({})
        held = json.loads(file.read_text(encoding="utf-8"))
        assert (held["dt"], held["reason"]) == (DT, str(refused.value))
        assert "10 of 10 rows rejected" in held["reason"]
    with pytest.raises(AirflowFailException, match="clear the silver tasks"):
        gate(None).execute({})
    assert "left no report" in file.read_text(encoding="utf-8"), "nobody has judged it"
    assert gate(good).execute({})["released"] is True
    assert not file.exists()
    assert gate(good).execute({})["released"] is False
    # The list of a table's many faults is longer than a reason may be.
    flags = {f"flag{number}": 0.0 for number in range(40)}
    wordy = {**poor, "rows_kept": 8, "rows_in": 18, "flags": dict.fromkeys(flags, 5)}
    task = gate(wordy)
    task.max_flag_shares = flags
    with pytest.raises(AirflowFailException) as refused:
        task.execute({})
    assert len(str(refused.value)) > 4000
    reason = json.loads(file.read_text(encoding="utf-8"))["reason"]
    assert len(reason) == 4000 and reason.endswith("(the log of the gate has the rest)")


@pytest.mark.parametrize("isolation", ["process", "subprocess"])
def test_a_poor_day_that_cannot_be_held_back_is_told_with_both_reasons(isolation: str, tmp_path: Path) -> None:
    task = QualityOperator(task_id="gate", reports=[report()], out=str(tmp_path / "no"), dt=DT, isolation=isolation)
    with pytest.raises(AirflowException) as refused:
        task.execute({})
    told = str(refused.value)
    assert "pubmed: 0 rows kept" in told and f"dt={DT} could NOT be held back" in told
    assert "the folder of a lake" in told
    assert not isinstance(refused.value, ValueError), "not the refusal of a day that is held back"
    nowhere = QualityOperator(task_id="gate", reports=[report()], out="None", dt=DT)
    with pytest.raises(AirflowFailException, match="`out` of the task gate is .*set DRUGS_RS_OUT in the environment"):
        nowhere.execute({})


def test_an_answer_needs_a_graph_that_has_come_so_far(samples: Path, tmp_path: Path) -> None:
    lake = str(tmp_path / "lake")
    words = ["run", "--drugs", str(samples / "drugs.csv"), "--out", lake, "--dt", DT, "--quiet"]
    subprocess.run([sys.executable, "-m", "drugs_rs", *words], check=True, timeout=60)
    found = AnswerOperator(task_id="a", answer="exclusive_drugs", out=lake, dt=DT, most=2).execute({})
    assert (found["entries"], len(found["shown"]), found["as_of"]) == (11, 2, DT)
    with pytest.raises(AirflowFailException, match="stands at 2024-03-01 and this run is for 2024-03-02"):
        AnswerOperator(task_id="b", answer="top_journals", out=lake, dt="2024-03-02").execute({})
    with pytest.raises(AirflowFailException, match="SourceNotFoundError"):
        AnswerOperator(task_id="c", answer="top_journals", out=str(tmp_path / "no_lake"), dt=DT).execute({})


def test_a_slow_run_reaches_the_log(
    heard: Callable[..., list[dict[str, Any]]], caplog: pytest.LogCaptureFixture
) -> None:
    import asyncio

    from drugs_rs.airflow.alerts import on_deadline, on_sla_miss

    caplog.set_level(logging.INFO)
    on_sla_miss(SimpleNamespace(dag_id="drug"), "top_journals_gold", "drug_graph_gold", [], [])
    asyncio.run(on_deadline(context={"dag_run": {"dag_id": "drug", "dag_run_id": "r1"}}))
    first, second = heard("slow")
    assert (first["kind"], first["dag_id"]) == ("slow", "drug") and "drug_graph_gold" in first["message"]
    assert second["dag_id"] == "drug" and "r1" in second["message"]
    assert "DRUGS_RS_SLOW_RUN_HOURS" in second["hint"]
