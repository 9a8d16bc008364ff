"""Drugs in columns of polars: expressions for eager, lazy and streaming queries.

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
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drugs_rs import _core

try:
    import polars
    from polars.plugins import register_plugin_function
except ImportError as error:
    message = "drugs_rs.polars needs polars 1.8 or newer: pip install drugs-rs[notebook]"
    raise ModuleNotFoundError(message, name="polars") from error

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

    from drugs_rs import Matcher

    # The name of a column or an expression.
    _Texts: TypeAlias = str | polars.Expr

__all__ = ["DrugsNamespace", "contains", "count", "find", "keep", "release"]


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
