"""Every record of a real PubMed file beside `pubmed_parser`: all that differs is explained in `docs/sources.md`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from lake_tables import DT, publications

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

pubmed_parser = pytest.importorskip("pubmed_parser", reason="the peer needs Python 3.9")


def shown(row: dict[str, Any]) -> str:
    """A date as exactly as it was given, as the peer writes it."""
    length = {"day": 10, "month": 7, "season": 7, "year": 4}.get(row["date_precision"], 0)
    return str(row["date"])[:length]


def test_the_peer_reads_the_same(corpora: Path, tmp_path: Path) -> None:
    path = corpora / "pubmed" / "pubmed20n0014.xml.gz"
    drugs_rs.bronze(pubmed=path, out=tmp_path, dt=DT)
    drugs_rs.silver(out=tmp_path, dt=DT)
    ours = publications(tmp_path)
    theirs = list(pubmed_parser.parse_medline_xml(str(path), year_info_only=False))
    assert [row["pmid"] for row in theirs] == [row["publication_id"] for row in ours]
    differences: Counter[str] = Counter()
    for given, row in zip(theirs, ours):
        assert given["journal"] == row["journal"]
        if given["title"] != row["title"]:
            assert " ".join(given["title"].split()) == row["title"], given["pmid"]
            differences["runs of blanks in the title"] += 1
        if given["pubdate"] != shown(row):
            # The peer reads Year, Month and Day; of MedlineDate and Season it reads only the year.
            assert given["pubdate"] == str(row["date"].year), given["pmid"]
            assert row["date_precision"] in ("day", "month", "season"), given["pmid"]
            differences[f"{row['date_precision']} of a span or season"] += 1
    assert differences == {
        "runs of blanks in the title": 30,
        "month of a span or season": 2099,
        "season of a span or season": 141,
        "day of a span or season": 59,
    }
