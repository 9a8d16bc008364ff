"""A PostgreSQL of this machine's own binaries, for the tests that let it judge what is written for it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, NamedTuple

import pytest

START_SECONDS = 60


class Postgres(NamedTuple):
    """A running server, which only its socket leads to."""

    binaries: Path
    folder: Path

    def run(self, *statements: str, given: str = "") -> str:
        """What `psql` prints for some statements: values alone."""
        words = [word for statement in statements for word in ("-c", statement)]
        program = [self.binaries / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "drugs"]
        done = subprocess.run(
            [*map(str, program), "-d", "postgres", *words],
            input=given.encode(),
            capture_output=True,
            check=False,
            env={**os.environ, "PGCLIENTENCODING": "UTF8"},
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


def binaries() -> Path:
    """The folder of the newest PostgreSQL; without one the test is skipped."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = shutil.which("initdb") or next(map(str, reversed(found)), None)
    if initdb is None:
        pytest.skip("no PostgreSQL on this machine")
    return Path(initdb).resolve().parent


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a server with an empty database, and remove it afterwards."""
    programs = binaries()
    # Not in pytest's folder, which other users cannot enter: the server refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    other: dict[str, Any] = {}
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)

        def become_nobody() -> None:
            # Python 3.8 has no argument for it.
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)

        other = {"preexec_fn": become_nobody}
    data = folder / "data"
    try:
        create = [
            programs / "initdb",
            "-D",
            data,
            "-U",
            "drugs",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        subprocess.run(list(map(str, create)), check=True, stdout=subprocess.DEVNULL, cwd="/", **other)
        serve = [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        with (folder / "log").open("wb") as log, subprocess.Popen(
            list(map(str, serve)), stdout=log, stderr=log, cwd="/", **other
        ) as server:
            try:
                ready = [str(programs / "pg_isready"), "-q", "-h", str(folder)]
                for _ in range(START_SECONDS * 10):
                    if subprocess.run(ready, check=False).returncode == 0:
                        break
                    assert server.poll() is None, (folder / "log").read_text(encoding="utf-8")
                    time.sleep(0.1)
                yield Postgres(programs, folder)
            finally:
                server.terminate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
