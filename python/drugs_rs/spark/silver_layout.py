"""The silver tables of a lake as frames, whether the core wrote them or Spark."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import drugs_rs
from drugs_rs.exceptions import SourceNotFoundError
from drugs_rs.spark import task_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from typing_extensions import TypeAlias

    _Path: TypeAlias = str | os.PathLike[str]

__all__ = ["FOLDERS", "SilverTables", "folder_of", "holds_core_silver", "read_silver"]

# The folders of Spark's silver: those of the core and one more, with the counts of each file, which are written last.
FOLDERS = {
    "publications_all": "silver/publications",
    "rejected": "silver/rejected/publications",
    "deleted": "silver/deleted/publications",
    "journal_ids": "silver/journals",
    "drugs_all": "silver/drugs",
    "rejected_drugs": "silver/rejected/drugs",
    "files": "silver/files",
}
# What gold reads.
READ = ("publications_all", "deleted", "journal_ids", "drugs_all")
# The schemes of paths that the core reads, too.
OF_CORE = ("", "file", "gs", "s3")
# What Spark takes for a pattern in a path.
PATTERN = re.compile(r"[\[\]{}*?,\\]")


class SilverTables(NamedTuple):
    """The tables that gold reads, by name; each has ``dt``, and all but ``drugs_all`` have ``kind``.

    ``dates`` are those of partitions that are not held, ``snapshots`` the names and dates of the snapshots among them;
    ``as_of`` is the date that the core's gold has reached.
    """

    tables: dict[str, DataFrame]
    dates: list[str]
    snapshots: list[tuple[str, str]]
    as_of: str | None


def read_silver(spark: SparkSession, lake: _Path) -> SilverTables:
    """Open the silver tables of a lake.

    Raises:
        SourceNotFoundError: There is no silver, or a partition that Spark wrote is not complete.
    """
    status = _status(lake)
    if not status:
        return _of_spark(spark, lake)
    core = drugs_rs.Lake(lake)
    tables = {name: _read(spark, name, [spark_path(uri) for uri in core.files(name)["uri"]]) for name in READ}
    reached = [row["as_of"] for row in status if row["as_of"] is not None]
    released = [row for row in status if not row["held"]]
    snapshots = [(row["table"], row["dt"]) for row in released if row["snapshot"]]
    return SilverTables(tables, sorted({row["dt"] for row in released}), snapshots, max(reached, default=None))


def holds_core_silver(lake: _Path) -> bool:
    """Whether the core wrote silver of this lake."""
    return bool(_status(lake))


def folder_of(lake: _Path, table: str, **partition: str) -> str:
    """Return the folder of a table, or of a partition of it, as Spark takes it."""
    keys = [f"{name}={value}" for name, value in partition.items()]
    return "/".join([spark_path(lake).rstrip("/"), FOLDERS[table], *keys])


def spark_path(place: _Path) -> str:
    """Return the name of a file or folder for Spark, whose usual file system need not be the disk."""
    text = os.fspath(place)
    return PATTERN.sub(r"\\\g<0>", text if "://" in text else f"file://{Path(text).expanduser().absolute()}")


def _status(lake: _Path) -> list[dict[str, Any]]:
    """List the partitions that the core wrote."""
    text = os.fspath(lake)
    if text.partition("://")[0 if "://" in text else 1] not in OF_CORE:
        return []
    try:
        return drugs_rs.Lake(lake).status().to_dicts()
    except SourceNotFoundError:
        return []


def _of_spark(spark: SparkSession, lake: _Path) -> SilverTables:
    """Open what ``drugs_rs.spark.silver`` wrote."""
    from pyspark.errors import AnalysisException

    try:
        complete = _read(spark, "files", [folder_of(lake, "files")]).select("kind", "dt").distinct().collect()
        tables = {name: _read(spark, name, [folder_of(lake, name)]) for name in READ}
        begun = tables["publications_all"].select("kind", "dt").distinct().collect()
    except AnalysisException as error:
        cause = str(error).splitlines()[0]
        message = f"{os.fspath(lake)}: no silver tables ({cause}); run drugs_rs.silver or drugs_rs.spark.silver"
        raise SourceNotFoundError(message) from error
    for kind, dt in sorted(set(map(tuple, begun)) - set(map(tuple, complete))):
        message = (
            f"{os.fspath(lake)}: silver of {kind} of {dt} is not complete: run drugs_rs.spark.silver of that date again"
        )
        raise SourceNotFoundError(message)
    # None of its deliveries is a snapshot.
    return SilverTables(tables, sorted({dt for _, dt in map(tuple, complete)}), [], None)


def _read(spark: SparkSession, table: str, paths: list[str]) -> DataFrame:
    """Read the files of a table, with the columns that only their paths have."""
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.sql.types import StringType, StructField, StructType

    schema = from_arrow_schema(task_rows.counts_schema() if table == "files" else task_rows.arrow_schema(table))
    keys = ["dt"] if table == "drugs_all" else ["kind", "dt"]
    if not paths:
        fields = [StructField(name, StringType()) for name in keys]
        return spark.createDataFrame([], StructType([*schema.fields, *fields]))
    # In a bucket the folders of a table differ from commit to commit, and Spark finds no partitions in them.
    files = spark.read.schema(schema).option("recursiveFileLookup", "true").option("pathGlobFilter", "*.parquet")
    columns = [f"regexp_extract(_metadata.file_path, '/{key}=([^/]+)/', 1) AS {key}" for key in keys]
    return files.parquet(*paths).selectExpr(*(f"`{name}`" for name in schema.names), *columns)
