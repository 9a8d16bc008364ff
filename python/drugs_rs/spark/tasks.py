"""What executors do: each function takes the batches of a partition and gives batches, as ``mapInArrow`` wants it."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Iterator

import drugs_rs
from drugs_rs.exceptions import SourceNotFoundError
from drugs_rs.spark import matcher_files, task_rows

if TYPE_CHECKING:
    import pyarrow

    from drugs_rs.spark.task_rows import Kind

__all__ = ["clean", "find"]

# The date of lakes that live as long as a task.
ANY_DATE = "2000-01-01"

# The fields of a mention with the types of Arrow.
MENTION = {
    "atccode": "string",
    "drug": "string",
    "start": "int64",
    "end": "int64",
    "surface": "string",
    "rule": "string",
}


def find(
    batches: Iterator[pyarrow.RecordBatch], *, column: int, into: str, matcher: str, replace: bool
) -> Iterator[pyarrow.RecordBatch]:
    """Add the mentions in a column of texts to each batch.

    Args:
        batches: The batches.
        column: The number of the column of texts.
        into: The name of the new column.
        matcher: The name of the file of the matcher.
        replace: Whether the mentions take the place of the texts, which is the last column then.
    """
    import pyarrow

    fields = pyarrow.struct([(name, getattr(pyarrow, kind)()) for name, kind in MENTION.items()])
    field = pyarrow.field(into, pyarrow.list_(fields))
    for batch in batches:
        found = pyarrow.array(matcher_files.load(matcher).find_column(batch.column(column))).cast(field.type)
        columns, schema = batch.columns, batch.schema
        if replace:
            columns, schema = columns[:-1], schema.remove(len(columns) - 1)
        yield pyarrow.RecordBatch.from_arrays([*columns, found], schema=schema.append(field))


def clean(
    batches: Iterator[pyarrow.RecordBatch], *, kind: Kind, batch_rows: int, options: dict[str, Any]
) -> Iterator[pyarrow.RecordBatch]:
    """Clean source files: each row names one, and becomes the rows of all tables that the core makes of it.

    A file goes through bronze and silver of a lake of its own on the executor's disk, so that half rows, repeated ids
    and notices of deletion within it are the core's work, in bounded memory.

    Args:
        batches: Rows with the columns ``file`` (a number) and ``uri``.
        kind: The kind of publications.
        batch_rows: How many rows a batch has at most.
        options: Options of ``drugs_rs.silver``.
    """
    for batch in batches:
        for number, uri in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist()):
            with TemporaryDirectory(prefix="drugs_rs-", dir=_scratch_folder()) as lake:
                yield from _clean_file(Path(lake), number, uri, kind, batch_rows, options)


def _clean_file(
    lake: Path, number: int, uri: str, kind: Kind, batch_rows: int, options: dict[str, Any]
) -> Iterator[pyarrow.RecordBatch]:
    """Clean one file in a new lake."""
    import pyarrow

    table = task_rows.SOURCE_TABLES[kind]
    try:
        sources: dict[str, Any] = {table: uri}
        drugs_rs.bronze(lake=lake, dt=ANY_DATE, **sources)
    except SourceNotFoundError as error:
        message = (
            f"executor on {socket.gethostname()}: {error}; the driver sees it: put sources where all executors see "
            "them under the same name, in a bucket or on a shared disk"
        )
        raise SourceNotFoundError(message) from error
    report = drugs_rs.silver(lake=lake, dt=ANY_DATE, tables=[table], **options)
    schema = task_rows.task_schema()
    counts = {"table": [task_rows.COUNTS], "file": [number], task_rows.COUNTS: [json.dumps(report["sources"])]}
    yield _widened(pyarrow.table(counts), schema).to_batches()[0]
    for name in task_rows.TABLES:
        for part in drugs_rs.Lake(lake).scan(name):
            own = pyarrow.table(part)
            own = own.select(task_rows.column_names(name))
            own = own.append_column("table", pyarrow.array([name] * len(own)))
            own = own.append_column("file", pyarrow.array([number] * len(own)))
            yield from _widened(own, schema).to_batches(max_chunksize=batch_rows)


def _widened(table: pyarrow.Table, schema: pyarrow.Schema) -> pyarrow.Table:
    """Give a table all columns of a schema, in its order and types; what it lacks is null."""
    import pyarrow

    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pyarrow.nulls(len(table), field.type)
        for field in schema
    ]
    return pyarrow.table(columns, schema=schema)


def _scratch_folder() -> str | None:
    """Return Spark's own folder for scratch files; where it names none, the usual one."""
    folders = [folder for folder in os.environ.get("SPARK_LOCAL_DIRS", "").split(",") if folder]
    return folders[0] if folders else None
