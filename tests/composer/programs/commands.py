"""Run Airflow's commands one after another: a process for each would load Airflow each time.

Each line of the input is a list of words; each line of the output an exit code and what the command said.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback

from airflow.__main__ import main


def run(words: list[str]) -> tuple[int, str]:
    """Run one command."""
    sys.argv = ["airflow", *words]
    said, code = io.StringIO(), 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except Exception:  # noqa: BLE001  # the caller gets the exit code
            traceback.print_exc()
            code = 1
    return code, said.getvalue()


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what Airflow logs is no answer
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=answers, flush=True)
