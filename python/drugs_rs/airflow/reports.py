"""A step's report for the task's log, and small enough for an XCom."""

from __future__ import annotations

import logging
from typing import Any, Mapping

# An XCom is a row of Airflow's database; thousands of files or days must not make it large.
MOST_ENTRIES = 50


def bounded(report: Mapping[str, Any], uri: str) -> dict[str, Any]:
    """Return the report with its lists cut, the number of cut entries, and the place of the whole report."""
    small = {key: value for key, value in report.items() if key != "steps"}
    for name in ("sources", "outputs", *(["held"] if "held" in report else [])):
        entries = list(report.get(name, []))
        small[name] = entries[:MOST_ENTRIES]
        if len(entries) > MOST_ENTRIES:
            small[f"{name}_left_out"] = len(entries) - MOST_ENTRIES
    small["report_uri"] = uri
    return small


def rows_of(report: Mapping[str, Any]) -> int:
    """Return the number of results: mentions of gold, kept rows of silver, 0 for bronze, which parses nothing."""
    return int(report.get("mentions", report["rows_kept"]))


def tell(report: Mapping[str, Any], log: logging.Logger) -> None:
    """Log a step: counts as information, rejected and doubtful rows as warnings."""
    step, dt = report.get("step"), report.get("dt")
    done = "nothing to do" if report.get("unchanged") else "done"
    log.info("%s of dt=%s: %s in %s s, into %s", step, dt, done, report.get("seconds"), report.get("out"))
    for source in report.get("sources", [])[:MOST_ENTRIES]:
        if step == "bronze":
            log.info("%s: %s bytes, %s", source["uri"], source["bytes"], source["format"])
        else:
            parts = [f"{source['rows_' + part]} {part}" for part in ("kept", "merged", "rejected")]
            log.info("%s: %s rows in, %s", source["uri"], source["rows_in"], ", ".join(parts))
        for note in source.get("notes", []):
            log.warning("%s: %s", source["uri"], note)
        if source.get("extra_columns"):
            log.info("%s: columns that were not used: %s", source["uri"], ", ".join(source["extra_columns"]))
    for lost in report.get("shrunk", []):
        log.warning(
            "%s of dt=%s has fewer rows than the delivery that it replaces: %s before, %s now",
            *(lost[name] for name in ("table", "dt", "rows_before", "rows")),
        )
    for reason, rows in report.get("rejected", {}).items():
        log.warning("rejected: %s rows, %s", rows, reason)
    for flag, rows in report.get("flags", {}).items():
        log.warning("kept with a flag: %s rows, %s", rows, flag)
    if "mentions" in report:
        numbers = [f"{report[name]} {name}" for name in ("drugs", "publications", "mentions", "pairs", "journals")]
        log.info("graph as of %s: %s", report.get("as_of"), ", ".join(numbers))
