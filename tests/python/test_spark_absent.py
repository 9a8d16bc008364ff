"""Spark is an extra: without it the module can be imported, and its functions say what to install."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

import drugs_rs
import drugs_rs.spark
from drugs_rs.exceptions import MissingLibraryError

absent = pytest.mark.skipif(importlib.util.find_spec("pyspark") is not None, reason="PySpark is installed here")
NO_SESSION: Any = None
CALLS: dict[str, Callable[[Path], object]] = {
    "read_publications": lambda folder: drugs_rs.spark.read_publications(NO_SESSION, folder / "a.csv"),
    "silver": lambda folder: drugs_rs.spark.silver(
        NO_SESSION, folder / "lake", dt="2024-01-01", pubmed=folder / "a.csv"
    ),
    "gold": lambda folder: drugs_rs.spark.gold(NO_SESSION, folder / "lake"),
}


@absent
@pytest.mark.parametrize("function", CALLS)
def test_functions_say_what_to_install(function: str, tmp_path: Path) -> None:
    with pytest.raises(MissingLibraryError) as caught:
        CALLS[function](tmp_path)
    message = str(caught.value)
    assert message.startswith(f"drugs_rs.spark.{function}() needs pyspark, which cannot be imported (")
    assert message.endswith("): pip install drugs-rs[spark]")


def test_importing_it_loads_no_library_and_no_core() -> None:
    program = (
        "import sys, drugs_rs.spark; "
        "print([name for name in ('pyspark', 'pyarrow', 'pandas', 'polars', 'drugs_rs._core') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_public_names() -> None:
    assert set(drugs_rs.spark.__all__) <= set(dir(drugs_rs.spark))
    for name in drugs_rs.spark.__all__:
        assert (getattr(drugs_rs.spark, name).__doc__ or "").strip()
