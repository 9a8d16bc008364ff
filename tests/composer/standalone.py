"""``airflow standalone`` for a test: a real scheduler and really forked tasks, which all end with the test."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping

from conftest import ROOT

from drugs_rs.airflow.compat import AIRFLOW_3


def free_port() -> int:
    """A free port."""
    with contextlib.closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def environment(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The configuration of that Airflow: short intervals, and a port that nothing else uses."""
    port = free_port()
    configuration = {
        "CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{port}/execution/",
        "CORE__PARALLELISM": "4",
        "API__PORT": str(port),
        "API__BASE_URL": f"http://localhost:{port}",
        "API__WORKERS": "1",
        "WEBSERVER__WEB_SERVER_PORT": str(port),
        "WEBSERVER__BASE_URL": f"http://localhost:{port}",
        "WEBSERVER__WORKERS": "1",
        "LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "SCHEDULER__JOB_HEARTBEAT_SEC": "1",
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "1",
        "SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "15",
        "SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "3",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    }
    if not AIRFLOW_3:
        # On SQLite the default executor would run one task at a time, each in a Python that loads Airflow
        # first. With a longer time-out and a write-ahead log, which Airflow 3 sets up itself, the few
        # processes of a test can share it.
        configuration["CORE__EXECUTOR"] = "LocalExecutor"
        configuration["DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{home}/airflow.db?timeout=60"
        settings = {**settings, "_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK": "1"}
        with contextlib.closing(sqlite3.connect(str(home / "airflow.db"))) as base:
            base.execute("pragma journal_mode = wal")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW__", "DRUGS_RS_"))}
    return {
        **inherited,
        **{f"AIRFLOW__{key}": value for key, value in configuration.items()},
        "AIRFLOW_HOME": str(home),
        **settings,
    }


class Standalone:
    """A running Airflow."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        self.environment = dict(environment)
        self._commands: subprocess.Popen[str] | None = None

    def command(self, *words: str) -> None:
        """Run a command of Airflow's."""
        if self._commands is None:
            self._commands = subprocess.Popen(
                [sys.executable, str(Path(__file__).parent / "programs" / "commands.py")],
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                universal_newlines=True,
            )
        assert self._commands.stdin is not None and self._commands.stdout is not None
        print(json.dumps(words), file=self._commands.stdin, flush=True)
        code, said = json.loads(self._commands.stdout.readline())
        assert code == 0, f"{words}: {said[-3000:]}"

    def close(self) -> None:
        """End the process of the commands."""
        if self._commands is not None:
            with self._commands as process:
                process.kill()

    def trigger(self, run_id: str, day: str | None) -> None:
        """Trigger the DAG for a logical date, or for none."""
        words = ["dags", "trigger", "drug", "--run-id", run_id]
        if day is not None:
            words += ["--logical-date" if AIRFLOW_3 else "--exec-date", f"{day}T00:00:00+00:00"]
        self.command(*words)

    def clear(self, task_id: str, day: str) -> None:
        """Clear one task of a day, and what comes after it."""
        words = ["tasks", "clear", "drug", "--task-regex", task_id, "--downstream", "--yes"]
        self.command(*words, "--start-date", day, "--end-date", day)

    def rows(self, question: str, *values: str) -> list[tuple[Any, ...]]:
        """Ask the database, without disturbing who writes it."""
        with contextlib.closing(sqlite3.connect(f"file:{self.home}/airflow.db?mode=ro", uri=True, timeout=30)) as base:
            return base.execute(question, values).fetchall()

    def age(self, run_id: str, hours: int) -> None:
        """Let a run that is at work have begun so long ago, which is sooner than to wait for it.

        A scheduler that is at this run writes its own time again: the change is made until the run is at its end.
        """
        change = (
            "update dag_run set start_date = datetime('now', ?) || '.000000' where run_id = ? and state = 'running'"
        )

        def is_over() -> bool:
            with contextlib.closing(sqlite3.connect(str(self.home / "airflow.db"), timeout=30)) as base, base:
                return base.execute(change, (f"-{hours} hours", run_id)).rowcount == 0

        until(is_over, 300, self.said(run_id))

    def tries(self, run_id: str) -> dict[str, int]:
        """The number of tries of each task of a run."""
        question = "select task_id, try_number from task_instance where dag_id = 'drug' and run_id = ?"
        return dict(self.rows(question, run_id))

    def states(self, run_id: str) -> dict[str, str]:
        """The state of each task of a run."""
        question = "select task_id, state from task_instance where dag_id = 'drug' and run_id = ?"
        return dict(self.rows(question, run_id))

    def said(self, run_id: str) -> Callable[[], str]:
        """The message when a wait for a part of a run times out."""
        return lambda: f"{run_id}: {self.states(run_id)} {tail(self.home / 'standalone.log')}"

    def wait_for_run(self, run_id: str, state: str, seconds: float = 400) -> None:
        """Wait until a run has come to its end, which must be this one."""

        def ended() -> str | None:
            found = self.rows("select state from dag_run where dag_id = 'drug' and run_id = ?", run_id)
            return found[0][0] if found and found[0][0] in ("success", "failed") else None

        assert until(ended, seconds, lambda: f"{run_id}: {self.states(run_id)}") == state, self.states(run_id)

    def logs(self) -> str:
        """Everything that tasks have logged."""
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in (self.home / "logs").rglob("*.log")]
        return "\n".join(texts)


def until(look: Callable[[], Any], seconds: float, told: Callable[[], str] = lambda: "") -> Any:
    """Look until there is something to see."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.25)
    raise AssertionError(f"not within {seconds} s: {told()}")


@contextlib.contextmanager
def standalone(home: Path, settings: Mapping[str, str]) -> Iterator[Standalone]:
    """Start an Airflow, wait until it knows the DAG, and end every process of it."""
    home.mkdir(exist_ok=True)
    made = environment(home, settings)
    with (home / "standalone.log").open("wb") as log:
        process = subprocess.Popen(
            ["airflow", "standalone"],
            env=made,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        running = Standalone(home, made)
        try:
            until(lambda: knows(running, process), 300, lambda: tail(home / "standalone.log"))
            yield running
        except BaseException:
            print(tail(home / "standalone.log"))  # noqa: T201  # pytest shows it with the failure
            raise
        finally:
            running.close()
            end(process, home)


def knows(running: Standalone, process: subprocess.Popen[bytes]) -> bool:
    """Whether the scheduler could run the DAG by now."""
    assert process.poll() is None, tail(running.home / "standalone.log")
    try:
        found = running.rows("select count(*) from serialized_dag where dag_id = 'drug'")
        alive = running.rows("select count(*) from job where job_type = 'SchedulerJob' and state = 'running'")
    except sqlite3.Error:
        return False
    return bool(found[0][0] and alive[0][0])


def tail(path: Path) -> str:
    """The end of a log."""
    return path.read_text(encoding="utf-8", errors="replace")[-4000:]


def end(process: subprocess.Popen[bytes], home: Path) -> None:
    """End the process group, and whatever left it: tasks make sessions of their own, but keep their AIRFLOW_HOME."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
    mark = f"AIRFLOW_HOME={home}\0".encode()
    for _ in range(3):
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in path.read_bytes() + b"\0":
                    os.kill(int(re.findall(r"\d+", str(path))[0]), signal.SIGKILL)
        time.sleep(0.2)
