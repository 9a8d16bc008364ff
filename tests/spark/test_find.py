"""`drugs_rs.spark.find` on executors that are processes of their own."""

from __future__ import annotations

import datetime
import re
import sys
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import pyarrow
import pytest
from pyspark import cloudpickle
from pyspark.errors import PySparkException
from pyspark.sql import functions

import drugs_rs
import drugs_rs.spark
from drugs_rs import exceptions
from drugs_rs.spark.executor import on_executors

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from spark_cluster import Cluster

NAMES = {"A04AD": ["diphenhydramine", "Benadryl"], "S03AA": ["tetracycline"], "B01AA03": ["warfarin"]}
TEXTS = [
    "Diphenhydramine, or tetracycline?",
    None,
    "",
    "nothing of note",
    "\U0001f600 é é warfarin\u00a0\U0001f9ea Benadryl",
    "日本語 warfarin 日本語 WARFARIN",
    "norwarfarin tetracycline-treated",
    "x" * 70_000 + " warfarin",
    "\0 warfarin \n warfarin",
]


@pytest.fixture(scope="module")
def matcher() -> drugs_rs.Matcher:
    return drugs_rs.Matcher.from_names(NAMES)


def fields(mention: drugs_rs.Mention) -> tuple[Any, ...]:
    return (mention.atccode, mention.drug, mention.start, mention.end, mention.surface, mention.rule)


def expected(matcher: drugs_rs.Matcher, text: str | None) -> list[tuple[Any, ...]] | None:
    """What the matcher finds in one text, in this process."""
    return None if text is None else [fields(mention) for mention in matcher.find(text)]


def texts(spark: SparkSession, partitions: int = 3) -> DataFrame:
    return spark.createDataFrame(list(enumerate(TEXTS)), "row int, title string").repartition(partitions)


def error_of(action: Callable[[], object]) -> str:
    """The message of an executor as the driver sees it, without traces of Java."""
    with pytest.raises(PySparkException) as caught:
        action()
    return str(caught.value)


def test_mentions_are_those_of_the_matcher(spark: SparkSession, matcher: drugs_rs.Matcher) -> None:
    """Offsets count code points, not the UTF-16 of Java; null is null; a text without a mention has an empty list."""
    found = drugs_rs.spark.find(texts(spark), "title", matcher).collect()
    assert sorted(row["row"] for row in found) == list(range(len(TEXTS)))
    for row in found:
        mentions = None if row["mentions"] is None else [tuple(mention) for mention in row["mentions"]]
        assert mentions == expected(matcher, row["title"])
        for mention in row["mentions"] or []:
            assert row["title"][mention["start"] : mention["end"]] == mention["surface"]
    assert sum(len(row["mentions"] or []) for row in found) > len(TEXTS)
    cut = drugs_rs.spark.find(texts(spark), "title", matcher).selectExpr("title", "inline(mentions)")
    cut = cut.selectExpr("surface", "substring(title, int(start) + 1, int(end - start)) AS cut")
    assert all(row["surface"] == row["cut"] for row in cut.collect())


def test_the_schema_is_known_before_anything_runs(spark: SparkSession, matcher: drugs_rs.Matcher) -> None:
    before = texts(spark)
    found = drugs_rs.spark.find(before, "title", matcher, into="drugs named")
    assert found.drop("drugs named").schema == before.schema
    assert found.schema["drugs named"].dataType.simpleString() == (
        "array<struct<atccode:string,drug:string,start:bigint,end:bigint,surface:string,rule:string>>"
    )


@pytest.mark.parametrize("partitions", [1, 7])
def test_no_rows_and_empty_partitions(spark: SparkSession, matcher: drugs_rs.Matcher, partitions: int) -> None:
    one = texts(spark, partitions).where("row = 0")
    assert [len(row["mentions"]) for row in drugs_rs.spark.find(one, "title", matcher).collect()] == [2]
    none = drugs_rs.spark.find(one.where("row > 0"), "title", matcher)
    assert none.collect() == [] and none.count() == 0


