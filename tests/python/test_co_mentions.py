"""`co_mentions`: which drugs the same publications mention, held against a slow count of all mentions."""

from __future__ import annotations

import itertools
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from shell import drugs_rs as shell
from written_sources import write_drugs, write_pubmed

import drugs_rs
from drugs_rs.exceptions import ArgumentError

DRUGS = [
    ("A10AB01", "INSULIN (HUMAN)"),
    ("A10AB02", "INSULIN (BEEF)"),
    ("B01AA03", "WARFARIN"),
    ("N02BE01", "PARACETAMOL"),
    ("C01AA05", "DIGOXIN"),
]
NAMES = ["insulin (human)", "insulin (beef)", "warfarin", "paracetamol", "digoxin"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of two kinds, whose publications mention up to four drugs."""
    folder = tmp_path_factory.mktemp("co_mentions")
    chance = random.Random(7)
    sources: dict[str, list[Any]] = {"pubmed": [], "clinical_trials": []}
    for number in range(80):
        title = "Of " + " and ".join(chance.sample(NAMES, chance.randrange(5)))
        date = chance.choice(["", "2019", "2020-05-01", "2021-07-09"])
        sources["pubmed" if number % 3 else "clinical_trials"].append((f"{number + 1}", title, date, "J"))
    trials = folder / "trials.csv"
    lines = ["id,scientific_title,date,journal", *(",".join(row) for row in sources["clinical_trials"])]
    trials.write_text("\n".join(lines) + "\n", encoding="utf-8")
    drugs_rs.run(
        drugs=write_drugs(folder / "drugs.csv", *DRUGS),
        pubmed=write_pubmed(folder / "pubmed.csv", *sources["pubmed"]),
        clinical_trials=trials,
        out=folder / "lake",
        dt="2022-01-01",
    )
    return folder / "lake"


def slow_count(graph: drugs_rs.DrugGraph, unit: Any, least: int, asked: str | None) -> list[dict[str, Any]]:
    """All pairs from the list of mentions; `asked` is a code."""
    publications: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    dates = {}
    for row in graph.mentions(unit=unit).to_dicts():
        place = (row["kind"], row["publication_id"])
        name = row["substance"] if unit == "substance" else row["drug"]
        publications[place].add((name, row["atccode"]))
        dates[place] = row["date"]
    shared = defaultdict(list)
    for place, drugs in publications.items():
        for pair in itertools.permutations(sorted(drugs), 2):
            if pair[0][1] == asked if asked else pair[0] < pair[1]:
                shared[pair].append(place)
    found: list[dict[str, Any]] = []
    for ((name, code), (other_name, other_code)), places in shared.items():
        known = [dates[place] for place in places if dates[place] is not None]
        found.append(
            {
                "atccode": code,
                "drug": name,
                "other_atccode": other_code,
                "other_drug": other_name,
                "publications": len(places),
                "pubmed": sum(kind == "pubmed" for kind, _ in places),
                "clinical_trial": sum(kind == "clinical_trial" for kind, _ in places),
                "first_date": min(known, default=None),
                "last_date": max(known, default=None),
            }
        )
    found.sort(key=lambda row: (-row["publications"], row["drug"], row["other_drug"], row["atccode"]))
    return [row for row in found if row["publications"] >= least]


@pytest.mark.parametrize("unit", ["substance", "code"])
@pytest.mark.parametrize("least", [1, 2, 6])
def test_pairs_are_those_of_a_slow_count(lake: Path, unit: Any, least: int) -> None:
    graph = drugs_rs.read_graph(lake)
    found = graph.co_mentions(min_count=least, unit=unit).to_dicts()
    assert found == slow_count(graph, unit, least, None)
    assert found
    for row in graph.drugs(unit=unit).to_dicts():
        code = row["atccode"]
        assert graph.co_mentions(code, min_count=least, unit=unit).to_dicts() == slow_count(graph, unit, least, code)
        assert graph.co_mentions(row["drug"].lower(), min_count=least, unit=unit).to_dicts() == slow_count(
            graph, unit, least, code
        )


def test_python_and_the_shell_ask_the_same(lake: Path) -> None:
    graph = drugs_rs.read_graph(lake)
    wanted = graph.co_mentions("warfarin").to_dicts()
    assert graph.answer("co_mentions", drug="warfarin", min_count=2).to_dicts() == wanted
    shown = shell("answer", lake, "co_mentions", "--drug", "warfarin", "--min-count", "2", "--format", "json")
    dates = ("first_date", "last_date")
    text = [{name: str(row[name]) if name in dates and row[name] else row[name] for name in row} for row in wanted]
    assert json.loads(shown.stdout) == text


def test_wrong_options_are_refused(lake: Path) -> None:
    graph = drugs_rs.read_graph(lake)
    with pytest.raises(ArgumentError, match="min_count: `0`; expected a whole number, 1 or more"):
        graph.co_mentions(min_count=0)
    with pytest.raises(ArgumentError, match='drug: `warfarine` is no drug of this graph; .*did you mean "WARFARIN"'):
        graph.co_mentions("warfarine")
    with pytest.raises(ArgumentError, match='did you mean "co_mentions"'):
        graph.answer("co_mention")


def test_a_graph_without_pairs_has_an_empty_table(tmp_path: Path) -> None:
    drugs = write_drugs(tmp_path / "drugs.csv", *DRUGS)
    drugs_rs.run(drugs=drugs, out=tmp_path / "lake", dt="2022-01-01")
    table = drugs_rs.read_graph(tmp_path / "lake").co_mentions()
    assert (table.num_rows, table.column_names[:5]) == (
        0,
        ["atccode", "drug", "other_atccode", "other_drug", "publications"],
    )


def test_a_drug_is_found_by_the_name_that_tables_show(tmp_path: Path) -> None:
    """A code with several names is shown under all of them; that name was refused."""
    (tmp_path / "drugs.csv").write_text("atccode,drug\nA1,velorin\nA1,dorantel\nA2,warfarin\n", encoding="utf-8")
    text = "id,title,date,journal\n1,Velorin and warfarin,2020,J\n2,Warfarin with dorantel,2020,J\n"
    (tmp_path / "articles.csv").write_text(text, encoding="utf-8")
    drugs_rs.run(drugs=tmp_path / "drugs.csv", pubmed=tmp_path / "articles.csv", out=tmp_path / "lake", dt="2020-06-01")
    graph = drugs_rs.read_graph(tmp_path / "lake")
    (shown,) = {row["drug"] for row in graph.drugs(unit="code").to_dicts() if row["atccode"] == "A1"}
    assert " | " in shown
    assert graph.co_mentions(shown, unit="code").to_dicts() == graph.co_mentions("A1", unit="code").to_dicts() != []
