"""Looks at the lake of `dags/drug.py` from outside, once an hour: stale gold, held days, missed objectives.

Copy this file beside `dags/drug.py` in your clone, so that deliveries bring it, and switch the DAG on. It is a DAG of
its own because it must run while the pipeline is paused or broken. It writes lines that the alerts `stale_gold`,
`held_day` and `missed_objective` find; `docs/incidents.md` explains them.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from drugs_rs.airflow import LakeWatchOperator, Settings, on_failure, on_run_failure
from drugs_rs.airflow.compat import DAG

# Without the setting `out` the task fails and names it.
lake = Settings.load().out

with DAG(
    dag_id="drug_watch",
    description="Whether gold is stale, and which held days wait",
    doc_md=__doc__,
    tags=["drugs_rs"],
    schedule="@hourly",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    on_failure_callback=on_run_failure,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "on_failure_callback": on_failure},
) as dag:
    LakeWatchOperator(
        task_id="watch",
        lake=lake,
        # A daily run of Airflow 2 is for the day before, and it may wait some hours for its deliveries.
        max_gold_age_days=2,
        max_held_days=2,
        # Volume, rejected share and hit rate: docs/contracts.md.
        contract="default",
        doc_md="Logs a line for stale gold, for each day that is held too long, and for each missed objective.",
    )
