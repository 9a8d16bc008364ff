"""Whatever the input: every row is accounted for, nothing panics, and cleaning what is clean changes nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import lake_tables
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lake_tables import DT, Cleaned, conserved
from written_sources import PUBMED_COLUMNS, csv_text

import drugs_rs
from drugs_rs.exceptions import ConservationError, DrugsError, InternalError

pytestmark = pytest.mark.core

# Every example writes a lake: fewer of them, and no deadline. DRUGS_RS_EXAMPLES=1000 for a night.
lake_examples = settings(
    max_examples=int(os.environ.get("DRUGS_RS_EXAMPLES", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# Pieces with a meaning for one of the cleaning rules, which their neighbours may change.
PIECES = st.sampled_from(
    [
        "\\xc3",
        "\\xa8",
        "\\x28",
        "\\x5c",
        "\\\\",
        "\\",
        "x41",
        "\\x20",
        "<i>",
        "</i>",
        "<",
        "i>",
        "<!--",
        "&amp;",
        "&",
        " ",
        "  ",
        "\t",
        "\n",
        "\xa0",
        "é",
        "́",
        "é",
        "β",
        "Ａ",
        "İ",
        "💊",
        "warfarin",
        "1",
        "-",
        '"',
        ",",
        "'",
    ]
)
# NUL rejects a row (tested elsewhere), lone surrogates cannot be written.
LETTERS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)
CELLS = st.lists(st.one_of(PIECES, LETTERS), max_size=6).map("".join)
DATES = st.one_of(st.sampled_from(["2020-01-05", "05/01/2020", "2020", "31/02/2020", "", "1 January 2020"]), CELLS)
IDS = st.one_of(st.sampled_from(["", " ", "1", "2", " 1"]), CELLS)
ROWS = st.lists(st.tuples(IDS, CELLS, DATES, st.one_of(st.sampled_from(["", "Annals"]), CELLS)), max_size=8)

LINES = st.sampled_from(
    [
        '1,"A title",2020-01-05,Annals',
        "2,Two fields",
        "3,a,b,c,d,e",
        '4,"never closed,2020,J',
        '"',
        "\t",
        "",
        ",,,",
        "\ufeff",
        "\x00",
        '5,"a ""quoted"" one",,',
        '{"id": 1, "title": "A"}',
        "[",
        "]",
        "null",
        "1,\\xc3,2020,J",
        "\r",
    ]
)
JUNK = st.lists(st.one_of(LINES, LETTERS), max_size=12).map("\n".join)

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), CELLS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(CELLS, inner, max_size=3)),
    max_leaves=6,
)
ELEMENTS = st.lists(
    st.one_of(VALUES, st.fixed_dictionaries({name: st.one_of(VALUES, CELLS) for name in PUBMED_COLUMNS})), max_size=6
)

# Beginnings with which random bytes pass the detection of the format, and reach its reader.
OPENINGS = st.sampled_from(
    [
        b"",
        b"id,title,date,journal\n",
        b'[{"id": 1, "title": "A", ',
        b'{"id": 1}\n',
        b"\x1f\x8b\x08\x00",
        b"(\xb5/\xfd",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"PAR1",
        b"<?xml version='1.0'?>",
    ]
)


def silver_of(content: bytes, name: str) -> Cleaned:
    """Bronze and silver of one file, in a lake that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        return lake_tables.clean(Path(folder) / "lake", Path(folder) / name)


def check(cleaned: Cleaned) -> None:
    """The law, for the step and for the file, against the tables that were really written."""
    source = cleaned.only_source()
    for entry in (source, cleaned.report):
        assert conserved(entry) is None, conserved(entry)
    assert source["rows_kept"] == len(cleaned.kept)
    assert source["rows_rejected"] == len(cleaned.rejected) == sum(source["rejected"].values())
    assert source["rows_merged"] == sum(source["merged"].values())
    assert dict(Counter(row["reason"] for row in cleaned.rejected)) == {
        k: v for k, v in source["rejected"].items() if v
    }
    counted = Counter(flag for row in cleaned.kept for flag in row["flags"])
    assert dict(counted) == {name: number for name, number in source["flags"].items() if number}
    identifiers = [row["publication_id"] for row in cleaned.kept]
    assert len(set(identifiers)) == len(identifiers), "an id stands once"
    assert all(identifiers)
    assert all(row["title"] for row in cleaned.kept)


