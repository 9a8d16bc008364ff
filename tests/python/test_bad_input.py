"""What bad sources get: an error that says what to do, or a rejected row while the rest goes on.

Its neighbours test the rest of what can be wrong: encodings that must be read in `test_formats.py`, duplicates and odd
names in `test_cleaning.py`, dates in `test_dates.py`, storage in `test_bad_storage.py`.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Callable, NamedTuple

import pytest
from lake_state import hashes
from lake_tables import DT, clean, conserved, publications
from shell import drugs_rs as shell
from shell import run_arguments
from written_sources import csv_text, whole_sample, write, write_drugs

import drugs_rs
from drugs_rs.exceptions import DrugsError, EncodingError, FormatError, InputError, SchemaError, SourceNotFoundError

pytestmark = pytest.mark.core

DATA = Path(__file__).resolve().parent.parent / "data"

# A message must not only say what is wrong, but also what was expected or what to do.
REMEDY = re.compile(r"expect|should|must|need|give|check|pass|use|try|convert|name|add|rename|again", re.IGNORECASE)


class Refused(NamedTuple):
    """A source that cannot be read: how to make it, the error, and patterns that its message must hold, in any case."""

    name: str
    make: Callable[[Path], Path]
    error: type[DrugsError]
    says: tuple[str, ...]


def bytes_file(name: str, content: bytes) -> Callable[[Path], Path]:
    """Makes a file of these bytes."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def copied(name: str) -> Callable[[Path], Path]:
    """Makes a copy of a file of `tests/data`."""

    def make(folder: Path) -> Path:
        return Path(shutil.copy(str(DATA / name), str(folder / name)))

    return make


def empty_folder(folder: Path) -> Path:
    """Makes a folder that has the name of a file."""
    (folder / "articles.csv").mkdir()
    return folder / "articles.csv"


HEADER = b"id,title,date,journal\n"
LATIN = HEADER + b'1,"Caf\xe9 visits",2020-01-01,"Annals of Testing"\n'
CUT_GZIP = gzip.compress(LATIN.replace(b"\xe9", b"e") * 50)[:-20]

REFUSED = (
    Refused("missing file", lambda folder: folder / "nowhere.csv", SourceNotFoundError, ()),
    Refused("missing file in a missing folder", lambda folder: folder / "no" / "where.csv", SourceNotFoundError, ()),
    Refused("glob without a match", lambda folder: folder / "nothing-*.csv", SourceNotFoundError, ("match",)),
    Refused("empty folder instead of a file", empty_folder, DrugsError, ("folder|directory", "expect")),
    Refused("empty file", bytes_file("empty.csv", b""), FormatError, ("empty",)),
    Refused("empty JSON file", bytes_file("empty.json", b""), FormatError, ("empty",)),
    Refused("nothing but blank lines", bytes_file("blank.csv", b"\n \n\t\n"), FormatError, ("empty|blank",)),
    # Both lists in full: users who see one missing column at a time fix the file three times.
    Refused(
        "missing columns",
        copied("missing_columns.csv"),
        SchemaError,
        (r"\btitle\b", r"\bdate\b", r"\bid\b", "headline", r"\bday\b", "paper"),
    ),
    Refused("JSON cut in the middle", copied("cut.json"), FormatError, (r"byte\D*\d+",)),
    Refused("JSON that is not an array", copied("not_an_array.json"), FormatError, (r"byte\D*\d+", "array")),
    # Its content could also be the header of a table, so either error is acceptable.
    Refused("JSON that is a number", copied("number.json"), InputError, ("42|array",)),
    # The offset is counted by hand: 22 bytes of header, then `1,"Caf`.
    Refused("invalid UTF-8", bytes_file("latin.csv", LATIN), EncodingError, (r"byte\D*28\b", "windows-1252")),
    Refused("gzip cut in the middle", bytes_file("cut.csv.gz", CUT_GZIP), FormatError, ("gzip|compressed",)),
)


@pytest.fixture(params=REFUSED, ids=lambda case: str(case.name))
def refused(request: pytest.FixtureRequest) -> Refused:
    """Each case in turn."""
    case: Refused = request.param
    return case


def test_refused_source_names_itself_and_the_remedy(refused: Refused, samples: Path, tmp_path: Path) -> None:
    source = refused.make(tmp_path)
    lake = tmp_path / "lake"
    drugs_rs.run(out=lake, dt=DT, **whole_sample(samples))
    before = hashes(lake, "silver", "gold")
    with pytest.raises(refused.error) as caught:
        drugs_rs.run(out=lake, dt=DT, drugs=samples / "drugs.csv", pubmed=[source])
    message = str(caught.value)
    assert source.name in message
    assert REMEDY.search(message), message
    for pattern in refused.says:
        assert re.search(pattern, message, re.IGNORECASE), f"{pattern!r} is not in: {message}"
    assert hashes(lake, "silver", "gold") == before, "a source that cannot be read changes no table and no answer"


