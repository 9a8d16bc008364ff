"""Every form of a date that silver parses, its precision, and what it never guesses."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from lake_tables import Row, clean
from written_sources import write_pubmed

pytestmark = pytest.mark.core

DATA = Path(__file__).resolve().parent.parent / "data"

DAYS = {
    "2020-01-05": "2020-01-05",
    "2020-01-05T10:30:00": "2020-01-05",
    "2020-01-05T10:30:00Z": "2020-01-05",
    "2020-01-05T10:30:00.123456+02:00": "2020-01-05",
    "2020-01-05 10:30:00": "2020-01-05",
    "  2020-01-05\t": "2020-01-05",
    # Day before month, even where only the other order gives a date.
    "01/02/2020": "2020-02-01",
    "12/11/2020": "2020-11-12",
    "25/05/2020": "2020-05-25",
    "01.02.2020": "2020-02-01",
    "25.05.2020": "2020-05-25",
    "1 January 2020": "2020-01-01",
    "27 April 2020": "2020-04-27",
    "January 1, 2020": "2020-01-01",
    "1st January 2020": "2020-01-01",
    "March 31, 2020": "2020-03-31",
    "2020 Jan 5": "2020-01-05",
    "2020 Dec 31": "2020-12-31",
    "29/02/2020": "2020-02-29",
    "2000-02-29": "2000-02-29",
}

PARTS: dict[str, tuple[str, str]] = {
    "2020-01": ("2020-01-01", "month"),
    "2020-12": ("2020-12-01", "month"),
    "1975 Jan-Feb": ("1975-01-01", "month"),
    "2019 Sep/Oct": ("2019-09-01", "month"),
    "1979-1980 Fall": ("1979-09-01", "season"),
    "1975 Nov-Dec": ("1975-11-01", "month"),
    "2020": ("2020-01-01", "year"),
    "1975-1976": ("1975-01-01", "year"),
    "2021 Spring": ("2021-03-01", "season"),
    "2021 Summer": ("2021-06-01", "season"),
    "2021 Autumn": ("2021-09-01", "season"),
    "2021 Fall": ("2021-09-01", "season"),
    "1983 Jan-Feb-Mar": ("1983-01-01", "month"),
    "2023 Dec-2024 Jan 01": ("2023-12-01", "month"),
    "2021 Jul-Aug-Sep 01": ("2021-07-01", "month"),
    "2021 Jul/Aug/Sep": ("2021-07-01", "month"),
    "May-June 2001": ("2001-05-01", "month"),
    "1998 Dec-1999": ("1998-12-01", "month"),
    "Winter 1976-1977": ("1976-01-01", "season"),
    "2000 3rd Quart": ("2000-07-01", "season"),
    "1975\u20131976": ("1975-01-01", "year"),
}

# Days that do not exist, texts that are no dates, and forms that only a guess could parse.
BAD = (
    "31/02/2020",
    "25/13/2020",
    "yesterday",
    "29/02/2019",
    "2019-02-29",
    "1900-02-29",
    "2020-02-30",
    "2020-13-01",
    "2020-00-10",
    "2020-13",
    "2020-01-00",
    "00/01/2020",
    "01/00/2020",
    # Month-first these would be days: swapping them silently is the guess that many solutions make.
    "12/31/2020",
    "05/25/2020",
    "05.25.2020",
    "13/13/2020",
    "31 April 2020",
    "April 31, 2020",
    "2020 Feb 30",
    "1 Januember 2020",
    "01/02/20",
    "2020-01-05 or later",
    "about 2020",
    "2020/2021/2022",
    "0",
    "unknown",
    "٢٠٢٠-٠١-٠٥",
    "99999999999999999999",
)

MISSING = ("", "   ", "null", " N/A ", "NA", "None", "NaN", "NaT", "-", "n.a.", "<NA>", "—")


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """All the dates of this file in one source: text → its row."""
    texts = [*DAYS, *PARTS, *BAD, *MISSING]
    records = [(str(place), f"Title {place}", text, "Annals") for place, text in enumerate(texts)]
    folder = tmp_path_factory.mktemp("dates")
    kept = clean(folder / "lake", write_pubmed(folder / "articles.csv", *records)).kept
    found = {row["publication_id"]: row for row in kept}
    return {text: found[str(place)] for place, text in enumerate(texts)}


def flags(row: Row) -> list[str]:
    """The flags that speak of dates."""
    return sorted(set(row["flags"]) & {"bad_date", "missing_date"})


@pytest.mark.parametrize("text", DAYS)
def test_days(text: str, read: dict[str, Row]) -> None:
    row = read[text]
    assert row["date"] == date.fromisoformat(DAYS[text])
    assert row["date_precision"] == "day"
    assert flags(row) == []


@pytest.mark.parametrize("text", PARTS)
def test_partial_dates_are_their_first_day(text: str, read: dict[str, Row]) -> None:
    row = read[text]
    first_day, precision = PARTS[text]
    assert row["date"] == date.fromisoformat(first_day)
    assert row["date_precision"] == precision
    assert flags(row) == [], "known in part is not wrong: the precision says it"


@pytest.mark.parametrize("text", BAD)
def test_bad_dates_are_null_and_flagged(text: str, read: dict[str, Row]) -> None:
    row = read[text]
    assert row["date"] is None
    assert row["date_precision"] is None
    assert flags(row) == ["bad_date"]


@pytest.mark.parametrize("text", MISSING)
def test_missing_dates(text: str, read: dict[str, Row]) -> None:
    row = read[text]
    assert row["date"] is None
    assert row["date_precision"] is None
    assert flags(row) == ["missing_date"]


MONTH_FIRST: dict[str, str | None] = {
    "01/02/2020": "2020-01-02",
    "02/30/2020": None,
    "05/25/2020": "2020-05-25",
    # The source is month-first, so a day-first date in it is just as wrong.
    "25/05/2020": None,
    "2020-02-01": "2020-02-01",
    "1 February 2020": "2020-02-01",
}


def test_month_first_when_the_source_says_so(tmp_path: Path) -> None:
    records = [(str(place), f"Title {place}", text, "Annals") for place, text in enumerate(MONTH_FIRST)]
    source = write_pubmed(tmp_path / "articles.csv", *records)
    kept = clean(tmp_path / "lake", source, month_first=True).kept
    found = [row["date"] and row["date"].isoformat() for row in kept]
    assert found == list(MONTH_FIRST.values())
    assert ["bad_date" in row["flags"] for row in kept] == [day is None for day in MONTH_FIRST.values()]


def test_file_of_bad_dates(tmp_path: Path) -> None:
    cleaned = clean(tmp_path, DATA / "bad_dates.csv")
    found = {row["publication_id"]: flags(row) for row in cleaned.kept}
    bad = {name: ["bad_date"] for name in ("1", "2", "3", "6", "7")}
    assert found == {**bad, "4": ["missing_date"], "5": ["missing_date"], "8": []}
    assert cleaned.report["flags"]["bad_date"] == 5
    assert cleaned.report["flags"]["missing_date"] == 2


def test_numbers_as_dates_in_json(tmp_path: Path) -> None:
    """A year that the source wrote as a number."""
    path = tmp_path / "articles.json"
    path.write_text('[{"id": 1, "title": "A title", "date": 2020, "journal": "Annals"}]', encoding="utf-8")
    (row,) = clean(tmp_path / "lake", path).kept
    assert (row["date"], row["date_precision"]) == (date(2020, 1, 1), "year")
