"""One step of the core in its own process, for ``isolation="subprocess"``: ``python -m drugs_rs.step_process``.

It reads one JSON object from stdin: ``step``, its ``keywords``, and ``parent``, the id of the process whose end ends
this one. It writes one to stdout: the ``report``, or the class of an ``error`` and its ``message``. Logs go to stderr,
one line each, after their level.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Mapping

import drugs_rs

if TYPE_CHECKING:
    from types import FrameType

# The tag of prctl(2) for "send me this signal when my parent dies".
_PR_SET_PDEATHSIG = 1


def _terminate(number: int, _frame: FrameType | None) -> None:
    """End at the core's next check of signals, so that it removes what it has not committed."""
    raise SystemExit(128 + number)


def _die_with(parent: int) -> None:
    """Let the kernel end this process if the task is killed with SIGKILL."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent died before prctl
        raise SystemExit(128 + signal.SIGKILL)


def call_step(step: str, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Call a function of this package, such as ``gold`` or ``targets.load``, and return its report."""
    module, _, name = step.rpartition(".")
    report = getattr(import_module(f"drugs_rs.{module}") if module else drugs_rs, name)(**keywords)
    found: dict[str, Any] = report if isinstance(report, dict) else report.to_dict()
    return found


def main() -> None:
    """Run the step that stdin names."""
    signal.signal(signal.SIGTERM, _terminate)
    order = json.load(sys.stdin)
    _die_with(order["parent"])
    logging.basicConfig(stream=sys.stderr, level="INFO", format="%(levelname)s %(message)s")
    try:
        answer: dict[str, Any] = {"report": call_step(order["step"], order["keywords"])}
    except Exception as error:  # noqa: BLE001  # the parent raises it
        answer = {"error": type(error).__name__, "message": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
