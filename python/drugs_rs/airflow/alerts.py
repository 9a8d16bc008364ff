"""Alerts: a task that failed, a run that failed, a run that takes too long.

Every alert is one structured line in the log, which Cloud Logging turns into a metric (``docs/operations.md``), and
goes to each notifier of the setting ``notifiers``: any class of a provider that takes a context, such as Slack's and
SMTP's. If a notifier fails, the log says so, and the others still run.
"""

from __future__ import annotations

import contextlib
import json
import logging
from typing import Any, Mapping, MutableMapping

from drugs_rs.airflow.compat import (
    AIRFLOW_3,
    AirflowSensorTimeout,
    log_url,
    number_of_try,
    provider_class,
    slow_run_arguments,
)
from drugs_rs.airflow.partition import partition_of
from drugs_rs.airflow.settings import Settings, where

log = logging.getLogger("drugs_rs.alert")

# The key in the structured line that a log filter finds: jsonPayload or textPayload =~ "drugs_rs_alert".
MARK = "drugs_rs_alert"
# Every alert has all of these, because a template fails on a missing one.
_KEYS = ("kind", "dag_id", "task_id", "run_id", "dt", "try_number", "reason", "message", "hint", "log_url")
# Limit of chats and mails; the task's log has the whole message.
_LONGEST_MESSAGE = 2000
# An alert names only the first late tasks.
_MOST_TASKS = 10
# Airflow's reasons for the end of a run, in words.
_REASONS = {
    "timed_out": "it took longer than the setting dagrun_timeout_hours allows",
    "task_failure": "a task failed",
    "all_tasks_deadlocked": "its tasks wait for each other",
}


def on_failure(context: MutableMapping[str, Any]) -> None:
    """Send an alert for a task that failed for good. Airflow calls this in the task's process, after the last retry."""
    task, error = context.get("task"), context.get("exception")
    ti = context.get("ti") or context.get("task_instance")
    run = context.get("dag_run")
    task_id = getattr(ti, "task_id", getattr(task, "task_id", ""))
    alert = {
        "kind": "failure",
        "dag_id": getattr(ti, "dag_id", ""),
        "task_id": task_id,
        "run_id": getattr(run, "run_id", context.get("run_id", "")),
        "dt": known_partition(task, context),
        "try_number": number_of_try(ti),
        "message": _text_of(error),
        "hint": _hint(error, task_id),
        "log_url": log_url(context),
    }
    _notify(alert, context)


def on_run_failure(context: MutableMapping[str, Any]) -> None:
    """Send an alert for a run that failed, with the reason: a callback of the DAG, which the DAG processor calls.

    It is the only callback for a task whose process was killed on its last try, and for a run over its time.
    """
    run = context.get("dag_run")
    dag_id = getattr(context.get("dag"), "dag_id", "")
    run_id = getattr(run, "run_id", None) or context.get("run_id", "")
    reason = str(context.get("reason") or "")
    alert = {
        "kind": "run",
        "dag_id": dag_id,
        "run_id": run_id,
        "dt": known_partition(None, context),
        "reason": reason,
        "message": f"the run {run_id} failed: {_REASONS.get(reason, reason or 'no reason given')} ({reason})",
        "hint": f"{where('dagrun_timeout_hours')}, or look at its tasks"
        if reason == "timed_out"
        else "look at its red tasks; one without an alert was killed: docs/operations.md, 'When a task is red'",
    }
    _notify(alert, context)


def on_sla_miss(dag: Any, task_list: Any, blocking_task_list: Any, slas: Any, _blocking_tis: Any) -> None:
    """Send an alert for a slow run, on Airflow 2: the DAG processor calls it, which must not start the engine."""
    message = f"{_first_lines(task_list)} not done; waiting for {_first_lines(blocking_task_list)}"
    _slow(getattr(dag, "dag_id", ""), message, {"dag": dag, "slas": slas})


async def on_deadline(**kwargs: Any) -> None:
    """Send an alert for a slow run, on Airflow 3.1 and newer: in the triggerer, without blocking other triggers."""
    from asgiref.sync import sync_to_async

    run = (kwargs.get("context") or {}).get("dag_run") or {}
    named = run if isinstance(run, Mapping) else vars(run)
    message = f"the run {named.get('dag_run_id') or named.get('run_id')} is not done"
    await sync_to_async(_slow)(str(named.get("dag_id", "")), message, {})


