"""Gold by SQL: what is behind ``drugs_rs.spark.gold``."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Iterable, Sequence

import drugs_rs
from drugs_rs.exceptions import ArgumentError, SourceNotFoundError
from drugs_rs.spark import task_rows
from drugs_rs.spark.library import require_spark
from drugs_rs.spark.mention_columns import find
from drugs_rs.spark.silver_layout import SilverTables, read_silver
from drugs_rs.spark.sql_models import Models

if TYPE_CHECKING:
    from types import TracebackType

    from pyspark.sql import DataFrame, SparkSession
    from typing_extensions import Self

    from drugs_rs import Matcher

__all__ = ["Gold", "gold"]


class Gold:
    """The tables of gold as frames, with the rows and columns of ``Lake.scan`` and of ``DrugGraph.answer``.

    ``publications`` and ``mentions`` are computed once, by the first action on any of the frames; their rows are in the
    executors' memory and on their disks until ``unpersist`` or the end of a ``with`` block.

    Attributes:
        publications: The current state of every publication.
        mentions: The places in the text of current publications that name a drug.
        journal_drugs: Which journal mentions which substance.
        top_journals: The number of different drugs that each journal mentions, the largest first.
        exclusive_drugs: Pairs of drugs that share a journal through PubMed alone.
    """

    def __init__(self, models: Models, answers: dict[str, DataFrame]) -> None:
        self._models = models
        self.publications = models.relations["publications"]
        self.mentions = models.relations["mentions"]
        self.journal_drugs = answers["journal_drugs"]
        self.top_journals = answers["top_journals"]
        self.exclusive_drugs = answers["exclusive_drugs"]

    def unpersist(self) -> None:
        """Remove the computed rows from the executors; do it when the frames are not needed any more."""
        self.publications.unpersist()
        self.mentions.unpersist()
        self._models.drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.unpersist()


def gold(
    spark: SparkSession,
    lake: str | os.PathLike[str],
    *,
    dt: str | datetime.date | None = None,
    matcher: Matcher | None = None,
    fields: Sequence[str] | None = None,
    abstracts: bool = False,
    exclude_status: Sequence[str] | None = None,
    unit: str = "substance",
) -> Gold:
    """Compute current publications, mentions and answers of a lake from its silver tables.

    The rows are those of ``Lake.scan`` and ``DrugGraph.answer``: publications and answers come of the models in
    ``drugs_rs.sql``, mentions of ``find`` with a matcher of the lake's newest vocabulary. Held dates are left out, and
    what a snapshot replaced. Nothing is written.

    Args:
        spark: The session, classic or of Spark Connect.
        lake: A lake of the core, on a shared disk or in a bucket that Spark reads, or what ``silver`` wrote.
        dt: Take partitions up to this date; by default up to that which the core's gold has reached, else all.
        matcher: What to find. By default a matcher of the vocabulary, with the options that ``drugs_rs.gold`` has by
            default; where the lake's gold has others, give one with the same options.
        fields: The fields to search, as ``drugs_rs.gold`` has them; by default titles.
        abstracts: Search abstracts too.
        exclude_status: Do not search publications of these statuses, such as ``["retracted"]``.
        unit: What counts as one drug in ``top_journals`` and ``exclusive_drugs``: ``"substance"`` or ``"code"``.

    Returns:
        The frames ``publications``, ``mentions``, ``journal_drugs``, ``top_journals`` and ``exclusive_drugs``.

    Raises:
        MissingLibraryError: PySpark is not installed, or older than 3.5.
        SourceNotFoundError: There are no silver tables, no vocabulary up to the date, or a partition that Spark wrote
            is not complete.
        ArgumentError: An unknown ``unit``, field or status.
        StorageError: The lake cannot be read.
    """
    require_spark("drugs_rs.spark.gold")
    given = ["title"] if fields is None else [fields] if isinstance(fields, str) else list(fields)
    if not given:
        message = "fields: no field; expected at least one, such as title"
        raise ArgumentError(message)
    searched = {*given, *(["abstract"] if abstracts else [])}
    _check_names("fields", searched, _TEXTS)
    excluded = [exclude_status] if isinstance(exclude_status, str) else list(exclude_status or ())
    _check_names("exclude_status", excluded, _STATUSES)
    silver = read_silver(spark, lake)
    as_of = str(dt or silver.as_of or max(silver.dates, default=""))
    drugs, own_matcher = _vocabulary(spark, silver, lake, as_of)
    partitions = [("", day, False) for day in silver.dates] + [(*one, True) for one in silver.snapshots]
    status = spark.createDataFrame(
        [(table, day, snapshot, False, as_of) for table, day, snapshot in partitions],
        "`table` string, dt string, snapshot boolean, held boolean, as_of string",
    )
    models = Models(spark)
    for name, frame in {**silver.tables, "status": status, "drugs": drugs}.items():
        models.add(name, frame)
    models.add("publications", models.run("publications").persist())
    models.add("found", _found(models.relations, matcher or own_matcher, searched, excluded))
    models.add("mentions", models.run("mentions").persist())
    return Gold(models, {name: models.run(name, unit) for name in ("journal_drugs", "top_journals", "exclusive_drugs")})


# The text of each field. Names in a list are one text, as ``gold`` of the core searches it.
_NAMES = "flatten(transform({}, one -> concat(array(one.name), coalesce(one.other_names, array()))))"
_TEXTS = {
    "title": "title",
    "abstract": "abstract",
    "interventions": f"array_join({_NAMES.format('interventions')}, ' | ')",
    "substances": "array_join(transform(substances, one -> one.name), ' | ')",
}
# Where the names of each intervention end, and the first of its roles that holds.
_ROLES = ("experimental", "active_comparator", "placebo_comparator", "other")
_ENDS = (
    "transform(interventions, (given, place) -> named_struct("
    f"'end', length(array_join({_NAMES.format('slice(interventions, 1, place + 1)')}, ' | ')), "
    f"'role', get(filter(array{_ROLES}, role -> array_contains(given.roles, role)), 0)))"
)
_STATUSES = ("retracted", "retraction_notice", "expression_of_concern", "corrected")


def _check_names(argument: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Fail for a name that is not known."""
    unknown = sorted(set(names).difference(known))
    if unknown:
        message = f"{argument}: `{unknown[0]}`; expected {', '.join(known)}"
        raise ArgumentError(message)


