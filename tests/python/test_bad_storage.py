"""An output that cannot be written: the error names it, and the old state is untouched to the byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Iterator

import pytest
from generated_input import generate
from lake_state import hashes
from lake_tables import DT
from shell import drugs_rs as shell
from shell import program, run_arguments
from written_sources import whole_sample

import drugs_rs
from drugs_rs.exceptions import StorageError

pytestmark = pytest.mark.core

LATER = "2020-07-01"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter: pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="drugs-rs-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(str(folder))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte."""
    point = tmp_path / "small_disk"
    point.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(point)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("no tmpfs can be mounted here: " + mounted.stdout.decode("utf-8", "replace").strip())
    yield point
    subprocess.run(["umount", str(point)], check=True)


def close(folder: Path) -> None:
    """Take away every right to write; existing files stay readable for all."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def raised(*arguments: str) -> dict[str, Any]:
    """Run a program of `programs/` and return what it says was raised."""
    finished = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        timeout=120,
        check=False,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    answer: dict[str, Any] = json.loads(finished.stdout)
    return answer


def copied_sample(samples: Path, folder: Path) -> dict[str, Any]:
    """The sample where any user can read it."""
    shutil.copytree(str(samples), str(folder / "data"))
    close(folder / "data")
    return whole_sample(folder / "data")


def test_no_permission(samples: Path, open_folder: Path) -> None:
    lake = open_folder / "lake"
    sources = copied_sample(samples, open_folder)
    drugs_rs.run(out=lake, dt=DT, **sources)
    before = hashes(lake)
    close(lake)
    answer = raised(str(program("run_without_rights")), json.dumps(dict(sources, out=str(lake), dt=LATER)))
    assert answer["error"] == "StorageError"
    assert answer["os"], "code that never heard of this package catches an OSError"
    assert str(lake) in answer["message"]
    assert "ermission" in answer["message"]
    assert hashes(lake) == before


def test_no_permission_to_make_the_lake(samples: Path, open_folder: Path) -> None:
    sources = copied_sample(samples, open_folder)
    closed = open_folder / "closed"
    closed.mkdir()
    close(closed)
    answer = raised(str(program("run_without_rights")), json.dumps(dict(sources, out=str(closed / "lake"), dt=DT)))
    assert answer["error"] == "StorageError"
    assert str(closed / "lake") in answer["message"]
    assert list(closed.iterdir()) == []


def test_source_without_permission_is_named(samples: Path, open_folder: Path) -> None:
    """A source is no storage: the reader has to know which of the two to open up."""
    sources = copied_sample(samples, open_folder)
    # Readable only by its owner, or by nobody if the program cannot become another user.
    (open_folder / "data" / "pubmed.json").chmod(0o400 if os.geteuid() == 0 else 0)
    open_folder.chmod(0o777)
    answer = raised(str(program("run_without_rights")), json.dumps(dict(sources, out=str(open_folder / "lake"), dt=DT)))
    assert answer["error"] is not None
    assert "pubmed.json" in answer["message"]
    assert "ermission" in answer["message"]


@pytest.mark.parametrize("source", ["day-*/*.csv", "day-*/a.csv", "**/*.csv", "**/a.csv", "day-2"])
@pytest.mark.parametrize("mode", [0o444, 0o000])
def test_a_folder_that_may_not_be_searched_is_told(open_folder: Path, source: str, mode: int) -> None:
    # A glob skipped its files silently, and the folder itself was called empty.
    for day in ("day-1", "day-2", "day-3"):
        (open_folder / day).mkdir()
        (open_folder / day / "a.csv").write_text("id,title,date,journal\n1,T,2020,J\n", encoding="utf-8")
    open_folder.chmod(0o777)
    (open_folder / "day-2").chmod(mode)
    sources = {"drugs": str(open_folder / "day-1"), "pubmed": str(open_folder / source)}
    arguments = json.dumps({**sources, "out": str(open_folder / "lake"), "dt": DT})
    try:
        answer = raised(str(program("run_without_rights")), arguments)
    finally:
        (open_folder / "day-2").chmod(0o755)
    assert answer["error"] == "StorageError"
    assert "day-2" in answer["message"]
    assert "ermission" in answer["message"]


def test_full_disk(samples: Path, small_disk: Path, tmp_path: Path) -> None:
    lake = small_disk / "lake"
    drugs_rs.run(out=lake, dt=DT, **whole_sample(samples))
    before = hashes(lake)
    with pytest.raises(StorageError) as caught:
        drugs_rs.run(out=lake, dt=LATER, **generate(tmp_path / "big", "big", 20000))
    assert str(lake) in str(caught.value)
    after = hashes(lake)
    assert {path: after.get(path) for path in before} == before
    # The files of the failed step are removed, or there would be no more room.
    report = drugs_rs.run(out=lake, dt=LATER, **whole_sample(samples))
    assert report["rows_in"] == 35


@pytest.mark.parametrize("limit", [0, 100, 1000, 100000])
def test_write_that_fails_half_way(limit: int, samples: Path, tmp_path: Path) -> None:
    """From the first byte (no file can be written) to the largest file alone."""
    lake = tmp_path / "lake"
    drugs_rs.run(out=lake, dt=DT, **whole_sample(samples))
    before = hashes(lake)
    sources = generate(tmp_path / "big", "big", 3000)
    assert Path(sources["pubmed"]).stat().st_size > 100000
    arguments = json.dumps(dict(sources, out=str(lake), dt=LATER))
    answer = raised(str(program("run_with_small_files")), str(limit), arguments)
    assert answer["error"] == "StorageError"
    assert str(lake) in answer["message"]
    after = hashes(lake)
    assert {path: after.get(path) for path in before} == before
    # The files that remain after the failure do not block the next run.
    again = drugs_rs.run(out=lake, dt=LATER, **sources)
    made = json.loads((tmp_path / "big" / "_generated.json").read_text(encoding="utf-8"))
    assert again["rows_in"] == made["truth"]["pubmed"]["rows_in"] + made["settings"]["drugs"]


def test_output_that_is_a_file(samples: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake.write_bytes(b"somebody's notes")
    with pytest.raises(StorageError, match="lake"):
        drugs_rs.run(out=lake, dt=DT, **whole_sample(samples))
    assert lake.read_bytes() == b"somebody's notes"
    finished = shell(*run_arguments(whole_sample(samples), lake, DT))
    assert finished.returncode == 1
    assert str(lake) in finished.stderr.decode("utf-8")
    assert finished.stdout == b""
    assert lake.read_bytes() == b"somebody's notes"


def test_layer_that_is_a_file(samples: Path, tmp_path: Path) -> None:
    """The first steps succeed here; the one that cannot write says so and leaves the file."""
    lake = tmp_path / "lake"
    lake.mkdir()
    (lake / "gold").write_bytes(b"somebody's notes")
    with pytest.raises(StorageError, match="gold"):
        drugs_rs.run(out=lake, dt=DT, **whole_sample(samples))
    assert (lake / "gold").read_bytes() == b"somebody's notes"
