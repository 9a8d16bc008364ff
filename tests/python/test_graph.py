"""`DrugGraph`: its tables, answers and shapes all say what `drug_graph.json` says."""

from __future__ import annotations

import json
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import networkx
import pyarrow.parquet as parquet
import pytest

import drugs_rs
from drugs_rs.exceptions import ArgumentError, FormatError, SourceNotFoundError, StorageError
from drugs_rs.graph import to_networkx

KINDS = ("clinical_trial", "pubmed")


@pytest.fixture
def written(sample_lake: Path) -> dict[str, Any]:
    """The parsed `drug_graph.json` of the sample."""
    graph: dict[str, Any] = json.loads((sample_lake / "gold" / "drug_graph.json").read_text(encoding="utf-8"))
    return graph


def test_drugs(sample_graph: drugs_rs.DrugGraph, written: dict[str, Any]) -> None:
    assert sample_graph.drugs().to_dicts() == [
        {
            "atccode": code,
            "drug": drug["name"],
            "substance": drug["name"].lower(),
            **{kind: len(drug[f"{kind}_id"]) for kind in reversed(KINDS)},
        }
        for code, drug in sorted(written["drug"].items())
    ]


def test_journals(sample_graph: drugs_rs.DrugGraph, written: dict[str, Any]) -> None:
    assert sample_graph.journals().to_dicts() == [
        {"journal": journal, "drugs": len({entry["atccode"] for entry in entries}), "mentions": len(entries)}
        for journal, entries in sorted(written["journal"].items())
    ]


def test_mentions(sample_graph: drugs_rs.DrugGraph, written: dict[str, Any]) -> None:
    found = {
        (
            row["atccode"],
            row["drug"],
            row["kind"],
            row["publication_id"],
            row["journal"],
            row["date"] and f"{row['date']}",
        )
        for row in sample_graph.mentions().to_dicts()
    }
    assert found == {
        (code, drug["name"], kind, identifier, written[kind][identifier]["journal"], written[kind][identifier]["date"])
        for code, drug in written["drug"].items()
        for kind in KINDS
        for identifier in drug[f"{kind}_id"]
    }
    assert len(found) == sample_graph.mentions().num_rows


def test_answers_are_those_of_the_gold_files(sample_graph: drugs_rs.DrugGraph, sample_lake: Path) -> None:
    top = json.loads((sample_lake / "gold" / "top_journals.json").read_text(encoding="utf-8"))
    assert sample_graph.top_journals() == {name: number for name, number in top.items() if number == max(top.values())}
    exclusive = json.loads((sample_lake / "gold" / "exclusive_drugs.json").read_text(encoding="utf-8"))
    assert {code: sample_graph.exclusive_drugs(code) for code in exclusive} == exclusive


def test_unknown_code(sample_graph: drugs_rs.DrugGraph) -> None:
    with pytest.raises(ArgumentError, match="Z99ZZ99"):
        sample_graph.exclusive_drugs("Z99ZZ99")


def test_json_is_the_file(sample_graph: drugs_rs.DrugGraph, sample_lake: Path, tmp_path: Path) -> None:
    content = (sample_lake / "gold" / "drug_graph.json").read_bytes()
    assert sample_graph.to_json().encode("utf-8") == content
    sample_graph.write(tmp_path / "graph.json")
    assert (tmp_path / "graph.json").read_bytes() == content


def test_write_other_shapes(sample_graph: drugs_rs.DrugGraph, tmp_path: Path) -> None:
    sample_graph.write(str(tmp_path / "graph.json"), shape="node-link")
    assert json.loads((tmp_path / "graph.json").read_text(encoding="utf-8")) == sample_graph.to_node_link()
    with pytest.raises(ArgumentError, match="nothing of the kind"):
        sample_graph.write(tmp_path / "graph.json", shape="nothing of the kind")
    with pytest.raises(StorageError):
        sample_graph.write(tmp_path / "no" / "folder" / "graph.json")


def test_node_link_is_plain_json(sample_graph: drugs_rs.DrugGraph) -> None:
    data = sample_graph.to_node_link()
    assert json.loads(json.dumps(data)) == data
    identifiers = [node["id"] for node in data["nodes"]]
    assert len(identifiers) == len(set(identifiers))
    assert {end for link in data["links"] for end in (link["source"], link["target"])} <= set(identifiers)


