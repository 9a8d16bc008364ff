"""Members of archives in every form: their rows are read, or the archive is refused; none goes without a word."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any, Callable

import pytest
from lake_tables import DT

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

HEADER = "id,title,date,journal\n"
SECRET = "Velorin for secret words"


def csv(*ids: int) -> bytes:
    return (HEADER + "".join(f"{n},{SECRET} {n},2020-01-01,J\n" for n in ids)).encode()


def member(name: str, content: bytes, kind: bytes = b"0", size: int | None = None) -> bytes:
    """A header of tar and its content; `size` is what the header says of it."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.size = kind, len(content) if size is None else size
    return entry.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


def pax(**records: object) -> bytes:
    """An extended header for the next member."""
    lines = b""
    for key, value in records.items():
        text = f" {key.replace('_', '.')}={value}\n"
        length = len(text) + 1
        while len(f"{length}{text}") != length:
            length += 1
        lines += f"{length}{text}".encode()
    return member("PaxHeaders/x", lines, b"x")


def tar(*members: bytes) -> bytes:
    whole = b"".join(members) + bytes(1024)
    return whole + bytes(-len(whole) % 10240)


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def marked(**files: bytes) -> bytes:
    """As `zip -s` packs what fits into one part: the mark of split archives comes first."""
    packed = io.BytesIO(b"PK\7\x08")
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def streamed(**files: bytes) -> bytes:
    """As a program packs that cannot go back: sizes and checksums stand behind the files."""

    class Pipe(io.RawIOBase):
        whole = b""

        def writable(self) -> bool:
            return True

        def write(self, piece: Any) -> int:
            self.whole += bytes(piece)
            return len(piece)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return pipe.whole


def end_of(archive: bytes) -> tuple[int, int, int]:
    """Where the end of a ZIP archive stands, where its directory does, and how many files that lists."""
    end = archive.rindex(b"PK\5\6")
    count, _, start = struct.unpack_from("<HLL", archive, end + 10)
    return end, start, count


def entries(archive: bytes) -> list[bytes]:
    """The entries of its directory."""
    end, start, count = end_of(archive)
    parts = archive[start:end].split(b"PK\1\2")[1:]
    assert len(parts) == count
    return [b"PK\1\2" + part for part in parts]


def listing(archive: bytes, *listed: bytes) -> bytes:
    """The same archive with another directory, which fits to the end behind it."""
    end, start, _ = end_of(archive)
    numbers = struct.pack("<HHLL", len(listed), len(listed), sum(map(len, listed)), start)
    return archive[:start] + b"".join(listed) + archive[end : end + 8] + numbers + archive[end + 20 :]


