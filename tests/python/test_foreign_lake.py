"""A lake from someone else: no path in it leads out of it, and no pipe in it blocks."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any, Callable

import pytest
from lake_tables import DT
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs.exceptions import StorageError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    (tmp_path / "drugs.csv").write_text("atccode,drug\nV03AB,velorin\n", encoding="utf-8")
    (tmp_path / "articles.csv").write_text("id,title,date,journal\n1,Velorin,2020,J\n", encoding="utf-8")
    drugs_rs.run(**arguments(tmp_path / "lake"))
    return tmp_path / "lake"


def arguments(lake: Path) -> dict[str, Any]:
    return {"drugs": lake.parent / "drugs.csv", "pubmed": lake.parent / "articles.csv", "out": lake, "dt": DT}


def run(lake: Path) -> str:
    """What the command says of a run; it ends within the time of the shell, whatever it meets."""
    sources = [f"--{name}={value}" for name, value in arguments(lake).items()]
    finished = shell("run", *sources, timeout=60)
    assert finished.returncode == 1, finished.stdout
    return finished.stderr.decode()


# The files that a run opens, as pipes without a writer.
PIPES = [
    ".lock",
    ".staging/123456-0/.alive",
    f".staging/locks/dt={DT}.lock",
    f"bronze/pubmed/dt={DT}/_manifest.json",
    f"silver/manifests/pubmed/dt={DT}.json",
    "gold/_manifest.json",
    "gold/drug_graph.json",
    f"bronze/pubmed/dt={DT}/articles.csv",
    f"silver/drugs/dt={DT}",
    f"reports/run/dt={DT}/run.json",
]


@pytest.mark.parametrize("path", PIPES)
def test_a_pipe_in_place_of_a_file_is_refused(path: str, lake: Path) -> None:
    pipe = lake / path
    pipe.parent.mkdir(parents=True, exist_ok=True)
    if pipe.is_dir():
        shutil.rmtree(str(pipe))
    elif pipe.exists():
        pipe.unlink()
    os.mkfifo(str(pipe))
    if path == ".lock":
        (lake.parent / "articles.csv").write_text("id,title,date,journal\n2,Velorin,2020,J\n", encoding="utf-8")
    told = run(lake)
    assert f"{path}: cannot" in told or f"{path}` is a pipe" in told
    assert "a pipe (FIFO) where a file" in told
    assert pipe.is_fifo()


@pytest.mark.parametrize("layer", ["bronze", "silver", "gold", "reports", ".staging", ".lock"])
def test_a_link_in_place_of_a_part_is_refused(layer: str, lake: Path) -> None:
    """A commit replaced the link by a folder and left what it led to as it was."""
    elsewhere = lake.parent / "elsewhere"
    if (lake / layer).exists():
        (lake / layer).rename(elsewhere)
    elif layer != ".lock":
        elsewhere.mkdir()
    (lake / layer).symlink_to(elsewhere)
    (lake.parent / "articles.csv").write_text("id,title,date,journal\n2,Velorin,2020,J\n", encoding="utf-8")
    told = run(lake)
    assert layer in told
    assert "a symbolic link" in told
    assert (lake / layer).is_symlink()


def test_the_lake_itself_may_be_a_link(lake: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(lake)
    (tmp_path / "articles.csv").write_text("id,title,date,journal\n2,Velorin,2020,J\n", encoding="utf-8")
    drugs_rs.run(**{**arguments(lake), "out": link})
    assert link.is_symlink()


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads(path.read_text())
    # To lead a path out of the lake, an attacker writes a digest that fits, or none.
    manifest.pop("sha256")
    change(manifest)
    path.write_text(json.dumps(manifest, indent=2) + "\n")


@pytest.mark.parametrize("name", ["../../../../secret.csv", "x/../../../../../secret.csv"])
def test_a_manifest_leads_nowhere_else(name: str, lake: Path) -> None:
    secret = lake.parent / "secret.csv"
    secret.write_text("id,title,date,journal\n7,Velorin in secret,2020,J\n", encoding="utf-8")

    def name_it(manifest: dict[str, Any]) -> None:
        manifest["files"][0].update(file=name, bytes=secret.stat().st_size, sha256="0" * 64)

    edit(lake / "bronze" / "pubmed" / f"dt={DT}" / "_manifest.json", name_it)
    with pytest.raises(StorageError, match=r"leads out of the lake") as caught:
        drugs_rs.silver(out=lake, dt=DT)
    assert name in str(caught.value)


def test_an_output_of_a_manifest_leads_nowhere_else(lake: Path) -> None:
    """Gold links the files of mentions that it keeps by the paths of its manifest."""
    edit(lake / "gold" / "_manifest.json", lambda manifest: each_path(manifest, "../secret.parquet"))
    with pytest.raises(StorageError, match=r"`\.\./secret\.parquet` leads out of the lake"):
        drugs_rs.gold(out=lake, dt=DT)


def each_path(value: Any, path: str) -> None:
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if key == "path":
            value[key] = path
        elif isinstance(inner, (dict, list)):
            each_path(inner, path)


def test_gold_removes_what_it_made_and_nothing_else(lake: Path) -> None:
    """A manifest that names a copy in bronze as a file of gold had it removed by the next gold."""
    bronze = lake / "bronze" / "pubmed" / f"dt={DT}" / "articles.csv"
    name = bronze.relative_to(lake).as_posix()

    def add(manifest: dict[str, Any]) -> None:
        manifest["outputs"].append({"path": name, "rows": 0, "bytes": bronze.stat().st_size, "sha256": "0" * 64})

    edit(lake / "gold" / "_manifest.json", add)
    assert drugs_rs.gold(out=lake, dt=DT, abstracts=True)["unchanged"] is False
    assert bronze.is_file()


def interrupted(lake: Path, unit: str) -> Path:
    """A lake with the journal of a commit that was killed, as somebody else may hand it over."""
    staging = lake / ".staging" / "4000000-0"
    (staging / "new").mkdir(parents=True)
    (staging / ".alive").touch()
    journal = {"staging": staging.name, "units": [{"path": unit, "new": None}]}
    (lake / ".staging" / "commit").write_text(json.dumps(journal))
    return staging


@pytest.mark.parametrize("target", ["../outside", "/tmp/outside", "x/../../outside"])
def test_an_interrupted_commit_takes_nothing_out_of_the_lake(target: str, lake: Path) -> None:
    outside = lake.parent / "outside"
    outside.write_text("mine")
    staging = interrupted(lake, target)
    with pytest.raises(StorageError, match=r"\.staging/commit: .*`.*outside` leads out of the lake"):
        drugs_rs.hold(lake, DT, reason="a test")
    assert outside.read_text() == "mine"
    assert (staging / "new").is_dir(), "nothing is lost"


def test_an_interrupted_commit_brings_no_link_in(lake: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    staging = interrupted(lake, "notes")
    (staging / "new" / "notes").symlink_to(tmp_path / "secret")
    found = (staging / "new" / "notes").lstat()
    journal = {"staging": staging.name, "units": [{"path": "notes", "new": [found.st_dev, found.st_ino]}]}
    (lake / ".staging" / "commit").write_text(json.dumps(journal))
    with pytest.raises(StorageError, match="a symbolic link where a file or a folder should be"):
        drugs_rs.hold(lake, DT, reason="a test")
    assert not (lake / "notes").is_symlink()
