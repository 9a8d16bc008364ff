"""A Spark with executors of their own, one for all tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Iterator

import pytest
from spark_cluster import Cluster, cluster

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]
# Shared with tests/python.
sys.path.insert(0, str(ROOT / "tests" / "python"))


@pytest.fixture(scope="session")
def spark_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The driver and its executors, which take seconds to start."""
    with cluster(tmp_path_factory.mktemp("spark")) as started:
        yield started


@pytest.fixture(scope="session")
def spark(spark_cluster: Cluster) -> SparkSession:
    """The session."""
    return spark_cluster.spark


@pytest.fixture(scope="session")
def samples() -> Path:
    """The project's own small delivery."""
    return ROOT / "examples" / "data"
