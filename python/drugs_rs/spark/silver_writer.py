"""Silver on executors: what is behind ``drugs_rs.spark.silver``."""

from __future__ import annotations

import datetime
import os
import re
from typing import TYPE_CHECKING

import drugs_rs
from drugs_rs.exceptions import ArgumentError
from drugs_rs.spark import task_rows
from drugs_rs.spark.clean_sources import read_publications
from drugs_rs.spark.library import require_spark
from drugs_rs.spark.silver_layout import folder_of, holds_core_silver

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from drugs_rs import CleanTable
    from drugs_rs.spark.clean_sources import CleanPublications, Encoding, OnBadFile, Source

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
    encoding: Encoding | None = None,
    month_first: bool = False,
    on_bad_file: OnBadFile = "fail",
    max_ratio: int = 400,
) -> dict[str, dict[str, int]]:
    """Clean the sources of a date on the executors, and write them as Parquet in the layout of a lake.

    Writes ``silver/publications/kind=…/dt=…``, ``silver/rejected/publications``, ``silver/deleted/publications`` and
    ``silver/journals`` of each kind that is given, ``silver/drugs/dt=…`` of a vocabulary, and ``silver/files``, the
    counts of each file. What an earlier call wrote for the date and kind is replaced. The counts are written last: a
    partition without them is not complete, and ``gold`` says so.

    This is no transaction of the core. It has no manifests, so ``drugs_rs.gold`` and ``Lake`` do not see it;
    ``drugs_rs.spark.gold`` and every reader of Parquet do.

    Args:
        spark: The session, classic or of Spark Connect.
        lake: A folder that the core does not write, on a shared disk or with any scheme that Spark knows.
        dt: The logical date, ``"2020-06-01"`` or a ``datetime.date``.
        drugs: Vocabulary files, which the driver reads.
        pubmed: PubMed files; see ``read_publications`` for what a source may be.
        clinical_trials: Clinical trial files.
        preprints: Preprint files.
        encoding: As for ``drugs_rs.read_publications``.
        month_first: As for ``drugs_rs.read_publications``.
        on_bad_file: As for ``drugs_rs.read_publications``.
        max_ratio: As for ``drugs_rs.read_publications``.

    Returns:
        For each table that was given its ``rows_in``, ``rows_kept``, ``rows_merged`` and ``rows_rejected``.

    Raises:
        MissingLibraryError: PySpark is not installed, or older than 3.5.
        SourceNotFoundError: A source does not exist or matches no file.
        ArgumentError: No source at all, a bad ``dt``, or a lake that the core writes.
        ConservationError: Rows are lost or made up; the partition is not complete.
    """
    require_spark("drugs_rs.spark.silver")
    given = {"pubmed": pubmed, "clinical_trials": clinical_trials, "preprints": preprints}
    if all(source is None for source in (drugs, *given.values())):
        message = f"no source: give one of drugs, {', '.join(given)}"
        raise ArgumentError(message)
    if holds_core_silver(lake):
        message = (
            f"{os.fspath(lake)}: a lake that the core writes, whose commits Spark does not take part in; choose "
            "another folder"
        )
        raise ArgumentError(message)
    day = str(dt)
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        message = f"dt: `{day}` is not a date such as 2020-06-01"
        raise ArgumentError(message)
    counts = {}
    if drugs is not None:
        vocabulary = drugs_rs.read_drugs(drugs, encoding=encoding, on_bad_file=on_bad_file, max_ratio=max_ratio)
        _write_drugs(spark, lake, day, vocabulary)
        counts["drugs"] = {name: sum(source[name] for source in vocabulary.sources) for name in task_rows.SUMS}
    for kind, table in task_rows.SOURCE_TABLES.items():
        sources = given[table]
        if sources is not None:
            clean = read_publications(
                spark,
                sources,
                kind=kind,
                encoding=encoding,
                month_first=month_first,
                on_bad_file=on_bad_file,
                max_ratio=max_ratio,
            )
            with clean:
                counts[table] = clean.check()
                _write_publications(clean, lake, kind, day)
    return counts


def _write_publications(clean: CleanPublications, lake: str | os.PathLike[str], kind: str, dt: str) -> None:
    """Replace a partition of publications: without counts it is not complete, and gold says so."""
    _write(clean.files.limit(0), folder_of(lake, "files", kind=kind, dt=dt))
    for table, name in WRITTEN.items():
        _write(getattr(clean, name).drop("kind"), folder_of(lake, table, kind=kind, dt=dt))
    _write(clean.files.coalesce(1), folder_of(lake, "files", kind=kind, dt=dt))


def _write_drugs(spark: SparkSession, lake: str | os.PathLike[str], dt: str, vocabulary: CleanTable) -> None:
    """Replace the partition of a vocabulary, which the driver cleans because its files are joined."""
    from pyspark.sql.pandas.types import from_arrow_schema

    for table, name, found in (
        ("rejected_drugs", "rejected", vocabulary.rejected),
        ("drugs_all", "drugs_all", vocabulary),
    ):
        values = [tuple(row[column] for column in task_rows.column_names(name)) for row in found]
        frame = spark.createDataFrame(values, from_arrow_schema(task_rows.arrow_schema(name)))
        _write(frame.coalesce(1), folder_of(lake, table, dt=dt))


def _write(frame: DataFrame, folder: str) -> None:
    """Replace a folder of Parquet files."""
    frame.write.mode("overwrite").option("compression", "zstd").parquet(folder)
