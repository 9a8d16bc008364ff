"""Programs that a delivery calls (`gcloud`, `twine`, `git`), the errors it ends with, and the clock it waits by."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, Mapping, Protocol, Sequence

# Lines of a program's output that an error repeats.
SHOWN_LINES = 12


class DeliveryError(Exception):
    """The delivery cannot go on. The message says what was found and what to do."""


class ToolError(DeliveryError):
    """A program ended with an error."""

    def __init__(self, command: Sequence[str], code: int, printed: str, errors: str) -> None:
        """Keep the exit code and what was printed for those who can handle the error."""
        self.code = code
        self.printed = printed
        self.output = (errors or printed).strip()
        shown = "\n".join(self.output.splitlines()[-SHOWN_LINES:]) or "no output"
        super().__init__(f"`{' '.join(command)}` ended with code {code}:\n{shown}")


class Clock(Protocol):
    """What a delivery waits by; the tests have one that needs no waiting."""

    def now(self) -> float:
        """Return seconds that only grow."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return the seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        time.sleep(seconds)


def call(command: Sequence[str], *, variables: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """Run a program and return its standard output. Secrets go into `variables`, which no error repeats."""
    environment = {**os.environ, **(variables or {})}
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=folder)
    except FileNotFoundError:
        message = f"`{command[0]}` is not on PATH: install it first"
        raise DeliveryError(message) from None
    if ended.returncode != 0:
        raise ToolError(command, ended.returncode, ended.stdout, ended.stderr)
    return ended.stdout


def json_in(output: str) -> Any:  # noqa: ANN401  # JSON has any type.
    """Return the first JSON list or object of an output, which may have lines of a log around it.

    It fills its lines: `[2026] a message` is a line of a log.
    """
    decoder = json.JSONDecoder()
    for at, letter in enumerate(output):
        if letter in "[{" and (at == 0 or output[at - 1] == "\n"):
            try:
                found, end = decoder.raw_decode(output, at)
            except json.JSONDecodeError:
                continue
            if not output[end:].split("\n", 1)[0].strip():
                return found
    message = f"expected JSON, found: {output.strip()[:200] or 'nothing'}"
    raise DeliveryError(message)


def say(text: str) -> None:
    """Print a line of progress at once."""
    print(text, flush=True)
