"""An environment of Cloud Composer: its state, its packages, and Airflow's own command in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from package_index import PACKAGE
from tool_calls import Clock, DeliveryError, ToolError, call, json_in, say

# How `gcloud` words that another operation has the environment.
CONFLICT = re.compile(r"ABORTED|FAILED_PRECONDITION|\bUPDATING\b|another operation|\b409\b", re.IGNORECASE)
# Answers that may be lost in a row while an operation is watched for half an hour.
LOST_ANSWERS = 5
# Answers that are not lost: asking again gives the same.
FINAL = re.compile(r"PERMISSION_DENIED|NOT_FOUND|UNAUTHENTICATED|INVALID_ARGUMENT|\b40[0134]\b")


class RefusedWheel(DeliveryError):
    """The environment did not take a version; the operation ended with an error."""


class UpdateTimeout(DeliveryError):
    """An operation did not end in the time that was given to it. It may still be running."""


@dataclass(frozen=True)
class EnvironmentState:
    """What an environment says about itself."""

    state: str
    # What it installs of this package, such as `==0.1.0`, or `None`.
    requirement: str | None
    # Where it reads DAGs: `gs://bucket/dags`.
    dags: str


class ComposerEnvironment:
    """One environment, by `gcloud composer`."""

    def __init__(self, project: str, location: str, name: str, clock: Clock, *, minutes: float, poll: float) -> None:
        """Name the environment, the minutes that an update may take, and the seconds between two looks."""
        self.name = name
        self.place = ["--project", project, "--location", location]
        self.clock = clock
        self.minutes = minutes
        self.poll = poll

    def _gcloud(self, *command: str) -> str:
        """Return what a command of `gcloud composer` prints."""
        return call(["gcloud", "composer", *command, *self.place, "--quiet"])

    def describe(self) -> EnvironmentState:
        """Ask for the environment's state."""
        answer: dict[str, Any] = json_in(self._gcloud("environments", "describe", self.name, "--format=json"))
        config = answer.get("config") or {}
        packages = (config.get("softwareConfig") or {}).get("pypiPackages") or {}
        folder = config.get("dagGcsPrefix")
        if not folder:
            message = f"the environment {self.name} has no bucket yet (state {answer.get('state')}): wait until it runs"
            raise DeliveryError(message)
        return EnvironmentState(str(answer.get("state")), packages.get(PACKAGE), str(folder))

    def deadline(self) -> float:
        """Return the moment at which an update that starts now has taken too long."""
        return self.clock.now() + self.minutes * 60

    def wait_until_running(self, deadline: float) -> EnvironmentState:
        """Wait while another operation has the environment."""
        waited, lost = False, 0
        while True:
            try:
                found = self.describe()
                lost = 0
            except ToolError as error:
                lost += 1
                if lost > LOST_ANSWERS or FINAL.search(error.output):
                    raise
                self.clock.sleep(self.poll)
                continue
            if found.state == "RUNNING":
                return found
            if found.state != "UPDATING":
                message = (
                    f"the environment {self.name} is in state {found.state}, not RUNNING: repair it first "
                    f"(`gcloud composer environments describe {self.name}` and its operations say what is wrong)"
                )
                raise DeliveryError(message)
            if self.clock.now() >= deadline:
                message = (
                    f"another operation has kept the environment {self.name} UPDATING for {self.minutes:g} minutes"
                )
                raise UpdateTimeout(message)
            if not waited:
                say(f"another operation is updating {self.name}: waiting for its end")
                waited = True
            self.clock.sleep(self.poll)

    def require(self, requirement: str | None) -> bool:
        """Make the environment install exactly this (`==0.2.0`, or nothing); return whether that changed anything."""
        deadline = self.deadline()
        change = f"--update-pypi-package={PACKAGE}{requirement}" if requirement else f"--remove-pypi-packages={PACKAGE}"
        while True:
            if self.wait_until_running(deadline).requirement == requirement:
                return False
            try:
                answer = self._gcloud("environments", "update", self.name, change, "--async", "--format=json")
                break
            except ToolError as error:
                if not CONFLICT.search(error.output) and self.describe().state == "RUNNING":
                    raise
                if self.clock.now() >= deadline:
                    message = f"the environment {self.name} took no update for {self.minutes:g} minutes:\n{error}"
                    raise UpdateTimeout(message) from None
                say(f"another operation was faster on {self.name}: waiting for its end")
                self.clock.sleep(self.poll)
        # The update has its own time, whatever the wait for other operations took.
        self._wait_for(str(json_in(answer)["name"]), self.deadline())
        found = self.wait_until_running(self.deadline())
        if found.requirement != requirement:
            message = (
                f"the update of {self.name} ended, but it has {found.requirement or 'no version'}, not {requirement}"
            )
            raise RefusedWheel(message)
        return True

    def _wait_for(self, operation: str, deadline: float) -> None:
        """Wait for the end of an operation; raise if it ends with an error or not in time."""
        lost = 0
        while True:
            try:
                answer = json_in(self._gcloud("operations", "describe", operation, "--format=json"))
                lost = 0
            except DeliveryError as error:
                lost += 1
                if lost > LOST_ANSWERS:
                    message = f"the operation {operation} cannot be watched any more: {error}"
                    raise UpdateTimeout(message) from None
                answer = {}
            if answer.get("done"):
                if answer.get("error"):
                    reason = answer["error"].get("message", "no reason given")
                    message = f"the environment {self.name} refused the package {PACKAGE}: {reason}"
                    raise RefusedWheel(message)
                return
            if self.clock.now() >= deadline:
                message = f"the operation {operation} did not end within {self.minutes:g} minutes"
                raise UpdateTimeout(message)
            self.clock.sleep(self.poll)

    def installed_version(self) -> str | None:
        """Return the version that a worker has, by its own pip."""
        listed = self._gcloud("environments", "list-packages", self.name)
        found = re.search(r"^drugs[-_]rs\s+(\S+)\s*$", listed, flags=re.MULTILINE)
        return found[1] if found else None

    def wait_for_worker(self, version: str) -> None:
        """Wait until a worker has this version: the old ones end after the operation."""
        deadline = self.clock.now() + 10 * 60
        while True:
            try:
                installed = self.installed_version() or "none"
            except ToolError as error:
                # While workers are replaced, there may be none to ask.
                installed = f"that nobody can list: {error}"
            if installed == version:
                return
            if self.clock.now() >= deadline:
                message = f"the update ended, but after ten minutes a worker of {self.name} has version {installed}"
                raise RefusedWheel(message)
            self.clock.sleep(self.poll)

    def airflow(self, *command: str, arguments: tuple[str, ...]) -> str:
        """Run a command of Airflow in the environment and return its output."""
        run = ["gcloud", "composer", "environments", "run", self.name, *self.place, "--quiet", *command]
        return call([*run, "--", *arguments])
