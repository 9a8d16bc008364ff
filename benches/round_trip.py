"""`drugs-rs generate`, then `drugs-rs run`, then what was found against what was put there, at any size.

    python benches/round_trip.py --records 10000000 --formats parquet+parquet medline+studies-ndjson

Each command is a process of its own; printed are its seconds and its peak memory. By default every format of articles
and of trials has its turn, two at a time, and each ends before the next begins, so the disk holds one at a time. The
truth and the mentions are too long to hold, so each is reduced to a count and to a sum of hashes, which does not depend
on the order: equal sums are equal sets, but for one chance in 2^64.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import re
import shutil
import sys
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any, Iterator

from run import run_once

import drugs_rs

DT = "2020-01-01"
UUID5 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
# Every format of `generate`, one of articles and one of trials at a time.
FORMATS = (
    "ndjson+ndjson",
    "pubmed-xml+studies-json",
    "medline+studies-ndjson",
    "pubmed-csv+ctgov-csv",
    "csv+ctgov-classic-csv",
    "parquet+parquet",
    "json+json",
    "csv+csv",
    "parquet+study-files",
)


# Every file has an entry in the manifest and in the reports, so memory grows with their number.
MOST_FILES = 100_000


@lru_cache(maxsize=1 << 16)
def key(journal: str | None) -> str | None:
    """The spelling in which most records say a journal is the one that is shown; here all spellings are one."""
    if journal is None:
        return None
    letters = unicodedata.normalize("NFKD", journal).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


NAMES = ("publication_id", "kind", "atccode", "field", "start", "end", "surface")


def true(folder: Path) -> Iterator[tuple[Any, ...]]:
    """The mentions that were put there."""
    with (folder / "truth" / "mentions.ndjson").open(encoding="utf-8") as file:
        for line in file:
            mention = json.loads(line)
            yield *(mention[name] for name in NAMES), mention["date"], key(mention["journal"])


def found(lake: Path) -> Iterator[tuple[Any, ...]]:
    """The mentions of a lake."""
    import polars

    columns = [*map(polars.col, NAMES), polars.col("date").cast(polars.String), polars.col("journal")]
    for path in sorted((lake / "gold" / "mentions").rglob("*.parquet")):
        height = polars.scan_parquet(str(path)).select(polars.len()).collect().item()
        for start in range(0, height, 1 << 18):
            for row in polars.scan_parquet(str(path)).slice(start, 1 << 18).select(columns).collect().iter_rows():
                identifier, *place, date, journal = row
                yield None if UUID5.fullmatch(identifier) else identifier, *place, date, key(journal)


def reduced(mentions: Iterator[tuple[Any, ...]]) -> tuple[int, int]:
    """How many there are, and the sum of their hashes."""
    count = total = 0
    for mention in mentions:
        digest = hashlib.blake2b(repr(mention).encode("utf-8"), digest_size=8).digest()
        total = (total + int.from_bytes(digest, "little")) & (1 << 64) - 1
        count += 1
    return count, total


def compared(made: Path, lake: Path) -> tuple[tuple[int, int], tuple[int, int]]:
    """What was put there and what was found."""
    return reduced(true(made)), reduced(found(lake))


def round_trip(options: argparse.Namespace, formats: str) -> bool:
    """One row of the table: each step's seconds and peak memory, and whether the mentions are the same."""
    out = options.out.resolve()
    shutil.rmtree(str(out), ignore_errors=True)
    out.mkdir(parents=True)
    made, lake = out / "made", out / "lake"
    articles_format, _, trials_format = formats.partition("+")
    trials = options.records * 3 // 10
    if trials_format == "study-files":
        trials = min(trials, MOST_FILES)
    program = [sys.executable, "-m", "drugs_rs"]
    settings = {
        "articles": options.records - trials,
        "trials": trials,
        "drugs": options.drugs,
        "journals": options.journals,
        "articles-format": articles_format,
        "trials-format": trials_format,
        "files": options.files,
        "packing": options.packing,
    }
    flags = [text for name, value in settings.items() for text in (f"--{name}", str(value))]
    where = ["--out", str(lake), "--dt", DT, "--quiet"]
    sources = ["--drugs", str(made / "drugs"), "--pubmed", str(made / "pubmed")]
    sources += ["--clinical-trials", str(made / "clinical_trials")]
    commands = [
        [*program, "generate", "--out", str(made), "--quiet", *flags],
        [*program, "bronze", *sources, *where],
        [*program, "silver", *where],
        [*program, "gold", *where],
    ]
    steps = []
    for command in commands:
        seconds, peak = run_once(command, out / "log", None)
        steps.append(f"{seconds:.0f} s, {peak / 2**20:.0f} MiB")
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    # In a process of its own too, because the memory of this one counts for the processes that it starts.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        wanted, got = pool.apply(compared, (made, lake))
    same = wanted == got
    verdict = "the same" if same else "NOT THE SAME"
    numbers = f"{size / 1e6:,.0f} MB", *steps, f"{wanted[0]:,}", f"{got[0]:,}", verdict
    print(f"| {formats} | {' | '.join(numbers)} |", flush=True)
    if same:
        shutil.rmtree(str(out))
    return same


def main() -> int:
    parser = argparse.ArgumentParser(description="Make records up, find their drugs, compare; markdown to stdout.")
    parser.add_argument("--records", type=int, default=1_000_000, help="articles and trials (default: 1000000)")
    parser.add_argument("--drugs", type=int, default=5_000, help="drugs (default: 5000)")
    parser.add_argument("--journals", type=int, default=5_000, help="journals (default: 5000)")
    parser.add_argument(
        "--formats",
        nargs="+",
        default=FORMATS,
        metavar="ARTICLES+TRIALS",
        help=f"of articles and of trials (default: {' '.join(FORMATS)})",
    )
    parser.add_argument("--packing", default="none", help="none, gz or zst (default: none)")
    parser.add_argument("--files", type=int, default=8, help="files of each table (default: 8)")
    parser.add_argument("--out", type=Path, default=Path("target") / "bench" / "round-trip")
    options = parser.parse_args()
    print(f"{options.records:,} records, {options.drugs:,} drugs; drugs_rs {drugs_rs.__version__}\n")
    print("| articles + trials | sources | generate | bronze | silver | gold | put there | found | |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---|", flush=True)
    # The first difference ends it, and its files are kept for inspection.
    return 0 if all(round_trip(options, formats) for formats in options.formats) else 1


if __name__ == "__main__":
    sys.exit(main())
