"""Make a matcher of half a million names, be interrupted, and say how many seconds that took to have an effect."""

from __future__ import annotations

import _thread
import gc
import sys
import threading
import time
from pathlib import Path

import drugs_rs

made, path = sys.argv[1:]
names = {f"C{number:06}": [f"drug{number:x} of {number % 997}"] for number in range(500_000)}
with Path(path).open("w", encoding="utf-8") as file:
    file.write("atccode,drug\n")
    file.writelines(f"{code},{name}\n" for code, [name] in names.items())
gc.disable()  # nothing but the call itself may see the interrupt
moments: list[float] = []


def interrupt() -> None:
    """Do what Ctrl-C does."""
    moments.append(time.monotonic())
    _thread.interrupt_main()


threading.Timer(0.2, interrupt).start()
try:
    if made == "from_names":
        drugs_rs.Matcher.from_names(names)
    else:
        drugs_rs.Matcher.from_vocabulary(path)
except KeyboardInterrupt:
    print(time.monotonic() - moments[0])
else:
    sys.exit("the call was done as if nothing had been")
