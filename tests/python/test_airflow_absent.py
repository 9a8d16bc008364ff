"""Airflow is an extra: without it the package works, and the part that needs it says so."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest


@pytest.mark.skipif(importlib.util.find_spec("airflow") is not None, reason="Airflow is installed here")
def test_importing_the_operators_without_airflow_says_what_to_install() -> None:
    with pytest.raises(ImportError, match=r"needs Apache Airflow 2\.6\.3 or newer.*pip install drugs-rs\[airflow\]"):
        import drugs_rs.airflow  # noqa: F401


def test_the_command_logs_when_it_is_asked_to() -> None:
    """`isolation="subprocess"` relies on this: without the variable, the command prints nothing on stderr."""
    program = (
        "import logging, sys; sys.argv = ['drugs-rs', '--version']; from drugs_rs.__main__ import main; main();"
        " logging.getLogger('drugs_rs').info('heard')"
    )
    for level, wanted in (("info", "heard\n"), ("", ""), ("nonsense", "")):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={"DRUGS_RS_LOG": level},
            capture_output=True,
            timeout=60,
            check=True,
            text=True,
        )
        assert done.stderr == wanted, level
