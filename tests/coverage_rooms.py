"""Coverage of lines by room, from what the suites of `make coverage` left in `target/coverage`.

    .venv/test-3.13/bin/python tests/coverage_rooms.py             a table; exit 1 if a room is below its floor
    .venv/test-3.13/bin/python tests/coverage_rooms.py --record    write `tests/coverage_floors.txt`

The Python is that of the suite, with the wheel. A room is a folder of `src` or of `python/drugs_rs` with all below it;
the files directly in these two are a room as well.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Iterable, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ROOT / "tests" / "coverage_floors.txt"
HEAD = """\
# Lines of each room that the tests run, in per cent, at least: `make coverage` fails below.
# `make record-coverage` writes this file (docs/decisions/0027).
"""
# The folders whose folders are rooms.
HOUSES = ("src", "python/drugs_rs")
# The data of the suites that run lines of Python.
SUITES = ("python-core", "python-spark", "python-airflow")
# Some lines run only if threads, kills or slow machines meet in a certain way.
SLACK = 0.5
# In points: a floor that is so far below is worth a hint.
WORTH_RAISING = 2
LEAST_COVERED = 10


class Lines(NamedTuple):
    """The lines of a file or room that could run, and those that did."""

    total: int
    covered: int

    @property
    def percent(self) -> float:
        return 100 * self.covered / self.total if self.total else 100.0


def room_of(path: str) -> str | None:
    """The room of a file, or None for one that is no source of the product."""
    for house in HOUSES:
        if path.startswith(house + "/"):
            inner = path[len(house) + 1 :].split("/")
            return house if len(inner) == 1 else f"{house}/{inner[0]}"
    return None


def rooms_of(files: dict[str, Lines]) -> dict[str, Lines]:
    """The sums of the files of each room, in the order of names."""
    rooms: dict[str, Lines] = {}
    for path, lines in sorted(files.items()):
        room = room_of(path)
        if room is not None:
            before = rooms.get(room, Lines(0, 0))
            rooms[room] = Lines(before.total + lines.total, before.covered + lines.covered)
    return rooms


def floor_of(lines: Lines) -> int:
    """The floor to record for a room."""
    return max(0, math.floor(lines.percent - SLACK))


def parse_floors(text: str) -> dict[str, int]:
    pairs = (line.partition(": ") for line in text.splitlines() if line and not line.startswith("#"))
    return {room: int(percent) for room, _, percent in pairs}


def write_floors(rooms: dict[str, Lines]) -> str:
    return HEAD + "".join(f"{room}: {floor_of(lines)}\n" for room, lines in rooms.items())


def faults(rooms: dict[str, Lines], floors: dict[str, int]) -> list[str]:
    """The rooms below their floors, and those that only one of the two sides has, a line for each."""
    found = []
    for room in sorted({*rooms, *floors}):
        if room not in floors:
            found.append(f"{room} has no floor: `make record-coverage` writes it")
        elif room not in rooms:
            found.append(f"{room} has a floor, and no file of it was seen")
        elif rooms[room].percent < floors[room]:
            found.append(
                f"{room} is below its floor: {rooms[room].percent:.1f} % of its lines run, {floors[room]} % must"
            )
    return found


def hints(rooms: dict[str, Lines], floors: dict[str, int]) -> list[str]:
    """The floors that could be raised, a line for each."""
    return [
        f"the floor of {room} could rise from {floors[room]} to {floor_of(lines)}"
        for room, lines in rooms.items()
        if room in floors and floor_of(lines) - floors[room] >= WORTH_RAISING
    ]


def table(rooms: dict[str, Lines], floors: dict[str, int]) -> str:
    lines = ["| room | lines | run | floor |", "|---|---:|---:|---:|"]
    lines += [
        f"| {room} | {run.total:,} | {run.percent:.1f} % | {floors.get(room, '')} |" for room, run in rooms.items()
    ]
    return "\n".join(lines)


def least_covered(files: dict[str, Lines]) -> str:
    """The files with the most lines that no test runs, in relation to their size."""
    inside = [(lines.percent, path, lines) for path, lines in files.items() if room_of(path) and lines.total]
    lines = ["| least covered file | lines | run |", "|---|---:|---:|"]
    lines += [f"| {path} | {run.total} | {run.percent:.1f} % |" for _, path, run in sorted(inside)[:LEAST_COVERED]]
    return "\n".join(lines)


def rust_files(export: str) -> dict[str, Lines]:
    """The files of `src` in what `llvm-cov export` prints."""
    found = {}
    for file in json.loads(export)["data"][0]["files"]:
        path = Path(file["filename"])
        if ROOT / "src" in path.parents:
            lines = file["summary"]["lines"]
            found[path.relative_to(ROOT).as_posix()] = Lines(lines["count"], lines["covered"])
    return found


def python_files(reports: Iterable[str]) -> dict[str, Lines]:
    """The modules of the package in what `coverage json` writes, wherever each environment has it installed.

    A line that one of the suites runs counts.
    """
    ran: dict[str, set[int]] = {}
    known: dict[str, set[int]] = {}
    for report in reports:
        for name, file in json.loads(report)["files"].items():
            _, installed, inner = name.rpartition("site-packages/drugs_rs/")
            if installed:
                path = f"python/drugs_rs/{inner}"
                ran.setdefault(path, set()).update(file["executed_lines"])
                known.setdefault(path, set()).update(file["executed_lines"], file["missing_lines"])
    return {path: Lines(len(known[path]), len(ran[path])) for path in sorted(known)}


def output(*command: object) -> str:
    return subprocess.run([*map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def export_rust(folder: Path) -> str:
    """What the tests of both languages ran of the crate, as JSON."""
    sysroot = Path(output("rustc", "--print", "sysroot").strip())
    tools = next(sysroot.glob("lib/rustlib/*/bin/llvm-cov"), None)
    if tools is None:
        sys.exit("coverage needs the tools of LLVM that belong to this rustc: `rustup component add llvm-tools`")
    nextest = json.loads(
        output(ROOT / ".venv/tools/bin/cargo-nextest", "nextest", "list", "--locked", "--features", "python",
               "--list-type", "binaries-only", "--message-format", "json")
    )  # fmt: skip
    binaries = [binary["binary-path"] for binary in nextest["rust-binaries"].values()]
    module = output(sys.executable, "-c", "import drugs_rs._core; print(drugs_rs._core.__file__)").strip()
    profiles = sorted(folder.glob("*.profraw"))
    if not profiles:
        sys.exit(f"no profiles in {folder}: run the suites first, by `make coverage`")
    merged = folder / "merged.profdata"
    # A process that is killed while it writes leaves a broken profile; the others count.
    output(tools.with_name("llvm-profdata"), "merge", "--sparse", "--failure-mode=all", "-o", merged, *profiles)
    objects = [word for path in [*binaries, module] for word in ("--object", path)]
    return output(tools, "export", "--summary-only", f"--instr-profile={merged}", *objects)


def main(arguments: list[str]) -> int:
    """Print the coverage of all rooms and return the exit code."""
    parser = argparse.ArgumentParser(description="Coverage of lines by room.")
    parser.add_argument("--record", action="store_true", help="write the floors to tests/coverage_floors.txt")
    options = parser.parse_args(arguments)
    folder = ROOT / "target" / "coverage"
    os.environ["LLVM_PROFILE_FILE"] = os.devnull
    missing = [name for name in SUITES if not (folder / name).exists()]
    if missing:
        message = f"NOT COMPARED: no suite left {', '.join(missing)} in {folder}; `make coverage` runs them all"
        if options.record or os.environ.get("CI") == "true":
            sys.exit(message)
        print(message)
        return 0
    reports = [
        output(sys.executable, "-m", "coverage", "json", f"--data-file={folder / name}", "-o", "-") for name in SUITES
    ]
    files = {**rust_files(export_rust(folder)), **python_files(reports)}
    rooms = rooms_of(files)
    if options.record:
        FLOORS.write_text(write_floors(rooms), encoding="utf-8")
    floors = parse_floors(FLOORS.read_text(encoding="utf-8"))
    print(table(rooms, floors), least_covered(files), sep="\n\n", end="\n\n")
    print(*hints(rooms, floors), sep="\n")
    wrong = faults(rooms, floors)
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
