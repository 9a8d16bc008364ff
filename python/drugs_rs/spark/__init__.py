"""Spark: drugs in columns of frames, sources cleaned on executors, gold of a lake by SQL.

``find`` adds the mentions in a column of texts to a frame, ``read_publications`` cleans sources on the executors,
``silver`` writes them as Parquet, and ``gold`` computes current publications, mentions and answers of a lake::

    from pyspark.sql import SparkSession
    import drugs_rs.spark

    spark = SparkSession.builder.getOrCreate()
    matcher = drugs_rs.Matcher.from_vocabulary("gs://bucket/drugs.csv")
    articles = drugs_rs.spark.read_publications(spark, "gs://bucket/pubmed/*.xml.gz")
    found = drugs_rs.spark.find(articles.publications, "title", matcher)

Executors need the same wheel of drugs_rs as the driver, with pyarrow and pandas; an executor that lacks it says so,
with its host and the versions. ``docs/spark.md`` has what a cluster needs.

Importing this module loads neither PySpark nor the native module.
"""

from __future__ import annotations

from drugs_rs.spark.clean_sources import CleanPublications, read_publications
from drugs_rs.spark.gold_tables import Gold, gold
from drugs_rs.spark.mention_columns import find
from drugs_rs.spark.silver_writer import silver

__all__ = ["CleanPublications", "Gold", "find", "gold", "read_publications", "silver"]


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
