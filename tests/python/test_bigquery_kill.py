"""Loaders that are killed at any moment: the next load makes the dataset whole."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from bigquery_lakes import KILLS, TARGET, check_rows, load
from shell import program

if TYPE_CHECKING:
    from pathlib import Path

    from bigquery_server import BigQuery

pytestmark = pytest.mark.core

TABLES = ["mentions", "publications", "journals", "status"]
SEED = int(os.environ.get("DRUGS_RS_KILL_SEED", str(random.SystemRandom().randrange(10**6))))


def test_killed_loaders(bigquery: BigQuery, story: dict[str, Path]) -> None:
    chance = random.Random(SEED)
    bigquery.trouble.job_seconds = 0.02
    environment = {**os.environ, "BIGQUERY_EMULATOR_HOST": bigquery.endpoint}
    states = list(story)
    killed = number = 0
    seconds = 1.0
    # A busy machine kills some too late.
    while killed < KILLS and number < 10 * KILLS:
        lake = story[states[number % len(states)]]
        command = [sys.executable, str(program("bigquery_load")), str(lake), TARGET, ",".join(TABLES)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
            assert child.stdout is not None and child.stdout.readline() == b"begins\n"
            begun = time.monotonic()
            if number == 0:
                assert child.stdout.readline() == b"done\n"
                seconds = time.monotonic() - begun
                number = 1
                continue
            time.sleep(chance.random() * seconds)
            child.kill()
            killed += child.wait() != 0
        number += 1
        final = lake if chance.random() < 0.5 else story[chance.choice(states)]
        load(bigquery, final, tables=TABLES)
        bigquery.settle()
        check_rows(bigquery, final, TABLES)
        assert load(bigquery, final, tables=TABLES).unchanged, f"DRUGS_RS_KILL_SEED={SEED}"
    assert killed == KILLS, f"DRUGS_RS_KILL_SEED={SEED}"
