"""A real PubMed file to the silver table, beside zlib that only inflates it and lxml that reads the same fields.

    python benches/sources.py            a table of what is to be reached and what was

Each side is a process of its own. The file comes from DRUGS_RS_CORPORA (default: ../shared/data); without one this
says so and measures nothing. The copy into bronze is made before and not measured; what is measured is
`drugs-rs silver`: inflating, reading, cleaning, merging, and writing the Parquet file with its checksum to the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from run import run_once

from matcher import Reach, pubmed_file

HERE = Path(__file__).resolve().parent
ROUNDS = 5
DT = "2020-01-01"
INFLATE = """
import sys, zlib
inflater = zlib.decompressobj(wbits=31)
with open(sys.argv[1], "rb") as source:
    while piece := source.read(1 << 18):
        inflater.decompress(piece)
"""
LXML = """
import gzip, sys
from lxml import etree
rows = []
for _, article in etree.iterparse(gzip.open(sys.argv[1]), tag="PubmedArticle"):
    text = lambda element: "" if element is None else "".join(element.itertext())
    date = article.find(".//PubDate")
    rows.append((
        article.findtext("MedlineCitation/PMID"),
        text(article.find(".//ArticleTitle")),
        " ".join(text(section) for section in article.findall(".//Abstract/AbstractText")),
        [(part.tag, part.text) for part in date],
        article.findtext(".//Journal/Title"),
    ))
    article.clear()
"""


def least(command: list[str], log: Path, threads: int = 1, rounds: int = ROUNDS) -> tuple[float, int]:
    """The seconds of the quickest round and the peak bytes of the largest."""
    os.environ["RAYON_NUM_THREADS"] = os.environ["POLARS_MAX_THREADS"] = str(threads)
    measured = [run_once(command, log, None) for _ in range(rounds)]
    return min(seconds for seconds, _ in measured), max(peak for _, peak in measured)


def silver(out: Path, files: list[Path], threads: int) -> tuple[float, int]:
    """`drugs-rs silver` on a lake whose bronze layer is there, made anew each round."""
    lake = out / "lake"
    shutil.rmtree(str(lake), ignore_errors=True)
    program = [sys.executable, "-m", "drugs_rs"]
    sources = [text for file in files for text in ("--pubmed", str(file))]
    where = ["--out", str(lake), "--dt", DT, "--quiet"]
    subprocess.run([*program, "bronze", *sources, *where], check=True)
    measured = []
    for _ in range(ROUNDS):
        shutil.rmtree(str(lake / "silver"), ignore_errors=True)
        measured.append(least([*program, "silver", *where], out / "silver.log", threads, rounds=1))
    return min(seconds for seconds, _ in measured), max(peak for _, peak in measured)


def links(out: Path, file: Path, count: int) -> list[Path]:
    """Links to one file, each a source of its own."""
    folder = out / f"links-{count}"
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    made = [folder / f"{number:04}.xml.gz" for number in range(count)]
    for link in made:
        link.symlink_to(file)
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure reading PubMed's XML; markdown to stdout.")
    parser.add_argument("--many", type=int, default=40, help="files of the run for memory (default: 40)")
    parser.add_argument("--out", type=Path, default=Path("target") / "bench" / "sources")
    options = parser.parse_args()
    file = pubmed_file()
    if file is None:
        print("no pubmed*.xml.gz under DRUGS_RS_CORPORA: reading is not measured on a real file")
        return 0
    file, out = file.resolve(), options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    log = out / "log"
    inflate, _ = least([sys.executable, "-c", INFLATE, str(file)], log)
    lxml, _ = least([sys.executable, "-c", LXML, str(file)], log, rounds=2)
    one, one_peak = silver(out, [file], 1)
    few = links(out, file, 8)
    single, _ = silver(out, few, 1)
    double, _ = silver(out, few, 2)
    _, many_peak = silver(out, links(out, file, options.many), 2)
    shutil.rmtree(str(out / "lake"))
    reaches = [
        Reach("one thread over zlib inflating to nowhere", one / inflate, 2, False, "x"),
        Reach("speed, one thread, over lxml iterparse", lxml / one, 5, True, "x"),
        Reach("speed of two threads over one on 8 files", single / double, 1.8, True, "x"),
        Reach("peak memory, one file", one_peak / 1e6, 400, False, " MB"),
        Reach(f"peak memory, {options.many} files", many_peak / 1e6, 400, False, " MB"),
    ]
    print(f"{file.name}: inflate {inflate:.2f} s, lxml {lxml:.2f} s, silver {one:.2f} s with one thread\n")
    print("| what | wanted | found | reached |\n|---|---|---:|---|")
    for reach in reaches:
        print(reach.row())
    record = {reach.what: reach.figure for reach in reaches}
    (out.parent / "sources.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
