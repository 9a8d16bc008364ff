"""Daemon threads that work in the core while the interpreter ends: the process ends, with its own exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "programs" / "end_while_others_work.py"
MOMENTS = (0.01, 0.05, 0.12, 0.3)


@pytest.mark.parametrize("work", ["find", "find_long", "find_many", "explain", "iter_publications"])
def test_the_process_ends_clean(work: str, tmp_path: Path) -> None:
    """Python ended such threads from within on their way back, through frames of Rust: a crash with some builds."""
    source = tmp_path / "pubmed.csv"
    source.write_text("id,title,date,journal\n" + "".join(f"{n},Title {n},2020,Journal\n" for n in range(50)))
    for moment in MOMENTS:
        done = subprocess.run(
            [sys.executable, PROGRAM, work, source, str(moment)], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), f"after {moment} s"


def test_what_runs_at_the_end_may_still_match() -> None:
    program = """if True:
        import atexit, drugs_rs
        matcher = drugs_rs.Matcher.from_names({"A": ["aspirin"]})
        class Late:
            def __del__(self):
                print(len(matcher.find("aspirin " * 20_000)))
        late = Late()
        atexit.register(lambda: print(len(matcher.find_many(["aspirin"]))))
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["1", "20000"], "")
