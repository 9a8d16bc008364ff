"""What silver holds in memory does not grow with the number of files: as far as one file goes, many go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import drugs_rs

pytestmark = pytest.mark.core

DT = "2020-06-01"
# One for each thread, and more than are read at a time.
FEW = 2
FILES = 12


@pytest.fixture(scope="module", params=[True, False], ids=["new rows", "changing rows"])
def article_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of PubMed's XML, large enough to be read side by side with others."""
    out = tmp_path_factory.mktemp("made-up") / "sources"
    clean: bool = request.param
    drugs_rs.generate(
        out, articles=40_000, trials=0, articles_format="pubmed-xml", packing="gz", abstracts=1.0, clean=clean
    )
    (file,) = (out / "pubmed").iterdir()
    assert file.stat().st_size > 4 << 20, "smaller files share a lane"
    return file


def peak_of_silver(lake: Path, threads: int) -> int:
    """The most kilobytes that the step takes, in a process of its own with this many threads."""
    program = (
        f"import drugs_rs\ndrugs_rs.silver(out={str(lake)!r}, dt={DT!r})\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:')))\n"
    )
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    finished = subprocess.run(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, check=True, timeout=300
    )
    return int(finished.stdout)


@pytest.mark.parametrize("threads", [1, 2])
def test_many_files_take_the_memory_of_a_few(article_file: Path, threads: int, tmp_path: Path) -> None:
    """Once 200 files took 283 MB where one took 102: frames waited their turn, and memory was given back late.

    And twelve files with some changing rows took 276 MB where two took 154: nobody put their frames away.
    """
    peaks = {}
    for count in (FEW, FILES):
        folder, lake = tmp_path / f"{count}-files", tmp_path / f"{count}-lake"
        folder.mkdir()
        for number in range(count):
            (folder / f"{number:02}.xml.gz").symlink_to(article_file)
        drugs_rs.bronze(pubmed=folder, out=lake, dt=DT)
        peaks[count] = peak_of_silver(lake, threads)
    assert peaks[FILES] < 1.5 * peaks[FEW], peaks
    assert peaks[FILES] < 250_000, "kilobytes"
