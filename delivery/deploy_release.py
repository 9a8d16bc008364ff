r"""Deliver a release to an environment of Cloud Composer, or roll it back.

    python3 delivery/deploy_release.py deliver --project P --location L --environment E --repository R \
        --wheels dist --canary-dt 2024-03-01
    python3 delivery/deploy_release.py rollback --project P --location L --environment E [--record URI]

`deliver` notes what is there, gives the environment the wheel, copies the DAG once a worker has the wheel, and runs the
DAG once. If any of these fails, it restores the DAG, then the wheel. Exit code 1: refused, nothing was changed;
2: failed and rolled back; 3: failed, and the roll-back too: the message says what is left to do.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dag_bucket
from canary_run import check_imports, run_canary
from composer_environment import ComposerEnvironment
from package_index import ArtifactRegistry, release_files
from release_version import ROOT, read_version, version_numbers
from tool_calls import Clock, DeliveryError, SystemClock, ToolError, call, say

# The DAG's own folder below `dags/`.
FOLDER = "drug"
# What a record of a delivery has.
RECORDED = {"version", "attempt", "requirement", "folder", "copy", "dags", "lock"}
# Seconds until every scheduler has parsed a changed DAG: the bucket is copied, then each file is parsed again.
SETTLE = 180


class RolledBack(DeliveryError):
    """The delivery failed; what was there before is there again."""


class NotRolledBack(DeliveryError):
    """The delivery failed, and something of it is still there."""


@dataclass(frozen=True)
class DeliveryPlan:
    """What is delivered, and how it is tried."""

    version: str
    dags: Path
    canary_dag: str
    canary_dt: str
    canary_minutes: float
    # What tells this attempt from others, such as the number of the workflow's run.
    attempt: str


def records_folder(dags: str) -> str:
    """Return where deliveries are noted: beside `dags/`, in a folder that no worker reads."""
    return dags.rsplit("/", 1)[0] + "/drugs_rs_deliveries"


def start_record(environment: ComposerEnvironment, plan: DeliveryPlan) -> dict[str, Any]:
    """Note what the environment has, copy its DAG, and take the lock; nothing that Airflow sees is changed."""
    before = environment.wait_until_running(environment.deadline())
    folder = f"{before.dags}/{FOLDER}"
    records = records_folder(before.dags)
    lock = f"{records}/unfinished.json"
    own = f"{records}/{plan.version}-{plan.attempt}"
    unfinished = dag_bucket.read_record(lock)
    if unfinished is not None:
        message = (
            f"the delivery of {unfinished.get('version')} ({unfinished.get('attempt')}) did not end: if none is "
            "running, roll it back with `python3 delivery/deploy_release.py rollback`"
        )
        raise DeliveryError(message)
    if dag_bucket.read_record(f"{own}/record.json") is not None:
        message = f"{own}/record.json has what was there before an earlier delivery: choose another --attempt"
        raise DeliveryError(message)
    installed = version_numbers((before.requirement or "").removeprefix("=="))
    if installed and installed > (version_numbers(plan.version) or installed):
        message = (
            f"{environment.name} has {before.requirement}, which is newer than {plan.version}: release a newer "
            "version, or go back by `python3 delivery/deploy_release.py rollback --record URI`"
        )
        raise DeliveryError(message)
    if "drug.py" in dag_bucket.list_digests(before.dags):
        message = f"{before.dags}/drug.py defines the DAG too: remove it, so that only {folder}/ does"
        raise DeliveryError(message)
    saved = f"{own}/dags"
    there = dag_bucket.list_digests(folder)
    if there:
        dag_bucket.synchronise(folder, saved, there)
    record = {
        "version": plan.version,
        "attempt": plan.attempt,
        "requirement": before.requirement,
        "folder": folder,
        "copy": saved,
        "dags": there,
        "lock": lock,
    }
    dag_bucket.write_record(f"{own}/record.json", record, new=False)
    try:
        dag_bucket.write_record(lock, record, new=True)
    except ToolError as error:
        if "412" not in error.output and "precondition" not in error.output.lower():
            raise
        message = f"another delivery has just started ({lock}): wait for its end"
        raise DeliveryError(message) from None
    return record


def roll_back(environment: ComposerEnvironment, record: dict[str, Any]) -> None:
    """Restore the DAG, then the wheel: the old DAG runs with both wheels, the new one perhaps not with the old."""
    # An update that took too long takes as long again on its way back.
    patient = copy.copy(environment)
    patient.minutes *= 2
    problems = []
    try:
        dag_bucket.restore(record["copy"], record["folder"], record["dags"], environment.clock)
        say(f"roll-back: {record['folder']} is as before ({len(record['dags'])} files)")
    except DeliveryError as error:
        problems.append(f"{record['folder']} was not restored from {record['copy']}: {error}")
    requirement = record["requirement"]
    try:
        patient.require(requirement)
        say(f"roll-back: {environment.name} has {requirement or 'no version'} as before")
    except DeliveryError as error:
        problems.append(f"{environment.name} was not set to {requirement or 'no version'}: {error}")
    if problems:
        again = "run `python3 delivery/deploy_release.py rollback` again when the cause is gone"
        raise NotRolledBack("\n".join([*problems, again]))
    unlock(record, "all is as before")


def unlock(record: dict[str, Any], state: str) -> None:
    """Remove the lock; an answer that was lost is no failure."""
    try:
        dag_bucket.remove_object(record["lock"])
    except DeliveryError as error:
        if dag_bucket.read_record(record["lock"]) is not None:
            message = f"{state}, but {record['lock']} was not removed: remove it by `gcloud storage rm`: {error}"
            raise NotRolledBack(message) from None


def deliver(environment: ComposerEnvironment, plan: DeliveryPlan) -> None:
    """Give the environment the wheel, then the DAG, then try it; roll back if anything of this fails."""
    expected = dag_bucket.local_digests(plan.dags)
    if "drug.py" not in expected:
        message = f"{plan.dags} has no drug.py"
        raise DeliveryError(message)
    record = start_record(environment, plan)
    foreign = sorted(set(record["dags"]) - set(expected))
    if foreign:
        say(f"{record['folder']} has files that {plan.dags} lacks, which will be removed: {', '.join(foreign)}")
    try:
        # The environment may have extras, such as `[postgres]==0.1.0`: a new version keeps them.
        extras = re.match(r"\[[^]]*\]", record["requirement"] or "")
        changed = environment.require(f"{extras[0] if extras else ''}=={plan.version}")
        environment.wait_for_worker(plan.version)
        say(f"{environment.name} has drugs-rs {plan.version}{'' if changed else ' already'}")
        dag_bucket.synchronise(str(plan.dags), record["folder"], expected)
        say(f"{record['folder']} has the DAG: {', '.join(expected)}")
        environment.clock.sleep(SETTLE)
        check_imports(environment, FOLDER)
        run_id = f"canary-{plan.version}-{plan.attempt}"
        run_canary(environment, plan.canary_dag, run_id, plan.canary_dt, plan.canary_minutes)
    except Exception as failure:  # also an answer of a form that this script does not know
        error = described(failure)
        say(f"the delivery of {plan.version} failed: {error}")
        try:
            roll_back(environment, record)
        except Exception as left:  # noqa: BLE001  # it has the same exit code
            message = f"{error}\nThe roll-back failed too:\n{described(left)}"
            raise NotRolledBack(message) from failure
        message = f"{error}\nDAG and wheel are as before."
        raise RolledBack(message) from failure
    unlock(record, f"{environment.name} runs {plan.version}")
    say(f"{environment.name} runs {plan.version}")


def described(error: Exception) -> str:
    """Return the message of an error, with its class if it is none that this script raises."""
    return str(error) if isinstance(error, DeliveryError) else f"{type(error).__name__}: {error}"


def find_record(environment: ComposerEnvironment, uri: str | None) -> dict[str, Any]:
    """Return the record of a delivery: the one that did not end, or the one that was named."""
    dags = environment.describe().dags
    lock = f"{records_folder(dags)}/unfinished.json"
    place = uri or lock
    record = dag_bucket.read_record(place)
    unfinished = dag_bucket.read_record(lock) if uri else None
    if record and unfinished and unfinished != record:
        message = f"the delivery of {unfinished['version']} did not end: roll that back first, without --record"
        raise DeliveryError(message)
    if record is None:
        message = f"{place} does not exist: name a record.json of {place.rsplit('/', 1)[0]}/ with --record"
        raise DeliveryError(message)
    if RECORDED - set(record):
        message = f"{place} is no record of a delivery: it lacks {', '.join(sorted(RECORDED - set(record)))}"
        raise DeliveryError(message)
    if (record["folder"], record["lock"]) != (f"{dags}/{FOLDER}", lock):
        message = f"{place} is the record of another environment, with {record['folder']}; this one has {dags}"
        raise DeliveryError(message)
    return record


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("deliver", "deliver a release"), ("rollback", "restore what was there before a delivery")):
        command = commands.add_parser(name, help=text)
        for required in ("--project", "--location", "--environment"):
            command.add_argument(required, required=True)
        command.add_argument("--minutes", type=float, default=60, help="for an update of the environment (60)")
        command.add_argument("--poll", type=float, default=30, help="seconds between two looks (30)")
        if name == "rollback":
            command.add_argument("--record", help="a record.json; default: the delivery that did not end")
            continue
        command.add_argument("--version", help="default: that of Cargo.toml")
        command.add_argument("--repository", required=True, help="the Python repository of Artifact Registry")
        command.add_argument("--wheels", type=Path, required=True, help="the folder of the released wheels")
        command.add_argument("--dags", type=Path, default=ROOT / "dags")
        command.add_argument("--canary-dt", required=True, help="a day that the lake has, for the canary run")
        command.add_argument("--canary-dag", default="drug", help="the DAG that is run once (drug)")
        command.add_argument("--canary-minutes", type=float, default=60, help="for the canary run (60)")
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        command.add_argument("--attempt", default=now, help="what tells this attempt from others; default: the time")
    return parser.parse_args(arguments)


def is_day(text: str) -> bool:
    """Return whether a text is a date of the calendar, written YYYY-MM-DD."""
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def run(chosen: argparse.Namespace, clock: Clock) -> None:
    """Run the chosen command."""
    environment = ComposerEnvironment(
        chosen.project, chosen.location, chosen.environment, clock, minutes=chosen.minutes, poll=chosen.poll
    )
    if chosen.command == "rollback":
        roll_back(environment, find_record(environment, chosen.record))
        return
    if not is_day(chosen.canary_dt):
        message = f"--canary-dt must be a day, YYYY-MM-DD, found {chosen.canary_dt!r}"
        raise DeliveryError(message)
    call(["gcloud", "--version"])
    version = chosen.version or read_version(ROOT)
    registry = ArtifactRegistry(chosen.project, chosen.location, chosen.repository)
    registry.check_wheel(release_files(chosen.wheels, version, (".whl",)), version)
    canary = (chosen.canary_dag, chosen.canary_dt, chosen.canary_minutes)
    deliver(environment, DeliveryPlan(version, chosen.dags, *canary, chosen.attempt))


def main(arguments: list[str], clock: Clock | None = None) -> int:
    """Run one command and return the exit code."""
    try:
        run(parse(arguments), clock or SystemClock())
    except DeliveryError as error:
        print(f"error: {error}", file=sys.stderr)
        return {RolledBack: 2, NotRolledBack: 3}.get(type(error), 1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
