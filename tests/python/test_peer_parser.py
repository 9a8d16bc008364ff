"""Records of a real PubMed file beside `pubmed_parser`: all that differs is explained in `docs/sources.md`.

The peer takes two minutes for the whole file, so it is every fifth record; `DRUGS_RS_EVERY=1` takes all of them.
"""

from __future__ import annotations

import gzip
import os
import re
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


EVERY = int(os.environ.get("DRUGS_RS_EVERY", "5"))
DIFFERENCES = {
    1: {
        "runs of blanks in the title": 30,
        "month of a span or season": 2099,
        "season of a span or season": 141,
        "day of a span or season": 59,
    },
    5: {
        "runs of blanks in the title": 3,
        "month of a span or season": 411,
        "season of a span or season": 34,
        "day of a span or season": 11,
    },
}


def some_records(whole: Path, some: Path) -> Path:
    """A file with some of the records of another."""
    records = re.findall(rb"<PubmedArticle>.*?</PubmedArticle>", gzip.decompress(whole.read_bytes()), re.DOTALL)
    assert len(records) == 30_000
    text = b"<PubmedArticleSet>" + b"".join(records[::EVERY]) + b"</PubmedArticleSet>"
    some.write_bytes(gzip.compress(text, 1))
    return some


def test_the_peer_reads_the_same(corpora: Path, tmp_path: Path) -> None:
    path = some_records(corpora / "pubmed" / "pubmed20n0014.xml.gz", tmp_path / "some.xml.gz")
    drugs_rs.bronze(pubmed=path, out=tmp_path / "lake", dt=DT)
    drugs_rs.silver(out=tmp_path / "lake", dt=DT)
    ours = publications(tmp_path / "lake")
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
    assert differences == DIFFERENCES[EVERY]
