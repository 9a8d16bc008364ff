"""Loads of a lake into a database by its address: what is behind ``drugs-rs load`` and ``LoadOperator``."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Iterable

from drugs_rs.exceptions import ArgumentError

if TYPE_CHECKING:
    import os

    from drugs_rs import Lake
    from drugs_rs.loading import LoadPlan, LoadReceipt

__all__ = ["load"]

# The module of each kind of address, whose `load` takes the lake and the address.
ENGINES = {"duckdb": "duckdb", "postgresql": "postgres", "postgres": "postgres", "bigquery": "bigquery"}


def load(
    lake: Lake | str | os.PathLike[str], target: str, *, tables: Iterable[str] | None = None, plan: bool = False
) -> LoadPlan | LoadReceipt:
    """Load the tables of a lake into a database: what has changed since the last load.

    Args:
        lake: The lake, its folder or its URI.
        target: ``duckdb:FILE``, ``postgresql://host/database`` or ``bigquery://project/dataset``.
        tables: The names of the tables; ``None`` is all.
        plan: Return what would be done, and change nothing.

    Raises:
        ArgumentError: No engine takes this address. For the others see ``load`` of the engine's module.
    """
    scheme = target.split(":", 1)[0] if ":" in target else ""
    if scheme not in ENGINES:
        if not re.fullmatch("[A-Za-z][A-Za-z0-9+.-]*", scheme):
            # Not an address: maybe libpq's `host=… password=…`.
            scheme = ""
        message = (
            f"target: found an address that begins with {scheme!r}, expected duckdb:FILE, postgresql://HOST/DATABASE "
            f"or bigquery://PROJECT/DATASET{_meant(target)}"
        )
        raise ArgumentError(message)
    engine = import_module(f"drugs_rs.{ENGINES[scheme]}")
    result: LoadPlan | LoadReceipt = engine.load(lake, target, tables=tables, plan=plan)
    return result


def _meant(target: str) -> str:
    """Suggest a file, unless the text may be another address, which may have a password."""
    return f"; did you mean duckdb:{target}?" if re.fullmatch(r"[\w./~-]+", target) else ""


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
