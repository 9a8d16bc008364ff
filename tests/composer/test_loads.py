"""Operators that load a lake: what they pass on, return and refuse, and the DAG of the examples."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import drugs_rs
from drugs_rs import targets
from drugs_rs.airflow import LakeToBigQueryOperator, LakeToDuckDBOperator, LakeToPostgresOperator, loads
from drugs_rs.airflow.compat import AirflowException, AirflowFailException
from drugs_rs.exceptions import SchemaError, StorageError
from drugs_rs.loading import LoadPlan, LoadReceipt, LoadStep

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lake(tmp_path: Path) -> str:
    drugs = tmp_path / "drugs.csv"
    drugs.write_text("atccode,drug\nB01AA03,WARFARIN\n", encoding="utf-8")
    pubmed = tmp_path / "pubmed.csv"
    pubmed.write_text("id,title,date,journal\n1,Warfarin,2020-01-01,Annals\n", encoding="utf-8")
    drugs_rs.run(drugs=drugs, pubmed=pubmed, lake=tmp_path / "lake", dt="2024-01-31")
    return str(tmp_path / "lake")


def connection_of(**values: Any) -> Any:
    known: dict[str, Any] = {"host": None, "port": None, "login": None, "password": None, "schema": None}
    return lambda _name: SimpleNamespace(**{**known, "extra_dejson": {}, **values})


def test_addresses_have_what_the_connection_has(monkeypatch: pytest.MonkeyPatch) -> None:
    task = LakeToPostgresOperator(task_id="load", lake="lake", postgres_conn_id="pg", schema="own")
    found = {"host": "db", "port": 5433, "login": "me@corp", "password": "a/b?c:d", "schema": "ware house"}
    monkeypatch.setattr(loads, "connection", connection_of(**found, extra_dejson={"sslmode": "require", "cursor": "x"}))
    expected = "postgresql://me%40corp:a%2Fb%3Fc%3Ad@/ware%20house?host=db&port=5433&sslmode=require&schema=own"
    assert task.keywords() == {"target": expected}
    monkeypatch.setattr(loads, "connection", connection_of(host="/run/postgresql", port=5433))
    task = LakeToPostgresOperator(task_id="load", lake="lake", database="d")
    assert task.keywords() == {"target": "postgresql://@/d?host=%2Frun%2Fpostgresql&port=5433&schema=drugs"}
    extra = {"sslrootcert": "/my certificates/root.pem"}
    monkeypatch.setattr(loads, "connection", connection_of(host="::1", port=5432, extra_dejson=extra))
    expected = "postgresql://@/d?host=%3A%3A1&port=5432&sslrootcert=%2Fmy%20certificates%2Froot.pem&schema=drugs"
    assert task.keywords() == {"target": expected}
    for dataset, address in (("project.set", "project/set"), ("example.com:project.set", "example.com:project/set")):
        big = LakeToBigQueryOperator(task_id="load", lake="lake", dataset=dataset)
        assert big.keywords() == {"target": f"bigquery://{address}"}


@pytest.mark.parametrize("isolation", ["process", "subprocess"])
def test_a_load_returns_its_receipt_with_the_rows_of_tables(
    lake: str, monkeypatch: pytest.MonkeyPatch, isolation: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In a child of the task the same module is called; here it answers without a database."""
    pinned = drugs_rs.Lake(lake).at(1)
    steps = [LoadStep("mentions", "2024-01-31", "load", 2, 9), LoadStep("mentions", "2024-02-01", "load", 3, 9)]

    def load(lake: str, target: str, **options: Any) -> LoadPlan:
        assert options == {} and lake == pinned.root
        return LoadReceipt(target, pinned, steps, 7, 4)

    task = LakeToDuckDBOperator(task_id="load", lake=lake, database="a.duckdb", isolation=isolation)
    if isolation == "subprocess":
        if importlib.util.find_spec("duckdb") is None:
            with pytest.raises(AirflowFailException, match=r"MissingLibraryError.*pip install drugs-rs\[duckdb\]"):
                task.execute({})
            return
        pytest.skip("this environment has DuckDB, which tests/python loads into")
    monkeypatch.setattr(targets, "load", load)
    with caplog.at_level(logging.INFO):
        returned = task.execute({})
    assert json.loads(json.dumps(returned)) == {
        "load": 4,
        "target": "duckdb:a.duckdb",
        "lake": lake,
        "state": 1,
        "unchanged": False,
        "parts": 7,
        "rows": 5,
        "bytes": 18,
        "replaced_lake": None,
        "rows_of_tables": {"mentions": 5},
    }


@pytest.mark.parametrize(
    ("error", "expected"),
    [(StorageError("server down"), AirflowException), (SchemaError("altered"), AirflowFailException)],
)
def test_what_a_retry_helps_is_retried(
    lake: str, monkeypatch: pytest.MonkeyPatch, error: Exception, expected: type[Exception]
) -> None:
    def load(*_arguments: Any, **_options: Any) -> LoadPlan:
        raise error

    monkeypatch.setattr(targets, "load", load)
    with pytest.raises(AirflowException) as caught:
        LakeToDuckDBOperator(task_id="load", lake=lake, database="a.duckdb").execute({})
    assert type(caught.value) is expected and str(error) in str(caught.value)


def test_an_empty_lake_is_refused_before_the_load() -> None:
    with pytest.raises(AirflowFailException, match="`lake` of the task load is ''"):
        LakeToDuckDBOperator(task_id="load", lake="", database="a.duckdb").execute({})


def test_the_dag_of_the_examples_loads_behind_gold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DRUGS_RS_OUT", str(tmp_path / "lake"))
    spec = importlib.util.spec_from_file_location("drug_load", ROOT / "examples" / "airflow" / "drug_load.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "drug_load", module)
    spec.loader.exec_module(module)
    dag = module.dag
    assert sorted(dag.task_ids) == ["bigquery", "postgres"]
    assert dag.get_task("postgres").lake == str(tmp_path / "lake")
