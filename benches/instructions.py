"""Count the instructions of hot paths by callgrind, and compare them with the recorded counts.

    python benches/instructions.py             build, count, compare: exit 1 if a count moved by more than 2 %
    python benches/instructions.py --record    build, count, write `benches/instructions.txt`

Seconds depend on the load of a machine; the instructions of one binary on the same input do not. They depend on the
compiler, on the processor's vectors (memchr and the C library choose their code by them) and on the C library. Where
one of these differs from the record, nothing is compared, and the output says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "benches" / "instructions.txt"
HEAD = """\
# Instructions of the hot paths in `benches/instructions.rs`, counted by callgrind. `make record-instructions` writes
# this file, and `make test-instructions` compares with it (docs/decisions/0027).
"""
PATHS = ("build_index", "find_names", "clean_cells", "read_csv", "read_pubmed_xml")
# In per cent of the recorded count.
MOST_CHANGE = 2.0


class Record(NamedTuple):
    """The counts of paths, and what they were counted with."""

    conditions: dict[str, str]
    counts: dict[str, int]

    @classmethod
    def parse(cls, text: str) -> Record:
        lines = [line.partition(": ")[::2] for line in text.splitlines() if line and not line.startswith("#")]
        pairs = dict(lines)
        counts = {name: int(value.replace(",", "")) for name, value in pairs.items() if name in PATHS}
        return cls({name: value for name, value in pairs.items() if name not in PATHS}, counts)

    def text(self) -> str:
        lines = [f"{name}: {value}\n" for name, value in self.conditions.items()]
        return HEAD + "".join(lines) + "".join(f"{name}: {count:,}\n" for name, count in self.counts.items())


def differences(recorded: dict[str, str], found: dict[str, str]) -> list[str]:
    """What differs between the conditions of two counts, a line for each."""
    return [
        f"{name}: recorded with {recorded.get(name, 'nothing')}, here {found.get(name, 'nothing')}"
        for name in sorted({*recorded, *found})
        if recorded.get(name) != found.get(name)
    ]


def changes(recorded: dict[str, int], found: dict[str, int]) -> list[str]:
    """The paths whose counts moved too far, or that only one of the two sides has, a line for each."""
    lines = []
    for name in sorted({*recorded, *found}):
        old, new = recorded.get(name), found.get(name)
        if old is None or new is None:
            lines.append(f"{name}: {'not recorded' if old is None else 'recorded, but not counted'}")
        elif abs(new - old) * 100 > MOST_CHANGE * old:
            lines.append(f"{name}: {old:,} instructions recorded, {new:,} counted ({percent(old, new)})")
    return lines


def percent(old: int, new: int) -> str:
    return f"{(new - old) / old * 100:+.1f} %"


def compare(recorded: Record, found: Record) -> tuple[int, str]:
    """The exit code of a comparison, and what to print."""
    other = differences(recorded.conditions, found.conditions)
    if other:
        lines = [
            "NOT COMPARED: the recorded counts of instructions hold for other conditions.",
            *(f"  {line}" for line in other),
            "`make record-instructions` on the machine that CI has records them anew.",
        ]
        return 0, "\n".join(lines)
    moved = changes(recorded.counts, found.counts)
    if moved:
        lines = [
            f"{len(moved)} of {len(found.counts)} hot paths moved by more than {MOST_CHANGE:g} %:",
            *(f"  {line}" for line in moved),
            "If that is meant, `make record-instructions` records the counts anew: commit them with the reason.",
        ]
        return 1, "\n".join(lines)
    return 0, f"{len(found.counts)} hot paths are within {MOST_CHANGE:g} % of their recorded instructions"


def conditions() -> dict[str, str]:
    """What the counts depend on beside the sources."""
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    information = Path("/proc/cpuinfo")
    flags = information.read_text(encoding="utf-8") if information.exists() else ""
    vectors = "with" if re.search(r"^flags\b.*\bavx2\b", flags, re.MULTILINE) else "without"
    return {
        "compiler": compiler,
        "processor": f"{platform.machine()} {vectors} avx2",
        "library": " ".join(platform.libc_ver()),
    }


def build() -> str:
    """Build the program in the release profile without frames, which leaves polars out, and return its path."""
    command = ["cargo", "build", "--locked", "--release", "--no-default-features", "--bench", "instructions"]
    # Without settings that would build other code than what the record was made with.
    environment = {name: value for name, value in os.environ.items() if not name.endswith("RUSTFLAGS")}
    built = subprocess.run(
        [*command, "--message-format", "json-render-diagnostics"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    messages = map(json.loads, built.stdout.splitlines())
    return next(str(message["executable"]) for message in messages if message.get("executable"))


def count(program: str, path: str) -> int:
    """The instructions of one path, from the entry of its function to its return."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"]
    command += ["--toggle-collect=*instructions*counted*", program, path]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    collected = re.search(r"Collected : (\d+)", ran.stderr)
    if collected is None or int(collected[1]) == 0 or int(ran.stdout) == 0:
        sys.exit(f"no instructions of {path} were counted: {ran.stdout}{ran.stderr}")
    return int(collected[1])


def main(arguments: list[str]) -> int:
    """Count, then record or compare, and return the exit code."""
    parser = argparse.ArgumentParser(description="Count the instructions of hot paths.")
    parser.add_argument("--record", action="store_true", help="write the counts to benches/instructions.txt")
    options = parser.parse_args(arguments)
    if shutil.which("valgrind") is None:
        if os.environ.get("CI") == "true" or options.record:
            sys.exit("instructions are counted by valgrind: install it first")
        print("NOT COMPARED: instructions are counted by valgrind, which is not on this machine")
        return 0
    program = build()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = dict(zip(PATHS, pool.map(lambda path: count(program, path), PATHS)))
    found = Record(conditions(), counts)
    if options.record:
        RECORD.write_text(found.text(), encoding="utf-8")
        print(found.text(), end="")
        return 0
    recorded = Record.parse(RECORD.read_text(encoding="utf-8"))
    for name, instructions in counts.items():
        was = recorded.counts.get(name)
        print(f"  {name:<16} {instructions:>12,}  {percent(was, instructions) if was else 'new'}")
    code, message = compare(recorded, found)
    print(message)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
