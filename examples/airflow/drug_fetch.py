"""From NLM to the graph, once a day: PubMed's update files and the trials of a day, then bronze, silver and gold.

Copy this file beside `dags/drug.py`, and set the constants. `docs/fetch.md` explains what a fetch does, and how to
begin with PubMed's baseline. Each day has its folder of sources, so a day can be run again whatever came after it.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.timetables.interval import CronDataIntervalTimetable

from drugs_rs.airflow import (
    PARTITION,
    BronzeOperator,
    FetchOperator,
    GoldOperator,
    Settings,
    SilverOperator,
    asset,
    partition_of,
)
from drugs_rs.airflow.compat import DAG

LAKE = Settings.load().out or "gs://bucket/lake"
SOURCES = "gs://bucket/sources"
VOCABULARY = "gs://bucket/vocabulary/*.csv"

step: dict[str, Any] = {"out": LAKE, "dt": PARTITION}
day: dict[str, Any] = {"since": PARTITION, "until": PARTITION}
# A day without articles, or without trials, is skipped in these tasks; gold takes in what there is.
any_of_both = "none_failed_min_one_success"

with DAG(
    dag_id="drug_fetch",
    description="What NLM published on a day, from the server to the graph",
    doc_md=__doc__,
    tags=["drugs_rs"],
    # The run of a day begins when the day is over everywhere in the United States.
    schedule=CronDataIntervalTimetable("0 12 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 12, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    user_defined_macros={"drugs_rs_partition": partition_of},
    default_args={"retries": 5, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True},
) as dag:
    gold = GoldOperator(
        task_id="drug_graph_gold",
        outlets=[asset(LAKE, "gold", "drug_graph.json")],
        trigger_rule=any_of_both,
        doc_md="Finds the mentions, publishes the graph and the answers in one transaction.",
        **step,
    )
    for table, source, part, files in (
        ("pubmed", "pubmed", "updates", "/updatefiles"),
        ("clinical_trials", "clinicaltrials", "all", ""),
    ):
        fetch = FetchOperator(
            task_id=f"{table}_fetch",
            source=source,
            part=part,
            to=f"{SOURCES}/{table}/{PARTITION}",
            doc_md=f"Fetches what `{source}` published on this day, and is skipped if that is nothing.",
            **day,
        )
        bronze = BronzeOperator(
            task_id=f"{table}_bronze",
            table=table,
            sources=f"{SOURCES}/{table}/{PARTITION}{files}",
            doc_md=f"Copies the files of `{source}` byte for byte into the lake, with a manifest.",
            **step,
        )
        silver = SilverOperator(
            task_id=f"{table}_silver",
            table=table,
            doc_md=f"Cleans the table `{table}`; rejected rows are stored with their reason.",
            **step,
        )
        fetch >> bronze >> silver >> gold
    drugs_bronze = BronzeOperator(
        task_id="drugs_bronze", table="drugs", sources=VOCABULARY, doc_md="Copies the vocabulary into the lake.", **step
    )
    drugs_silver = SilverOperator(task_id="drugs_silver", table="drugs", doc_md="Cleans the vocabulary.", **step)
    drugs_bronze >> drugs_silver >> gold
