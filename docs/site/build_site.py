"""Builds the documentation as a site: the pages of the repository, and those made of the product itself.

`make docs` runs it. Nothing is downloaded, and nothing that the site has asks another server.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Iterable

import command_reference
import data_dictionary
import python_reference
import staged_pages

import drugs_rs

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "docs" / "site" / "mkdocs.yml"
# The script of Mermaid 11.16.0, as npm has it; the package that carries it to Python is small and could change.
MERMAID_SHA256 = "74d7c46dabca328c2294733910a8aa1ed0c37451776e8d5295da38a2b758fb9b"


def build(site: Path) -> None:
    """Build the site into a folder, which is replaced. Any link that leads nowhere is an error."""
    site = site.resolve()
    staged = site.with_name(site.name + "-pages")
    shutil.rmtree(staged, ignore_errors=True)
    staged_pages.stage_pages(ROOT, staged / "pages")
    staged_pages.write_chapters(ROOT, staged / "pages")
    made = write_made_pages(staged / "pages")
    write_assets(staged / "pages" / "assets")
    settings: dict[str, Any] = {
        "INHERIT": str(SETTINGS),
        "docs_dir": str(staged / "pages"),
        "site_dir": str(site),
        "nav": navigation(made),
    }
    file = staged / "mkdocs.yml"
    # JSON is YAML.
    file.write_text(json.dumps(settings, indent=2, ensure_ascii=False), encoding="utf-8")
    run_mkdocs(file)


def run_mkdocs(settings: Path) -> None:
    """Build the site; print what mkdocs says only if it fails.

    `--quiet` would do the same, but then `--strict` counts no warning, and broken links pass.
    """
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean", "--config-file", str(settings)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise SystemExit(done.stdout.decode("utf-8", "replace") + "the site was not built")


def write_made_pages(pages: Path) -> dict[str, list[str]]:
    """Write the pages that are made of the product, and return their paths by chapter."""
    reference = pages / "reference"
    package = Path(drugs_rs.__file__).resolve().parent
    made: dict[str, list[str]] = {"data": [], "command": [], "python": []}
    with tempfile.TemporaryDirectory() as scratch:
        for name, text in data_dictionary.pages(ROOT, Path(scratch)).items():
            made["data"].append(_written(pages, reference / f"{name}.md", text))
    for name, text in data_dictionary.contract_files().items():
        (reference / name).write_text(text, encoding="utf-8")
    for name, text in command_reference.pages():
        made["command"].append(_written(pages, reference / "command" / f"{name}.md", text))
    for name, text in python_reference.pages(package):
        made["python"].append(_written(pages, reference / "python" / f"{name}.md", staged_pages.readable(text)))
    return made


def write_assets(assets: Path) -> None:
    """Copy the style and the script of Mermaid, whose content is checked."""
    assets.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SETTINGS.with_name("site.css"), assets / "site.css")
    found = find_spec("artoo_mermaid")
    if found is None or found.origin is None:
        raise SystemExit("artoo-mermaid is not installed: run `make docs`")
    script = (Path(found.origin).parent / "assets" / "mermaid.min.js").read_bytes()
    if hashlib.sha256(script).hexdigest() != MERMAID_SHA256:
        raise SystemExit(
            "mermaid.min.js is not the file of npm's mermaid 11.16.0; compare it and change MERMAID_SHA256"
        )
    (assets / "mermaid.min.js").write_bytes(script)


def navigation(made: dict[str, list[str]]) -> list[Any]:
    """Return the order of all pages: by reader, as `docs/README.md` has them, then the reference."""
    chapters: dict[str, list[Any]] = {}
    for entry in staged_pages.index_entries(ROOT):
        if entry.path != "README.md":
            chapters.setdefault(entry.reader, []).append({_capital(entry.title): entry.path})
    rules = sorted(path.name for path in (ROOT / "docs" / "rules").glob("*.md") if path.name != "README.md")
    decisions = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    _open(chapters, "docs/rules/README.md", [{name[:-3]: f"docs/rules/{name}"} for name in rules])
    _open(chapters, "docs/decisions/README.md", [f"docs/decisions/{name}" for name in decisions])
    reference = [
        *made["data"],
        {"Commands": [made["command"][0], *_titled(made["command"][1:])]},
        {"Python": [made["python"][0], *_titled(made["python"][1:])]},
    ]
    titled = [
        {_capital(reader): [{"Overview": staged_pages.chapter_page(reader)}, *entries]}
        for reader, entries in chapters.items()
    ]
    return [{"Quick start": "README.md"}, {"All pages": "docs/README.md"}, *titled, {"Reference": reference}]


def _open(chapters: dict[str, list[Any]], page: str, below: list[Any]) -> None:
    """Make an entry of a chapter the head of further pages."""
    for entries in chapters.values():
        for number, entry in enumerate(entries):
            if page in entry.values():
                entries[number] = {title: [page, *below] for title in entry}
                return
    raise SystemExit(f"docs/README.md does not list {page}")


def _titled(paths: Iterable[str]) -> list[dict[str, str]]:
    return [{Path(path).stem: path} for path in paths]


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]


def _written(pages: Path, path: Path, text: str) -> str:
    """Write a page, and return its path below the others."""
    staged_pages.write_page(path, pages, text)
    return path.relative_to(pages).as_posix()


if __name__ == "__main__":
    build(Path(sys.argv[1]))