def test_other_columns_pass_unchanged(spark: SparkSession, matcher: drugs_rs.Matcher) -> None:
    schema = (
        "title string, flags array<string>, counts map<string,int>, at timestamp, day date, price decimal(10,2), "
        "raw binary, place struct<x:int,y:string>, parts array<struct<n:bigint,of:map<string,array<int>>>>, "
        "ok boolean, small tinyint, real double, title_2 string"
    )
    rows = [
        (
            *("warfarin", ["a", None], {"k": 1, "": None}, datetime.datetime(2020, 3, 29, 2, 30, 0, 123456)),
            *(datetime.date(1582, 10, 4), Decimal("-0.01"), b"\x00\xff", (1, None), [(2, {"k": [1, None]}), None]),
            *(True, -128, float("inf"), "tetracycline"),
        ),
        (None,) * 13,
    ]
    before = spark.createDataFrame(rows, schema).withColumn(
        "local", functions.expr("if(ok, timestamp_ntz'2020-01-01 00:00:00', null)")
    )
    before = before.withColumn("void", functions.lit(None)).withColumn(
        "age", functions.expr("interval '1 2' day to hour")
    )
    found = drugs_rs.spark.find(before, "title", matcher)
    assert found.drop("mentions").schema == before.schema
    after = {row["title"]: row for row in found.drop("mentions").collect()}
    assert after == {row["title"]: row for row in before.collect()}


def test_wide_frames(spark: SparkSession, matcher: drugs_rs.Matcher) -> None:
    wide = spark.range(3).select(*(functions.lit(number).alias(f"c{number}") for number in range(400)))
    wide = wide.withColumn("title", functions.lit("warfarin"))
    rows = drugs_rs.spark.find(wide, "title", matcher).collect()
    assert [(row["c0"], row["c399"], row["mentions"][0]["drug"]) for row in rows] == [(0, 399, "warfarin")] * 3


def test_a_column_may_be_an_expression(spark: SparkSession, matcher: drugs_rs.Matcher) -> None:
    nested = texts(spark).select("row", functions.struct("title").alias("article"))
    found = drugs_rs.spark.find(nested, functions.lower(functions.col("article.title")), matcher, into="m")
    assert found.columns == ["row", "article", "m"]
    for row in found.collect():
        lower = None if row["article"]["title"] is None else row["article"]["title"].lower()
        assert (None if row["m"] is None else [tuple(mention) for mention in row["m"]]) == expected(matcher, lower)


def test_names_are_compared_as_spark_compares_them(spark: SparkSession, matcher: drugs_rs.Matcher) -> None:
    twice = spark.sql("SELECT 'warfarin' AS a, 'tetracycline' AS A, 'warfarin' AS b")
    assert drugs_rs.spark.find(twice, "B", matcher).collect()[0]["mentions"][0]["drug"] == "warfarin"
    with pytest.raises(exceptions.ColumnNotFoundError, match="the frame has 2 columns `a`; it has a, A, b"):
        drugs_rs.spark.find(twice, "a", matcher)
    spark.conf.set("spark.sql.caseSensitive", "true")
    try:
        assert drugs_rs.spark.find(twice, "A", matcher, into="B").collect()[0]["B"][0]["drug"] == "tetracycline"
    finally:
        spark.conf.unset("spark.sql.caseSensitive")


def test_names_of_columns_may_have_dots_and_accents(spark: SparkSession, matcher: drugs_rs.Matcher) -> None:
    dotted = spark.sql("SELECT 'warfarin' AS `a.b`, 1 AS `it's \u00e9`, 2 AS `a`")
    found = drugs_rs.spark.find(dotted, "a.b", matcher, into="a.c")
    assert found.columns == ["a.b", "it's \u00e9", "a", "a.c"]
    assert found.collect()[0]["a.c"][0]["surface"] == "warfarin"


