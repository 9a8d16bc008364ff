"""A lake as tables: what a day costs after a year, a change in millions of rows, and how quickly tables are read.

    python benches/lake.py                        everything (make bench-lake)
    python benches/lake.py --days 365 --rows 0    the year of small days alone
    python benches/lake.py --days 0               the large lake alone
    python benches/lake.py --rows 40000000        as many rows as PubMed has; needs 20 GB of disk

All deliveries are parts of one made-up world (`drugs-rs generate --delivery`): one row in a hundred restates a row of
an earlier delivery. Each measured run is a process of its own; ratios are medians of paired runs, one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from run import run_once

HERE = Path(__file__).resolve().parent
PROGRAM = [sys.executable, "-m", "drugs_rs"]
FIRST = date(2024, 1, 1)


def generate(out: Path, rows: int, delivery: int, of: int, journals: int) -> None:
    """One delivery of a world of that many rows."""
    arguments = [f"--articles={rows * 7 // 10}", f"--trials={rows * 3 // 10}", "--drugs=1000", f"--journals={journals}"]
    arguments += [f"--delivery={delivery}", f"--of={of}", "--changed=0.01" if delivery > 1 else "--changed=0"]
    subprocess.run([*PROGRAM, "generate", f"--out={out}", *arguments], check=True, stdout=subprocess.DEVNULL)


def sources(*folders: Path) -> list[str]:
    """The sources of a date from the folders of deliveries."""
    found = [f"--drugs={folders[0] / 'drugs'}"]
    for folder in folders:
        found += [f"--pubmed={folder / 'pubmed'}", f"--clinical-trials={folder / 'clinical_trials'}"]
    return found


def run(lake: Path, day: date, *arguments: str) -> tuple[float, int]:
    """Seconds and peak bytes of a run without a graph file."""
    command = [*PROGRAM, "run", f"--out={lake}", f"--dt={day}", "--graph=none", "--quiet", *arguments]
    return run_once(command, lake.parent / "log", None)


def deliver(lake: Path, day: date, *arguments: str) -> None:
    """Bronze and silver of a date."""
    for step in (["bronze", *arguments], ["silver"]):
        command = [*PROGRAM, *step, f"--out={lake}", f"--dt={day}", "--quiet"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def year(out: Path, days: int, repeat: int) -> dict[str, float]:
    """A day of 1,000 rows in a lake of many days over the same day in an empty one."""
    world, lake = out / "days", out / "year"
    for day in range(1, days + 1):
        generate(world / str(FIRST + timedelta(day)), days * 1000, day, days, 300)
    last, before = FIRST + timedelta(days), FIRST + timedelta(days - 1)
    ranged = [f"--{name}={world}/{{dt}}/{name.replace('-', '_')}" for name in ("drugs", "pubmed", "clinical-trials")]
    dates = f"--dates={FIRST + timedelta(1)}..{before}"
    command = [*PROGRAM, "run", f"--out={lake}", dates, "--graph=none", "--quiet", *ranged]
    run_once(command, out / "log", None)
    day = sources(world / str(last))
    full, empty, ratios = [], [], []
    for turn in range(repeat):
        copy, new = out / f"copy{turn}", out / f"empty{turn}"
        shutil.copytree(str(lake), str(copy))
        full.append(run(copy, last, *day)[0])
        empty.append(run(new, last, *day)[0])
        ratios.append(full[-1] / empty[-1])
        again = run(copy, last, *day)[0]
        shutil.rmtree(str(copy))
        shutil.rmtree(str(new))
    return {
        "day in the lake, seconds": statistics.median(full),
        "day in an empty lake, seconds": statistics.median(empty),
        "ratio": statistics.median(ratios),
        "unchanged rerun, seconds with the interpreter's start": again,
    }


READ = """
import json, resource, sys, time
import drugs_rs
lake, atccode = drugs_rs.Lake(sys.argv[1]), sys.argv[2]
start = time.perf_counter()
batches = iter(lake.scan("mentions", atccode=atccode))
next(batches)
first = time.perf_counter() - start
start = time.perf_counter()
rows = lake.scan("mentions", atccode=atccode).read().num_rows
whole = time.perf_counter() - start
lake.tables(), lake.status(), lake.history(), lake.states(), lake.files("publications")
everything = sum(len(batch) for batch in lake.scan("publications", ["publication_id", "title"]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([first, whole, rows, everything, peak]))
"""
PEER = """
import glob, json, sys, time
import duckdb
connection = duckdb.connect()
files = glob.glob(sys.argv[1] + "/gold/mentions/*/*/*.parquet")
start = time.perf_counter()
query = "select * from read_parquet(?) where atccode = ?"
rows = connection.execute(query, [files, sys.argv[2]]).to_arrow_table().num_rows
print(json.dumps([time.perf_counter() - start, rows]))
"""


DIFF = """
import json, resource, sys, time
import drugs_rs
lake = drugs_rs.Lake(sys.argv[1])
start = time.perf_counter()
diff = lake.diff(int(sys.argv[2]), int(sys.argv[3]))
mentions = sum(row["mentions"] for row in diff.causes.to_dicts())
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([seconds, mentions, peak]))
"""


def diff(lake: Path, *states: int) -> list[float]:
    """Seconds, mentions and peak bytes of a comparison."""
    return child(DIFF, str(lake), *(str(state) for state in states))


def child(code: str, *arguments: str) -> list[float]:
    """What a program prints as JSON."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.PIPE)
    found: list[float] = json.loads(done.stdout)
    return found


