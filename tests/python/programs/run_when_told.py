"""Load everything, say `ready`, run the pipeline when a line comes on stdin, and print what happened as JSON.

usage: run_when_told.py ARGUMENTS    ARGUMENTS: the keywords of `drugs_rs.run` as a JSON object

Two of these, told at the same moment, start within microseconds of each other; two fresh interpreters would not.
"""

from __future__ import annotations

import json
import sys

from answer import error_of, say

import drugs_rs
from drugs_rs import exceptions


def main() -> None:
    arguments = json.loads(sys.argv[1])
    run = drugs_rs.run
    say("ready")
    sys.stdin.readline()
    try:
        report = run(**arguments)
    except exceptions.DrugsError as error:
        say(error_of(error))
    else:
        say({"error": None, "rows_in": report["rows_in"]})


if __name__ == "__main__":
    main()
