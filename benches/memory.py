"""A whole day step by step: peak memory and time of bronze, silver, gold and of `run`, to size a worker.

    python benches/memory.py                                    a made-up day of 300,000 records (make bench-memory)
    python benches/memory.py --pubmed FILE --drugs FILE         and a day of your own: a file of PubMed, a vocabulary

Each step is a process of its own, as in an Airflow task with `isolation: subprocess` or in a container, with one thread
and with two. The peak is the resident memory that the kernel reports for that one process.
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
from importlib import metadata
from pathlib import Path
from typing import Any, Sequence

from run import DAY, run_once

PROGRAM = [sys.executable, "-m", "drugs_rs"]
# The steps of a day in their order; `run` has a lake of its own.
STEPS = ("bronze", "silver", "gold", "run")
THREADS = "RAYON_NUM_THREADS"


def made_up(out: Path, records: int) -> list[str]:
    """Sources of a made-up day: articles as PubMed's gzipped XML and trials as studies of ClinicalTrials.gov."""
    numbers = {"articles": records * 7 // 10, "trials": records - records * 7 // 10, "drugs": 5000, "journals": 3000}
    formats = {"articles-format": "pubmed-xml", "trials-format": "studies-json", "packing": "gz"}
    options = [f"--{name}={value}" for name, value in {**numbers, **formats}.items()]
    subprocess.run([*PROGRAM, "generate", f"--out={out}", *options], check=True, stdout=subprocess.DEVNULL)
    return [f"--drugs={out / 'drugs'}", f"--pubmed={out / 'pubmed'}", f"--clinical-trials={out / 'clinical_trials'}"]


def size_of(sources: Sequence[str]) -> int:
    """Bytes of all files of these sources, as they are on disk."""
    files = [path for source in sources for path in [Path(source.partition("=")[2])]]
    found = [one for path in files for one in (path.rglob("*") if path.is_dir() else [path])]
    return sum(one.stat().st_size for one in found if one.is_file())


def measure(sources: Sequence[str], out: Path, repeat: int) -> list[dict[str, Any]]:
    """One record for each step: medians over the runs, each into empty lakes."""
    taken: dict[str, list[tuple[float, int]]] = {step: [] for step in STEPS}
    rows = mentions = 0
    for _ in range(repeat):
        shutil.rmtree(str(out), ignore_errors=True)
        out.mkdir(parents=True)
        for step in STEPS:
            lake = out / ("run" if step == "run" else "steps")
            given = list(sources) if step in ("bronze", "run") else []
            command = [*PROGRAM, step, f"--out={lake}", f"--dt={DAY}", "--json", *given]
            taken[step].append(run_once(command, out / "log", None))
            # Warnings are before the report, a line each.
            lines = (out / "log").read_text(encoding="utf-8").splitlines()
            report = json.loads("\n".join(lines[lines.index("{") :]))
            rows, mentions = max(rows, report["rows_in"]), report.get("mentions", mentions)
    return [
        {
            "step": step,
            "rows": rows,
            "mentions": mentions,
            "seconds": statistics.median(seconds for seconds, _ in runs),
            "peak_bytes": max(peak for _, peak in runs),
        }
        for step, runs in taken.items()
    ]


def commit() -> str:
    """The commit of the sources beside this file, with a mark if they differ from it."""
    command = ["git", "-C", str(Path(__file__).resolve().parent), "describe", "--always", "--dirty", "--abbrev=7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def as_markdown(records: Sequence[dict[str, Any]]) -> str:
    """A table with a row for each step of each day, and columns for the numbers of threads."""
    threads = sorted({record["threads"] for record in records})
    heads = [f"{count} thread{'s' if count > 1 else ''}: {what}" for count in threads for what in ("seconds", "peak")]
    lines = [f"| day | step | {' | '.join(heads)} |", f"|---|---|{'---:|' * len(heads)}"]
    for day in dict.fromkeys(record["day"] for record in records):
        for step in STEPS:
            cells = [day, step]
            for count in threads:
                [one] = [r for r in records if (r["day"], r["step"], r["threads"]) == (day, step, count)]
                cells += [f"{one['seconds']:.2f}", f"{one['peak_bytes'] / 2**20:.0f} MiB"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure a whole day step by step; markdown to stdout.")
    parser.add_argument("--records", type=int, default=300_000, help="records of the made-up day; 0 leaves it out")
    parser.add_argument("--pubmed", type=Path, help="a file of PubMed, as a day of its own; with --drugs")
    parser.add_argument("--drugs", type=Path, help="the vocabulary of that day")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help=f"values of {THREADS}")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("target") / "bench" / "memory", help="default: %(default)s")
    options = parser.parse_args()
    if (options.pubmed is None) != (options.drugs is None):
        parser.error("--pubmed and --drugs belong together")
    out = options.out.resolve()
    shutil.rmtree(str(out), ignore_errors=True)
    out.mkdir(parents=True)
    days: dict[str, list[str]] = {}
    if options.pubmed is not None:
        days["a file of PubMed"] = [f"--drugs={options.drugs.resolve()}", f"--pubmed={options.pubmed.resolve()}"]
    if options.records:
        days["made-up"] = made_up(out / "sources", options.records)
    records: list[dict[str, Any]] = []
    busy = os.getloadavg()[0]
    for name, sources in days.items():
        for threads in options.threads:
            # Read by the children; polars has a pool of its own.
            os.environ.update({THREADS: str(threads), "POLARS_MAX_THREADS": str(threads)})
            measured = measure(sources, out / "lakes", options.repeat)
            day = f"{name}: {measured[0]['rows']:,} rows, {size_of(sources) / 1e6:.0f} MB"
            records += [{"day": day, "threads": threads, **one} for one in measured]
    shutil.rmtree(str(out))
    out.mkdir()
    machine = {
        "measured": dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%d"),
        "commit": commit(),
        "cores": os.cpu_count(),
        "Python": platform.python_version(),
        "drugs-rs": metadata.version("drugs-rs"),
        "load before the first run": round(busy, 1),
    }
    print(", ".join(f"{key} {value}" for key, value in machine.items()) + "\n")
    print(as_markdown(records), end="")
    (out / "record.json").write_text(json.dumps({"machine": machine, "results": records}, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
