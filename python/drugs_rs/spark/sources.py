"""Sources that executors clean: what is behind ``drugs_rs.spark.read_publications``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import drugs_rs
from drugs_rs.exceptions import ArgumentError, ConservationError
from drugs_rs.spark import rows
from drugs_rs.spark.executor import on_executors
from drugs_rs.spark.library import require_spark
from drugs_rs.spark.merge import rows_that_go

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Sequence

    from pyspark.sql import DataFrame, SparkSession
    from typing_extensions import Self, TypeAlias

    # A path, a glob, a folder or a URI, or several of them.
    Source: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

__all__ = ["CleanPublications", "read_publications"]

# At most this many files in a message.
MOST_NAMED = 5


class CleanPublications:
    """The rows that executors made of sources, as frames.

    The sources are read once, by the first action on any of the frames; what became of them is on the executors' disks
    until ``unpersist`` or the end of a ``with`` block.

    Attributes:
        publications: The rows that are kept, with the columns of ``silver/publications`` and ``kind``.
        rejected: The rows that cannot be a publication, with the columns of ``silver/rejected`` and ``kind``.
        deleted: The notices of deletion, with the columns of ``silver/deleted`` and ``kind``.
        journal_ids: The ids of journals, with the columns of ``silver/journals`` and ``kind``.
        files: A row for each file: ``uri``, ``format``, ``bytes``, ``rows_in``, ``rows_kept``, ``rows_merged``,
            ``rows_rejected``, and ``merged`` and ``rejected``, which map reasons to rows.
    """

    def __init__(self, made: DataFrame, kind: str) -> None:
        from pyspark.sql import functions

        self._made = made
        self._kind = functions.lit(kind).alias("kind")
        self._gone = rows_that_go(made)
        place = ["file", "source_uri", "source_row"]
        kept = self._of("publications_all").join(self._gone, place, "left_anti")
        self._rows = {"publications_all": kept, **{name: self._of(name) for name in ("rejected", "deleted")}}
        self.publications = self._table("publications_all")
        self.rejected = self._table("rejected")
        self.deleted = self._table("deleted")
        self._rows["journal_ids"] = self._of("journal_ids").dropDuplicates(rows.column_names("journal_ids"))
        self.journal_ids = self._table("journal_ids")
        self._counts = self._files()
        self.files = self._counts.orderBy("file").drop("file")

    def check(self) -> dict[str, int]:
        """Check that no row is lost: for each file, rows in = kept + merged + rejected, and the frames have these rows.

        Returns:
            The sums over all files: ``rows_in``, ``rows_kept``, ``rows_merged``, ``rows_rejected``.

        Raises:
            ConservationError: Rows are lost or made up; the message names files and counts.
        """
        from pyspark.sql import functions

        kept_rows = self._rows["publications_all"].groupBy("file").agg(functions.count("*").alias("in_publications"))
        rejected_rows = self._rows["rejected"].groupBy("file").agg(functions.count("*").alias("in_rejected"))
        counts = self._counts.join(kept_rows, "file", "left").join(rejected_rows, "file", "left")
        wrong, totals = [], dict.fromkeys(rows.SUMS, 0)
        for row in counts.orderBy("file").collect():
            for name in totals:
                totals[name] += row[name]
            kept, rejected = row["in_publications"] or 0, row["in_rejected"] or 0
            parts = row["rows_kept"] + row["rows_merged"] + row["rows_rejected"]
            if (row["rows_in"], row["rows_kept"], row["rows_rejected"]) != (parts, kept, rejected):
                wrong.append(
                    f"{row['uri']}: {row['rows_in']} rows in; {row['rows_kept']} kept, {row['rows_merged']} merged and "
                    f"{row['rows_rejected']} rejected by its counts; {kept} kept and {rejected} rejected in the frames"
                )
        if wrong:
            more = f"; and {len(wrong) - MOST_NAMED} more files" * (len(wrong) > MOST_NAMED)
            message = f"rows are lost or made up: {'; '.join(wrong[:MOST_NAMED])}{more}; please report this bug"
            raise ConservationError(message)
        return totals

    def unpersist(self) -> None:
        """Remove the rows from the executors' disks; the frames read the sources again."""
        self._made.unpersist()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.unpersist()

    def _of(self, table: str) -> DataFrame:
        """Return the rows of a table, with the number of their file."""
        return self._made.where(f"table = '{table}'").select("file", *rows.column_names(table))

    def _table(self, table: str) -> DataFrame:
        """Return a frame with the columns of a table."""
        return self._rows[table].select(*rows.column_names(table), self._kind)

    def _files(self) -> DataFrame:
        """Return the counts of each file, with its number, in which rows merged over files are merged."""
        from pyspark.sql import functions
        from pyspark.sql.pandas.types import from_arrow_schema

        entries = f"array<{from_arrow_schema(rows.counts_schema()).simpleString()}>"
        counts = self._made.where(f"table = '{rows.COUNTS}'").selectExpr(
            "file", f"inline(from_json({rows.COUNTS}, '{entries}'))"
        )
        by_reason = self._gone.groupBy("file", "reason").agg(functions.count("*").alias("rows"))
        gone = by_reason.groupBy("file").agg(
            functions.sum("rows").alias("gone"),
            functions.expr("map_from_entries(collect_list(struct(reason, rows)))").alias("reasons"),
        )
        added = "map_zip_with(merged, reasons, (reason, a, b) -> coalesce(a, 0L) + coalesce(b, 0L))"
        return counts.join(gone, "file", "left").selectExpr(
            "file",
            "uri",
            "format",
            "bytes",
            "rows_in",
            "rows_kept - coalesce(gone, 0) AS rows_kept",
            "rows_merged + coalesce(gone, 0) AS rows_merged",
            "rows_rejected",
            f"IF(reasons IS NULL, merged, {added}) AS merged",
            "rejected",
        )


