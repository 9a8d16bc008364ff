"""The one file that depends on Airflow's versions: it provides every name of Airflow that this package uses.

Airflow 3 has the names for DAG authors in ``airflow.sdk``; Airflow 2 spreads them over many modules.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Callable

try:
    from airflow import __version__ as _version
    from airflow.triggers.base import BaseTrigger, TriggerEvent
except ModuleNotFoundError as error:
    if error.name != "airflow":
        raise
    _message = (
        "drugs_rs.airflow needs Apache Airflow 2.6.3 or newer, which is not installed: pip install drugs-rs[airflow]"
    )
    raise ImportError(_message, name="airflow") from error

if TYPE_CHECKING:
    from datetime import timedelta

AIRFLOW_VERSION = tuple(int(part) for part in _version.split(".")[:2])
AIRFLOW_3 = AIRFLOW_VERSION >= (3, 0)

if AIRFLOW_VERSION >= (3, 1):
    from airflow.sdk.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowRescheduleException,
        AirflowSensorTimeout,
        AirflowSkipException,
        TaskDeferred,
    )
else:
    from airflow.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowRescheduleException,
        AirflowSensorTimeout,
        AirflowSkipException,
        TaskDeferred,
    )

if AIRFLOW_3:
    from airflow.sdk import (
        DAG,
        Asset,
        BaseNotifier,
        BaseOperator,
        BaseOperatorLink,
        BaseSensorOperator,
        Param,
        Variable,
    )
else:
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.models import Variable
    from airflow.models.baseoperator import BaseOperator
    from airflow.models.param import Param
    from airflow.notifications.basenotifier import BaseNotifier
    from airflow.sensors.base import BaseSensorOperator

    if AIRFLOW_VERSION >= (2, 10):  # 2.10 still has the old place, with a warning
        from airflow.models.baseoperatorlink import BaseOperatorLink
    else:
        from airflow.models.baseoperator import BaseOperatorLink

__all__ = [
    "AIRFLOW_3",
    "AIRFLOW_VERSION",
    "DAG",
    "AirflowException",
    "AirflowFailException",
    "AirflowRescheduleException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "Asset",
    "BaseNotifier",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "BaseTrigger",
    "Param",
    "TaskDeferred",
    "TriggerEvent",
    "airflow_stats",
    "connection",
    "is_first_try",
    "lineage_classes",
    "log_url",
    "number_of_try",
    "provider_class",
    "returned_value",
    "slow_run_arguments",
    "variable",
]


def variable(name: str) -> object:
    """Return an Airflow Variable or ``None``: a text, or an object from a secrets backend."""
    found: object = Variable.get(name, **{"default" if AIRFLOW_3 else "default_var": None})
    return found


def connection(name: str) -> Any:
    """Return one of Airflow's connections, from its database, an environment variable or a secrets backend."""
    if AIRFLOW_3:
        from airflow.sdk import Connection

        return Connection.get(name)
    from airflow.hooks.base import BaseHook

    return BaseHook.get_connection(name)


def airflow_stats() -> Any:
    """Return what sends Airflow's metrics (``gauge``, ``incr``), or ``None`` if this version has it elsewhere."""
    if AIRFLOW_3:
        with contextlib.suppress(ImportError):  # before 3.2 it is where Airflow 2 has it
            return import_module("airflow.sdk.observability.stats")
    with contextlib.suppress(ImportError, AttributeError):
        return import_module("airflow.stats").Stats
    return None


def provider_class(path: str) -> type[Any]:
    """Import a class of a provider; for a missing package the error has the name that installs it."""
    module, _, name = path.rpartition(".")
    try:
        found: type[Any] = getattr(import_module(module), name)
    except ImportError as error:
        package = "apache-airflow-providers-" + module.split(".")[2] if ".providers." in module else module
        message = f"{path} is not installed: pip install {package}"
        raise ImportError(message, name=module) from error
    return found


def is_first_try(ti: Any) -> bool:
    """Return whether this is the first try of all, or since the task was cleared, so that no earlier try did a part."""
    retries = getattr(getattr(ti, "task", None), "retries", None) or 0
    return bool(ti.try_number <= max(1, (ti.max_tries or 0) - retries + 1))


def returned_value(ti_key: Any) -> Any:
    """Return what a task instance returned, for the webserver of Airflow 2."""
    from airflow.models import XCom

    return XCom.get_value(ti_key=ti_key, key="return_value")


def log_url(context: Any) -> str | None:
    """Return the address of a task's log."""
    found: str | None = getattr(context.get("ti"), "log_url", None)
    return found


def number_of_try(ti: Any) -> int | None:
    """Return the number of the try that has just ended; before 2.10 ``try_number`` is already that of the next one."""
    found: int | None = getattr(ti, "prev_attempted_tries" if AIRFLOW_VERSION < (2, 10) else "try_number", None)
    return found


def slow_run_arguments(
    limit: timedelta, on_sla_miss: Callable[..., None], deadline_callback: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments of the DAG and of its last tasks that raise an alert for a run that takes too long.

    Airflow 2 has SLAs, Airflow 3.1 and newer (experimental) Deadline Alerts, and 3.0 nothing.
    """
    if not AIRFLOW_3:
        return {"sla_miss_callback": on_sla_miss}, {"sla": limit}
    try:
        from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference
    except ImportError:
        return {}, {}
    deadline = DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=limit,
        callback=AsyncCallback(deadline_callback),
    )
    return {"deadline": deadline}, {}


def lineage_classes() -> tuple[Any, Any, Any] | None:
    """Return OpenLineage's result, dataset and output statistics, or ``None`` without that provider."""
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage
        from openlineage.client import event_v2, facet_v2
    except ImportError:
        return None
    return OperatorLineage, event_v2, facet_v2
