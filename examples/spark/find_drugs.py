"""Clean sources on Spark's executors, find the drugs in their titles, and write both as Parquet.

    spark-submit examples/spark/find_drugs.py --drugs drugs.csv --pubmed 'pubmed/*.xml.gz' --out folder
    gcloud dataproc batches submit pyspark find_drugs.py … -- --drugs gs://… --pubmed gs://… --out gs://…

Writes `publications`, `mentions`, `rejected` and `files` below `--out`; a folder that is there is replaced. Prints the
counts as one line of JSON. Sources and results must be where all executors see them; `docs/spark.md` says what a
cluster needs.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Sequence

from pyspark.sql import SparkSession
from pyspark.sql import functions as sf

import drugs_rs
import drugs_rs.spark

KINDS = {"pubmed": "pubmed", "clinical_trials": "clinical_trial", "preprints": "preprint"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drugs", required=True, action="append", help="a vocabulary; may be repeated")
    for table in KINDS:
        parser.add_argument(f"--{table.replace('_', '-')}", action="append", help="sources; may be repeated")
    parser.add_argument("--out", required=True, help="a folder, as Spark names it")
    given = parser.parse_args(arguments)
    sources = {kind: getattr(given, table) for table, kind in KINDS.items() if getattr(given, table)}
    if not sources:
        parser.error("give at least one of --pubmed, --clinical-trials, --preprints")

    spark = SparkSession.builder.appName("find_drugs").getOrCreate()
    matcher = drugs_rs.Matcher.from_vocabulary(given.drugs)
    counts = {}
    for kind, files in sources.items():
        with drugs_rs.spark.read_publications(spark, files, kind=kind) as clean:
            counts[kind] = clean.check()
            titles = clean.publications.select("publication_id", "journal", "date", "title")
            found = drugs_rs.spark.find(titles, "title", matcher, into="mention")
            mentions = found.withColumn("mention", sf.explode("mention")).select(
                "publication_id", "journal", "date", "mention.*"
            )
            results = {
                "publications": clean.publications.drop("kind"),
                "mentions": mentions,
                "rejected": clean.rejected.drop("kind"),
                "files": clean.files,
            }
            for name, frame in results.items():
                frame.write.mode("overwrite").parquet(f"{given.out}/{name}/kind={kind}")
    print(json.dumps(counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