def _found(tables: dict[str, DataFrame], matcher: Matcher, fields: set[str], excluded: list[str]) -> DataFrame:
    """Find the mentions in texts of current publications."""
    from pyspark.sql.functions import expr

    key = ["kind", "publication_id"]
    current = tables["publications"]
    if excluded:
        current = current.where(f"status IS NULL OR status NOT IN ({', '.join(map(repr, excluded))})")
    # What gold leaves to silver.
    whole = tables["publications_all"].join(current.select(*key, "dt"), [*key, "dt"], "left_semi")
    found = None
    for field in (name for name in _TEXTS if name in fields):
        texts = current if field == "title" else whole
        ends = _ENDS if field == "interventions" else "CAST(NULL AS array<struct<end:int,role:string>>)"
        texts = texts.selectExpr(*key, f"{ends} AS ends", f"{_TEXTS[field]} AS text")
        mentions = find(texts, "text", matcher, into="mentions")
        mentions = mentions.selectExpr(*key, f"'{field}' AS field", "ends", "inline(mentions)")
        mentions = mentions.withColumn("role", expr("get(filter(ends, one -> start < one.end), 0).role")).drop("ends")
        found = mentions if found is None else found.unionByName(mentions)
    assert found is not None
    return found


def _vocabulary(
    spark: SparkSession, silver: SilverTables, lake: str | os.PathLike[str], as_of: str
) -> tuple[DataFrame, Matcher]:
    """Make the table of drugs, with their substances, and a matcher of the newest vocabulary up to a date."""
    import pyarrow
    from pyarrow import parquet
    from pyspark.sql.pandas.types import from_arrow_schema

    delivered = {row["dt"] for row in silver.tables["drugs_all"].select("dt").distinct().collect()}
    dates = sorted(day for day in delivered.intersection(silver.dates) if day <= as_of)
    if not dates:
        known = f"no drugs up to {as_of or 'any date'} that are not held"
        message = f"{os.fspath(lake)}: {known}; run silver of a vocabulary first"
        raise SourceNotFoundError(message)
    newest = silver.tables["drugs_all"].where(f"dt = '{dates[-1]}'").drop("dt").collect()
    with TemporaryDirectory(prefix="drugs_rs-") as folder:
        source = Path(folder, "drugs.parquet")
        table = pyarrow.Table.from_pylist([row.asDict() for row in newest], task_rows.arrow_schema("drugs_all"))
        parquet.write_table(table, source)
        # Only the core knows the substance of a drug.
        drugs_rs.run(drugs=source, lake=Path(folder, "lake"), dt=dates[-1], graph="none")
        drugs = drugs_rs.Lake(Path(folder, "lake")).scan("drugs").to_arrow()
        matcher = drugs_rs.Matcher.from_vocabulary(source)
    schema = from_arrow_schema(task_rows.arrow_schema("drugs"))
    return spark.createDataFrame([tuple(row.values()) for row in drugs.to_pylist()], schema), matcher
