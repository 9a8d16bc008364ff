"""A wrong file of corrected rows is refused whole, with its name and row, and the lake stays as it was."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Callable, List

import pytest
from corrected_rows import Row, all_corrected, article_lake, corrected, taken_out, write_fix
from lake_state import stamps
from lake_tables import DT

import drugs_rs
from drugs_rs import exceptions

pytestmark = pytest.mark.core

Change = Callable[[List[Row]], List[Row]]

REFUSED: dict[str, tuple[Change, type[Exception], str]] = {
    "no key column": (
        lambda rows: [{key: value for key, value in row.items() if key != "source_row"} for row in rows],
        exceptions.SchemaError,
        r"fix\.csv: missing column `source_row`",
    ),
    "no value column": (
        lambda rows: [{key: value for key, value in row.items() if key not in ("date", "drug")} for row in rows],
        exceptions.SchemaError,
        r"fix\.csv: missing columns `date`, `drug`",
    ),
    "a foreign row": (
        lambda rows: [rows[0], corrected(rows[1], row_id="r" + "0" * 32, source_row="1")],
        exceptions.FormatError,
        r"fix\.csv: row 3: row 1 of `.*` is no rejected or corrected row of pubmed dt=2020-06-01",
    ),
    "a row of another table": (
        lambda rows: [corrected(rows[1], table="drugs")],
        exceptions.FormatError,
        r"fix\.csv: row 2: row 3 of `.*` is no rejected or corrected row of drugs",
    ),
    "a row twice": (
        lambda rows: [rows[1], rows[2], corrected(rows[1], title="Another")],
        exceptions.FormatError,
        r"fix\.csv: row 4: the rejected row of row 2 of `.*fix\.csv` again: row 3 of",
    ),
    "a date without a delivery": (
        lambda rows: [corrected(rows[1], dt="2020-06-02")],
        exceptions.FormatError,
        r"row 2: .* dt=2020-06-02",
    ),
    "a date as a spreadsheet shows it": (
        lambda rows: [corrected(rows[1], dt="01.06.2020")],
        exceptions.FormatError,
        r"row 2: the dt `01\.06\.2020`; expected an ISO date",
    ),
    "another table": (
        lambda rows: [corrected(rows[1], table="pubmeds")],
        exceptions.FormatError,
        r"row 2: the table `pubmeds`; expected one of drugs",
    ),
    "no row_id": (lambda rows: [corrected(rows[1], row_id="")], exceptions.FormatError, r"row 2: no row_id"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_file_is_refused_whole(case: str, tmp_path: Path) -> None:
    change, error, message = REFUSED[case]
    lake = article_lake(tmp_path)
    rows = all_corrected(taken_out(lake, tmp_path / "fix.csv"))
    fix = write_fix(tmp_path / "fix.csv", change(rows))
    before = stamps(Path(lake.root))
    with pytest.raises(error, match=message):
        lake.replay(fix)
    assert stamps(Path(lake.root)) == before


def test_an_unreadable_row_is_refused(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    fix = write_fix(tmp_path / "fix.csv", all_corrected(taken_out(lake, tmp_path / "fix.csv")))
    fix.write_bytes(fix.read_bytes() + b"2020-06-01,pubmed\n")
    before = stamps(Path(lake.root))
    with pytest.raises(exceptions.FormatError, match="nothing was replayed"):
        lake.replay(fix)
    with pytest.raises(exceptions.SourceNotFoundError):
        lake.replay(tmp_path / "none.csv")
    with pytest.raises(exceptions.ArgumentError, match="earlier state"):
        lake.at(1).replay(fix)
    assert stamps(Path(lake.root)) == before


def test_a_source_of_that_name_from_before_is_not_replaced(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    rows = taken_out(lake, tmp_path / "fix.csv", "blank_title")
    fix = write_fix(tmp_path / "fix.csv", all_corrected(rows))
    shutil.copytree(f"{lake.root}/bronze/pubmed", f"{lake.root}/bronze/replay-pubmed")
    manifest = Path(lake.root, "bronze", "replay-pubmed", f"dt={DT}", "_manifest.json")
    manifest.write_text(
        re.sub(
            r',\s*"sha256": "[^"]*"\n}',
            "\n}",
            manifest.read_text().replace('"source": "pubmed"', '"source": "replay-pubmed"'),
        )
    )
    drugs_rs.silver(lake=lake.root, dt=DT)
    before = stamps(Path(lake.root))
    with pytest.raises(exceptions.FormatError, match="deliver it under another name"):
        lake.replay(fix)
    assert stamps(Path(lake.root)) == before


def test_wrong_arguments(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    with pytest.raises(exceptions.ArgumentError, match="one of blank_title"):
        lake.rejected(DT, "blank")
    with pytest.raises(exceptions.SourceNotFoundError, match="dt=2020-06-02"):
        lake.rejected("2020-06-02")
    pubmed = tmp_path / "in" / "pubmed.csv"
    with pytest.raises(exceptions.ArgumentError, match="corrected rows"):
        drugs_rs.bronze(lake=lake.root, dt=DT, pubmed=pubmed, name="replay-pubmed")
