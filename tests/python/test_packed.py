"""Compressed sources: each compression and archive has the plain table; bombs and broken files are reported."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any, Callable

import pyarrow
import pytest
from lake_tables import DT, publications, rejected, rows

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

CSV = "id,title,date,journal\n" + "".join(f"{n},Title {n} of aspirin,2020-01-0{n},J\n" for n in range(1, 8))
XML = "<PubmedArticleSet>{}</PubmedArticleSet>"
ARTICLE = (
    '<PubmedArticle><PMID Version="{1}">{0}</PMID><Journal><PubDate><Year>2020</Year></PubDate><Title>J</Title>'
    "</Journal><ArticleTitle>{2}</ArticleTitle></PubmedArticle>"
)


def silver(lake: Path, source: Path, dt: str = DT, **keywords: Any) -> dict[str, Any]:
    drugs_rs.bronze(pubmed=source, out=lake, dt=dt)
    report: dict[str, Any] = drugs_rs.silver(out=lake, dt=dt, **keywords)
    for source_report in report["sources"]:
        counts = [source_report[f"rows_{part}"] for part in ("kept", "merged", "rejected")]
        assert source_report["rows_in"] == sum(counts)
    return report


def tar(compress: Callable[[bytes], bytes] = bytes) -> Callable[[dict[str, bytes]], bytes]:
    def pack(files: dict[str, bytes]) -> bytes:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        return compress(packed.getvalue())

    return pack


def zipped(compression: int, streamed: bool) -> Callable[[dict[str, bytes]], bytes]:
    class Pipe(io.BytesIO):
        """A file without seeking, so that sizes and checksums come after the files."""

        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise io.UnsupportedOperation

    def pack(files: dict[str, bytes]) -> bytes:
        packed = Pipe() if streamed else io.BytesIO()
        with zipfile.ZipFile(packed, "w", compression) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return packed.getvalue()

    return pack


ARCHIVES = {
    "tar": tar(),
    "tar.gz": tar(gzip.compress),
    "tar.bz2": tar(bz2.compress),
    "zip": zipped(zipfile.ZIP_DEFLATED, streamed=False),
    "zip stored": zipped(zipfile.ZIP_STORED, streamed=False),
    "zip as a stream": zipped(zipfile.ZIP_DEFLATED, streamed=True),
}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_packed_file_is_the_file(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    # Two gzip members in a row are one file.
    middle = CSV.index("\n4,")
    source = tmp_path / "source"
    source.write_bytes(pack(CSV[:middle].encode()) + pack(CSV[middle:].encode()))
    silver(tmp_path / "lake", source)
    assert [row["publication_id"] for row in publications(tmp_path / "lake")] == list("1234567")


def test_gzip_may_be_filled_with_zeros(tmp_path: Path) -> None:
    # gzip itself ignores the zeros; they were taken for a broken member.
    middle = CSV.index("\n4,")
    first, second = gzip.compress(CSV[:middle].encode()), gzip.compress(CSV[middle:].encode())
    source = tmp_path / "source"
    source.write_bytes(first + bytes(512) + second + bytes(300_000))
    silver(tmp_path / "lake", source)
    assert [row["publication_id"] for row in publications(tmp_path / "lake")] == list("1234567")
    source.write_bytes(first + second + bytes(512) + b"no gzip")
    with pytest.raises(exceptions.InputError, match="gzip"):
        silver(tmp_path / "other", source)


@pytest.mark.parametrize("kind", ARCHIVES)
def test_the_files_of_an_archive_are_read_one_after_the_other(tmp_path: Path, kind: str) -> None:
    long_name = "deep/" * 30 + "second file ü.csv"
    files = {
        "first.csv": CSV.encode(),
        ".hidden": b"\x00",
        "__MACOSX/first.csv": b"\x00",
        "empty.csv": b"",
        long_name: gzip.compress(b"id,title,date,journal\n8,Eight,2020,J\n9,,2020,J\n"),
    }
    source = tmp_path / "archive"
    source.write_bytes(ARCHIVES[kind](files))
    report = silver(tmp_path / "lake", source)
    kept = publications(tmp_path / "lake")
    assert [row["publication_id"] for row in kept] == list("12345678")
    assert [row["source_row"] for row in kept] == [2, 3, 4, 5, 6, 7, 8, 2]
    assert {row["source_uri"] for row in kept} == {f"{source}/first.csv", f"{source}/{long_name}"}
    (aside,) = rejected(tmp_path / "lake", "pubmed")
    assert (aside["source_uri"], aside["source_row"], aside["reason"]) == (
        f"{source}/{long_name}",
        3,
        "blank_title",
    )
    assert report["sources"][0]["notes"][0] == "2 files in the archive"


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_broken_archive_is_told_and_nothing_is_written(tmp_path: Path, kind: str) -> None:
    packed = ARCHIVES[kind]({"first.csv": CSV.encode() * 50, "second.csv": CSV.encode()})
    for end in (len(packed) // 4, len(packed) // 2):
        source = tmp_path / f"cut-{end}"
        source.write_bytes(packed[:end])
        with pytest.raises(exceptions.InputError, match=rf"cut-{end}.*byte \d+"):
            silver(tmp_path / "lake", source)
    assert not (tmp_path / "lake" / "silver").exists()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_tar_archive_that_ends_in_a_header_is_cut_off(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """It once ended there as if it were whole, and the files after it were lost."""
    packed = ARCHIVES["tar"]({"first.csv": CSV.encode(), "second.csv": CSV.encode()})
    source = tmp_path / "archive"
    source.write_bytes(pack(packed[: 1024 + 100]))
    with pytest.raises(
        exceptions.InputError, match="byte 1124 of the archive: .* after 1 files .the archive is cut off"
    ):
        silver(tmp_path / "lake", source)


@pytest.mark.parametrize("before", [bz2.compress(b""), b"\x5a\x2a\x4d\x18\x04\x00\x00\x00note"], ids=["bzip2", "zstd"])
def test_what_is_packed_may_begin_with_a_part_without_content(tmp_path: Path, before: bytes) -> None:
    """An empty member of bzip2, and a frame that readers of zstd skip."""
    compress = bz2.compress if before.startswith(b"BZh") else zstd
    source = tmp_path / "source"
    source.write_bytes(before + compress(CSV.encode()))
    silver(tmp_path / "lake", source)
    assert [row["publication_id"] for row in publications(tmp_path / "lake")] == list("1234567")


def zstd(content: bytes) -> bytes:
    packed: bytes = pyarrow.compress(content, "zstd", asbytes=True)
    return packed


def test_a_tar_with_an_odd_end_is_read_and_noted(tmp_path: Path) -> None:
    # It was not reported that files may be missing.
    whole = ARCHIVES["tar"]({"a.csv": CSV.encode()})
    end = len(whole.rstrip(b"\0")) // 512 * 512 + 512
    cases = {"no mark of its end": whole[:end], "": whole}
    for note, content in cases.items():
        for packed in (content, gzip.compress(content)):
            source = tmp_path / "archive"
            source.write_bytes(packed)
            table = drugs_rs.read_publications(source)
            assert len(table) == 7
            first, *others = table.sources[0]["notes"]
            assert first == "1 files in the archive"
            assert [note in other for other in others] == ([True] if note else [])


def test_archives_that_are_none_of_ours(tmp_path: Path) -> None:
    inner = ARCHIVES["zip"]({"a.csv": CSV.encode()})
    cases = {
        "nested": ARCHIVES["zip"]({"inner.zip": inner}),
        "no file": ARCHIVES["tar"]({".hidden": b"x"}),
        "damaged": inner.replace(b"PK\x03\x04", b"PK\x03\x04", 1)[:60] + b"\xff" * 20 + inner[80:],
    }
    for name, content in cases.items():
        source = tmp_path / name
        source.write_bytes(content)
        with pytest.raises(exceptions.InputError, match=name):
            silver(tmp_path / "lake", source)


def test_files_of_several_kinds_stand_in_one_archive(tmp_path: Path) -> None:
    # They were rejected: the format of the first file was expected of all.
    study = {"protocolSection": {"identificationModule": {"nctId": "NCT2", "officialTitle": "A study"}}}
    articles = {
        "a.csv": b"id,title,date,journal\n7,Seven,2020-01-05,J\n",
        "b.csv": b"EntrezUID,Title,Details,ShortDetails\n8,Eight,J Chem. 2019 Jan 7;1.,J Chem.  2019\n",
        "c.csv": b"id,title,date,journal\n9,Nine,2020-02-05,K\n",
    }
    trials = {
        "a.csv": b"NCT Number,Study Title\nNCT1,First\n",
        "b.json": json.dumps([study]).encode(),
        "c.csv": b"id,scientific_title,date,journal\nNCT3,Third,2020,J\n",
    }
    for kind in ARCHIVES:
        lake = tmp_path / kind
        for name, files in (("articles", articles), ("trials", trials)):
            (tmp_path / name).write_bytes(ARCHIVES[kind](files))
        drugs_rs.bronze(pubmed=tmp_path / "articles", clinical_trials=tmp_path / "trials", out=lake, dt=DT)
        drugs_rs.silver(out=lake, dt=DT)
        rows = [(row["publication_id"], row["journal"], str(row["date"])) for row in publications(lake)]
        assert rows == [("7", "J", "2020-01-05"), ("8", "J Chem", "2019-01-07"), ("9", "K", "2020-02-05")]
        assert [row["title"] for row in publications(lake, "clinical_trial")] == ["First", "A study", "Third"]


FOREIGN = {
    "an xz file": lzma.compress(CSV.encode()),
    "a 7z archive": b"7z\xbc\xaf\x27\x1c\0\x04",
    "a RAR archive": b"Rar!\x1a\x07\x01\0",
    "a PDF document": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "a PNG image": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "an old office document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    "an office document, such as": ARCHIVES["zip"]({"docProps/app.xml": b"<x/>", "xl/workbook.xml": b"<x/>"}),
    "an office document": ARCHIVES["zip"]({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}),
    "an Arrow file": b"ARROW1\0\0",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_other_programs_are_called_by_their_names(tmp_path: Path, name: str) -> None:
    # They were called text without a header, or text in a wrong encoding.
    source = tmp_path / "delivered"
    for content in (FOREIGN[name], gzip.compress(FOREIGN[name])):
        source.write_bytes(content)
        with pytest.raises(exceptions.FormatError, match=name) as caught:
            drugs_rs.read_publications(source)
        assert "delivered" in str(caught.value)
        assert re.search("unpack it|export its table", str(caught.value))


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "bomb.csv.gz"
    with gzip.open(str(source), "wb") as packed:
        packed.write(b"id,title,date,journal\n")
        for _ in range(300):
            packed.write(b"\n" * (1 << 20))
    with pytest.raises(exceptions.FormatError, match="a bomb"):
        silver(tmp_path / "lake", source)


def test_a_bad_file_fails_the_step_or_is_kept_aside(tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    folder.mkdir()
    many = "id,title,date,journal\n" + "".join(f"x{n},Title {n},2020,J\nx{n},,2020,J\n" for n in range(60000))
    (folder / "a.csv").write_text(CSV, encoding="utf-8")
    # Batches of it are read before its end turns out to be missing.
    cut = gzip.compress(many.encode())
    (folder / "b.csv.gz").write_bytes(cut[: len(cut) - 100])
    (folder / "c.xml").write_text("<PubmedArticleSet><PubmedArticle>", encoding="utf-8")
    (folder / "d.csv").write_text("neither,nor\n1,2\n", encoding="utf-8")
    (folder / "e.csv").write_text("id,title,date,journal\n9,Nine,2020,J\n", encoding="utf-8")
    lake = tmp_path / "lake"
    with pytest.raises(exceptions.FormatError, match="b.csv.gz"):
        silver(lake, folder)
    assert not (lake / "silver").exists()

    report = silver(lake, folder, on_bad_file="reject")
    assert [row["publication_id"] for row in publications(lake)] == [*"1234567", "9"]
    aside = rejected(lake, "pubmed")
    assert [(row["reason"], row["source_uri"].rsplit("/", 1)[1]) for row in aside] == [
        ("bad_file", "b.csv.gz"),
        ("bad_file", "c.xml"),
        ("bad_file", "d.csv"),
    ]
    assert "cut off" in aside[0]["message"]
    assert [source["rows_in"] for source in report["sources"]] == [7, 1, 1, 1, 1]
    with pytest.raises(exceptions.ArgumentError, match="on_bad_file"):
        drugs_rs.silver(out=lake, dt=DT, on_bad_file="skip")  # type: ignore[arg-type]


def test_deletions_reach_back_over_partitions(tmp_path: Path) -> None:
    drugs = tmp_path / "drugs.csv"
    drugs.write_text("atccode,drug\nN02BA01,aspirin\n", encoding="utf-8")
    first, second = tmp_path / "first.xml", tmp_path / "second.xml"
    articles = [ARTICLE.format(n, 1, f"Aspirin {n}") for n in (1, 2, 3)]
    first.write_text(XML.format("".join(articles)), encoding="utf-8")
    second.write_text(
        XML.format(
            ARTICLE.format(2, 2, "Aspirin, second version")
            + ARTICLE.format(2, 1, "Aspirin, late first version")
            + ARTICLE.format(4, 1, "Aspirin of a moment")
            + "<DeleteCitation><PMID Version='1'>1</PMID><PMID>4</PMID></DeleteCitation>"
        ),
        encoding="utf-8",
    )
    graphs: list[bytes] = []
    for order in ((first, second), (second, first)):
        lake = tmp_path / f"lake-{len(graphs)}"
        for source in order:
            dt = "2020-01-01" if source == first else "2020-01-02"
            drugs_rs.bronze(drugs=drugs, pubmed=source, out=lake, dt=dt)
            report = drugs_rs.silver(out=lake, dt=dt)
            counted = drugs_rs.gold(out=lake, dt=dt)
            if source == second:
                (tally,) = (source for source in report["sources"] if source["table"] == "pubmed")
                assert tally["merged"] == {"deleted": 1, "superseded": 1}
        (notice, other) = rows(lake / "silver/deleted/publications/kind=pubmed/dt=2020-01-02/part-00000.parquet")
        assert (notice["publication_id"], other["publication_id"]) == ("1", "4")
        # Of the first date, the second deletes 1 and replaces 2; changes within the second are silver's.
        assert (counted["superseded"], counted["deleted"], counted["publications"]) == (1, 1, 2)
        graph = drugs_rs.read_graph(lake)
        graphs.append((lake / "gold" / "drug_graph.json").read_bytes())
        assert sorted(row["publication_id"] for row in graph.mentions().to_dicts()) == ["2", "3"]
    assert graphs[0] == graphs[1]


class Pipe(io.RawIOBase):
    """A stream without seeking cannot write sizes before the members, so they come after them."""

    def __init__(self) -> None:
        super().__init__()
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.content += bytes(data)
        return len(data)


@pytest.mark.parametrize("size", [19_279, 19_280, 19_281])
@pytest.mark.parametrize("wide", [False, True])
def test_sizes_behind_a_member_are_of_either_width(size: int, wide: bool, tmp_path: Path) -> None:
    """A size of 19,280 is written as the letters of a signature, and once was taken for one."""
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("first", "empty", "second"):
            row = f"id,title,date,journal\n{name},T,2020,J\n"
            content = "" if name == "empty" else row + "\n" * (size - len(row))
            with archive.open(f"{name}.csv", "w", force_zip64=wide) as member:
                member.write(content.encode())
    source = tmp_path / "source.zip"
    source.write_bytes(pipe.content)
    silver(tmp_path / "lake", source)
    assert [row["publication_id"] for row in publications(tmp_path / "lake")] == ["first", "second"]


def test_sizes_behind_a_member_may_lie_across_the_end_of_a_buffer(tmp_path: Path) -> None:
    """Where a buffer ended inside their signature, it was not taken for one, and the archive was refused."""
    rows = b"id,title,date,journal\n" + b"".join(b"%06d,T,2020,J\n" % number for number in range(16_377))
    source = tmp_path / "source.zip"
    ends = []
    for more in range(40):
        pipe = Pipe()
        with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=0) as archive:
            for name in ("x" * more + "first.csv", "second.csv"):
                with archive.open(name, "w") as member:
                    member.write(rows if name.endswith("first.csv") else b"id,title,date,journal\nlast,T,2020,J\n")
        ends.append(pipe.content.index(b"PK\x07\x08"))
        source.write_bytes(pipe.content)
        table = drugs_rs.read_publications(source)
        assert [tally["rows_kept"] for tally in table.sources] == [16_378]
    buffer = 1 << 18
    assert ends[0] < buffer - 16 < buffer < ends[-1]


def test_a_last_line_without_an_end_begins_a_record(tmp_path: Path) -> None:
    """The id of a record that was truncated there was appended to the id of the one before."""
    source = tmp_path / "cut.nbib"
    source.write_bytes(b"PMID- 1\nTI  - a\nDP  - 2020\nPMID- 2")
    silver(tmp_path / "lake", source)
    assert [row["publication_id"] for row in publications(tmp_path / "lake")] == ["1"]
    assert [row["reason"] for row in rejected(tmp_path / "lake", "pubmed")] == ["blank_title"]
