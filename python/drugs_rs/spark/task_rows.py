"""The rows that executors make of sources: those of all tables in one frame, with a column that names the table.

One frame, because a source is read once: a task gives what it made of its file for all tables at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import drugs_rs

if TYPE_CHECKING:
    from typing import Literal

    import pyarrow
    from typing_extensions import TypeAlias

    Kind: TypeAlias = Literal["pubmed", "clinical_trial", "preprint"]
    SourceTable: TypeAlias = Literal["pubmed", "clinical_trials", "preprints"]

__all__ = [
    "COUNTS",
    "SOURCE_TABLES",
    "SUMS",
    "TABLES",
    "arrow_schema",
    "column_names",
    "counts_schema",
    "task_schema",
]

# The tables of a lake that come of a source of publications.
TABLES = ("publications_all", "rejected", "deleted", "journal_ids")
# The name of the rows that hold the counts of a file.
COUNTS = "counts"
# The counts of a file that add up.
SUMS = ("rows_in", "rows_kept", "rows_merged", "rows_rejected")
# The source table of each kind.
SOURCE_TABLES: dict[Kind, SourceTable] = {
    "pubmed": "pubmed",
    "clinical_trial": "clinical_trials",
    "preprint": "preprints",
}


def arrow_schema(table: str) -> pyarrow.Schema:
    """Return the columns of a table of a lake as an Arrow schema, without those that only paths have.

    Texts have offsets of 32 bits, as Spark wants them: a batch is far smaller than 2 GiB.
    """
    import pyarrow

    # The schema depends on no lake, and a lake is not opened before it is read.
    schema = pyarrow.schema(drugs_rs.Lake("any").schema(table))
    return pyarrow.schema([(field.name, _narrow(field.type)) for field in schema if field.name not in {"kind", "dt"}])


def task_schema() -> pyarrow.Schema:
    """Return the columns that a task gives: its own three, and those of all tables."""
    import pyarrow

    types: dict[str, Any] = {"table": pyarrow.string(), "file": pyarrow.int64(), COUNTS: pyarrow.string()}
    for table in TABLES:
        types.update({field.name: field.type for field in arrow_schema(table)})
    return pyarrow.schema(list(types.items()))


def counts_schema() -> pyarrow.Schema:
    """Return what the reports of the core count of a file."""
    import pyarrow

    by_reason = pyarrow.map_(pyarrow.string(), pyarrow.int64())
    texts = [(name, pyarrow.string()) for name in ("uri", "format")]
    numbers = [(name, pyarrow.int64()) for name in ("bytes", *SUMS)]
    return pyarrow.schema([*texts, *numbers, ("merged", by_reason), ("rejected", by_reason)])


def column_names(table: str) -> list[str]:
    """Return the names of the columns of a table, without those that only paths have."""
    return list(arrow_schema(table).names)


def _narrow(kind: pyarrow.DataType) -> pyarrow.DataType:
    """Return a type with offsets of 32 bits."""
    import pyarrow

    if pyarrow.types.is_large_string(kind):
        return pyarrow.string()
    if pyarrow.types.is_large_list(kind) or pyarrow.types.is_list(kind):
        return pyarrow.list_(_narrow(kind.value_type))
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct([(field.name, _narrow(field.type)) for field in kind])
    return kind
