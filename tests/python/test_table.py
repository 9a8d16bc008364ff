"""A table in Python: its columns, rows, slices and schema, and the same rows in other libraries."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import Any

import numpy
import pandas
import polars
import pyarrow as pa
import pytest
from made_tables import TEXT, TEXTS, every_type, table_of, texts

import drugs_rs
from drugs_rs.exceptions import ArgumentError, ColumnNotFoundError, DrugsError, RowNotFoundError

ROWS = [{"number": number, "title": f"title {number}", "flags": ["x"] * (number % 3)} for number in range(10)]


def made(rows: list[dict[str, Any]]) -> drugs_rs.Table:
    schema = pa.schema([("number", pa.int64()), ("title", TEXT), ("flags", TEXTS)])
    return table_of(pa.Table.from_pylist(rows, schema=schema))


@pytest.fixture(scope="module")
def table() -> drugs_rs.Table:
    return made(ROWS)


def test_a_column_is_a_list(table: drugs_rs.Table) -> None:
    for name in table.column_names:
        assert table[name] == [row[name] for row in ROWS]


@pytest.mark.parametrize("number", [0, 9, -1, -10, numpy.int64(3), numpy.uint8(2)])
def test_a_row_is_a_dictionary(table: drugs_rs.Table, number: Any) -> None:
    assert table[number] == ROWS[number]


@pytest.mark.parametrize("number", [10, -11, 2**63, -(2**63), pytest.param(10**4999, id="huge")])
def test_rows_that_are_not_there(table: drugs_rs.Table, number: int) -> None:
    with pytest.raises(RowNotFoundError, match="of a table with 10 rows") as told:
        table[number]
    assert isinstance(told.value, IndexError)
    assert len(str(told.value)) < 400


NUMBERS = [None, 0, 1, 2, 5, 9, 10, 11, 2**70, -1, -2, -10, -11, -(2**70)]


@pytest.mark.parametrize("step", [None, 1, 2, 3, 10, 2**70, -1, -2, -10, -(2**70)])
def test_a_slice_is_that_of_a_list(table: drugs_rs.Table, step: int | None) -> None:
    for start in NUMBERS:
        for stop in NUMBERS:
            rows = table[start:stop:step]
            assert rows.to_dicts() == ROWS[start:stop:step]
            assert rows.column_names == table.column_names


def test_a_slice_of_a_slice(table: drugs_rs.Table) -> None:
    assert table[2:9][::-2][1:].to_dicts() == ROWS[2:9][::-2][1:]


def test_a_step_of_zero(table: drugs_rs.Table) -> None:
    with pytest.raises(ValueError, match="zero"):
        table[::0]


def test_some_columns(table: drugs_rs.Table) -> None:
    part = table[["flags", "number"]]
    assert part.column_names == ["flags", "number"]
    assert part.to_dicts() == [{"flags": row["flags"], "number": row["number"]} for row in ROWS]


def test_no_columns(table: drugs_rs.Table) -> None:
    none = table[[]]
    assert (none.num_rows, none.num_columns, none.column_names) == (10, 0, [])
    assert none.to_dicts() == [{}] * 10 == list(none)
    assert none[3] == {}
    assert len(none[2:5]) == 3 and len(none[::-3]) == 4
    assert dict(none.schema) == {}
    assert none.to_arrow().num_rows == len(none.to_pandas()) == 10


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("titel", "did you mean `title`?"),
        ("TITLE", "did you mean `title`?"),
        ("", "expected `number`, `title`, `flags`"),
        ("x" * 10**6, "expected `number`"),
        ("\ud800", "expected `number`"),
        (["number", "flag"], "did you mean `flags`?"),
    ],
)
def test_columns_that_are_not_there(table: drugs_rs.Table, key: Any, hint: str) -> None:
    with pytest.raises(ColumnNotFoundError) as told:
        table[key]
    assert hint in str(told.value)
    assert len(str(told.value)) < 1000
    assert isinstance(told.value, (KeyError, DrugsError))


def test_a_column_twice(table: drugs_rs.Table) -> None:
    with pytest.raises(ArgumentError, match="`title` twice"):
        table[["title", "title"]]


@pytest.mark.parametrize(
    "key",
    [True, False, None, 1.0, b"title", ("title", "flags"), {"title"}, [1], [True], [["title"]], numpy.array([1, 2])],
    ids=repr,
)
def test_keys_that_mean_nothing(table: drugs_rs.Table, key: Any) -> None:
    with pytest.raises(TypeError, match="a list of columns|the name of a column"):
        table[key]


def test_iteration_is_lazy() -> None:
    """A million rows: the first comes at once, and only a piece of them is there as Python objects."""
    table = table_of(pa.table({"number": pa.array(range(1_000_000), pa.int64())}))
    rows = iter(table)
    assert next(rows) == {"number": 0}
    assert rows.__length_hint__() == 999_999  # type: ignore[attr-defined]
    assert iter(rows) is rows
    assert sum(row["number"] for row in rows) == sum(range(1, 1_000_000))
    assert next(rows, None) is None
    assert rows.__length_hint__() == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("height", [0, 1, 1023, 1024, 1025, 3000])
def test_iteration_gives_every_row(height: int) -> None:
    table = table_of(pa.table({"number": pa.array(range(height), pa.int64())}))
    assert [row["number"] for row in table] == table["number"] == list(range(height))
    assert list(table) == table.to_dicts() == list(iter(table))


@pytest.mark.parametrize(("n", "length"), [(0, 0), (3, 3), (10, 10), (11, 10), (2**64 - 1, 10)])
def test_head(table: drugs_rs.Table, n: int, length: int) -> None:
    assert table.head(n).to_dicts() == ROWS[:length]
    assert table.head().to_dicts() == ROWS[:5] == table.head(n=5).to_dicts()


@pytest.mark.parametrize("n", [-1, 2**64])
def test_a_head_of_no_number(table: drugs_rs.Table, n: int) -> None:
    with pytest.raises(ArgumentError, match="n: "):
        table.head(n)
    with pytest.raises(TypeError, match="n: expected a whole number"):
        table.head("5")  # type: ignore[arg-type]


def test_every_type_is_one_of_python() -> None:
    arrow = every_type()
    table = table_of(arrow)
    assert table.to_dicts() == arrow.to_pylist()
    assert table[2] == dict.fromkeys(arrow.schema.names)
    assert type(table[0]["day"]) is dt.date


def test_the_schema_is_a_mapping() -> None:
    arrow = every_type()
    schema = table_of(arrow).schema
    assert list(schema.items()) == [
        ("flag", "bool"),
        ("signed", "int64"),
        ("unsigned", "uint64"),
        ("share", "float64"),
        ("text", "string"),
        ("day", "date"),
        ("texts", "list[string]"),
        ("lists", "list[list[string]]"),
        ("person", "struct{name: string, age: int64}"),
    ]
    assert len(schema) == 9 and "day" in schema and "days" not in schema and 3 not in schema
    assert schema.get("days") is None and schema.get("day") == "date"
    assert [*zip(schema.keys(), schema.values())] == [*schema.items()]
    assert schema == dict(schema) == table_of(arrow.slice(1)).schema
    assert pa.schema(schema) == arrow.schema
    with pytest.raises(ColumnNotFoundError, match="did you mean `day`"):
        schema["days"]
    with pytest.raises(KeyError):
        schema[3]  # type: ignore[index]


def test_the_schema_is_shown_a_column_a_line(table: drugs_rs.Table) -> None:
    assert repr(table.schema) == "TableSchema: 3 columns\nnumber  int64\ntitle   string\nflags   list[string]"
    assert repr(table[[]].schema) == "TableSchema: 0 columns"
    assert repr(texts(name="a\n\u202eb").schema) == "TableSchema: 1 column\n'a\\n\\u202eb'  string"


def test_completion_shows_what_is_public(table: drugs_rs.Table) -> None:
    public = [name for name in dir(table) if not name.startswith("_")]
    names = "column_names head num_columns num_rows schema to_arrow to_dicts to_pandas to_polars"
    assert public == names.split()


@pytest.mark.parametrize("rows", [slice(None), slice(0, 0), slice(2, None), slice(1)], ids=str)
def test_libraries_keep_types_and_values(rows: slice) -> None:
    arrow = every_type()[rows]
    table = table_of(arrow)
    assert table.to_arrow() == arrow
    assert table.to_polars().to_dicts() == arrow.to_pylist()
    assert table.to_polars().schema["day"] == polars.Date
    frame = table.to_pandas()
    found = frame.astype(object).where(frame.notna(), None).to_dict("list")
    assert found == arrow.to_pydict()
    assert [type(value) for value in frame["texts"]] == [type(value) for value in arrow["texts"].to_pylist()]
    assert {type(value) for value in frame["day"]} <= {dt.date, type(None)}


def test_pandas_has_the_types_of_numbers() -> None:
    whole, nulls = table_of(every_type()[:2]).to_pandas(), table_of(every_type()).to_pandas()
    numbers = ["flag", "signed", "unsigned", "share"]
    assert [str(whole[name].dtype) for name in numbers] == ["bool", "int64", "uint64", "float64"]
    assert [str(nulls[name].dtype) for name in numbers] == ["boolean", "Int64", "UInt64", "float64"]


WITHOUT = """
import sys
sys.modules["{missing}"] = None
import pickle, drugs_rs
table = pickle.load(sys.stdin.buffer)
try:
    frame = table.{method}()
