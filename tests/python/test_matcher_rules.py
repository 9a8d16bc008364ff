"""What the rules leave out, and what the text itself says about its short forms: rows with a reason each."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

import drugs_rs

pytestmark = pytest.mark.core


class Case(NamedTuple):
    """A name of the vocabulary, a text, whether the name is found by default, and why."""

    name: str
    text: str
    found: bool
    reason: str


# The rest of the vocabulary: it has names in lower case, so that case is significant.
OTHERS = {"X": ["metformin", "Warfarin"]}

CASES = (
    Case("antibiotics", "antibiotics for all", False, "a class by what it is against"),
    Case("insulin", "insulin for all", True, "a substance, though there are several insulins"),
    Case("Beta blockers", "beta blockers for all", False, "a class by what it does"),
    Case("dopamine receptor", "the dopamine receptor", False, "what a drug acts on"),
    Case("Dopamine receptor D2", "dopamine receptor D2", False, "a number behind it changes nothing"),
    Case("dopamine", "the dopamine receptor", True, "the substance inside such a name"),
    Case("protein kinase", "protein kinase", False, "an enzyme"),
    Case("streptokinase", "streptokinase", True, "an enzyme that is given"),
    Case("alteplase", "alteplase", True, "so says its stem"),
    Case("urate oxidase", "urate oxidase", True, "an enzyme that is given, on the list of names that are kept"),
    Case("Invirase", "Invirase", True, "a brand that only ends like an enzyme"),
    Case("nerve growth factor", "nerve growth factor", True, "a messenger that is given, on the same list"),
    Case("fibroblast growth factor", "fibroblast growth factor", False, "a messenger of the body"),
    Case("coagulation factor VIII", "coagulation factor VIII", True, "a factor that is given"),
    Case("antipyrine", "antipyrine", True, "a substance that begins like a class"),
    Case("antihypertensive", "antihypertensive", False, "a class"),
    Case("interleukin 2", "interleukin 2", False, "the symbol of a protein"),
    Case("protein C", "protein C", True, "a protein that is given"),
    Case("levodopa and decarboxylase inhibitor", "levodopa and decarboxylase inhibitor", True, "a combination"),
    Case("same", "the same dose", False, "an everyday word"),
    Case("x", "x", False, "a single letter"),
    Case("ICE", "ICE at home", True, "a short name as the vocabulary writes it"),
    Case("ICE", "on ice, or Ice", False, "the everyday word of the same letters"),
    Case("Li", "Li and Pb", True, "as the vocabulary writes it"),
    Case("Li", "LI and Pb", True, "or as a symbol"),
    Case("Li", "a li away", False, "another word"),
    Case("tPA", "TPA", True, "written as a symbol"),
    Case("5-FU", "5-fu", True, "a name of two words is no everyday word, whatever its case"),
    Case("zinc", "ZINC, Zinc", True, "four letters that the vocabulary writes as a word"),
    Case("MESH", "a mesh", False, "four letters that it writes as a symbol"),
    Case("MESH", "MESH", True, "and the symbol itself"),
)


def found(names: dict[str, list[str]], text: str, **options: Any) -> list[tuple[str, str, str]]:
    """Surface, drug and rule of the mentions."""
    matcher = drugs_rs.Matcher.from_names(names, **options)
    for mention in matcher.find(text):
        assert text[mention.start : mention.end] == mention.surface
    return [(mention.surface, mention.drug, mention.rule) for mention in matcher.find(text)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}: {case.reason}")
def test_names_by_rule(case: Case) -> None:
    names = {**OTHERS, "C": [case.name]}
    assert bool(found(names, case.text)) == case.found
    assert found(names, case.text, stop_words=[]), "without stop words every name is found"


@pytest.mark.parametrize("case", [case for case in CASES if not case.found], ids=lambda case: case.name)
def test_explain_names_the_rule(case: Case) -> None:
    sentence = drugs_rs.Matcher.from_names({**OTHERS, "C": [case.name]}).explain(case.text, case.name)
    assert f"`{case.name}` (C) is not found: " in sentence
    assert "left out by the stop words (" in sentence or "too short a word" in sentence


def test_case_says_nothing_in_a_vocabulary_of_capitals() -> None:
    """Many vocabularies are in capitals throughout; their short names are found in any case."""
    assert found({"A": ["ZINC"], "B": ["NAD"], "C": ["TETRACYCLINE"]}, "nad and zinc") == [
        ("nad", "NAD", "name"),
        ("zinc", "ZINC", "name"),
    ]


def test_extra_stop_words_stand_beside_the_shipped_ones() -> None:
    names = {"A": ["aspirin"], "B": ["same"], "C": ["metformin"]}
    text = "the same aspirin, metformin"
    assert [drug for _, drug, _ in found(names, text, extra_stop_words=["Aspirin"])] == ["metformin"]
    assert [drug for _, drug, _ in found(names, text, stop_words=[], extra_stop_words=["Aspirin"])] == [
        "same",
        "metformin",
    ]


SALTS: tuple[tuple[str, str, list[str]], ...] = (
    ("metformin hydrochloride", "metformin, metformin hydrochloride", ["metformin", "metformin hydrochloride"]),
    ("morphine sulfate pentahydrate", "morphine", []),
    ("codeine phosphate hemihydrate", "codeine", ["codeine"]),
    ("sodium chloride", "sodium", []),
    ("calcium carbonate", "calcium", []),
)


@pytest.mark.parametrize(("name", "text", "wanted"), SALTS)
def test_salts_reach_their_ingredient_on_request(name: str, text: str, wanted: list[str]) -> None:
    assert [surface for surface, _, _ in found({"A": [name]}, text, salts=True)] == wanted
    assert "metformin" not in [surface for surface, _, _ in found({"A": [name]}, text)]


ABBREVIATIONS: tuple[tuple[str, list[str], str], ...] = (
    ("doxorubicin (DOX) and DOX", ["DOX", "DOX"], "the letters of the name in their order"),
    ("doxorubicin hydrochloride (DOX)", ["DOX"], "words of salts may stand between"),
    ("N-doxorubicin (NDOX), NDOX", ["NDOX", "NDOX"], "the long form begins in the same run of letters"),
    ("doxorubicin (FK506) or FK506", ["FK506", "FK506"], "the code of a laboratory"),
    ("doxorubicin (FK 506) or FK 506", ["FK 506", "FK 506"], "with its blank"),
    ("doxorubicin (XDO), XDO", [], "letters that the name does not begin with"),
    ("DOX, then doxorubicin (DOX)", ["DOX"], "only from where it is introduced"),
    ("DOX (doxorubicin), DOX", ["DOX", "DOX"], "the other way round"),
    ("doxorubicin (DOX; n=5), DOX", ["DOX", "DOX"], "up to a semicolon"),
    ("doxorubicin (DOX, 5 mg), DOX", ["DOX", "DOX"], "or a comma"),
    ("doxorubicin (1,2-DOX), 1,2-DOX", ["1,2-DOX", "1,2-DOX"], "but not inside of a name"),
    ("doxorubicin (DOX), DOXA and dox", ["DOX"], "letter by letter and as a whole word"),
)


@pytest.mark.parametrize(("text", "wanted", "reason"), ABBREVIATIONS)
def test_abbreviations(text: str, wanted: list[str], reason: str) -> None:
    mentions = found({"A": ["doxorubicin"]}, text, abbreviations=True)
    assert [surface for surface, _, rule in mentions if rule == "abbreviation"] == wanted, reason


def test_a_short_form_of_something_else_is_no_mention() -> None:
    names = {"A": ["CO", "carbon monoxide"], "B": ["halothane"]}
    other = "halothane lowered cardiac output (CO); CO fell"
    assert [surface for surface, _, _ in found(names, other, abbreviations=True)] == ["halothane"]
    assert [surface for surface, _, _ in found(names, other)] == ["halothane", "CO", "CO"], (
        "a text is not read so by default"
    )
    own = "halothane and carbon monoxide (CO); CO rose"
    assert [surface for surface, _, _ in found(names, own, abbreviations=True)].count("CO") == 2
