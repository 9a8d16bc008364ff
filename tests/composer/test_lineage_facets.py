"""What OpenLineage gets about tables: descriptions, columns, and the columns that each is made of."""

from __future__ import annotations

import json
from typing import Any

import pytest

import drugs_rs
from drugs_rs.airflow import lineage
from drugs_rs.airflow.compat import lineage_classes

LAKE = "gs://bucket/lake"
INPUTS = [
    f"{LAKE}/silver/drugs",
    f"{LAKE}/silver/publications/kind=pubmed",
    f"{LAKE}/silver/publications/kind=preprint",
]
TABLES: dict[str, Any] = json.loads(drugs_rs.describe_tables(format="json"))["$defs"]
GOLD = ("drugs", "publications", "mentions", "journals", "journal_drugs", "atc_classes")


@pytest.fixture(autouse=True)
def _provider() -> None:
    if lineage_classes() is None:
        pytest.skip("the provider of OpenLineage is not installed: Composer's image with Airflow 2.6.3 lacks it")


def written(*paths: str) -> dict[str, Any]:
    """What a step with these outputs reports, by the place in the lake, as JSON that is sent."""
    from openlineage.client.serde import Serde

    outputs = [{"path": path, "rows": 3, "bytes": 100} for path in paths]
    told = lineage.of_step(INPUTS, LAKE, outputs)
    return {each.name[len("lake/") :]: json.loads(Serde.to_json(each)) for each in told.outputs}


def test_each_table_has_its_description_and_its_columns_with_theirs() -> None:
    gold = [f"gold/{table}/part-00000.parquet" for table in GOLD]
    silver = [
        "drugs",
        "publications/kind=pubmed",
        "rejected/drugs",
        "deleted/publications/kind=pubmed",
        "journals/kind=pubmed",
    ]
    found = written(*gold, *(f"silver/{folder}/dt=2024-03-01/part-00000.parquet" for folder in silver))
    assert len(found) == 11
    for place, dataset in found.items():
        described = TABLES[str(lineage.table_of(place))]
        facets = dataset["facets"]
        assert facets["documentation"]["description"] == described["description"], place
        columns = {field["name"]: field["description"] for field in facets["schema"]["fields"]}
        assert columns == {name: its["description"] for name, its in described["properties"].items()}, place
        assert all(isinstance(field["type"], str) for field in facets["schema"]["fields"])
        assert dataset["outputFacets"]["outputStatistics"]["rowCount"] == 3
        assert ("columnLineage" in facets) == place.startswith("gold/")


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["a/1.csv", "a/1.csv", "a/2.csv"], ["a/1.csv", "a/2.csv"]),
        ([f"a/{number}.xml" for number in range(1_300)], ["a"]),
        ([f"{'ab'[number % 2]}/c/{number}.xml" for number in range(1_300)], ["a/c", "b/c"]),
        ([f"{number}.xml" for number in range(51)], [f"{number}.xml" for number in range(51)]),
    ],
)
def test_a_delivery_of_many_files_is_named_by_its_folders(files: list[str], found: list[str]) -> None:
    """The files of PubMed for a year were 1,300 inputs of one event."""
    told = lineage.of_step([f"gs://landing/{name}" for name in files], LAKE, [])
    assert [(each.namespace, each.name) for each in told.inputs] == [("gs://landing", name) for name in found]


def test_a_gate_asserts_the_rules_of_the_contract() -> None:
    from openlineage.client.serde import Serde

    def rule(name: str, passed: bool, column: str | None = None) -> dict[str, Any]:
        found = {"rule": name, "table": "publications_all", "passed": passed}
        return found if column is None else {**found, "column": column}

    folders = ("silver/publications/kind=pubmed", "silver/rejected/publications/kind=pubmed")
    outputs = [{"path": f"{folder}/dt=2024-03-01/part-00000.parquet"} for folder in folders]
    quality = [rule("publications_all_rows", True), rule("date_present", False, "date")]
    told = lineage.of_checks(LAKE, [{"outputs": outputs, "quality": quality}, {"outputs": []}, None])
    found = {each.name: json.loads(Serde.to_json(each)) for each in told.inputs}
    assert set(found) == {"lake/silver/publications/kind=pubmed", "lake/silver/rejected/publications"}
    assertions = found["lake/silver/publications/kind=pubmed"]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert [(each["assertion"], each["success"], each.get("column")) for each in assertions] == [
        ("publications_all_rows", True, None),
        ("date_present", False, "date"),
    ]
    assert (
        "inputFacets" not in found["lake/silver/rejected/publications"]
        or not found["lake/silver/rejected/publications"]["inputFacets"]
    )


def test_files_that_are_no_tables_have_no_columns() -> None:
    found = written("gold/drug_graph.json", "bronze/pubmed/dt=2024-03-01/pubmed.csv")
    assert [dataset["facets"] for dataset in found.values()] == [{}, {}]


def test_columns_of_gold_name_columns_of_silver_that_are_there() -> None:
    found = written(*(f"gold/{table}/part-00000.parquet" for table in GOLD))
    named = 0
    for dataset in found.values():
        for column, sources in dataset["facets"]["columnLineage"]["fields"].items():
            for source in sources["inputFields"]:
                place = source["name"][len("lake/") :]
                assert f"{LAKE}/{place}" in INPUTS
                assert source["field"] in TABLES[str(lineage.table_of(place))]["properties"], (dataset["name"], column)
                named += 1
    assert named > 50


@pytest.mark.parametrize(
    ("table", "column", "made_of"),
    [
        ("mentions", "atccode", {"silver/drugs": ("atccode",)}),
        ("mentions", "substance", {"silver/drugs": ("drug",)}),
        ("mentions", "date", {"silver/publications": ("date",)}),
        ("publications", "flags", {"silver/publications": ("flags",)}),
        ("drugs", "synonyms", {"silver/drugs": ("synonyms",)}),
        ("journals", "codes", {}),
    ],
)
def test_what_a_column_is_made_of(table: str, column: str, made_of: dict[str, tuple[str, ...]]) -> None:
    assert lineage.columns_made_of(table, column, TABLES) == made_of


def test_every_column_of_a_mention_is_made_of_something() -> None:
    missing = [
        name for name in TABLES["mentions"]["properties"] if not lineage.columns_made_of("mentions", name, TABLES)
    ]
    assert missing == []
