"""Hostile and broken files: each has a defined result, alone and among good ones, and none takes boundless memory."""

from __future__ import annotations

import bz2
import gzip
import inspect
import io
import json
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

import pytest
from lake_tables import DT, publications, rejected
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

GOOD = "id,title,date,journal\n{0},Title {0},2020,J\n"
ARTICLE = "<PubmedArticle><PMID>1</PMID><ArticleTitle>{}</ArticleTitle></PubmedArticle>"
SET = f"<PubmedArticleSet>{ARTICLE}</PubmedArticleSet>"
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY xxe SYSTEM "file:///etc/passwd">]>'
# Repeating a gzip member makes one long text in no time.
PIECE = 1 << 24


def long_line(beginning: bytes, size: int, ending: bytes = b"") -> bytes:
    letters = gzip.compress(b"a" * PIECE, 1)
    return gzip.compress(beginning) + letters * (size // PIECE) + gzip.compress(ending)


def zip_bomb(size: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.csv", "w") as member:
        member.write(b"id,title,date,journal\n")
        for _ in range(size // PIECE):
            member.write(b"\n" * PIECE)
    return packed.getvalue()


class Hostile(NamedTuple):
    """A file that cannot be read as a whole: its name, its bytes, and what the message says of it."""

    name: str
    content: Callable[[], bytes]
    says: str
    error: type[exceptions.InputError] = exceptions.FormatError


def cut_gzip() -> bytes:
    packed = gzip.compress("".join(GOOD.format(number) for number in range(90_000)).encode())
    return packed[: len(packed) // 2]


def spliced(cut: str) -> str:
    """A delivery truncated at this text, followed by the next one: read as one record, it mixed two."""
    beginning = SET.format("cut off")
    return beginning[: beginning.index(cut)] + SET.format("whole")


TWO = f"<PubmedArticleSet>{ARTICLE}{ARTICLE}</PubmedArticleSet>"
CITATION = "<MedlineCitation><PMID>1</PMID><Article><ArticleTitle>T</ArticleTitle></Article></MedlineCitation>"
STUDY = '{"protocolSection": {"identificationModule": {"nctId": "NCT1", "briefTitle": "T"}}}'

HOSTILE = (
    Hostile("spliced.xml", lambda: spliced("<ArticleTitle").encode(), r"byte 18: another record inside the record"),
    Hostile("in-title.xml", lambda: spliced(" off").encode(), r"byte 18: another record inside the record"),
    Hostile(
        "spliced.xml.gz",
        lambda: gzip.compress(spliced("</Pub").encode()[:70]) + gzip.compress(SET.encode()),
        r"byte 18 of the unpacked content: another record inside the record",
    ),
    Hostile(
        "unclosed.xml",
        lambda: TWO.format(1, 2).replace("</PubmedArticle>", "", 1).encode(),
        r"byte 18: another record inside the record",
    ),
    Hostile(
        "two-citations.xml",
        lambda: f"<PubmedArticleSet><PubmedArticle>{CITATION * 2}</PubmedArticle></PubmedArticleSet>".encode(),
        r"byte 18: another MedlineCitation inside the record",
    ),
    Hostile(
        "old.xml",
        lambda: f"<MedlineCitationSet>{CITATION[:40]}{CITATION}</MedlineCitationSet>".encode(),
        r"byte 20: another MedlineCitation inside the record",
    ),
    Hostile("twice.csv.gz", lambda: gzip.compress(gzip.compress(GOOD.encode())), r"byte 0 .*: gzip inside gzip"),
    Hostile("twice.csv.bz2", lambda: bz2.compress(gzip.compress(GOOD.encode())), r"byte 0 .*: gzip inside bzip2"),
    Hostile("line.csv.gz", lambda: long_line(b"a", 1 << 25), r"line 1: more than 16777216 bytes without a line end"),
    Hostile("study.json", STUDY.encode, r"byte 0: objects without any .* \[\"protocolSection\"\]"),
    Hostile("studies.json", f"[{STUDY}, {STUDY}]".encode, r"byte 0: objects without any .* \[\"protocolSection\"\]"),
    Hostile("page.json", f'{{"studies": [{STUDY}]}}'.encode, r"byte 0: objects without any .* \[\"studies\"\]"),
    Hostile("cut.csv.gz", cut_gzip, r"byte \d+ of the unpacked content: the gzip file is cut off"),
    Hostile("damaged.csv.gz", lambda: cut_gzip()[:5000] + b"\xff" * 500, r"byte \d+ of the unpacked content"),
    Hostile(
        "bomb.csv.gz", lambda: gzip.compress(GOOD.encode()) + gzip.compress(b"\n" * PIECE) * 20, r"byte \d+.*a bomb"
    ),
    Hostile(
        "bomb.csv.bz2", lambda: bz2.compress(GOOD.encode()) + bz2.compress(b"\n" * PIECE) * 20, r"byte \d+.*a bomb"
    ),
    Hostile("bomb.zip", lambda: zip_bomb(20 * PIECE), r"byte \d+.*a bomb"),
    Hostile("laughs.xml", lambda: (LAUGHS + SET.format("&c;")).encode(), r"byte 0: .*declarations.*never expanded"),
    Hostile("external.xml", lambda: (EXTERNAL + SET.format("&xxe;")).encode(), r"byte 0: .*never fetched"),
    Hostile("cut.xml", lambda: SET.format("T").encode()[:-30], r"byte \d+: the file ends"),
    Hostile(
        "long.xml.gz",
        lambda: long_line(b"<PubmedArticleSet><PubmedArticle>", 1 << 30),
        r"byte \d+ of the unpacked content: a record of more",
    ),
    Hostile(
        "long.json.gz",
        lambda: long_line(b'[{"title": "', 1 << 30),
        r"byte \d+ of the unpacked content: an element of more",
    ),
    Hostile(
        "mixed.csv",
        lambda: (GOOD.format("é") + "2,Caf").encode() + b"\xe9,2020,J\n",
        r"byte \d+: 0xe9",
        exceptions.EncodingError,
    ),
    Hostile("utf16.csv", lambda: GOOD.format(1).encode("utf-16-le"), r"line 1: a NUL byte"),
    Hostile(
        "picture.csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, r"picture\.csv", exceptions.InputError
    ),
    Hostile("login.json", lambda: b"<!DOCTYPE html><html><body>Not found</body></html>", r"byte 0: XML or HTML"),
)


def peak_of_silver(lake: Path, **options: object) -> tuple[int, dict[str, Any]]:
    """The kilobytes that the step takes at most in a process of its own, and its report."""
    # `ru_maxrss` would start at the memory of this test process, because it survives `exec`.
    program = (
        "import json, drugs_rs\n"
        f"report = drugs_rs.silver(out={str(lake)!r}, dt={DT!r}, max_ratio=0, **{options!r})\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:')))\n"
        "print(json.dumps(report))\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, timeout=300)
    peak, report = finished.stdout.splitlines()
    return int(peak), json.loads(report)


def silver(lake: Path, source: object, **keywords: Any) -> dict[str, Any]:
    drugs_rs.bronze(pubmed=str(source), out=lake, dt=DT)
    report: dict[str, Any] = drugs_rs.silver(out=lake, dt=DT, **keywords)
    return report


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: str(hostile.name))
def test_a_hostile_file_stops_the_step_or_is_kept_aside(hostile: Hostile, tmp_path: Path) -> None:
    folder, lake = tmp_path / "delivery", tmp_path / "lake"
    folder.mkdir()
    (folder / "a.csv").write_text(GOOD.format("first"), encoding="utf-8")
    (folder / f"b-{hostile.name}").write_bytes(hostile.content())
    (folder / "c.csv").write_text(GOOD.format("last"), encoding="utf-8")
    with pytest.raises(hostile.error) as caught:
        silver(lake, folder)
    message = str(caught.value)
    assert f"b-{hostile.name}" in message
    assert re.search(hostile.says, message), message
    assert not (lake / "silver").exists(), "nothing is committed"

    report = silver(lake, folder, on_bad_file="reject")
    assert [row["publication_id"] for row in publications(lake)] == ["first", "last"]
    (aside,) = rejected(lake, "pubmed")
    assert aside["reason"] == "bad_file"
    assert aside["message"] == message
    assert aside["source_uri"].endswith(f"b-{hostile.name}")
    assert [(source["rows_in"], source["rows_rejected"]) for source in report["sources"]] == [(1, 0), (1, 1), (1, 0)]


@pytest.mark.parametrize("content", ["1,Secret words,2020,J\n2,x,2020,J\n", '"secret words"', "<secret>words</secret>"])
def test_reports_never_hold_what_a_bad_file_holds(content: str, tmp_path: Path) -> None:
    """The message of a bad file quotes its content, and was once a note in the report."""
    folder, lake = tmp_path / "delivery", tmp_path / "lake"
    folder.mkdir()
    (folder / "a.csv").write_text(GOOD.format("1"), encoding="utf-8")
    (folder / "b.csv").write_text(content, encoding="utf-8")
    report = silver(lake, folder, on_bad_file="reject")
    (note,) = report["sources"][1]["notes"]
    assert "b.csv: " in note
    # The rejected row may quote it; XML is never quoted.
    (aside,) = rejected(lake, "pubmed")
    assert ("secret" in aside["message"].lower()) == (not content.startswith("<"))
    texts = [json.dumps(report), *(path.read_text() for path in lake.rglob("*.json"))]
    assert not any("secret" in text.lower() for text in texts)


def test_a_comment_about_records_is_no_record(tmp_path: Path) -> None:
    source = tmp_path / "comments.xml"
    comment = "<!-- <PubmedArticle><MedlineCitation> --><PubmedData>&lt;PubmedArticle></PubmedData>"
    source.write_text(SET.format("T").replace("<PMID>", f"{comment}<PMID>"), encoding="utf-8")
    silver(tmp_path / "lake", source)
    assert [row["title"] for row in publications(tmp_path / "lake")] == ["T"]


@pytest.mark.parametrize("element", ["PMID", "ArticleTitle"])
def test_an_element_that_never_closes_costs_its_record_alone(element: str, tmp_path: Path) -> None:
    """The record was said to have no title, which is not what is wrong with it."""
    source = tmp_path / "open.xml"
    first, second = ARTICLE.format("one"), ARTICLE.format("two")
    text = f"<PubmedArticleSet>{first.replace(f'</{element}>', '')}{second}</PubmedArticleSet>"
    source.write_text(text, encoding="utf-8")
    silver(tmp_path / "lake", source)
    assert [row["title"] for row in publications(tmp_path / "lake")] == ["two"]
    (aside,) = rejected(tmp_path / "lake", "pubmed")
    assert aside["reason"] == "malformed_row"
    assert f"record 1 at byte 18: <{element}> is opened and not closed" in aside["message"]


def test_entities_are_never_expanded_and_never_fetched(tmp_path: Path) -> None:
    source = tmp_path / "entities.xml"
    source.write_text(SET.format("&xxe; &lol9; &amp; &alpha;"), encoding="utf-8")
    silver(tmp_path / "lake", source)
    assert [row["title"] for row in publications(tmp_path / "lake")] == ["&xxe; &lol9; & &alpha;"]


def test_the_limit_on_the_ratio_is_an_option(tmp_path: Path) -> None:
    source = tmp_path / "blank.csv.gz"
    source.write_bytes(gzip.compress(GOOD.format(1).encode()) + gzip.compress(b"\n" * PIECE) * 17)
    lake = tmp_path / "lake"
    with pytest.raises(exceptions.FormatError, match=r"400 times.*max_ratio"):
        silver(lake, source)
    with pytest.raises(exceptions.FormatError, match="500 times"):
        silver(lake, source, max_ratio=500)
    for ratio in (2000, 0):
        (tally,) = silver(lake, source, max_ratio=ratio)["sources"]
        assert (tally["rows_kept"], tally["blank_lines"]) == (1, 17 * PIECE)


READERS: dict[str, Callable[..., int]] = {
    "read_publications": lambda source, **keywords: len(drugs_rs.read_publications(source, **keywords)),
    "iter_publications": lambda source, **keywords: sum(map(len, drugs_rs.iter_publications(source, **keywords))),
    "read_drugs": lambda source, **keywords: len(drugs_rs.read_drugs(source, **keywords)),
    "from_vocabulary": lambda source, **keywords: len(drugs_rs.Matcher.from_vocabulary(source, **keywords)),
}


@pytest.mark.parametrize("reader", READERS)
def test_the_limit_on_the_ratio_is_an_option_without_a_lake(reader: str, tmp_path: Path) -> None:
    """The message mentions `max_ratio`, so every reader of files must accept it."""
    source = tmp_path / "blank.csv.gz"
    rows = GOOD.format(1) if "publications" in reader else "atccode,drug\nV03AB,velorin\n"
    source.write_bytes(gzip.compress(rows.encode()) + gzip.compress(b"\n" * PIECE) * 17)
    with pytest.raises(exceptions.FormatError, match=r"500 times.*max_ratio"):
        READERS[reader](source, max_ratio=500)
    assert READERS[reader](source, max_ratio=0) == 1
    # Python's own error, an `OverflowError`, does not say which argument it is.
    with pytest.raises(exceptions.ArgumentError, match="^max_ratio: -1; expected a whole number from 0 to "):
        READERS[reader](source, max_ratio=-1)
    with pytest.raises(TypeError, match="^(argument 'max_ratio': )?max_ratio: expected a whole number, found str"):
        READERS[reader](source, max_ratio="many")


def test_the_command_takes_the_limit_for_vocabularies(tmp_path: Path) -> None:
    source = tmp_path / "drugs.csv.gz"
    source.write_bytes(gzip.compress(b"atccode,drug\nV03AB,velorin\n") + gzip.compress(b"\n" * PIECE) * 17)
    for ratio, code in (("500", 1), ("0", 0)):
        finished = shell("explain", "--vocabulary", source, "--max-ratio", ratio, "velorin", "velorin")
        assert finished.returncode == code, finished.stderr.decode()


def test_reading_takes_the_options_of_the_steps_with_their_defaults() -> None:
    steps = inspect.signature(drugs_rs.run).parameters
    options: dict[Callable[..., Any], tuple[str, ...]] = {
        drugs_rs.read_publications: ("encoding", "month_first", "on_bad_file", "max_ratio", "progress"),
        drugs_rs.iter_publications: ("encoding", "month_first", "on_bad_file", "max_ratio"),
        drugs_rs.read_drugs: ("encoding", "on_bad_file", "max_ratio", "progress"),
        drugs_rs.Matcher.from_vocabulary: ("encoding", "max_ratio"),
    }
    for function, names in options.items():
        theirs = inspect.signature(function).parameters
        assert [theirs[name].default for name in names] == [steps[name].default for name in names]


def test_a_file_of_rejected_rows_alone_is_not_held(tmp_path: Path) -> None:
    """Rows of a file that may be bad as a whole wait until its end; 640 MB of them once waited in memory."""
    source, lake = tmp_path / "blank.csv.gz", tmp_path / "lake"
    row = b"1, ,2020," + b"x" * 990 + b"\n"
    rows = PIECE // len(row)
    source.write_bytes(gzip.compress(b"id,title,date,journal\n") + gzip.compress(row * rows, 1) * 40)
    drugs_rs.bronze(pubmed=source, out=lake, dt=DT)
    peak, report = peak_of_silver(lake, on_bad_file="reject")
    assert report["rejected"] == {"blank_title": 40 * rows}
    assert peak < 400_000, "kilobytes"


def test_a_thousand_texts_of_a_megabyte_are_not_held(tmp_path: Path) -> None:
    """Row groups of a fixed number of rows, however large, took 1.8 GB for 1.5 GB of texts."""
    source, lake = tmp_path / "large.ndjson.gz", tmp_path / "lake"
    text = "A word and another " * ((1 << 20) // 19)
    rows = 1000
    with gzip.open(str(source), "wt", compresslevel=1) as file:
        for number in range(rows):
            row = {"id": str(number), "title": f"Title {number}", "abstract": text, "journal": "J", "date": "2020"}
            file.write(json.dumps(row) + "\n")
    drugs_rs.bronze(pubmed=source, out=lake, dt=DT)
    peak, report = peak_of_silver(lake)
    assert report["rows_kept"] == rows
    assert peak < 400_000, "kilobytes"


def test_a_line_of_a_gigabyte_is_one_rejected_row_and_takes_no_gigabyte(tmp_path: Path) -> None:
    source, lake = tmp_path / "line.csv.gz", tmp_path / "lake"
    source.write_bytes(long_line(b"id,title,date,journal\n1,One,2020,J\n2,", 1 << 30, b"\n3,Three,2020,J\n"))
    drugs_rs.bronze(pubmed=source, out=lake, dt=DT)
    peak, _ = peak_of_silver(lake)
    assert [row["publication_id"] for row in publications(lake)] == ["1", "3"]
    (aside,) = rejected(lake, "pubmed")
    assert aside["reason"] == "row_too_long"
    assert len(aside["raw"]) <= 1 << 16
    assert peak < 400_000, "kilobytes"


def test_names_tell_nothing(tmp_path: Path) -> None:
    contents = {
        "really.csv": SET.format("XML").encode(),
        "really.xml": b'[{"id": 2, "title": "JSON", "date": "2020", "journal": "J"}]',
        "really.json": gzip.compress(b"id,title,date,journal\n3,CSV,2020,J\n"),
        "really.csv.gz": b"PMID- 4\nTI  - MEDLINE\nDP  - 2020\nJT  - J\n",
    }
    for name, content in contents.items():
        lake = tmp_path / f"lake-{name}"
        (tmp_path / name).write_bytes(content)
        silver(lake, tmp_path / name)
        assert len(publications(lake)) == 1, name


def test_mixed_encodings_are_read_line_by_line_where_asked(tmp_path: Path) -> None:
    source = tmp_path / "mixed.csv"
    source.write_bytes(GOOD.format("é").encode() + "2,Café,2020,J\n".encode("windows-1252"))
    silver(tmp_path / "lake", source, encoding="windows-1252")
    assert [row["title"] for row in publications(tmp_path / "lake")] == ["Title é", "Café"]


def test_small_files_come_out_in_their_order_whatever_the_threads_do(tmp_path: Path) -> None:
    folder = tmp_path / "studies"
    folder.mkdir()
    for number in range(700):
        if number % 50 == 7:
            (folder / f"{number:04}.json").write_text("[", encoding="utf-8")
        elif number % 100 == 99:
            rows = "".join(f"{number}-{row},T,2020,J\n" for row in range(3000))
            (folder / f"{number:04}.json").write_text("id,title,date,journal\n" + rows, encoding="utf-8")
        else:
            study = f'{{"id": "{number}", "title": "T {number}", "date": "2020", "journal": "J"}}'
            (folder / f"{number:04}.json").write_text(study, encoding="utf-8")
    states = []
    for threads in (1, 2, 5):
        lake = tmp_path / f"lake-{threads}"
        program = (
            f"import drugs_rs\ndrugs_rs.bronze(pubmed={str(folder)!r}, out={str(lake)!r}, dt={DT!r})\n"
            f"drugs_rs.silver(out={str(lake)!r}, dt={DT!r}, on_bad_file='reject')\n"
        )
        environment = {"RAYON_NUM_THREADS": str(threads), "POLARS_MAX_THREADS": str(threads)}
        subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=120)
        files = sorted(path for path in (lake / "silver").rglob("*") if path.is_file())
        states.append([path.read_bytes() for path in files])
    assert states[0] == states[1] == states[2]
    kept = publications(tmp_path / "lake-1")
    assert len(kept) == 700 - 14 - 7 + 7 * 3000
    assert [row["source_uri"] for row in kept] == sorted(row["source_uri"] for row in kept)
