"""The built site: links lead somewhere, nothing is loaded from elsewhere, and nothing of the product is missing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import build_site
import data_dictionary
import markdown
import pytest
import python_reference
import staged_pages
from site_html import Page, broken_links, is_elsewhere, read_pages

import drugs_rs
from drugs_rs import exceptions

ROOT = build_site.ROOT
PACKAGE = Path(drugs_rs.__file__).resolve().parent


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Every page of the site."""
    return read_pages(site)


def text_of(site: Path, name: str) -> str:
    """What a reader sees on a page."""
    return Page((site / name).read_text(encoding="utf-8")).text


def test_every_link_and_anchor_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    assert len(pages) > 100
    assert broken_links(site, pages) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    links = '<p id="here"><a href="#here"></a><a href="no.html"></a><a href="#no"></a><img src="no.png"></p>'
    (tmp_path / "a.html").write_text(f'{links}<a href="../outside.html"></a>', encoding="utf-8")
    (tmp_path.parent / "outside.html").touch()
    found = broken_links(tmp_path, read_pages(tmp_path))
    assert found == ["a.html: no.html", "a.html: #no", "a.html: ../outside.html", "a.html: no.png"]


def test_nothing_is_loaded_from_another_server(site: Path, pages: dict[Path, Page]) -> None:
    loaded = {link for page in pages.values() for link in page.loads}
    assert len(loaded) > 3
    assert [link for link in loaded if is_elsewhere(link)] == []
    for file in site.rglob("*.css"):
        addresses = re.findall(r"(?:url\(|@import )[\"']?([^\"')]+)", file.read_text(encoding="utf-8"))
        assert [address for address in addresses if is_elsewhere(address)] == [], file


def test_what_is_loaded_from_another_server_is_seen() -> None:
    page = Page(
        '<link rel="stylesheet" href="https://fonts.example/a.css"><script src="//cdn.example/a.js"></script>'
        '<img src="b.png"><a href="https://example.org">text</a><link rel="canonical" href="https://example.org/">'
    )
    assert [link for link in page.loads if is_elsewhere(link)] == ["https://fonts.example/a.css", "//cdn.example/a.js"]


def test_every_page_of_the_repository_is_in_the_site_and_in_its_contents(site: Path) -> None:
    contents = Page((site / "index.html").read_text(encoding="utf-8")).links
    for page in staged_pages.repository_pages(ROOT):
        name = "index.html" if page.name == "README.md" else f"{page.stem}.html"
        place = page.with_name(name).as_posix()
        assert (site / place).is_file()
        assert place in contents or place == "index.html", f"{page} is not in the navigation"


def test_each_chapter_opens_with_all_that_its_reader_is_told(site: Path) -> None:
    """Airflow has a part of another page; the contents once led its reader to heavy steps alone."""
    contents = Page((site / "index.html").read_text(encoding="utf-8")).links
    for reader in staged_pages.index_rows(ROOT):
        assert staged_pages.chapter_page(reader).replace(".md", ".html") in contents
    links = Page((site / "docs" / "for-airflow.html").read_text(encoding="utf-8")).links
    assert {"operations.html#airflow", "operations.html#when-a-task-is-red", "heavy-steps.html"} <= set(links)


def test_headings_of_a_page_are_those_of_the_code_host(site: Path) -> None:
    built = Page((site / "docs" / "sources.html").read_text(encoding="utf-8"))
    assert {"what-a-source-may-be", "pubmeds-xml", "ris-and-ovid", "clinicaltrialsgov"} <= built.anchors


# A list, a table, a link or a fence that the site's Markdown does not see as one is shown as it is written.
LEFT = re.compile(r"<p>(?:(?!</p>).)*?\n[-*|] |<p>\||\]\(\.\./|^```", flags=re.DOTALL | re.MULTILINE)


def test_no_markdown_is_left_in_the_pages(site: Path) -> None:
    for file in site.rglob("*.html"):
        assert not LEFT.search(file.read_text(encoding="utf-8")), file.relative_to(site)


@pytest.mark.parametrize(
    "text", ["Text `a`:\n- b\n- c", "Text\n| a | b |\n|---|---|", "`[a](../b.md)`", "Text\n - a\n```"]
)
def test_markdown_that_is_left_is_seen(text: str) -> None:
    assert LEFT.search(markdown.markdown(text, extensions=["tables"]))


# What is made of the product


