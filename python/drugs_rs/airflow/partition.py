"""The partition of a run. It never comes from the clock."""

from __future__ import annotations

import datetime
from typing import Any, Iterator, Mapping

from drugs_rs.airflow.compat import AIRFLOW_3, AirflowFailException

_ARGUMENTS = f"params, dag_run, triggering_{'asset' if AIRFLOW_3 else 'dataset'}_events"
# The template of ``dt`` in a DAG that has ``partition_of`` among its macros under this name.
PARTITION = f"{{{{ drugs_rs_partition({_ARGUMENTS}) }}}}"
# The template of ``dt`` for the operators of this package, in any DAG.
PARTITION_OF_TASK = f"{{{{ task.partition_of({_ARGUMENTS}) }}}}"
# What to do about a run without a partition.
REMEDY = 'trigger it with the parameter `dt`, such as {"dt": "2024-03-01"}'


def partition_of(params: Mapping[str, Any], dag_run: Any, events: Mapping[Any, Any] | None = None) -> str:
    """Return the ``dt`` of a run.

    The first of these that exists: the parameter ``dt``, the partition key of the run (Airflow 3.2), the newest ``dt``
    of the asset events that triggered it, the logical date.

    Raises:
        AirflowFailException: The value is not a date, or none of these exists.
    """
    if params.get("dt"):
        return _date(params["dt"], "the parameter `dt`")
    key = getattr(dag_run, "partition_key", None)
    if key:
        return _date(key, "the partition key of the run")
    logical_date = getattr(dag_run, "logical_date", None)
    run = f"the run {getattr(dag_run, 'run_id', '')}"
    # Other runs do not read their events: on Airflow 2 that is a query.
    if "triggered" in str(getattr(dag_run, "run_type", "")).lower():
        found = sorted(filter(None, map(_of_event, _flat(events))))
        if found:
            return found[-1]
        # On Airflow 2 the logical date of such a run is the time of the event.
        message = (
            f"{run} was triggered by assets whose events have no `dt` in their extra: let them have one, or {REMEDY}"
        )
        raise AirflowFailException(message)
    if logical_date is None:
        message = f"{run} has no logical date, so it is not known which partition it is for: {REMEDY}"
        raise AirflowFailException(message)
    day: datetime.date = logical_date.date()
    return day.isoformat()


def _date(given: object, what: str) -> str:
    try:
        return datetime.date.fromisoformat(str(given)).isoformat()
    except ValueError as error:
        message = f"{what} is {given!r}: set it to a date such as 2024-03-01 when triggering the run"
        raise AirflowFailException(message) from error


def _flat(events: Mapping[Any, Any] | None) -> Iterator[Any]:
    for of_asset in (events or {}).values():
        yield from of_asset


def _of_event(event: Any) -> str | None:
    """Return the ``dt`` of an asset event; before 2.10 it has none, so the partition of the run that sent it."""
    extra = getattr(event, "extra", None) or {}
    if extra.get("dt"):
        return _date(extra["dt"], "`dt` in the extra of an asset event")
    run = getattr(event, "source_dag_run", None)
    try:
        return partition_of(getattr(run, "conf", None) or {}, run) if run is not None else None
    except AirflowFailException:
        return None
