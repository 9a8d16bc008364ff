"""Drugs in columns of polars: expressions for eager, lazy and streaming queries; tables of a lake as lazy frames.

Importing this module gives every expression of polars a namespace ``drugs``:

>>> import polars as pl
>>> import drugs_rs
>>> import drugs_rs.polars
>>> matcher = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]})
>>> titles = pl.LazyFrame({"title": ["Oral diphenhydramine", "nothing here", None]})
>>> titles.select(pl.col("title").drugs.count(matcher)).collect()["title"].to_list()
[1, 0, None]

The functions of this module do the same, and type checkers know them:

>>> query = titles.filter(drugs_rs.polars.contains("title", matcher)).with_columns(
...     drugs_rs.polars.find("title", matcher).alias("mention")
... )
>>> mentions = query.explode("mention").unnest("mention").collect()
>>> mentions.select("title", "atccode", "start", "end", "surface").rows()
[('Oral diphenhydramine', 'A04AD', 5, 20, 'diphenhydramine')]

polars calls the core from its own threads, without the interpreter and its lock. Every row is computed by itself, so
queries stream. In a query that does not stream, each column is one thread's work.

**How long a matcher lives.** A query of polars holds no Python objects, and its end cannot be observed. So the first
expression with a matcher makes this process keep it until ``release`` or the end of the process, even without the
Python object. Equal matchers, with the same names and settings, are kept once.

**Queries in other processes.** A serialised query names its matcher without containing it. In the process that runs the
query, build the same matcher and ``keep`` it; otherwise polars raises a ``ComputeError`` that says so.

``scan`` gives a table of a lake to a lazy query, which reads only the columns and partitions that it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drugs_rs import _core
from drugs_rs.column_types import translated
from drugs_rs.exceptions import MissingLibraryError

try:
    import polars
    from polars.plugins import register_plugin_function
except ImportError as error:
    message = "drugs_rs.polars needs polars 1.8 or newer: pip install drugs-rs[notebook]"
    raise ModuleNotFoundError(message, name="polars") from error

if TYPE_CHECKING:
    import os
    from typing import Any, Iterator

    from typing_extensions import TypeAlias

    from drugs_rs import Lake, Matcher, Table

    # The name of a column or an expression.
    _Texts: TypeAlias = str | polars.Expr

__all__ = ["DrugsNamespace", "contains", "count", "find", "keep", "release", "scan"]

# The types of polars for those of a table.
TYPES: dict[str, polars.DataType | type[polars.DataType]] = {
    "string": polars.String,
    "int64": polars.Int64,
    "date": polars.Date,
}
# Before it, a projection of a source could come in another order, and a streaming query could fail.
OLDEST_WITH_SOURCES = (1, 31)
# Attempts to find the partitions of a query while runs commit.
TRIES = 5


def find(texts: _Texts, matcher: Matcher) -> polars.Expr:
    """Find the mentions in each text of a column.

    Args:
        texts: The name of a column of strings, or an expression.
        matcher: What to find.

    Returns:
        For each text a list of structs with the fields of ``Mention``: ``atccode``, ``drug``, ``start``, ``end``,
        ``surface`` and ``rule``, where ``start`` and ``end`` count code points. The list is empty for a text without a
        mention, and null for null. For a column that is not text, polars raises a ``ComputeError``.
    """
    return _expression("find", texts, matcher)


def count(texts: _Texts, matcher: Matcher) -> polars.Expr:
    """Count the mentions in each text of a column; null for null.

    Args:
        texts: The name of a column of strings, or an expression.
        matcher: What to find.
    """
    return _expression("count", texts, matcher)


def contains(texts: _Texts, matcher: Matcher) -> polars.Expr:
    """Check whether each text of a column has a mention; null for null.

    Args:
        texts: The name of a column of strings, or an expression.
        matcher: What to find.
    """
    return _expression("contains", texts, matcher)


def scan(lake: Lake | str | os.PathLike[str], table: str) -> polars.LazyFrame:
    """Scan the current rows of a table of a lake in a lazy query, a row group at a time.

    Only the columns that the query needs are read. Conditions on ``kind`` and ``dt`` decide which files are opened;
    conditions on the ``atccode`` of mentions, which row groups are read whole. Each run of the query sees the state of
    its moment.

    Args:
        lake: The lake, its folder or its URI.
        table: The name of the table.

    Raises:
        ArgumentError: there is no table of this name.
        MissingLibraryError: polars is older than 1.31; before it, sources of this kind could mix up columns.
        SourceNotFoundError: there is no lake, or gold has not run.
    """
    if tuple(int(part) for part in polars.__version__.split(".")[:2]) < OLDEST_WITH_SOURCES:
        message = (
            f"drugs_rs.polars.scan needs polars {'.'.join(map(str, OLDEST_WITH_SOURCES))} or newer, and this is "
            f"{polars.__version__}: upgrade polars, or read the table at once with Lake.scan(table).to_polars()"
        )
        raise MissingLibraryError(message)
    from polars.io.plugins import register_io_source

    source = lake if isinstance(lake, _core.Lake) else _core.Lake(lake)
    # Wrong names are errors here, and not when the query runs.
    source.scan(table)
    schema = {
        column: translated(kind, TYPES, polars.List, lambda fields: polars.Struct(dict(fields)))
        for column, kind in source.schema(table).items()
    }

    def batches(
        columns: list[str] | None, predicate: polars.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[polars.DataFrame]:
        return _batches(source, table, columns, predicate, n_rows)

    return register_io_source(batches, schema=schema)


def keep(matcher: Matcher) -> None:
    """Keep a matcher for expressions from another process; expressions of this process keep theirs automatically."""
    _core.keep_matcher(matcher)


def release(matcher: Matcher) -> bool:
    """Forget a kept matcher and all equal ones; return whether there was one.

    Queries with it fail from then on. Use it to free memory in a process that builds many different matchers.
    """
    return _core.release_matcher(matcher)


@polars.api.register_expr_namespace("drugs")
class DrugsNamespace:
    """The namespace ``drugs`` of expressions: the functions of this module as methods."""

    def __init__(self, texts: polars.Expr) -> None:
        self._texts = texts

    def find(self, matcher: Matcher) -> polars.Expr:
        """Find the mentions in each text; see ``drugs_rs.polars.find``."""
        return find(self._texts, matcher)

    def count(self, matcher: Matcher) -> polars.Expr:
        """Count the mentions in each text; see ``drugs_rs.polars.count``."""
        return count(self._texts, matcher)

    def contains(self, matcher: Matcher) -> polars.Expr:
        """Check whether each text has a mention; see ``drugs_rs.polars.contains``."""
        return contains(self._texts, matcher)


def _expression(name: str, texts: _Texts, matcher: Matcher) -> polars.Expr:
    """Make polars call the native module; it pickles the keywords, so they name the matcher and do not contain it."""
    return register_plugin_function(
        plugin_path=_core.__file__,
        function_name=name,
        args=[texts],
        kwargs={"matcher": _core.keep_matcher(matcher)},
        is_elementwise=True,
    )


def _batches(
    lake: Lake, table: str, columns: list[str] | None, predicate: polars.Expr | None, n_rows: int | None
) -> Iterator[polars.DataFrame]:
    """Read what a query needs of a table, a row group at a time."""
    if n_rows == 0:
        return
    needed = columns
    if columns is not None and predicate is not None:
        needed = list(dict.fromkeys([*columns, *predicate.meta.root_names()]))
    # The first rows are counted before the condition, so then no row may be passed over.
    for rows in _open(lake, table, needed, predicate if n_rows is None else None):
        frame = rows.to_polars()
        if n_rows is not None:
            frame = frame.head(n_rows)
            n_rows -= frame.height
        if predicate is not None:
            frame = frame.filter(predicate)
        yield frame if columns is None else frame.select(columns)
        if n_rows == 0:
            return


def _open(lake: Lake, table: str, columns: list[str] | None, predicate: polars.Expr | None) -> Iterator[Table]:
    """Begin to read the partitions that may fulfil a condition, in the state in which they were looked at."""
    for _ in range(TRIES):
        if predicate is None:
            break
        files = lake.files(table).to_dicts()
        filters = _filters(lake, table, files, predicate)
        rows = iter(lake.scan(table, columns, **filters))
        # Otherwise a run has committed meanwhile, and a new partition may fulfil the condition too.
        if lake.files(table).to_dicts() == files:
            return rows
    return iter(lake.scan(table, columns))


def _filters(lake: Lake, table: str, files: list[dict[str, Any]], predicate: polars.Expr) -> dict[str, Any]:
    """Find the dates, kinds and codes that may fulfil a condition, as arguments of ``Lake.scan``."""
    in_path = [name for name in ("kind", "dt") if any(file[name] is not None for file in files)]
    places = polars.DataFrame(
        {name: [file[name] for file in files] for name in in_path}, schema=dict.fromkeys(in_path, polars.String)
    )
    filters: dict[str, list[str]] = {}
    left, codes = places, None
    for condition in _conditions(predicate):
        names = set(condition.meta.root_names())
        if names and names.issubset(in_path):
            left = _fulfilling(left, condition)
        elif names == {"atccode"} and table == "mentions":
            # The codes that a mention can have are those of the vocabulary.
            codes = lake.scan("drugs", ["atccode"]).to_polars() if codes is None else codes
            codes = _fulfilling(codes, condition)
    if left.height < places.height:
        filters = {name: left[name].unique().to_list() for name in in_path if left[name].null_count() == 0}
    if codes is not None:
        filters["atccode"] = codes["atccode"].unique().to_list()
    return filters


def _conditions(predicate: polars.Expr) -> Iterator[polars.Expr]:
    """Take a condition apart where it is joined by ``and``."""
    left = [predicate]
    while left:
        condition = left.pop()
        parts = condition.meta.pop()
        # An expression does not say what its root is, so that is tried.
        if len(parts) == 2 and any((one & other).meta.eq(condition) for one, other in (parts, parts[::-1])):
            left.extend(parts)
        else:
            yield condition


def _fulfilling(values: polars.DataFrame, condition: polars.Expr) -> polars.DataFrame:
    """Keep the values that fulfil a condition; all of them if it cannot be asked of values alone."""
    try:
        return values.filter(condition)
    except polars.exceptions.PolarsError:
        return values


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
