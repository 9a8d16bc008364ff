"""The DAG in `examples/airflow` whose steps run in containers: the lake and the reports of `dags/drug.py`."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from conftest import ROOT, settings_of
from containers import CloudRun, install_pods
from lake_state import hashes, leftovers, stamps
from running import returned, run

from drugs_rs.airflow.compat import AIRFLOW_3

DAY = "2024-03-01"
STEPS = ("drugs_silver", "clinical_trials_silver", "pubmed_silver", "drug_graph_gold")
# What two runs of the same step differ in.
OF_A_RUN = {"out", "report_uri", "run_id", "started_at", "seconds"}


def has_overrides() -> bool:
    """Whether the provider of this Airflow can pass arguments to a Cloud Run job; that of 2.6.3 cannot."""
    from airflow.providers.google.cloud.operators.cloud_run import CloudRunExecuteJobOperator

    return "overrides" in CloudRunExecuteJobOperator.template_fields


cloud_run_only = pytest.mark.skipif(not has_overrides(), reason="this provider has no overrides of Cloud Run jobs")
RUNNERS = [pytest.param("cloud_run", marks=cloud_run_only), "kubernetes"]
# Whole runs take seconds, so each Airflow has them with one of both; 2.6.3 with pods, the others with Cloud Run.
RUN_BY = "cloud_run" if has_overrides() else "kubernetes"


@pytest.fixture
def heavy_dag(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return the DAG of the example as Airflow loads it with these settings in its environment."""

    def make(run_by: str, **settings: Any) -> Any:
        monkeypatch.setenv("DRUG_HEAVY_RUN_BY", run_by)
        for name, value in settings.items():
            monkeypatch.setenv("DRUGS_RS_" + name.upper(), value if isinstance(value, str) else json.dumps(value))
        path = ROOT / "examples" / "airflow" / "drug_heavy.py"
        spec = importlib.util.spec_from_file_location("drug_heavy", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "drug_heavy", module)
        spec.loader.exec_module(module)
        return registered(module.dag)

    return make


def registered(dag: Any) -> Any:
    """Return the DAG after Airflow 3 has stored it, which a run needs; Airflow stores the files of its own folder."""
    if AIRFLOW_3:
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
        from airflow.utils.session import create_session

        with create_session() as session:
            DagBundlesManager().sync_bundles_to_db(session=session)
        bag = DagBag(str(ROOT / "dags"), collect_dags=False)
        bag.bag_dag(dag)
        sync_bag_to_db(bag, "dags-folder", None)
    return dag


