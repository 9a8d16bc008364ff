"""PySpark, which is imported when it is needed, and the two kinds of its sessions."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from drugs_rs.exceptions import MissingLibraryError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["is_connect", "require_spark"]

# The first version with all that is used here, in both kinds of sessions.
OLDEST = (3, 5)


def require_spark(function: str) -> None:
    """Check that PySpark can be imported, or say how to install it."""
    try:
        found = import_module("pyspark").__version__
    except ImportError as error:
        message = f"{function}() needs pyspark, which cannot be imported ({error}): pip install drugs-rs[spark]"
        raise MissingLibraryError(message) from error
    if tuple(int(part) for part in found.split(".")[:2]) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        message = f"{function}() needs pyspark {needed} or newer, found {found}: pip install drugs-rs[spark]"
        raise MissingLibraryError(message)


def is_connect(spark: SparkSession) -> bool:
    """Whether a session is one of Spark Connect, which has no SparkContext."""
    return type(spark).__module__.startswith("pyspark.sql.connect")
