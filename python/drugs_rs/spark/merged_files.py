"""Which rows of several files are one publication: the core's rules, applied to what it left of each file.

Within a file the core has merged already: of each id at most one row is left, and half rows are whole. Over the files
the last row of an id stays, or the first of several that say the same; a notice of deletion removes what comes before
it. Versions of PubMed are no column of silver, so over files a lower version replaces a higher one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["rows_that_go"]

# A row, or a notice of deletion. Of one file notices come first: what a file deletes is not left of it.
EVENTS = (
    "publication_id",
    "file",
    "table = 'publications_all' AS is_row",
    "xxhash64(title, abstract, date, date_precision) AS content",
    "journal",
    "coalesce(array_contains(flags, 'merged_halves'), false) AS has_lent_journal",
    "source_uri",
    "source_row",
)
ROW = (
    "struct<file:bigint,is_row:boolean,content:bigint,journal:string,has_lent_journal:boolean,source_uri:string,"
    "source_row:bigint>"
)
GONE = "array<struct<file:bigint,source_uri:string,source_row:bigint,reason:string>>"
# A row whose journal is that of a half row said the same as the half without it.
SAME = """
    this.content = state.last.content AND (
        this.journal <=> state.last.journal
        OR (this.has_lent_journal AND state.last.journal IS NULL)
        OR (state.last.has_lent_journal AND this.journal IS NULL))
"""


def rows_that_go(made: DataFrame) -> DataFrame:
    """Return the rows of publications that merging removes, with ``file``, ``source_uri``, ``source_row``, ``reason``.

    Args:
        made: What tasks made of the files.
    """
    from pyspark.sql import functions

    events = made.where("table IN ('publications_all', 'deleted')").selectExpr(*EVENTS).distinct()
    row = functions.struct(*[column for column in events.columns if column != "publication_id"])
    of_ids = events.groupBy("publication_id").agg(functions.array_sort(functions.collect_list(row)).alias("events"))
    gone = of_ids.where("size(events) > 1").selectExpr(f"explode({_fold('events')}) AS gone")
    return gone.selectExpr("gone.*")


def _fold(events: str) -> str:
    """Build the expression of the rows that go among the events of one id: ``last`` is the row that stays so far."""
    state = f"struct<last:{ROW},gone:{GONE}>"

    def after(last: str, goes: str, reason: str) -> str:
        gone = f"array(struct({goes}.file, {goes}.source_uri, {goes}.source_row, '{reason}' AS reason))"
        return f"struct({last} AS last, concat(state.gone, {gone}) AS gone)"

    nothing = f"CAST(NULL AS {ROW})"
    return f"""aggregate({events}, CAST(struct(NULL, array()) AS {state}), (state, this) -> CASE
        WHEN NOT this.is_row AND state.last IS NULL THEN state
        WHEN NOT this.is_row THEN {after(nothing, "state.last", "deleted")}
        WHEN state.last IS NULL THEN struct(this AS last, state.gone AS gone)
        WHEN ({SAME}) AND this.has_lent_journal AND NOT state.last.has_lent_journal
            THEN {after("this", "state.last", "identical")}
        WHEN {SAME} THEN {after("state.last", "this", "identical")}
        ELSE {after("this", "state.last", "superseded")}
    END, state -> state.gone)"""
