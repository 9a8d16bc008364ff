"""Ctrl-C and SIGTERM end any call within a second, with nothing half-written, and other threads run meanwhile."""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import pytest
from generated_input import generate
from lake_state import gold_files, hashes, leftovers
from lake_tables import DT, rows
from shell import command, program, run_arguments
from written_sources import whole_sample

import drugs_rs

if TYPE_CHECKING:
    from types import FrameType

# The goal is one second; a noisy machine with two cores gets three.
PATIENCE_SECONDS = 3.0
TITLE = "Long-term response of patients with and without norwarfarin after surgery, part %d, and nothing else to find"


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Sources that keep the pipeline busy for a while."""
    return generate(tmp_path_factory.mktemp("big"), "big", 250000, drugs=2000)


@pytest.fixture(scope="module")
def big_seconds(big: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a whole run of them takes."""
    start = time.monotonic()
    drugs_rs.run(out=tmp_path_factory.mktemp("timed"), dt=DT, **big)
    return time.monotonic() - start


@pytest.fixture(scope="module")
def matcher() -> drugs_rs.Matcher:
    """Names that the titles do not have, so that the result stays small."""
    return drugs_rs.Matcher.from_names({f"X{n}": [f"warfarin{n}", f"nothing {n}"] for n in range(1000)})


@pytest.fixture(scope="module")
def many(matcher: drugs_rs.Matcher) -> list[str]:
    """As many titles as take about three seconds to search here, and at most three million."""
    some = [TITLE % number for number in range(100000)]
    start = time.monotonic()
    matcher.find_many(some)
    seconds = max(time.monotonic() - start, 0.001)
    # The list repeats its strings, so even the upper bound takes little memory in Python.
    return some * min(max(int(3.0 / seconds), 1), 30)


