"""The SQL models over frames."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Iterator

from drugs_rs import sql
from drugs_rs.spark.library import is_connect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Models"]

# The models that count drugs.
OF_UNITS = ("top_journals", "exclusive_drugs")
# How Spark reads a text with a `WITH`.
READING = "spark.sql.legacy.ctePrecedencePolicy"


class Models:
    """The relations that models read, as temporary views with names of their own, and the models over them."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._prefix = f"drugs_rs_{uuid.uuid4().hex}_"
        self.relations: dict[str, DataFrame] = {}

    def add(self, name: str, frame: DataFrame) -> DataFrame:
        """Let models read a frame under the name of an input, and return it."""
        frame.createOrReplaceTempView(self._prefix + name)
        self.relations[name] = frame
        return frame

    def run(self, name: str, unit: str = "substance") -> DataFrame:
        """Return the rows of a model."""
        views = {table: self._prefix + table for table in sql.inputs(name)}
        options = {"unit": unit} if name in OF_UNITS else {}
        with self._substituted_at_once():
            return self._spark.sql(sql.model(name, "spark", views, **options))

    def drop(self) -> None:
        """Drop the views. Spark forgets the kept rows of a frame with its view, so this is for the end."""
        for name in self.relations:
            self._spark.catalog.dropTempView(self._prefix + name)

    @contextmanager
    def _substituted_at_once(self) -> Iterator[None]:
        """Let Spark put the parts of a ``WITH`` in their places while it reads a text.

        It numbers parts that it leaves for later, from 0 in each query. A query with such parts then does not recognise
        a kept frame that has some too, and computes it again.
        """
        if is_connect(self._spark):
            # There a text is read when its rows are asked for.
            yield
            return
        usual = self._spark.conf.get(READING)
        self._spark.conf.set(READING, "LEGACY")
        try:
            yield
        finally:
            self._spark.conf.set(READING, usual)