def slow_run_alert(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments of the DAG, and of its last tasks, for the alert for a slow run; none for 0 hours."""
    from datetime import timedelta

    if not settings.slow_run_hours:
        return {}, {}
    limit = timedelta(hours=settings.slow_run_hours)
    return slow_run_arguments(limit, on_sla_miss, f"{__name__}.{on_deadline.__name__}")


def _first_lines(text: object) -> str:
    """Join a list of tasks, one a line, to one line; after a pause the list may have a line for each day."""
    lines = str(text).strip().split("\n")
    more = f" and {len(lines) - _MOST_TASKS} more" if len(lines) > _MOST_TASKS else ""
    return ", ".join(lines[:_MOST_TASKS]) + more


def _slow(dag_id: str, message: str, context: dict[str, Any]) -> None:
    limit = "the run takes longer than the setting slow_run_hours allows"
    alert = {"kind": "slow", "dag_id": dag_id, "message": f"{limit}: {message}", "hint": where("slow_run_hours")}
    _notify(alert, context)


def known_partition(task: object, context: Mapping[str, Any]) -> str | None:
    """Return the partition of a task; a sensor has none, so its run's."""
    own: str | None = getattr(task, "dt", None)
    if own is not None and "{{" not in str(own):  # a killed task has not rendered it
        return str(own)
    run = context.get("dag_run")
    events = context.get(f"triggering_{'asset' if AIRFLOW_3 else 'dataset'}_events")
    try:
        return partition_of(context.get("params") or getattr(run, "conf", None) or {}, run, events)
    except Exception:  # noqa: BLE001  # the alert matters more; before 2.10 this may need a session
        return None


def _text_of(error: object) -> str:
    kind = f"{type(error).__name__}: " if isinstance(error, BaseException) else ""
    try:
        return f"{kind}{error}"
    except Exception as broken:  # noqa: BLE001  # an exception of a library may fail to describe itself
        return f"{kind}its text cannot be read ({type(broken).__name__})"


def json_text(line: Mapping[str, Any]) -> str:
    """Return a structured line as JSON that every handler can write.

    The name of a file that is not UTF-8 has surrogates; these become escapes.
    """
    text = json.dumps(line, default=str, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _hint(error: object, task_id: str) -> str:
    """Return what to do, if Airflow's own message does not say it."""
    if isinstance(error, AirflowSensorTimeout):
        setting = task_id.replace("_sensor", "")
        return (
            f"nothing was delivered in time: look at the source of the setting `{setting}` and deliver it, then clear "
            f"the task; {where(setting)}; for more patience, {where('sensor_timeout_hours')}"
        )
    return "docs/operations.md, 'When a task is red'"


def _bounded(message: str) -> str:
    left_out = len(message) - _LONGEST_MESSAGE
    return (
        message if left_out <= 0 else f"{message[:_LONGEST_MESSAGE]} … ({left_out} more characters in the task's log)"
    )


def _notify(alert: Mapping[str, Any], context: MutableMapping[str, Any]) -> None:
    alert = {**dict.fromkeys(_KEYS, ""), **alert, "message": _bounded(alert["message"])}
    severity = "WARNING" if alert["kind"] == "slow" else "ERROR"
    line = {"severity": severity, "message": alert["message"], MARK: alert}
    with contextlib.suppress(Exception):  # a handler of the log must not stop the notifiers
        log.error("%s", json_text(line))
    try:
        notifiers = _notifiers()
    except Exception:  # the DAG itself reports settings that cannot be read
        log.exception("the settings could not be read, so no notifier was called")
        return
    context["alert"] = alert
    for notifier in notifiers:
        try:
            _send(notifier, context)
        except Exception:  # one failing notifier must not stop the others
            log.exception("the notifier %s failed", notifier["class"])


def _notifiers() -> list[dict[str, Any]]:
    """Read the setting `notifiers`, on Airflow 2 in a separate thread.

    There a query closes the session of its thread. `dag.test()` calls back in the middle of a session and would lose
    the states that it has not committed.
    """
    if AIRFLOW_3:
        return Settings.load_to_run().notifiers
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: Settings.load_to_run().notifiers).result()


def _send(notifier: Mapping[str, Any], context: MutableMapping[str, Any]) -> None:
    made = provider_class(notifier["class"])(**notifier.get("arguments", {}))
    # This call renders the notifier's templates, which may use {{ alert.message }}, with the template engine of the DAG
    # or without a DAG. `dag.test()` of Airflow 3 passes a scheduler's DAG, which has no template engine.
    if not hasattr(context.get("dag"), "get_template_env"):
        context["dag"] = None
    made(context)
