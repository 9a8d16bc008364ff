"""Load an empty DAG file and then a DAG folder, as the DAG processor does, and say how that went: `FOLDER WORK`."""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag

EMPTY = """
import datetime
try:
    from airflow.sdk import DAG, BaseOperator
except ImportError:
    from airflow import DAG
    from airflow.models.baseoperator import BaseOperator
try:
    from airflow.providers.standard.sensors.filesystem import FileSensor
except ImportError:
    from airflow.sensors.filesystem import FileSensor
with DAG("empty", start_date=datetime.datetime(2024, 1, 1), schedule=None):
    BaseOperator(task_id="nothing")
"""


def main(folder: str, work: str) -> None:
    """Load the DAG and print what it takes."""
    empty = Path(work) / "empty"
    empty.mkdir(exist_ok=True)
    (empty / "empty.py").write_text(EMPTY, encoding="utf-8")
    # The first time for whatever Airflow loads at its first file; then for the measurement.
    DagBag(str(empty))
    seconds = []
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for place in (str(empty), folder):
            before = set(sys.modules)
            started = time.perf_counter()
            bag = DagBag(place)
            seconds.append(time.perf_counter() - started)
    mine = [str(each.message) for each in heard if "drugs_rs" in each.filename or folder in each.filename]
    said = {
        "empty": seconds[0],
        "seconds": seconds[1],
        "errors": bag.import_errors,
        "dags": list(bag.dags),
        "core": "drugs_rs._core" in sys.modules,
        "providers": sorted(name for name in set(sys.modules) - before if name.startswith("airflow.providers.")),
        "warnings": mine,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
