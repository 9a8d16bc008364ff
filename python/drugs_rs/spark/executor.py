"""Functions of this package as functions that Spark's executors run, with clear errors where an executor lacks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Iterator

import drugs_rs

if TYPE_CHECKING:
    import pyarrow
    from typing_extensions import TypeAlias

    _Batches: TypeAlias = Iterator[pyarrow.RecordBatch]

__all__ = ["on_executors"]


def on_executors(function: str, **settings: object) -> Callable[[_Batches], _Batches]:
    """Make a function for ``mapInArrow`` of one in ``drugs_rs.spark.tasks``.

    Spark sends it with everything that it refers to. It refers to no name of this package, so an executor can run it
    as far as its own message where the package cannot be imported, instead of failing while it unpacks the function.

    Args:
        function: The name of the function, which takes batches and gives batches.
        **settings: Its other arguments: small values, because each task carries them.
    """
    expected = drugs_rs.__version__

    def run(batches: _Batches) -> _Batches:
        import os
        import platform
        import socket
        import sys
        from importlib import import_module

        host = f"executor on {socket.gethostname()} (Python {platform.python_version()}, {sys.executable})"
        remedy = (
            f"give the executors the wheel of drugs_rs {expected}: install it in their Python or image, or ship a "
            "packed environment with spark.archives (docs/spark.md)"
        )
        # A task has spark.task.cpus cores. The threads are counted when the native module is first used.
        for variable in ("POLARS_MAX_THREADS", "RAYON_NUM_THREADS"):
            os.environ.setdefault(variable, os.environ.get("OMP_NUM_THREADS", "1"))
        try:
            found = import_module("drugs_rs").__version__
        except ImportError as error:
            message = f"{host}: drugs_rs cannot be imported ({error}), and the driver has {expected}; {remedy}"
            raise RuntimeError(message) from None
        if found != expected:
            message = f"{host}: drugs_rs {found}, and the driver has {expected}; {remedy}"
            raise RuntimeError(message)
        yield from getattr(import_module("drugs_rs.spark.tasks"), function)(batches, **settings)

    return run
