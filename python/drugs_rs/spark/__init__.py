"""Drugs in Spark."""

from __future__ import annotations

from drugs_rs.spark.find import find
from drugs_rs.spark.sources import CleanPublications, read_publications

__all__ = ["CleanPublications", "find", "read_publications"]
