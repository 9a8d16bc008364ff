"""What every worker does: read a job, build its matcher, search every corpus, write spans, seconds and memory.

    python workers/<worker>.py JOB ANSWER [--no-abbreviations …]

JOB is a file as `run.py` writes it: `{"names": {code: [name, …]}, "corpora": [[text, …], …], "repeat": 3}`. A worker
gives two functions: `build(names)` returns what finds, and `search(built, texts)` returns for each text a list of
`(start, end)` in code points. Only these two are timed; the job is in memory before and the answer is written after.
A third, `read`, turns what `search` returned into such lists where a tool's own answer has another shape.
"""

from __future__ import annotations

import gc
import json
import re
import resource
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

Names = Dict[str, List[str]]
Spans = List[List[Tuple[int, int]]]
# A matcher that takes longer to build is not built again, because the noise is relatively small.
SLOW_SECONDS = 3.0


def serve(
    build: Callable[[Names], Any],
    search: Callable[[Any, Sequence[str]], Any],
    distribution: str,
    *,
    read: Callable[[Any, Sequence[str]], Spans] | None = None,
    again: bool = True,
) -> None:
    """Do one job with a distribution. `again=False`: building it twice means nothing, as with an import."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    names, repeat = job["names"], job["repeat"]
    gc.collect()
    before = resident()
    start = time.perf_counter()
    built = build(names)
    build_seconds = [time.perf_counter() - start]
    gc.collect()
    held = resident() - before

    corpora = []
    for texts in job["corpora"]:
        seconds = []
        for _ in range(repeat):
            start = time.perf_counter()
            found = search(built, texts)
            seconds.append(time.perf_counter() - start)
        spans = read(found, texts) if read else found
        corpora.append({"seconds": min(seconds), "spans": spans})
    # Before the matcher is built again: two at once would count twice.
    peak = peak_resident()
    del built
    while again and len(build_seconds) < repeat and build_seconds[0] < SLOW_SECONDS:
        start = time.perf_counter()
        build(names)
        build_seconds.append(time.perf_counter() - start)
    answer = {
        "version": metadata.version(distribution),
        "build_seconds": min(build_seconds),
        "held_bytes": held,
        "peak_bytes": peak,
        "corpora": corpora,
    }
    Path(sys.argv[2]).write_text(json.dumps(answer), encoding="utf-8")


def flat(names: Names) -> list[str]:
    """Every name once, in the order of the job."""
    return list(dict.fromkeys(name for spellings in names.values() for name in spellings))


def resident() -> int:
    """Bytes of this process that are in memory now; 0 if the system does not report them."""
    return status("VmRSS")


def peak_resident() -> int:
    """The most bytes of this process that were in memory at once.

    Not `ru_maxrss` where Linux tells better: that one begins at the size of the process that started this one.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    return status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def status(field: str) -> int:
    """A size from Linux's account of this process, in bytes."""
    account = Path("/proc/self/status")
    if not account.exists():
        return 0
    found = re.search(rf"^{field}:\s+(\d+) kB", account.read_text(), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0
