"""The quality gate: thresholds for the reports of silver before gold may publish. Numbers only, never rows.

Silver is written before it is judged. So a day that does not pass is *held back* in the lake, and the gold of every day
leaves it out until it passes or a person releases it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from drugs_rs.airflow.compat import AirflowFailException
from drugs_rs.airflow.settings import where
from drugs_rs.airflow.task_events import numbers_of

# The core's limit of characters in a reason.
_LONGEST_REASON = 4000


class QualityError(AirflowFailException, ValueError):
    """The day's tables do not pass. Not retried: the same tables give the same numbers.

    ``incident`` is ``"rejected_share"`` if too many rows were rejected or flagged.
    """

    incident = ""
    numbers: Mapping[str, float] = {}


@dataclass(frozen=True)
class Thresholds:
    """The limits of the quality gate."""

    max_rejected_share: float
    max_flag_shares: Mapping[str, float]
    min_rows: int
    hold_on_warning: bool = False


def judge(reports: Sequence[Mapping[str, Any] | None], thresholds: Thresholds, log: logging.Logger) -> dict[str, Any]:
    """Compare the reports of silver with the thresholds and return the compared numbers.

    Raises:
        QualityError: A number does not pass; the message names all that do not, each with its setting.
    """
    if not reports or not all(isinstance(report, Mapping) for report in reports):
        message = "a silver task left no report: clear the silver tasks of this run, and they and this one run again"
        raise QualityError(message)
    tables: dict[str, Any] = {}
    faults: list[str] = []
    for report in reports:
        assert report is not None  # checked above, which the type checker does not see
        table = str(next((source["table"] for source in report["sources"]), report["step"]))
        numbers, found = _of_table(table, report, thresholds)
        log.info("%s: %s", table, numbers)
        tables[table] = numbers
        faults += found
        broken = _broken_rules(table, report)
        if broken and thresholds.hold_on_warning:
            faults += [f"{rule} (correct the source or the contract, or {where('hold_on_warning')})" for rule in broken]
        else:
            for rule in broken:
                log.warning("%s", rule)
    if faults:
        message = f"the day is too poor to be published, the graph stays without it: {'; '.join(faults)}"
        refusal = QualityError(message)
        refusal.numbers = numbers_of({"tables": tables})
        if any(_has_poor_share(numbers, thresholds) for numbers in tables.values()):
            refusal.incident = "rejected_share"
        raise refusal
    return {"tables": tables, "passed": True}


def _has_poor_share(numbers: Mapping[str, Any], thresholds: Thresholds) -> bool:
    flags = thresholds.max_flag_shares
    return bool(
        numbers["rows_rejected"] > thresholds.max_rejected_share * numbers["rows_in"]
        or any(numbers["flags"].get(name, 0) > most * numbers["rows_kept"] for name, most in flags.items())
    )


def reason_of(refusal: QualityError) -> str:
    """Return the message of a refusal as the reason of a hold, cut to the longest allowed length."""
    text = str(refusal)
    cut = " … (the log of the gate has the rest)"
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - len(cut)] + cut


def _of_table(table: str, report: Mapping[str, Any], thresholds: Thresholds) -> tuple[dict[str, Any], list[str]]:
    rows = {part: int(report[f"rows_{part}"]) for part in ("in", "kept", "merged", "rejected")}
    flags = {name: int(count) for name, count in report.get("flags", {}).items()}
    rejected_share = rows["rejected"] / rows["in"] if rows["in"] else 0.0
    flag_shares = {name: count / rows["kept"] for name, count in flags.items() if rows["kept"]}
    faults = []
    # The core does not commit otherwise; this check covers reports from elsewhere.
    for entry in [report, *report["sources"]]:
        if entry["rows_in"] != entry["rows_kept"] + entry["rows_merged"] + entry["rows_rejected"]:
            place = entry.get("uri", "all files")
            faults.append(f"{table}: rows in are not rows kept + merged + rejected ({place}), a bug: report it")
    if rows["kept"] < thresholds.min_rows:
        faults.append(
            f"{table}: {rows['kept']} rows kept, expected at least {thresholds.min_rows} (look at the source, "
            f"or {where('min_rows')})"
        )
    if rejected_share > thresholds.max_rejected_share:
        faults.append(
            f"{table}: {rows['rejected']} of {rows['in']} rows rejected, {_percent(rejected_share)} and at most "
            f"{_percent(thresholds.max_rejected_share)} pass (see silver/rejected, or {where('max_rejected_share')})"
        )
    for name, most in sorted(thresholds.max_flag_shares.items()):
        share = flag_shares.get(name, 0.0)
        if share > most:
            faults.append(
                f"{table}: {flags[name]} of {rows['kept']} rows have the flag {name}, {_percent(share)} and at most "
                f"{_percent(most)} pass (look at the source, or {where('max_flag_shares')})"
            )
    numbers: dict[str, Any] = {f"rows_{part}": count for part, count in rows.items()}
    if report.get("quality"):
        numbers["broken_rules"] = sum(not rule["passed"] for rule in report["quality"])
    numbers.update(rejected_share=round(rejected_share, 6), rejected=dict(report.get("rejected", {})), flags=flags)
    return numbers, faults


def _broken_rules(table: str, report: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each broken rule of the contract; one of severity ``info`` is only recorded."""
    return [
        f"{table}: the rule {rule['rule']} counts {rule['count']} of {rule['rows']} rows and allows {rule['allowed']}"
        for rule in report.get("quality", ())
        if not rule["passed"] and rule["severity"] != "info"
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
