"""The steps as Airflow tasks: the same package on Airflow 2.6.3 to 3.x.

``DeliverySensor`` waits for a source; ``BronzeOperator``, ``SilverOperator`` and ``GoldOperator`` run one step each;
``FetchOperator`` fetches what NLM publishes; ``QualityOperator`` judges silver before gold, ``LakeDiffOperator`` what
changed behind it; ``AnswerOperator`` checks and returns the answers; ``LakeToDuckDBOperator``,
``LakeToPostgresOperator`` and ``LakeToBigQueryOperator`` load the lake into a database; ``LakeWatchOperator`` looks
from outside whether gold is stale.
``Settings`` has all settings with their types; ``on_failure``, ``on_run_failure`` and ``slow_run_alert`` send alerts.
``dags/drug.py`` puts them together; ``docs/operations.md`` is the runbook.

Airflow parses DAG files all day, in processes that later fork tasks. So nothing here loads the native core or a
provider before a task executes.
"""

from __future__ import annotations

from drugs_rs.airflow.alerts import on_failure, on_run_failure, slow_run_alert
from drugs_rs.airflow.assets import asset
from drugs_rs.airflow.diffs import LakeDiffOperator
from drugs_rs.airflow.fetches import FetchOperator
from drugs_rs.airflow.lake_watch import LakeWatchOperator
from drugs_rs.airflow.loads import LakeToBigQueryOperator, LakeToDuckDBOperator, LakeToPostgresOperator
from drugs_rs.airflow.operators import (
    AnswerOperator,
    BronzeOperator,
    GoldOperator,
    QualityOperator,
    SilverOperator,
)
from drugs_rs.airflow.partition import PARTITION, partition_of
from drugs_rs.airflow.sensors import DeliverySensor, source_sensor
from drugs_rs.airflow.settings import Settings, apply_variable

__all__ = [
    "PARTITION",
    "AnswerOperator",
    "BronzeOperator",
    "DeliverySensor",
    "FetchOperator",
    "GoldOperator",
    "LakeDiffOperator",
    "LakeToBigQueryOperator",
    "LakeToDuckDBOperator",
    "LakeToPostgresOperator",
    "LakeWatchOperator",
    "QualityOperator",
    "Settings",
    "SilverOperator",
    "apply_variable",
    "asset",
    "on_failure",
    "on_run_failure",
    "partition_of",
    "slow_run_alert",
    "source_sensor",
]


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