def survives(content: bytes, name: str) -> Cleaned | None:
    """Read, or refused with an error for people; never a panic, never a broken law."""
    try:
        cleaned = silver_of(content, name)
    except (InternalError, ConservationError):
        raise
    except DrugsError as error:
        if name not in str(error):
            pytest.fail(f"the message does not name the file: {error}")
        return None
    check(cleaned)
    return cleaned


@lake_examples
@given(ROWS)
@example([("1", "\\x5cx41", "2020", "J")])
@example([("", "One study", "2020-01-05", "Annals"), ("7", "One  study", "05/01/2020", "")])
def test_well_formed_csv(rows: list[tuple[str, str, str, str]]) -> None:
    """The number of rows is the one that Python's own reader counts."""
    text = csv_text(PUBMED_COLUMNS, rows)
    cleaned = silver_of(text.encode("utf-8"), "articles.csv")
    check(cleaned)
    counted = [row for row in csv.reader(io.StringIO(text, newline="")) if row][1:]
    assert cleaned.only_source()["rows_in"] == len(counted) == len(rows)
    assert {row["reason"] for row in cleaned.rejected} <= {"blank_title"}


def as_record(row: dict[str, Any]) -> tuple[str, str, str, str]:
    """A clean row as a source would deliver it."""
    day = row["date"].isoformat() if row["date"] else ""
    return (row["publication_id"], row["title"], day, row["journal"] or "")


@lake_examples
@given(ROWS)
@example([("1", "\\x5cx41", "2020", "J")])
@example([("1", "\\x\\xff41", "2020", "J")])
@example([("1", "<<i>i>", "2020", "J")])
def test_cleaning_is_idempotent(rows: list[tuple[str, str, str, str]]) -> None:
    """Clean rows delivered again come out as they are.

    The examples are rows in which one repair uncovers work for another: a decoded backslash before `x41`, a removed run
    inside an escape.
    """
    once = silver_of(csv_text(PUBMED_COLUMNS, rows).encode("utf-8"), "articles.csv").kept
    records = [as_record(row) for row in once]
    again = silver_of(csv_text(PUBMED_COLUMNS, records).encode("utf-8"), "articles.csv").kept
    assert sorted(as_record(row) for row in again) == sorted(records)


@lake_examples
@given(JUNK, st.booleans())
def test_lines_of_dirt(text: str, header: bool) -> None:
    survives((("id,title,date,journal\n" if header else "") + text).encode("utf-8"), "articles.csv")


@lake_examples
@given(ELEMENTS)
def test_json_of_any_shape(elements: list[Any]) -> None:
    cleaned = survives(json.dumps(elements).encode("utf-8"), "articles.json")
    # NaN and Infinity are no JSON: a file with one may be rejected.
    if cleaned is not None:
        assert cleaned.only_source()["rows_in"] == len(elements)


@lake_examples
@given(ELEMENTS)
def test_ndjson_of_any_shape(elements: list[Any]) -> None:
    text = '{"id": "first", "title": "A title", "date": "2020", "journal": "J"}\n'
    text += "".join(json.dumps(element) + "\n" for element in elements)
    cleaned = survives(text.encode("utf-8"), "articles.ndjson")
    assert cleaned is not None, "one good line makes a file that can be read"
    assert cleaned.only_source()["rows_in"] == len(elements) + 1


@lake_examples
@given(OPENINGS, st.binary(max_size=200), st.sampled_from(["csv", "json", "ndjson", "csv.gz", "json.zst", "bin"]))
def test_random_bytes(opening: bytes, content: bytes, suffix: str) -> None:
    survives(opening + content, "articles." + suffix)


@lake_examples
@given(ROWS)
def test_whole_run_of_random_files(rows: list[tuple[str, str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "drugs.csv").write_bytes(b"atccode,drug\nB01AA03,WARFARIN\nX,\xce\xb2\nX02,.*\n")
        (root / "articles.csv").write_bytes(csv_text(PUBMED_COLUMNS, rows).encode("utf-8"))
        report = drugs_rs.run(out=root / "lake", dt=DT, drugs=root / "drugs.csv", pubmed=root / "articles.csv")
        assert conserved(report) is None, conserved(report)
        titles = {row["publication_id"]: row["title"] for row in lake_tables.publications(root / "lake")}
        for mention in lake_tables.mentions(root / "lake"):
            title = titles[mention["publication_id"]]
            assert title[mention["start"] : mention["end"]] == mention["surface"]
