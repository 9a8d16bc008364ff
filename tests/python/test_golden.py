"""Whole outputs of the sample files, compared with `tests/golden/`.

The JSON files there come from `reference.py`, which is no part of the package and knows nothing of how it works. The
summary for people is the command's own: `DRUGS_RS_UPDATE_GOLDEN=1 pytest tests/python/test_golden.py` writes it anew,
and its difference is to be read like code.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from lake_tables import DT, whole_numbers
from reference import SYNTHETIC, answers
from shell import drugs_rs as shell
from written_sources import whole_sample

import drugs_rs

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
UUID5 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
JSON_FILES = ("drug_graph.json", "exclusive_drugs.json", "top_journals.json")


@pytest.fixture
def lake(samples: Path, tmp_path: Path) -> Path:
    """A lake that holds the sample."""
    drugs_rs.run(out=tmp_path / "lake", dt=DT, **whole_sample(samples))
    return tmp_path / "lake"


def comparable(value: object) -> object:
    """Lists in one order: the golden files fix what the outputs hold, byte-repeatability is tested elsewhere."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((comparable(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def golden(name: str) -> dict[str, Any]:
    """One parsed golden file."""
    found: dict[str, Any] = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", JSON_FILES)
def test_golden_files_follow_from_the_rules(name: str, samples: Path) -> None:
    """A sample that was edited without its golden files, or the other way round, shows here."""
    assert golden(name) == json.loads(json.dumps(answers(samples)[name]))


@pytest.mark.parametrize("name", JSON_FILES)
def test_outputs_are_the_golden_ones(name: str, lake: Path) -> None:
    text = (lake / "gold" / name).read_text(encoding="utf-8")
    assert comparable(json.loads(UUID5.sub(SYNTHETIC, text))) == comparable(golden(name))


def test_journals_are_ordered_by_their_drugs(lake: Path) -> None:
    found = json.loads((lake / "gold" / "top_journals.json").read_text(encoding="utf-8"))
    assert list(found) == list(golden("top_journals.json"))


def test_the_record_without_id_has_a_uuid(lake: Path) -> None:
    """Without it the only mention of diazepam would be lost."""
    graph = json.loads((lake / "gold" / "drug_graph.json").read_text(encoding="utf-8"))
    (identifier,) = graph["drug"]["N05BA01"]["pubmed_id"]
    assert UUID5.fullmatch(identifier)


def pairs_in_order(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert names == sorted(names), f"keys are not sorted: {names[:5]}"
    assert len(set(names)) == len(names), "a key stands twice"
    return dict(pairs)


def test_the_graph_has_sorted_keys_and_plain_utf8(lake: Path) -> None:
    content = (lake / "gold" / "drug_graph.json").read_bytes()
    json.loads(content.decode("utf-8"), object_pairs_hook=pairs_in_order)
    assert "Cahiers de médecine générale".encode() in content
    assert b"\\u" not in content, "letters are written as themselves"
    assert not content.startswith(b"\xef\xbb\xbf")


def test_ids_and_entries_stand_once(lake: Path) -> None:
    graph = json.loads((lake / "gold" / "drug_graph.json").read_text(encoding="utf-8"))
    for code, drug in graph["drug"].items():
        for kind in ("clinical_trial", "pubmed"):
            identifiers = drug[kind + "_id"]
            assert len(set(identifiers)) == len(identifiers), code
            assert set(identifiers) <= set(graph[kind]), "an id without its publication"


def test_report_counts_what_the_sample_documents(samples: Path, tmp_path: Path) -> None:
    """The numbers of `examples/README.md`."""
    report = drugs_rs.run(out=tmp_path / "lake", dt=DT, **whole_sample(samples))
    assert whole_numbers(report) == {"rows_in": 35, "rows_kept": 32, "rows_merged": 1, "rows_rejected": 2}
    assert report["rejected"] == {"blank_title": 2}
    wanted = {
        "synthetic_id": 1,
        "merged_halves": 1,
        "bad_date": 1,
        "decoded_escapes": 2,
        "removed_escapes": 1,
        "not_atc": 1,
    }
    assert {name: report["flags"].get(name) for name in wanted} == wanted
    gold_report = report["steps"][-1]
    assert (gold_report["mentions"], gold_report["pairs"], gold_report["journals"]) == (23, 23, 6)


def without_times(summary: str) -> str:
    """Durations and made-up ids are the only things that change from run to run."""
    return UUID5.sub(SYNTHETIC, re.sub(r"\b\d+(\.\d+)? ?(ms|s|seconds?)\b", "<time>", summary))


def test_summary_for_people(samples: Path, tmp_path: Path) -> None:
    """Started in a folder of its own with relative paths, so that no path of a machine is in the summary."""
    shutil.copytree(str(samples), str(tmp_path / "data"))
    sources = whole_sample(Path("data"))
    arguments = ["run", "--drugs", sources["drugs"], "--pubmed", sources["pubmed"][0], "--pubmed", sources["pubmed"][1]]
    arguments += ["--clinical-trials", sources["clinical_trials"][0], "--out", "lake", "--dt", DT]
    finished = shell(*arguments, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr.decode()
    summary = without_times(finished.stdout.decode("utf-8"))
    for word in ("PARACETAMOL", "Journal of Coastal Medicine", "Northern Archives of Cardiology", "lake"):
        assert word in summary
    path = GOLDEN / "summary.txt"
    if os.environ.get("DRUGS_RS_UPDATE_GOLDEN") == "1":
        path.write_text(summary, encoding="utf-8")
    assert path.exists(), "no golden summary yet: run with DRUGS_RS_UPDATE_GOLDEN=1 and read what it writes"
    assert summary == path.read_text(encoding="utf-8")
