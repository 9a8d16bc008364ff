"""Other programs read the tables of a lake: scans as Arrow streams, listed files, plain folders, views of DuckDB."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet
import pytest
from lake_story import BY_DATE, BY_KIND, FIRST, SECOND, TABLES, in_order, scanned
from lake_tables import rows as parquet_rows

import drugs_rs
from drugs_rs import Lake, exceptions

if TYPE_CHECKING:
    from lake_story import Row

pytestmark = pytest.mark.core

# Where the files of each table are that is one folder, all of whose rows are current.
FOLDERS = {
    "publications": "gold/publications",
    "mentions": "gold/mentions",
    "journals": "gold/journals",
    "journal_drugs": "gold/journal_drugs",
    "atc_classes": "gold/atc_classes",
    "publications_all": "silver/publications",
    "deleted": "silver/deleted/publications",
    "journal_ids": "silver/journals",
}


@pytest.fixture
def lake(story: dict[str, Path]) -> Path:
    """The last state of the story. Read it, leave it as it is."""
    return story["released"]


def of_pandas(frame: Any) -> list[Row]:
    """Plain rows: pandas has arrays for lists, categories for columns of paths and NaN for nulls."""
    found: list[Row] = pyarrow.Table.from_pandas(frame, preserve_index=False).to_pylist()
    return found


def of_duckdb(relation: duckdb.DuckDBPyRelation | None) -> list[Row]:
    assert relation is not None
    return [dict(zip(relation.columns, row)) for row in relation.fetchall()]


def by_duckdb(scan: drugs_rs.TableScan) -> list[Row]:
    with duckdb.connect() as connection:
        connection.register("rows_of_scan", pyarrow.RecordBatchReader.from_stream(scan))
        return of_duckdb(connection.sql("SELECT * FROM rows_of_scan"))


def by_name(scan: drugs_rs.TableScan) -> list[Row]:
    """DuckDB takes it as it is, by the name of the variable."""
    assert scan.schema
    return of_duckdb(duckdb.sql("SELECT * FROM scan"))


READERS: dict[str, Callable[[drugs_rs.TableScan], list[Row]]] = {
    "polars.DataFrame": lambda scan: polars.DataFrame(scan).to_dicts(),
    "to_polars": lambda scan: scan.to_polars().to_dicts(),
    "pyarrow.table": lambda scan: list(pyarrow.table(scan).to_pylist()),
    "RecordBatchReader": lambda scan: list(pyarrow.RecordBatchReader.from_stream(scan).read_all().to_pylist()),
    "to_arrow": lambda scan: list(scan.to_arrow().to_pylist()),
    "to_pandas": lambda scan: of_pandas(scan.to_pandas()),
    "duckdb": by_duckdb,
    "duckdb by name": by_name,
    "iteration": lambda scan: [row for table in scan for row in table],
}


@pytest.mark.parametrize("reader", READERS)
def test_programs_take_a_scan(reader: str, lake: Path) -> None:
    for table in TABLES:
        scan = Lake(lake).scan(table)
        expected = scan.read().to_dicts()
        for _ in range(2):
            assert READERS[reader](scan) == expected, table
    nothing = Lake(lake).scan("mentions", ["kind", "date", "start"], dt="1999-01-01")
    assert READERS[reader](nothing) == []


def test_types_of_a_scan_without_rows(lake: Path) -> None:
    for table in TABLES:
        filters: dict[str, Any] = {"dt": "1999-01-01"} if table in BY_DATE else {}
        whole, none = Lake(lake).scan(table), Lake(lake).scan(table, **filters)
        assert pyarrow.table(none).schema == pyarrow.table(whole).schema == pyarrow.schema(whole.schema), table
        assert polars.DataFrame(none).schema == polars.DataFrame(whole).schema, table
        assert pyarrow.schema(Lake(lake).schema(table)) == pyarrow.schema(whole.schema)


FOLDER_READERS: dict[str, Callable[[Path], list[Row]]] = {
    "pandas": lambda folder: of_pandas(pandas.read_parquet(folder)),
    "polars": lambda folder: polars.scan_parquet(folder).collect().to_dicts(),
    "pyarrow": lambda folder: list(pyarrow.dataset.dataset(folder, partitioning="hive").to_table().to_pylist()),
    "duckdb": lambda folder: of_duckdb(duckdb.sql(f"SELECT * FROM '{folder}/**/*.parquet'")),
}


@pytest.mark.parametrize("reader", FOLDER_READERS)
def test_folders_are_the_tables(reader: str, lake: Path) -> None:
    """Some take the date of a path for a date."""
    for table, folder in FOLDERS.items():
        found = [
            {**row, **({"dt": str(row["dt"])} if "dt" in row else {})} for row in FOLDER_READERS[reader](lake / folder)
        ]
        assert in_order(found) == in_order(scanned(lake, table)), table


FILE_READERS: dict[str, Callable[[list[str]], list[Row]]] = {
    "polars": lambda files: polars.scan_parquet(files, hive_partitioning=True).collect().to_dicts(),
    "duckdb": lambda files: of_duckdb(duckdb.sql(f"SELECT * FROM read_parquet({files!r})")),
    "pyarrow": lambda files: list(pyarrow.dataset.dataset(files, partitioning="hive").to_table().to_pylist()),
}


@pytest.mark.parametrize("reader", FILE_READERS)
def test_listed_files_are_the_tables(reader: str, lake: Path) -> None:
    for table in TABLES:
        # The rejected rows of a vocabulary have no kind in their paths.
        filters: dict[str, Any] = {"kind": ["pubmed", "preprint", "clinical_trial"]} if table in BY_KIND else {}
        files = Lake(lake).files(table, **filters)["uri"]
        found = [{**row, **({"dt": str(row["dt"])} if "dt" in row else {})} for row in FILE_READERS[reader](files)]
        assert in_order(found) == in_order(scanned(lake, table, **filters)), table


def test_keys_are_in_paths_alone(lake: Path) -> None:
    for table in TABLES:
        for uri in Lake(lake).files(table)["uri"]:
            in_file = set(parquet_rows(Path(uri))[0]) if parquet_rows(Path(uri)) else set()
            assert "dt" not in in_file and ("kind" in in_file) <= (table not in BY_KIND), uri


def assert_views(lake: Path) -> None:
    with Lake(lake).duckdb() as connection:
        assert {row[0] for row in connection.sql("SHOW TABLES").fetchall()} == set(TABLES)
        for table in TABLES:
            found = connection.sql(f"SELECT * FROM {table}")
            assert found.columns == list(Lake(lake).schema(table)), table
            assert in_order(of_duckdb(found)) == in_order(scanned(lake, table)), table


def test_views_are_the_tables(lake: Path) -> None:
    assert_views(lake)
    with Lake(lake).duckdb() as connection:
        pairs = "SELECT substance, sum(pairs) AS pairs FROM journal_drugs GROUP BY ALL ORDER BY pairs DESC LIMIT 1"
        assert connection.sql(pairs).fetchall() == [("warfarin", 7)]
        some = connection.sql(f"SELECT count(*) FROM publications WHERE dt = '{FIRST}' AND kind = 'clinical_trial'")
        assert some.fetchall() == [(2,)]
        types = "SELECT typeof(dt), typeof(kind), typeof(date), typeof(flags) FROM publications LIMIT 1"
        assert connection.sql(types).fetchall() == [("VARCHAR", "VARCHAR", "DATE", "VARCHAR[]")]


@pytest.mark.parametrize("name", ["kind=x", "dt=2020-01-01"])
def test_a_lake_below_a_folder_that_is_named_like_a_partition(name: str, lake: Path, tmp_path: Path) -> None:
    """DuckDB took `x` for the kind of every row."""
    shutil.copytree(str(lake), str(tmp_path / name / "lake"))
    with pytest.raises(exceptions.ArgumentError, match="use Lake.scan"):
        Lake(tmp_path / name / "lake").duckdb()
    for table in ("publications", "drugs", "journals"):
        assert scanned(tmp_path / name / "lake", table) == scanned(lake, table)


@pytest.mark.parametrize("name", ["it's", "a b", "ü[1]", "a*", "q?", "year=2020"])
def test_views_of_a_lake_under_any_path(name: str, lake: Path, tmp_path: Path) -> None:
    shutil.copytree(str(lake), str(tmp_path / name / "lake"))
    # Were the name a pattern, it would match these as well.
    for other in ("ü1", "ab", "qq"):
        shutil.copytree(str(lake / "gold"), str(tmp_path / other / "lake" / "gold"))
    assert_views(tmp_path / name / "lake")
    for table in ("publications", "drugs", "journals"):
        assert scanned(tmp_path / name / "lake", table) == scanned(lake, table)


def test_views_show_the_state_of_their_moment(lake: Path, tmp_path: Path) -> None:
    shutil.copytree(str(lake), str(tmp_path / "lake"))
    drugs_rs.hold(tmp_path / "lake", SECOND, "why")
    assert_views(tmp_path / "lake")
    with Lake(tmp_path / "lake").duckdb() as connection:
        before = connection.sql("SELECT count(*) FROM publications WHERE kind = 'preprint'").fetchall()
        drugs_rs.hold(tmp_path / "lake", FIRST, "why")
        drugs_rs.release(tmp_path / "lake", FIRST)
        assert connection.sql("SELECT count(*) FROM publications WHERE kind = 'preprint'").fetchall() == before


def test_without_duckdb(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(exceptions.MissingLibraryError, match=r"pip install drugs-rs\[duckdb\]"):
        Lake(lake).duckdb()


def test_a_file_describes_its_table(lake: Path) -> None:
    for table in TABLES:
        columns = pyarrow.schema(Lake(lake).schema(table))
        for uri in Lake(lake).files(table)["uri"]:
            told = pyarrow.parquet.read_metadata(uri).metadata
            assert told[b"drugs_rs.table"].decode() == table
            assert told[b"drugs_rs.version"].decode() == drugs_rs.__version__
            for column, description in json.loads(told[b"drugs_rs.columns"]).items():
                assert columns.field(column).metadata[b"description"].decode() == description
