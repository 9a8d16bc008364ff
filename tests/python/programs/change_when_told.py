"""Load everything, say `ready`, and change a lake when a line comes on stdin: who kills it knows when it began.

usage: change_when_told.py WHAT ARGUMENTS    WHAT: run, gold, drop or vacuum; ARGUMENTS: its keywords as a JSON object
"""

from __future__ import annotations

import json
import sys

from answer import error_of, say

import drugs_rs
from drugs_rs import exceptions


def main() -> None:
    what, arguments = sys.argv[1], json.loads(sys.argv[2])
    lake = arguments.pop("lake")
    say("ready")
    sys.stdin.readline()
    try:
        if what in ("run", "gold"):
            getattr(drugs_rs, what)(lake=lake, **arguments)
        else:
            getattr(drugs_rs.Lake(lake), what)(**arguments)
    except exceptions.DrugsError as error:
        say(error_of(error))
    else:
        say({"error": None})


if __name__ == "__main__":
    main()
