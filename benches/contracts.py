"""What a data contract costs: silver with the default contract beside silver without one, in turn, on one thread.

    python benches/contracts.py                 made-up CSV, NDJSON, PubMed XML and studies (make bench-contracts)
    python benches/contracts.py --records 30000 --turns 3

Each turn cleans the same copies in bronze into an empty silver layer, once with and once without the contract, in
changing order. The figure is the median of the ratios of user and system time; the aim is at most 1.03.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = [sys.executable, "-m", "drugs_rs"]
FORMATS = {
    "CSV": ("articles", "csv"),
    "NDJSON": ("articles", "ndjson"),
    "PubMed XML": ("articles", "pubmed-xml"),
    "studies": ("trials", "studies-json"),
}
DAY = "2024-01-01"
AIM = 1.03


def cpu_of(command: list[str]) -> float:
    """User and system seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bronze(folder: Path, kind: str, form: str, records: int) -> tuple[Path, str]:
    """A lake with one delivery in bronze, and the name of its table."""
    other = {"articles": "trials", "trials": "articles"}[kind]
    made = folder / "made"
    words = [f"--{kind}={records}", f"--{other}=0", f"--{kind}-format={form}", "--drugs=1000", "--journals=1000"]
    subprocess.run([*PROGRAM, "generate", f"--out={made}", *words], check=True, stdout=subprocess.DEVNULL)
    table, source = ("pubmed", "pubmed") if kind == "articles" else ("clinical_trials", "clinical-trials")
    lake = folder / "lake"
    given = f"--{source}={made / table}"
    subprocess.run([*PROGRAM, "bronze", f"--out={lake}", f"--dt={DAY}", given], check=True, stdout=subprocess.DEVNULL)
    return lake, table


def ratios(lake: Path, table: str, turns: int) -> tuple[list[float], float]:
    """The ratio of each turn, and the median of the seconds without a contract."""
    found, without = [], []
    for turn in range(turns):
        seconds = {}
        for contract in ("none", "default") if turn % 2 == 0 else ("default", "none"):
            shutil.rmtree(str(lake / "silver"), ignore_errors=True)
            words = [f"--out={lake}", f"--dt={DAY}", f"--tables={table}", f"--contract={contract}"]
            seconds[contract] = cpu_of([*PROGRAM, "silver", *words])
        found.append(seconds["default"] / seconds["none"])
        without.append(seconds["none"])
    return found, statistics.median(without)


def main() -> int:
    """Measure every format, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--turns", type=int, default=9)
    options = parser.parse_args()
    print("| format | seconds without | ratio with the default contract | least to most |\n|---|---|---|---|")
    missed = False
    for name, (kind, form) in FORMATS.items():
        with tempfile.TemporaryDirectory() as folder:
            lake, table = bronze(Path(folder), kind, form, options.records // (3 if kind == "trials" else 1))
            found, seconds = ratios(lake, table, options.turns)
        median = statistics.median(found)
        missed = missed or median > AIM
        print(f"| {name} | {seconds:.2f} | {median:.3f} | {min(found):.3f} to {max(found):.3f} |", flush=True)
    print(f"\nAim: at most {AIM}; {'missed' if missed else 'met'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
