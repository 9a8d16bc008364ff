"""Lists of sources in a file: `@names.txt` on the command line, for more names than a command line holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from lake_tables import DT, publications
from shell import drugs_rs as shell
from written_sources import write, write_pubmed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

DRUGS = "atccode,drug\nV03AB,velorin\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of one article each, one of them in a folder of its own, and a vocabulary."""
    for number, name in enumerate(("a.csv", "b.csv", "in/c.csv"), start=1):
        write_pubmed(tmp_path / name, (str(number), f"Velorin {number}", "2020", "J"))
    write(tmp_path / "drugs.csv", DRUGS)
    return tmp_path


def bronze(folder: Path, *words: str, stdin: bytes = b"") -> tuple[int, str, list[str]]:
    """Run bronze in the folder; its exit code, what it said, and the sources in their order."""
    finished = shell("bronze", *words, "--out", "lake", "--dt", DT, "--json", stdin=stdin, cwd=folder)
    sources: list[dict[str, Any]] = json.loads(finished.stdout)["sources"] if finished.returncode == 0 else []
    return finished.returncode, finished.stderr.decode(), [source["uri"] for source in sources]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("b.csv\na.csv\n", ["b.csv", "a.csv"]),
        ("b.csv\r\n\r\n  \t\r\na.csv", ["b.csv", "a.csv"]),
        ("\ufeffin\n[ab].csv\n", ["in/c.csv", "a.csv", "b.csv"]),
        ("a.csv\nb.csv\na.csv\n", ["a.csv", "b.csv"]),
    ],
    ids=["order", "blank lines and CRLF", "a folder and a glob", "each file once"],
)
def test_lines_are_sources(folder: Path, text: str, wanted: list[str]) -> None:
    write(folder / "names.txt", text)
    assert bronze(folder, "--pubmed", "@names.txt") == (0, "", wanted)
    assert bronze(folder, "--pubmed", "@-", stdin=text.encode()) == (0, "", wanted)


def test_spellings_of_one_file_are_one_source(folder: Path) -> None:
    # They were each read, and their rows counted as merged.
    (folder / "link.csv").symlink_to("a.csv")
    (folder / "same").symlink_to(folder)
    spellings = ["a.csv", "./a.csv", ".//a.csv", str(folder / "a.csv"), (folder / "a.csv").as_uri(), "[a].csv"]
    spellings += ["in/../a.csv", "same/a.csv", str(folder / "in" / ".." / "in" / ".." / "a.csv")]
    words = [word for name in [*spellings, "link.csv"] for word in ("--pubmed", name)]
    assert bronze(folder, *words) == (0, "", ["a.csv", "link.csv"])


@pytest.mark.parametrize("source", ["in", "in/*.csv", "i?/gone.*"])
def test_a_link_to_nothing_is_a_delivery_that_is_missing(folder: Path, source: str) -> None:
    # It was skipped silently, although a file of the folder was not read.
    (folder / "in" / "gone.csv").symlink_to("nowhere.csv")
    (folder / "in" / ".hidden.csv").symlink_to("nowhere.csv")
    returned, told, _ = bronze(folder, "--pubmed", source)
    assert returned == 1
    assert "in/gone.csv" in told
    assert "link" in told
    (folder / "in" / "nowhere.csv").write_bytes((folder / "a.csv").read_bytes())
    returned, told, sources = bronze(folder, "--pubmed", source)
    assert (returned, told) == (0, "")
    assert "in/gone.csv" in sources


def test_lists_stand_among_names_where_they_are_given(folder: Path) -> None:
    write(folder / "names.txt", "in/c.csv\n")
    words = ["--pubmed", "b.csv", "--pubmed", "@names.txt", "--pubmed", "a.csv"]
    assert bronze(folder, *words) == (0, "", ["b.csv", "in/c.csv", "a.csv"])


