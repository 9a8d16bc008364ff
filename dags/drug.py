"""The pipeline of a day: sensors → bronze → silver → quality gate → gold → answers.

This file has only settings and arrows. The operators are in ``drugs_rs.airflow``; ``docs/operations.md`` is the
runbook.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from drugs_rs.airflow import (
    PARTITION,
    AnswerOperator,
    BronzeOperator,
    GoldOperator,
    QualityOperator,
    Settings,
    SilverOperator,
    asset,
    on_failure,
    on_run_failure,
    partition_of,
    slow_run_alert,
    source_sensor,
)
from drugs_rs.airflow.assets import SILVER
from drugs_rs.airflow.compat import DAG, Param
from drugs_rs.airflow.sensors import rendered_by_airflow
from drugs_rs.airflow.settings import COUNTING, GATE, MATCHING, READING, templates

# With the setting `samples`, the sample files of a clone are the sources, and the lake is in Airflow's home.
SAMPLES = Path(__file__).resolve().parents[1] / "examples" / "data"
DEVELOPMENT = {
    "out": str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "lake"),
    "drugs": str(SAMPLES / "drugs.csv"),
    "clinical_trials": str(SAMPLES / "clinical_trials.csv"),
    "pubmed_a": str(SAMPLES / "pubmed.csv"),
    "pubmed_b": str(SAMPLES / "pubmed.json"),
}
# The sources by the names of their settings, each with its table.
SOURCES = {"drugs": "drugs", "clinical_trials": "clinical_trials", "pubmed_a": "pubmed", "pubmed_b": "pubmed"}

settings = Settings.load()
if settings.samples:
    settings = Settings.load(DEVELOPMENT)
slow_run, of_last_tasks = slow_run_alert(settings)
lake: dict[str, Any] = {"out": settings.out, "dt": PARTITION}
step: dict[str, Any] = {**lake, **templates(["isolation"]), "pool": settings.pool}


def places(*parts: str) -> list[Any]:
    """Return a place of the lake as the outlets of a task; none before the lake is set."""
    return [asset(settings.out, *parts)] if settings.out else []


with DAG(
    dag_id="drug",
    description="Which drug is mentioned where and when, from the deliveries of a day",
    doc_md=__doc__,
    tags=["drugs_rs", "gold", "pubmed", "clinical_trials"],
    schedule=settings.schedule,
    start_date=datetime.fromisoformat(settings.start_date).replace(tzinfo=timezone.utc),
    # Missed days run only on request, so that switching the DAG on has no surprise.
    catchup=settings.catchup,
    # There is one graph for all days. Concurrent runs are safe, but each makes the others compute it again.
    max_active_runs=settings.max_active_runs,
    dagrun_timeout=timedelta(hours=settings.dagrun_timeout_hours),
    params={
        "dt": Param(None, type=["null", "string"], description="The partition, YYYY-MM-DD; empty: the logical date")
    },
    user_defined_macros={"drugs_rs_partition": partition_of, "drugs_rs_setting": settings.effective},
    # The only callback for a run over its time and for a killed task.
    on_failure_callback=on_run_failure,
    default_args={
        "owner": settings.owner,
        # Days are independent, so that a backfill may run in any order.
        "depends_on_past": False,
        "retries": settings.retries,
        "retry_delay": timedelta(seconds=settings.retry_delay_seconds),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(seconds=settings.max_retry_delay_seconds),
        "execution_timeout": timedelta(hours=settings.execution_timeout_hours),
        "on_failure_callback": on_failure,
        # Gold is built from everything or not at all: no task runs after one that failed or was skipped.
        "trigger_rule": "all_success",
    },
    **slow_run,
) as dag:
    sensors = [
        source_sensor(f"{source}_sensor", source, settings, doc_md=f"Waits for the delivery `{source}`.")
        for source in SOURCES
    ]
    bronze = {
        source: BronzeOperator(
            task_id=f"{source}_bronze",
            table=table,
            name=source,
            sources=rendered_by_airflow(getattr(settings, source)),
            outlets=places("bronze", source),
            doc_md=f"Copies the delivery `{source}` byte for byte into the lake, with a manifest.",
            **step,
        )
        for source, table in SOURCES.items()
    }
    silver = {
        table: SilverOperator(
            task_id=f"{table}_silver",
            table=table,
            outlets=places(*SILVER[table]),
            hold=True,
            doc_md=f"Cleans the table `{table}` and holds the day; rejected rows are stored with their reason.",
            **templates(READING),
            **step,
        )
        for table in ("drugs", "clinical_trials", "pubmed")
    }
    quality = QualityOperator(
        task_id="silver_quality",
        reports=[task.output for task in silver.values()],
        doc_md="Holds the day and fails if its tables are too poor to be published; otherwise releases it.",
        **templates(GATE),
        **step,
    )
    gold = GoldOperator(
        task_id="drug_graph_gold",
        outlets=places("gold", "drug_graph.json"),
        doc_md="Finds the mentions, publishes the graph and the answers in one transaction.",
        **templates([*MATCHING, *COUNTING]),
        **step,
    )
    answers = [
        AnswerOperator(
            task_id=task_id,
            answer=answer,
            report=gold.output,
            outlets=places("gold", f"{answer}.json"),
            doc_md=f"Checks the published `{answer}.json` by its digest and returns it.",
            **lake,
            **of_last_tasks,
        )
        for task_id, answer in (("top_journals_gold", "top_journals"), ("exclusive_drug_set_gold", "exclusive_drugs"))
    ]

    # Every delivery must exist before the first is copied: an incomplete day leaves the lake untouched.
    for copy in bronze.values():
        sensors >> copy
    for source, table in SOURCES.items():
        bronze[source] >> silver[table]
    list(silver.values()) >> quality >> gold >> answers