def test_networkx(sample_graph: drugs_rs.DrugGraph) -> None:
    data = sample_graph.to_node_link()
    graph = sample_graph.to_networkx()
    assert isinstance(graph, networkx.MultiDiGraph)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (len(data["nodes"]), len(data["links"])) != (0, 0)
    for node in data["nodes"]:
        assert {"id": node["id"], **graph.nodes[node["id"]]} == node


class Stand:
    """A graph of three nodes, two of which have two links between them."""

    def to_node_link(self) -> dict[str, Any]:
        """As networkx writes it."""
        return {
            "directed": True,
            "multigraph": True,
            "graph": {"name": "small"},
            "nodes": [{"id": "a", "label": "A"}, {"id": "b"}, {"id": "c"}],
            "links": [
                {"source": "a", "target": "b", "date": None},
                {"source": "a", "target": "b", "date": "2020-01-01"},
                {"source": "c", "target": "a", "key": "named"},
            ],
        }


def test_networkx_keeps_attributes_directions_and_parallel_links() -> None:
    graph = to_networkx(Stand())  # type: ignore[arg-type]
    assert graph.graph == {"name": "small"}
    assert dict(graph.nodes(data=True)) == {"a": {"label": "A"}, "b": {}, "c": {}}
    assert sorted(graph.edges(keys=True, data="date"), key=str) == [
        ("a", "b", 0, None),
        ("a", "b", 1, "2020-01-01"),
        ("c", "a", "named", None),
    ]


def test_networkx_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install drugs-rs\[notebook\]"):
        to_networkx(Stand())  # type: ignore[arg-type]


