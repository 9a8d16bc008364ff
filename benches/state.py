"""Many records in several partitions to the newest state of each publication: time, memory, whether it is exact.

    python benches/state.py                      10 million records (make bench-state)
    python benches/state.py --records 40000000   as many as PubMed has; needs about 40 GB of disk

Three partitions, written here record by record: a first delivery in CSV; a second one in XML that brings a tenth of the
publications anew and deletes one in a thousand; a third one that deletes some of those and brings some back. What must
come out is counted by arithmetic, and the numbers of the reports must be these.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Iterator

from run import run_once

WORDS = (
    "control",
    "response",
    "velorin",
    "growth",
    "dorantel",
    "surface",
    "study",
    "effect",
    "tissue",
    "model",
    "xanapril",
)
JOURNALS = 5000


def title(number: int, version: int) -> str:
    chosen = (WORDS[(number * step + version) % len(WORDS)] for step in (1, 3, 5, 7))
    return f"{' '.join(chosen)} in case {number}"


def journal(number: int) -> str:
    name = f"Journal of subject {number % JOURNALS}"
    return name.upper() if number % 3 == 0 else name


def first(records: int) -> Iterator[str]:
    yield "id,title,date,journal\n"
    for number in range(records):
        yield f"{number},{title(number, 0)},{1990 + number % 30}-{number % 12 + 1:02},{journal(number)}\n"


def later(anew: range, deleted: range, version: int) -> Iterator[str]:
    yield "<PubmedArticleSet>\n"
    for number in anew:
        yield (
            f'<PubmedArticle><PMID Version="{version}">{number}</PMID><Journal><PubDate><Year>{2020 + version}</Year>'
            f"</PubDate><Title>{journal(number)}</Title></Journal><ArticleTitle>{title(number, version)}</ArticleTitle>"
            "</PubmedArticle>\n"
        )
    yield "<DeleteCitation>"
    for number in deleted:
        yield f"<PMID>{number}</PMID>\n"
    yield "</DeleteCitation></PubmedArticleSet>\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the state of many records; markdown to stdout.")
    parser.add_argument("--records", type=int, default=10_000_000, help="records of the first delivery")
    parser.add_argument("--out", type=Path, default=Path("target") / "bench" / "state")
    options = parser.parse_args()
    out, records = options.out.resolve(), options.records
    shutil.rmtree(str(out), ignore_errors=True)
    out.mkdir(parents=True)
    drugs = out / "drugs.csv"
    drugs.write_text("atccode,drug\nZ01AA01,velorin\nZ01AA02,dorantel\nZ01AA03,xanapril\n", encoding="utf-8")
    # The second delivery replaces a tenth of the records and deletes one in a thousand; the third brings a tenth of the
    # deleted ones back.
    second, third = range(0, records, 10), range(7, records, 10_000)
    gone, gone_later = range(7, records, 1000), range(0, records, 100_000)
    deliveries = (
        ("2024-01-01", "csv", first(records)),
        ("2024-01-02", "xml", later(second, gone, 1)),
        ("2024-01-03", "xml", later(third, gone_later, 2)),
    )
    counts = {"2024-01-01": records, "2024-01-02": len(second), "2024-01-03": len(third)}
    print("| step | seconds | records/s | peak memory |\n|---|---:|---:|---:|")
    lake = out / "lake"
    program = [sys.executable, "-m", "drugs_rs"]
    largest = 0

    def step(name: str, rows: int, *arguments: str) -> dict[str, int]:
        nonlocal largest
        seconds, peak = run_once([*program, *arguments, "--out", str(lake), "--json"], out / "log", None)
        largest = max(largest, peak)
        print(f"| {name} | {seconds:.1f} | {rows / seconds:,.0f} | {peak / 1e6:.0f} MB |", flush=True)
        report: dict[str, int] = json.loads((out / "log").read_text(encoding="utf-8"))
        return report

    rows = 0
    for dt, ending, lines in deliveries:
        source = out / f"articles.{ending}"
        with source.open("w", encoding="utf-8") as file:
            file.writelines(lines)
        step(f"bronze {dt}", counts[dt], "bronze", "--drugs", str(drugs), "--pubmed", str(source), "--dt", dt)
        source.unlink()
        rows += step(f"silver {dt}", counts[dt], "silver", "--dt", dt)["rows_in"]
        shutil.rmtree(str(lake / "bronze"))
    gold = step("gold", rows, "gold", "--dt", "2024-01-03")
    graph = (lake / "gold" / "drug_graph.json").stat().st_size
    expected = records - len(gone) + len(third) - len(gone_later)
    exact = gold["publications"] == expected
    verdict = "exact" if exact else "WRONG"
    print(f"\n{rows:,} records, {gold['publications']:,} publications (expected {expected:,}: {verdict}),")
    print(f"{gold['pairs']:,} pairs, a graph of {graph / 1e9:.2f} GB;")
    print(f"largest peak {largest / 1e6:.0f} MB, {os.cpu_count()} cores")
    shutil.rmtree(str(out))
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
