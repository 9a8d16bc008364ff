"""The contract of a Python function of BigQuery: run its body as a module, then call the entry point for each row.

Reads `{"body", "entry_point", "texts", "threads"}` as JSON, and writes what the calls returned, or the error of one.
"""

from __future__ import annotations

import json
import sys
import types
from concurrent.futures import ThreadPoolExecutor

request = json.load(sys.stdin)
module = types.ModuleType("function")
try:
    exec(compile(request["body"], "function", "exec"), module.__dict__)
    function = getattr(module, request["entry_point"])
    # A process serves several requests at a time.
    with ThreadPoolExecutor(request["threads"]) as pool:
        answer = {"rows": list(pool.map(function, request["texts"]))}
except Exception as error:  # noqa: BLE001 - whatever the function raises ends the query
    answer = {"error": [type(error).__name__, str(error)]}
answer["version"] = list(sys.version_info[:2])
json.dump(answer, sys.stdout)
