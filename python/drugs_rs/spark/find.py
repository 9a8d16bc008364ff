"""Drugs in a column of a frame: what is behind ``drugs_rs.spark.find``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, Sequence

import drugs_rs
from drugs_rs.exceptions import ArgumentError, ColumnNotFoundError
from drugs_rs.spark import matchers
from drugs_rs.spark.executor import on_executors
from drugs_rs.spark.tasks import MENTION

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import ArrayType, DataType, StructField

    from drugs_rs import Matcher

__all__ = ["find"]

# The types of Spark that no version writes as Arrow for Python.
NEVER_IN_ARROW = {"CalendarIntervalType", "YearMonthIntervalType"}


def find(df: DataFrame, column: str | Column, matcher: Matcher, *, into: str = "mentions") -> DataFrame:
    """Find the mentions in each text of a column, as ``drugs_rs.spark.find`` documents it."""
    from pyspark.sql.types import StringType, StructField, StructType

    if not isinstance(matcher, drugs_rs.Matcher):
        message = f"matcher: expected a drugs_rs.Matcher, found {type(matcher).__name__}"
        raise TypeError(message)
    spark = df.sparkSession
    fold = str if spark.conf.get("spark.sql.caseSensitive") == "true" else str.lower
    names = [fold(name) for name in df.columns]
    if fold(into) in names:
        message = f"into: the frame has a column `{into}`; choose another name"
        raise ArgumentError(message)
    is_expression = not isinstance(column, str)
    if is_expression:
        # Computed as one more column, whose place the mentions take.
        df, number = df.select("*", column.alias(into)), len(names)
    elif names.count(fold(column)) == 1:
        number = names.index(fold(column))
    else:
        count = names.count(fold(column))
        message = f"the frame has {count or 'no'} column{'s' * (count > 1)} `{column}`; it has {', '.join(df.columns)}"
        raise ColumnNotFoundError(message)
    fields = list(df.schema.fields)
    if not isinstance(fields[number].dataType, StringType):
        message = (
            f"column `{fields[number].name}`: of type {fields[number].dataType.simpleString()}, and mentions are found in "
            "strings; cast it"
        )
        raise ArgumentError(message)
    _check_types(fields)
    found = StructField(into, _mentions(), nullable=True)
    schema = StructType([*fields[: len(names)], found])
    search = on_executors(
        "find", column=number, into=into, matcher=matchers.ship(spark, matcher), replace=is_expression
    )
    # `mapInArrow` looks columns up by name: names that come twice or have a dot fail there.
    numbered = df.toDF(*(f"c{number}" for number in range(len(fields))))
    return numbered.mapInArrow(search, schema)


def _check_types(fields: Sequence[StructField]) -> None:
    """Check that Spark hands all columns to Python: its intervals of months it does not."""
    for field in fields:
        if any(type(kind).__name__ in NEVER_IN_ARROW for kind in _types_in(field.dataType)):
            message = (
                f"column `{field.name}`: of type {field.dataType.simpleString()}, which Spark does not hand to Python; drop "
                "the column or cast it first"
            )
            raise ArgumentError(message)


def _types_in(kind: DataType) -> Iterator[DataType]:
    """Yield a type and the types that it is made of."""
    yield kind
    parts = [getattr(kind, name) for name in ("elementType", "keyType", "valueType") if hasattr(kind, name)]
    parts += [field.dataType for field in getattr(kind, "fields", [])]
    for part in parts:
        yield from _types_in(part)


def _mentions() -> ArrayType:
    """Build the type of the mentions in one text."""
    from pyspark.sql.types import ArrayType, LongType, StringType, StructField, StructType

    types = {"string": StringType(), "int64": LongType()}
    fields = [StructField(name, types[kind]) for name, kind in MENTION.items()]
    return ArrayType(StructType(fields))
