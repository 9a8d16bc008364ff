"""A game day: the pipeline is broken in one way after another, and exactly the expected alerts fire.

The alerts are the policies of `monitoring/alerts`, whose filters are evaluated on the lines that real runs log.
"""

from __future__ import annotations

import asyncio
import datetime
import json
from pathlib import Path
from typing import Any, Callable

import pytest
from bucket_peers import Google
from conftest import SOURCES, settings_of
from fired_alerts import events_of, fired
from running import run

import drugs_rs
from drugs_rs.airflow.compat import AIRFLOW_3, AIRFLOW_VERSION

# The version between logs as the oldest one does; a game day takes half a minute.
pytestmark = pytest.mark.skipif((2, 7) <= AIRFLOW_VERSION < (3, 0), reason="the oldest and the newest have a game day")
DAY = "2024-03-01"
OTHERS = """
import datetime
from drugs_rs.airflow import LakeDiffOperator, LakeToDuckDBOperator, LakeWatchOperator, on_failure
from drugs_rs.airflow.compat import DAG

LAKE = {lake!r}
with DAG("game", start_date=datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc), schedule=None):
    LakeDiffOperator(task_id="diff", lake=LAKE, on_failure_callback=on_failure)
    LakeToDuckDBOperator(task_id="load", lake=LAKE, database="/dev/null/no/such.duckdb")
    LakeWatchOperator(task_id="watch", lake=LAKE, contract="default")
"""


@pytest.fixture
def landing(samples: Path, tmp_path: Path) -> dict[str, Path]:
    """The sample deliveries in files that a test may break, and twenty good articles."""
    (tmp_path / "landing").mkdir()
    files = {name: tmp_path / "landing" / file for name, file in SOURCES.items()}
    for name, file in SOURCES.items():
        files[name].write_bytes((samples / file).read_bytes())
    articles(files["pubmed_a"], 0)
    return files


def articles(file: Path, damaged: int) -> None:
    """Write twenty articles, of which some have a title that is gone."""
    rows = [f"{number},{'' if number <= damaged else 'Warfarin'},2024-01-02,Annals" for number in range(1, 21)]
    file.write_text("\n".join(["id,title,date,journal", *rows]) + "\n", encoding="utf-8")


def day_of(make_dag: Callable[..., Any], landing: dict[str, Path], out: object, **settings: Any) -> dict[str, str]:
    """Run the DAG once on the landing files."""
    given = {name: str(path) for name, path in landing.items()}
    everything = {**settings_of(landing["drugs"].parent, Path("unused")), **given, "out": str(out), **settings}
    return run(make_dag(**everything), DAY)


