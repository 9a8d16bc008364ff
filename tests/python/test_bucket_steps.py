"""The steps of a day side by side on one lake in a bucket, as a scheduler starts them: every task in its own process.

All of them commit to one state, so that of those that are done at the same moment all but one have to look again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from bucket_peers import Peer, bucket_gold, local_gold, together, upload

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

DT = "2024-03-01"
TABLES: list[dict[str, Any]] = [{"tables": [table]} for table in ("drugs", "pubmed", "clinical_trials")]
ROUNDS = 4


def copies(peer: Peer, prefix: str, samples: Path) -> list[dict[str, Any]]:
    """Four sources, two of them of one table."""
    sources = upload(peer, prefix, samples)
    return [
        {"drugs": sources["drugs"], "name": "drugs"},
        {"clinical_trials": sources["clinical_trials"], "name": "clinical_trials"},
        {"pubmed": peer.uri(f"{prefix}/in/pubmed.csv"), "name": "pubmed_a"},
        {"pubmed": peer.uri(f"{prefix}/in/pubmed.json"), "name": "pubmed_b"},
    ]


def files(peer: Peer, lake: str) -> dict[str, str]:
    """What the state of a lake names: path → digest. Reports and records of states are left out, which have times."""
    state = json.loads(peer.data(f"{lake}/_lake.json"))
    return {
        path: entry["sha256"] for path, entry in state["files"].items() if not path.startswith(("reports/", "states/"))
    }


def all_at_once(peer: Peer, lake: str, sources: list[dict[str, Any]]) -> None:
    """Bronze of all sources, then silver of all tables, then gold."""
    day = {"out": peer.uri(lake), "dt": DT}
    for step, runs in (("bronze", sources), ("silver", TABLES), ("gold", [{}])):
        answers = together([{**run, **day} for run in runs], step)
        assert [answer["error"] for answer in answers] == [None] * len(runs), (step, answers)


def test_the_steps_of_a_day_side_by_side(peer: Peer, prefix: str, samples: Path, tmp_path: Path) -> None:
    sources = copies(peer, prefix, samples)
    for out in (tmp_path / "lake", peer.uri(f"{prefix}/alone")):
        for source in sources:
            drugs_rs.bronze(out=out, dt=DT, **source)
        for table in TABLES:
            drugs_rs.silver(out=out, dt=DT, **table)
        drugs_rs.gold(out=out, dt=DT)
    alone = files(peer, f"{prefix}/alone")
    for turn in range(ROUNDS):
        lake = f"{prefix}/lake{turn}"
        all_at_once(peer, lake, sources)
        assert bucket_gold(peer, lake) == local_gold(tmp_path / "lake")
        assert files(peer, lake) == alone, "no commit lost what another had committed"
    before = peer.contents(lake)
    all_at_once(peer, lake, sources)
    assert peer.contents(lake) == before, "the same steps at once again change no object"
