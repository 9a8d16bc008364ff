r"""The pages of the repository as the site takes them: the same paths, so that relative links stay right.

Pages are written for code hosts. Three things are read there and not by the site's Markdown, and are put right in the
copies: a list or a table directly below a paragraph, items that are nested by two blanks, and `\|` in code in a table.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

FOLDERS = ("docs", "examples", "benches", "evaluation", "tests/data")
LINK = re.compile(r"(?P<head>\]\()(?P<path>[^)\s#]*)(?P<anchor>#[^)\s]*)?(?P<tail>\))")
FENCE = re.compile(r"^(?P<indent> *)(?P<mark>```+)")
ITEM = re.compile(r"^(?P<indent> *)(?:[-*]|\d+\.) ")
DIAGRAM = re.compile(r"^```mermaid\n.*?^```\n", flags=re.DOTALL | re.MULTILINE)
MERMAID = "assets/mermaid.min.js"


class Entry(NamedTuple):
    """A page in the list of `docs/README.md`."""

    reader: str
    title: str
    path: str


def repository_pages(root: Path) -> list[Path]:
    """Return every Markdown page, relative to the repository."""
    found = [*root.glob("*.md"), *(page for folder in FOLDERS for page in (root / folder).rglob("*.md"))]
    return sorted(page.relative_to(root) for page in found)


def stage_pages(root: Path, staged: Path) -> None:
    """Copy the pages, and what they link to, into the folder that the site is built from."""
    pages = repository_pages(root)
    for page in pages:
        text = (root / page).read_text(encoding="utf-8")
        write_page(staged / page, staged, readable(_relinked(text, root, page, set(pages), staged)))


def write_page(path: Path, staged: Path, text: str) -> None:
    """Write a page; one with diagrams loads the script that draws them, and lets them scroll on a narrow screen."""
    text, diagrams = DIAGRAM.subn(r'<div class="site-diagram" markdown>\n\n\g<0>\n</div>\n', text)
    if diagrams:
        up = "../" * (len(path.relative_to(staged).parts) - 1)
        text += f'\n<script src="{up}{MERMAID}"></script>\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def index_rows(root: Path) -> dict[str, list[str]]:
    """Return the rows of the table in `docs/README.md` by reader, without their first cell."""
    rows: dict[str, list[str]] = {}
    reader = ""
    for line in (root / "docs" / "README.md").read_text(encoding="utf-8").splitlines():
        row = re.match(r"^\|([^|]*)(\|.+)$", line)
        if not row or row[1].strip() in ("reader", "---"):
            continue
        reader = row[1].strip() or reader
        rows.setdefault(reader, []).append(row[2])
    return rows


def index_entries(root: Path) -> list[Entry]:
    """Return the pages that `docs/README.md` lists, with the reader that each is for."""
    entries: list[Entry] = []
    for reader, rows in index_rows(root).items():
        for title, path in (
            link for row in rows for link in re.findall(r"\[([^\]]+)\]\(([^)#]+)\)", row.split("|")[1])
        ):
            place = (root / "docs" / path).resolve().relative_to(root).as_posix()
            if place not in [entry.path for entry in entries]:
                entries.append(Entry(reader, title.replace("`", ""), place))
    return entries


def chapter_page(reader: str) -> str:
    """Return the path of the page that opens the chapter of a reader."""
    return f"docs/for-{re.sub(r'[^a-z]+', '-', reader.lower())}.md"


def write_chapters(root: Path, staged: Path) -> None:
    """Write the page of each chapter: its rows of `docs/README.md`, also those that lead into a page of another one."""
    for reader, rows in index_rows(root).items():
        title = reader[:1].upper() + reader[1:]
        text = "\n".join([f"# {title}", "", "| page | what it has |", "|---|---|", *rows]) + "\n"
        write_page(staged / chapter_page(reader), staged, readable(text))


def readable(text: str) -> str:
    """Return a page in the form that the site's Markdown reads as code hosts do."""
    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        mark = FENCE.match(line)
        if fence:
            lines.append(line)
            if mark and line.strip() == fence:
                fence = ""
            continue
        if mark:
            fence = mark["mark"]
        before = lines[-1] if lines else ""
        if _begins_a_block(line, before):
            lines.append("")
        lines.append(_table_row(line) if line.startswith("|") else _nested(line))
    return "\n".join(lines) + "\n"


def _begins_a_block(line: str, before: str) -> bool:
    """Whether a list or a table begins below a paragraph, without the blank line that the site's Markdown needs."""
    if not before.strip() or before.startswith(("#", "<!--")):
        return False
    if line.startswith("|"):
        return not before.startswith("|")
    item = ITEM.match(line)
    return item is not None and not item["indent"] and not ITEM.match(before) and not before.startswith(" ")


def _nested(line: str) -> str:
    """An item of a list in a list, four blanks in."""
    item = ITEM.match(line)
    return line if item is None or not item["indent"] else " " * (len(item["indent"]) * 2) + line.lstrip()


def _table_row(line: str) -> str:
    """A row whose code has plain pipes: in code, the site's Markdown shows the backslash."""
    return re.sub(r"`[^`]*`", lambda code: code[0].replace("\\|", "|"), line)


def _relinked(text: str, root: Path, page: Path, pages: set[Path], staged: Path) -> str:
    """The page with links to folders as links to their pages; the files that it links to are copied."""

    def relink(link: re.Match[str]) -> str:
        path = link["path"]
        if not path or "://" in path or path.startswith("mailto:"):
            return link[0]
        target = (root / page.parent / path).resolve()
        place = target.relative_to(root)
        if target.is_dir():
            if place / "README.md" not in pages:
                raise SystemExit(f"{page}: the link to the folder `{path}` leads to no page; link to a file in it")
            return f"{link['head']}{path.rstrip('/')}/README.md{link['anchor'] or ''}{link['tail']}"
        if place not in pages:
            (staged / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(target, staged / place)
        return link[0]

    parts = re.split(r"(^```.*?^```|`[^`\n]*`)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if part.startswith("`") else LINK.sub(relink, part) for part in parts)
