"""Run the pipeline as a user who may not write, and print what was raised as JSON.

usage: run_without_rights.py ARGUMENTS    ARGUMENTS: the keywords of `drugs_rs.run` as a JSON object

The superuser may write everywhere whatever the modes say, so the rights are dropped where there are any. Everything is
imported before: the interpreter itself may stand in a folder that is closed to others.
"""

from __future__ import annotations

import json
import os
import sys

from answer import error_of, say

import drugs_rs
from drugs_rs import exceptions

NOBODY = 65534


def main() -> None:
    arguments = json.loads(sys.argv[1])
    run = drugs_rs.run
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    try:
        run(**arguments)
    except exceptions.DrugsError as error:
        say(error_of(error))
    else:
        say({"error": None, "message": "", "os": False})


if __name__ == "__main__":
    main()
