"""The places of a lake as Datasets (Airflow 2) or Assets (Airflow 3), so that other DAGs can follow."""

from __future__ import annotations

import os
from typing import Any, Mapping

from drugs_rs.airflow.compat import Asset, is_first_try

# The place of each table of silver below the lake's root.
SILVER = {
    "drugs": ("silver", "drugs"),
    "pubmed": ("silver", "publications", "kind=pubmed"),
    "clinical_trials": ("silver", "publications", "kind=clinical_trial"),
    "preprints": ("silver", "publications", "kind=preprint"),
}


def asset(out: str, *parts: str) -> Asset:
    """Return the asset of a place in a lake, such as ``asset("gs://bucket/lake", "gold", "drug_graph.json")``.

    Schedule another DAG by it: ``DAG(..., schedule=[asset(out, "gold", "drug_graph.json")])``.

    Raises:
        ValueError: ``out`` is empty.
    """
    if not out.strip():
        message = "an asset of a lake needs the lake: `out` is empty"
        raise ValueError(message)
    root = out if "://" in out else f"file://{os.path.abspath(out)}"  # noqa: PTH100  # a string stays a string
    return Asset("/".join([root.rstrip("/"), *parts]))


def announce(task: Any, context: Mapping[str, Any], report: Mapping[str, Any], rows: int) -> None:
    """Describe the change in the events of a task's assets; without a change there is no event.

    A retry has one all the same: the try before it may have been killed after its commit.
    """
    ti = context.get("ti")
    if report["unchanged"] and (ti is None or is_first_try(ti)):
        task.outlets = []
    if "outlet_events" not in context:  # before 2.10 events have no extra
        return
    extra = {"dt": report["dt"], "rows": rows, "unchanged": report["unchanged"], "report_uri": report["report_uri"]}
    for outlet in task.outlets:
        if isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra.update(extra)