@pytest.mark.parametrize("part", [0.05, 0.3, 0.5, 0.8])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_ends_a_run(
    number: signal.Signals,
    code: int,
    part: float,
    big: dict[str, Any],
    big_seconds: float,
    samples: Path,
    tmp_path: Path,
) -> None:
    lake = tmp_path / "lake"
    drugs_rs.run(out=lake, dt="2020-05-01", **whole_sample(samples))
    old_gold, before = gold_files(lake), hashes(lake)
    process = subprocess.Popen(
        command(*run_arguments(big, lake, DT)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        # From here on the run has started; before, a signal meets the start of Python, which handles it in
        # its own way.
        wait_until(lambda: (lake / ".staging").is_dir() and any((lake / ".staging").iterdir()), process)
        time.sleep(part * big_seconds)
        if process.poll() is not None:
            pytest.skip("the run was done ahead of the signal: faster than the one that was timed")
        process.send_signal(number)
        start = time.monotonic()
        output, talk = process.communicate(timeout=30)
        seconds = time.monotonic() - start
    finally:
        process.kill()
        process.communicate()
    assert seconds < PATIENCE_SECONDS
    assert b"Traceback" not in talk
    assert b"panicked" not in talk
    after = hashes(lake)
    # Late in a run, the signal may come during the last commit, which then completes. An early signal that
    # lets the run succeed always fails the test.
    committed = part >= 0.5 and f"gold/mentions/kind=pubmed/dt={DT}/part-00000.parquet" in after
    assert process.returncode == code or (committed and process.returncode == 0), talk.decode("utf-8", "replace")
    assert committed or output == b""
    if not committed:
        assert {path: after.get(path) for path in before} == before
        assert gold_files(lake) == old_gold
    for path in lake.rglob("*.parquet"):
        if ".staging" not in path.parts:
            rows(path)
    drugs_rs.run(out=lake, dt=DT, **whole_sample(samples))
    assert leftovers(lake) == {}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("source", ["stdin", "pipe"])
def test_signal_ends_a_command_that_waits_for_input(
    source: str, number: signal.Signals, code: int, samples: Path, tmp_path: Path
) -> None:
    """A thread that waits for a pipe sees no flag, and the command waited for the thread."""
    vocabulary = samples / "drugs.csv"
    if source == "stdin":
        arguments: tuple[Any, ...] = ("match", "--vocabulary", vocabulary)
    else:
        os.mkfifo(tmp_path / "pipe")
        arguments = (
            "run",
            "--drugs",
            vocabulary,
            "--pubmed",
            tmp_path / "pipe",
            "--out",
            tmp_path / "lake",
            "--dt",
            DT,
        )
    with subprocess.Popen(
        command(*arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            # Long enough for Python to start, and for the worker to wait for bytes that do not come.
            time.sleep(2)
            assert process.poll() is None
            process.send_signal(number)
            start = time.monotonic()
            assert process.wait(timeout=30) == code
            assert time.monotonic() - start < PATIENCE_SECONDS
        finally:
            process.kill()
    assert not (tmp_path / "lake" / "bronze" / "pubmed").exists()


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Look until something is so, while the process lives."""
    deadline = time.monotonic() + 30
    while not ready():
        assert process.poll() is None, "the run ended before it began to write"
        assert time.monotonic() < deadline
        time.sleep(0.002)


def seconds_after_interrupt(delay: float, call: Callable[[], object]) -> float:
    """Interrupt a call after some time, as Ctrl-C would; returns how long it still went on."""
    moments: list[float] = []

    def interrupt() -> None:
        moments.append(time.monotonic())
        _thread.interrupt_main()

    timer = threading.Timer(delay, interrupt)
    timer.start()
    try:
        call()
    except KeyboardInterrupt:
        return time.monotonic() - moments[0]
    finally:
        timer.cancel()
        timer.join()
    pytest.fail("the call was done as if nothing had been")


def test_keyboard_interrupt_in_find_many(matcher: drugs_rs.Matcher, many: list[str]) -> None:
    seconds = seconds_after_interrupt(0.15, lambda: matcher.find_many(many))
    assert seconds < PATIENCE_SECONDS
    assert matcher.find_many(["warfarin7"]).num_rows == 1, "the engine works on after an interrupt"


def test_keyboard_interrupt_in_run(big: dict[str, Any], big_seconds: float, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    seconds = seconds_after_interrupt(0.3 * big_seconds, lambda: drugs_rs.run(out=lake, dt=DT, **big))
    assert seconds < PATIENCE_SECONDS
    assert gold_files(lake) == frozenset()


def test_any_signal_handler_may_end_a_call(matcher: drugs_rs.Matcher, many: list[str]) -> None:
    """Not only Ctrl-C: Airflow ends a task that takes too long by an exception from its SIGALRM handler."""

    class TimeoutFromHandlerError(Exception):
        pass

    def handler(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutFromHandlerError

    old = signal.signal(signal.SIGALRM, handler)
    try:
        start = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.15)
        with pytest.raises(TimeoutFromHandlerError):
            matcher.find_many(many)
        assert time.monotonic() - start < 0.15 + PATIENCE_SECONDS
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def longest_pause_during(call: Callable[[], object]) -> list[float]:
    """[longest time in which another Python thread could not run, seconds of the call]."""
    stop = threading.Event()
    ticks = [time.monotonic()]

    def tick() -> None:
        while not stop.is_set():
            time.sleep(0.005)
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.monotonic()
    try:
        call()
    finally:
        end = time.monotonic()
        stop.set()
        thread.join()
    inside = [start, *(moment for moment in ticks if start < moment < end), end]
    return [max(later - earlier for earlier, later in zip(inside, inside[1:])), end - start]


def assert_others_run_during(call: Callable[[int], object], most: float = 0.25) -> None:
    """Fail if another Python thread has to wait for much of the call, and longer than `most` seconds, each time.

    A machine with other work to do lets a thread wait now and then, too; a lock that is held does so each time.
    """
    pauses = []
    for number in range(4):
        pause, seconds = longest_pause_during(partial(call, number))
        if pause < max(most * seconds, most):
            return
        pauses.append(f"{pause:.2f} of {seconds:.2f} s")
    pytest.fail(f"the interpreter's lock was held for {', '.join(pauses)}")


def test_other_threads_run_during_find_many(matcher: drugs_rs.Matcher, many: list[str]) -> None:
    """Once it let them in after every 4,096 texts that it copied, for less time than they need to come in."""
    assert_others_run_during(lambda _: matcher.find_many(many), most=0.15)


def test_other_threads_run_during_run(big: dict[str, Any], tmp_path: Path) -> None:
    assert_others_run_during(lambda number: drugs_rs.run(out=tmp_path / f"lake-{number}", dt=DT, **big))


def test_two_threads_search_with_one_matcher(matcher: drugs_rs.Matcher) -> None:
    found: list[int] = []
    texts = [f"warfarin{number % 1000}" for number in range(50000)]
    threads = [threading.Thread(target=lambda: found.append(matcher.find_many(texts).num_rows)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [50000] * 4


@pytest.mark.parametrize("made", ["from_names", "from_vocabulary"])
def test_keyboard_interrupt_while_a_matcher_is_made(made: str, tmp_path: Path) -> None:
    """A vocabulary of half a million names takes seconds to index, and signals were once not checked meanwhile.

    It has a process of its own: in this one, callbacks of the test tools' own may swallow the interrupt.
    """
    finished = subprocess.run(
        [sys.executable, str(program("interrupted_matcher")), made, str(tmp_path / "drugs.csv")],
        stdout=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    assert float(finished.stdout) < PATIENCE_SECONDS


def test_an_interrupt_ends_a_search_within_one_text() -> None:
    """The text of nothing but the words of a long name would take minutes."""
    program = """if True:
        import _thread, threading, drugs_rs
        matcher = drugs_rs.Matcher.from_names({"A": ["a b " * 255 + "c"]})
        text = "a b " * (64 << 20)
        for call in (lambda: matcher.find(text), lambda: matcher.explain(text, "A"), lambda: matcher.find_many([text])):
            threading.Timer(0.5, _thread.interrupt_main).start()
            try:
                call()
            except KeyboardInterrupt:
                print("interrupted")
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["interrupted"] * 3, "")


def threads_of_the_core() -> list[int]:
    """The threads of this process in which a call does its work."""
    found = []
    for thread in Path("/proc/self/task").iterdir():
        # A thread may end meanwhile; the helper then ended with an error, and left the test waiting for ever.
        with contextlib.suppress(OSError):
            if (thread / "comm").read_text(encoding="utf-8") == "drugs_rs\n":
                found.append(int(thread.name))
    return found


def test_a_signal_does_not_end_the_wait_for_a_lock(samples: Path, tmp_path: Path) -> None:
    """Python's handlers interrupt the system call that waits; the call failed with "Interrupted system call"."""
    lake = tmp_path / "lake"
    drugs_rs.run(lake=lake, dt=DT, **whole_sample(samples))
    handled: list[int] = []
    waits: list[bool] = []
    held = os.open(str(lake / ".lock"), os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)

    def interrupt() -> None:
        try:
            deadline = time.monotonic() + 30
            while not threads_of_the_core() and time.monotonic() < deadline:
                time.sleep(0.01)
            for _ in range(5):
                time.sleep(0.1)
                threads = threads_of_the_core()
                waits.append(bool(threads))
                for thread in threads:
                    ctypes.CDLL(None).tgkill(os.getpid(), thread, signal.SIGUSR1)
        finally:
            os.close(held)

    old = signal.signal(signal.SIGUSR1, lambda number, _: handled.append(number))
    helper = threading.Thread(target=interrupt)
    helper.start()
    try:
        drugs_rs.hold(lake, DT, "while the lock is held")
    finally:
        helper.join()
        # Drops the signals that a thread has not taken yet: by default each would end the process.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, old)
    assert handled, "the signals came"
    assert all(waits), "and the call waited on"
    assert set(drugs_rs.Lake(lake).status()["held"]) == {True}
