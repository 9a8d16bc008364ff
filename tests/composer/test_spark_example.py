"""The DAG in `examples/airflow` that submits a batch of Spark: what it asks Google's operator for."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import pytest
from conftest import ROOT


def load_dag(monkeypatch: pytest.MonkeyPatch) -> Any:
    spec = importlib.util.spec_from_file_location("drug_spark", ROOT / "examples" / "airflow" / "drug_spark.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "drug_spark", module)
    spec.loader.exec_module(module)
    return module.dag


def test_the_dag_of_the_examples_submits_the_program_of_the_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    dag = load_dag(monkeypatch)
    (task,) = dag.tasks
    program = task.batch["pyspark_batch"]["main_python_file_uri"]
    assert (ROOT / "examples" / "spark" / program.rsplit("/", 1)[1]).exists()
    text = (ROOT / "examples" / "spark" / "find_drugs.py").read_text(encoding="utf-8")
    for argument in task.batch["pyspark_batch"]["args"]:
        option = argument.split("=")[0]
        assert option in ("--drugs", "--out", "--pubmed")
        assert option.lstrip("-") in text
    assert {"batch", "batch_id"} <= set(task.template_fields)


def test_without_the_provider_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "airflow.providers.google.cloud.operators.dataproc", None)
    with pytest.raises(ImportError, match="drug_spark needs the operators of Dataproc .*providers-google"):
        load_dag(monkeypatch)