def test_arguments_are_checked_on_the_driver(spark: SparkSession, matcher: drugs_rs.Matcher) -> None:
    frame = texts(spark)
    with pytest.raises(exceptions.ColumnNotFoundError, match="the frame has no column `abstract`; it has row, title"):
        drugs_rs.spark.find(frame, "abstract", matcher)
    with pytest.raises(
        exceptions.ArgumentError, match="column `row`: of type int, and mentions are found in strings; c"
    ):
        drugs_rs.spark.find(frame, "row", matcher)
    with pytest.raises(exceptions.ArgumentError, match="into: the frame has a column `Row`; choose another name"):
        drugs_rs.spark.find(frame, "title", matcher, into="Row")
    with pytest.raises(TypeError, match=r"matcher: expected a drugs_rs\.Matcher, found dict"):
        drugs_rs.spark.find(frame, "title", NAMES)  # type: ignore[arg-type]
    months = frame.withColumn("age", functions.expr("array(interval '1' year)"))
    with pytest.raises(
        exceptions.ArgumentError, match="column `age`: of type array<interval year>, which Spark does not"
    ):
        drugs_rs.spark.find(months, "title", matcher)


def test_a_matcher_is_sent_once_to_an_executor_and_loaded_once_by_a_process(spark_cluster: Cluster) -> None:
    names = {f"X{number:04}": [f"drug number {number}"] for number in range(3000)}
    matcher = drugs_rs.Matcher.from_names(names)
    spark = spark_cluster.spark
    frame = spark.range(0, 400, 1, 20).selectExpr("id", "concat('drug number ', id) AS title")
    for attempt in range(3):
        # A frame each time, and an equal matcher: it is the contents that count.
        equal = drugs_rs.Matcher.from_bytes(matcher.to_bytes())
        found = drugs_rs.spark.find(frame, "title", equal, into=f"found_{attempt}")
        assert [len(row[2]) for row in found.collect()] == [1] * 400
    (name,) = {file for _, file in spark_cluster.opened[-1:]}
    assert len(matcher.to_bytes()) == spark_cluster.copies(name)[0].stat().st_size
    assert len(spark_cluster.copies(name)) <= 2
    loads = Counter(process for process, file in spark_cluster.opened if file == name)
    assert 1 <= len(loads) <= 4, "60 tasks, and processes are used again"
    assert set(loads.values()) == {1}
    task = on_executors("find", column=1, into="found", matcher=name, replace=False)
    assert len(cloudpickle.dumps(task)) < 10_000 < len(matcher.to_bytes())


def sent_but_changed(spark_cluster: Cluster, change: Callable[[Path], object], names: dict[str, list[str]]) -> str:
    """What an executor says whose copy of a matcher changes before it is loaded."""
    spark = spark_cluster.spark
    found = drugs_rs.spark.find(texts(spark), "title", drugs_rs.Matcher.from_names(names))
    # Any task makes an executor fetch what was sent.
    spark.range(0, 8, 1, 8).foreach(lambda _: None)
    name = drugs_rs.spark.matcher_files.ship(spark, drugs_rs.Matcher.from_names(names))
    copies = spark_cluster.copies(name)
    assert copies
    for copy in copies:
        change(copy)
    return error_of(found.collect)


def test_a_matcher_that_is_missing_on_an_executor(spark_cluster: Cluster) -> None:
    message = sent_but_changed(spark_cluster, Path.unlink, {"A": ["one missing"]})
    assert re.search(
        r"SourceNotFoundError: executor on \S+: /\S+/drugs_rs-matcher-[0-9a-f]{64}: the matcher that the driver sent "
        r"cannot be read \(No such file or directory\); remove the executor, so that a new one fetches the file again",
        message,
    )


