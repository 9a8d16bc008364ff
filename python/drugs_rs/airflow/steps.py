"""Running one step of the core, in this process or in a child of it.

In this process the core checks Python's signals ten times a second, so Airflow's time-outs and SIGTERM end a step at
its next batch. In a child (``isolation="subprocess"``) the step is ``drugs_rs.step_process``: it can be killed at any
moment, its memory is freed when it ends, and it cannot end the task's process. An error is the same exception in both.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from typing import IO, Any, Callable, Mapping, NoReturn

from drugs_rs import exceptions
from drugs_rs.airflow.compat import AIRFLOW_3, AirflowException, AirflowFailException
from drugs_rs.exceptions import ConflictError, DrugsError, StorageError
from drugs_rs.step_process import call_step

# Seconds before a child that was asked to stop is killed. Airflow's own limit is five seconds.
_PATIENCE = 3.0
# Last log lines in the alert about a child that ended without an answer.
_LAST_LINES = 5


class Step:
    """One step that another thread or a signal handler can stop."""

    def __init__(self, name: str, keywords: Mapping[str, Any], isolation: str, log: logging.Logger) -> None:
        """Store the step and its arguments; ``run`` starts it."""
        self.name = name
        self.keywords = {key: value for key, value in keywords.items() if value is not None}
        self.isolation = isolation
        self.log = log
        self._child: subprocess.Popen[bytes] | None = None
        self._here = False

    def run(self) -> dict[str, Any]:
        """Run the step and return its report.

        Raises:
            AirflowFailException: A retry cannot help.
            AirflowException: A retry may help.
        """
        try:
            return self._run_child() if self.isolation == "subprocess" else self._run_here()
        except (DrugsError, TypeError) as error:
            _refuse(error)

    def stop(self) -> None:
        """End the step: terminate the child, or raise an exception that stops the core in this process.

        Airflow 3 calls ``on_kill`` from its handler of SIGTERM and raises nothing itself, so this method raises. The
        handlers of Airflow 2 raise after ``on_kill``.
        """
        self._end_child()
        if self._here and AIRFLOW_3:
            message = f"the {self.name} step was asked to stop (SIGTERM); nothing of it was written"
            raise AirflowException(message)

    def _run_here(self) -> dict[str, Any]:
        self._here = True
        try:
            report = call_step(self.name, self.keywords)
        finally:
            self._here = False
        return report

    def _run_child(self) -> dict[str, Any]:
        order = {"step": self.name, "keywords": self.keywords, "parent": os.getpid()}
        with tempfile.TemporaryFile() as out:
            child = subprocess.Popen(
                [sys.executable, "-m", "drugs_rs.step_process"],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.PIPE,
            )
            self._child = child
            self.log.info("the %s step runs in the process %s", self.name, child.pid)
            assert child.stdin is not None  # because of PIPE above
            assert child.stderr is not None
            try:
                with contextlib.suppress(BrokenPipeError), child.stdin:  # the exit code below has the cause
                    child.stdin.write(json.dumps(order, default=str).encode("utf-8"))
                last = self._listen(child.stderr)
                code = child.wait()
            finally:
                self._end_child()
            if code != 0:
                _raise_end(self.name, code, last)
            out.seek(0)
            answer: dict[str, Any] = json.loads(out.read().decode("utf-8"))
        if "report" not in answer:
            of_python: Callable[[str], Exception] = getattr(builtins, answer["error"], RuntimeError)
            kind: Callable[[str], Exception] = getattr(exceptions, answer["error"], of_python)
            raise kind(answer["message"])
        report: dict[str, Any] = answer["report"]
        return report

    def _listen(self, stream: IO[bytes]) -> list[str]:
        """Copy the child's log into the task's log while it runs; return its last lines."""
        last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
        for raw in stream:
            line = raw.decode("utf-8", "replace").rstrip()
            level, _, text = line.partition(" ")
            if level in ("INFO", "WARNING", "ERROR"):
                self.log.log(getattr(logging, level), "%s", text)
            elif line:
                self.log.info("%s", line)
                last.append(line)
        return list(last)

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _refuse(error: Exception) -> NoReturn:
    """Raise one of Airflow's exceptions, with the core's exception as its cause."""
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, (ConflictError, StorageError)):
        raise AirflowException(message) from error
    raise AirflowFailException(message) from error


def _raise_end(name: str, code: int, last: list[str]) -> NoReturn:
    """Raise for a child that ended without an answer: killed, or unable to start. A retry may help."""
    number = -code if code < 0 else code - 128
    try:
        ended = f"was ended by {signal.Signals(number).name}"
    except ValueError:
        ended = f"ended with exit code {code}"
    hint = "; the machine may have run out of memory" if number == signal.SIGKILL else ""
    message = ": ".join([f"the process of the {name} step {ended}{hint}", *([" | ".join(last)] if last else [])])
    raise AirflowException(message)
