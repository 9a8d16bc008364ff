"""How the programs beside this one report: one line on stdout, at once."""

from __future__ import annotations

import json
import sys


def say(answer: object) -> None:
    """Write the answer as one line of JSON."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def error_of(error: BaseException) -> dict[str, object]:
    """What a test wants to know of an exception."""
    return {"error": type(error).__name__, "message": str(error), "os": isinstance(error, OSError)}
