"""Ends while daemon threads are inside the core, or on their way back from it."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Callable

import drugs_rs

work, source, moment = sys.argv[1], sys.argv[2], float(sys.argv[3])
matcher = drugs_rs.Matcher.from_names({"A": ["aspirin"], "B": ["valsartan and sacubitril"]})
LONG = "aspirin and more " * 20_000
WORK: dict[str, Callable[[], Any]] = {
    "find": lambda: matcher.find("aspirin"),
    "find_long": lambda: matcher.find(LONG),
    "find_many": lambda: matcher.find_many([LONG] * 50),
    "explain": lambda: matcher.explain(LONG, "B"),
    "iter_publications": lambda: list(drugs_rs.iter_publications(source, batch_rows=1)),
}


def again_and_again() -> None:
    while True:
        WORK[work]()


for _ in range(6):
    threading.Thread(target=again_and_again, daemon=True).start()
time.sleep(moment)
