"""Tagged formats: where records of MEDLINE, RIS and Ovid begin and end, and which tags count."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from lake_tables import clean

pytestmark = pytest.mark.core

MEDLINE = """PMID- 1
DP  - 2023 Jan
TI  - One.
AB  - The first part, with
      a line more.
%s
      The second part.
CI  - Nobody's.
JT  - Journal of Tests

PMID- 2
DP  - 2023 Feb
TI  - Two.
TA  - J Tests
"""


def read(tmp_path: Path, text: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The kept and the rejected rows of a text."""
    source = tmp_path / "a.txt"
    source.write_bytes(text.encode("utf-8"))
    cleaned = clean(tmp_path / "lake", source)
    return list(cleaned.kept), list(cleaned.rejected)


@pytest.mark.parametrize("blank", ["      ", "", "   ", "      \n      ", "\n\n"])
def test_a_blank_line_in_an_abstract_ends_no_record(blank: str, tmp_path: Path) -> None:
    """PubMed writes a line of blanks between paragraphs: the record ended there, and its journal was lost."""
    kept, refused = read(tmp_path, MEDLINE % blank)
    assert refused == []
    first, second = kept
    assert first["abstract"] == "The first part, with a line more. The second part."
    assert (first["journal"], second["publication_id"], second["journal"]) == ("Journal of Tests", "2", "J Tests")


def test_a_blank_line_behind_an_abstract_that_pubmed_indents(tmp_path: Path) -> None:
    kept, refused = read(tmp_path, "PMID- 1\nTI  - One.\nAB  - Text.\n      \nJT  - J\n\nPMID- 2\nTI  - Two.\n")
    assert ([row["journal"] for row in kept], refused) == (["J", None], [])


@pytest.mark.parametrize("blank", ["\n      \n", "      \n\n"])
def test_blank_lines_of_both_kinds_in_an_abstract_end_no_record(blank: str, tmp_path: Path) -> None:
    """Two in a row once ended the record, and the rest of it was a row of its own."""
    kept, refused = read(tmp_path, f"PMID- 1\nTI  - One.\nAB  - Text.\n{blank}JT  - J\n\nPMID- 2\nTI  - Two.\n")
    assert ([row["journal"] for row in kept], refused) == (["J", None], [])


@pytest.mark.parametrize("name", ["medline.nbib", "references.ris", "ovid.txt"])
def test_lines_may_end_in_cr_alone(name: str, tmp_path: Path) -> None:
    """Of MEDLINE with such lines, all records were one."""
    text = (Path(__file__).parents[1] / "data" / "formats" / name).read_text(encoding="utf-8")
    keys = ("publication_id", "title", "abstract", "date", "journal", "source_row", "reason")
    tables = []
    for number, end in enumerate(["\n", "\r\n", "\r"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        kept, refused = read(folder, text.replace("\n", end))
        tables.append([[row.get(key) for key in keys] for row in [*kept, *refused]])
    assert len(tables[0]) > 1
    assert tables[0] == tables[1] == tables[2]


@pytest.mark.parametrize(
    ("date", "wanted", "precision"),
    [
        ("2023 Jan-Feb 01", datetime.date(2023, 1, 1), "month"),
        ("2021 Sep-Oct 01", datetime.date(2021, 9, 1), "month"),
        ("2023 Jan/Feb 01", datetime.date(2023, 1, 1), "month"),
        ("1980 2d Quart", datetime.date(1980, 4, 1), "season"),
        ("1980 3d Quart", datetime.date(1980, 7, 1), "season"),
        ("1962 Christmas", None, None),
    ],
)
def test_dates_of_old_records_and_of_bimonthly_journals(
    date: str, wanted: datetime.date | None, precision: str | None, tmp_path: Path
) -> None:
    xml = (
        "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>2</PMID><Article><Journal><JournalIssue><PubDate>"
        "<MedlineDate>%s</MedlineDate></PubDate></JournalIssue><Title>J</Title></Journal>"
        "<ArticleTitle>One.</ArticleTitle></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
    )
    for number, text in enumerate(["PMID- 1\nTI  - One.\nDP  - %s\nTA  - J\n", xml]):
        folder = tmp_path / str(number)
        folder.mkdir()
        ((row,), _) = read(folder, text % date)
        assert (row["date"], row["date_precision"]) == (wanted, precision)
        assert ("bad_date" in row["flags"]) == (wanted is None)


@pytest.mark.parametrize(
    ("text", "wanted", "flags"),
    [
        (
            "TY  - JOUR\nTI  - One.\nDA  - in press\nPY  - 2021\nJF  - J\nER  - \n",
            (datetime.date(2021, 1, 1), "year"),
            set(),
        ),
        (
            "TY  - JOUR\nTI  - One.\nDA  - N/A\nY1  - 2021/03//\nJF  - J\nER  - \n",
            (datetime.date(2021, 3, 1), "month"),
            set(),
        ),
        ("TY  - JOUR\nTI  - One.\nDA  - in press\nJF  - J\nER  - \n", (None, None), {"bad_date"}),
        ("TY  - JOUR\nTI  - One.\nDA  - 2021/02/31/\nPY  - 2021\nJF  - J\nER  - \n", (None, None), {"bad_date"}),
        ("<1>\nUI  - 7\nTI  - One.\nDG  - Foo 5\nYR  - 2020\nJN  - J\n", (datetime.date(2020, 1, 1), "year"), set()),
    ],
)
def test_the_year_counts_where_the_date_is_none(
    text: str, wanted: tuple[datetime.date | None, str | None], flags: set[str], tmp_path: Path
) -> None:
    ((row,), _) = read(tmp_path, text)
    assert (row["date"], row["date_precision"]) == wanted
    assert set(row["flags"]) - {"synthetic_id"} == flags
