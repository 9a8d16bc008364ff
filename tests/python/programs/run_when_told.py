"""Load everything, say `ready`, run the pipeline or one step when a line comes on stdin, print as JSON what happened.

usage: run_when_told.py ARGUMENTS [STEP]    ARGUMENTS: the keywords of `drugs_rs.run`, or of STEP, as a JSON object

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
    step = getattr(drugs_rs, sys.argv[2] if len(sys.argv) > 2 else "run")
    say("ready")
    sys.stdin.readline()
    try:
        report = step(**arguments)
    except exceptions.DrugsError as error:
        say(error_of(error))
    else:
        say({"error": None, "rows_in": report.get("rows_in")})


if __name__ == "__main__":
    main()
