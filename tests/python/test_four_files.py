"""The four files that the pipeline was first asked to process give exactly the expected mentions and answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from lake_state import GOLD_FILES, sha256
from lake_tables import DT, conserved, mentions, rejected, source_of
from shell import drugs_rs as shell
from shell import run_arguments

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

SYNTHETIC = "<synthetic>"


@pytest.fixture
def sources(corpora: Path) -> dict[str, Any]:
    """The arguments of `drugs_rs.run` for the four files."""
    folder = corpora / "servier"
    return {
        "drugs": str(folder / "drugs.csv"),
        "pubmed": [str(folder / "pubmed.csv"), str(folder / "pubmed.json")],
        "clinical_trials": str(folder / "clinical_trials.csv"),
    }


@pytest.fixture
def expected(corpora: Path) -> dict[str, Any]:
    """The expected mentions and answers, by the file's stem."""
    folder = corpora / "servier" / "expected"
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}


def gold(lake: Path, name: str) -> dict[str, Any]:
    """One parsed gold file."""
    found: dict[str, Any] = json.loads((lake / "gold" / (name + ".json")).read_text(encoding="utf-8"))
    return found


def test_mentions_are_the_expected_ones(sources: dict[str, Any], expected: dict[str, Any], tmp_path: Path) -> None:
    drugs_rs.run(out=tmp_path, dt=DT, **sources)
    graph = gold(tmp_path, "drug_graph")
    wanted = {tuple(row[name] for name in sorted(row)) for row in expected["mentions"]}
    known = {row["publication_id"] for row in expected["mentions"]}
    found: set[tuple[Any, ...]] = set()
    for code, drug in graph["drug"].items():
        for kind in ("clinical_trial", "pubmed"):
            for identifier in drug[kind + "_id"]:
                publication = graph[kind][identifier]
                shown = identifier if identifier in known else SYNTHETIC
                # In the alphabetical order of the expected file's keys.
                found.add((code, publication["date"], drug["name"], publication["journal"], kind, shown))
    assert found == wanted
    assert len(wanted) == 19
    assert sum(len(entries) for entries in graph["journal"].values()) == 19
    assert len(graph["journal"]) == 10
    assert len(mentions(tmp_path)) >= 19, "the table has every place of a mention, so never fewer than the graph"


def test_answers_are_the_expected_ones(sources: dict[str, Any], expected: dict[str, Any], tmp_path: Path) -> None:
    drugs_rs.run(out=tmp_path, dt=DT, **sources)
    top = gold(tmp_path, "top_journals")
    assert top == expected["top_journals"]
    assert list(top) == list(expected["top_journals"]), "largest first, ties in name order"
    assert gold(tmp_path, "exclusive_drugs") == expected["exclusive_drugs"]


def test_the_graph_object_answers_like_the_files(
    sources: dict[str, Any], expected: dict[str, Any], tmp_path: Path
) -> None:
    drugs_rs.run(out=tmp_path, dt=DT, **sources)
    graph = drugs_rs.read_graph(tmp_path)
    best = max(expected["top_journals"].values())
    assert graph.top_journals() == {name: n for name, n in expected["top_journals"].items() if n == best}
    assert len(graph.top_journals()) == 3, "three journals share the first place and none is dropped"
    for code, others in expected["exclusive_drugs"].items():
        assert graph.exclusive_drugs(code) == others, code
    pairs = {(row["atccode"], row["kind"], row["publication_id"]) for row in graph.mentions().to_dicts()}
    assert len(pairs) == 19
    assert graph.journals().num_rows == 10
    assert graph.drugs().num_rows == 7
    assert graph.to_json().encode("utf-8") == (tmp_path / "gold" / "drug_graph.json").read_bytes()


def test_python_and_shell_write_the_same_bytes(sources: dict[str, Any], tmp_path: Path) -> None:
    drugs_rs.run(out=tmp_path / "python", dt=DT, **sources)
    finished = shell(*run_arguments(sources, tmp_path / "shell", DT))
    assert finished.returncode == 0, finished.stderr.decode()
    for name in GOLD_FILES:
        assert sha256(tmp_path / "python" / "gold" / name) == sha256(tmp_path / "shell" / "gold" / name), name


def test_every_row_is_accounted_for(sources: dict[str, Any], tmp_path: Path) -> None:
    report = drugs_rs.run(out=tmp_path, dt=DT, **sources)
    assert conserved(report) is None, conserved(report)
    # name → rows in, kept, merged, rejected, counted in the files by hand.
    counts = {
        "drugs.csv": (7, 7, 0, 0),
        "pubmed.csv": (8, 8, 0, 0),
        "pubmed.json": (5, 5, 0, 0),
        "clinical_trials.csv": (8, 6, 1, 1),
    }
    for name, count in counts.items():
        source = source_of(report, name)
        assert tuple(source["rows_" + part] for part in ("in", "kept", "merged", "rejected")) == count, name
    assert source_of(report, "pubmed.csv")["blank_lines"] == 1, "the line of only a tab is no row"
    assert source_of(report, "clinical_trials.csv")["merged"]["half_row"] == 1
    (refused,) = rejected(tmp_path, "clinical_trial")
    assert (refused["reason"], refused["source_row"]) == ("blank_title", 4)
    assert "NCT04237090" in refused["raw"]
