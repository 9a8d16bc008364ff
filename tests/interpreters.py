"""Find the Pythons that the tests run on: the oldest that the wheel serves and the newest on this machine.

    python3 tests/interpreters.py          the versions, oldest first, on one line: 3.8 3.13
    python3 tests/interpreters.py 3.13     the path of that interpreter

A machine without the oldest one is told so and tests on the newest alone; with CI=true that is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator

OLDEST = (3, 8)
# Newest first. What checks the types needs 3.10, so nothing between counts as "the newest".
NEWER = [(3, minor) for minor in range(14, 9, -1)]


def candidates(version: tuple[int, int]) -> Iterator[Path]:
    """Yield the places where an interpreter of this version may be, the most likely first."""
    name = f"{version[0]}.{version[1]}"
    on_path = shutil.which(f"python{name}")
    if on_path:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from sorted(pyenv.glob(f"versions/{name}.*/bin/python"), reverse=True)
    uv = Path(__file__).parents[1] / ".venv" / "tools" / "bin" / "uv"
    if uv.exists():
        command = [str(uv), "python", "find", "--system", "--no-python-downloads", name]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        if found.returncode == 0:
            yield Path(found.stdout.strip())


def find(version: tuple[int, int]) -> Path | None:
    """Find an interpreter of exactly this version that starts: the launchers of pyenv exist even where they fail."""
    program = "import sys; print(*sys.version_info[:2], sys.executable)"
    for candidate in candidates(version):
        answer = subprocess.run([candidate, "-c", program], capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.startswith(f"{version[0]} {version[1]} "):
            return Path(answer.stdout.strip().split(" ", 2)[2])
    return None


def main(arguments: list[str]) -> int:
    """Print what was asked for and return the exit code."""
    if arguments:
        major, minor = arguments[0].split(".")
        path = find((int(major), int(minor)))
        print(path or f"no Python {arguments[0]} on this machine", file=sys.stdout if path else sys.stderr)
        return 0 if path else 1

    newest = next((version for version in NEWER if find(version)), None)
    if newest is None:
        print("the tests need Python 3.10 or newer: install one, or put it on PATH", file=sys.stderr)
        return 1
    versions = [newest]
    if find(OLDEST):
        versions.insert(0, OLDEST)
    elif os.environ.get("CI") == "true":
        print("the tests need Python 3.8, the oldest that the wheel serves: install it first", file=sys.stderr)
        return 1
    else:
        print("skipping Python 3.8, which is not on this machine: the tests run on the newest alone", file=sys.stderr)
    print(*(f"{major}.{minor}" for major, minor in versions))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
