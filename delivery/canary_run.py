"""A run of the DAG that shows whether a delivery works: no import errors, and every task a success."""

from __future__ import annotations

import json
import re
from typing import Any

from composer_environment import ComposerEnvironment
from tool_calls import DeliveryError, ToolError, json_in, say

# Times that a command is tried whose answer may be lost on its way through the cluster.
TRIES = 3
ENDED = {"success", "failed", "upstream_failed", "skipped", "removed"}


class FailedCanary(DeliveryError):
    """The delivered DAG does not work in the environment."""


def check_imports(environment: ComposerEnvironment, folder: str) -> None:
    """Raise if Airflow cannot import a file of the DAG's folder, which is named as below `dags/`."""
    for attempt in range(1, TRIES + 1):
        try:
            output = environment.airflow("dags", "list-import-errors", arguments=("-o", "json"))
            break
        except ToolError as error:
            # Airflow 3 prints the list and ends with an error, also when the files of others are the bad ones.
            if "[" in error.printed:
                output = error.printed
                break
            if attempt == TRIES:
                raise
            environment.clock.sleep(environment.poll)
    # Without errors, a sentence may be printed instead of a list.
    errors: list[dict[str, Any]] = [] if "No data found" in output else json_in(output)
    ours = [error for error in errors if is_below(str(error["filepath"]), folder)]
    if ours:
        message = "Airflow cannot import the DAG: " + "; ".join(f"{one['filepath']}: {one['error']}" for one in ours)
        raise FailedCanary(message)


def is_below(path: str, folder: str) -> bool:
    """Return whether a file is in a folder of DAGs: Airflow 2 has whole paths, Airflow 3 those below `dags/`."""
    return f"/dags/{folder}/" in f"/{path}" or path.startswith(f"{folder}/")


def run_canary(environment: ComposerEnvironment, dag: str, run_id: str, dt: str, minutes: float) -> None:
    """Run a DAG for a day that is in the lake already, and wait until every task has succeeded."""
    start_run(environment, dag, run_id, dt)
    deadline = environment.clock.now() + minutes * 60
    while True:
        states = task_states(environment, dag, run_id)
        bad = sorted(f"{task} ({state})" for task, state in states.items() if state in ENDED - {"success"})
        failed = [one for one in bad if "(failed)" in one] or bad
        if failed:
            message = f"the run {run_id} failed: {', '.join(failed)}; the logs of these tasks say why"
            raise FailedCanary(message)
        if states and all(state == "success" for state in states.values()):
            say(f"the run {run_id} for {dt} succeeded: {len(states)} tasks")
            return
        if environment.clock.now() >= deadline:
            waiting = sorted(task for task, state in states.items() if state != "success")
            message = (
                f"the run {run_id} has not ended after {minutes:g} minutes: "
                f"{', '.join(waiting) or 'no task has started'}. "
                f"Is the DAG {dag} paused, does another run of it still wait, or is there no delivery for {dt}? "
                "End the run in Airflow's UI"
            )
            raise FailedCanary(message)
        environment.clock.sleep(environment.poll)


def start_run(environment: ComposerEnvironment, dag: str, run_id: str, dt: str) -> None:
    """Start the run; if an answer was lost, the run is there already when it is started again."""
    conf = json.dumps({"dt": dt})
    for attempt in range(1, TRIES + 1):
        try:
            environment.airflow("dags", "trigger", arguments=(dag, "--run-id", run_id, "--conf", conf))
            return
        except ToolError as error:
            if attempt > 1 and re.search(r"already ?exists", error.output, flags=re.IGNORECASE):
                return
            if attempt == TRIES:
                message = f"the run {run_id} of the DAG {dag} cannot be started: {error}"
                raise FailedCanary(message) from None
            environment.clock.sleep(environment.poll)


def task_states(environment: ComposerEnvironment, dag: str, run_id: str) -> dict[str, str]:
    """Return the state of each task of a run, and of each mapped one; none while Airflow does not know it yet."""
    try:
        output = environment.airflow("tasks", "states-for-dag-run", arguments=(dag, run_id, "-o", "json"))
        states = {}
        for task in json_in(output):
            index = str(task.get("map_index") or "")
            states[f"{task['task_id']}[{index}]" if index else str(task["task_id"])] = str(task["state"])
        return states
    except DeliveryError as error:
        say(f"the tasks of {run_id} cannot be read now: {str(error).splitlines()[0]}")
        return {}
