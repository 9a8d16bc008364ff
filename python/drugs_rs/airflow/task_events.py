"""Structured lines about tasks: one line of JSON at each start, wait, skip, end, failure and finding.

Cloud Logging filters them by field; ``docs/incidents.md`` lists the fields, ``monitoring/alerts`` has the filters. A
line has counts, shares, ages and seconds, never a row, a title or the text of an error. Each line is also sent as
metrics. No task fails because of a line: a step that has committed must not run again for it.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import logging
import math
import time
from typing import Any, Callable, Iterator, Mapping, TypeVar, cast

from drugs_rs.airflow import run_metrics
from drugs_rs.airflow.alerts import json_text, known_partition
from drugs_rs.airflow.compat import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)
from drugs_rs.exceptions import LossError

log = logging.getLogger("drugs_rs.event")

# The key in the line that a log filter finds: jsonPayload.drugs_rs_event, or this word in a text.
MARK = "drugs_rs_event"
# Every line has these fields, in this order: the filters of `monitoring/alerts` for texts expect `incident` first.
FIELDS = (
    "incident",
    "event",
    "step",
    "dag_id",
    "task_id",
    "map_index",
    "run_id",
    "dt",
    "try_number",
    "table",
    "seconds",
    "is_final",
    "error",
    "numbers",
)
EVENTS = ("start", "wait", "skip", "end", "failure", "finding")
# What a task may report as an incident, each with an alert policy of this name.
INCIDENTS = (
    "rejected_share",
    "unexplained_loss",
    "held_day",
    "stale_gold",
    "missed_objective",
    "load_failed",
)
# The numbers that are taken from what a task returns.
NUMBERS = (
    "bytes",
    "rows_in",
    "rows_kept",
    "rows_merged",
    "rows_rejected",
    "drugs",
    "publications",
    "mentions",
    "pairs",
    "journals",
    "entries",
    "rows",
    "parts",
    "fetched",
    "present",
    "lost_share",
    "gold_age_days",
    "held_days",
)

Execute = TypeVar("Execute", bound=Callable[..., Any])


def logged(execute: Execute) -> Execute:
    """Let a task's ``execute`` log its start and its end, with the numbers of what it returns."""

    @functools.wraps(execute)
    def execute_logged(task: Any, context: Any, *arguments: Any, **keywords: Any) -> Any:
        started = time.monotonic()
        emit(task, context, "start")
        try:
            returned = execute(task, context, *arguments, **keywords)
        except (TaskDeferred, AirflowRescheduleException):
            emit(task, context, "wait", seconds=time.monotonic() - started)
            raise
        except AirflowSkipException:
            emit(task, context, "skip", seconds=time.monotonic() - started)
            raise
        except BaseException as error:  # also time-outs and SIGTERM
            with _without_failing("failure"):
                _emit_failure(task, context, error, time.monotonic() - started)
            raise
        # An operator that only warns of a loss has this text.
        refused = isinstance(returned, Mapping) and bool(returned.get("refusal"))
        emit(
            task,
            context,
            "end",
            incident="unexplained_loss" if refused else "",
            seconds=time.monotonic() - started,
            # What a step returns has long lists cut; its report is whole.
            returned=getattr(task, "_report", None) or returned,
        )
        return returned

    return cast("Execute", execute_logged)


def emit(
    task: Any,
    context: Any,
    event: str,
    *,
    incident: str = "",
    dt: str | None = None,
    seconds: float | None = None,
    is_final: bool = False,
    error: str = "",
    numbers: Mapping[str, float] | None = None,
    returned: object = None,
) -> None:
    """Write one line, with numbers or those of what a task returned, and send them as metrics.

    A line that cannot be written is left out.
    """
    found = dict(numbers or {})
    with _without_failing(event):
        found.update(numbers_of(returned))
    with _without_failing(event):
        _emit(task, context, event, incident, dt, seconds, is_final, error, found)


@contextlib.contextmanager
def _without_failing(event: str) -> Iterator[None]:
    """Let a task go on if its line cannot be made or written, as when a handler of the log raises."""
    try:
        yield
    except AirflowException:  # Airflow's own, such as its answer to SIGTERM
        raise
    except Exception:
        with contextlib.suppress(Exception):
            log.warning("a line about the %s of a task is not complete or missing", event, exc_info=True)


