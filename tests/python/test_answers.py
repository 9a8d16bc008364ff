"""The published answers, checked against the digests of gold before anybody gets them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import drugs_rs
from drugs_rs.exceptions import FormatError, SourceNotFoundError


@pytest.fixture
def lake(sample_lake: Path, tmp_path: Path) -> Path:
    """A lake that a test may spoil."""
    copied = tmp_path / "lake"
    shutil.copytree(str(sample_lake), str(copied))
    return copied


def test_answers_are_those_of_the_files_in_their_order(sample_lake: Path) -> None:
    answers = drugs_rs.read_answers(sample_lake)
    assert answers["as_of"] == "2024-03-01"
    for name in ("top_journals", "exclusive_drugs"):
        wanted = json.loads((sample_lake / "gold" / (name + ".json")).read_text(encoding="utf-8"))
        assert list(answers[name].items()) == list(wanted.items())


@pytest.mark.parametrize("name", ["drug_graph.json", "top_journals.json", "exclusive_drugs.json"])
def test_a_file_that_somebody_changed_is_refused(name: str, lake: Path) -> None:
    path = lake / "gold" / name
    path.write_bytes(path.read_bytes().replace(b"A", b"B", 1))
    with pytest.raises(FormatError, match=name + ".*another file than the one that the gold step wrote"):
        drugs_rs.read_answers(lake)
    path.unlink()
    with pytest.raises(SourceNotFoundError, match=name + ".*run the gold step first"):
        drugs_rs.read_answers(lake)


def test_memory_does_not_grow_with_the_graph(lake: Path) -> None:
    """A task that wanted one answer once held the whole graph, of 1.69 million publications in 893 MB."""
    graph, manifest = lake / "gold" / "drug_graph.json", lake / "gold" / "_manifest.json"
    before = hashlib.sha256(graph.read_bytes()).hexdigest()
    with graph.open("ab") as file:
        file.writelines([b" " * (1 << 20)] * 300)
    after = hashlib.sha256(graph.read_bytes()).hexdigest()
    told = json.loads(manifest.read_text(encoding="utf-8").replace(before, after))
    del told["sha256"]
    manifest.write_text(json.dumps(told), encoding="utf-8")
    program = (
        "import drugs_rs\n"
        "def peak():\n"
        "    return int(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:')))\n"
        "before = peak()\n"
        f"drugs_rs.read_answers({str(lake)!r})\n"
        "print(peak() - before)\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, timeout=300)
    assert int(finished.stdout) < 50_000, "kilobytes for a graph of 300 megabytes"


def test_a_lake_without_gold_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="run the gold step first"):
        drugs_rs.read_answers(tmp_path)