def lasting(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what differs between two runs of the same step."""
    return {key: value for key, value in report.items() if key not in OF_A_RUN}


def reports(lake: Path) -> dict[str, dict[str, Any]]:
    """The reports of the steps in a lake, without what differs between two runs."""
    found = {path: path for path in (lake / "reports").rglob("*.json") if "history" not in path.parts}
    return {path.relative_to(lake).as_posix(): lasting(json.loads(path.read_text("utf-8"))) for path in sorted(found)}


def tables(lake: Path) -> dict[str, str]:
    """The bytes of a lake without its reports and states, which have the times and ids of runs."""
    return {path: sha for path, sha in hashes(lake).items() if not path.startswith(("reports/", "states/"))}


def install(run_by: str, monkeypatch: pytest.MonkeyPatch, scratch: Path) -> Any:
    if run_by == "kubernetes":
        return install_pods(monkeypatch, scratch)
    service = CloudRun(scratch)
    service.install(monkeypatch)
    return service


def on_worker_and_elsewhere(dag: Any, heavy: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Each task of `dags/drug.py` that the example runs elsewhere, with its arguments task and its report task."""
    for task_id in STEPS:
        yield dag.get_task(task_id), heavy.get_task(f"{task_id}_arguments"), heavy.get_task(task_id)


@pytest.mark.parametrize("run_by", RUNNERS)
def test_its_tasks_have_the_arguments_of_the_operators(
    run_by: str,
    heavy_dag: Callable[..., Any],
    make_dag: Callable[..., Any],
    samples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(run_by, monkeypatch, tmp_path / "scratch")
    settings = settings_of(samples, tmp_path / "lake", pool="small", owner="team")
    dag, heavy = make_dag(**settings), heavy_dag(run_by, **settings)
    for worker, arguments, report in on_worker_and_elsewhere(dag, heavy):
        for name in [*worker.template_fields, "table", "hold", "pool", "owner", "retries", "execution_timeout"]:
            expected = getattr(worker, name, None)
            assert getattr(arguments, name, None) == getattr(report, name, None) == expected, (worker.task_id, name)
        assert [str(place) for place in report.outlets] == [str(place) for place in worker.outlets] != []
        assert arguments.outlets == []
        container = heavy.get_task(f"{worker.task_id}_container")
        assert arguments.downstream_task_ids == {container.task_id, report.task_id}
        assert container.downstream_task_ids == {report.task_id}
        given = container.overrides["container_overrides"][0]["args"] if run_by == "cloud_run" else container.arguments
        assert given.operator is arguments and given.key == "return_value"
    # It once had no alert for slow runs, though the setting is one of those that it shares with `dags/drug.py`.
    assert repr(getattr(heavy, "deadline", None)) == repr(getattr(dag, "deadline", None))
    assert getattr(heavy, "sla_miss_callback", None) == getattr(dag, "sla_miss_callback", None)
    assert heavy.max_active_runs == dag.max_active_runs and heavy.dagrun_timeout == dag.dagrun_timeout
    others = {task_id for task_id in dag.task_ids if task_id not in STEPS}
    assert {task for task in heavy.task_ids if not task.startswith(STEPS)} == others
    for task_id in others:
        worker, here = dag.get_task(task_id), heavy.get_task(task_id)
        fields = [name for name in worker.template_fields if name not in ("reports", "report")]
        assert [getattr(here, name) for name in fields] == [getattr(worker, name) for name in fields]
        assert getattr(here, "sla", None) == getattr(worker, "sla", None)


def test_its_lake_and_reports_are_those_of_the_operators(
    heavy_dag: Callable[..., Any],
    make_dag: Callable[..., Any],
    samples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    service = install(RUN_BY, monkeypatch, tmp_path / "scratch")
    # Settings of all types: what a container must not read from its own environment.
    settings = {"month_first": True, "fields": ["title", "interventions"], "salts": True, "keep": "10 states"}
    dag = make_dag(**settings_of(samples, here, deferrable=False, **settings))
    assert set(run(dag, DAY, {"unit": "code"}).values()) == {"success"}
    heavy = heavy_dag(RUN_BY, **settings_of(samples, there, deferrable=False, **settings))
    assert set(run(heavy, DAY, {"unit": "code"}).values()) == {"success"}

    assert tables(there) == tables(here)
    assert reports(there) == reports(here)
    for task_id in STEPS:
        report = returned(heavy, DAY, task_id)
        assert lasting(report) == lasting(returned(dag, DAY, task_id))
        assert report["unchanged"] is False and Path(report["report_uri"]).exists()
    assert returned(heavy, DAY, "silver_quality") == returned(dag, DAY, "silver_quality")
    assert returned(heavy, DAY, "top_journals_gold") == returned(dag, DAY, "top_journals_gold")
    if RUN_BY == "cloud_run":
        assert {request.name for request in service.requests} == {
            "projects/my-project/locations/europe-west1/jobs/drugs-rs-dev-step"
        }
        assert len(service.requests) == len(STEPS)

    before = stamps(there)
    assert set(run(heavy, DAY, {"unit": "code"}).values()) == {"success"}
    assert stamps(there) == before, "a second run writes nothing"
    assert [returned(heavy, DAY, task_id)["unchanged"] for task_id in STEPS] == [True] * len(STEPS)
    assert leftovers(there) == {}


def test_the_gate_judges_what_a_container_has_cleaned(
    heavy_dag: Callable[..., Any], samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = tmp_path / "lake"
    install(RUN_BY, monkeypatch, tmp_path / "scratch")
    states = run(heavy_dag(RUN_BY, **settings_of(samples, lake, deferrable=False, max_rejected_share=0.0)), DAY)
    assert states["silver_quality"] == "failed"
    assert states["drug_graph_gold"] == states["drug_graph_gold_container"] == "upstream_failed"
    (held,) = [path.read_text(encoding="utf-8") for path in (lake / "silver" / "held").rglob("*.json")]
    assert "rows rejected" in held, "the day is held with the message of the gate"
    assert not (lake / "gold").exists()


@cloud_run_only
def test_a_container_that_fails_ends_the_run(
    heavy_dag: Callable[..., Any], samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("cloud_run", monkeypatch, tmp_path / "scratch")
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"\x00\x01\x02 no table")
    settings = {**settings_of(samples, tmp_path / "lake", deferrable=False), "drugs": str(broken)}
    states = run(heavy_dag("cloud_run", **settings), DAY)
    assert (states["drugs_silver_container"], states["drugs_silver"]) == ("failed", "upstream_failed")
    assert states["silver_quality"] == states["drug_graph_gold"] == "upstream_failed"
    assert states["pubmed_silver"] == "success", "other tables go on"


@pytest.mark.skipif(has_overrides(), reason="this provider has overrides of Cloud Run jobs")
def test_an_old_provider_is_refused_with_the_remedy(heavy_dag: Callable[..., Any]) -> None:
    with pytest.raises(ImportError, match="needs `overrides` .* install a newer apache-airflow-providers-google"):
        heavy_dag("cloud_run")


def test_an_unknown_runner_is_refused(heavy_dag: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="DRUG_HEAVY_RUN_BY is 'lambda' .* expected cloud_run or kubernetes"):
        heavy_dag("lambda")


def test_a_missing_provider_is_named(heavy_dag: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "airflow.providers.cncf.kubernetes.operators.pod", None)
    with pytest.raises(ImportError, match="pip install apache-airflow-providers-cncf"):
        heavy_dag("kubernetes")


def test_a_pod_has_a_read_only_root_and_a_folder_for_scratch_files(
    heavy_dag: Callable[..., Any], samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("kubernetes", monkeypatch, tmp_path / "scratch")
    heavy = heavy_dag("kubernetes", **settings_of(samples, tmp_path / "lake"))
    pod = heavy.get_task("drug_graph_gold_container")
    context = pod.container_security_context
    assert context.read_only_root_filesystem and context.run_as_non_root and not context.allow_privilege_escalation
    assert context.capabilities.drop == ["ALL"]
    assert pod.container_resources.limits == pod.container_resources.requests == {"memory": "1Gi", "cpu": "1"}
    (mount,) = pod.volume_mounts
    assert f"TMPDIR={mount.mount_path}" in (ROOT / "Containerfile").read_text(encoding="utf-8")
