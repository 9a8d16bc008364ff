"""Silver on executors: what is behind ``drugs_rs.spark.silver``."""

from __future__ import annotations

import datetime
import os
import re
from typing import TYPE_CHECKING, Any

import drugs_rs
from drugs_rs.exceptions import ArgumentError
from drugs_rs.spark import rows
from drugs_rs.spark.lakes import folder_of, holds_core_silver
from drugs_rs.spark.library import require_spark
from drugs_rs.spark.sources import read_publications

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from drugs_rs.spark.sources import CleanPublications, Source

__all__ = ["silver"]

# What a partition of publications has, but for the counts, which are written last.
WRITTEN = {
    "rejected": "rejected",
    "deleted": "deleted",
    "journal_ids": "journal_ids",
    "publications_all": "publications",
}


def silver(
    spark: SparkSession,
    lake: str | os.PathLike[str],
    *,
    dt: str | datetime.date,
    drugs: Source | None = None,
    pubmed: Source | None = None,
    clinical_trials: Source | None = None,
    preprints: Source | None = None,
    **options: Any,
) -> dict[str, dict[str, int]]:
    """Write silver of a date, as ``drugs_rs.spark.silver`` documents it."""
    require_spark("drugs_rs.spark.silver")
    given = {"pubmed": pubmed, "clinical_trials": clinical_trials, "preprints": preprints}
    if all(source is None for source in (drugs, *given.values())):
        message = f"no source: give one of drugs, {', '.join(given)}"
        raise ArgumentError(message)
    if holds_core_silver(lake):
        message = f"{os.fspath(lake)}: a lake that the core writes, whose commits Spark does not take part in; choose another folder"
        raise ArgumentError(message)
    day = str(dt)
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        message = f"dt: `{day}` is not a date such as 2020-06-01"
        raise ArgumentError(message)
    counts = {}
    if drugs is not None:
        counts["drugs"] = _write_drugs(spark, lake, day, drugs, options)
    for kind, table in rows.SOURCE_TABLES.items():
        sources = given[table]
        if sources is not None:
            with read_publications(spark, sources, kind=kind, **options) as clean:
                counts[table] = clean.check()
                _write_publications(clean, lake, kind, day)
    return counts


def _write_publications(clean: CleanPublications, lake: str | os.PathLike[str], kind: str, dt: str) -> None:
    """Replace a partition of publications: without counts it is not complete, and gold says so."""
    _write(clean.files.limit(0), folder_of(lake, "files", kind=kind, dt=dt))
    for table, name in WRITTEN.items():
        _write(getattr(clean, name).drop("kind"), folder_of(lake, table, kind=kind, dt=dt))
    _write(clean.files.coalesce(1), folder_of(lake, "files", kind=kind, dt=dt))


def _write_drugs(
    spark: SparkSession, lake: str | os.PathLike[str], dt: str, sources: Source, options: dict[str, Any]
) -> dict[str, int]:
    """Clean a vocabulary here, because its files are joined, and replace its partition."""
    from pyspark.sql.pandas.types import from_arrow_schema

    known = {name: value for name, value in options.items() if name != "month_first"}
    table = drugs_rs.read_drugs(sources, **known)
    columns = rows.column_names("drugs_all")
    schema = from_arrow_schema(rows.arrow_schema("drugs_all"))
    values = [tuple(row[name] for name in columns) for row in table]
    _write(spark.createDataFrame(values, schema).coalesce(1), folder_of(lake, "drugs_all", dt=dt))
    return {name: sum(source[name] for source in table.sources) for name in rows.SUMS}


def _write(frame: DataFrame, folder: str) -> None:
    """Replace a folder of Parquet files."""
    frame.write.mode("overwrite").option("compression", "zstd").parquet(folder)
