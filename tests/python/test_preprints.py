"""Preprints, a kind that only some lakes have: through every layer, and without a trace in lakes without them."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from lake_tables import mentions, publications
from shell import drugs_rs as shell
from written_sources import pubmed_elements, write, write_drugs, write_pubmed, write_trials

import drugs_rs
from drugs_rs import schemas
from drugs_rs.exceptions import ArgumentError

ROOT = Path(__file__).resolve().parents[2]
DAYS = ("2024-03-01", "2024-03-02", "2024-03-03")
DRUGS = [("B01AA03", "WARFARIN"), ("N02BE01", "PARACETAMOL"), ("C01AA05", "DIGOXIN")]


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    """All three kinds; preprints as JSON."""
    preprints = [
        ("10.1101/1", "Warfarin and paracetamol", "2021-02-03", "medRxiv"),
        ("10.1101/2", "Nothing", "2021", "bioRxiv"),
        ("10.1101/3", "Digoxin", "2021", "Annals"),
    ]
    return {
        "drugs": write_drugs(tmp_path / "drugs.csv", *DRUGS),
        "pubmed": write_pubmed(tmp_path / "pubmed.csv", ("1", "Warfarin", "2020", "Annals")),
        "clinical_trials": write_trials(tmp_path / "trials.csv", ("N1", "Paracetamol", "2020", "Circulation")),
        "preprints": write(tmp_path / "preprints.json", json.dumps(pubmed_elements(preprints))),
    }


def graph_of(lake: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((lake / "gold" / "drug_graph.json").read_text(encoding="utf-8"))
    return found


def files(lake: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((lake / "gold").glob("*.json")) if path.name[0] != "_"}


def test_preprints_pass_every_layer(sources: dict[str, Path], tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    lake = tmp_path / "lake"
    report = drugs_rs.run(**sources, out=lake, dt=DAYS[0])  # type: ignore[arg-type]
    assert (lake / "bronze" / "preprints" / f"dt={DAYS[0]}" / "preprints.json").exists()
    assert [row["kind"] for row in publications(lake, "preprint", DAYS[0])] == ["preprint"] * 3
    assert {row["kind"] for row in mentions(lake, DAYS[0])} == {"pubmed", "clinical_trial", "preprint"}
    graph = graph_of(lake)
    jsonschema.validate(graph, schemas.drug_graph())
    assert list(graph) == ["clinical_trial", "drug", "journal", "preprint", "pubmed"]
    assert graph["preprint"]["10.1101/1"] == {"date": "2021-02-03", "journal": "medRxiv"}
    assert list(graph["drug"]["B01AA03"].items()) == [
        ("clinical_trial_id", []),
        ("name", "WARFARIN"),
        ("preprint_id", ["10.1101/1"]),
        ("pubmed_id", ["1"]),
    ]
    assert report["steps"][-1]["publications"] == 5
    # Journals of preprints count, but they share no drug exclusively: digoxin is in Annals through a preprint alone.
    assert drugs_rs.read_answers(lake)["top_journals"] == {"Annals": 2, "medRxiv": 2, "Circulation": 1}
    assert drugs_rs.read_answers(lake)["exclusive_drugs"] == {"B01AA03": [], "C01AA05": [], "N02BE01": []}


def test_the_graph_is_read_back_with_them(sources: dict[str, Path], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drugs_rs.run(**sources, out=lake, dt=DAYS[0])  # type: ignore[arg-type]
    graph = drugs_rs.read_graph(lake)
    assert graph.to_json().encode("utf-8") == files(lake)["drug_graph.json"]
    assert repr(graph) == "DrugGraph(3 drugs, 1 PubMed articles, 1 clinical trials, 3 preprints, 5 pairs)"
    assert graph.drugs().to_dicts()[0] == {
        "atccode": "B01AA03",
        "drug": "WARFARIN",
        "substance": "warfarin",
        "pubmed": 1,
        "clinical_trial": 0,
        "preprint": 1,
    }
    assert {node["label"] for node in graph.to_node_link()["nodes"]} >= {"preprint"}
    for name in ("graph.graphml", "graph.csv"):
        graph.write(tmp_path / name)
        assert "preprint" in (tmp_path / name).read_text(encoding="utf-8")
    (pair,) = graph.answer("co_mentions", min_count=1).to_dicts()
    assert (pair["drug"], pair["other_drug"], pair["preprint"]) == ("paracetamol", "warfarin", 1)


def test_a_later_delivery_corrects_them_and_a_held_one_does_not(sources: dict[str, Path], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drugs_rs.run(**sources, out=lake, dt=DAYS[0])  # type: ignore[arg-type]
    corrected = write_pubmed(tmp_path / "corrected.csv", ("10.1101/1", "Digoxin", "2021-02-04", "medRxiv"))
    drugs_rs.bronze(preprints=corrected, out=lake, dt=DAYS[1])
    drugs_rs.silver(out=lake, dt=DAYS[1], hold=True)
    drugs_rs.gold(out=lake, dt=DAYS[1])
    assert graph_of(lake)["drug"]["B01AA03"]["preprint_id"] == ["10.1101/1"]
    drugs_rs.release(lake, DAYS[1])
    report = drugs_rs.gold(out=lake, dt=DAYS[1])
    assert report["superseded"] == 1
    graph = graph_of(lake)
    assert graph["drug"]["B01AA03"]["preprint_id"] == []
    assert graph["drug"]["C01AA05"]["preprint_id"] == ["10.1101/1", "10.1101/3"]
    assert graph["preprint"]["10.1101/1"]["date"] == "2021-02-04"
    # A notice of deletion, in the format of PubMed, takes one away.
    notice = "<PubmedArticleSet><DeleteCitation><PMID>10.1101/1</PMID></DeleteCitation></PubmedArticleSet>"
    drugs_rs.bronze(preprints=write(tmp_path / "deleted.xml", notice), out=lake, dt=DAYS[2])
    drugs_rs.silver(out=lake, dt=DAYS[2])
    assert drugs_rs.gold(out=lake, dt=DAYS[2])["deleted"] == 1
    assert "10.1101/1" not in graph_of(lake)["preprint"]


def test_the_same_id_may_be_an_article_too(sources: dict[str, Path], tmp_path: Path) -> None:
    sources["preprints"] = write_pubmed(tmp_path / "same.csv", ("1", "Digoxin", "2021", "medRxiv"))
    drugs_rs.run(**sources, out=tmp_path / "lake", dt=DAYS[0])  # type: ignore[arg-type]
    graph = graph_of(tmp_path / "lake")
    assert (graph["pubmed"]["1"]["journal"], graph["preprint"]["1"]["journal"]) == ("Annals", "medRxiv")


def test_without_them_nothing_tells_that_the_kind_exists(sources: dict[str, Path], tmp_path: Path) -> None:
    with_them, without = tmp_path / "with", tmp_path / "without"
    preprints = sources.pop("preprints")
    report = drugs_rs.run(**sources, out=without, dt=DAYS[0])  # type: ignore[arg-type]
    assert "preprint" not in json.dumps(report)
    assert not any("preprint" in path.as_posix() for path in without.rglob("*"))
    assert all(b"preprint" not in content for content in files(without).values())
    assert drugs_rs.read_graph(without).drugs().column_names[3:] == ["pubmed", "clinical_trial"]
    # Held back, they leave no trace either.
    drugs_rs.run(**sources, out=with_them, dt=DAYS[0])  # type: ignore[arg-type]
    drugs_rs.bronze(preprints=preprints, out=with_them, dt=DAYS[1])
    drugs_rs.silver(out=with_them, dt=DAYS[1], hold=True)
    drugs_rs.gold(out=with_them, dt=DAYS[1])
    assert files(with_them) == files(without)


def test_shell_and_readers_take_them(sources: dict[str, Path], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    flags = [word for name, path in sources.items() for word in ("--" + name.replace("_", "-"), str(path))]
    finished = shell("run", *flags, "--out", lake, "--dt", DAYS[0])
    assert finished.returncode == 0, finished.stderr
    assert b"preprints" in finished.stdout
    drugs_rs.run(**sources, out=tmp_path / "other", dt=DAYS[0])  # type: ignore[arg-type]
    assert files(lake) == files(tmp_path / "other")
    assert shell("silver", "--out", lake, "--dt", DAYS[0], "--table", "preprints").returncode == 0
    table = drugs_rs.read_publications(sources["preprints"], kind="preprint")
    assert table.num_rows == 3
    with pytest.raises(ArgumentError, match='kind: `preprints`; expected .*did you mean "preprint"'):
        drugs_rs.read_publications(sources["preprints"], kind="preprints")  # type: ignore[arg-type]


def test_airflow_knows_the_tables_of_the_core(tmp_path: Path) -> None:
    """The list in `assets.py`, read as text: Airflow itself is not installed here."""
    tree = ast.parse((ROOT / "python" / "drugs_rs" / "airflow" / "assets.py").read_text(encoding="utf-8"))
    (places,) = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    known = ast.literal_eval(places)
    with pytest.raises(ArgumentError) as refused:
        drugs_rs.silver(out=tmp_path, dt=DAYS[0], tables=["nothing"])  # type: ignore[list-item]
    assert all(f'"{name}"' in str(refused.value) for name in known)
    assert str(refused.value).count('"') == 2 * len(known)
