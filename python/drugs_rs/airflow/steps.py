"""Running one step of the core, in this process or in a child of it.

In this process the core's calling thread asks Python for signals ten times a second, so that Airflow's time-outs and
SIGTERM end a step at its next batch. In a child (``isolation="subprocess"``) the step is ``python -m drugs_rs``: it can
be killed whatever it does, its memory goes back to the machine when it ends, and it cannot take the task down with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING, Any, Iterator, Mapping, NoReturn, Sequence

import drugs_rs
from drugs_rs.airflow.compat import AIRFLOW_3, AirflowException, AirflowFailException
from drugs_rs.exceptions import ConflictError, DrugsError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

# How long a child that was asked to stop may take before it is killed. Airflow's own patience is five seconds.
_PATIENCE = 3.0
# The tag of prctl(2) for "send me this signal when my parent dies".
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_USAGE = 2
_SOURCES = ("drugs", "pubmed", "clinical_trials")
# More names of sources go to the child in a file.
_MOST_NAMES = 1000


class Step:
    """One step that can be stopped from outside."""

    def __init__(self, name: str, keywords: Mapping[str, Any], isolation: str, log: logging.Logger) -> None:
        """Remember what to do; ``run`` does it."""
        self.name = name
        self.keywords = {key: value for key, value in keywords.items() if value is not None}
        self.isolation = isolation
        self.log = log
        self._child: subprocess.Popen[bytes] | None = None
        self._here = False

    def run(self) -> dict[str, Any]:
        """Run the step and give its report.

        Raises:
            AirflowFailException: What went wrong will go wrong again, so that a retry would only take time.
            AirflowException: A retry may help.
        """
        if self.isolation == "subprocess":
            return self._run_child()
        self._here = True
        try:
            report: dict[str, Any] = getattr(drugs_rs, self.name)(**self.keywords)
        except DrugsError as error:
            _refuse(error)
        finally:
            self._here = False
        return report

    def stop(self) -> None:
        """End the step: a child is terminated, the core in this process is told through an exception.

        Airflow 3 calls ``on_kill`` from its handler of SIGTERM and raises nothing itself, so that this has to. The
        handlers of Airflow 2 raise when ``on_kill`` is done.
        """
        self._end_child()
        if self._here and AIRFLOW_3:
            message = f"the {self.name} step was asked to stop (SIGTERM); nothing of it was written"
            raise AirflowException(message)

    def _run_child(self) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="drugs_rs-") as folder, tempfile.TemporaryFile() as out:
            # Under that folder only names of stop words lie, which the command takes as files.
            command = [sys.executable, "-m", "drugs_rs", *arguments(self.name, self.keywords, folder), "--json"]
            self.log.info("in a process of its own: %s", " ".join(command))
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                env=dict(os.environ, DRUGS_RS_LOG="info"),
                preexec_fn=_die_with_parent,  # the task is forked anew and calls this from one thread
            )
            self._child = child
            try:
                said = list(self._listen(child.stderr))
                code = child.wait()
            finally:
                self._end_child()
            if code != 0:
                _refuse_child(self.name, code, said)
            out.seek(0)
            report: dict[str, Any] = json.loads(out.read().decode("utf-8"))
            return report

    def _listen(self, stream: IO[bytes] | None) -> Iterator[str]:
        """Write what the child says into the log while it says it; give its errors."""
        for raw in stream or ():
            line = raw.decode("utf-8", "replace").rstrip()
            if line.startswith("drugs-rs: error: "):
                yield line[len("drugs-rs: error: ") :]
            elif line.startswith("drugs-rs: warning: "):
                self.log.warning("%s", line[len("drugs-rs: warning: ") :])
            elif line:
                self.log.info("%s", line)

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


def _die_with_parent() -> None:
    """Let the kernel end the child when the task is killed without a word."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _refuse(error: DrugsError) -> NoReturn:
    """Raise what Airflow understands; the core's exception stays behind it."""
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, (ConflictError, StorageError)):
        raise AirflowException(message) from error
    raise AirflowFailException(message) from error


def _refuse_child(name: str, code: int, said: Sequence[str]) -> NoReturn:
    if code < 0:
        try:
            word = signal.Signals(-code).name
        except ValueError:
            word = f"signal {-code}"
        hint = "; the machine may have run out of memory" if -code == signal.SIGKILL else ""
        message = f"the process of the {name} step was ended by {word}{hint}"
        raise AirflowException(message)
    message = " ".join(said) or f"the process of the {name} step ended with exit code {code}; its words stand above"
    raise AirflowFailException(message) if code == _USAGE else AirflowException(message)


def arguments(step: str, keywords: Mapping[str, Any], folder: str | Path) -> list[str]:
    """Give a step's keywords as the words of the command line."""
    words = [step]
    for name, value in keywords.items():
        # The command calls every lake what the steps call it.
        flag = "--out" if name == "lake" else "--" + name.replace("_", "-")
        if name in ("stop_words", "extra_stop_words"):
            words += _stop_words(flag, list(value), folder)
        elif name == "tables":
            words += [word for table in value for word in ("--table", table)]
        elif name in _SOURCES:
            names = [str(each) for each in value] if isinstance(value, (list, tuple)) else [str(value)]
            words += _sources(flag, names, folder)
        elif isinstance(value, bool):
            words += [flag] if value else []
        elif isinstance(value, (list, tuple)):
            words += [word for each in value for word in (flag, str(each))]
        else:
            words += [flag, str(value)]
    return words


def _sources(flag: str, names: Sequence[str], folder: str | Path) -> list[str]:
    """Give many names as a list in a file, for a command line holds only so many; on it ``@`` begins a list."""
    if len(names) <= _MOST_NAMES or not all(name.strip() and "\n" not in name for name in names):
        return [word for name in names for word in (flag, f"./{name}" if name.startswith("@") else name)]
    path = os.path.join(folder, flag.lstrip("-") + "-names")  # noqa: PTH118
    with contextlib.closing(open(path, "w", encoding="utf-8")) as file:  # noqa: PTH123
        file.write("".join(f"{name}\n" for name in names))
    return [flag, f"@{path}"]


def _stop_words(flag: str, names: Sequence[str], folder: str | Path) -> list[str]:
    if not names:
        return ["--no-stop-words"] if flag == "--stop-words" else []
    path = os.path.join(folder, flag.lstrip("-"))  # noqa: PTH118
    with contextlib.closing(open(path, "w", encoding="utf-8")) as file:  # noqa: PTH123
        file.write("".join(f"{name}\n" for name in names))
    return [flag, path]
