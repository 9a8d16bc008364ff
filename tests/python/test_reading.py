"""Sources as tables without a lake: rows, columns, flags and counts are those of silver; batches in bounded memory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from lake_tables import DT, Row, clean, conserved
from written_sources import DRUG_COLUMNS, PUBMED_COLUMNS, TRIAL_COLUMNS, csv_text, write

import drugs_rs
from drugs_rs import exceptions

RECORDS = [
    ("1", "Ethanol in <i>vitro</i>", "2 May 2020", "Toxicon"),
    ("2", " ", "2020", "Toxicon"),
    ("3", "Halves", "2020-01-05", ""),
    ("", "Halves", "05/01/2020", "Annals"),
    ("4", "First", "2020", "Annals"),
    ("4", "Second", "31/02/2020", "Annals"),
    ("", "Alone", "", ""),
    ("1", "Ethanol in vitro", "2020-05-02", "Toxicon"),
]


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    return write(tmp_path / "articles.csv", csv_text(PUBMED_COLUMNS, RECORDS))


def test_the_rows_of_silver_without_a_lake(articles: Path, tmp_path: Path) -> None:
    silver = clean(tmp_path / "lake", articles)
    table = drugs_rs.read_publications(articles)
    assert isinstance(table, drugs_rs.Table)
    assert table.to_dicts() == silver.kept
    assert table.rejected.to_dicts() == silver.rejected
    assert table.sources == silver.report["sources"]
    assert table.column_names[:3] == ["publication_id", "kind", "title"]
    assert set(table.column_names) == set(silver.kept[0])


def test_trials_and_month_first(tmp_path: Path) -> None:
    path = write(tmp_path / "trials.csv", csv_text(TRIAL_COLUMNS, [("NCT1", "Aspirin", "01/02/2020", "")]))
    by_day, by_month = (
        drugs_rs.read_publications(path, kind="clinical_trial", month_first=month_first).to_dicts()[0]
        for month_first in (False, True)
    )
    assert (by_day["kind"], str(by_day["date"]), str(by_month["date"])) == (
        "clinical_trial",
        "2020-02-01",
        "2020-01-02",
    )


def test_several_sources_merge_as_one(tmp_path: Path) -> None:
    for name, title in (("a", "Old"), ("b", "New")):
        write(tmp_path / "in" / f"{name}.csv", csv_text(PUBMED_COLUMNS, [("1", title, "2020", "J")]))
    for sources in (
        tmp_path / "in",
        str(tmp_path / "in" / "*.csv"),
        [tmp_path / "in" / "a.csv", tmp_path / "in" / "b.csv"],
    ):
        table = drugs_rs.read_publications(sources)
        assert [row["title"] for row in table.to_dicts()] == ["New"]
        assert [source["merged"] for source in table.sources] == [{"superseded": 1}, {}]


def test_a_table_goes_to_other_libraries(articles: Path) -> None:
    table = drugs_rs.read_publications(articles)
    assert pyarrow.table(table).num_rows == len(table) == 4
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(table)
    assert frame["publication_id"].to_list()[:3] == ["1", "3", "4"]
    assert polars.DataFrame(table.rejected)["reason"].to_list() == ["blank_title"]


def test_drugs_as_silver_holds_them(tmp_path: Path) -> None:
    records = [("A01AA01", "Velorin"), ("A01AA01", "VELORIN"), ("x", ""), ("", "Dorantel")]
    path = write(tmp_path / "drugs.csv", csv_text(DRUG_COLUMNS, records))
    silver = clean(tmp_path / "lake", path, table="drugs")
    table = drugs_rs.read_drugs(path)
    assert table.to_dicts() == silver.kept
    assert table.rejected.to_dicts() == silver.rejected
    assert table.sources == silver.report["sources"]


@pytest.mark.parametrize("read", [drugs_rs.read_publications, drugs_rs.read_drugs])
def test_a_bad_file_fails_or_is_kept_aside(read: Any, tmp_path: Path) -> None:
    columns = PUBMED_COLUMNS if read is drugs_rs.read_publications else DRUG_COLUMNS
    good = write(tmp_path / "a.csv", csv_text(columns, [("1", "Ethanol", "2020", "J")[: len(columns)]]))
    bad = write(tmp_path / "b.csv", "x,y\n1,2\n")
    with pytest.raises(exceptions.SchemaError):
        read([good, bad])
    table = read([good, bad], on_bad_file="reject")
    assert len(table) == 1
    (row,) = table.rejected.to_dicts()
    assert (row["reason"], row["source_uri"]) == ("bad_file", str(bad))
    assert [conserved(source) for source in table.sources] == [None, None]
    assert [source["rows_rejected"] for source in table.sources] == [0, 1]


def test_batches_are_the_rows_as_they_stand(articles: Path) -> None:
    for batch_rows in (1, 2, 3, 7, 100):
        batches = drugs_rs.iter_publications(articles, batch_rows=batch_rows)
        rows: list[Row] = []
        refused: list[Row] = []
        sizes = []
        for batch in batches:
            assert isinstance(batch, drugs_rs.CleanTable)
            rows += batch.to_dicts()
            refused += batch.rejected.to_dicts()
            sizes.append(len(batch))
        assert [row["title"] for row in rows] == [
            *("Ethanol in vitro", "Halves", "Halves", "First", "Second", "Alone", "Ethanol in vitro"),
        ]
        assert [row["source_row"] for row in refused] == [3]
        assert all(size == batch_rows for size in sizes[:-1])
        (source,) = batches.sources
        assert (source["rows_in"], source["rows_kept"], source["rows_merged"], source["rows_rejected"]) == (8, 7, 0, 1)
        assert list(batches) == [], "at its end for good"


def test_batches_across_files_and_a_bad_one(tmp_path: Path) -> None:
    for name in ("a", "c"):
        write(tmp_path / f"{name}.csv", csv_text(PUBMED_COLUMNS, [(name, "Ethanol", "2020", "J")] * 3))
    write(tmp_path / "b.json", '[{"id": 1, "title": "Kept before the end", "date": "2020", "journal": "J"}, {"id"')
    batches = drugs_rs.iter_publications(tmp_path, batch_rows=4)
    with pytest.raises(exceptions.FormatError):
        list(batches)
    assert list(batches) == []
    batches = drugs_rs.iter_publications(tmp_path, batch_rows=4, on_bad_file="reject")
    rows = [row for batch in batches for row in batch.to_dicts()]
    assert [row["publication_id"] for row in rows if row["title"] == "Ethanol"] == ["a"] * 3 + ["c"] * 3
    assert [conserved(source) for source in batches.sources] == [None] * 3
    assert batches.sources[1]["rejected"] == {"bad_file": 1}


def test_wrong_arguments(articles: Path, tmp_path: Path) -> None:
    functions: list[Any] = [drugs_rs.read_publications, drugs_rs.iter_publications]
    for function in functions:
        with pytest.raises(exceptions.ArgumentError, match="kind"):
            function(articles, kind="trials")
        with pytest.raises(exceptions.ArgumentError, match="no source"):
            function([])
        with pytest.raises(exceptions.SourceNotFoundError):
            function(tmp_path / "nowhere.csv")
        with pytest.raises(TypeError):
            function(None)
    with pytest.raises(exceptions.ArgumentError, match="batch_rows"):
        drugs_rs.iter_publications(articles, batch_rows=0)
    # Python's own error for these does not say which argument it is.
    with pytest.raises(exceptions.ArgumentError, match="^batch_rows: -1; expected a whole number from 0 to "):
        drugs_rs.iter_publications(articles, batch_rows=-1)
    with pytest.raises(exceptions.ArgumentError, match="no source"):
        drugs_rs.read_drugs([])


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_batches_do_not_hold_the_file(tmp_path: Path) -> None:
    """A file of 150 MB comes in batches of a few; what it takes is far less than the file."""
    path = tmp_path / "long.csv"
    text = "x" * 3000
    with path.open("w", encoding="utf-8") as file:
        file.write("id,title,date,journal,abstract\n")
        file.writelines(f"{number},Ethanol {number},2020,J,{text}\n" for number in range(50_000))
    seen = 0
    held = resident()
    most = 0
    for batch in drugs_rs.iter_publications(path, batch_rows=500):
        seen += len(batch)
        most = max(most, resident())
    assert seen == 50_000
    assert most - held < 100 << 20, (most - held) >> 20


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def test_a_forked_child_is_told(articles: Path) -> None:
    """The rules of the engine hold for a stream that was opened before the fork as well (`test_fork.py`)."""
    batches = drugs_rs.iter_publications(articles, batch_rows=1)
    next(batches)
    code = _in_child(lambda: next(batches))
    assert code == "ForkError"


def _in_child(work: Any) -> str:
    import os

    read, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work()
            name = "nothing"
        except BaseException as error:  # noqa: BLE001
            name = type(error).__name__
        os.write(write_end, name.encode())
        os._exit(0)
    os.close(write_end)
    os.waitpid(child, 0)
    with os.fdopen(read) as pipe:
        return pipe.read()


def test_silvers_own_table_is_a_source(articles: Path, tmp_path: Path) -> None:
    clean(tmp_path / "lake", articles)
    table = tmp_path / "lake" / "silver" / "publications" / "kind=pubmed" / f"dt={DT}"
    again = drugs_rs.read_publications(table)
    wanted = drugs_rs.read_publications(articles)
    assert again.sources[0]["format"] == "parquet"
    names = ("publication_id", "title", "date", "journal", "journal_key")
    assert [[row[name] for name in names] for row in again.to_dicts()] == [
        [row[name] for name in names] for row in wanted.to_dicts()
    ]
