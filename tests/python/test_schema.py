"""The shipped JSON Schema accepts the graph that the pipeline writes, and nothing that only looks like it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Callable

import jsonschema
import pytest

from drugs_rs import schemas

SMALL: dict[str, Any] = {
    "drug": {
        "A04AD": {"name": "DIPHENHYDRAMINE", "clinical_trial_id": ["NCT01967433"], "pubmed_id": ["1"]},
        "6302001": {"name": "ISOPRENALINE", "clinical_trial_id": [], "pubmed_id": []},
    },
    "clinical_trial": {"NCT01967433": {"journal": None, "date": None}},
    "pubmed": {"1": {"journal": "Journal of emergency nursing", "date": "2019-01-01"}},
    "journal": {
        "Journal of emergency nursing": [{"drug": "DIPHENHYDRAMINE", "atccode": "A04AD", "date": "2019-01-01"}]
    },
}

EMPTY: dict[str, Any] = {"drug": {}, "clinical_trial": {}, "pubmed": {}, "journal": {}}

FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a table is missing": lambda graph: graph.pop("journal"),
    "an unknown table": lambda graph: graph.update(author={}),
    "a table is a list": lambda graph: graph.update(drug=[]),
    "a drug without a name": lambda graph: graph["drug"]["A04AD"].pop("name"),
    "a drug with a blank name": lambda graph: graph["drug"]["A04AD"].update(name=" "),
    "a drug without its trials": lambda graph: graph["drug"]["A04AD"].pop("clinical_trial_id"),
    "an unknown attribute of a drug": lambda graph: graph["drug"]["A04AD"].update(atccode="A04AD"),
    "an id that is a number": lambda graph: graph["drug"]["A04AD"].update(pubmed_id=[1]),
    "an id that comes twice": lambda graph: graph["drug"]["A04AD"].update(pubmed_id=["1", "1"]),
    "a publication without a date": lambda graph: graph["pubmed"]["1"].pop("date"),
    "a date as it was delivered": lambda graph: graph["pubmed"]["1"].update(date="01/02/2019"),
    "a date with its time": lambda graph: graph["pubmed"]["1"].update(date="2019-01-01T00:00:00"),
    "a month that does not exist": lambda graph: graph["pubmed"]["1"].update(date="2019-13-01"),
    "a blank journal": lambda graph: graph["pubmed"]["1"].update(journal=""),
    "an unknown attribute of a publication": lambda graph: graph["clinical_trial"]["NCT01967433"].update(title="A"),
    "a journal without a mention": lambda graph: graph["journal"].update({"Another": []}),
    "an entry without its code": lambda graph: graph["journal"]["Journal of emergency nursing"][0].pop("atccode"),
}


def validator() -> Any:
    """A validator of the shipped schema that also looks at formats."""
    kind = jsonschema.Draft202012Validator
    return kind(schemas.drug_graph(), format_checker=jsonschema.FormatChecker())


def test_the_schema_is_one() -> None:
    schema = schemas.drug_graph()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_each_caller_gets_a_schema_of_its_own() -> None:
    schemas.drug_graph().clear()
    assert schemas.drug_graph()


def test_the_sample_graph_is_valid(sample_lake: Path) -> None:
    graph = json.loads((sample_lake / "gold" / "drug_graph.json").read_text(encoding="utf-8"))
    assert graph["drug"]
    assert graph["journal"]
    validator().validate(graph)


@pytest.mark.parametrize("graph", [SMALL, EMPTY], ids=["small", "empty"])
def test_valid_graphs(graph: dict[str, Any]) -> None:
    validator().validate(graph)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_seen(fault: str) -> None:
    graph = copy.deepcopy(SMALL)
    FAULTS[fault](graph)
    assert graph != SMALL
    assert not validator().is_valid(graph)