except drugs_rs.exceptions.MissingLibraryError as error:
    assert isinstance(error, ImportError) and isinstance(error, drugs_rs.exceptions.DrugsError)
    print(error)
else:
    sys.stdout.buffer.write(pickle.dumps(frame))
"""


def without(missing: str, method: str, table: drugs_rs.Table) -> bytes:
    """What a process prints in which a library cannot be imported."""
    import pickle

    program = WITHOUT.format(missing=missing, method=method)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], input=pickle.dumps(table), stdout=subprocess.PIPE, check=True
    )
    return done.stdout


@pytest.mark.parametrize("missing", ["polars", "pandas", "pyarrow"])
def test_a_library_that_is_not_installed(missing: str, table: drugs_rs.Table) -> None:
    method = {"pyarrow": "to_arrow"}.get(missing, f"to_{missing}")
    said = without(missing, method, table).decode()
    assert said.startswith(f"{method}() needs {missing}, which cannot be imported (")
    assert ": pip install " in said


@pytest.mark.parametrize("nulls", [False, True])
def test_pandas_without_pyarrow_is_the_same(nulls: bool) -> None:
    import pickle

    table = table_of(every_type(nulls=nulls))
    for part in (table, table[:0], table[[]]):
        frame = pickle.loads(without("pyarrow", "to_pandas", part))
        # The text of pandas 3 is in Arrow memory if there is pyarrow; its values are the same.
        wanted = part.to_pandas().astype(object)
        pandas.testing.assert_frame_equal(frame.astype(object), wanted, check_column_type=False)
        assert [str(kind) for kind in frame.dtypes] == [str(kind) for kind in part.to_pandas().dtypes]


def test_an_old_pyarrow_is_named(monkeypatch: pytest.MonkeyPatch, table: drugs_rs.Table) -> None:
    monkeypatch.setattr(pa, "__version__", "12.0.1")
    with pytest.raises(drugs_rs.exceptions.MissingLibraryError, match="pyarrow 14 or newer, found 12.0.1"):
        table.to_arrow()
    assert len(table.to_pandas()) == 10


def test_counts_and_places_are_signed() -> None:
    schema = drugs_rs.Matcher.from_names({}).find_many([]).schema
    assert [schema[name] for name in ("row", "start", "end")] == ["int64"] * 3
