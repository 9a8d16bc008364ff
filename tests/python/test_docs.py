"""The pages of the documentation: their links lead somewhere, and the index lists every page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest

# The pages do not depend on the interpreter.
pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "examples", "benches", "evaluation", "tests/data")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])


def prose(page: Path) -> str:
    """The text of a page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings: the first one of each name."""
    titles = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def links(text: str) -> Iterator[str]:
    """The targets of a page's links, without those to other servers and those in code."""
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        if "://" not in target:
            yield target


def broken(page: Path, text: str) -> list[str]:
    """The links of a page that lead to no file or to no heading."""
    found = []
    for link in links(text):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(prose(target))):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page, prose(page)) == []


def test_a_broken_link_is_seen() -> None:
    text = "[a](docs/nowhere.md) [b](README.md#no-such-heading) `[c](code.md)` [d](https://example.org) [e](#get-it)"
    assert broken(ROOT / "README.md", text) == ["docs/nowhere.md", "README.md#no-such-heading"]


def test_the_index_lists_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(prose(index))}
    series = [ROOT / "docs" / "decisions", ROOT / "docs" / "rules"]
    expected = {page for page in PAGES if page != index and (page.parent not in series or page.name == "README.md")}
    assert listed == expected


def test_the_list_of_decisions_is_complete() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = [link for link in links(prose(folder / "README.md")) if re.match(r"\d{4}-", link)]
    assert listed == sorted(page.name for page in folder.glob("[0-9]*.md"))


def test_the_glossary_is_short_and_in_order() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", prose(ROOT / "docs" / "glossary.md"), flags=re.MULTILINE)[1:]
    assert rows == sorted(rows)
    assert 10 < len(rows) <= 40
