"""Reading sources into the silver table, beside what others need for less: what is to be reached and what was.

    python benches/sources.py                     everything
    python benches/sources.py --only xml studies  parts: xml, memory, rows, studies

Each side is a process of its own, the start of its interpreter included; sides that are compared take turns, as many
each, and the quickest turn of each counts, for what else the machine does only ever adds. Two threads stand beside
two processes that share the same files: what those reach is what the machine gives at that time. The real PubMed file
comes from DRUGS_RS_CORPORA (default: ../shared/data); without one the parts that need it are left out and say so. The
copy into bronze is made before and not measured, but where its own row says so; what is measured is `drugs-rs
silver`: unpacking, reading, cleaning, merging, and writing the Parquet file with its checksum to the disk.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Sequence

from run import run_once

import generate
from matcher import Reach, pubmed_file

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
PROGRAM = [sys.executable, "-m", "drugs_rs"]
DT = "2020-01-01"
# An invented study of the API; a real one is twenty times as long, and most of that is skipped.
STUDY = {
    "protocolSection": {
        "identificationModule": {"nctId": "", "briefTitle": "", "officialTitle": ""},
        "statusModule": {"overallStatus": "COMPLETED", "startDateStruct": {"date": "2020-01-15", "type": "ACTUAL"}},
        "descriptionModule": {"briefSummary": "A made-up study compares one thing with another. " * 12},
        "conditionsModule": {"conditions": ["Condition"], "keywords": ["one", "two"]},
        "armsInterventionsModule": {
            "armGroups": [{"label": "Arm", "type": "EXPERIMENTAL", "description": "What is done. " * 8}],
            "interventions": [{"type": "DRUG", "name": "Velorin", "otherNames": ["Veloro", "VLR-1"]}],
        },
        "contactsLocationsModule": {"locations": [{"facility": "Clinic", "city": "Town", "country": "Land"}] * 6},
    },
    "hasResults": False,
}

Measure = Callable[[], "tuple[float, int]"]


class Bench:
    """Where things are put, and how a command is measured."""

    def __init__(self, out: Path) -> None:
        self.out = out
        out.mkdir(parents=True, exist_ok=True)

    def command(self, command: Sequence[str], threads: int = 1) -> tuple[float, int]:
        os.environ["RAYON_NUM_THREADS"] = os.environ["POLARS_MAX_THREADS"] = str(threads)
        return run_once(command, self.out / "log", None)

    def peer(self, name: str, *arguments: str) -> Measure:
        return lambda: self.command([sys.executable, str(PEERS / f"{name}.py"), *arguments])

    def bronze(self, name: str, source: str, files: Sequence[Path]) -> Path:
        """A lake of its own with these files in its bronze layer."""
        lake = self.out / name
        shutil.rmtree(str(lake), ignore_errors=True)
        sources = [text for file in files for text in (f"--{source}", str(file))]
        subprocess.run([*PROGRAM, "bronze", *sources, "--out", str(lake), "--dt", DT, "--quiet"], check=True)
        return lake

    def silver(self, lake: Path, threads: int) -> Measure:
        """`drugs-rs silver` on a lake with a bronze layer, without the silver of an earlier turn."""

        def measure() -> tuple[float, int]:
            shutil.rmtree(str(lake / "silver"), ignore_errors=True)
            return self.command([*PROGRAM, "silver", "--out", str(lake), "--dt", DT, "--quiet"], threads)

        return measure

    def side_by_side(self, lakes: Sequence[Path]) -> Measure:
        """The same on several lakes at once, a process and a thread each."""

        def measure() -> tuple[float, int]:
            os.environ["RAYON_NUM_THREADS"] = os.environ["POLARS_MAX_THREADS"] = "1"
            for lake in lakes:
                shutil.rmtree(str(lake / "silver"), ignore_errors=True)
            start = time.perf_counter()
            commands = [[*PROGRAM, "silver", "--out", str(lake), "--dt", DT, "--quiet"] for lake in lakes]
            running = [subprocess.Popen(command) for command in commands]
            exits = [process.wait() for process in running]
            if any(exits):
                raise SystemExit("drugs-rs silver failed")
            return time.perf_counter() - start, 0

        return measure


def in_turns(rounds: int, *sides: Measure) -> list[tuple[float, int]]:
    """The seconds of the quickest round of each side, and the peak bytes of its largest."""
    measured = rounds_of(rounds, *sides)
    return [(min(seconds for seconds, _ in of), max(peak for _, peak in of)) for of in measured]


def rounds_of(rounds: int, *sides: Measure) -> list[list[tuple[float, int]]]:
    """The seconds and the peak bytes of each round of each side, which take turns."""
    measured: list[list[tuple[float, int]]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, results in zip(sides, measured):
            results.append(side())
    return measured


def median_ratio(over: Sequence[tuple[float, int]], under: Sequence[tuple[float, int]]) -> float:
    """The median of the ratios of two sides, round by round."""
    return statistics.median(one / other for (one, _), (other, _) in zip(over, under))


def links(out: Path, file: Path, count: int) -> list[Path]:
    """Links to one file, each a source of its own."""
    folder = out / f"links-{count}"
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    made = [folder / f"{number:04}.xml.gz" for number in range(count)]
    for link in made:
        link.symlink_to(file)
    return made


def renumbered(out: Path, file: Path, count: int) -> list[Path]:
    """Files like one file, each with articles of its own: a delivery does not say the same thing eight times."""
    folder = out / f"renumbered-{count}"
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, str(HERE / "renumbered.py"), str(file), str(count), str(folder)], check=True)
    return sorted(folder.iterdir())


def xml(bench: Bench, file: Path) -> list[Reach]:
    """One real file by one thread, and eight by one and two."""
    one = bench.silver(bench.bronze("one", "pubmed", [file]), 1)
    (ours, _), (inflate, _) = in_turns(7, one, bench.peer("inflate", str(file)))
    ((lxml, _),) = in_turns(2, bench.peer("lxml_fields", str(file)))
    ((parser, _),) = in_turns(1, bench.peer("parser_fields", str(file)))
    files = renumbered(bench.out, file, 8)
    eight = bench.bronze("eight", "pubmed", files)
    halves = [bench.bronze(f"half-{start}", "pubmed", files[start::2]) for start in (0, 1)]
    # More turns than elsewhere, and the median of their own ratios: the fastest turns of two sides are two of
    # thirty, which depend on the neighbours of a shared machine.
    turns = rounds_of(15, bench.silver(eight, 1), bench.silver(eight, 2), bench.side_by_side(halves))
    single, double, processes = (min(seconds for seconds, _ in side) for side in turns)
    by_threads, by_processes = (median_ratio(turns[0], side) for side in turns[1:])
    print(
        f"{file.name}: inflate {inflate:.2f} s, lxml {lxml:.2f} s, pubmed_parser {parser:.2f} s, "
        f"silver {ours:.2f} s with one thread; eight files {single:.2f} s with one, {double:.2f} s with two and "
        f"{processes:.2f} s with two processes of four files each (quickest of 15 turns, "
        f"so {single / double:.2f}x and {single / processes:.2f}x; by the medians of the turns {by_threads:.2f}x and "
        f"{by_processes:.2f}x)\n"
    )
    return [
        Reach("time, one thread, over zlib inflating to nowhere", ours / inflate, 2, False, "x"),
        Reach("speed, one thread, over pubmed_parser", parser / ours, 20, True, "x"),
        Reach("speed, one thread, over lxml iterparse", lxml / ours, 5, True, "x"),
        Reach("speed of two threads over one on 8 files, median", by_threads, 1.8, True, "x"),
        Reach("speed of two threads over two processes, median", by_threads / by_processes, 0.9, True, "x"),
    ]


def memory(bench: Bench, file: Path, many: int) -> list[Reach]:
    """One file and many with one thread, two and many with two, which read a file each."""
    one_lake = bench.bronze("one", "pubmed", [file])
    two_lake = bench.bronze("two", "pubmed", links(bench.out, file, 2))
    (_, one), (_, one_by_two), (_, two_by_two) = in_turns(
        3, bench.silver(one_lake, 1), bench.silver(one_lake, 2), bench.silver(two_lake, 2)
    )
    lake = bench.bronze("many", "pubmed", links(bench.out, file, many))
    (seconds, peak), (seconds_by_two, peak_by_two) = in_turns(1, bench.silver(lake, 1), bench.silver(lake, 2))
    shutil.rmtree(str(lake))
    print(
        f"{many} files: {seconds:.1f} s with one thread, {seconds_by_two:.1f} s with two, "
        f"{many * 30_000 / seconds_by_two:,.0f} records/s\n"
    )
    return [
        Reach("peak memory, one thread, one file", one / 1e6, 400, False, " MB"),
        Reach(f"peak memory, one thread, {many} files", peak / 1e6, 400, False, " MB"),
        Reach(f"peak memory, one thread, {many} files over one", peak / one, 1.25, False, "x"),
        Reach("peak memory, two threads, one file", one_by_two / 1e6, 400, False, " MB"),
        Reach("peak memory, two threads, two files", two_by_two / 1e6, 400, False, " MB"),
        Reach(f"peak memory, two threads, {many} files", peak_by_two / 1e6, 400, False, " MB"),
        Reach(f"peak memory, two threads, {many} files over one", peak_by_two / one_by_two, 1.5, False, "x"),
        Reach(f"peak memory, two threads, {many} files over two", peak_by_two / two_by_two, 1.25, False, "x"),
    ]


def rows(bench: Bench, count: int) -> list[Reach]:
    """CSV and NDJSON beside pandas that cleans the same."""
    files = generate.generate(bench.out / "rows", count, 100)
    table = files[1]
    lines = table.with_suffix(".ndjson")
    with table.open(encoding="utf-8", newline="") as source, lines.open("w", encoding="utf-8") as out:
        for row in csv.DictReader(source):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    reaches = []
    for name, path in (("CSV", table), ("NDJSON", lines)):
        lake = bench.bronze(path.name, "pubmed", [path])
        (one, _), (two, _), (pandas, _) = in_turns(
            9, bench.silver(lake, 1), bench.silver(lake, 2), bench.peer("pandas_silver", str(path), "pubmed")
        )
        report = json.loads((lake / "reports" / "silver" / f"dt={DT}" / "pubmed.json").read_text(encoding="utf-8"))
        counted = (bench.out / "log").read_text(encoding="utf-8").strip()
        assert counted == str(report["rows_kept"]), f"{name}: pandas kept {counted}, drugs_rs {report['rows_kept']}"
        print(
            f"{name}, {report['rows_in']:,} rows: pandas {pandas:.2f} s, silver {one:.2f} s with one thread, "
            f"{two:.2f} s with two\n"
        )
        reaches.append(Reach(f"speed, one thread, over pandas on {name}", pandas / one, 8, True, "x"))
        reaches.append(Reach(f"speed, two threads, over pandas on {name}", pandas / two, 10, True, "x"))
    return reaches


def studies(bench: Bench, count: int) -> list[Reach]:
    """One study a file, from the page cache: the copy into bronze and the silver table."""
    folder = bench.out / "studies"
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir()
    names = STUDY["protocolSection"]["identificationModule"]  # type: ignore[index]
    for number in range(count):
        names["nctId"] = f"NCT{number:08}"
        names["briefTitle"] = f"A study of velorin, number {number}"
        names["officialTitle"] = f"A randomised, made-up study of velorin against nothing at all, number {number}"
        (folder / f"NCT{number:08}.json").write_text(json.dumps(STUDY), encoding="utf-8")
    # A new folder for each turn, and nothing is deleted before the last: for some minutes, ext4 skips the
    # inodes of deleted files one by one.
    made: list[Path] = []

    def new(name: str) -> Path:
        made.append(bench.out / f"{name}-{len(made)}")
        shutil.rmtree(str(made[-1]), ignore_errors=True)
        return made[-1]

    def bronze(lake: Path) -> tuple[float, int]:
        source = ["bronze", "--clinical-trials", str(folder), "--out", str(lake), "--dt", DT, "--quiet"]
        return bench.command([*PROGRAM, *source], 2)

    def plain_copy() -> tuple[float, int]:
        copy = 'cp -r "$0" "$1" && sync -f "$1"'
        return bench.command(["sh", "-c", copy, str(folder), str(new("study-copies"))])

    bronze(lake := new("study-lake"))
    (copied, copy_peak), (read, read_peak), (plain, _) = in_turns(
        3, lambda: bronze(new("study-lake")), bench.silver(lake, 2), plain_copy
    )
    print(f"{count:,} studies: bronze {copied:.2f} s, silver {read:.2f} s, two threads; cp and sync {plain:.2f} s\n")
    for path in [*made, folder]:
        shutil.rmtree(str(path))
    return [
        Reach("files a second, one study each, silver", count / read, 10_000, True, ""),
        Reach("the same, bronze, durable copies and digests", count / copied, 10_000, True, ""),
        Reach("time of that over cp and sync, which take no digest", copied / plain, 1.5, False, "x"),
        Reach("peak memory of the two", max(copy_peak, read_peak) / 1e6, 400, False, " MB"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure reading sources; markdown to stdout.")
    parser.add_argument("--only", nargs="+", choices=["xml", "memory", "rows", "studies"], default=[])
    parser.add_argument("--many", type=int, default=200, help="files of the run for memory (default: 200)")
    parser.add_argument("--rows", type=int, default=300_000, help="publications in CSV and NDJSON (default: 300000)")
    parser.add_argument("--studies", type=int, default=100_000, help="files of one study each (default: 100000)")
    parser.add_argument("--out", type=Path, default=Path("target") / "bench" / "sources")
    options = parser.parse_args()
    bench = Bench(options.out.resolve())
    file = pubmed_file()
    wanted = options.only or ["xml", "memory", "rows", "studies"]
    reaches: list[Reach] = []
    if file is None:
        print("no pubmed*.xml.gz under DRUGS_RS_CORPORA: reading is not measured on a real file\n")
    else:
        if "xml" in wanted:
            reaches += xml(bench, file.resolve())
        if "memory" in wanted:
            reaches += memory(bench, file.resolve(), options.many)
    if "rows" in wanted:
        reaches += rows(bench, options.rows)
    if "studies" in wanted:
        reaches += studies(bench, options.studies)
    print("| what | wanted | found | reached |\n|---|---|---:|---|")
    for reach in reaches:
        print(reach.row())
    record = {reach.what: reach.figure for reach in reaches}
    (bench.out.parent / "sources.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
