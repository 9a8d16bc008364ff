"""Install the wheel of this machine into a new environment and run the pipeline on the sample files.

    python3 delivery/try_wheel.py dist

The second run must change no file: the same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from release_version import ROOT, read_version
from tool_calls import DeliveryError, call, say

DATA = ROOT / "examples" / "data"
RUN = ["run", "--drugs", "drugs.csv", "--pubmed", "pubmed.csv", "--pubmed", "pubmed.json"]
RUN += ["--clinical-trials", "clinical_trials.csv", "--dt", "2024-03-01"]


def lake_files(lake: Path) -> dict[str, str]:
    """Return the files of gold, each with its digest."""
    return {
        path.relative_to(lake).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(lake.glob("gold/**/*"))
        if path.is_file()
    }


def try_wheel(dist: Path, version: str) -> None:
    """Install from the folder alone, run twice, and compare."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        venv.create(place / "venv", with_pip=True)
        python = str(place / "venv" / "bin" / "python")
        pip = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-index",
            "--only-binary=:all:",
        ]
        call([*pip, "--find-links", str(dist.resolve()), f"drugs-rs=={version}"])
        found = call([python, "-c", "import drugs_rs; print(drugs_rs.__version__)"]).strip()
        if found != version:
            message = f"the wheel of {version} says that it is {found}"
            raise DeliveryError(message)
        command = [str(place / "venv" / "bin" / "drugs-rs"), *RUN, "--out", str(place / "lake")]
        call(command, folder=DATA)
        first = lake_files(place / "lake")
        call(command, folder=DATA)
        if not first or lake_files(place / "lake") != first:
            message = "a second run with the same input changed gold" if first else "the run wrote no gold"
            raise DeliveryError(message)
        say(f"drugs-rs {version} installs and runs: {len(first)} files in gold, the same twice")


def main(arguments: list[str]) -> int:
    """Try the wheel and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dist", type=Path, help="the folder of the wheels")
    parser.add_argument("--version", help="default: that of Cargo.toml")
    chosen = parser.parse_args(arguments)
    try:
        try_wheel(chosen.dist, chosen.version or read_version(ROOT))
    except (DeliveryError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
