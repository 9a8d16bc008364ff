"""Sources that executors clean: what is behind ``drugs_rs.spark.read_publications``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import drugs_rs
from drugs_rs.exceptions import ArgumentError, ConservationError
from drugs_rs.spark import task_rows
from drugs_rs.spark.executor import on_executors
from drugs_rs.spark.library import require_spark
from drugs_rs.spark.merged_files import rows_that_go

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal, Sequence

    from pyspark.sql import DataFrame, SparkSession
    from typing_extensions import Self, TypeAlias

    from drugs_rs.spark.task_rows import Kind

    # A path, a glob, a folder or a URI, or several of them.
    Source: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
    Encoding: TypeAlias = Literal["windows-1252"]
    OnBadFile: TypeAlias = Literal["fail", "reject"]

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
        self._rows["journal_ids"] = self._of("journal_ids").dropDuplicates(task_rows.column_names("journal_ids"))
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
        wrong, totals = [], dict.fromkeys(task_rows.SUMS, 0)
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
        return self._made.where(f"table = '{table}'").select("file", *task_rows.column_names(table))

    def _table(self, table: str) -> DataFrame:
        """Return a frame with the columns of a table."""
        return self._rows[table].select(*task_rows.column_names(table), self._kind)

    def _files(self) -> DataFrame:
        """Return the counts of each file, with its number, in which rows merged over files are merged."""
        from pyspark.sql import functions
        from pyspark.sql.pandas.types import from_arrow_schema

        entries = f"array<{from_arrow_schema(task_rows.counts_schema()).simpleString()}>"
        counts = self._made.where(f"table = '{task_rows.COUNTS}'").selectExpr(
            "file", f"inline(from_json({task_rows.COUNTS}, '{entries}'))"
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
    kind: Kind = "pubmed",
    encoding: Encoding | None = None,
    month_first: bool = False,
    on_bad_file: OnBadFile = "fail",
    max_ratio: int = 400,
) -> CleanPublications:
    """Clean PubMed articles, trials or preprints on the executors, a file a task.

    The driver lists the files. Each task cleans one as ``drugs_rs.silver`` does, on the executor's disk and in bounded
    memory, and repeated ids over all files are merged by the same rules: the rows are those of
    ``drugs_rs.read_publications``. Two things differ. Over the files of one call, a lower version of a PubMed record
    replaces a higher one, because silver has no column for versions. If a file says one thing of an id, then another,
    and then the first again, which an earlier file says too, the row is that of the earlier file.

    Nothing is read before an action. The first one reads the sources, and their rows stay on the executors' disks.

    Args:
        spark: The session, classic or of Spark Connect.
        sources: What a source may be for ``drugs_rs.read_publications``, under names that driver and executors share:
            in a bucket, or on a disk that all of them see. Relative paths become absolute.
        kind: ``"pubmed"``, ``"clinical_trial"`` or ``"preprint"``.
        encoding: As for ``drugs_rs.read_publications``.
        month_first: As for ``drugs_rs.read_publications``.
        on_bad_file: As for ``drugs_rs.read_publications``; an unreadable file fails the first action.
        max_ratio: As for ``drugs_rs.read_publications``.

    Returns:
        The frames ``publications``, ``rejected``, ``deleted``, ``journal_ids`` and ``files``; ``check()`` shows that no
        row is lost.

    Raises:
        MissingLibraryError: PySpark is not installed, or older than 3.5.
        SourceNotFoundError: A source does not exist or matches no file.
        ArgumentError: An unknown ``kind``, ``encoding`` or ``on_bad_file``, or an empty list of sources.
        StorageError: The disk or the bucket could not be looked at.
    """
    require_spark("drugs_rs.spark.read_publications")
    from pyspark import StorageLevel
    from pyspark.sql.pandas.types import from_arrow_schema

    if kind not in task_rows.SOURCE_TABLES:
        message = f"kind: unknown kind {kind!r}; expected one of {', '.join(map(repr, task_rows.SOURCE_TABLES))}"
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
    made = numbered.mapInArrow(work, from_arrow_schema(task_rows.task_schema())).persist(StorageLevel.DISK_ONLY)
    return CleanPublications(made, kind)


def _absolute(file: str) -> str:
    """Return a name that is the same on all executors, whose working folders differ."""
    return file if "://" in file else str(Path(file).absolute())