def large(out: Path, rows: int, repeat: int) -> dict[str, float]:
    """Ten thousand rows, one in a hundred of them changed, on millions; a hundredth of all rows; another vocabulary."""
    world, lake = out / "world", out / "large"
    of = rows // 10_000 + repeat + max(1, rows // 1_000_000)
    a_day = max(1, rows // 1_000_000)
    day = FIRST
    silver = 0.0
    for first in range(1, rows // 10_000 + 1, a_day):
        numbers = range(first, min(first + a_day, rows // 10_000 + 1))
        for number in numbers:
            generate(world / str(number), of * 10_000, number, of, 5000)
        day += timedelta(1)
        start = time.perf_counter()
        deliver(lake, day, *sources(*(world / str(number) for number in numbers)))
        silver += time.perf_counter() - start
        shutil.rmtree(str(world))
        shutil.rmtree(str(lake / "bronze"))
    command = [*PROGRAM, "gold", f"--out={lake}", f"--dt={day}", "--graph=none", "--quiet"]
    gold, peak = run_once(command, out / "log", None)
    print(f"large lake: bronze and silver {silver:.0f} s, gold {gold:.0f} s and {peak / 1e6:.0f} MB", flush=True)
    seconds, peaks = [], []
    for turn in range(repeat):
        number = rows // 10_000 + 1 + turn
        generate(world / str(number), of * 10_000, number, of, 5000)
        day += timedelta(1)
        took, peak = run(lake, day, *sources(world / str(number)))
        seconds.append(took)
        peaks.append(peak)
    # A hundredth of all rows at once.
    more = range(rows // 10_000 + 1 + repeat, rows // 10_000 + 1 + repeat + max(1, rows // 1_000_000))
    for number in more:
        generate(world / str(number), of * 10_000, number, of, 5000)
    day += timedelta(1)
    run(lake, day, *sources(*(world / str(number) for number in more)))
    import drugs_rs

    newest = drugs_rs.Lake(lake).states()["state"][-1]
    changed = [diff(lake, newest - 1, newest) for _ in range(repeat)]
    # Another release of the vocabulary: one drug in a hundred is gone, and another has a new name.
    [release] = (world / str(more[0]) / "drugs").iterdir()
    lines = release.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for number, line in enumerate(lines) if number % 100 != 50]
    release.write_text(
        "".join(line if n % 100 != 70 else line.rstrip() + " B\n" for n, line in enumerate(kept)), "utf-8"
    )
    run(lake, day + timedelta(1), f"--drugs={release}")
    vocabulary = diff(lake, newest, newest + 1)
    atccode = "A01AA01"

    for batch in drugs_rs.Lake(lake).scan("mentions", ["atccode"]):
        atccode = batch["atccode"][0]
        break
    scans, peers = [], []
    for _ in range(repeat):
        scans.append(child(READ, str(lake), atccode))
        peers.append(child(PEER, str(lake), atccode))
    assert scans[0][2] == peers[0][1], "both read the same rows"
    return {
        "10,000 rows more, seconds": statistics.median(seconds),
        "10,000 rows more, peak MB": max(peaks) / 1e6,
        "scan by atccode: first batch, ms": statistics.median(scan[0] for scan in scans) * 1000,
        "scan by atccode: whole, ms": statistics.median(scan[1] for scan in scans) * 1000,
        "DuckDB over the same files, ms": statistics.median(peer[0] for peer in peers) * 1000,
        "diff of a hundredth, seconds": statistics.median(one[0] for one in changed),
        "diff of a hundredth, mentions": changed[0][1],
        "diff of a hundredth, peak MB": max(one[2] for one in changed) / 1e6,
        "diff of two vocabularies, seconds": vocabulary[0],
        "diff of two vocabularies, mentions": vocabulary[1],
        "diff of two vocabularies, peak MB": vocabulary[2] / 1e6,
        "peak of Lake calls, MB": max(scan[4] for scan in scans) / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a lake as tables; markdown to stdout.")
    parser.add_argument("--days", type=int, default=365, help="days of 1,000 rows; 0 leaves this part out")
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the large lake; 0 leaves this part out")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("target") / "bench" / "lake")
    options = parser.parse_args()
    out = options.out.resolve()
    shutil.rmtree(str(out), ignore_errors=True)
    out.mkdir(parents=True)
    figures: dict[str, float] = {}
    if options.days:
        figures.update(year(out, options.days, options.repeat))
    if options.rows:
        figures.update(large(out, options.rows, options.repeat))
    print(f"\n| what ({os.cpu_count()} cores) | figure |\n|---|---:|")
    for name, figure in figures.items():
        print(f"| {name} | {figure:.3g} |")
    (out.parent / "lake.json").write_text(json.dumps(figures, indent=2), encoding="utf-8")
    shutil.rmtree(str(out))


if __name__ == "__main__":
    main()
