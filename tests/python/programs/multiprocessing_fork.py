"""Fork workers with `multiprocessing`, as many schedulers do, and let each search.

usage: multiprocessing_fork.py import|use    what the parent does with the engine before it forks
Prints one JSON list: for each worker the number of mentions, or the name and message of the error.
"""

from __future__ import annotations

import multiprocessing
import sys

from answer import say

import drugs_rs
from drugs_rs import exceptions

WORKERS = 3
WATCHDOG_SECONDS = 60


def search(number: int) -> int | list[str]:
    """Search `number` titles."""
    try:
        matcher = drugs_rs.Matcher.from_names({"B01AA03": ["warfarin"]})
        return matcher.find_many(["Warfarin and a title"] * number).num_rows
    except exceptions.DrugsError as error:
        return [type(error).__name__, str(error)]


def main() -> None:
    if sys.argv[1] == "use":
        search(100000)
    with multiprocessing.get_context("fork").Pool(WORKERS) as pool:
        found = pool.map_async(search, [50000] * WORKERS)
        say(found.get(timeout=WATCHDOG_SECONDS))


if __name__ == "__main__":
    main()
