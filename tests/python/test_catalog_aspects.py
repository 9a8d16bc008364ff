"""The aspects for Knowledge Catalog: what they say, and that the commands of the page load them.

The `gcloud` here is a program of the tests. It refuses what the service refuses by its documentation: an aspect of a
type that is not there, a field that its template lacks, a missing required field, a column that the table lacks, too
many aspects.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fenced_blocks import blocks

import drugs_rs
from drugs_rs.bigquery import write_aspects
from drugs_rs.exceptions import ArgumentError

# The files do not depend on the interpreter.
pytestmark = pytest.mark.core

PAGE = Path(__file__).resolve().parents[2] / "docs" / "bigquery.md"
GCLOUD = Path(__file__).resolve().parent / "programs" / "gcloud_dataplex.py"
PYTHON_BLOCK, SHELL_BLOCK = (
    block for block in blocks(PAGE) if "write_aspects" in block.text or "gcloud dataplex" in block.text
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the page writes, and the `gcloud` of the tests beside it."""
    subprocess.run([sys.executable, "-c", PYTHON_BLOCK.text], cwd=str(tmp_path), check=True, stdout=subprocess.DEVNULL)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "gcloud"
    shutil.copy(str(GCLOUD), str(program))
    program.chmod(0o755)
    columns = {name: list(table["properties"]) for name, table in tables().items()}
    (tmp_path / "service.json").write_text(json.dumps({"columns": columns, "types": {}, "entries": {}}))
    return tmp_path


def tables() -> dict[str, Any]:
    """The tables by name, as JSON Schema."""
    found: dict[str, Any] = json.loads(drugs_rs.describe_tables(format="json"))["$defs"]
    return found


def run_commands(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of the page with that `gcloud`."""
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "SERVICE": str(folder / "service.json")}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", SHELL_BLOCK.text],
        cwd=str(folder), env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_commands_of_the_page_bring_every_column_its_term(folder: Path) -> None:
    done = run_commands(folder)
    assert done.returncode == 0, done.stderr
    entries = json.loads((folder / "service.json").read_text(encoding="utf-8"))["entries"]
    assert sorted(entries) == sorted(tables())
    for name, table in tables().items():
        for column, its in table["properties"].items():
            data = entries[name][f"my-project.eu.drugs-rs-column@Schema.{column}"]["data"]
            assert (data["business_term"], data["meaning"]) == (its["title"], its["description"])
            assert json.loads(data["example"]) == its["examples"][0]
    about = entries["mentions"]["my-project.eu.drugs-rs-table"]["data"]
    # The page says that the commands can be repeated; they once ended at a type that was there.
    again = run_commands(folder)
    assert again.returncode == 0, again.stderr
    assert json.loads((folder / "service.json").read_text(encoding="utf-8"))["entries"] == entries
    assert about["key"] == "kind, publication_id, field, start, end, atccode, drug"
    assert about["meaning"] == tables()["mentions"]["description"]


def test_the_number_on_the_page_is_that_of_the_widest_table(folder: Path) -> None:
    widest = max(len(json.loads(file.read_text(encoding="utf-8"))) for file in folder.glob("aspects/*.aspects.json"))
    [number] = re.findall(r"the widest table has (\d+)", PAGE.read_text(encoding="utf-8"))
    assert int(number) == widest


@pytest.mark.parametrize(
    ("key", "data", "told"),
    [
        ("my-project.eu.drugs-rs-other", {}, "aspect type"),
        ("my-project.eu.drugs-rs-table", {"meaning": "x", "key": "y", "more": "z"}, "Unknown property"),
        ("my-project.eu.drugs-rs-table", {"meaning": "x"}, "required"),
        (
            "my-project.eu.drugs-rs-column@Schema.nowhere",
            {"business_term": "a", "meaning": "b", "example": "c"},
            "path",
        ),
    ],
)
def test_what_the_service_refuses_ends_the_commands(folder: Path, key: str, data: Any, told: str) -> None:
    file = folder / "aspects" / "mentions.aspects.json"
    aspects = {**json.loads(file.read_text(encoding="utf-8")), key: {"data": data}}
    file.write_text(json.dumps(aspects), encoding="utf-8")
    done = run_commands(folder)
    assert done.returncode != 0 and told in done.stderr


def test_files_are_the_same_each_time_and_replace_old_ones(tmp_path: Path) -> None:
    paths = [Path(path) for path in write_aspects(tmp_path / "new" / "aspects", project="p-1", location="eu")]
    first = [path.read_bytes() for path in paths]
    assert paths == [Path(path) for path in write_aspects(tmp_path / "new" / "aspects", project="p-1", location="eu")]
    assert [path.read_bytes() for path in paths] == first
    assert len(paths) == 2 + len(tables())


@pytest.mark.parametrize("wrong", ["", "My Project", "a.b", "a@b"])
def test_an_id_that_is_none_is_refused_before_anything_is_written(tmp_path: Path, wrong: str) -> None:
    for arguments in ({"project": wrong, "location": "eu"}, {"project": "p-1", "location": wrong}):
        with pytest.raises(ArgumentError, match="expected one such as"):
            write_aspects(tmp_path / "aspects", **arguments)
    assert not (tmp_path / "aspects").exists()
