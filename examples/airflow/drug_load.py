"""Loads the lake into databases whenever gold of `dags/drug.py` has changed it.

Copy this file beside `dags/drug.py` in your clone, keep the databases that you have, and set their names;
`docs/loads.md` explains what a load does. The operators need the extras of `drugs-rs`: `postgres`, `bigquery`,
`duckdb`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from drugs_rs.airflow import LakeToBigQueryOperator, LakeToPostgresOperator, Settings, asset
from drugs_rs.airflow.compat import DAG

lake = Settings.load().out or "gs://bucket/lake"

with DAG(
    dag_id="drug_load",
    description="The newest state of the lake in PostgreSQL and BigQuery",
    doc_md=__doc__,
    tags=["drugs_rs"],
    # A run of gold that changes nothing has no event, and a load without a change does nothing.
    schedule=[asset(lake, "gold", "drug_graph.json")],
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    # A load takes the newest state, so one that waits for another has little left to do.
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": True},
) as dag:
    LakeToPostgresOperator(
        task_id="postgres",
        lake=lake,
        postgres_conn_id="drugs_postgres",
        schema="drugs",
        doc_md="Loads what has changed in one transaction.",
    )
    LakeToBigQueryOperator(
        task_id="bigquery",
        lake=lake,
        dataset="my-project.drugs",
        tables=["publications", "mentions", "journal_drugs"],
        doc_md="Loads the partitions that have changed.",
    )