@pytest.mark.parametrize("foreign", [b"", b"not a matcher", drugs_rs.Matcher.from_names(NAMES).to_bytes()])
def test_a_file_that_is_not_the_matcher_that_was_sent(spark_cluster: Cluster, foreign: bytes) -> None:
    message = sent_but_changed(
        spark_cluster, lambda path: path.write_bytes(foreign), {"A": [f"one damaged {len(foreign)}"]}
    )
    assert re.search(
        rf"FormatError: executor on \S+: /\S+/drugs_rs-matcher-[0-9a-f]{{64}}: {len(foreign)} bytes with the SHA-256 "
        r"[0-9a-f]{64}, which are not the matcher that the driver sent; remove the executor",
        message,
    )


def another_python(folder: Path, drugs_version: str | None) -> Path:
    """A Python with all packages of this one but drugs_rs, or with another version of it."""
    packages = folder / "packages"
    packages.mkdir()
    for item in Path(pyarrow.__file__).parents[1].iterdir():
        if not item.name.startswith(("drugs_rs", "pyspark")):
            (packages / item.name).symlink_to(item)
    if drugs_version:
        (packages / "drugs_rs").mkdir()
        (packages / "drugs_rs" / "__init__.py").write_text(f"__version__ = {drugs_version!r}\n")
    own = Path(drugs_rs.__file__).parents[1]
    python = folder / "python"
    python.write_text(
        "#!/bin/sh\n"
        f'PYTHONPATH="{packages}:$(printf %s "$PYTHONPATH" | tr : "\\n" | grep -vxF "{own}" | paste -sd :)"\n'
        f'export PYTHONPATH\nexec "{sys.executable}" -S "$@"\n'
    )
    python.chmod(0o755)
    return python


def test_executors_without_the_package(spark_cluster: Cluster, matcher: drugs_rs.Matcher, tmp_path: Path) -> None:
    with spark_cluster.python(another_python(tmp_path, None)):
        message = error_of(drugs_rs.spark.find(texts(spark_cluster.spark), "title", matcher).collect)
    python, own = ".".join(map(str, sys.version_info[:3])), drugs_rs.__version__
    assert re.search(rf"RuntimeError: executor on \S+ \(Python {re.escape(python)}, \S+\): drugs_rs cannot", message)
    assert (
        f": drugs_rs cannot be imported (No module named 'drugs_rs'), and the driver has {own}; give the executors the "
        f"wheel of drugs_rs {own}: install it in their Python or image, or ship a packed environment with "
        "spark.archives (docs/spark.md)"
    ) in message


def test_executors_with_another_version(spark_cluster: Cluster, matcher: drugs_rs.Matcher, tmp_path: Path) -> None:
    with spark_cluster.python(another_python(tmp_path, "0.0.7")):
        message = error_of(drugs_rs.spark.find(texts(spark_cluster.spark), "title", matcher).collect)
    assert re.search(
        rf"\): drugs_rs 0\.0\.7, and the driver has {re.escape(drugs_rs.__version__)}; give the executors the wheel",
        message,
    )


@pytest.mark.core
def test_executors_take_the_wheel_from_an_archive(
    spark_cluster: Cluster, matcher: drugs_rs.Matcher, tmp_path: Path
) -> None:
    """A wheel is a ZIP file of the package; Spark unpacks one beside each executor, whose Python has no other."""
    wheel = tmp_path / "wheel.zip"
    package = Path(drugs_rs.__file__).parent
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in package.rglob("*"):
            if path.suffix != ".pyc":
                archive.write(path, f"drugs_rs/{path.relative_to(package)}")
    context: Any = spark_cluster.spark.sparkContext
    context.addArchive(f"{wheel}#drugs_rs_wheel")
    program = another_python(tmp_path, None)
    program.write_text(program.read_text().replace("export PYTHONPATH", "export PYTHONPATH=drugs_rs_wheel:$PYTHONPATH"))
    with spark_cluster.python(program):
        found = drugs_rs.spark.find(texts(spark_cluster.spark), "title", matcher).collect()
    assert sum(len(row["mentions"] or []) for row in found) > len(TEXTS)
