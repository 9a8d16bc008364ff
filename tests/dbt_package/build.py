"""Run commands of dbt in a project, one after another: `build.py PROJECT`, which has `plan.json`.

The plan has the statements that fill the BigQuery of an address, the commands by name, and queries to be asked there
afterwards. Prints a JSON object for each command: the status of each node, and what dbt says if it fails before that;
then one for each query with its rows. This runs in the environment of dbt, and loads dbt once, because that takes
longer than anything else here.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

# Without types: where these are checked, Google's libraries are others and dbt is missing.
dbt: Any = import_module("dbt.cli.main")
credentials: Any = import_module("google.auth.credentials")
bigquery: Any = import_module("google.cloud.bigquery")


def main(project: Path) -> None:
    """Fill BigQuery, install the packages of the project, run the commands, ask the queries."""
    plan: dict[str, Any] = json.loads((project / "plan.json").read_text(encoding="utf-8"))
    client = bigquery.Client(
        project="p",
        credentials=credentials.AnonymousCredentials(),
        client_options={"api_endpoint": plan["bigquery"]},
    )
    for statement in plan["statements"]:
        client.query(statement).result()
    runner = dbt.dbtRunner()
    places = ["--project-dir", str(project), "--profiles-dir", str(project)]
    # A warning is an error, so that a package that dbt deprecates is noticed.
    options = ["--quiet", "--no-use-colors", "--warn-error", "--log-path", str(project / "logs")]
    for name, command in {"deps": ["deps"], **plan["commands"]}.items():
        done = runner.invoke([*options, *command, *places])
        nodes = {}
        if name in plan["commands"] and done.result is not None:
            nodes = {result.node.name: str(result.status) for result in done.result}
        show({"command": name, "exception": done.exception and str(done.exception), "nodes": nodes})
    for name, query in plan["queries"].items():
        show({"query": name, "rows": [dict(row.items()) for row in client.query(query).result()]})
    client.close()


def show(found: dict[str, Any]) -> None:
    """Print an object on a line of its own."""
    sys.stdout.write("\n" + json.dumps(found, default=str) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
