"""The benchmark itself: its sources are repeatable, and both sides give the same answers on them.

Only a smoke test of `make bench`, whose numbers would mean nothing if the two sides did not do the same work.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.core

BENCHES = Path(__file__).resolve().parents[2] / "benches"
GOLD = ("drug_graph.json", "top_journals.json", "exclusive_drugs.json")


def load(name: str) -> ModuleType:
    """A module of `benches/`, which is a folder of programs and not a package."""
    spec = importlib.util.spec_from_file_location(f"benches_{name}", str(BENCHES / f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run(*command: object) -> None:
    subprocess.run([sys.executable, *map(str, command)], check=True)


def generate_every_dirt(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    """300 rows by a seed that was chosen because they hold every kind of dirt, and the check that they still do."""
    module = load("generate")
    draw, drawn = module.Publications.draw_dirt, set()

    def recorded(rows: object) -> str:
        dirt: str = draw(rows)
        drawn.add(dirt)
        return dirt

    monkeypatch.setattr(module.Publications, "draw_dirt", recorded)
    sources: tuple[Path, Path, Path] = module.generate(folder, 300, 50, seed=58)
    assert drawn >= set(module.DIRT), "choose another seed"
    return sources


def run_peer(drugs: Path, pubmed: list[Path], trials: Path, out: Path, *more: str) -> Path:
    articles = [text for path in pubmed for text in ("--pubmed", path)]
    peer = BENCHES / "peers" / "pandas_regex.py"
    run(peer, "--drugs", drugs, *articles, "--clinical-trials", trials, "--out", out, *more)
    return out


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    generate = load("generate").generate
    first, again, other = (generate(tmp_path / name, 500, 50, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    for path, repeated, different in zip(first, again, other):
        assert path.read_bytes() == repeated.read_bytes()
        assert path.read_bytes() != different.read_bytes()


@pytest.mark.parametrize("rows", [0, 1, 2, 300, 2000])
def test_as_many_rows_as_asked_for(tmp_path: Path, rows: int) -> None:
    sources = load("generate").generate(tmp_path, rows, 50)
    assert len(sources.drugs.read_text(encoding="utf-8").splitlines()) == 1 + 50
    texts = (path.read_text(encoding="utf-8") for path in (sources.pubmed, sources.clinical_trials))
    assert sum(len(text.splitlines()) for text in texts) == 2 + rows


@pytest.mark.parametrize("more", [(), ("--prefilter",)])
def test_the_peer_gives_the_expected_answers_on_the_four_files(
    corpora: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    pytest.importorskip("pandas")
    data = corpora / "servier"
    pubmed = [data / "pubmed.csv", data / "pubmed.json"]
    out = run_peer(data / "drugs.csv", pubmed, data / "clinical_trials.csv", tmp_path, *more)
    for name in ("top_journals.json", "exclusive_drugs.json"):
        assert read(out / name) == read(data / "expected" / name)
    wanted = {
        (mention["atccode"], mention["kind"], mention["date"], mention["journal"], mention["publication_id"])
        for mention in read(data / "expected" / "mentions.json")
    }
    known = {mention[-1] for mention in wanted}
    graph = read(out / "drug_graph.json")
    found = {
        (
            code,
            kind,
            *(graph[kind][key][column] for column in ("date", "journal")),
            key if key in known else "<synthetic>",
        )
        for code, drug in graph["drug"].items()
        for kind in ("clinical_trial", "pubmed")
        for key in drug[f"{kind}_id"]
    }
    assert found == wanted


def test_the_peer_and_drugs_rs_give_the_same_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("drugs_rs._core", reason="drugs_rs is not built for this Python")
    drugs, pubmed, trials = generate_every_dirt(tmp_path / "sources", monkeypatch)
    plain = run_peer(drugs, [pubmed], trials, tmp_path / "plain")
    filtered = run_peer(drugs, [pubmed], trials, tmp_path / "filtered", "--prefilter")
    for name in GOLD:
        assert (plain / name).read_bytes() == (filtered / name).read_bytes()
    lake = tmp_path / "lake"
    sources = ("--drugs", drugs, "--pubmed", pubmed, "--clinical-trials", trials)
    run("-m", "drugs_rs", "run", *sources, "--out", lake, "--dt", "2026-01-01", "--quiet", "--unit", "code")
    assert load("compare").compare(plain, lake / "gold") == []


def test_the_memory_of_a_day_is_measured_step_by_step(tmp_path: Path) -> None:
    run(BENCHES / "memory.py", "--records", "300", "--repeat", "1", "--threads", "1", "--out", tmp_path / "memory")
    record = json.loads((tmp_path / "memory" / "record.json").read_text(encoding="utf-8"))
    assert [one["step"] for one in record["results"]] == ["bronze", "silver", "gold", "run"]
    for one in record["results"]:
        assert one["day"].startswith("made-up: ") and one["threads"] == 1
        assert 20 * 2**20 < one["peak_bytes"] < 400 * 2**20 and one["seconds"] > 0
    assert record["results"][-1]["rows"] >= 300 and record["results"][-1]["mentions"] > 0
