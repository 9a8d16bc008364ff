"""What a built page has: its anchors, its links, and what a browser loads for it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

# The attribute of each element that makes a browser load something.
LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "link": "href",
}
# A `link` of these kinds is read by machines and not loaded.
NAMED = {"canonical", "next", "prev", "alternate"}


class Page(HTMLParser):
    """One page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element names."""
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.anchors.add(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        wanted = LOADED.get(tag)
        if wanted in values and values.get("rel") not in NAMED:
            self.loads.append(values[str(wanted)])

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """What a reader sees, with blanks as they come."""
        return "".join(self.words)


def read_pages(site: Path) -> dict[Path, Page]:
    """Return every page of a site by its file."""
    return {file: Page(file.read_text(encoding="utf-8")) for file in sorted(site.rglob("*.html"))}


def broken_links(site: Path, pages: dict[Path, Page]) -> list[str]:
    """Return the links of pages, and what they load, that lead to no file of the site or to no anchor."""
    found = []
    for file, page in pages.items():
        if file.name == "404.html":
            continue  # its links begin at the root of a server
        for link in [*page.links, *page.loads]:
            if "://" in link or link.startswith(("mailto:", "data:")):
                continue
            path, _, anchor = link.partition("#")
            target = (file.parent / unquote(path)).resolve() if path else file
            target = target / "index.html" if target.is_dir() else target
            is_there = target.is_file() and target.is_relative_to(site)
            if not is_there or (anchor and target in pages and unquote(anchor) not in pages[target].anchors):
                found.append(f"{file.relative_to(site)}: {link}")
    return found


def is_elsewhere(address: str) -> bool:
    """Whether an address is on another server."""
    return address.startswith(("http:", "https:", "//"))
