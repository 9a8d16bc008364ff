"""Drugs in a column of a frame: what is behind ``drugs_rs.spark.find``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, Sequence

import drugs_rs
from drugs_rs.exceptions import ArgumentError, ColumnNotFoundError
from drugs_rs.spark import matcher_files
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
    """Find the mentions in each text of a column of a frame, on its executors.

    The matcher travels once to each executor, as a file, and each Python process there loads it once. All columns of
    the frame pass through Python, so leave out those that are not needed (``df.select``).

    Args:
        df: The frame, of a classic session or of Spark Connect, also a streaming one.
        column: The name of a column of strings, or an expression (``pyspark.sql.Column``).
        matcher: What to find.
        into: The name of the new column.

    Returns:
        The frame with one more column, of the type
        ``array<struct<atccode:string,drug:string,start:bigint,end:bigint,surface:string,rule:string>>``: the fields of
        ``Mention``, where ``start`` and ``end`` count code points. The array is empty for a text without a mention, and
        null for null. Other columns are as they were.

    Raises:
        ColumnNotFoundError: The frame has no column of this name, or several.
        ArgumentError: The column is not one of strings, ``into`` is the name of a column, or a column has a type that
            Spark does not hand to Python (intervals of months).

    Actions on the frame fail where an executor lacks this package or has another version of it, or where its copy of
    the matcher is missing or damaged; the message names the host and what to do.
    """
    from pyspark.sql.types import StringType, StructField, StructType

    _check_matcher(matcher)
    spark = df.sparkSession
    fold = str if spark.conf.get("spark.sql.caseSensitive") == "true" else str.lower
    names = [fold(name) for name in df.columns]
    if fold(into) in names:
        message = f"into: the frame has a column `{into}`; choose another name"
        raise ArgumentError(message)
    is_expression = not isinstance(column, str)
    if not isinstance(column, str):
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
            f"column `{fields[number].name}`: of type {fields[number].dataType.simpleString()}, and mentions are found "
            "in strings; cast it"
        )
        raise ArgumentError(message)
    _check_types(fields)
    found = StructField(into, _mentions(), nullable=True)
    schema = StructType([*fields[: len(names)], found])
    search = on_executors(
        "find", column=number, into=into, matcher=matcher_files.ship(spark, matcher), replace=is_expression
    )
    # `mapInArrow` looks columns up by name: names that come twice or have a dot fail there.
    numbered = df.toDF(*(f"c{number}" for number in range(len(fields))))
    return numbered.mapInArrow(search, schema)


def _check_matcher(matcher: object) -> None:
    """Check that something is a matcher, of which executors would say less."""
    if not isinstance(matcher, drugs_rs.Matcher):
        message = f"matcher: expected a drugs_rs.Matcher, found {type(matcher).__name__}"
        raise TypeError(message)


def _check_types(fields: Sequence[StructField]) -> None:
    """Check that Spark hands all columns to Python: its intervals of months it does not."""
    for field in fields:
        if any(type(kind).__name__ in NEVER_IN_ARROW for kind in _types_in(field.dataType)):
            message = (
                f"column `{field.name}`: of type {field.dataType.simpleString()}, which Spark does not hand to Python; "
                "drop the column or cast it first"
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
