"""Importing the package is cheap and has no side effects: an Airflow scheduler does it again and again."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

import drugs_rs

LIMIT_SECONDS = 0.05


def in_new_process(program: str) -> Any:
    """What a program prints as JSON in an interpreter that has imported nothing yet."""
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def test_import_is_fast() -> None:
    """The best of several: other work on the machine only ever adds to the time."""
    program = """
import json, time
start = time.perf_counter()
import drugs_rs
print(json.dumps(time.perf_counter() - start))
"""
    seconds = min(in_new_process(program) for _ in range(7))
    assert seconds < LIMIT_SECONDS


def test_import_loads_no_other_package_and_not_the_native_module() -> None:
    program = """
import json, sys
before = set(sys.modules)
import drugs_rs
new = sorted(set(sys.modules) - before)
print(json.dumps([[name, getattr(sys.modules[name], "__file__", None) or ""] for name in new]))
"""
    modules: dict[str, str] = dict(in_new_process(program))
    own = {name for name in modules if name.split(".")[0] == "drugs_rs"}
    assert own == {"drugs_rs", "drugs_rs.exceptions"}
    installed = {name for name, file in modules.items() if "site-packages" in file or "dist-packages" in file}
    assert installed - own == set()


@pytest.mark.parametrize("use", ["", "drugs_rs.run"], ids=["import", "import and native module"])
def test_no_thread_is_started(use: str) -> None:
    """Counted by the kernel, because threads of the core are unknown to Python's `threading`."""
    program = f"""
import json, os
before = len(os.listdir("/proc/self/task"))
import drugs_rs
{use}
print(json.dumps([before, len(os.listdir("/proc/self/task")), "drugs_rs._core" in __import__("sys").modules]))
"""
    before, after, loaded = in_new_process(program)
    assert after == before == 1
    assert loaded == bool(use)


def test_every_public_name_is_there_and_listed() -> None:
    for name in drugs_rs.__all__:
        assert getattr(drugs_rs, name) is getattr(drugs_rs, name), f"{name} is another object at each look"
    assert set(drugs_rs.__all__) <= set(dir(drugs_rs))


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'drugs_rs' has no attribute 'nothing'"):
        _ = drugs_rs.nothing  # type: ignore[attr-defined]


def test_version_is_the_distribution_s() -> None:
    from importlib.metadata import version

    assert drugs_rs.__version__ == version("drugs-rs")
