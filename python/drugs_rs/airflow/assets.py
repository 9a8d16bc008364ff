"""The places of a lake as Datasets (Airflow 2) or Assets (Airflow 3), so that other DAGs can follow."""

from __future__ import annotations

import os

from drugs_rs.airflow.compat import Asset


def asset(out: str, *parts: str) -> Asset:
    """Give the asset of a place in a lake, such as ``asset("gs://bucket/lake", "gold", "drug_graph.json")``.

    Schedule another DAG by it: ``DAG(..., schedule=[asset(out, "gold", "drug_graph.json")])``.
    """
    root = out if "://" in out else f"file://{os.path.abspath(out)}"  # noqa: PTH100  # a text stays a text
    return Asset("/".join([root.rstrip("/"), *parts]))
