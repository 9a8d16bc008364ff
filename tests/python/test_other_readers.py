"""The Parquet files that are written are filtered and read by other tools, as files of their own would be."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet as parquet
import pytest
from lake_tables import DT, rows
from written_sources import whole_sample

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

# Two full row groups and a rest.
ROWS = 40_000


@pytest.fixture(scope="module")
def written(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A file of every kind that is written."""
    folder = tmp_path_factory.mktemp("written")
    lake = folder / "lake"
    drugs_rs.run(out=lake, dt=DT, **whole_sample(samples))
    drugs_rs.read_graph(lake).write(folder / "edges.parquet")
    drugs_rs.generate(folder / "made-up", articles=100, trials=10, articles_format="parquet", trials_format="parquet")
    files = sorted(folder.rglob("*.parquet"))
    assert {"drugs", "publications", "rejected", "mentions"} <= {part for file in files for part in file.parts}
    assert any("made-up" in file.parts for file in files)
    return files


def test_pandas_reads_every_file(written: list[Path]) -> None:
    """Lists of views of texts were once rejected by pyarrow."""
    for file in written:
        assert len(pandas.read_parquet(file)) == len(rows(file)), file


def test_types_are_those_that_every_reader_works_with(written: list[Path]) -> None:
    for file in written:
        for field in parquet.read_schema(file):
            assert "view" not in str(field.type), f"{file}: {field}"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clean table of many rows."""
    folder = tmp_path_factory.mktemp("many")
    source = folder / "pubmed.csv"
    with source.open("w", encoding="utf-8") as file:
        file.write("id,title,date,journal\n")
        for number in range(ROWS):
            file.write(f"{number},Title {number % 1000:04},20{number % 30:02}-01-02,Journal {number % 7}\n")
    drugs_rs.bronze(pubmed=source, out=folder / "lake", dt=DT)
    drugs_rs.silver(out=folder / "lake", dt=DT)
    (file_of_table,) = (folder / "lake" / "silver" / "publications").rglob("*.parquet")
    assert parquet.read_metadata(file_of_table).num_row_groups == 3
    return file_of_table


DAY = dt.date(2010, 1, 2)
FILTERS: dict[str, tuple[list[tuple[str, str, Any]], str]] = {
    "text": ([("title", "==", "Title 0077")], "title = 'Title 0077'"),
    "range of texts": ([("publication_id", ">=", "3999")], "publication_id >= '3999'"),
    "date": ([("date", ">", DAY)], "date > DATE '2010-01-02'"),
    "number": ([("source_row", ">", 39_990)], "source_row > 39990"),
    "text and date": (
        [("journal", "==", "Journal 3"), ("date", "<=", DAY)],
        "journal = 'Journal 3' AND date <= '2010-01-02'",
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters_find_what_is_there(name: str, table: Path) -> None:
    """Readers skip row groups and pages by what the file says of them; nothing may be missing then."""
    conditions, sql = FILTERS[name]
    compare = {
        "==": lambda left, right: left == right,
        ">=": lambda left, right: left >= right,
        ">": lambda left, right: left > right,
        "<=": lambda left, right: left <= right,
    }
    expected = [
        row["publication_id"]
        for row in rows(table)
        if all(compare[operator](row[column], value) for column, operator, value in conditions)
    ]
    assert 0 < len(expected) < ROWS
    # `kind` and `dt` are also in the names of the folders, for which older pyarrow expects dictionaries.
    found = parquet.read_table(table, filters=conditions, partitioning=None)
    assert found["publication_id"].to_pylist() == expected
    framed = pandas.read_parquet(table, filters=conditions, partitioning=None)
    assert framed["publication_id"].tolist() == expected
    (ids,) = polars.scan_parquet(table).sql(f"SELECT publication_id FROM self WHERE {sql}").collect()
    assert ids.to_list() == expected
    with duckdb.connect() as connection:
        answer = connection.sql(f"SELECT publication_id FROM '{table}' WHERE {sql} ORDER BY source_row")
        assert [row[0] for row in answer.fetchall()] == expected


def test_a_folder_of_partitions_is_a_dataset(written: list[Path]) -> None:
    (folder,) = {
        file.parents[2]
        for file in written
        if "publications" in file.parts and "silver" in file.parts and "rejected" not in file.parts
    }
    dataset = pyarrow.dataset.dataset(str(folder), exclude_invalid_files=True, ignore_prefixes=["_"])
    assert dataset.count_rows() > dataset.count_rows(filter=pyarrow.dataset.field("date") > DAY) > 0
