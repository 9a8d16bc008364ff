"""The steps as Airflow tasks: the same package on Airflow 2.6.3 to 3.x.

``BronzeOperator``, ``SilverOperator`` and ``GoldOperator`` run one step each, ``QualityOperator`` stands between silver
and gold, ``AnswerOperator`` checks and hands out the answers. ``source_sensor`` waits for a source, ``Settings`` is the
one typed place of settings, ``on_failure`` and ``slow_run_alert`` tell people. ``dags/drug.py`` puts them together;
``docs/operations.md`` is the runbook.

Airflow parses DAG files all day, in processes that later fork tasks. So nothing here touches the native core before a
task executes: names are looked up when first used, as in ``drugs_rs`` itself.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drugs_rs.airflow.alerts import on_failure, slow_run_alert
    from drugs_rs.airflow.assets import asset
    from drugs_rs.airflow.operators import (
        AnswerOperator,
        BronzeOperator,
        GoldOperator,
        QualityOperator,
        SilverOperator,
    )
    from drugs_rs.airflow.partition import PARTITION, partition_of
    from drugs_rs.airflow.sensors import source_sensor
    from drugs_rs.airflow.settings import Settings, apply_variable

# Name → the module that has it.
_HOMES = {
    "AnswerOperator": "operators",
    "BronzeOperator": "operators",
    "GoldOperator": "operators",
    "PARTITION": "partition",
    "QualityOperator": "operators",
    "Settings": "settings",
    "SilverOperator": "operators",
    "apply_variable": "settings",
    "asset": "assets",
    "on_failure": "alerts",
    "partition_of": "partition",
    "slow_run_alert": "alerts",
    "source_sensor": "sensors",
}

__all__ = [
    "PARTITION",
    "AnswerOperator",
    "BronzeOperator",
    "GoldOperator",
    "QualityOperator",
    "Settings",
    "SilverOperator",
    "apply_variable",
    "asset",
    "on_failure",
    "partition_of",
    "slow_run_alert",
    "source_sensor",
]

if find_spec("airflow") is None:
    _message = (
        "drugs_rs.airflow needs Apache Airflow 2.6.3 or newer, which is not installed: pip install drugs-rs[airflow]"
    )
    raise ImportError(_message, name="airflow")


if not TYPE_CHECKING:  # a type checker that sees this function believes that every name exists

    def __getattr__(name: str) -> object:
        """Load the module of a name when it is first asked for (PEP 562)."""
        if name not in _HOMES:
            message = f"module 'drugs_rs.airflow' has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(import_module(f"drugs_rs.airflow.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """List the names that are not loaded yet as well."""
    return sorted({*globals(), *__all__})