def test_refused_source_in_the_shell(refused: Refused, samples: Path, tmp_path: Path) -> None:
    source = refused.make(tmp_path)
    sources = {"drugs": str(samples / "drugs.csv"), "pubmed": str(source)}
    finished = shell(*run_arguments(sources, tmp_path / "lake", DT))
    assert finished.returncode == 1
    assert finished.stdout == b""
    talk = finished.stderr.decode("utf-8")
    assert talk.startswith("error: ")
    assert source.name in talk
    assert "panicked" not in talk
    assert "Traceback" not in talk


def test_missing_source_leaves_bronze_alone(samples: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drugs_rs.run(out=lake, dt=DT, **whole_sample(samples))
    before = hashes(lake)
    with pytest.raises(FileNotFoundError):
        drugs_rs.run(out=lake, dt=DT, drugs=samples / "drugs.csv", pubmed=[samples / "pubmed.csv", tmp_path / "no.csv"])
    assert hashes(lake) == before


@pytest.mark.parametrize(
    ("error", "builtin"),
    [(SourceNotFoundError, FileNotFoundError), (InputError, ValueError), (EncodingError, ValueError)],
)
def test_errors_are_builtins_where_python_has_the_word(error: type[DrugsError], builtin: type[Exception]) -> None:
    assert issubclass(error, builtin)
    assert issubclass(error, DrugsError)


def test_header_only_is_an_empty_table(samples: Path, tmp_path: Path) -> None:
    cleaned = clean(tmp_path / "silver", DATA / "header_only.csv")
    assert cleaned.kept == []
    assert cleaned.only_source()["rows_in"] == 0
    report = drugs_rs.run(out=tmp_path / "run", dt=DT, drugs=samples / "drugs.csv", pubmed=DATA / "header_only.csv")
    assert conserved(report) is None
    assert drugs_rs.read_graph(tmp_path / "run").top_journals() == {}


def test_header_only_vocabulary(tmp_path: Path) -> None:
    drugs = write_drugs(tmp_path / "drugs.csv")
    drugs_rs.run(out=tmp_path / "lake", dt=DT, drugs=drugs, pubmed=DATA / "extra_columns.csv")
    assert drugs_rs.read_graph(tmp_path / "lake").drugs().num_rows == 0
    assert len(publications(tmp_path / "lake")) == 1


def test_extra_columns_are_ignored_and_reported(tmp_path: Path) -> None:
    cleaned = clean(tmp_path, DATA / "extra_columns.csv")
    assert sorted(cleaned.only_source()["extra_columns"]) == ["pages", "reviewer"]
    (row,) = cleaned.kept
    assert (row["publication_id"], row["title"]) == ("1", "Warfarin with two columns too many")
    assert not {"pages", "reviewer"} & set(row)


class Rejects(NamedTuple):
    """A file with bad rows: the ids of those kept, and (source row, reason, part of the raw text) of each rejected."""

    name: str
    kept: tuple[str, ...]
    rejected: tuple[tuple[int, str, str], ...]


REJECTS = (
    Rejects(
        "malformed_rows.csv",
        ("1", "4"),
        ((3, "malformed_row", '2,"Two fields only"'), (4, "malformed_row", '3,"Six fields"')),
    ),
    Rejects("unclosed_quote.csv", ("1", "3", "4"), ((3, "unclosed_quote", '2,"A quote that nobody closes'),)),
    Rejects(
        "unclosed_quote_among_quotes.csv", ("1", "3", "4"), ((3, "unclosed_quote", '2,"A quote that nobody closes'),)
    ),
    Rejects(
        "not_objects.json",
        ("1", "5"),
        (
            (2, "not_an_object", "a sentence instead of a record"),
            (3, "not_an_object", "array"),
            (4, "not_an_object", "null"),
        ),
    ),
    Rejects("wrong_types.json", ("1", "3"), ((2, "wrong_type", "list"),)),
    Rejects("broken_line.ndjson", ("1", "3"), ((2, "invalid_json", "A line that st"),)),
)


@pytest.mark.parametrize("case", REJECTS, ids=lambda case: str(case.name))
def test_bad_rows_are_kept_aside_and_the_rest_goes_on(case: Rejects, tmp_path: Path) -> None:
    cleaned = clean(tmp_path, DATA / case.name)
    assert tuple(sorted(row["publication_id"] for row in cleaned.kept)) == case.kept
    found = sorted(cleaned.rejected, key=lambda row: int(row["source_row"]))
    assert [(row["source_row"], row["reason"]) for row in found] == [
        (line, reason) for line, reason, _ in case.rejected
    ]
    for row, (_, _, part) in zip(found, case.rejected):
        assert part in row["raw"]
        assert row["source_uri"].endswith(case.name)
        assert len(row["message"].split()) > 2, "a sentence for people"
    source = cleaned.only_source()
    assert conserved(source) is None, conserved(source)
    assert source["rows_rejected"] == len(case.rejected) == sum(source["rejected"].values())


def test_nul_byte(tmp_path: Path) -> None:
    text = csv_text(
        ("id", "title", "date", "journal"),
        [
            ("1", "A good row before", "2020-01-01", "Annals"),
            ("2", "A \0 in the title", "2020-01-01", "Annals"),
            ("3", "A good row behind", "2020-01-01", "Annals"),
        ],
    )
    cleaned = clean(tmp_path / "lake", write(tmp_path / "nul.csv", text))
    assert [row["publication_id"] for row in cleaned.kept] == ["1", "3"]
    (row,) = cleaned.rejected
    assert (row["source_row"], row["reason"]) == (3, "nul_byte")
    assert "in the title" in row["raw"]


NUL_RECORDS = [("1", "A good row before"), ("2", "A \0 in the title"), ("3", "A good row behind")]


def nul_in_parquet(path: Path) -> None:
    columns = {"id": [record for record, _ in NUL_RECORDS], "title": [title for _, title in NUL_RECORDS]}
    columns.update({"date": ["2020-01-01"] * 3, "journal": ["Annals"] * 3})
    pytest.importorskip("pyarrow.parquet").write_table(pytest.importorskip("pyarrow").table(columns), path)


def nul_in_json(path: Path) -> None:
    rows = [{"id": record, "title": title, "date": "2020-01-01", "journal": "Annals"} for record, title in NUL_RECORDS]
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert "\\u0000" in path.read_text(encoding="utf-8")


def nul_in_medline(path: Path) -> None:
    records = (f"PMID- {record}\nTI  - {title}\nJT  - Annals\nDP  - 2020\n\n" for record, title in NUL_RECORDS)
    path.write_text("".join(records), encoding="utf-8")


def nul_in_xml(path: Path) -> None:
    article = (
        "<PubmedArticle><MedlineCitation><PMID>{}</PMID><Article><Journal><Title>Annals</Title></Journal>"
        "<ArticleTitle>{}</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
    )
    articles = "".join(article.format(*record) for record in NUL_RECORDS)
    path.write_text(f"<PubmedArticleSet>{articles}</PubmedArticleSet>", encoding="utf-8")


@pytest.mark.parametrize("write_file", [nul_in_parquet, nul_in_json, nul_in_medline, nul_in_xml])
def test_nul_byte_in_any_format(tmp_path: Path, write_file: Callable[[Path], None]) -> None:
    # Only CSV was checked for them, and loading the others into PostgreSQL failed.
    write_file(tmp_path / "source")
    cleaned = clean(tmp_path / "lake", tmp_path / "source")
    assert [row["publication_id"] for row in cleaned.kept] == ["1", "3"]
    (row,) = cleaned.rejected
    assert row["reason"] == "nul_byte"
    assert row["message"] == f"row {row['source_row']}: a NUL byte in `title`; deliver it without"
    assert "in the title" in row["raw"]


def test_nul_byte_in_a_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "drugs.json").write_text('[{"atccode": "A1", "drug": "one"}, {"atccode": "A\\u00002", "drug": "two"}]')
    table = drugs_rs.read_drugs(str(tmp_path / "drugs.json"))
    assert [row["drug"] for row in table.to_dicts()] == ["one"]
    (row,) = table.rejected.to_dicts()
    assert row["message"] == "row 2: a NUL byte in `atccode`; deliver it without"


def test_windows_1252_is_read_when_asked(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(LATIN)
    (row,) = clean(tmp_path / "lake", tmp_path / "latin.csv", encoding="windows-1252").kept
    assert row["title"] == "Café visits"


def test_one_bad_file_among_good_ones_is_the_one_that_is_named(samples: Path, tmp_path: Path) -> None:
    shutil.copy(str(samples / "pubmed.csv"), str(tmp_path / "a_good.csv"))
    shutil.copy(str(DATA / "missing_columns.csv"), str(tmp_path / "b_bad.csv"))
    shutil.copy(str(samples / "pubmed.json"), str(tmp_path / "c_good.json"))
    with pytest.raises(SchemaError, match=r"b_bad\.csv"):
        clean(tmp_path / "lake", tmp_path)
