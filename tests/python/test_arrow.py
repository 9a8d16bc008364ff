"""Tables cross to other libraries by the Arrow PyCapsule interface: types, nulls and all.

The other way, columns of other libraries into `find_many`, is `test_matcher_columns.py`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Callable

import duckdb
import pandas
import polars
import pyarrow
import pytest

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ["atccode", "drug", "substance", "publication_id", "kind", "journal", "date", "status"]


def to_pandas(table: drugs_rs.Table) -> Any:
    """As the docstring of Table says: pandas 3 reads it by itself, an older one through pyarrow."""
    if hasattr(pandas.DataFrame, "from_arrow"):
        return pandas.DataFrame.from_arrow(table)
    return pyarrow.table(table).to_pandas()


def pandas_rows(table: drugs_rs.Table) -> list[dict[str, Any]]:
    """Rows without the several ways in which pandas says that there is nothing."""
    frame = to_pandas(table).astype(object)
    rows: list[dict[str, Any]] = frame.where(frame.notna(), None).to_dict("records")
    return rows


def duckdb_rows(table: drugs_rs.Table) -> list[dict[str, Any]]:
    """Under a name of its own, as a query would read it."""
    with duckdb.connect() as connection:
        connection.register("ours", table)
        found = connection.sql("FROM ours")
        return [dict(zip(found.columns, row)) for row in found.fetchall()]


READERS: dict[str, Callable[[drugs_rs.Table], list[dict[str, Any]]]] = {
    "duckdb": duckdb_rows,
    "pandas": pandas_rows,
    "polars": lambda table: polars.DataFrame(table).to_dicts(),
    "pyarrow": lambda table: pyarrow.table(table).to_pylist(),
}


@pytest.fixture
def table(sample_graph: drugs_rs.DrugGraph) -> drugs_rs.Table:
    """Text, dates and, in the sample, an article without a date."""
    return sample_graph.mentions()


def test_the_table_has_what_the_readers_are_to_keep(table: drugs_rs.Table) -> None:
    assert table.column_names == COLUMNS
    rows = table.to_dicts()
    assert len(rows) == len(table) == table.num_rows > 0
    assert {type(row["date"]) for row in rows} <= {dt.date, type(None)}
    assert {row["kind"] for row in rows} == {"pubmed", "clinical_trial"}


@pytest.mark.parametrize("library", READERS)
def test_libraries_read_the_same_rows(library: str, table: drugs_rs.Table) -> None:
    assert READERS[library](table) == table.to_dicts()


@pytest.mark.parametrize("library", READERS)
def test_libraries_read_a_table_without_rows(library: str) -> None:
    matcher = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]})
    assert READERS[library](matcher.find_many(["nothing"])) == []


def test_the_schema_alone(table: drugs_rs.Table) -> None:
    schema = pyarrow.schema(table)
    assert schema.names == table.column_names
    assert schema == pyarrow.table(table).schema
    assert pyarrow.types.is_date32(schema.field("date").type)


def test_one_table_is_read_by_several(table: drugs_rs.Table) -> None:
    """Each reader gets a stream of its own, from the first row."""
    first, second = (pyarrow.RecordBatchReader.from_stream(table) for _ in range(2))
    assert first.read_all() == second.read_all() == pyarrow.table(table)


def test_a_stream_nobody_reads_is_given_back(table: drugs_rs.Table) -> None:
    for _ in range(100):
        assert type(table.__arrow_c_stream__()).__name__ == "PyCapsule"
        assert type(table.__arrow_c_schema__()).__name__ == "PyCapsule"
    assert pyarrow.table(table).num_rows == len(table)


def test_a_requested_schema_is_a_wish(table: drugs_rs.Table) -> None:
    """The protocol lets the producer keep its own types, and asks the reader to check."""
    wish = pyarrow.schema([(name, pyarrow.large_string()) for name in table.column_names])
    capsule = table.__arrow_c_stream__(wish.__arrow_c_schema__())
    assert type(capsule).__name__ == "PyCapsule"


def test_polars_gets_all_rows_of_a_table_in_several_batches(tmp_path: Path) -> None:
    """The polars of Python 3.8 takes the first batch of a stream: 16,384 of 40,000 rows, without a word."""
    (tmp_path / "drugs.csv").write_text("atccode,drug\nA04AD,DIPHENHYDRAMINE\n", encoding="utf-8")
    rows = "".join(f"{number},Title {number},2020-01-01,Annals\n" for number in range(40_000))
    (tmp_path / "pubmed.csv").write_text(f"id,title,date,journal\n{rows}", encoding="utf-8")
    given: dict[str, Any] = {"drugs": tmp_path / "drugs.csv", "pubmed": tmp_path / "pubmed.csv"}
    drugs_rs.run(**given, lake=tmp_path / "lake", dt="2024-01-01")
    scan = drugs_rs.Lake(tmp_path / "lake").scan("publications_all", ["publication_id"])
    wanted = [str(number) for number in range(40_000)]
    assert scan.to_polars()["publication_id"].to_list() == wanted
    assert scan.read()[10:].to_polars()["publication_id"].to_list() == wanted[10:]
