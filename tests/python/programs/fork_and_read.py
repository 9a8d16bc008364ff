"""Read a graph, fork, read it again in the child; print what the child did.

usage: fork_and_read.py URI

Reading needs no engine, so it works in forked children; a child that used its parent's connections would wait for ever
for threads that it does not have. Prints one JSON object: `status` is `worked` or `hung`.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from answer import say

import drugs_rs

WATCHDOG_SECONDS = 30


def main() -> None:
    uri = sys.argv[1]
    text = drugs_rs.read_graph(uri).to_json()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if drugs_rs.read_graph(uri).to_json() == text else 1)
    deadline = time.monotonic() + WATCHDOG_SECONDS
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            say({"status": "hung"})
            return
        time.sleep(0.02)
    # The parent's own connections still work.
    say({"status": "worked" if status == 0 and drugs_rs.read_graph(uri).to_json() == text else "failed"})


if __name__ == "__main__":
    main()
