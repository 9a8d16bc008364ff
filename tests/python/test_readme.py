"""What the README shows is run, in its order and in one folder, as a reader would who copies block by block.

`python` blocks run as programs; of `sh` blocks, the commands of this package. Commands that fetch or build it
(`git`, `make`, `pip` …) are what the tests stand on already, so they are passed over. A block below the remark
`<!-- not run: reason -->` is left alone.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fenced_blocks import Block, blocks

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
# First words of commands that fetch or build the package, or only change the folder.
PASSED_OVER = {"cd", "git", "make", "pip", "uv"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a clone to the commands of the README."""
    shutil.copytree(str(ROOT / "examples"), str(tmp_path / "examples"))
    return tmp_path


def environment() -> dict[str, str]:
    """This process's, with the `drugs-rs` and `python` under test first on PATH."""
    binaries = str(Path(sys.executable).parent)
    return dict(os.environ, PATH=os.pathsep.join([binaries, os.environ.get("PATH", "")]), COLUMNS="120")


def commands(text: str) -> list[str]:
    """The commands of a shell block: continued lines joined, prompts, remarks and shown output left out."""
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines()]
    prompted = [line[2:] for line in lines if line.startswith("$ ")]
    found = prompted or [line for line in lines if line and not line.startswith("#")]
    return [line for line in found if shlex.split(line, comments=True)[0] not in PASSED_OVER]


def run(block: Block, folder: Path, page: Path = README) -> int:
    """Run one block and return how many programs that were."""
    if block.language == "python":
        programs = [[sys.executable, "-W", "error", "-c", block.text]]
    else:
        programs = [["bash", "-euo", "pipefail", "-c", line] for line in commands(block.text)]
    for program in programs:
        done = subprocess.run(
            program,
            cwd=str(folder),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        output = done.stdout.decode("utf-8", "replace")
        assert done.returncode == 0, f"{page.name}, block at line {block.line}: {program[-1]}\n{output}"
    return len(programs)


def test_the_readme_s_blocks_run(folder: Path) -> None:
    ran = {"python": 0, "sh": 0}
    for block in blocks(README):
        if block.language in ran and block.not_run is None:
            ran[block.language] += run(block, folder)
    assert all(ran.values()), f"the README has no example of some kind any more: {ran}"


@pytest.mark.core
def test_the_blocks_about_the_tables_of_a_lake_run(folder: Path) -> None:
    """Those of the page of the lake, and the one that looks at rejected rows."""
    sources = ("--drugs", "drugs.csv"), ("--pubmed", "pubmed.csv"), ("--clinical-trials", "clinical_trials.csv")
    words = [word for flag, name in sources for word in (flag, f"examples/data/{name}")]
    line = shlex.join(["drugs-rs", "run", *words, "--out", "lake", "--dt", "2024-03-01"])
    assert run(Block("sh", line, 0, None), folder) == 1
    ran = 0
    for page in (ROOT / "docs" / "lake.md", ROOT / "docs" / "operations.md"):
        for block in blocks(page):
            is_wanted = page.name == "lake.md" or 'scan("rejected"' in block.text
            if block.language in ("python", "sh") and block.not_run is None and is_wanted:
                ran += run(block, folder, page)
    assert ran == 19


@pytest.mark.core
def test_the_blocks_about_the_ledger_run(folder: Path) -> None:
    """In their order, because they make the lake that they look into."""
    page = ROOT / "docs" / "ledger.md"
    ran = [run(block, folder, page) for block in blocks(page) if block.language in ("python", "sh")]
    assert sum(ran) == 12


@pytest.mark.core
def test_the_page_of_evidence_is_that_of_the_sample_files(folder: Path) -> None:
    """But for the time at which the state was made."""
    sources = {"drugs": "drugs.csv", "pubmed": "pubmed.csv", "clinical-trials": "clinical_trials.csv"}
    words = [word for name, file in sources.items() for word in (f"--{name}", f"examples/data/{file}")]
    subprocess.run(
        ["drugs-rs", "run", *words, "--pubmed", "examples/data/pubmed.json", "--out", "lake", "--dt", "2024-03-01"],
        cwd=str(folder), env=environment(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    found = subprocess.run(
        ["drugs-rs", "evidence", "lake", "metoprolol", "NCT99000102"],
        cwd=str(folder), env=environment(), check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    page = re.sub(r"(?<=committed at )[^)]*", "2024-03-01T06:00:00.000Z", found.stdout.decode("utf-8"))
    [shown] = [block.text for block in blocks(ROOT / "docs" / "ledger.md") if "metoprolol" in block.text]
    assert page == shown


def test_blocks_have_a_language_that_is_known_here() -> None:
    """A block marked `bash` or `py` would never run, unnoticed."""
    unknown = [(block.line, block.language) for block in blocks(README) if block.language not in LANGUAGES]
    assert unknown == []


LANGUAGES = {"python", "sh", "json", "mermaid", "text"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("make demo\ndrugs-rs --help\n", ["drugs-rs --help"]),
        ("# a remark\ndrugs-rs run \\\n    --out lake\n", ["drugs-rs run      --out lake"]),
        ("$ drugs-rs match\nshown output\n", ["drugs-rs match"]),
        ("git clone somewhere\ncd drugs_rs\n\nmake test   # everything\n", []),
    ],
)
def test_commands_of_a_block(text: str, wanted: list[str]) -> None:
    assert commands(text) == wanted


def test_blocks_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Text\n\n```python title\nx = 1\n\n```\n<!-- not run: too dear -->\n\n  ```sh\n  a\n  ```\n", encoding="utf-8"
    )
    assert list(blocks(page)) == [Block("python", "x = 1\n\n", 4, None), Block("sh", "a\n", 10, "too dear")]