def read_publications(
    spark: SparkSession,
    sources: Source,
    *,
    kind: str = "pubmed",
    encoding: str | None = None,
    month_first: bool = False,
    on_bad_file: str = "fail",
    max_ratio: int = 400,
) -> CleanPublications:
    """Clean sources on executors, as ``drugs_rs.spark.read_publications`` documents it."""
    require_spark("drugs_rs.spark.read_publications")
    from pyspark import StorageLevel
    from pyspark.sql.pandas.types import from_arrow_schema

    if kind not in rows.SOURCE_TABLES:
        message = f"kind: unknown kind {kind!r}; expected one of {', '.join(map(repr, rows.SOURCE_TABLES))}"
        raise ArgumentError(message)
    files = [_absolute(file) for file in drugs_rs.list_sources(sources)]
    # Checks the options, and reads nothing.
    drugs_rs.iter_publications(
        files[0], kind=kind, encoding=encoding, month_first=month_first, on_bad_file=on_bad_file, max_ratio=max_ratio
    )
    options = {
        "encoding": encoding,
        "month_first": month_first,
        "on_bad_file": on_bad_file,
        "max_ratio": max_ratio,
    }
    batch_rows = int(spark.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch") or 0)
    work = on_executors("clean", kind=kind, batch_rows=batch_rows if batch_rows > 0 else None, options=options)
    # As many ranges as numbers: one file a task.
    numbered = spark.createDataFrame(list(enumerate(files)), "file bigint, uri string")
    numbered = numbered.repartitionByRange(len(files), "file")
    made = numbered.mapInArrow(work, from_arrow_schema(rows.task_schema())).persist(StorageLevel.DISK_ONLY)
    return CleanPublications(made, kind)


def _absolute(file: str) -> str:
    """Return a name that is the same on all executors, whose working folders differ."""
    return file if "://" in file else str(Path(file).absolute())
