"""`find_many`, `find_column`: the same mentions as `find`, text by text, from any kind of column into any library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_sources import write_drugs

import drugs_rs
from drugs_rs.exceptions import ArgumentError, SchemaError, SourceNotFoundError

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ["row", "atccode", "drug", "start", "end", "surface", "rule"]

TEXTS: list[str | None] = [
    "Metformin and 💊 aspirin",
    None,
    "",
    "nothing of the kind",
    "norepinephrine, epinephrine",
    "chlorhexidine",
    None,
    "étude: ASPIRIN",
]


@pytest.fixture(scope="module")
def matcher() -> drugs_rs.Matcher:
    """A name with two codes among the others."""
    return drugs_rs.Matcher.from_names(
        {
            "A10BA02": ["metformin"],
            "B01AC06": ["aspirin"],
            "C01CA24": ["epinephrine"],
            "A01AB03": ["chlorhexidine"],
            "B05CA02": ["chlorhexidine"],
        }
    )


def one_by_one(matcher: drugs_rs.Matcher, texts: list[str | None]) -> list[dict[str, Any]]:
    """What `find` says, as the rows of a table."""
    return [
        {"row": row, **{name: getattr(mention, name) for name in COLUMNS[1:]}}
        for row, text in enumerate(texts)
        for mention in matcher.find(text or "")
    ]


def test_list(matcher: drugs_rs.Matcher) -> None:
    table = matcher.find_many(TEXTS)
    assert table.to_dicts() == one_by_one(matcher, TEXTS)
    assert [row["surface"] for row in table.to_dicts()][:3] == ["Metformin", "aspirin", "epinephrine"]
    assert table.column_names == COLUMNS
    assert len(table) == table.num_rows == 6
    assert table.num_columns == len(COLUMNS)
    assert "6" in repr(table)


# All of Arrow's types of text, in one chunk and in several, with nulls and with an offset into a longer
# array.
ARROW: dict[str, Callable[[], Any]] = {
    "string": lambda: pa.array(TEXTS, pa.string()),
    "large_string": lambda: pa.array(TEXTS, pa.large_string()),
    "string_view": lambda: pa.array(TEXTS, pa.string_view()),
    "chunked": lambda: pa.chunked_array([TEXTS[:2], [], TEXTS[2:5], TEXTS[5:]], pa.string()),
    "chunked large": lambda: pa.chunked_array([TEXTS[:1], TEXTS[1:]], pa.large_string()),
    "sliced": lambda: pa.array(["aspirin", *TEXTS, "aspirin"], pa.string()).slice(1, len(TEXTS)),
    "sliced view": lambda: pa.array(["aspirin", *TEXTS, "aspirin"], pa.string_view()).slice(1, len(TEXTS)),
    "polars": lambda: pl.Series("title", TEXTS),
    "polars in chunks": lambda: pl.concat(
        [pl.Series("title", TEXTS[:3]), pl.Series("title", TEXTS[3:])], rechunk=False
    ),
}


@pytest.mark.parametrize("kind", ARROW)
def test_arrow_columns(kind: str, matcher: drugs_rs.Matcher) -> None:
    assert matcher.find_many(ARROW[kind]()).to_dicts() == one_by_one(matcher, TEXTS)


def test_other_sequences(matcher: drugs_rs.Matcher) -> None:
    assert matcher.find_many(tuple(TEXTS)).to_dicts() == one_by_one(matcher, TEXTS)


@pytest.mark.parametrize("texts", [[], [None], [""], pa.array([], pa.string()), pa.nulls(3)])
def test_nothing_to_find_is_a_table_without_rows(texts: Any, matcher: drugs_rs.Matcher) -> None:
    table = matcher.find_many(texts)
    assert table.num_rows == 0
    assert table.column_names == COLUMNS
    assert pa.table(table).schema.names == COLUMNS


@pytest.mark.parametrize("texts", [5, [1, 2], [b"aspirin"], "aspirin", pa.array([1, 2]), None])
def test_what_is_no_column_of_text_is_refused(texts: Any, matcher: drugs_rs.Matcher) -> None:
    """A single text too: it would be read as a column of letters."""
    with pytest.raises((TypeError, ArgumentError)):
        matcher.find_many(texts)


@pytest.mark.parametrize("text", ["aspirin \ud800 aspirin", "\udfffaspirin", "\ud83d\ude00 aspirin"])
def test_text_that_no_encoding_has(text: str, matcher: drugs_rs.Matcher) -> None:
    """A lone surrogate is half of a character: refused as what it is, or passed over with right offsets."""
    try:
        found = matcher.find(text)
        rows = matcher.find_many([text]).to_dicts()
    except (ArgumentError, UnicodeError):
        return
    assert [text[mention.start : mention.end] for mention in found] == [mention.surface for mention in found]
    assert [(row["start"], row["end"]) for row in rows] == [(mention.start, mention.end) for mention in found]


def test_tables_go_into_any_library(matcher: drugs_rs.Matcher) -> None:
    table = matcher.find_many(TEXTS)
    wanted = one_by_one(matcher, TEXTS)
    assert pa.table(table).to_pylist() == wanted
    assert pl.DataFrame(table).to_dicts() == wanted
    # Exported twice: a stream that one reader has consumed cannot be read again.
    assert pa.RecordBatchReader.from_stream(table).read_all().num_rows == len(wanted)
    assert pa.table(table).schema.field("row").type == pa.int64()


def test_tables_outlive_what_made_them() -> None:
    """The memory belongs to the table, and then to the library that took it over."""
    table = drugs_rs.Matcher.from_names({"B01AC06": ["aspirin"]}).find_many(["aspirin"] * 1000)
    taken = pa.table(table)
    del table
    assert taken.column("surface").to_pylist() == ["aspirin"] * 1000


def test_a_column_of_bytes_that_python_owns(matcher: drugs_rs.Matcher) -> None:
    """They are given back by a thread that does not hold the interpreter, and has to wait for it."""
    texts = ["Metformin"] * 1000
    for _ in range(20):
        copied = pa.array(texts, pa.string())
        owned = [None, *(pa.py_buffer(bytes(buffer.to_pybytes())) for buffer in copied.buffers()[1:])]
        assert matcher.find_many(pa.Array.from_buffers(pa.string(), len(texts), owned)).num_rows == len(texts)


def test_many_texts_keep_their_order(matcher: drugs_rs.Matcher) -> None:
    """More texts than one worker takes at a time."""
    texts = ["aspirin" if number % 3 else "metformin, aspirin" for number in range(50000)]
    table = pa.table(matcher.find_many(texts))
    wanted = [row for row, text in enumerate(texts) for _ in text.split(", ")]
    assert table.column("row").to_pylist() == wanted
    assert table.column("surface").to_pylist() == [word for text in texts for word in text.split(", ")]


@settings(deadline=None, max_examples=100)
@given(
    texts=st.lists(
        st.one_of(st.none(), st.text(max_size=10), st.sampled_from(["aspirin", "x aspirin", "Metformin chlorhexidine"]))
    )
)
def test_any_list(texts: list[str | None], matcher: drugs_rs.Matcher) -> None:
    assert matcher.find_many(texts).to_dicts() == one_by_one(matcher, texts)


# Vocabularies from files


def test_vocabulary_from_the_sample(samples: Path) -> None:
    matcher = drugs_rs.Matcher.from_vocabulary(samples / "drugs.csv")
    assert len(matcher) == 11
    (mention,) = matcher.find("Colchicine beyond gout")
    assert (mention.atccode, mention.drug, mention.surface) == ("7704113", "COLCHICINE", "Colchicine")


def test_vocabulary_from_several_files(tmp_path: Path) -> None:
    one = write_drugs(tmp_path / "one.csv", ("A01AB03", " CHLORHEXIDINE "))
    two = write_drugs(tmp_path / "two.csv", ("B05CA02", "chlorhexidine"), ("X", ".*"))
    matcher = drugs_rs.Matcher.from_vocabulary([str(one), two])
    assert sorted(mention.atccode for mention in matcher.find("chlorhexidine or anything")) == ["A01AB03", "B05CA02"]
    everywhere = drugs_rs.Matcher.from_vocabulary([one], boundary="none")
    assert len(everywhere.find("xchlorhexidinex")) == 1


def test_vocabularies_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match=r"nowhere\.csv"):
        drugs_rs.Matcher.from_vocabulary(tmp_path / "nowhere.csv")
    with pytest.raises(ArgumentError):
        drugs_rs.Matcher.from_vocabulary([])
    (tmp_path / "wrong.csv").write_text("code,name\nA,b\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="atccode") as caught:
        drugs_rs.Matcher.from_vocabulary(tmp_path / "wrong.csv")
    assert "code" in str(caught.value)
    assert "name" in str(caught.value)


def list_by_list(matcher: drugs_rs.Matcher, texts: list[str | None]) -> list[list[dict[str, Any]] | None]:
    """What `find` says, as a list for each text."""
    names = COLUMNS[1:]
    return [
        None if text is None else [{name: getattr(found, name) for name in names} for found in matcher.find(text)]
        for text in texts
    ]


@pytest.mark.parametrize(
    "column",
    [
        pa.array,
        lambda texts: pa.chunked_array([texts[:3], [], texts[3:]], type=pa.string()),
        lambda texts: pa.array(texts, type=pa.large_string()),
        lambda texts: pa.array(texts).dictionary_encode(),
        lambda texts: pl.Series(texts),
    ],
    ids=["array", "chunked", "large", "dictionary", "polars"],
)
@pytest.mark.parametrize("repeats", [1, 20_000])
def test_column_of_lists(matcher: drugs_rs.Matcher, column: Callable[[Any], Any], repeats: int) -> None:
    """Short columns are searched in the calling thread, long ones in another."""
    found = matcher.find_column(column(TEXTS * repeats))
    assert len(found) == len(TEXTS) * repeats and repr(found) == f"MentionColumn({len(found)} texts)"
    expected = list_by_list(matcher, TEXTS) * repeats
    assert pa.array(found).to_pylist() == expected
    assert pl.Series(found).to_list() == expected


def test_column_of_lists_without_texts(matcher: drugs_rs.Matcher) -> None:
    empty = pa.array(matcher.find_column(pa.array([], type=pa.string())))
    fields = {field.name: str(field.type) for field in empty.type.value_type}
    assert len(empty) == 0 and list(fields) == COLUMNS[1:] and fields["start"] == "int64"
    assert pa.array(matcher.find_column(pa.nulls(2))).to_pylist() == [None, None]


@pytest.mark.parametrize("wrong", [["a list"], "a text", 3, pa.array([1])])
def test_column_of_lists_wants_a_column(matcher: drugs_rs.Matcher, wrong: Any) -> None:
    with pytest.raises(TypeError, match="column of strings"):
        matcher.find_column(wrong)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
@pytest.mark.parametrize("boxed", [False, True], ids=["plain", "dictionary"])
def test_column_with_bytes_that_are_no_text(matcher: drugs_rs.Matcher, kind: Any, boxed: bool) -> None:
    """Arrow's interface checks no bytes: such a column, of a file in Latin-1 for example, once ended the process."""
    offsets, values = pa.array([0, 7, 9], pa.int32() if kind == pa.string() else pa.int64()), b"aspirin\xff\xfe"
    column = pa.Array.from_buffers(kind, 2, [None, offsets.buffers()[1], pa.py_buffer(values)])
    if boxed:
        column = pa.DictionaryArray.from_arrays(pa.array([0, 0, 1]), column)
    row = len(column) - 1
    for find in (matcher.find_column, matcher.find_many):
        with pytest.raises(ArgumentError, match=rf"^texts: row {row} \(counted from 0\).* is not UTF-8; expected "):
            find(column)
    assert pa.array(matcher.find_column(column[:row])).null_count == 0


def test_column_with_bytes_under_a_null(matcher: drugs_rs.Matcher) -> None:
    """What lies under a null is not looked at."""
    offsets, valid = pa.array([0, 7, 9], pa.int32()).buffers()[1], pa.py_buffer(b"\x01")
    column = pa.Array.from_buffers(pa.string(), 2, [valid, offsets, pa.py_buffer(b"aspirin\xff\xfe")])
    found = pa.array(matcher.find_column(column)).to_pylist()
    assert [mention["surface"] for mention in found[0]] == ["aspirin"] and found[1] is None
