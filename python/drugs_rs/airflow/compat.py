"""The one file that knows Airflow's versions: every name of Airflow that this package uses, wherever it lives.

Airflow 3 keeps what DAG authors may use in ``airflow.sdk``; Airflow 2 spreads it over many modules. Providers stand
apart: they may be absent, so they are imported where they are needed and a missing one is told by name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Callable

from airflow import __version__ as _version

if TYPE_CHECKING:
    from datetime import timedelta

AIRFLOW_VERSION = tuple(int(part) for part in _version.split(".")[:2])
AIRFLOW_3 = AIRFLOW_VERSION >= (3, 0)

if AIRFLOW_VERSION >= (3, 1):
    from airflow.sdk.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowSensorTimeout,
        AirflowSkipException,
    )
else:
    from airflow.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowSensorTimeout,
        AirflowSkipException,
    )

if AIRFLOW_3:
    from airflow.sdk import DAG, Asset, BaseNotifier, BaseOperator, BaseOperatorLink, Param, Variable
else:
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.models import Variable
    from airflow.models.baseoperator import BaseOperator
    from airflow.models.param import Param
    from airflow.notifications.basenotifier import BaseNotifier

    if AIRFLOW_VERSION >= (2, 10):  # where it stood before, 2.10 gives it with a warning
        from airflow.models.baseoperatorlink import BaseOperatorLink
    else:
        from airflow.models.baseoperator import BaseOperatorLink

__all__ = [
    "AIRFLOW_3",
    "AIRFLOW_VERSION",
    "DAG",
    "AirflowException",
    "AirflowFailException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "Asset",
    "BaseNotifier",
    "BaseOperator",
    "BaseOperatorLink",
    "Param",
    "can_defer",
    "file_sensor",
    "has_connection",
    "is_installed",
    "is_resumed",
    "lineage_classes",
    "log_url",
    "number_of_try",
    "provider_class",
    "returned_value",
    "slow_run_arguments",
    "time_was_up_in_triggerer",
    "variable",
]


def variable(name: str) -> str | None:
    """Give the text of an Airflow Variable, ``None`` where there is none."""
    if AIRFLOW_3:
        found: str | None = Variable.get(name, default=None)
    else:
        found = Variable.get(name, default_var=None)
    return found


def has_connection(conn_id: str) -> bool:
    """Say whether a connection is defined, in whichever backend."""
    if AIRFLOW_3:
        from airflow.sdk import BaseHook
    else:
        from airflow.hooks.base import BaseHook
    try:
        BaseHook.get_connection(conn_id)
    except Exception as error:  # each version and backend has its own
        if "isn't defined" in str(error) or "NOT_FOUND" in str(error) or "not found" in str(error).lower():
            return False
        raise
    return True


def file_sensor() -> type[Any]:
    """Give the ``FileSensor``, of the core in Airflow 2 and of the standard provider in Airflow 3."""
    if AIRFLOW_3:
        return provider_class("airflow.providers.standard.sensors.filesystem.FileSensor")
    return provider_class("airflow.sensors.filesystem.FileSensor")


def provider_class(path: str) -> type[Any]:
    """Import a class of a provider; a missing package is told by the name that installs it."""
    module, _, name = path.rpartition(".")
    try:
        found: type[Any] = getattr(import_module(module), name)
    except ImportError as error:
        package = "apache-airflow-providers-" + module.split(".")[2] if ".providers." in module else module
        message = f"{path} is not installed: pip install {package}, or take a source that needs no {name}"
        raise ImportError(message, name=module) from error
    return found


def can_defer(sensor: type[Any]) -> bool:
    """Say whether this version of a sensor can wait in the triggerer."""
    import inspect

    made = [vars(each)["__init__"] for each in sensor.__mro__ if "__init__" in vars(each)]
    return any("deferrable" in inspect.signature(each).parameters for each in made)


def is_installed(module: str) -> bool:
    """Say whether a module could be imported, without doing it."""
    from importlib.util import find_spec

    return find_spec(module) is not None


def is_resumed(ti: Any) -> bool:
    """Say whether a task goes on after a wait in the triggerer."""
    kept = getattr(ti, "_ti_context_from_server", None) if AIRFLOW_3 else ti
    return bool(getattr(kept, "next_method", None))


def time_was_up_in_triggerer(ti: Any) -> bool:
    """Say whether a task goes on only to fail, for its time was up in the triggerer.

    Airflow 3 lets a sensor fail for good then. Airflow 2 takes it for any failure of a trigger and has the task wait
    again, as often as there are retries, before anybody is told that nothing was delivered; all that it leaves is the
    word in this message.
    """
    if AIRFLOW_3 or getattr(ti, "next_method", None) != "__fail__":
        return False
    return "timeout" in str((ti.next_kwargs or {}).get("error", "")).lower()


def returned_value(ti_key: Any) -> Any:
    """Give what a task instance returned, for the webserver of Airflow 2."""
    from airflow.models import XCom

    return XCom.get_value(ti_key=ti_key, key="return_value")


def log_url(context: Any) -> str | None:
    """Give the address of a task's log."""
    found: str | None = getattr(context.get("ti"), "log_url", None)
    return found


def number_of_try(ti: Any) -> int | None:
    """Give the number of the try that has just ended; before 2.10 its own name for it means the next one by then."""
    found: int | None = getattr(ti, "prev_attempted_tries" if AIRFLOW_VERSION < (2, 10) else "try_number", None)
    return found


def slow_run_arguments(
    limit: timedelta, on_sla_miss: Callable[..., None], deadline_callback: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the arguments of the DAG and of its last tasks that raise an alert for a run that takes too long.

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
    """Give OpenLineage's result, data set and output statistics, or ``None`` without that provider."""
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage
        from openlineage.client import event_v2, facet_v2
    except ImportError:
        return None
    return OperatorLineage, event_v2, facet_v2
