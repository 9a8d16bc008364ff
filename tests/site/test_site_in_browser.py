"""The site in a browser, wide and narrow: no error of a script, no request elsewhere, no page wider than the screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from headless_browser import Browser

PAGES = (
    "index.html",
    "docs/index.html",
    "docs/architecture.html",
    "docs/operations.html",
    "docs/data-model.html",
    "docs/sources.html",
    "docs/glossary.html",
    "docs/for-airflow.html",
    "docs/incidents.html",
    "docs/delivery.html",
    "docs/rules/index.html",
    "docs/rules/bad_date.html",
    "docs/decisions/0005-dependencies.html",
    "reference/lineage.html",
    "reference/data-dictionary.html",
    "reference/command/index.html",
    "reference/command/lake.html",
    "reference/python/drugs_rs.html",
    "reference/python/drugs_rs.airflow.html",
    "CHANGELOG.html",
)
WITH_DIAGRAMS = (
    "index.html",
    "docs/architecture.html",
    "docs/operations.html",
    "docs/delivery.html",
    "reference/lineage.html",
)
# The page, its diagrams and how many of them were drawn with something in them, and whether its style is there.
MEASURED = """({
    wide: document.documentElement.scrollWidth,
    heading: document.querySelector('h1').innerText.trim(),
    diagrams: document.querySelectorAll('div.mermaid').length,
    drawn: [...document.querySelectorAll('div.mermaid')].filter(one => one.offsetHeight > 50).length,
    color: getComputedStyle(document.querySelector('.md-header')).backgroundColor,
})"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_without_errors(browser: Browser, address: str, page: str, width: int) -> None:
    browser.resize(width)
    visit = browser.visit(address + page, MEASURED)
    assert visit.errors == []
    assert [request for request in visit.requests if not request.startswith((address, "data:"))] == []
    assert visit.value["heading"]
    assert visit.value["wide"] <= width
    assert visit.value["color"].startswith("rgb("), "without the style of the theme the header has no colour"
    with_diagrams = page in WITH_DIAGRAMS
    assert (visit.value["diagrams"] > 0) == with_diagrams
    assert visit.value["drawn"] == visit.value["diagrams"]


def test_a_search_finds_a_page(browser: Browser, address: str) -> None:
    browser.resize(1280)
    script = """(async () => {
        document.querySelector('label[for=__search]').click();
        const field = document.querySelector('.md-search__input');
        field.focus();
        field.value = 'doubtful_join';
        field.dispatchEvent(new KeyboardEvent('keyup', {bubbles: true}));
        for (let turn = 0; turn < 100; turn += 1) {
            const found = [...document.querySelectorAll('.md-search-result__link')].map(link => link.href);
            if (found.length) return found;
            await new Promise(done => setTimeout(done, 100));
        }
        return [];
    })()"""
    visit = browser.visit(address + "index.html", script)
    assert any("docs/rules/doubtful_join.html" in link for link in visit.value), visit
    assert visit.errors == []


def test_a_site_that_was_only_copied_opens_from_its_folder(browser: Browser, site: Path) -> None:
    browser.resize(1280)
    visit = browser.visit(f"{site.as_uri()}/docs/architecture.html", MEASURED)
    assert visit.value["drawn"] == visit.value["diagrams"] > 0


def test_an_error_and_a_request_elsewhere_are_seen(browser: Browser, address: str, site: Path) -> None:
    text = "<h1>A</h1><script>console.error('one'); two()</script><img src='http://127.0.0.1:9/a.png'>"
    (site / "broken.html").write_text(text, encoding="utf-8")
    try:
        visit = browser.visit(address + "broken.html", "1")
    finally:
        (site / "broken.html").unlink()
    told = " ".join(visit.errors)
    assert "one" in told and "two is not defined" in told
    assert "http://127.0.0.1:9/a.png" in visit.requests
