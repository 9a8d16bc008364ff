"""An Airflow of its own for these tests: home, database, DAG folder; and the DAG made with settings of the tests."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORPORA = Path(os.environ.get("DRUGS_RS_CORPORA", str(ROOT.parent / "shared" / "data")))
# Before anything imports Airflow, which then reads its configuration.
HOME = Path(tempfile.mkdtemp(prefix="drugs_rs-airflow-"))
for name in [name for name in os.environ if name.startswith(("AIRFLOW", "DRUGS_RS_"))]:
    del os.environ[name]
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    # Programs of an environment are beside its Python.
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    PYTHONPATH=os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]),
)
# Shared with tests/python.
sys.path.insert(0, str(ROOT / "tests" / "python"))

SOURCES = {
    "drugs": "drugs.csv",
    "clinical_trials": "clinical_trials.csv",
    "pubmed_a": "pubmed.csv",
    "pubmed_b": "pubmed.json",
}


def settings_of(folder: Path, out: Path, **more: Any) -> dict[str, Any]:
    """The settings for four files in a folder; without retries, which only take time here."""
    found: dict[str, Any] = {name: str(folder / file) for name, file in SOURCES.items()}
    # `dag.test()` of 3.3 fails at the end of any run that has a Deadline Alert; the scheduler does not
    # (test_standalone.py).
    return {**found, "out": str(out), "retries": 0, "poke_interval_seconds": 1, "slow_run_hours": 0, **more}


@pytest.fixture(scope="session", autouse=True)
def database() -> Iterator[None]:
    """A migrated database in the home of these tests."""
    for verb in ("migrate", "init"):  # 2.6.3 knows only the second
        done = subprocess.run(["airflow", "db", verb], capture_output=True, timeout=240, check=False, text=True)
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr[-2000:]
    with contextlib.suppress(ImportError):  # 2.10 deletes runs through a table that is known once this was imported
        import airflow.providers.fab.auth_manager.models  # noqa: F401
    yield
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture
def samples() -> Path:
    """The project's own small delivery."""
    return ROOT / "examples" / "data"


@pytest.fixture
def corpora() -> Path:
    """Real data, which is no part of this project."""
    if not CORPORA.is_dir():
        pytest.skip(f"no corpora in {CORPORA}: set DRUGS_RS_CORPORA to a folder that has them")
    return CORPORA


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket at Google's, for the core in this process and its children."""
    from bucket_peers import google as service
    from bucket_peers import point_to

    with service() as found:
        point_to(found, monkeypatch)
        yield found


@pytest.fixture
def make_dag(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return the DAG as Airflow loads it with these settings in its environment."""

    def make(**settings: Any) -> Any:
        for name, value in settings.items():
            monkeypatch.setenv("DRUGS_RS_" + name.upper(), value if isinstance(value, str) else json.dumps(value))
        try:
            from airflow.dag_processing.dagbag import DagBag
        except ImportError:
            from airflow.models.dagbag import DagBag
        bag = DagBag(str(ROOT / "dags"))
        assert bag.import_errors == {}
        assert list(bag.dags) == ["drug"]
        return bag.dags["drug"]

    return make


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Callable[..., list[dict[str, Any]]]:
    """The alerts of a kind that were written as structured lines, by default those of tasks."""
    logging.getLogger("drugs_rs").propagate = True

    def alerts(*kinds: str) -> list[dict[str, Any]]:
        lines = [record.getMessage() for record in caplog.records if record.name == "drugs_rs.alert"]
        found = [json.loads(line)["drugs_rs_alert"] for line in lines if line.startswith("{")]
        return [alert for alert in found if alert["kind"] in (kinds or ("failure",))]

    return alerts
