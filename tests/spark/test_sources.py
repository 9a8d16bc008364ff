"""`drugs_rs.spark.read_publications`: sources cleaned on executors, with the rows and counts of the core."""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Mapping, NamedTuple

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import functions
from written_sources import write, write_pubmed

import drugs_rs
import drugs_rs.spark
from drugs_rs import exceptions
from drugs_rs.column_types import translated

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DT = "2024-03-01"
CASES = 80
# How an exception of an executor reaches the driver depends on the version and on the frame.
FAILURES = (PySparkException, Py4JJavaError)
# The frames, and the tables of a lake that have the same rows.
FRAMES = {
    "publications": "publications_all",
    "rejected": "rejected",
    "deleted": "deleted",
    "journal_ids": "journal_ids",
}
COUNTS = ("uri", "format", "bytes", "rows_in", "rows_kept", "rows_merged", "rows_rejected", "merged", "rejected")


def in_order(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Rows as texts that say all, in one order."""
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)


def collected(frame: DataFrame) -> list[str]:
    return in_order(row.asDict(recursive=True) for row in frame.collect())


class OfCore(NamedTuple):
    """What the core makes of sources in a lake: the rows of each frame, and the counts of each file."""

    rows: dict[str, list[str]]
    files: list[dict[str, Any]]


def of_core(folder: Path, sources: list[Path], table: str = "pubmed", **options: Any) -> OfCore:
    given: dict[str, Any] = {table: sources}
    drugs_rs.bronze(lake=folder, dt=DT, **given)
    report = drugs_rs.silver(lake=folder, dt=DT, **options)
    rows = {}
    for frame, name in FRAMES.items():
        found = drugs_rs.Lake(folder).scan(name).read().to_dicts()
        rows[frame] = in_order({key: value for key, value in row.items() if key != "dt"} for row in found)
    return OfCore(rows, [{name: source[name] for name in COUNTS} for source in report["sources"]])


def check(clean: drugs_rs.spark.CleanPublications, expected: OfCore) -> None:
    """Compare everything with the core."""
    for frame, rows in expected.rows.items():
        assert collected(getattr(clean, frame)) == rows, frame
    assert [row.asDict() for row in clean.files.collect()] == expected.files
    totals = {name: sum(file[name] for file in expected.files) for name in COUNTS[3:7]}
    assert clean.check() == totals


def article(pmid: int, title: str, journal: str, version: int | None = None) -> str:
    attribute = f' Version="{version}"' if version else ""
    return (
        f"<PubmedArticle><MedlineCitation><PMID{attribute}>{pmid}</PMID><Article><Journal><JournalIssue><PubDate>"
        f"<Year>2020</Year></PubDate></JournalIssue><Title>{journal}</Title></Journal><ArticleTitle>{title}</ArticleTitle>"
        f"</Article><MedlineJournalInfo><NlmUniqueID>037{len(journal):04}</NlmUniqueID></MedlineJournalInfo></MedlineCitation>"
        "</PubmedArticle>"
    )


def xml(path: Path, articles: Iterable[str], deleted: Iterable[int] = ()) -> Path:
    notices = "".join(f"<PMID>{pmid}</PMID>" for pmid in deleted)
    notices = f"<DeleteCitation>{notices}</DeleteCitation>" if notices else ""
    return write(path, f"<PubmedArticleSet>{''.join(articles)}{notices}</PubmedArticleSet>")


def changing_files(folder: Path, chance: random.Random) -> list[Path]:
    """Seven files in which each of many ids comes again by chance: the same, changed, in halves, deleted, rejected."""
    files = []
    for number in range(7):
        rows: list[tuple[str, ...]] = []
        articles, deleted = [], []
        for case in range(CASES):
            pmid, title = 1000 + case, f"{chance.choice(['Aspirin', 'Warfarin'])} {case}"
            journal = chance.choice(["Annals", "Annals", "BMJ"])
            what = chance.choice(["nothing", "row", "row", "twice", "half", "halves", "delete", "rejected", "no id"])
            if number % 2:
                if what in ("row", "twice"):
                    articles += [article(pmid, title, journal)] * (1 + (what == "twice"))
                elif what == "delete":
                    deleted.append(pmid)
                continue
            half, other_half = (str(pmid), title, "2020", ""), ("", title, "2020", journal)
            rows += {
                "row": [(str(pmid), title, "2020", journal)],
                "twice": [(str(pmid), title, "2020", journal)] * 2,
                "half": [half],
                "halves": chance.choice([[half, other_half], [other_half, half], [half, half, other_half]]),
                "rejected": [(str(pmid), " ", "2020", journal)],
                "no id": [other_half],
            }.get(what, [])
        name = f"{number} of sept.{'xml' if number % 2 else 'csv'}"
        files.append(xml(folder / name, articles, deleted) if number % 2 else write_pubmed(folder / name, *rows))
    return files


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_of_many_files_are_those_of_the_core(spark: SparkSession, tmp_path: Path, seed: int) -> None:
    """Eighty small stories for each seed: an id in several files, in every order of what may happen to it."""
    files = changing_files(tmp_path / "given", random.Random(seed))
    expected = of_core(tmp_path / "lake", files)
    reasons = {reason for file in expected.files for reason in file["merged"]}
    assert reasons == {"identical", "superseded", "deleted", "half_row"}
    with drugs_rs.spark.read_publications(spark, files) as clean:
        check(clean, expected)
        own = [row for row in clean.publications.collect() if "merged_halves" in row["flags"]]
        assert own and all(row["journal"] for row in own)


def struct_of(fields: Mapping[str, str]) -> str:
    """A struct as Spark writes its type."""
    return f"struct<{','.join(f'{name}:{kind}' for name, kind in fields.items())}>"


def test_every_column_is_that_of_a_table_of_the_lake(spark: SparkSession, samples: Path) -> None:
    clean = drugs_rs.spark.read_publications(spark, samples / "clinical_trials.csv", kind="clinical_trial")
    types = {"string": "string", "int64": "bigint", "date": "date"}
    for frame, table in FRAMES.items():
        wanted = {
            name: translated(kind, types, "array<{}>".format, struct_of)
            for name, kind in drugs_rs.Lake("any").schema(table).items()
            if name != "dt"
        }
        assert dict(getattr(clean, frame).dtypes) == wanted
        assert list(wanted)[-1] == "kind"
    assert {row["kind"] for row in clean.publications.collect()} == {"clinical_trial"}


def test_sources_are_read_once(spark: SparkSession, samples: Path, tmp_path: Path) -> None:
    """Without its files everything still answers; forgotten, nothing does."""
    folder = tmp_path / "given"
    shutil.copytree(str(samples), str(folder))
    sources = [folder / "pubmed.csv", folder / "pubmed.json"]
    expected = of_core(tmp_path / "lake", sources)
    clean = drugs_rs.spark.read_publications(spark, sources)
    assert clean.publications.count() == len(expected.rows["publications"])
    shutil.rmtree(str(folder))
    check(clean, expected)
    clean.unpersist()
    with pytest.raises(FAILURES):
        clean.publications.count()


def test_one_file_is_one_task(spark: SparkSession, tmp_path: Path) -> None:
    files = [write_pubmed(tmp_path / f"{number}.csv", (str(number), "Aspirin", "2020", "J")) for number in range(9)]
    with drugs_rs.spark.read_publications(spark, tmp_path) as clean:
        placed = clean._made.select("file", functions.spark_partition_id().alias("task")).distinct().collect()  # noqa: SLF001
    assert len(placed) == len({row["task"] for row in placed}) == len(files)


def test_archives_options_and_relative_names(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of files become absolute, because executors work in other folders."""
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("two.zip", "w") as archive:
        for name in ("a", "b"):
            write_pubmed(tmp_path / name, (name, "Aspirin", "01/02/2020", "J"), ("1", f"Warfarin {name}", "2020", "J"))
            archive.write(name, f"{name}.csv")
    write(tmp_path / "bad.csv", "what,is,this\n1,2,3\n")
    write_pubmed(tmp_path / "1.csv", ("1", "Warfarin b", "2020", "J"))
    names = ["two.zip", "bad.csv", "1.csv"]
    options: dict[str, Any] = {"month_first": True, "on_bad_file": "reject"}
    expected = of_core(tmp_path / "lake", [tmp_path / name for name in names], **options)
    with drugs_rs.spark.read_publications(spark, names, **options) as clean:
        check(clean, expected)
        dates = {row["publication_id"]: str(row["date"]) for row in clean.publications.collect()}
        assert dates["a"] == "2020-01-02"
        (place,) = {row["source_uri"] for row in clean.publications.where("publication_id = 'a'").collect()}
        assert place == f"{tmp_path}/two.zip/a.csv"


def test_a_bad_file_fails_with_the_words_of_the_core(spark: SparkSession, tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.csv", "what,is,this\n1,2,3\n")
    with pytest.raises(FAILURES, match=r"SchemaError: \S+bad\.csv: missing columns `id`"):
        drugs_rs.spark.read_publications(spark, bad).publications.collect()


def test_a_file_that_an_executor_does_not_see(spark: SparkSession, tmp_path: Path) -> None:
    path = write_pubmed(tmp_path / "gone.csv", ("1", "Aspirin", "2020", "J"))
    clean = drugs_rs.spark.read_publications(spark, path)
    path.unlink()
    with pytest.raises(
        FAILURES,
        match=r"SourceNotFoundError: executor on \S+: \S+gone\.csv: not found; .*; the driver sees it: put sources",
    ):
        clean.files.collect()


def test_arguments_are_checked_on_the_driver(spark: SparkSession, samples: Path, tmp_path: Path) -> None:
    read = drugs_rs.spark.read_publications
    with pytest.raises(exceptions.SourceNotFoundError, match=r"nowhere\.csv: not found"):
        read(spark, tmp_path / "nowhere.csv")
    with pytest.raises(
        exceptions.ArgumentError, match="kind: unknown kind 'trials'; expected one of 'pubmed', 'clinical_t"
    ):
        read(spark, samples / "pubmed.csv", kind="trials")  # type: ignore[arg-type]
    with pytest.raises(exceptions.ArgumentError, match="encoding"):
        read(spark, samples / "pubmed.csv", encoding="latin-9")  # type: ignore[arg-type]
    with pytest.raises(exceptions.ArgumentError, match="on_bad_file"):
        read(spark, samples / "pubmed.csv", on_bad_file="ignore")  # type: ignore[arg-type]


def test_lost_rows_are_noticed(spark: SparkSession, samples: Path) -> None:
    clean = drugs_rs.spark.read_publications(spark, [samples / "pubmed.csv", samples / "pubmed.json"])
    fewer = drugs_rs.spark.CleanPublications(clean._made.where("source_row IS NULL OR source_row <> 3"), "pubmed")  # noqa: SLF001
    with pytest.raises(
        exceptions.ConservationError,
        match=r"^rows are lost or made up: \S+pubmed\.csv: 10 rows in; 9 kept, 0 merged and 1 rejected by its counts; "
        r"8 kept and 1 rejected in the frames; \S+pubmed\.json: .*please report this bug$",
    ):
        fewer.check()


def test_a_lower_version_replaces_a_higher_one_of_another_file(spark: SparkSession, tmp_path: Path) -> None:
    """A deviation: silver has no column for versions, so over files the later row wins; within one the core decides."""
    first = xml(tmp_path / "1.xml", [article(7, "Second version", "J", 2), article(7, "First version", "J", 1)])
    second = xml(tmp_path / "2.xml", [article(7, "First version", "J", 1)])
    core = drugs_rs.read_publications([first, second])
    assert core["title"] == ["Second version"]
    with drugs_rs.spark.read_publications(spark, first) as one, drugs_rs.spark.read_publications(
        spark, [first, second]
    ) as both:
        assert [row["title"] for row in one.publications.collect()] == ["Second version"]
        assert [row["title"] for row in both.publications.collect()] == ["First version"]
        assert both.check()["rows_in"] == 3


def test_a_row_that_comes_back_within_a_file_is_the_row_of_the_earlier_file(
    spark: SparkSession, tmp_path: Path
) -> None:
    """A deviation: its contents are those of the core, and its place is that of the first file that said so."""
    first = write_pubmed(tmp_path / "1.csv", ("1", "Aspirin", "2020", "J"))
    second = write_pubmed(tmp_path / "2.csv", ("1", "Warfarin", "2020", "J"), ("1", "Aspirin", "2020", "J"))
    core = drugs_rs.read_publications([first, second])
    assert (core["title"], core["source_uri"]) == (["Aspirin"], [str(second)])
    with drugs_rs.spark.read_publications(spark, [first, second]) as clean:
        (row,) = clean.publications.collect()
        assert (row["title"], row["source_uri"]) == ("Aspirin", str(first))
        assert clean.check() == {"rows_in": 3, "rows_kept": 1, "rows_merged": 2, "rows_rejected": 0}
