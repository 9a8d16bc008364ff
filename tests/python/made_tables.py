"""Tables of any content, which no function of the package makes: through the bytes of a pickle."""

from __future__ import annotations

import zlib
from typing import Any, Callable

import pyarrow as pa
import pyarrow.parquet as parquet

import drugs_rs

# The Arrow types of a table.
TEXT = pa.large_string()
TEXTS = pa.large_list(TEXT)
PERSON = pa.struct([("name", TEXT), ("age", pa.int64())])


def body_of(arrow: Any) -> bytes:
    """An Arrow table as the body of a pickled one: its rows, and a Parquet file if there are columns."""
    sink = pa.BufferOutputStream()
    if arrow.num_columns:
        parquet.write_table(arrow, sink)
    data: bytes = sink.getvalue().to_pybytes()
    return int(arrow.num_rows).to_bytes(8, "little") + data


def with_header(body: bytes) -> bytes:
    """What a pickled table is around the body."""
    checksum = zlib.crc32(body).to_bytes(4, "little")
    return b"drugs_rs table  " + (1).to_bytes(4, "little") + checksum + body


def unpickler() -> Callable[[bytes], drugs_rs.Table]:
    """The function that `pickle` calls with the bytes of a table."""
    reduced = drugs_rs.Matcher.from_names({}).find_many([]).__reduce__()
    assert isinstance(reduced, tuple)
    make: Callable[[bytes], drugs_rs.Table] = reduced[0]
    return make


def table_of(arrow: Any) -> drugs_rs.Table:
    return unpickler()(with_header(body_of(arrow)))


def texts(*values: str | None, name: str = "title") -> drugs_rs.Table:
    """A table of one column."""
    return table_of(pa.table({name: pa.array(values, TEXT)}))


def every_type(*, nulls: bool = False) -> Any:
    """An Arrow table with each type: with some nulls, or with a row of nulls alone."""
    import datetime as dt

    columns = {
        "flag": pa.array([True, False, None], pa.bool_()),
        "signed": pa.array([-(2**63), 2**63 - 1, None], pa.int64()),
        "unsigned": pa.array([0, 2**64 - 1, None], pa.uint64()),
        "share": pa.array([0.5, float("inf"), None], pa.float64()),
        "text": pa.array(["é 漢", "", None], TEXT),
        "day": pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31), None], pa.date32()),
        "texts": pa.array([["a", None], [], None], TEXTS),
        "lists": pa.array([[[], ["x"]], [None], None], pa.large_list(TEXTS)),
        "person": pa.array([{"name": "A", "age": 1}, {"name": None, "age": None}, None], PERSON),
    }
    table = pa.table(columns)
    return table.slice(2) if nulls else table
