"""Build a wheel of a release, or the source distribution, into `dist/`: `build_wheel.py TARGET`.

Every wheel serves Python 3.8 and newer. On Linux the linker of zig links against an old glibc or musl on any machine.
The time of the commit is the time in the SBOM, so that two builds of one commit, in folders of the same name, differ
in nothing that the clock decides.
"""

from __future__ import annotations

import os
import subprocess
import sys

from release_version import ROOT, git
from tool_calls import DeliveryError, say

# The targets of a release, each with the platform tag that its wheel promises.
TARGETS = {
    "x86_64-unknown-linux-gnu": "manylinux2014",
    "aarch64-unknown-linux-gnu": "manylinux2014",
    "x86_64-unknown-linux-musl": "musllinux_1_2",
    "aarch64-unknown-linux-musl": "musllinux_1_2",
    "aarch64-apple-darwin": None,
}
SOURCE = "sdist"


def build_command(target: str) -> list[str]:
    """Return maturin's command for a target."""
    if target == SOURCE:
        return ["maturin", "sdist", "--out", "dist"]
    if target not in TARGETS:
        message = f"unknown target {target!r}: choose one of {', '.join([*TARGETS, SOURCE])}"
        raise DeliveryError(message)
    command = ["maturin", "build", "--locked", "--profile", "published", "--target", target, "--out", "dist"]
    tag = TARGETS[target]
    return [*command, "--zig", "--compatibility", tag] if tag else command


def main(arguments: list[str]) -> int:
    """Build, and return the exit code."""
    try:
        command = build_command(arguments[0] if len(arguments) == 1 else "")
        epoch = os.environ.get("SOURCE_DATE_EPOCH") or git(ROOT, "log", "-1", "--format=%ct")
    except DeliveryError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    say(f"SOURCE_DATE_EPOCH={epoch} {' '.join(command)}")
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "SOURCE_DATE_EPOCH": epoch}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
