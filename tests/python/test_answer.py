"""Answers by name, from Python and from a shell: names, options and formats are those of the list in the core."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs.exceptions import ArgumentError


@pytest.fixture(scope="module")
def graph(sample_lake: Path) -> drugs_rs.DrugGraph:
    return drugs_rs.read_graph(sample_lake)


@pytest.mark.parametrize("unit", ["substance", "code"])
def test_the_published_answers_are_asked_by_name_too(graph: drugs_rs.DrugGraph, sample_lake: Path, unit: str) -> None:
    top = {row["journal"]: row["drugs"] for row in graph.answer("top_journals", unit=unit).to_dicts()}
    most = max(top.values())
    assert {name: drugs for name, drugs in top.items() if drugs == most} == graph.top_journals(unit=unit)  # type: ignore[arg-type]
    pairs = graph.answer("exclusive_drugs", unit=unit).to_dicts()
    for row in graph.drugs(unit=unit).to_dicts():  # type: ignore[arg-type]
        code = row["atccode"]
        others = graph.exclusive_drugs(code, unit=unit)  # type: ignore[arg-type]
        assert [pair["other_atccode"] for pair in pairs if pair["atccode"] == code] == others
        alone = graph.answer("exclusive_drugs", unit=unit, drug=code).to_dicts()
        assert [pair["other_atccode"] for pair in alone] == others
    published = json.loads((sample_lake / "gold" / "top_journals.json").read_text(encoding="utf-8"))
    assert unit == "code" or list(top.items()) == list(published.items())


def test_a_drug_is_asked_for_by_any_of_its_names(graph: drugs_rs.DrugGraph) -> None:
    for row in graph.drugs(unit="code").to_dicts():
        by_code = graph.answer("exclusive_drugs", drug=row["atccode"]).to_dicts()
        for name in (row["drug"], row["drug"].lower(), row["substance"]):
            assert graph.answer("exclusive_drugs", drug=name).to_dicts() == by_code


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("top_journal", {}, 'answer: `top_journal`; expected .*; did you mean "top_journals"'),
        ("top_journals", {"drug": "x"}, 'option of top_journals: `drug`; expected "unit"'),
        ("top_journals", {"unit": "codes"}, 'did you mean "code"'),
        ("exclusive_drugs", {"max_exclusive": -1}, "max_exclusive: `-1`; expected a whole number, 0 or more"),
        ("exclusive_drugs", {"drug": "nothing"}, "drug: `nothing` is no drug of this graph"),
    ],
)
def test_a_wrong_name_or_option_is_refused(
    graph: drugs_rs.DrugGraph, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        graph.answer(name, **options)


def test_a_misspelt_drug_is_suggested(graph: drugs_rs.DrugGraph) -> None:
    name = graph.drugs(unit="code").to_dicts()[0]["drug"]
    with pytest.raises(ArgumentError, match=f'did you mean .*"{name}"'):
        graph.answer("exclusive_drugs", drug=name[:-1] + "x")


def test_options_have_types(graph: drugs_rs.DrugGraph) -> None:
    assert graph.answer("exclusive_drugs", drug=None, max_exclusive=0).num_rows > 0
    for wrong in (True, 1.5, ["x"]):
        with pytest.raises(TypeError):
            graph.answer("exclusive_drugs", drug=wrong)  # type: ignore[arg-type]


def test_the_shell_prints_the_same_table_in_every_format(graph: drugs_rs.DrugGraph, sample_lake: Path) -> None:
    table = graph.answer("exclusive_drugs", unit="code")
    rows = table.to_dicts()
    asked = ("answer", sample_lake, "exclusive_drugs", "--unit", "code")
    assert json.loads(shell(*asked, "--format", "json").stdout) == rows
    for lines in (shell(*asked, "--format", "ndjson"), shell(*asked)):
        assert [json.loads(line) for line in lines.stdout.splitlines()] == rows
    assert shell(*asked, "--json").stdout == shell(*asked, "--format", "json").stdout
    first = json.loads(shell(*asked).stdout.splitlines()[0], object_pairs_hook=list)
    assert [key for key, _ in first] == table.column_names, "keys come in the order of the columns"
    text = shell(*asked, "--format", "csv").stdout.decode("utf-8")
    assert list(csv.DictReader(io.StringIO(text))) == rows
    shown = shell(*asked, "--format", "table").stdout.decode("utf-8").splitlines()
    assert shown[0].split() == table.column_names
    assert len(shown) == len(rows) + 1
    none = shell("answer", sample_lake, "exclusive_drugs", "--drug", "nothing")
    assert none.returncode == 2
    assert b"is no drug of this graph" in none.stderr
    misspelt = shell("answer", sample_lake, "exclusive_drug")
    assert misspelt.returncode == 2
    assert b'did you mean "exclusive_drugs"' in misspelt.stderr


def test_the_help_lists_every_answer_with_its_options() -> None:
    shown = shell("answer", "--help").stdout.decode("utf-8")
    for name in ("top_journals:", "exclusive_drugs:", "--drug", "--max-exclusive", "--unit"):
        assert name in shown
