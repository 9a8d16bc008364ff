"""Which partition a run works on: the parameter ``dt`` of the run, else its logical date. Never the clock."""

from __future__ import annotations

import datetime
from typing import Any, Mapping

from drugs_rs.airflow.compat import AirflowFailException

# What a templated ``dt`` is in a DAG that has ``partition`` among its macros under this name.
PARTITION = "{{ drugs_rs_partition(params, dag_run) }}"


def partition_of(params: Mapping[str, Any], dag_run: Any) -> str:
    """Give the ``dt`` of a run.

    Raises:
        AirflowFailException: The parameter is no date, or there is neither a parameter nor a logical date.
    """
    given = params.get("dt")
    if given:
        try:
            return datetime.date.fromisoformat(str(given)).isoformat()
        except ValueError as error:
            message = f"the parameter `dt` is {given!r}: set it to a date such as 2024-03-01 when triggering the run"
            raise AirflowFailException(message) from error
    logical_date = getattr(dag_run, "logical_date", None)
    if logical_date is None:
        message = (
            f"the run {getattr(dag_run, 'run_id', '')} has no logical date, so it is not known which partition it is"
            ' for: trigger it with the parameter `dt`, such as {"dt": "2024-03-01"}, or with a logical date'
        )
        raise AirflowFailException(message)
    day: datetime.date = logical_date.date()
    return day.isoformat()
