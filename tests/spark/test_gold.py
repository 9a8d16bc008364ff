"""`drugs_rs.spark.gold`: the tables and answers of the core, by the SQL models on real executors."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import conformance
import pytest
from conformance import CASES, TABLES, Findings, as_json, of_core
from lake_story import FOURTH, SECOND, states
from searched_sources import write_sources
from written_sources import write_drugs, write_pubmed, write_trials

import drugs_rs
import drugs_rs.spark
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def dicts(frame: DataFrame) -> list[dict[str, Any]]:
    return [row.asDict() for row in frame.collect()]


def of_spark(gold: drugs_rs.spark.Gold) -> Findings:
    publications, mentions, journal_drugs = (as_json(dicts(getattr(gold, table))) for table in TABLES)
    exclusive: dict[str, list[str]] = {}
    for row in gold.exclusive_drugs.collect():
        exclusive.setdefault(row["atccode"], []).append(row["other_atccode"])
    top = [(row["journal"], row["drugs"]) for row in gold.top_journals.collect()]
    return Findings(publications, mentions, journal_drugs, top, exclusive)


def check(gold: drugs_rs.spark.Gold, expected: Findings) -> None:
    conformance.check("Spark", of_spark(gold), expected)


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.core] * (case != "four files")) for case in CASES]
)
def test_gold_is_that_of_the_core(spark: SparkSession, tmp_path: Path, case: str) -> None:
    """Corrections, deletions, late, held and later days, dirt, journals of many names, odd vocabularies, real rows."""
    lake = CASES[case](tmp_path)
    expected = of_core(lake)
    assert all(expected[:-1])
    with drugs_rs.spark.gold(spark, lake) as gold:
        check(gold, expected)
        graph = drugs_rs.read_graph(lake)
        assert dicts(gold.top_journals) == graph.answer("top_journals").to_dicts()
        assert dicts(gold.exclusive_drugs) == graph.answer("exclusive_drugs", max_exclusive=0).to_dicts()
        types = {"string": "string", "int64": "bigint", "date": "date", "list[string]": "array<string>"}
        for table in TABLES:
            columns = drugs_rs.Lake(lake).schema(table).items()
            assert dict(getattr(gold, table).dtypes) == {name: types[kind] for name, kind in columns}


@pytest.mark.core
def test_fields_and_statuses_are_those_of_the_core(spark: SparkSession, tmp_path: Path) -> None:
    """Roles of interventions by SQL, and names in lists as one text."""
    options: dict[str, Any] = {
        "fields": ["title", "abstract", "interventions", "substances"],
        "exclude_status": ["retracted"],
    }
    drugs_rs.run(lake=tmp_path / "lake", dt="2024-03-01", **write_sources(tmp_path), **options)
    expected = of_core(tmp_path / "lake")
    assert {row["role"] for row in expected.mentions} == {None, "experimental", "placebo_comparator", "other"}
    with drugs_rs.spark.gold(spark, tmp_path / "lake", **options) as gold:
        check(gold, expected)
    with pytest.raises(exceptions.ArgumentError, match="fields: `titel`; expected title, abstract"):
        drugs_rs.spark.gold(spark, tmp_path / "lake", fields=["titel"])
    with pytest.raises(exceptions.ArgumentError, match="no field"):
        drugs_rs.spark.gold(spark, tmp_path / "lake", fields=[])
    with pytest.raises(exceptions.ArgumentError, match="exclude_status: `withdrawn`"):
        drugs_rs.spark.gold(spark, tmp_path / "lake", fields="title", exclude_status="withdrawn")


@pytest.mark.core
def test_the_page_of_conformance_has_spark() -> None:
    compared = "publications, mentions and answers by the SQL models, on executors; mentions by `drugs_rs.spark.find`"
    conformance.write_part(
        "spark", ["| engine | what is compared | rows |", "|---|---|---|", f"| Spark | {compared} | equal |"]
    )


@pytest.fixture
def two_days(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Two deliveries: some files of a date say other things of an id, and the second date corrects and deletes."""
    folder = tmp_path / "given"
    drugs = write_drugs(
        folder / "drugs.csv", ("B01AA03", "WARFARIN"), ("N02BE01", "Paracetamol"), ("C01AA05", "Digoxin")
    )
    return {
        "2024-01-01": {
            "drugs": drugs,
            "pubmed": [
                write_pubmed(folder / "1.csv", ("1", "Warfarin", "2020", "Annals"), ("2", "Digoxin", "2020", "BMJ")),
                write_pubmed(folder / "2.csv", ("1", "Digoxin, warfarin", "2021", "ANNALS"), ("3", "", "2020", "BMJ")),
            ],
            "clinical_trials": write_trials(folder / "3.csv", ("N1", "Paracetamol", "2020", "Annals")),
        },
        "2024-01-02": {
            "pubmed": [
                write_pubmed(folder / "5.csv", ("4", "Paracetamol \U0001f600 and warfarin", "2020", "bmj")),
                folder / "6.xml",
            ],
        },
    }


