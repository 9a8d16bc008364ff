"""drugs_rs and its peers on the same generated files, in one run: time, peak memory and what they have in common.

A ratio is printed only for two sides that gave the same answers. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import threading
import time
from importlib import metadata, util
from pathlib import Path
from typing import Any, NamedTuple, Sequence

HERE = Path(__file__).resolve().parent
# Without a progress bar and with a fixed day, so that only the work is measured, and it is the same each
# time.
DAY = "2026-01-01"
# A side that takes this long is not repeated: its noise is relatively small.
SLOW_SECONDS = 20.0
# A run is ended after this many times the limit, so that a bad choice of --sizes does not block the machine.
PATIENCE = 10


class Side(NamedTuple):
    """A tool under measurement: its name in the table, its command, and the path of the answers under its output."""

    name: str
    command: list[str]
    answers: str


class Measured(NamedTuple):
    """Medians over the runs of one side at one size."""

    seconds: float
    peak_bytes: int
    runs: int


class EndedError(Exception):
    """The run took too long and was ended."""


def sides() -> tuple[Side, list[Side]]:
    """drugs_rs, and its peers."""
    regex = [sys.executable, str(HERE / "peers" / "pandas_regex.py")]
    # The peers count codes and write whole lists.
    answers = ["--unit", "code", "--max-exclusive", "0"]
    ours = [sys.executable, "-m", "drugs_rs", "run", "--dt", DAY, "--quiet", *answers]
    return Side("drugs_rs", ours, "gold"), [
        Side("pandas, a regex a drug", regex, "."),
        Side("pandas, the same behind a substring filter", [*regex, "--prefilter"], "."),
    ]


def run_once(command: Sequence[str], log: Path, limit: float | None) -> tuple[float, int]:
    """Seconds on the wall and peak bytes of one child process, interpreter start included."""
    with log.open("wb") as output:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        ended = threading.Timer(limit or threading.TIMEOUT_MAX, child.kill)
        ended.daemon = True
        ended.start()
        # wait4 and not getrusage(RUSAGE_CHILDREN), which returns the largest child so far.
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        ended.cancel()
    child.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    if child.returncode:
        if limit and seconds >= limit:
            raise EndedError
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        sys.exit(f"exit code {child.returncode} from {' '.join(command)}\n{tail}")
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(side: Side, sources: Path, out: Path, repeat: int, limit: float | None = None) -> Measured:
    """Run one side up to `repeat` times, each time into a fresh folder, of which the last is kept."""
    arguments = ["--drugs", str(sources / "drugs.csv"), "--pubmed", str(sources / "pubmed.csv")]
    arguments += ["--clinical-trials", str(sources / "clinical_trials.csv"), "--out", str(out)]
    seconds: list[float] = []
    peaks: list[int] = []
    while len(seconds) < repeat and (not seconds or seconds[0] < SLOW_SECONDS):
        shutil.rmtree(str(out), ignore_errors=True)
        took, peak = run_once([*side.command, *arguments], out.with_suffix(".log"), limit)
        seconds.append(took)
        peaks.append(peak)
    return Measured(statistics.median(seconds), int(statistics.median(peaks)), len(seconds))


def compare(*folders: Path) -> dict[str, Any]:
    """The number of mentions and the differences (see compare.py, which tells why it is a process of its own)."""
    command = [sys.executable, str(HERE / "compare.py"), *map(str, folders)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if not done.stdout:
        sys.exit(f"no comparison from {' '.join(command)}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def bench_size(rows: int, options: argparse.Namespace, folder: Path, stopped: set[str]) -> list[dict[str, Any]]:
    """One size: a record for each side. A peer that took longer than the limit is added to `stopped`."""
    ours, peers = sides()
    sources = folder / "sources"
    shutil.rmtree(str(folder), ignore_errors=True)
    # Written just before, so that all sides find the files in the page cache.
    generate = [sys.executable, str(HERE / "generate.py"), str(sources)]
    generate += ["--rows", str(rows), "--drugs", str(options.drugs), "--seed", str(options.seed)]
    subprocess.run(generate, stdout=subprocess.DEVNULL, check=True)

    say(f"{rows:,} rows: {ours.name} ...")
    reference = measure(ours, sources, folder / "ours", options.repeat)
    counted = compare(folder / "ours" / ours.answers)["mentions"]
    records = [{"rows": rows, "side": ours.name, **reference._asdict(), "mentions": counted}]
    limit = options.peer_limit_seconds * PATIENCE
    for number, peer in enumerate(peers):
        record: dict[str, Any] = {"rows": rows, "side": peer.name}
        records.append(record)
        if peer.name in stopped:
            record["note"] = f"skipped: over {options.peer_limit_seconds:g} s at a smaller size"
            continue
        say(f"{rows:,} rows: {peer.name} ...")
        out = folder / f"peer-{number}"
        try:
            measured = measure(peer, sources, out, options.repeat, limit)
        except EndedError:
            stopped.add(peer.name)
            record["note"] = f"ended after {limit:g} s"
            continue
        if measured.seconds > options.peer_limit_seconds:
            stopped.add(peer.name)
        result = compare(out / peer.answers, folder / "ours" / ours.answers)
        record.update(measured._asdict(), mentions=result["mentions"])
        if result["differences"]:
            record["differences"] = result["differences"]
            record["note"] = "ANSWERS DIFFER: no ratio"
        else:
            record["time_ratio"] = measured.seconds / reference.seconds
            record["memory_ratio"] = measured.peak_bytes / reference.peak_bytes
            record["note"] = "same answers"
    return records


def as_markdown(records: Sequence[dict[str, Any]], machine: dict[str, str], drugs: int) -> str:
    lines = [
        ", ".join(f"{key} {value}" for key, value in machine.items()) + f"; {drugs:,} drugs; ratio = peer / drugs_rs",
        "",
        "| rows | side | time | peak memory | runs | mentions | time ratio | memory ratio | |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for record in records:
        cells = [f"{record['rows']:,}", record["side"], "", "", "", "", "", "", record.get("note", "")]
        if "seconds" in record:
            cells[2:6] = [
                f"{record['seconds']:.3g} s",
                f"{record['peak_bytes'] / 2**20:.0f} MiB",
                str(record["runs"]),
                f"{record['mentions']:,}",
            ]
        if "time_ratio" in record:
            cells[6:8] = [f"{record['time_ratio']:.3g}", f"{record['memory_ratio']:.2g}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def describe_machine() -> dict[str, str]:
    """What a record needs to be read later, and nothing that names the machine."""
    model = platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        named = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    versions = {name: metadata.version(name) for name in ("drugs-rs", "pandas", "numpy") if installed(name)}
    day = dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%d")
    system = f"{platform.system()}, {os.cpu_count()} cores of {model}"
    return {"measured": day, "on": system, "Python": platform.python_version(), **versions}


def installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure drugs_rs beside its peers; markdown to stdout.")
    sizes = [10_000, 100_000, 1_000_000]
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes, help="rows (default: 10000 100000 1000000)")
    parser.add_argument("--drugs", type=int, default=1_000, help="drugs (default: 1000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each side (default: 3; slow ones run once)")
    parser.add_argument(
        "--peer-limit-seconds",
        type=float,
        default=60.0,
        help=f"a peer over this is not tried at larger sizes, and ended at {PATIENCE} times this (default: 60)",
    )
    parser.add_argument("--out", type=Path, default=Path("target") / "bench", help="default: target/bench")
    options = parser.parse_args()
    missing = [name for name in ("drugs_rs", "pandas") if util.find_spec(name) is None]
    if missing:
        parser.error(f"this Python lacks {' and '.join(missing)}: `make bench` sets one up that has both")

    for name in ("drugs_rs", "pandas"):
        # Once unmeasured, so that no side pays for compiling its modules after installation.
        subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
    options.out.mkdir(parents=True, exist_ok=True)
    machine = describe_machine()
    stopped: set[str] = set()
    records: list[dict[str, Any]] = []
    for rows in sorted(options.sizes):
        work = options.out / f"{rows}x{options.drugs}"
        records += bench_size(rows, options, work, stopped)
        shutil.rmtree(str(work))
    table = as_markdown(records, machine, options.drugs)
    settings = {"drugs": options.drugs, "seed": options.seed, "peer_limit_seconds": options.peer_limit_seconds}
    record = {"machine": machine, "settings": settings, "results": records}
    (options.out / "record.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (options.out / "record.md").write_text(table, encoding="utf-8")
    print(table, end="")
    differences = [
        f"{row['rows']} rows, {row['side']}: {text}" for row in records for text in row.get("differences", ())
    ]
    for text in differences:
        say(text)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
