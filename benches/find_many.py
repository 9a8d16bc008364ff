"""`Matcher.find_many` on an Arrow column, and how long a saved matcher takes to load: the side of Python of matcher.py.

    python benches/find_many.py TITLES NAMES       one JSON object; the least of several rounds

RAYON_NUM_THREADS=1 in the environment keeps it to one thread, as the Rust side that it is compared with.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

import polars as pl

import drugs_rs

ROUNDS = 30


def least(work: Callable[[], object]) -> float:
    """Seconds of the quickest of some rounds; what a round makes is dropped after it."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    # Split only at line feeds, as the Rust side does.
    titles, names = (Path(path).read_text(encoding="utf-8").split("\n")[:-1] for path in sys.argv[1:3])
    matcher = drugs_rs.Matcher.from_names({f"C{n:06}": [name] for n, name in enumerate(names)}, stop_words=[])
    column = pl.Series(titles)
    with tempfile.TemporaryDirectory() as folder:
        saved = str(Path(folder) / "matcher")
        matcher.save(saved)
        record = {
            "hits": len(matcher.find_many(column)),
            "find_many": least(lambda: matcher.find_many(column)),
            "load": least(lambda: drugs_rs.Matcher.load(saved)),
            "saved_bytes": Path(saved).stat().st_size,
        }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
