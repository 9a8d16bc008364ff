"""Drugs in Spark."""

from __future__ import annotations

from drugs_rs.spark.find import find
from drugs_rs.spark.gold import Gold, gold
from drugs_rs.spark.silver import silver
from drugs_rs.spark.sources import CleanPublications, read_publications

__all__ = ["CleanPublications", "Gold", "find", "gold", "read_publications", "silver"]
