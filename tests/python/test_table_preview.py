"""The first rows of a table as text and as HTML, whatever the cells hold."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from pathlib import Path
from unicodedata import east_asian_width

import pyarrow as pa
import pytest
from made_tables import TEXT, TEXTS, every_type, table_of, texts

import drugs_rs

ALLOWED = {"div", "p", "table", "thead", "tbody", "tr", "th", "td", "br", "small", "i"}


class Page(HTMLParser):
    """What a browser would make of a preview."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED
        assert {name for name, _ in attrs} <= {"class", "style", "dir"}
        if tag != "br":
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.cells[-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def html_of(table: drugs_rs.Table) -> str:
    return table._repr_html_()


def cells(table: drugs_rs.Table) -> list[str]:
    return Page(html_of(table)).cells


def test_text_is_aligned() -> None:
    arrow = pa.table({"number": pa.array([1, None, 300], pa.int64()), "title": pa.array(["a", None, "漢字 é"], TEXT)})
    assert repr(table_of(arrow)).split("\n") == [
        "Table: 3 rows × 2 columns",
        "number  title",
        " int64  string",
        "------  ------",
        "     1  a",
        "  null  null",
        "   300  漢字 é",
    ]


def test_columns_of_wide_letters_are_aligned() -> None:
    arrow = pa.table({"a": pa.array(["漢字", "abcdef"], TEXT), "b": pa.array(["|", "|"], TEXT)})

    def width(text: str) -> int:
        return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)

    first, second = repr(table_of(arrow)).split("\n")[-2:]
    assert width(first.split("|")[0]) == width(second.split("|")[0])


def test_only_the_first_rows_and_the_columns_that_fit() -> None:
    arrow = pa.table({f"column{number}": pa.array(["x" * 20] * 12_345, TEXT) for number in range(60)})
    text = repr(table_of(arrow))
    lines = text.split("\n")
    assert lines[0] == "Table: 12,345 rows × 60 columns"
    assert lines[-2] == "… 12,335 more rows"
    assert lines[-1].startswith("… 56 more columns: column4, column5, ")
    assert max(map(len, lines)) <= 100 and len(lines) == 16
    html = html_of(table_of(arrow))
    assert len(Page(html).cells) == 500
    assert "… 12,335 more rows" in html and "… 10 more columns: column50, " in html


@pytest.mark.parametrize("columns", [[], ["title"]])
def test_nothing_to_show(columns: list[str]) -> None:
    empty = texts()[columns]
    assert repr(empty).split("\n")[0] == f"Table: 0 rows × {len(columns)} column{'s' * (len(columns) != 1)}"
    assert cells(empty) == []
    rows = texts("a", "b")[[]]
    assert repr(rows) == "Table: 2 rows × 0 columns"
    assert cells(rows) == []


INJECTIONS = [
    "<script>alert(1)</script>",
    "</td></tr></table><img src=x onerror=alert(1)>",
    "\"' onmouseover='alert(1)' <b>&amp;&lt;</b>",
    "<!-- <style>*{display:none}</style> -->",
    "$x^2$ and \\(y\\) &#60;script&#62;",
    "javascript:alert(1)",
    "]]> <![CDATA[ <svg/onload=alert(1)>",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_markup_is_text(text: str) -> None:
    assert cells(texts(text)) == [text]
    named = texts("x", name=text)
    assert cells(named) == ["x"]
    assert cells(table_of(pa.table({"list": pa.array([[text]], TEXTS)}))) == [f"[{text}]"]


def test_nothing_reaches_out_of_the_table() -> None:
    html = html_of(table_of(every_type()))
    assert not re.search(r"<(script|style|link|iframe|img|svg|base|form|object)\b", html)
    assert not re.search(r"\b(id|on\w+|href|src)=", html)
    assert "://" not in html and "\n" not in html
    # MathJax sets no formula of two prices.
    assert html.startswith('<div class="tex2jax_ignore mathjax_ignore"')


def test_direction_and_control_characters_are_replaced() -> None:
    table = texts("a\u202eb\u2066c\x1b[31md\x00e\r\nf\tg\u2028h", "\u0645\u0631\u062d\u0628\u0627")
    shown = "a\ufffdb\ufffdc\ufffd[31md\ufffde  f g h"
    assert cells(table) == [shown, "\u0645\u0631\u062d\u0628\u0627"]
    assert repr(table).split("\n")[-2:] == [shown, "\u0645\u0631\u062d\u0628\u0627"]
    # Each cell has the direction of its own text.
    assert html_of(table).count('<td dir="auto"') == 2


def test_long_texts_end_with_an_ellipsis() -> None:
    table = texts("x" * 10**7, "y" * 32, "z" * 33, "w" * 120)
    assert repr(table).split("\n")[-4:] == ["x" * 31 + "…", "y" * 32, "z" * 31 + "…", "w" * 31 + "…"]
    assert cells(table) == ["x" * 119 + "…", "y" * 32, "z" * 33, "w" * 120]
    marks = texts("e" + "\u0301" * 10**6)
    assert len(repr(marks)) < 500 and len(html_of(marks)) < 2000


def test_lists_and_structs_are_shown_and_cut() -> None:
    table = table_of(every_type())[["texts", "lists", "person", "day"]]
    assert cells(table)[:4] == ["[a, null]", "[[], [x]]", "{name: A, age: 1}", "0001-01-01"]
    assert cells(table)[4:] == ["[]", "[null]", "{name: null, age: null}", "9999-12-31", "null", "null", "null", "null"]
    huge = table_of(pa.table({"list": pa.array([["", "x" * 1000] * 10_000], TEXTS)}))
    assert len(repr(huge)) < 300 and cells(huge)[0].startswith("[, xxx") and cells(huge)[0].endswith("…")


def test_days_beyond_the_calendar_are_shown() -> None:
    table = table_of(pa.table({"day": pa.array([2**31 - 1, -(2**31)], pa.int32()).cast(pa.date32())}))
    assert cells(table) == ["day 2147483647", "day -2147483648"]


def test_a_million_rows_are_shown_at_once() -> None:
    table = table_of(pa.table({"title": pa.array(["title"] * 1_000_000, TEXT)}))
    start = time.perf_counter()
    for _ in range(100):
        assert "1,000,000 rows" in repr(table) and "1,000,000 rows" in html_of(table)
    assert time.perf_counter() - start < 5


def test_a_clean_table_says_what_was_rejected(tmp_path: Path) -> None:
    source = tmp_path / "pubmed.csv"
    source.write_text("id,title,date,journal\n1,<b>Aspirin & co,2020,J\n2,,2020,J\n", encoding="utf-8")
    table = drugs_rs.read_publications(source)
    heading = "CleanTable: 1 row × 23 columns, 1 file, 1 rejected row"
    assert repr(table).split("\n")[0] == heading
    assert f"<p>{heading}</p>" in html_of(table)
    assert repr(table.head()).startswith("Table: 1 row × 23 columns\n")
    [batch] = drugs_rs.iter_publications(source)
    assert repr(batch).split("\n")[0] == "CleanTable: 1 row × 23 columns, 1 rejected row"
