"""Small files that unpack to much: what reads them takes memory and time by what comes of them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Callable

import pyarrow
import pyarrow.parquet
import pytest

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

# Repeating a gzip member makes one long text in no time.
PIECE = 1 << 24
READERS = {
    "publications": "len(drugs_rs.read_publications({0!r}, max_ratio=0))",
    "stream": "sum(map(len, drugs_rs.iter_publications({0!r}, max_ratio=0)))",
    "rejecting": "len(drugs_rs.read_publications({0!r}, max_ratio=0, on_bad_file='reject'))",
    "drugs": "len(drugs_rs.read_drugs({0!r}, max_ratio=0))",
    "vocabulary": "len(drugs_rs.Matcher.from_vocabulary({0!r}, max_ratio=0))",
}


def peak(source: Path, reader: str) -> tuple[int, int]:
    """The kilobytes that reading takes at most in a process of its own, and the rows that come of it."""
    program = (
        f"import drugs_rs\nprint({READERS[reader].format(str(source))})\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:')))\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, timeout=500)
    count, kilobytes = finished.stdout.splitlines()
    return int(kilobytes), int(count)


def repeated(header: bytes, row: bytes, pieces: int) -> bytes:
    return gzip.compress(header) + gzip.compress(row * (PIECE // len(row)), 1) * pieces


@pytest.mark.parametrize("reader", READERS)
def test_one_row_over_and_over_is_not_held(reader: str, tmp_path: Path) -> None:
    """A gzip file of 214 KB took 2.9 GB for one row of a table."""
    source = tmp_path / "same.csv.gz"
    if reader in ("drugs", "vocabulary"):
        source.write_bytes(repeated(b"atccode,drug\n", b"V03AB,velorin\n", 3))
    else:
        source.write_bytes(repeated(b"id,title,date,journal\n", b"1,Velorin,2020-01-01,J\n", 4))
    kilobytes, count = peak(source, reader)
    assert count == 1 or reader == "stream"
    assert kilobytes < 500_000


def test_rejected_rows_come_before_there_are_gigabytes(tmp_path: Path) -> None:
    """Until a batch was full, all that was rejected meanwhile waited; and batches do not depend on threads."""
    source = tmp_path / "blank.csv.gz"
    header, row = b"id,title,date,journal\n", b"1, ,2020," + b"x" * 990 + b"\n"
    source.write_bytes(repeated(header + b"0,Velorin,2020,J\n", row, 12))
    batches = [(len(batch), len(batch.rejected)) for batch in drugs_rs.iter_publications(source, max_ratio=0)]
    assert sum(kept for kept, _ in batches) == 1
    assert sum(aside for _, aside in batches) == 12 * (PIECE // len(row))
    assert max(aside for _, aside in batches) * len(row) < 40 << 20


@pytest.mark.parametrize("reader", ["publications", "stream", "drugs", "vocabulary"])
def test_one_long_text_in_many_rows_of_parquet_is_not_held(reader: str, tmp_path: Path) -> None:
    """Such a text is in the file once, and batches were cut by its size there: 53 KB took 1.4 GB."""
    source = tmp_path / "same.parquet"
    many = 1500
    # One word: a name of more than 512 is rejected.
    text = "Velorin" * (1 << 16)
    if reader in ("drugs", "vocabulary"):
        columns = {"atccode": ["V03AB"] * many, "drug": [text] * many}
    else:
        columns = {"id": ["1"] * many, "title": [text] * many, "date": ["2020"] * many, "journal": ["J"] * many}
    pyarrow.parquet.write_table(pyarrow.table(columns), str(source), compression="zstd")
    assert source.stat().st_size < 200_000
    kilobytes, count = peak(source, reader)
    assert count == (many if reader == "stream" else 1)
    assert kilobytes < 500_000


def test_a_text_of_parquet_that_is_no_title_is_one_rejected_row(tmp_path: Path) -> None:
    source = tmp_path / "long.parquet"
    texts = ["One", "x" * ((1 << 24) + 1), "Three"]
    columns = {"id": ["1", "2", "3"], "title": texts, "date": ["2020"] * 3, "journal": ["J"] * 3}
    pyarrow.parquet.write_table(pyarrow.table(columns), str(source))
    table = drugs_rs.read_publications(source)
    assert [row["publication_id"] for row in table.to_dicts()] == ["1", "3"]
    (aside,) = table.rejected.to_dicts()
    assert (aside["reason"], aside["source_row"]) == ("row_too_long", 2)
    assert aside["message"].startswith("row 2: ")
    assert len(aside["raw"]) <= 1 << 16


def test_blanks_between_elements_are_not_held(tmp_path: Path) -> None:
    source = tmp_path / "blank.json.gz"
    element = json.dumps({"id": 1, "title": "Velorin", "date": "2020", "journal": "J"}).encode()
    blanks = gzip.compress(b" " * PIECE, 1) * 40
    source.write_bytes(
        gzip.compress(b"[") + blanks + gzip.compress(element + b",") + blanks + gzip.compress(element + b"]")
    )
    kilobytes, count = peak(source, "publications")
    assert count == 1
    assert kilobytes < 400_000


# The command with two short lines and one of two gigabytes on standard input: its exit code, its peak memory
# and its output.
ENDLESS = """
import resource, subprocess, sys
feed = 'import sys; sys.stdout.write("a\\\\nb\\\\n"); [sys.stdout.write("x" * (1 << 24)) for _ in range(128)]'
feeder = subprocess.Popen([sys.executable, "-c", feed], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
command = [sys.executable, "-m", "drugs_rs", *sys.argv[1:]]
done = subprocess.run(command, stdin=feeder.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
feeder.kill()
print(done.stderr.decode())
"""
LINES: dict[str, list[str]] = {
    "texts": ["match", "--vocabulary", "drugs.csv", "endless"],
    "list": ["bronze", "--pubmed", "@endless", "--out", "lake", "--dt", "2020-01-01"],
    "stop words": ["explain", "--vocabulary", "drugs.csv", "--stop-words", "endless", "velorin", "velorin"],
    "extra stop words": ["match", "--vocabulary", "drugs.csv", "--extra-stop-words", "endless", "drugs.csv"],
}


@pytest.mark.parametrize("place", LINES)
def test_a_line_without_an_end_is_refused(place: str, tmp_path: Path) -> None:
    """It was held until the process was out of memory; two gigabytes are given here, one line of them too many."""
    (tmp_path / "drugs.csv").write_text("atccode,drug\nV03AB,velorin\n", encoding="utf-8")
    (tmp_path / "endless").symlink_to("/dev/stdin")
    finished = subprocess.run(
        [sys.executable, "-c", ENDLESS, *LINES[place]],
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
        cwd=str(tmp_path),
    )
    figures, *told = finished.stdout.decode().splitlines()
    code, kilobytes = map(int, figures.split())
    assert code == 1, told
    assert "endless: line 3: more than 16777216 bytes without a line end" in "".join(told)
    assert kilobytes < 400_000


def endless_tags(letters: str) -> Callable[[int], str]:
    return lambda size: letters * (size // len(letters))


# Texts whose reader once scanned the rest for each of their letters.
SQUARES = {
    "tags": endless_tags("<a"),
    "tags in quotes": endless_tags("<a '\""),
    "quotes": lambda size: f"<a {endless_tags(chr(34) * 2)(size)}>",
    "references": endless_tags("&#x"),
    "escapes": endless_tags("\\\\x"),
    "elements": endless_tags("<i></i>"),
    "instructions": endless_tags("<?x"),
    "marks": endless_tags("a\u0301\u0323"),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shape", SQUARES)
@pytest.mark.parametrize("form", ["xml", "csv", "json", "nbib"])
def test_a_title_costs_as_much_as_it_is_long(shape: str, form: str, tmp_path: Path) -> None:
    """Four megabytes of tags that never end took hours; the time-out is a hundred times what they take."""
    title = SQUARES[shape](1 << 22)
    texts = {
        "xml": "<PubmedArticleSet><PubmedArticle><PMID>1</PMID><ArticleTitle>{}</ArticleTitle></PubmedArticle>"
        "<PubmedArticle><PMID>2</PMID><ArticleTitle>Two</ArticleTitle></PubmedArticle></PubmedArticleSet>",
        "csv": 'id,title,date,journal\n1,"{}",2020,J\n2,Two,2020,J\n',
        "json": '[{{"id": 1, "title": {}, "date": "2020", "journal": "J"}},'
        '{{"id": 2, "title": "Two", "date": "2020", "journal": "J"}}]',
        "nbib": "PMID- 1\nTI  - {}\n\nPMID- 2\nTI  - Two\n",
    }
    written = {"csv": title.replace('"', '""'), "json": json.dumps(title, ensure_ascii=False)}
    source = tmp_path / "title"
    source.write_text(texts[form].format(written.get(form, title)), encoding="utf-8")
    read = drugs_rs.read_publications(source)
    assert "2" in [row["publication_id"] for row in read.to_dicts()]