def test_lake_without_a_graph(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="nowhere"):
        drugs_rs.read_graph(tmp_path / "nowhere")
    with pytest.raises(SourceNotFoundError, match="drug_graph.json"):
        drugs_rs.read_graph(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"drug": {', '{"drug": {}}'])
def test_file_that_is_no_graph(content: str, tmp_path: Path) -> None:
    (tmp_path / "gold").mkdir()
    (tmp_path / "gold" / "drug_graph.json").write_text(content, encoding="utf-8")
    with pytest.raises(FormatError, match="drug_graph.json"):
        drugs_rs.read_graph(tmp_path)


def test_write_goes_by_the_ending(sample_graph: drugs_rs.DrugGraph, tmp_path: Path) -> None:
    """A path that ends in .parquet once got JSON."""
    rows = sample_graph.mentions().to_dicts()
    sample_graph.write(tmp_path / "edges.parquet")
    assert parquet.read_table(str(tmp_path / "edges.parquet")).to_pylist() == rows
    sample_graph.write(tmp_path / "edges.ndjson")
    lines = (tmp_path / "edges.ndjson").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["publication_id"] for line in lines] == [row["publication_id"] for row in rows]
    sample_graph.write(tmp_path / "graph.graphml")
    assert len(networkx.read_graphml(str(tmp_path / "graph.graphml"))) == len(sample_graph.to_networkx())
    sample_graph.write(tmp_path / "graph.gexf")
    assert "gexf" in (tmp_path / "graph.gexf").read_text(encoding="utf-8")
    sample_graph.write(tmp_path / "GRAPH.JSON")
    assert (tmp_path / "GRAPH.JSON").read_text(encoding="utf-8") == sample_graph.to_json()


@pytest.mark.parametrize("name", ["graph.xlsx", "graph", "graph.json.gz", "graph.xml", "graph.", "folder.json/graph"])
def test_an_ending_without_a_shape_is_an_error_that_names_the_shapes(
    name: str, sample_graph: drugs_rs.DrugGraph, tmp_path: Path
) -> None:
    """`graph.xlsx` once got JSON."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    with pytest.raises(ArgumentError) as raised:
        sample_graph.write(path)
    for part in (name, ".json", ".gexf", ".parquet", "the argument shape", "node-link", "neo4j-nodes"):
        assert part in str(raised.value)
    assert not path.exists()
    sample_graph.write(path, shape="graph")
    assert path.read_text(encoding="utf-8") == sample_graph.to_json()


GEXF = "{http://gexf.net/1.3}"
# Texts that break a carelessly written file: markup, ends of sections, control characters, blanks,
# noncharacters, letters beyond the first plane, direction marks.
HOSTILE = [
    "a < b & \"c\" > 'd'",
    "]]> <!-- --> <![CDATA[",
    "form\ffeed, bell\a, escape\x1b, delete\x7f",
    "tab\tand\nline",
    "\ufffe\uffff",
    "\U0001f48a\U0001f9ec emoji",
    "\u202egnirts\u202c \u05d0\u05d1\u05d2",
    "=cmd|' /C calc'!A0",
]


@pytest.fixture
def hostile_graph(tmp_path: Path) -> drugs_rs.DrugGraph:
    """A graph whose names are hostile, as another program may have written it: cleaning leaves none of these."""
    (tmp_path / "drugs.csv").write_text("atccode,drug\nV03AB,ethanol\nA04AD,DRUG\n", encoding="utf-8")
    rows = [
        {"id": number, "title": "Ethanol", "date": "2020-01-01", "journal": f"J{number}"}
        for number in range(len(HOSTILE))
    ]
    (tmp_path / "pubmed.json").write_text(json.dumps(rows), encoding="utf-8")
    lake = tmp_path / "lake"
    drugs_rs.run(drugs=tmp_path / "drugs.csv", pubmed=tmp_path / "pubmed.json", lake=lake, dt="2020-01-01")
    text = drugs_rs.read_graph(lake).to_json()
    for number, name in enumerate(HOSTILE):
        text = text.replace(f'"J{number}"', json.dumps(name))
    text = text.replace('"DRUG"', json.dumps("".join(HOSTILE)))
    (tmp_path / "foreign" / "gold").mkdir(parents=True)
    (tmp_path / "foreign" / "gold" / "drug_graph.json").write_text(text, encoding="utf-8")
    return drugs_rs.read_graph(tmp_path / "foreign")


def as_in_xml(name: str) -> str:
    """A name without what XML 1.0 cannot hold, or holds at a reader's mercy."""
    return "".join(
        "\ufffd"
        if letter in "\ufffe\uffff" or (unicodedata.category(letter) == "Cc" and letter not in "\t\n\r")
        else letter
        for letter in name
    )


@pytest.mark.core
@pytest.mark.parametrize("shape", ["graphml", "gexf"])
def test_xml_of_hostile_names(shape: str, hostile_graph: drugs_rs.DrugGraph, tmp_path: Path) -> None:
    path = tmp_path / f"graph.{shape}"
    hostile_graph.write(path)
    read = networkx.read_gexf if shape == "gexf" else networkx.read_graphml
    graph, expected = read(str(path)), hostile_graph.to_networkx()
    assert len(expected) > len(HOSTILE)
    assert sorted(graph) == sorted(map(as_in_xml, expected))
    assert graph.number_of_edges() == expected.number_of_edges()
    assert graph.nodes["drug:A04AD"]["name"] == as_in_xml("".join(HOSTILE))


@pytest.mark.core
def test_gexf_has_nodes_and_links_with_their_attributes(sample_graph: drugs_rs.DrugGraph, tmp_path: Path) -> None:
    sample_graph.write(tmp_path / "graph.gexf")
    graph, data = networkx.read_gexf(str(tmp_path / "graph.gexf")), sample_graph.to_node_link()
    assert graph.is_directed()
    for node in data["nodes"]:
        expected = {name: value for name, value in node.items() if value is not None and name not in ("id", "label")}
        shown = node.get("name", node.get("publication_id"))
        assert graph.nodes[node["id"]] == {**expected, "kind": node["label"], "label": shown}
    links = sorted((link["source"], link["target"], link["label"], link["date"] or "") for link in data["links"])
    assert links == sorted(
        (source, target, link["label"], link.get("date", "")) for source, target, link in graph.edges(data=True)
    )
    root = ElementTree.parse(tmp_path / "graph.gexf").getroot()
    assert (root.tag, root.get("version")) == (f"{GEXF}gexf", "1.3")
    declared = {attribute.get("id") for attribute in root.iter(f"{GEXF}attribute")}
    assert {value.get("for") for value in root.iter(f"{GEXF}attvalue")} <= declared


@pytest.mark.parametrize("uri", ["s3://AKIA:hidden@bucket/graph", "s3://AKIA:hidden@bucket/graph.txt"])
def test_a_uri_with_credentials_is_not_repeated_whatever_its_ending(
    hostile_graph: drugs_rs.DrugGraph, uri: str
) -> None:
    """The ending was looked at first, and its error repeated the whole URI."""
    with pytest.raises(drugs_rs.exceptions.ArgumentError) as caught:
        hostile_graph.write(uri)
    assert "hidden" not in str(caught.value)
