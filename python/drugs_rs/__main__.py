"""The ``drugs-rs`` command, also ``python -m drugs_rs``.

The command itself is written in Rust, but Python owns the process and so the signals. The core checks Python's signals
at short intervals. If a handler raises, the core stops its workers before anything is half-written.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from drugs_rs import _core

# What a shell reports for a process that a signal ended: 128 and the signal's number.
_INTERRUPTED = 128 + signal.SIGINT
_TERMINATED = 128 + signal.SIGTERM


def _log_to_stderr(level: str) -> None:
    """Write what the core logs to stderr: the progress of a step, line by line, when no terminal shows a bar."""
    import logging

    logging.basicConfig(stream=sys.stderr, level=level.upper(), format="%(message)s")


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(_TERMINATED)


def _forget_settings_of_polars() -> None:
    """Remove variables that change bytes of tables or end the process.

    The only polars in this process is the one inside the core. Its number of threads stays, as a setting of the
    command.
    """
    for name in [name for name in os.environ if name.startswith("POLARS_")]:
        if name != "POLARS_MAX_THREADS" or not re.match("[0-9]{1,3}$", os.environ[name]):
            del os.environ[name]


def _forget_empty_settings() -> None:
    """Remove variables of options that have no value: an empty one, or the ``null`` of a setting of the DAG."""
    for name in [name for name in os.environ if name.startswith("DRUGS_RS_")]:
        if os.environ[name].strip() in ("", "null"):
            del os.environ[name]


def _load(command: _core.LoadCommand) -> int:
    """Load a lake into a database, which is the work of Python's libraries, and print what was done.

    The core does not call this: a library that releases the interpreter and then reads rows of the core, all under a
    function of the core, would run it without the interpreter.
    """
    import json

    from drugs_rs import targets

    try:
        done = targets.load(**command.arguments)
    except Exception as error:  # noqa: BLE001  # the command reports it
        return command.fail(error)
    return command.succeed(str(done), json.dumps(done.to_dict()))


def main() -> int:
    """Run the command with the arguments of this process and return its exit code."""
    # Set before the native module loads, so that a SIGTERM in the first moments also ends the process in this way.
    signal.signal(signal.SIGTERM, _terminate)
    if os.environ.get("DRUGS_RS_LOG", "").lower() in ("debug", "info", "warning"):
        _log_to_stderr(os.environ["DRUGS_RS_LOG"])
    _forget_settings_of_polars()
    _forget_empty_settings()
    try:
        from drugs_rs import _core

        result = _core.main(sys.argv[1:])
        return result if isinstance(result, int) else _load(result)
    except KeyboardInterrupt:
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