def test_a_good_day_fires_nothing(
    make_dag: Callable[..., Any], landing: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    states = day_of(make_dag, landing, tmp_path / "lake")
    assert set(states.values()) == {"success"}
    assert fired(caplog.records) == {}
    events = events_of(caplog.records)
    for task_id in states:
        (start, end) = [event for event in events if event["task_id"] == task_id]
        assert (start["event"], end["event"]) == ("start", "end"), task_id
        assert {end["dt"], start["dt"]} == {DAY} and end["run_id"] and end["dag_id"] == "drug"
        assert end["seconds"] >= 0 and start["seconds"] is None
    numbers = {event["task_id"]: event["numbers"] for event in events if event["event"] == "end"}
    assert numbers["pubmed_a_bronze"] == {"bytes": landing["pubmed_a"].stat().st_size}
    assert numbers["clinical_trials_silver"]["rows_rejected"] == 1
    assert numbers["silver_quality"]["rows_in"] == sum(numbers[f"{table}_silver"]["rows_in"] for table in SILVER)
    gold = numbers["drug_graph_gold"]
    assert gold["mentions"] > 20 and gold["held_days"] == 0 and gold["gold_age_days"] > 900


SILVER = ("drugs", "clinical_trials", "pubmed")


def missing_file(landing: dict[str, Path]) -> dict[str, Any]:
    landing["pubmed_b"].unlink()
    return {"sensor_timeout_hours": 0.0}


def cut_file(landing: dict[str, Path]) -> None:
    whole = landing["pubmed_b"].read_bytes()
    landing["pubmed_b"].write_bytes(whole[: len(whole) // 2])


def damaged_titles(landing: dict[str, Path]) -> None:
    articles(landing["pubmed_a"], 10)


def no_vocabulary(landing: dict[str, Path]) -> None:
    landing["drugs"].write_text("atccode,drug\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("broken", "failed", "more"),
    [
        (missing_file, "pubmed_b_sensor", set()),
        (cut_file, "pubmed_silver", set()),
        (damaged_titles, "silver_quality", {"rejected_share"}),
        (no_vocabulary, "silver_quality", set()),
    ],
)
def test_a_broken_delivery(
    broken: Callable[[dict[str, Path]], Any],
    failed: str,
    more: set[str],
    make_dag: Callable[..., Any],
    landing: dict[str, Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = broken(landing) or {}
    states = day_of(make_dag, landing, tmp_path / "lake", **settings)
    assert [task_id for task_id, state in states.items() if state == "failed"] == [failed]
    found = fired(caplog.records)
    assert set(found) == {"failed_run"} | more
    assert found["failed_run"] == {failed, ""}, "the task, and its run"
    (event,) = [event for event in events_of(caplog.records) if event["event"] == "failure"]
    assert (event["task_id"], event["dt"], event["is_final"]) == (failed, DAY, True)
    if more:
        assert event["numbers"]["rows_rejected"] >= 10 and event["numbers"]["rejected_share"] > 0.25


def test_a_bucket_that_refuses_writes(
    google: Google, make_dag: Callable[..., Any], landing: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    google.service.trouble.refusal = (403, "AccessDenied", "The identity lacks storage.objects.create.")
    states = day_of(make_dag, landing, google.uri("lake"))
    failed = {task_id for task_id, state in states.items() if state == "failed"}
    assert failed and all(task_id.endswith("_bronze") for task_id in failed)
    assert fired(caplog.records) == {"failed_run": {*failed, ""}}
    assert {event["error"] for event in events_of(caplog.records) if event["event"] == "failure"} == {"StorageError"}


@pytest.mark.skipif(AIRFLOW_3, reason="Airflow 3 has Deadline Alerts")
def test_a_slow_run_misses_its_sla(
    make_dag: Callable[..., Any], landing: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from airflow.callbacks.callback_requests import SlaCallbackRequest
    from airflow.dag_processing.processor import DagFileProcessor
    from airflow.models import DagBag, DagModel, DagRun, SlaMiss, TaskInstance
    from airflow.utils.session import create_session
    from conftest import ROOT
    from test_slow_run import succeeded

    dag = make_dag(**{**settings_of(landing["drugs"].parent, tmp_path / "lake"), "slow_run_hours": 24.0})
    file = str(ROOT / "dags" / "drug.py")
    today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)

    def forget() -> None:
        with create_session() as session:
            for table in (SlaMiss, TaskInstance, DagRun, DagModel):
                session.query(table).filter(table.dag_id == "drug").delete()

    forget()
    try:
        with create_session() as session:
            session.add(DagModel(dag_id="drug", fileloc=file, is_active=True, is_paused=False))
        succeeded(dag, today - datetime.timedelta(days=4), "top_journals_gold")
        with create_session() as session:
            processor = DagFileProcessor(dag_ids=None, dag_directory=str(ROOT / "dags"), log=dag.log)
            request = SlaCallbackRequest(full_filepath=file, dag_id="drug", processor_subdir=None)
            processor.execute_callbacks(DagBag(str(ROOT / "dags")), [request], session)
    finally:
        forget()
    assert fired(caplog.records) == {"slow_run": {""}}


@pytest.mark.skipif(AIRFLOW_VERSION < (3, 1), reason="Deadline Alerts came with 3.1")
def test_a_slow_run_misses_its_deadline(
    make_dag: Callable[..., Any], landing: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The scheduler's part and the triggerer's, one after the other; test_standalone.py has both as processes."""
    from airflow.models.callback import TriggererCallback
    from airflow.models.deadline import Deadline
    from airflow.triggers.callback import CallbackTrigger
    from airflow.utils.session import create_session

    settings = settings_of(landing["drugs"].parent, tmp_path / "lake")
    try:
        begin(make_dag(**{**settings, "slow_run_hours": 1.0}))
        with create_session() as session:
            (missed,) = session.query(Deadline).all()
            assert isinstance(missed.callback, TriggererCallback)
            missed.handle_miss(session)
            data = json.loads(json.dumps(missed.callback.data, default=str))
    finally:
        forget_slow_run(make_dag(**settings))
    trigger = CallbackTrigger(callback_path=data["path"], callback_kwargs=data["kwargs"])

    async def triggerer() -> list[str]:
        return [str(event.payload["state"]) async for event in trigger.run()]

    assert asyncio.run(triggerer()) == ["running", "success"]
    assert fired(caplog.records) == {"slow_run": {""}}
    assert any("the run slow is not done" in record.getMessage() for record in caplog.records)


def publish(dag: Any) -> None:
    """Write a DAG into the database of Airflow 3, as the DAG processor does."""
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    with create_session() as session:
        # The DAG processor itself keeps for half a minute the DAG that another test has written.
        whole = LazyDeserializedDAG.from_dag(dag)
        SerializedDagModel.write_dag(whole, bundle_name="dags-folder", min_update_interval=None, session=session)


def begin(dag: Any) -> None:
    """Let the scheduler of Airflow 3 make the run `slow` of a DAG, with its deadlines."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(str(Path(dag.fileloc).parent)), "dags-folder", None)
    publish(dag)
    now = datetime.datetime.now(datetime.timezone.utc)
    with create_session() as session:
        SerializedDagModel.get(dag.dag_id, session=session).dag.create_dagrun(
            run_id="slow",
            logical_date=now,
            run_after=now,
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state="queued",
            session=session,
        )


def forget_slow_run(dag: Any) -> None:
    """Take the run and its deadline out of the database, and put the DAG without a deadline there for other tests."""
    from airflow.models import DagRun
    from airflow.models.deadline import Deadline
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(Deadline).delete()
        session.query(DagRun).filter(DagRun.dag_id == dag.dag_id, DagRun.run_id == "slow").delete()
    publish(dag)


def two_states(tmp_path: Path) -> str:
    """A lake that has lost one of three pairs, with a held day and half of its rows rejected; both are long ago."""
    lake = tmp_path / "lake"
    pubmed = tmp_path / "pubmed.csv"
    titles = "1,Warfarin,2020,Annals\n2,Warfarin and paracetamol,2020,Annals\n" + "3,,2020,Annals\n" * 2
    pubmed.write_text(f"id,title,date,journal\n{titles}", encoding="utf-8")
    for dt, names in (("2024-01-30", "B01AA03,WARFARIN\nN02BE01,PARACETAMOL\n"), (DAY, "B01AA03,WARFARIN\n")):
        drugs = tmp_path / f"drugs-{dt}.csv"
        drugs.write_text(f"atccode,drug\n{names}", encoding="utf-8")
        drugs_rs.run(drugs=drugs, pubmed=pubmed, lake=lake, dt=dt)
    drugs_rs.hold(lake, "2024-01-30", "asked for a new delivery")
    return str(lake)


def test_a_loss_a_failed_load_stale_gold_and_a_held_day(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "game.py").write_text(OTHERS.format(lake=two_states(tmp_path)), encoding="utf-8")
    bag = DagBag(str(tmp_path / "dags"))
    assert bag.import_errors == {}
    if AIRFLOW_3:
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.dag_processing.dagbag import sync_bag_to_db

        DagBundlesManager().sync_bundles_to_db()
        sync_bag_to_db(bag, "dags-folder", None)
    states = run(bag.dags["game"], DAY)
    assert states == {"diff": "failed", "load": "failed", "watch": "success"}
    assert fired(caplog.records) == {
        "failed_run": {"diff"},
        "unexplained_loss": {"diff"},
        "load_failed": {"load"},
        "held_day": {"watch"},
        "stale_gold": {"watch"},
        "missed_objective": {"watch"},
    }
    events = {(event["task_id"], event["event"]): event for event in events_of(caplog.records)}
    assert events["diff", "failure"]["numbers"] == {
        "lost_share": pytest.approx(1 / 3),
        "mentions_lost": 1,
        "pairs_lost": 1,
    }
    # The class behind Airflow's exception: without DuckDB here, or with a path that it cannot open.
    assert events["load", "failure"]["error"] in ("MissingLibraryError", "StorageError")
    assert events["diff", "failure"]["error"] == "LossRefusedError"
    assert events["watch", "end"]["numbers"]["held_days"] == 1