def _emit(
    task: Any,
    context: Any,
    event: str,
    incident: str,
    dt: str | None,
    seconds: float | None,
    is_final: bool,
    error: str,
    numbers: Mapping[str, float],
) -> None:
    context = context or {}
    ti = context.get("ti") or context.get("task_instance")
    line = {
        "incident": incident,
        "event": event,
        "step": getattr(task, "step", ""),
        "dag_id": getattr(ti, "dag_id", ""),
        "task_id": getattr(task, "task_id", ""),
        "map_index": getattr(ti, "map_index", -1),
        "run_id": getattr(context.get("dag_run"), "run_id", context.get("run_id", "")),
        # A finding is about a date of the lake, and not about the day on which somebody looks.
        "dt": dt if event == "finding" else dt or known_partition(task, context),
        "try_number": getattr(ti, "try_number", None),
        "table": getattr(task, "table", ""),
        "seconds": None if seconds is None else round(seconds, 3),
        "is_final": is_final,
        "error": error,
        # JSON has no infinity and no NaN: a collector would not read the line.
        "numbers": {name: value for name, value in numbers.items() if _is_number(value)},
    }
    severity = "ERROR" if is_final else "WARNING" if incident or event == "failure" else "INFO"
    of_date = f" of dt={line['dt']}" if line["dt"] else ""
    message = f"{line['task_id']}{of_date}: {incident or event}"
    written = {"severity": severity, "message": message, MARK: line}
    log.log(getattr(logging, severity), "%s", json_text(written))
    run_metrics.send(line)


def numbers_of(returned: object) -> dict[str, float]:
    """Return the numbers of what a task returns, without anything else that it has."""
    if not isinstance(returned, Mapping):
        return {}
    numbers = {name: returned[name] for name in NUMBERS if _is_number(returned.get(name))}
    if "rows_in" in numbers and returned.get("step") != "bronze":
        numbers["rejected_share"] = _share(numbers["rows_rejected"], numbers["rows_in"])
    if returned.get("step") == "bronze":
        numbers = {"bytes": sum(source["bytes"] for source in returned["sources"])}
    if isinstance(returned.get("tables"), Mapping):  # of the quality gate
        tables = list(returned["tables"].values())
        for name in ("rows_in", "rows_kept", "rows_merged", "rows_rejected"):
            numbers[name] = sum(table[name] for table in tables)
        numbers["rejected_share"] = max((table["rejected_share"] for table in tables), default=0.0)
    if isinstance(returned.get("lost"), Mapping):  # of a diff
        numbers.update({f"{what}_lost": int(count) for what, count in returned["lost"].items()})
    if "held" in returned:
        numbers["held_days"] = len(returned["held"]) + int(returned.get("held_left_out", 0))
    if returned.get("step") == "gold" and returned.get("as_of"):
        numbers["gold_age_days"] = age_in_days(returned["as_of"])
    return numbers


def age_in_days(dt: str) -> int:
    """Return how many days ago a date was, in UTC; 0 for a date in the future."""
    return max(0, days_since(dt))


def days_since(dt: str) -> int:
    """Return how many days ago a date was, in UTC; less than 0 for a date in the future."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return (today - datetime.date.fromisoformat(dt)).days


def _emit_failure(task: Any, context: Any, error: BaseException, seconds: float) -> None:
    ti = (context or {}).get("ti") or (context or {}).get("task_instance")
    is_final = isinstance(error, (AirflowFailException, AirflowSensorTimeout)) or (
        (getattr(ti, "try_number", None) or 1) > (getattr(ti, "max_tries", None) or 0)
    )
    incident = next((found for each in _causes(error) if (found := _incident_of(each))), "")
    behind = next((each for each in _causes(error) if not isinstance(each, AirflowException)), error)
    # Exceptions of other packages may have an attribute of this name.
    given = (getattr(each, "numbers", None) for each in _causes(error))
    numbers: Mapping[str, float] = next((each for each in given if isinstance(each, Mapping)), {})
    emit(
        task,
        context,
        "failure",
        incident=(incident or getattr(task, "incident_of_failure", "")) if is_final else "",
        seconds=seconds,
        is_final=is_final,
        error=type(behind).__name__,
        numbers=numbers,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those behind it, each once: `raise` can put two behind each other."""
    found: BaseException | None = error
    seen: set[int] = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _incident_of(error: BaseException) -> str:
    return "unexplained_loss" if isinstance(error, LossError) else str(getattr(error, "incident", ""))


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    )


def _share(part: float, whole: float) -> float:
    return round(part / whole, 6) if whole else 0.0
