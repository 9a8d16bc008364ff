"""The published answers, held against the graph before anybody gets them."""

from __future__ import annotations

import json
import shutil
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


def test_an_answer_that_the_graph_does_not_give_is_refused(lake: Path) -> None:
    """Even where the manifest vouches for its bytes: that is what a bug of ours would look like."""
    import hashlib

    answer, manifest = lake / "gold" / "top_journals.json", lake / "gold" / "_manifest.json"
    before = hashlib.sha256(answer.read_bytes()).hexdigest()
    answer.write_bytes(answer.read_bytes().replace(b": 3", b": 4"))
    after = hashlib.sha256(answer.read_bytes()).hexdigest()
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(FormatError, match="an answer that the graph beside it does not give"):
        drugs_rs.read_answers(lake)


def test_a_lake_without_gold_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="run the gold step first"):
        drugs_rs.read_answers(tmp_path)
