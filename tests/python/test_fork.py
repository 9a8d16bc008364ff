"""A forked child works, or raises an error that names the way out; it never hangs.

The threads of the engine do not live on in a child, and a lock that one of them held stays locked for ever: without
care the child's first parallel operation waits until somebody kills it.
"""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from lake_tables import DT
from shell import program
from written_sources import whole_sample

import drugs_rs
from drugs_rs.exceptions import ForkError

if TYPE_CHECKING:
    from pathlib import Path

# One of these remedies for a process that must not use the engine.
REMEDY = re.compile(r"spawn|python -m drugs_rs|drugs-rs |new process|before (the engine|it|using|use)", re.IGNORECASE)


def printed(*arguments: str) -> Any:
    """What a program of `programs/` prints. Its own watchdog is shorter than the one here."""
    finished = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        timeout=150,
        check=False,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def arguments_in(folder: Path, samples: Path) -> str:
    """The keywords of a run of the sample."""
    return json.dumps(dict(whole_sample(samples), out=str(folder), dt=DT))


def check_child(said: dict[str, Any]) -> None:
    """Worked with the right result, or refused with the remedy."""
    assert said["status"] in ("worked", "refused"), said
    if said["status"] == "worked":
        assert said["mentions"] == 100000 + 23
    else:
        assert said["error"] == "ForkError", said
        assert REMEDY.search(said["message"]), said["message"]


@pytest.mark.timeout(180)
def test_fork_after_use(samples: Path, tmp_path: Path) -> None:
    said = printed(str(program("fork_after_use")), arguments_in(tmp_path, samples))
    check_child(said)
    assert said["parent"] == [100000 + 23, 100000 + 23], "the parent works before and after"


@pytest.mark.timeout(180)
def test_fork_before_use(samples: Path, tmp_path: Path) -> None:
    """Importing is not using: this is what Airflow does to every task, and it has to work."""
    said = printed(str(program("fork_after_use")), arguments_in(tmp_path, samples), "before")
    assert said["status"] == "worked", said
    assert said["mentions"] == 100000 + 23
    assert said["parent"][1] == 100000 + 23


@pytest.mark.timeout(180)
def test_multiprocessing_before_use() -> None:
    assert printed(str(program("multiprocessing_fork")), "import") == [50000, 50000, 50000]


@pytest.mark.timeout(180)
def test_multiprocessing_after_use() -> None:
    answers: list[Any] = printed(str(program("multiprocessing_fork")), "use")
    for answer in answers:
        if answer != 50000:
            name, message = answer
            assert name == "ForkError"
            assert REMEDY.search(message), message


def test_fork_error_survives_pickling() -> None:
    """Or `multiprocessing` could not carry it to the parent."""
    again = pickle.loads(pickle.dumps(ForkError("start a new process")))
    assert type(again) is ForkError
    assert str(again) == "start a new process"
    assert isinstance(again, drugs_rs.exceptions.DrugsError)
