"""The command as a user starts it: a process of its own, its output as bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Union

Argument = Union[str, Path]


def command(*arguments: Argument) -> list[str]:
    """`python -m drugs_rs` with these arguments."""
    return [sys.executable, "-m", "drugs_rs", *(str(argument) for argument in arguments)]


def drugs_rs(
    *arguments: Argument,
    stdin: bytes = b"",
    cwd: Path | None = None,
    timeout: float = 120,
    variables: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end. Wide enough that no table is wrapped."""
    environment = {**os.environ, "COLUMNS": "120", **(variables or {})}
    return subprocess.run(
        command(*arguments),
        input=stdin,
        capture_output=True,
        cwd=None if cwd is None else str(cwd),
        env=environment,
        timeout=timeout,
        check=False,
    )


def run_arguments(sources: dict[str, Any], out: Path, dt: str) -> list[str]:
    """The keywords of `drugs_rs.run` as the flags of `drugs-rs run`."""
    arguments = ["run"]
    for name, values in sources.items():
        for value in [values] if isinstance(values, str) else values:
            arguments += ["--" + name.replace("_", "-"), str(value)]
    return [*arguments, "--out", str(out), "--dt", dt]


def program(name: str) -> Path:
    """A script of `programs/`: what has to happen in a process that may be killed, forked or robbed of its rights."""
    return Path(__file__).resolve().parent / "programs" / (name + ".py")
