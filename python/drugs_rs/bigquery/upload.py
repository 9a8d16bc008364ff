"""The file of an upload: the rows of a scan as one Parquet file."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from drugs_rs.exceptions import MissingLibraryError

if TYPE_CHECKING:
    from pathlib import Path

    from drugs_rs import TableScan

# BigQuery reads row groups of 16 MiB and more fast; in memory they are larger than in the file.
ROW_GROUP_BYTES = 64 << 20


def write_rows(scan: TableScan, path: Path) -> None:
    """Write the rows of a scan into a file, in bounded memory, with ``dt`` as a date.

    Raises:
        MissingLibraryError: pyarrow is not installed.
    """
    pyarrow, parquet = _library("pyarrow"), _library("pyarrow.parquet")
    reader = pyarrow.RecordBatchReader.from_stream(scan)
    schema = pyarrow.schema(
        [pyarrow.field(field.name, pyarrow.date32() if field.name == "dt" else field.type) for field in reader.schema]
    )
    with parquet.ParquetWriter(path, schema) as writer:
        batches: list[Any] = []
        for batch in reader:
            batches.append(batch)
            if sum(part.nbytes for part in batches) >= ROW_GROUP_BYTES:
                writer.write_table(pyarrow.Table.from_batches(batches).cast(schema))
                batches = []
        if batches:
            writer.write_table(pyarrow.Table.from_batches(batches).cast(schema))


def _library(name: str) -> Any:  # noqa: ANN401 - the module, of any version
    try:
        return import_module(name)
    except ImportError as error:
        message = (
            f"drugs_rs.bigquery needs pyarrow for uploads, which cannot be imported ({error}): "
            "pip install drugs-rs[bigquery]"
        )
        raise MissingLibraryError(message) from error
