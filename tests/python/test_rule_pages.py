"""The pages of flags, reasons and rules: the product knows no other ones, and does what their examples say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fenced_blocks import Block, blocks

import drugs_rs

# What is cleaned does not depend on the interpreter.
pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "rules"
HEADINGS = ["Why", "Example", "Remedy"]
FILE = re.compile(r"^<!-- file: (?P<name>[\w.]+) -->$")


def sentences(source: Path) -> dict[str, str]:
    """Name → sentence of an enum of the schema, read from its source: the command prints only what a run has met."""
    text = source.read_text(encoding="utf-8")
    names = dict(re.findall(r'Self::(\w+) => "([a-z_]+)"', text))
    _, _, body = text.partition("pub fn sentence")
    found = re.findall(r'Self::(\w+) => (?:\{\s*)?"((?:[^"\\]|\\.)*)"', body)
    return {names[variant]: sentence.replace("\\\\", "\\") for variant, sentence in found}


FLAGS = sentences(ROOT / "src" / "schema" / "flag.rs")
REASONS = sentences(ROOT / "src" / "schema" / "reason.rs")
STUB = (Path(drugs_rs.__file__).parent / "_core.pyi").read_text(encoding="utf-8")
_, _, _after = STUB.partition("def rule(self) -> Literal[")
RULES = re.findall(r'"(\w+)"', _after.partition("]")[0])
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")


def test_every_flag_reason_and_rule_has_a_page_and_no_page_is_left_over() -> None:
    assert (len(FLAGS), len(REASONS), len(RULES)) == (13, 12, 4), (
        "the sources are read in another way than they are written"
    )
    assert sorted([*FLAGS, *REASONS, *RULES]) == [page.stem for page in PAGES]


def test_the_index_has_every_page_with_its_sentence() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| \[`(\w+)`\]\(\1\.md\) \| (.+) \|$", index, flags=re.MULTILINE))
    assert list(listed) == [*FLAGS, *REASONS, *RULES]
    for name, sentence in {**FLAGS, **REASONS}.items():
        assert listed[name].replace("`", "") == sentence


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_three_headings_and_the_sentence_of_the_product(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# `{page.stem}`\n\n")
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == HEADINGS
    parts = re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]
    assert all(part.strip() for part in parts)
    sentence = {**FLAGS, **REASONS}.get(page.stem, "")
    assert sentence in " ".join(text.replace("`", "").split())


def cleaned(page: Path, folder: Path) -> drugs_rs.CleanTable:
    """The files that a page shows, cleaned by the product."""
    lines = page.read_text(encoding="utf-8").splitlines()
    names = []
    for block in blocks(page):
        marked = FILE.match(lines[block.line - 3])
        if marked:
            (folder / marked["name"]).write_text(block.text, encoding="utf-8")
            names.append(folder / marked["name"])
    assert names, "the page shows no file"
    if names[0].name.startswith("drugs"):
        return drugs_rs.read_drugs(names, on_bad_file="reject")
    return drugs_rs.read_publications(names, on_bad_file="reject")


def row_of(page: Path) -> dict[str, Any]:
    """The row that a page says will come of its files."""
    lines = page.read_text(encoding="utf-8").splitlines()
    [shown] = [block for block in blocks(page) if lines[block.line - 3] == "<!-- row -->"]
    row: dict[str, Any] = json.loads(shown.text)
    return row


def has_the_row(table: drugs_rs.CleanTable, name: str, row: dict[str, Any]) -> bool:
    """Whether a table has this row, which has the flag or the reason of the page."""
    if name in REASONS:
        found, is_named = table.rejected.to_dicts(), row.get("reason") == name
    else:
        found, is_named = table.to_dicts(), name in row.get("flags", [])
    texts = [{key: str(one[key]) if key == "date" and one[key] else one[key] for key in row} for one in found]
    return is_named and row in texts


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_example_is_what_the_product_does(page: Path, tmp_path: Path) -> None:
    programs = [block for block in blocks(page) if block.language == "python"]
    for program in programs:
        assert page.stem in program.text
        run_program(program, tmp_path)
    if not programs:
        assert has_the_row(cleaned(page, tmp_path), page.stem, row_of(page))


def run_program(program: Block, folder: Path) -> None:
    """Run a block of Python in an empty folder."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program.text],
        cwd=str(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_an_example_that_the_product_does_not_do_is_seen(tmp_path: Path) -> None:
    page = FOLDER / "blank_title.md"
    table, row = cleaned(page, tmp_path), row_of(page)
    assert not has_the_row(table, "blank_title", {**row, "raw": "another"})
    assert not has_the_row(table, "blank_drug", row)
    assert not has_the_row(table, "blank_title", {})
