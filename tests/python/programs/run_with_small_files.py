"""Run the pipeline where no file may grow beyond a limit, and print what was raised as JSON.

usage: run_with_small_files.py BYTES ARGUMENTS    ARGUMENTS: the keywords of `drugs_rs.run` as a JSON object

A write beyond the limit fails half-way, like one to a full disk, and needs no right to mount anything.
"""

from __future__ import annotations

import json
import resource
import signal
import sys

from answer import error_of, say

import drugs_rs
from drugs_rs import exceptions


def main() -> None:
    arguments = json.loads(sys.argv[2])
    limit = int(sys.argv[1])
    # Ignored, the signal becomes an error of `write`.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        drugs_rs.run(**arguments)
    except exceptions.DrugsError as error:
        say(error_of(error))
    else:
        say({"error": None, "message": "", "os": False})


if __name__ == "__main__":
    main()
