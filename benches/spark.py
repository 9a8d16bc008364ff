"""Mentions on Spark's executors beside what people do without this project, in one run.

    python benches/spark.py                  everything (make bench-spark)
    python benches/spark.py --help           --titles --regex-titles --drugs --repeat

`drugs_rs.spark.find` over a Python UDF with one compiled regular expression, all names between word bounds, and over
flashtext in a pandas UDF; the same titles and names, `local-cluster[2,1,1024]`: two executors with one core each. All
sides give an array for each title, which Spark counts. Ratios are medians of paired runs, in titles a second; processes
are warm, and each side has compiled or loaded its names before. The regular expression is so slow that it gets fewer
titles.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import pyarrow
import pyarrow.parquet
import pyspark
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf

import drugs_rs
import drugs_rs.spark

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MASTER = "local-cluster[2,1,1024]"
PARTITIONS = 8
SETTINGS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.memory": "512m",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def session(folder: Path) -> SparkSession:
    """A driver and its executors, which work below a folder."""
    home = folder / "home"
    home.mkdir()
    for item in Path(pyspark.__file__).parent.iterdir():
        (home / item.name).symlink_to(item)
    os.environ.update(SPARK_HOME=str(home), PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    builder = SparkSession.builder.master(MASTER)
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def by_core(names: dict[str, list[str]]) -> Callable[[DataFrame], DataFrame]:
    # Names are names: no stop list, as for the peers.
    matcher = drugs_rs.Matcher.from_names(names, stop_words=[])
    return lambda titles: drugs_rs.spark.find(titles, "title", matcher, into="found")


def by_regex(names: dict[str, list[str]]) -> Callable[[DataFrame], DataFrame]:
    """A UDF; longer names come first, and the expression is compiled once a process."""
    every = sorted({name for all_names in names.values() for name in all_names}, key=len, reverse=True)
    pattern = r"\b(?:" + "|".join(map(re.escape, every)) + r")\b"

    def found(title: str | None) -> list[str] | None:
        import builtins
        import re

        compiled = builtins.__dict__.get("bench_pattern")
        if compiled is None:
            compiled = builtins.__dict__["bench_pattern"] = re.compile(pattern, re.IGNORECASE)
        return None if title is None else compiled.findall(title)  # type: ignore[no-any-return]

    udf = sf.udf(found, "array<string>")
    return lambda titles: titles.withColumn("found", udf("title"))


def by_flashtext(names: dict[str, list[str]]) -> Callable[[DataFrame], DataFrame]:
    """A pandas UDF; the trie is made once a process."""
    every = sorted({name for all_names in names.values() for name in all_names})

    def found(titles: Any) -> Any:
        import builtins
        from importlib import import_module

        processor = builtins.__dict__.get("bench_processor")
        if processor is None:
            processor = builtins.__dict__["bench_processor"] = import_module("flashtext").KeywordProcessor()
            for name in every:
                processor.add_keyword(name)
        return titles.map(processor.extract_keywords)

    pandas = import_module("pandas")
    # The classic signature by annotations, which here are values.
    found.__annotations__ = {"titles": pandas.Series, "return": pandas.Series}
    udf = sf.pandas_udf(found, "array<string>")
    return lambda titles: titles.withColumn("found", udf("title"))


def timed(find: Callable[[DataFrame], DataFrame], titles: DataFrame) -> tuple[float, int]:
    """Seconds, and how many mentions there are."""
    start = time.perf_counter()
    (row,) = find(titles).agg(sf.sum(sf.size("found"))).collect()
    return time.perf_counter() - start, row[0]


def measured(spark: SparkSession, folder: Path, given: argparse.Namespace) -> dict[str, float]:
    """The rates and ratios of all sides."""
    world = folder / "world"
    drugs_rs.generate(world, articles=given.titles, trials=0, drugs=given.drugs, clean=True)
    titles = pyarrow.table(drugs_rs.read_publications(world / "pubmed"))["title"]
    names: dict[str, list[str]] = {}
    for drug in drugs_rs.read_drugs(world / "drugs"):
        names.setdefault(drug["atccode"], []).extend([drug["drug"], *drug["synonyms"]])
    frames = {}
    for size in {given.titles, given.regex_titles}:
        place = folder / f"{size}.parquet"
        pyarrow.parquet.write_table(pyarrow.table({"title": titles.slice(0, size).cast(pyarrow.string())}), place)
        frames[size] = spark.read.parquet(str(place)).repartition(PARTITIONS).persist()
        frames[size].count()
    sides = {
        "drugs_rs.spark.find": (by_core(names), given.titles),
        "regular expression, Python UDF": (by_regex(names), given.regex_titles),
        "flashtext, pandas UDF": (by_flashtext(names), given.titles),
    }
    rates: dict[str, list[float]] = {name: [] for name in sides}
    result: dict[str, float] = {"titles": len(titles), "names": sum(map(len, names.values()))}
    for attempt in range(given.repeat + 1):
        for name, (find, size) in sides.items():
            seconds, mentions = timed(find, frames[size])
            if attempt:  # the first one warms the processes
                rates[name].append(size / seconds)
            result[f"{name}: mentions in {size} titles"] = mentions
    own, *peers = sides
    for name in sides:
        result[f"{name}: titles a second"] = round(statistics.median(rates[name]))
    for name in peers:
        result[f"{own} over {name}"] = round(statistics.median(a / b for a, b in zip(rates[own], rates[name])), 1)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--titles", type=int, default=1_000_000)
    parser.add_argument("--regex-titles", type=int, default=20_000, help="how many of them the regular expression gets")
    parser.add_argument("--drugs", type=int, default=5000)
    parser.add_argument("--repeat", type=int, default=5, help="paired runs")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-spark-") as folder:
        spark = session(Path(folder))
        try:
            result = measured(spark, Path(folder), given)
        finally:
            spark.stop()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