XML = (
    "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>5</PMID><Article><Journal><JournalIssue><PubDate><Year>2020"
    "</Year></PubDate></JournalIssue><Title>Bulletin</Title></Journal><ArticleTitle>A title</ArticleTitle><Abstract>"
    "<AbstractText>With warfarin</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>"
    "<DeleteCitation><PMID>2</PMID></DeleteCitation></PubmedArticleSet>"
)


def test_silver_of_spark(spark: SparkSession, tmp_path: Path, two_days: dict[str, dict[str, Any]]) -> None:
    """Written by executors, date by date and one of them again, it gives the gold that the core makes of its own."""
    two_days["2024-01-02"]["pubmed"][1].write_text(XML)
    core, own = tmp_path / "core", tmp_path / "own lake"
    for dt, sources in two_days.items():
        drugs_rs.run(lake=core, dt=dt, abstracts=True, unit="code", **sources)
        counts = drugs_rs.spark.silver(spark, own, dt=dt, **sources)
    assert counts == {"pubmed": {"rows_in": 2, "rows_kept": 2, "rows_merged": 0, "rows_rejected": 0}}
    expected = of_core(core)
    with drugs_rs.spark.gold(spark, own, abstracts=True, unit="code") as gold:
        check(gold, expected)
        assert "abstract" in {row["field"] for row in gold.mentions.collect()}

    for table in ("publications_all", "rejected", "deleted", "journal_ids"):
        folder = own / drugs_rs.spark.silver_layout.FOLDERS[table]
        for path in folder.glob("kind=*/dt=*"):
            assert sorted(file.suffix for file in path.iterdir() if not file.name.startswith(("_", "."))) != []
    names = {path.relative_to(own).parts[:-1] for path in own.rglob("*.parquet")}
    assert ("silver", "publications", "kind=pubmed", "dt=2024-01-02") in names
    assert ("silver", "drugs", "dt=2024-01-01") in names

    with pytest.raises(
        exceptions.SourceNotFoundError, match=r"nothing: no silver tables \(.*\); run drugs_rs\.silver or"
    ):
        drugs_rs.spark.gold(spark, tmp_path / "nothing")
    with pytest.raises(
        exceptions.ArgumentError, match="core: a lake that the core writes, whose commits Spark does not"
    ):
        drugs_rs.spark.silver(spark, core, dt="2024-01-03", **two_days["2024-01-02"])
    with pytest.raises(
        exceptions.ArgumentError, match="no source: give one of drugs, pubmed, clinical_trials, preprints"
    ):
        drugs_rs.spark.silver(spark, own, dt="2024-01-03")
    with pytest.raises(exceptions.ArgumentError, match="dt: `3 January` is not a date such as 2020-06-01"):
        drugs_rs.spark.silver(spark, own, dt="3 January", **two_days["2024-01-02"])
    # A writer that was killed had begun to replace the date: without its counts it is not complete.
    shutil.rmtree(str(own / "silver" / "files" / "kind=pubmed" / "dt=2024-01-02"))
    with pytest.raises(
        exceptions.SourceNotFoundError,
        match=r"own lake: silver of pubmed of 2024-01-02 is not complete: run drugs_rs\.spark\.silver of that date ag",
    ):
        drugs_rs.spark.gold(spark, own)
    again = {"pubmed": two_days["2024-01-02"]["pubmed"][:1]}
    drugs_rs.spark.silver(spark, own, dt="2024-01-02", **again)
    drugs_rs.run(lake=core, dt="2024-01-02", unit="code", **again)
    with drugs_rs.spark.gold(spark, own, unit="code") as gold:
        check(gold, of_core(core))


@pytest.mark.core
def test_dates_and_matchers(spark: SparkSession, tmp_path: Path) -> None:
    """Gold up to an earlier date than that of the core; other names to find; no vocabulary yet."""
    lake = states(tmp_path)["held"]
    with drugs_rs.spark.gold(spark, lake, dt=SECOND) as gold:
        earlier = as_json(dicts(gold.publications))
        assert {row["dt"] for row in earlier} <= {"2024-02-01", "2024-03-01", SECOND}
        assert FOURTH not in {row["dt"] for row in earlier}
    salts = drugs_rs.Matcher.from_names({"X": ["nothing of note"]}, boundary="none")
    with drugs_rs.spark.gold(spark, lake, matcher=salts) as gold:
        assert {row["drug"] for row in gold.mentions.collect()} == {"nothing of note"}
    with pytest.raises(
        exceptions.SourceNotFoundError, match="no drugs up to 2023-01-01 that are not held; run silver of a"
    ):
        drugs_rs.spark.gold(spark, lake, dt="2023-01-01")
