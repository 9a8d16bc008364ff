"""Metrics of tasks through Airflow's own: whatever it sends to StatsD or OpenTelemetry has these too.

A name has the table or the step, because plain StatsD drops tags; ``dag_id``, ``dt`` and ``table`` are tags where the
backend takes some. A metric that cannot be sent is left out: no task fails because of it.
"""

from __future__ import annotations

import logging
from typing import Any, Mapping

from drugs_rs.airflow.compat import AirflowException, airflow_stats

log = logging.getLogger(__name__)

# Gauges, by the number in a line: the metric, and whether its name ends with the table.
GAUGES = {
    "rows_kept": ("drugs_rs.rows_kept", True),
    "rows_rejected": ("drugs_rs.rows_rejected", True),
    "rejected_share": ("drugs_rs.rejected_share", True),
    "publications": ("drugs_rs.publications", False),
    "mentions": ("drugs_rs.mentions", False),
    "pairs": ("drugs_rs.pairs", False),
    "mentions_lost": ("drugs_rs.mentions_lost", False),
    "pairs_lost": ("drugs_rs.pairs_lost", False),
    "gold_age_days": ("drugs_rs.gold_age_days", False),
    "held_days": ("drugs_rs.held_days", False),
    "rows": ("drugs_rs.rows_loaded", False),
}
# Counters and timings, each with the step or the incident at the end of its name.
FAILURES = "drugs_rs.failures"
INCIDENTS = "drugs_rs.incidents"
SECONDS = "drugs_rs.step_seconds"


def send(line: Mapping[str, Any]) -> None:
    """Send the metrics of a line of ``drugs_rs.airflow.task_events``."""
    tags = {name: str(line[name]) for name in ("dag_id", "dt", "table") if line[name]}
    if line["event"] == "end":
        _call("gauge", f"{SECONDS}.{line['step']}", line["seconds"], tags)
    if line["event"] == "failure" and line["is_final"]:
        _call("incr", f"{FAILURES}.{line['step']}", 1, tags)
    if line["incident"]:
        _call("incr", f"{INCIDENTS}.{line['incident']}", 1, tags)
    # The gate has the sums of all tables, which silver has sent one by one.
    if line["step"] == "quality":
        return
    for number, value in line["numbers"].items():
        name, has_table = GAUGES.get(number, ("", False))
        if name and not (has_table and not line["table"]):
            _call("gauge", f"{name}.{line['table']}" if has_table else name, value, tags)


def _call(verb: str, name: str, value: float, tags: Mapping[str, str]) -> None:
    try:
        stats = airflow_stats()
        if stats is not None:
            getattr(stats, verb)(name, value, tags=dict(tags))
    except AirflowException:  # Airflow's own, such as its answer to SIGTERM
        raise
    except Exception:  # a metric must not fail a task
        log.warning("the metric %s could not be sent", name, exc_info=True)
