"""Use the engine, fork, use it again in the child; print what the child did.

usage: fork_after_use.py ARGUMENTS [before]

ARGUMENTS are the keywords of `drugs_rs.run` as a JSON object, `out` being a folder for the lakes.

With `before` the parent only imports, as an Airflow worker does before it forks its tasks.
Prints one JSON object: `status` is `worked`, `refused` (with the error's name and message) or `hung`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from answer import say

import drugs_rs
from drugs_rs import exceptions

WATCHDOG_SECONDS = 60
TEXTS = ["Warfarin and a title"] * 100000


def use(arguments: dict[str, Any], name: str) -> int:
    """A whole run and a parallel search; returns the number of mentions found in both."""
    lake = Path(arguments["out"]) / name
    drugs_rs.run(**dict(arguments, out=lake))
    found = drugs_rs.Matcher.from_names({"B01AA03": ["warfarin"]}).find_many(TEXTS)
    return found.num_rows + drugs_rs.read_graph(lake).mentions().num_rows


def child(arguments: dict[str, Any], answer: int) -> None:
    """Say through the pipe how it went, and leave without touching what belongs to the parent."""
    try:
        said: dict[str, Any] = {"status": "worked", "mentions": use(arguments, "child")}
    except exceptions.DrugsError as error:
        said = {"status": "refused", "error": type(error).__name__, "message": str(error)}
    os.write(answer, json.dumps(said).encode("utf-8"))
    os._exit(0)


def main() -> None:
    arguments = json.loads(sys.argv[1])
    parent_mentions = use(arguments, "parent") if "before" not in sys.argv[2:] else None
    answer, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(answer)
        child(arguments, write_end)
    os.close(write_end)
    deadline = time.monotonic() + WATCHDOG_SECONDS
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            say({"status": "hung"})
            return
        time.sleep(0.02)
    said = json.loads(os.read(answer, 1 << 16) or b'{"status": "died"}')
    # The parent can still work, whatever its child did.
    said["parent"] = [parent_mentions, use(arguments, "parent afterwards")]
    say(said)


if __name__ == "__main__":
    main()