def set_at(content: bytes, place: int, form: str, value: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(form, changed, place, value)
    return bytes(changed)


FIRST, LAST = member("a.csv", csv(1)), member("z.csv", csv(9))
TWO, BEHIND = zipped(a=csv(1), b=csv(2)), streamed(a=csv(1), b=csv(2))
A, B = entries(TWO)
# An archive, and the ids of the rows that are read from it.
READ: dict[str, tuple[bytes, list[str]]] = {
    "pax size": (tar(FIRST, pax(size=len(csv(2, 3))), member("b.csv", csv(2, 3), size=0), LAST), ["1", "2", "3", "9"]),
    "pax path": (tar(FIRST, pax(path="long/" * 30 + "b.csv"), member("b", csv(2))), ["1", "2"]),
    "contiguous": (tar(FIRST, member("b.csv", csv(2), b"7")), ["1", "2"]),
    "list of a folder": (tar(member("d/", b"Ya.csv\0\0", b"D"), FIRST, member("v", b"", b"V")), ["1"]),
    "tar behind tar": (tar(FIRST) + tar(LAST), ["1", "9"]),
    "three tars": (tar(FIRST) + tar() + tar(LAST) + bytes(700), ["1", "9"]),
    "zip behind zip": (zipped(a=csv(1)) + zipped(b=csv(2), c=csv(3)), ["1", "2", "3"]),
    "zip with the mark of a split one": (marked(a=csv(1), b=csv(2)), ["1", "2"]),
    "zip and zeros": (zipped(a=csv(1)) + bytes(100), ["1"]),
    "streamed zip": (streamed(a=csv(1), b=csv(2)), ["1", "2"]),
    "streamed zips": (streamed(a=csv(1)) + zipped(b=csv(2)) + streamed(c=csv(3)), ["1", "2", "3"]),
    "zip listed backwards": (listing(TWO, *reversed(entries(TWO))), ["1", "2"]),
}

SPARSE_MAP = b"1\n0\n" + str(len(csv(2))).encode() + b"\n"
# An archive, and the message of its error.
REFUSED: dict[str, tuple[bytes, str]] = {
    "sparse": (tar(FIRST, member("b.csv", csv(2), b"S"), LAST), r"`b\.csv` is sparse.*plain `tar"),
    "pax sparse": (
        tar(FIRST, pax(GNU_sparse_major=1), member("b.csv", SPARSE_MAP.ljust(512, b"\0") + csv(2)), LAST),
        r"`b\.csv` is sparse",
    ),
    "of another volume": (tar(member("b.csv", csv(2), b"M"), LAST), r"`b\.csv` began in another volume"),
    "of an unknown kind": (tar(FIRST, member("b.csv", csv(2), b"Z")), r"`b\.csv` is of the type `Z`"),
    "global size": (
        tar(member("g", pax(size=7)[512:].rstrip(b"\0"), b"g"), FIRST),
        r"all files one name or size",
    ),
    "announced": (tar(FIRST, pax(path="b.csv")), r"ends where a file is announced"),
    "broken size": (tar(FIRST, pax(size="many"), LAST), r"a size in the tar archive is no number"),
    "behind tar": (tar(FIRST) + csv(2), r"follows the end"),
    "behind zip": (zipped(a=csv(1)) + csv(2), r"something that is no file in the ZIP archive"),
    "cut directory": (zipped(a=csv(1), b=csv(2))[:-30], r"cut off"),
    "hidden file": (listing(TWO, A), r"its directory does not list `b`"),
    "hidden files": (listing(TWO), r"its directory does not list `a`"),
    "dropped file": (
        set_at(TWO, TWO.rindex(A) + 42, "<L", 7),
        r"its directory lists `a`, which is not there",
    ),
    "listed twice": (listing(TWO, A, B, A), r"its directory lists `a` twice"),
    "two of a name": (
        listing(TWO[: (place := TWO.index(b"PK\3\4", 4) + 30)] + b"a" + TWO[place + 1 :], A, B[:46] + b"a" + B[47:]),
        r"two files are named `a`",
    ),
    "another name": (listing(TWO, A, B[:46] + b"c" + B[47:]), r"its directory lists `b` as `c`"),
    "another checksum": (listing(TWO, A, set_at(B, 16, "<L", 7)), r"`b` has another size, packing or checksum"),
    "another packed size": (listing(TWO, A, set_at(B, 20, "<L", 7)), r"`b` has another size, packing"),
    "another size": (listing(TWO, A, set_at(B, 24, "<L", 7)), r"`b` has another size, packing"),
    "another packing": (listing(TWO, A, set_at(B, 10, "<H", 0)), r"`b` has another size, packing"),
    "another size before": (set_at(TWO, 22, "<L", 7), r"`a` has another size than its header says"),
    "another size behind": (
        set_at(BEHIND, BEHIND.index(b"PK\7\x08") + 12, "<L", 7),
        r"`a` has another size than its header says",
    ),
    "another count": (set_at(TWO, len(TWO) - 12, "<H", 7), r"its end tells of another directory"),
    "another place": (set_at(TWO, len(TWO) - 6, "<L", 7), r"its end tells of another directory"),
    "an end in a remark": (
        set_at(TWO, len(TWO) - 2, "<H", 22) + TWO[-22:],
        r"a remark behind it that looks like its end",
    ),
    "no header": (tar(FIRST)[:1024] + csv(2).ljust(1024, b"x"), r"a header of the tar archive is broken"),
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_file_is_read(name: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """Files of a second archive, and those whose size is in an extended header, were once lost without a note."""
    content, ids = READ[name]
    source = tmp_path / "archive"
    source.write_bytes(pack(content))
    report = drugs_rs.run(drugs=drugs(tmp_path), pubmed=source, out=tmp_path / "lake", dt=DT)
    table = drugs_rs.read_publications(source)
    assert sorted(row["publication_id"] for row in table.to_dicts()) == ids
    tally = next(source for source in report["sources"] if source["table"] == "pubmed")
    assert tally["rows_in"] == tally["rows_kept"] == len(ids)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_and_nothing_of_it_is_told(name: str, tmp_path: Path) -> None:
    """A valid archive with an extended header for a size was refused with rows in the message."""
    content, says = REFUSED[name]
    source, lake = tmp_path / "archive", tmp_path / "lake"
    source.write_bytes(content)
    with pytest.raises(exceptions.FormatError, match=says) as caught:
        drugs_rs.read_publications(source)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 500
    drugs_rs.bronze(pubmed=source, out=lake, dt=DT)
    drugs_rs.silver(out=lake, dt=DT, on_bad_file="reject")
    texts = [path.read_text() for path in lake.rglob("*.json")]
    assert not any("secret" in text for text in texts)


def test_an_archive_is_told_by_its_checksum(tmp_path: Path) -> None:
    """A title with "mustard" in the right place made an archive of a CSV file."""
    for word, behind in (("mustard", ""), ("ustar\0", "x"), ("ustar  ", "\0" * 300)):
        source = tmp_path / "mustard.csv"
        before = HEADER + "1,"
        place = 257 - word.index("ustar") - len(before)
        source.write_text(
            before + "T" * place + word + behind + ",2020,J\n" + "2,Title,2020,J\n" * 40, encoding="utf-8"
        )
        assert source.read_bytes()[257:262] == b"ustar"
        drugs_rs.bronze(pubmed=source, out=tmp_path / "lake", dt=DT)
        report = drugs_rs.silver(out=tmp_path / "lake", dt=DT)
        assert report["sources"][0]["format"] == "csv"
        assert media_types(tmp_path / "lake") == ["text/csv"]


def media_types(lake: Path) -> list[str]:
    manifest = json.loads((lake / "bronze" / "pubmed" / f"dt={DT}" / "_manifest.json").read_text())
    return [file["media_type"] for file in manifest["files"]]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\x5a\x2a\x4d\x18\x04\x00\x00\x00note" + b"\x28\xb5\x2f\xfd", "application/zstd"),
        (b"BZh91AY&SY", "application/x-bzip2"),
        (b"BZh9\x17\x72\x45\x38\x50\x90", "application/x-bzip2"),
        # Not a block of bzip2, so a text.
        (b"BZh1,title\n", "text/csv"),
        (gzip.compress(b"x", mtime=0), "application/gzip"),
        (zipped(a=csv(1)), "application/zip"),
        (tar(FIRST), "application/x-tar"),
        (b"PAR1", "application/vnd.apache.parquet"),
    ],
)
def test_the_manifest_calls_a_file_what_the_reader_takes_it_for(
    content: bytes, media_type: str, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_bytes(content)
    drugs_rs.bronze(pubmed=source, out=tmp_path / "lake", dt=DT)
    assert media_types(tmp_path / "lake") == [media_type]


def test_a_wide_window_of_zstd_is_called_by_its_name(tmp_path: Path) -> None:
    """`zstd --long=31` was said to be broken, to be delivered again."""
    source = tmp_path / "wide.csv.zst"
    # A frame with a window of 2 GiB and one uncompressed block of a byte.
    source.write_bytes(b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x09\x00\x00" + b"x")
    with pytest.raises(exceptions.FormatError, match=r"window of more than 128 MiB.*without `--long`") as caught:
        drugs_rs.read_publications(source)
    assert len(str(caught.value)) < 300


def drugs(folder: Path) -> Path:
    source = folder / "drugs.csv"
    source.write_text("atccode,drug\nV03AB,velorin\n", encoding="utf-8")
    return source
