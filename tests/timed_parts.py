"""Run targets of make one after the other and list the seconds of each: `timed_parts.py MAKE TARGET…`.

The first failure ends the run; the list is printed all the same, so that a slow part is seen in every log.
"""

from __future__ import annotations

import subprocess
import sys
import time


def main(make: str, parts: list[str]) -> int:
    """Run the parts in their order and return the exit code of the first that fails, or 0."""
    seconds: dict[str, float] = {}
    code = 0
    for part in parts:
        started = time.monotonic()
        code = subprocess.run([make, "--no-print-directory", part], check=False).returncode
        seconds[part] = time.monotonic() - started
        if code != 0:
            break
    print(f"\nseconds by part, {sum(seconds.values()):.0f} in all:")
    for part, spent in seconds.items():
        print(f"  {part:<14} {spent:6.0f}")
    if code != 0:
        print(f"failed: {list(seconds)[-1]}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