def test_every_command_has_its_text_and_every_option_of_its_man_page(site: Path, tmp_path: Path) -> None:
    """Man pages are made in another way of the same definition."""
    subprocess.run([sys.executable, "-m", "drugs_rs", "man", "--out", str(tmp_path)], check=True, capture_output=True)
    manuals = sorted(tmp_path.glob("drugs-rs-*.1"))
    assert len(manuals) > 25
    index = text_of(site, "reference/command/index.html")
    for manual in manuals:
        words = manual.stem.split("-")[2:]
        page = site / "reference" / "command" / f"{words[0]}.html"
        built = Page(page.read_text(encoding="utf-8"))
        assert "-".join(["drugs-rs", *words]) in built.anchors, manual.name
        options = re.findall(r"--[a-z][a-z-]+", manual.read_text(encoding="utf-8").replace("\\-", "-"))
        missing = [option for option in options if option not in built.text + index and option != "--help"]
        assert missing == [], manual.name


def test_every_public_name_of_python_has_its_text(site: Path) -> None:
    for module in python_reference.MODULES:
        built = Page((site / "reference" / "python" / f"{module}.html").read_text(encoding="utf-8"))
        for name, node in python_reference.public_names(PACKAGE, module):
            assert name.lower() in built.anchors, f"{module}.{name}"
            first = (ast.get_docstring(node) or "").split("\n\n")[0].replace("`", "")
            assert " ".join(first.split())[:60] in " ".join(built.text.split()), f"{module}.{name}"
    wanted = set(drugs_rs.__all__) - {"__version__", "exceptions"}
    assert {name for name, _ in python_reference.public_names(PACKAGE, "drugs_rs")} == wanted
    assert {name for name, _ in python_reference.public_names(PACKAGE, "drugs_rs.exceptions")} == set(
        exceptions.__all__
    )


def test_every_table_and_column_is_in_the_dictionary_with_a_row(site: Path) -> None:
    built = text_of(site, "reference/data-dictionary.html")
    tables = re.split(r"^## `(\w+)`$", drugs_rs.describe_tables(format="markdown"), flags=re.MULTILINE)
    assert len(tables) == 2 * 11 + 1
    for name, text in zip(tables[1::2], tables[2::2]):
        columns = re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
        assert all(f'"{column}":' in built for column in columns), name
    assert "A row, from examples/data:" in built and str(ROOT) not in built


def test_the_picture_has_every_table_once() -> None:
    tables = re.findall(r"^## `(\w+)`$", drugs_rs.describe_tables(format="markdown"), flags=re.MULTILINE)
    assert sorted(data_dictionary.table_names()) == sorted(tables)
    drawn = [name for names in data_dictionary.LAYERS.values() for name in names]
    assert sorted(drawn) == sorted(data_dictionary.LINEAGE)
    made_of = {source for sources in data_dictionary.LINEAGE.values() for source in sources}
    assert made_of <= {*data_dictionary.LINEAGE, "sources"}


# What the copies of pages change


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Text:\n- a\n- b\n", "Text:\n\n- a\n- b\n"),
        ("Text\n| a | b |\n|---|---|\n", "Text\n\n| a | b |\n|---|---|\n"),
        ("- a\n  - b\n", "- a\n    - b\n"),
        ("- a\n  more\n- b\n", "- a\n  more\n- b\n"),
        ("| `a \\| b` | c \\| d |\n", "| `a | b` | c \\| d |\n"),
        ("```sh\nText\n- a\n  - b\n```\n", "```sh\nText\n- a\n  - b\n```\n"),
    ],
)
def test_a_page_is_read_as_on_a_code_host(written: str, read: str) -> None:
    assert staged_pages.readable(written) == read


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.md").write_text("# A\n\n[b](#none)\n", encoding="utf-8")
    settings = f'{{"INHERIT": "{build_site.SETTINGS}", "docs_dir": "{tmp_path}/pages", "site_dir": "{tmp_path}/site"}}'
    (tmp_path / "mkdocs.yml").write_text(settings, encoding="utf-8")
    with pytest.raises(SystemExit, match="#none"):
        build_site.run_mkdocs(tmp_path / "mkdocs.yml")


def test_another_script_of_mermaid_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_site, "MERMAID_SHA256", "0" * 64)
    with pytest.raises(SystemExit, match=r"mermaid\.min\.js is not the file"):
        build_site.write_assets(tmp_path)
