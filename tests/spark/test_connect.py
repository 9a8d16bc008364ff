"""The same functions with Spark Connect, whose sessions have no SparkContext: in a process with a server of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conformance import as_json, four_files, of_core
from spark_cluster import JAVA_OPTIONS, require_java
from written_sources import write_pubmed

import drugs_rs

pytestmark = pytest.mark.core

PROGRAM = """\
import json, sys
from pyspark.sql import SparkSession, functions
import drugs_rs, drugs_rs.spark

lake, source = sys.argv[1:]
builder = SparkSession.builder.remote("local[1]")
for setting in {settings!r}.items():
    builder = builder.config(*setting)
spark = builder.getOrCreate()
assert not hasattr(spark, "sparkContext") or type(spark).__module__.startswith("pyspark.sql.connect")
matcher = drugs_rs.Matcher.from_names({{"B01AA03": ["warfarin"]}})
titles = spark.createDataFrame([("Oral warfarin",), (None,)], "title string")
found = [drugs_rs.spark.find(titles, column, matcher).collect() for column in ("title", functions.upper("title"))]
with drugs_rs.spark.read_publications(spark, source) as clean:
    counts = clean.check()
    rows = [row.asDict() for row in clean.publications.collect()]
with drugs_rs.spark.gold(spark, lake) as gold:
    names = ("publications", "mentions", "journal_drugs", "top_journals", "exclusive_drugs")
    tables = {{name: [row.asDict() for row in getattr(gold, name).collect()] for name in names}}
surfaces = [[m["surface"] for m in row["mentions"] or []] for rows in found for row in rows]
print("RESULT" + json.dumps({{"surfaces": surfaces, "counts": counts, "rows": rows, "tables": tables}}, default=str))
spark.stop()
"""
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.extraJavaOptions": JAVA_OPTIONS,
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


def test_find_read_and_gold(tmp_path: Path) -> None:
    pytest.importorskip("grpc", reason="Spark Connect needs grpcio")
    require_java()
    lake = four_files(tmp_path / "lake")
    source = write_pubmed(
        tmp_path / "a.csv", ("1", "Warfarin", "2020", "J"), ("1", "Aspirin", "2020", "J"), ("2", "", "", "")
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM.format(settings=SETTINGS), str(lake), str(source)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**environment, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable},
        cwd=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.split("RESULT")[1])
    assert found["surfaces"] == [["warfarin"], [], ["WARFARIN"], []]
    assert found["counts"] == {"rows_in": 3, "rows_kept": 1, "rows_merged": 1, "rows_rejected": 1}
    assert found["rows"] == as_json([{**row} for row in drugs_rs.read_publications(source)])
    expected = of_core(lake)
    tables = found["tables"]
    assert as_json(tables["publications"]) == expected.publications
    assert as_json(tables["mentions"]) == expected.mentions
    assert as_json(tables["journal_drugs"]) == expected.journal_drugs
    assert [(row["journal"], row["drugs"]) for row in tables["top_journals"]] == expected.top_journals
    assert len(tables["exclusive_drugs"]) == sum(map(len, expected.exclusive_drugs.values()))
