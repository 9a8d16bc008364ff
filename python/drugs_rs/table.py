"""The schema of tables, and tables for other libraries: what is behind ``Table.schema`` and ``Table.to_polars``.

>>> import drugs_rs
>>> table = drugs_rs.Matcher.from_names({"A04AD": ["diphenhydramine"]}).find_many(["diphenhydramine"])
>>> table[["row", "atccode"]].schema
TableSchema: 2 columns
row      int64
atccode  string
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, ItemsView, Iterable, Iterator, KeysView, ValuesView

from drugs_rs.exceptions import InternalError, MissingLibraryError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from drugs_rs import Table

__all__ = ["TableSchema", "to_arrow", "to_pandas", "to_polars"]

# The first version that reads the Arrow PyCapsule interface.
OLDEST_PYARROW = 14
INSTALL = {
    "pandas": "pip install pandas",
    "polars": "pip install drugs-rs[notebook]",
    "pyarrow": f"pip install 'pyarrow>={OLDEST_PYARROW}'",
}
# The types of pandas for numbers that may be missing.
NULLABLE = {"bool": "boolean", "int64": "Int64", "uint64": "UInt64", "float64": "float64"}


class TableSchema:
    """The columns of a table in order: a mapping from the name of each to its type, in the words of Arrow.

    The types are ``bool``, ``int64``, ``uint64``, ``float64``, ``string``, ``date``, and with them ``list[string]`` and
    ``struct{name: string}``. The schema itself is an Arrow schema too: ``pyarrow.schema(table.schema)`` has whatever
    else is known about a column.

    It has the methods of a mapping but not the class: pyarrow 17 reads a ``Mapping`` as names of its own types.
    """

    def __init__(self, types: Iterable[tuple[str, str]], empty: Table) -> None:
        self._types = dict(types)
        # The table without rows, which knows its Arrow schema.
        self._empty = empty

    def __getitem__(self, name: str) -> str:
        """Return the type of a column."""
        if name not in self._types and isinstance(name, str):
            self._empty[name]  # raises the error of a table, which knows what was meant
        return self._types[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a column of this name."""
        return name in self._types

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the columns."""
        return iter(self._types)

    def __len__(self) -> int:
        """Count the columns."""
        return len(self._types)

    def __eq__(self, other: object) -> bool:
        """Whether the columns and their types are the same, in any order, as for dictionaries."""
        return self._types == (other._types if isinstance(other, TableSchema) else other)

    __hash__ = None  # type: ignore[assignment]

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the type of a column, or the default if there is no such column."""
        return self._types.get(name, default)

    def keys(self) -> KeysView[str]:
        """Return the names of the columns."""
        return self._types.keys()

    def values(self) -> ValuesView[str]:
        """Return the types of the columns."""
        return self._types.values()

    def items(self) -> ItemsView[str, str]:
        """Return the columns and their types."""
        return self._types.items()

    def __repr__(self) -> str:
        """Show a column a line."""
        names = [name if name.isprintable() else ascii(name) for name in self._types]
        width = max(map(len, names), default=0)
        lines = [f"{name:<{width}}  {kind}" for name, kind in zip(names, self._types.values())]
        return "\n".join([f"TableSchema: {len(names)} column{'s' * (len(names) != 1)}", *lines])

    def __arrow_c_schema__(self) -> object:
        """Return the schema as an ``arrow_schema`` capsule."""
        return self._empty.__arrow_c_schema__()


def to_polars(table: Table) -> polars.DataFrame:
    """Build the frame behind ``Table.to_polars()``, which documents it."""
    library = _library("polars")
    frame: polars.DataFrame = library.DataFrame(table)
    # Before 1.10, which Python 3.8 has, polars takes the first batch of a stream and ends.
    while frame.height < len(table):
        rest: polars.DataFrame = library.DataFrame(table[frame.height :])
        if rest.is_empty():
            message = f"polars {library.__version__} read {frame.height} of {len(table)} rows; use to_arrow()"
            raise InternalError(message)
        frame = library.concat([frame, rest])
    return frame


def to_arrow(table: Table) -> pyarrow.Table:
    """Build the table behind ``Table.to_arrow()``, which documents it."""
    pyarrow = _library("pyarrow")
    if int(pyarrow.__version__.split(".")[0]) < OLDEST_PYARROW:
        message = (
            f"to_arrow() needs pyarrow {OLDEST_PYARROW} or newer, found {pyarrow.__version__}: {INSTALL['pyarrow']}"
        )
        raise MissingLibraryError(message)
    return pyarrow.table(table)


def to_pandas(table: Table) -> pandas.DataFrame:
    """Build the frame behind ``Table.to_pandas()``, which documents it.

    It is built column by column, so that the types are the same with pyarrow, which is faster, and without.
    """
    pandas = _library("pandas")
    try:
        arrow = to_arrow(table)
    except MissingLibraryError:
        arrow = None
    series = {name: _series(pandas, table, arrow, name, kind) for name, kind in table.schema.items()}
    return pandas.DataFrame(series, index=pandas.RangeIndex(len(table)), copy=False)


def _series(pandas: ModuleType, table: Table, arrow: pyarrow.Table | None, name: str, kind: str) -> pandas.Series:
    """Make a column of pandas; of the types that have no null in numpy, a column with nulls is one of pandas' own."""
    has_nulls = arrow is not None and arrow[name].null_count > 0
    if arrow is not None and (kind in {"string", "date"} or (kind in NULLABLE and not has_nulls)):
        return arrow[name].to_pandas()
    values = table[name]
    if kind in NULLABLE:
        return pandas.Series(values, dtype=NULLABLE[kind] if None in values else kind)
    if kind == "string" and int(pandas.__version__.split(".")[0]) >= 3:
        return pandas.Series(values, dtype="str")
    return pandas.Series(values, dtype=object)


def _library(name: str) -> ModuleType:
    """Import a library, or say how to install it."""
    try:
        return import_module(name)
    except ImportError as error:
        function = "to_arrow" if name == "pyarrow" else f"to_{name}"
        message = f"{function}() needs {name}, which cannot be imported ({error}): {INSTALL[name]}"
        raise MissingLibraryError(message) from error


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
