"""`progress=True` writes one line below a notebook's cell, and nothing without a notebook or terminal."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
import types
from pathlib import Path
from typing import Callable

import pytest

import drugs_rs

ROWS = "id,title,date,journal\n1,Ethanol,2020-01-01,Toxicon\n"


class Stderr(io.StringIO):
    """The stderr of a kernel: no terminal, and each write is a message to the browser."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return len(text)


def stand_in(monkeypatch: pytest.MonkeyPatch) -> Stderr:
    """Replace `sys.stderr` from within a test: before its call, pytest puts its own one back."""
    stderr = Stderr()
    monkeypatch.setattr(sys, "stderr", stderr)
    return stderr


def shell(monkeypatch: pytest.MonkeyPatch, *, kernel: bool) -> None:
    """Let this process look as if IPython ran it, in a notebook or in a terminal."""
    running = types.SimpleNamespace(kernel=object()) if kernel else types.SimpleNamespace()
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: running  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)


@pytest.fixture
def read_slowly(tmp_path: Path) -> Callable[[bool], float]:
    """Read a pipe whose writer takes 1.4 seconds; return how long that took."""

    def write(pipe: Path) -> None:
        with pipe.open("w", encoding="utf-8") as file:
            for text in (ROWS, "2,Ethanol,2020-01-01,Toxicon\n"):
                file.write(text)
                file.flush()
                time.sleep(0.7)

    def read(progress: bool) -> float:
        pipe = tmp_path / "pipe.csv"
        os.mkfifo(pipe)
        writer = threading.Thread(target=write, args=(pipe,))
        began = time.monotonic()
        writer.start()
        try:
            assert len(drugs_rs.read_publications(pipe, progress=progress)) == 2
        finally:
            writer.join()
        return time.monotonic() - began

    return read


def test_a_notebook_shows_one_line(monkeypatch: pytest.MonkeyPatch, read_slowly: Callable[[bool], float]) -> None:
    shell(monkeypatch, kernel=True)
    stderr = stand_in(monkeypatch)
    seconds = read_slowly(True)
    *lines, end = stderr.writes
    assert end == "\n"
    assert 1 <= len(lines) <= seconds / 0.5 + 1
    widths = [len(line.rstrip()) for line in lines]
    for line, before in zip(lines, [0, *widths]):
        assert line.startswith("\r")
        assert " read, " in line
        assert line.endswith((" rows", " "))
        assert len(line) >= before, "the line covers the one before"


@pytest.mark.parametrize("case", ["not asked for", "a terminal's IPython", "plain Python"])
def test_nothing_is_shown_elsewhere(
    case: str, monkeypatch: pytest.MonkeyPatch, read_slowly: Callable[[bool], float]
) -> None:
    stderr = stand_in(monkeypatch)
    if case != "plain Python":
        shell(monkeypatch, kernel=case == "not asked for")
    read_slowly(case != "not asked for")
    assert stderr.writes == []


def test_a_notebook_without_stderr(monkeypatch: pytest.MonkeyPatch, read_slowly: Callable[[bool], float]) -> None:
    shell(monkeypatch, kernel=True)
    monkeypatch.setattr(sys, "stderr", None)
    read_slowly(True)


def test_a_quick_call_shows_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shell(monkeypatch, kernel=True)
    stderr = stand_in(monkeypatch)
    (tmp_path / "pubmed.csv").write_text(ROWS, encoding="utf-8")
    drugs_rs.read_publications(tmp_path / "pubmed.csv", progress=True)
    assert len(stderr.writes) in (0, 2)  # a slow machine may have shown one line, and ended it
