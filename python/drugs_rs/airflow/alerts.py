"""Telling people: a task that failed, a run that takes too long.

Every alert is one structured line in the log, which Cloud Logging turns into a metric (``docs/operations.md``), and
goes to each notifier of the setting ``notifiers``: any class of a provider that takes a context, such as Slack's and
SMTP's. A notifier that fails is told in the log and does not keep the others from their work.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Mapping, MutableMapping

from drugs_rs.airflow.compat import (
    AirflowFailException,
    AirflowSensorTimeout,
    log_url,
    number_of_try,
    provider_class,
    slow_run_arguments,
)
from drugs_rs.airflow.partition import partition_of
from drugs_rs.airflow.settings import Settings, where

log = logging.getLogger("drugs_rs.alert")

# What stands in the structured line, so that a filter finds it: jsonPayload or textPayload =~ "drugs_rs_alert".
MARK = "drugs_rs_alert"


def on_failure(context: MutableMapping[str, Any]) -> None:
    """Tell that a task failed for good. Airflow calls this in the task's process, after the last retry."""
    task, error = context.get("task"), context.get("exception")
    ti = context.get("ti") or context.get("task_instance")
    run = context.get("dag_run")
    task_id = getattr(ti, "task_id", getattr(task, "task_id", ""))
    alert = {
        "kind": "failure",
        "dag_id": getattr(ti, "dag_id", ""),
        "task_id": task_id,
        "run_id": getattr(run, "run_id", context.get("run_id", "")),
        "dt": _partition(task, context),
        "try_number": number_of_try(ti),
        "message": f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(error),
        "hint": _hint(error, task_id),
        "log_url": log_url(context),
    }
    _notify(alert, context)


def on_sla_miss(dag: Any, task_list: Any, blocking_task_list: Any, slas: Any, _blocking_tis: Any) -> None:
    """Tell that a run is slow, on Airflow 2: called by the DAG processor, which must not start the engine."""
    _slow(
        getattr(dag, "dag_id", ""), f"{task_list} not done; waiting for {blocking_task_list}".replace("\n", ", "), slas
    )


async def on_deadline(**kwargs: Any) -> None:
    """Tell that a run is slow, on Airflow 3.1 and newer: called in the triggerer, whose other triggers do not wait."""
    from asgiref.sync import sync_to_async

    run = (kwargs.get("context") or {}).get("dag_run") or {}
    named = run if isinstance(run, Mapping) else vars(run)
    message = f"the run {named.get('dag_run_id') or named.get('run_id')} is not done"
    await sync_to_async(_slow)(str(named.get("dag_id", "")), message, None)


def slow_run_alert(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the arguments of the DAG, and of its last tasks, that raise the alert for a slow run; 0 hours: none."""
    from datetime import timedelta

    if not settings.slow_run_hours:
        return {}, {}
    limit = timedelta(hours=settings.slow_run_hours)
    return slow_run_arguments(limit, on_sla_miss, f"{__name__}.{on_deadline.__name__}")


def _slow(dag_id: str, message: str, slas: object) -> None:
    limit = "the run takes longer than the setting slow_run_hours allows"
    alert = {"kind": "slow", "dag_id": dag_id, "message": f"{limit}: {message}", "hint": where("slow_run_hours")}
    _notify(alert, {"slas": slas})


def _partition(task: object, context: Mapping[str, Any]) -> str | None:
    """Give the partition of a task; a sensor has none of its own and stands for its run's."""
    own: str | None = getattr(task, "dt", None)
    if own is not None:
        return own
    try:
        return partition_of(context.get("params") or {}, context.get("dag_run"))
    except AirflowFailException:  # what is told is another failure, or this very one
        return None


def _hint(error: object, task_id: str) -> str:
    """Say what to do where Airflow's own message does not."""
    if isinstance(error, AirflowSensorTimeout):
        setting = task_id.replace("_sensor", "")
        return (
            f"nothing was delivered in time: look at the source of the setting `{setting}` and deliver it, then clear "
            f"the task; {where(setting)}; for more patience, {where('sensor_timeout_hours')}"
        )
    return "docs/operations.md, 'When a task is red'"


def _notify(alert: Mapping[str, Any], context: MutableMapping[str, Any]) -> None:
    line = {"severity": "ERROR" if alert["kind"] == "failure" else "WARNING", "message": alert["message"], MARK: alert}
    log.error("%s", json.dumps(line, default=str, ensure_ascii=False))
    try:
        notifiers = Settings.load_to_run().notifiers
    except Exception:  # settings that cannot be read are told by the DAG itself
        log.exception("the settings could not be read, so that nobody but this log was told")
        return
    context["alert"] = alert
    for notifier in notifiers:
        try:
            _send(notifier, context)
        except Exception:  # each for itself
            log.exception("the notifier %s failed", notifier["class"])


def _send(notifier: Mapping[str, Any], context: MutableMapping[str, Any]) -> None:
    made = provider_class(notifier["class"])(**notifier.get("arguments", {}))
    # Called like that, the notifier renders its templates, which may say {{ alert.message }}; without a DAG (a slow
    # run) there is nothing to render with.
    if "dag" in context:
        made(context)
    else:
        made.notify(context)