def test_every_command_and_every_table(folder: Path) -> None:
    write(folder / "trials.csv", "id,scientific_title,date,journal\nNCT1,Velorin,2020,J\n")
    for name in ("drugs", "trials"):
        write(folder / f"{name}.txt", f"{name}.csv\n")
    write(folder / "names.txt", "a.csv\n")
    words = ("--drugs", "@drugs.txt", "--pubmed", "@names.txt", "--clinical-trials", "@trials.txt")
    finished = shell("run", *words, "--out", "lake", "--dt", DT, cwd=folder)
    assert finished.returncode == 0, finished.stderr.decode()
    for kind in ("pubmed", "clinical_trial"):
        assert len(publications(folder / "lake", kind)) == 1
    finished = shell("match", "--vocabulary", "@drugs.txt", stdin=b"velorin\n", cwd=folder)
    assert json.loads(finished.stdout)["atccode"] == "V03AB"
    finished = shell("explain", "--vocabulary", "@-", "velorin", "velorin", stdin=b"drugs.csv\n", cwd=folder)
    assert finished.returncode == 0, finished.stderr.decode()


def test_names_that_begin_with_the_mark_are_reached(folder: Path) -> None:
    """By a path on the command line; in a list nothing is special, so lists do not nest."""
    write_pubmed(folder / "@names.txt", ("9", "Velorin", "2020", "J"))
    assert bronze(folder, "--pubmed", "./@names.txt") == (0, "", ["./@names.txt"])
    write(folder / "names.txt", "@names.txt\n")
    assert bronze(folder, "--pubmed", "@names.txt") == (0, "", ["@names.txt"])


@pytest.mark.parametrize(
    ("words", "list_text", "code", "says"),
    [
        (["@names.txt"], "a.csv\n\nnowhere.csv\n", 1, "names.txt: line 3: nowhere.csv: not found; expected"),
        (["@names.txt"], "a.csv\nempty\n", 1, "names.txt: line 2: empty: a directory without data files"),
        (["@names.txt"], "https://me:secret@host/x\n", 2, "names.txt: line 1: https://host/x: credentials"),
        (["@names.txt"], "# a.csv\n", 1, "names.txt: line 1: # a.csv: not found"),
        (["@names.txt"], "", 1, "names.txt: line 1: the list ends without a name; write one"),
        (["@names.txt"], "\n \n", 1, "names.txt: line 2: the list ends without a name"),
        (["@-"], "nowhere.csv\n", 1, "standard input: line 1: nowhere.csv: not found"),
        (["@-", "@-"], "a.csv\n", 2, "`@-`: standard input was read as a list before"),
        (["@"], "", 2, "`@`: no name of a list; expected a file with one name of a source a line"),
        (["@nowhere.txt"], "", 1, "nowhere.txt: not found; expected a file with one name"),
        (["@[ab].csv"], "", 2, "`@[ab].csv`: 2 files; expected a file with one name"),
    ],
)
def test_errors_name_the_list_and_its_line(
    words: list[str], list_text: str, code: int, says: str, folder: Path
) -> None:
    (folder / "empty").mkdir()
    write(folder / "names.txt", list_text)
    found, told, _ = bronze(folder, *(word for name in words for word in ("--pubmed", name)), stdin=list_text.encode())
    assert found == code, told
    assert says in told
    assert "secret" not in told
    assert not (folder / "lake" / "bronze").exists()


def test_a_list_that_is_no_text(folder: Path) -> None:
    (folder / "names.txt").write_bytes(b"a.csv\nb\xff.csv\n")
    code, told, _ = bronze(folder, "--pubmed", "@names.txt")
    assert (code, "names.txt: byte 7: 0xff" in told) == (1, True), told


@pytest.mark.parametrize("texts", [(), ("-",)])
def test_standard_input_is_not_both(texts: tuple[str, ...], folder: Path) -> None:
    finished = shell("match", "--vocabulary", "@-", *texts, stdin=b"drugs.csv\n", cwd=folder)
    assert finished.returncode == 2
    assert b"--vocabulary: a list on standard input, where the texts are to come from" in finished.stderr


def test_a_hundred_thousand_names(folder: Path) -> None:
    """Four megabytes of them, twice what a command line usually holds."""
    names = [f"in/{number:032}.csv" for number in range(10)]
    for number, name in enumerate(names):
        write_pubmed(folder / name, (str(number), "Velorin", "2020", "J"))
    code, told, sources = bronze(
        folder, "--pubmed", "@-", stdin="".join(f"{name}\n" for name in names * 10_000).encode()
    )
    assert (code, sources) == (0, names), told
