"""Dates that are held back, from Python and from a shell, on a disk and in buckets.

What gold makes of them day by day stands in `tests/rust/held.rs`.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import re
from pathlib import Path
from typing import Any

import pytest
from bucket_peers import Peer, bucket_gold, local_gold
from lake_state import hashes, stamps
from shell import drugs_rs as shell
from written_sources import write_drugs, write_pubmed

import drugs_rs
from drugs_rs import exceptions

DAYS = ("2024-03-01", "2024-03-02", "2024-03-03")
REASON = "pubmed: 5 of 10 rows rejected"


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Three deliveries: each replaces the article of the one before, the second has another vocabulary."""
    found: dict[str, dict[str, Any]] = {}
    for number, day in enumerate(DAYS):
        code = "X01" if number == 1 else "B01AA03"
        drugs = write_drugs(tmp_path / day / "drugs.csv", (code, "WARFARIN"), ("N02BE01", "PARACETAMOL"))
        title = ("Warfarin", "Paracetamol", "Warfarin and paracetamol")[number]
        articles = [("1", title, "2020", "Annals"), (f"1{number}", title, "2021", "annals")]
        found[day] = {"drugs": drugs, "pubmed": write_pubmed(tmp_path / day / "articles.csv", *articles)}
    return found


def deliver(lake: Path | str, sources: dict[str, dict[str, Any]], *days: str) -> None:
    for day in days:
        drugs_rs.run(out=lake, dt=day, **sources[day])


def without_seconds(report: dict[str, Any]) -> dict[str, Any]:
    varies = ("seconds", "run_id", "started_at", "version", "settings")
    return {name: value for name, value in report.items() if name not in varies}


def test_what_holding_and_releasing_tell(sources: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    deliver(lake, sources, *DAYS)
    before = stamps(lake)
    report = drugs_rs.hold(lake, DAYS[1], f" {REASON}\n")
    path = f"silver/held/dt={DAYS[1]}.json"
    held = [{"dt": DAYS[1], "reason": REASON}]
    sums = {"rows_in": 0, "rows_kept": 0, "rows_merged": 0, "rows_rejected": 0, "rejected": {}, "flags": {}}
    output = {"path": path, "rows": 0, "bytes": (lake / path).stat().st_size, "sha256": hashes(lake)[path]}
    told = {"dt": DAYS[1], "out": str(lake), "sources": [], **sums, "held": held}
    assert without_seconds(report) == {**told, "step": "hold", "unchanged": False, "outputs": [output]}
    written = json.loads((lake / path).read_text(encoding="utf-8"))
    assert len(written.pop("sha256")) == 64 and written == held[0]
    after = stamps(lake)
    assert {name: stamp for name, stamp in after.items() if name != path} == before, "nothing but that file is new"

    again = drugs_rs.hold(str(lake), datetime.date(2024, 3, 2), REASON)
    assert without_seconds(again) == {**without_seconds(report), "unchanged": True}
    assert stamps(lake) == after
    other = drugs_rs.hold(lake=lake, dt=DAYS[2], reason="why not")
    assert [date["dt"] for date in other["held"]] == [DAYS[1], DAYS[2]]

    drugs_rs.release(lake, DAYS[2])
    report = drugs_rs.release(lake=lake, dt=DAYS[1])
    assert without_seconds(report) == {**told, "step": "release", "unchanged": False, "outputs": [], "held": []}
    assert stamps(lake) == before
    assert drugs_rs.release(lake, DAYS[1])["unchanged"] is True


def test_gold_without_the_date_and_with_it_again(
    sources: dict[str, dict[str, Any]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lake, other = tmp_path / "lake", tmp_path / "other"
    deliver(lake, sources, *DAYS)
    whole = hashes(lake, "gold")
    deliver(other, sources, DAYS[0], DAYS[2])
    drugs_rs.hold(lake, DAYS[1], REASON)
    assert hashes(lake, "gold") == whole, "holding alone makes nothing anew"
    with caplog.at_level(logging.WARNING):
        report = drugs_rs.gold(out=lake, dt=DAYS[2])
    assert hashes(lake, "gold") == hashes(other, "gold")
    assert report["held"] == [{"dt": DAYS[1], "reason": REASON}]
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("drugs_rs", f"dt={DAYS[1]} is held back, and gold leaves it out: {REASON}")
    ]
    # The report of a run lists it too, and the run neither releases nor holds it.
    report = drugs_rs.run(out=lake, dt=DAYS[0], **sources[DAYS[0]])
    assert report["unchanged"] is True
    assert report["held"] == report["steps"][-1]["held"] == [{"dt": DAYS[1], "reason": REASON}]
    assert all("held" not in step for step in report["steps"][:-1])

    drugs_rs.release(lake, DAYS[1])
    caplog.clear()
    assert drugs_rs.gold(out=lake, dt=DAYS[2])["held"] == []
    assert hashes(lake, "gold") == whole
    assert caplog.records == []


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        (
            ("{lake}", "2024-04-01", "why"),
            "SourceNotFoundError",
            "/silver/*/dt=2024-04-01: not found; expected a silver",
        ),
        (("{lake}", DAYS[0], " \n"), "ArgumentError", "reason: nothing but blanks; expected a sentence"),
        (
            ("{lake}", DAYS[0], "x" * 4001),
            "ArgumentError",
            "reason: 4001 characters; expected a sentence that says why",
        ),
        (("{lake}", "1/3/2024", "why"), "ArgumentError", "dt: `1/3/2024`; expected an ISO date"),
        (("{lake}-not", DAYS[0], "why"), "SourceNotFoundError", "expected the folder of a lake"),
        (("{lake}", "2024-04-01"), "SourceNotFoundError", "/silver/*/dt=2024-04-01: not found; expected a silver"),
        (("{lake}-not", DAYS[0]), "SourceNotFoundError", "expected the folder of a lake"),
    ],
)
def test_what_makes_no_sense(
    arguments: tuple[str, ...], kind: str, told: str, sources: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    deliver(lake, sources, DAYS[0])
    before = stamps(tmp_path)
    place, dt, *reason = (argument.replace("{lake}", str(lake)) for argument in arguments)
    with pytest.raises(getattr(exceptions, kind), match=re.escape(told)):
        drugs_rs.hold(place, dt, *reason) if reason else drugs_rs.release(place, dt)
    words = [*(["hold", "--reason", *reason] if reason else ["release"]), "--out", place, "--dt", dt]
    finished = shell(*words)
    assert (finished.returncode, finished.stdout) == (2 if kind == "ArgumentError" else 1, b"")
    assert told in finished.stderr.decode("utf-8")
    assert stamps(tmp_path) == before


def test_where_all_dates_are_held(sources: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    deliver(lake, sources, *DAYS[:2])
    for day in DAYS[:2]:
        drugs_rs.hold(lake, day, REASON)
    before = hashes(lake)
    with pytest.raises(exceptions.SourceNotFoundError, match="2024-03-01, 2024-03-02 are: release one"):
        drugs_rs.gold(out=lake, dt=DAYS[1])
    assert hashes(lake) == before


def bronze_of(lake: Path | str, sources: dict[str, dict[str, Any]], day: str) -> None:
    for table, source in sources[day].items():
        drugs_rs.bronze(out=lake, dt=day, **{table: source})


def test_silver_holds_what_it_changes_until_it_is_judged(sources: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """A day with one good and one bad table was not judged, and the next gold included the good one."""
    lake = tmp_path / "lake"
    deliver(lake, sources, DAYS[0])
    before = local_gold(lake)
    bronze_of(lake, sources, DAYS[1])
    drugs_rs.silver(out=lake, dt=DAYS[1], tables=["pubmed"], hold=True)
    report = drugs_rs.gold(out=lake, dt=DAYS[1])
    assert [date["dt"] for date in report["held"]] == [DAYS[1]] and "not judged yet" in report["held"][0]["reason"]
    assert local_gold(lake) == before

    drugs_rs.hold(lake, DAYS[1], REASON)
    drugs_rs.silver(out=lake, dt=DAYS[1], tables=["drugs"], hold=True)
    assert drugs_rs.hold(lake, DAYS[1], REASON)["unchanged"] is True, "a reason that was given stays"
    drugs_rs.release(lake, DAYS[1])
    stamped = stamps(lake)
    assert drugs_rs.silver(out=lake, dt=DAYS[1], hold=True)["unchanged"] is True
    assert stamps(lake) == stamped, "what changes nothing holds nothing"


def test_silver_holds_in_a_bucket_as_on_a_disk(peer: Peer, prefix: str, sources: dict[str, dict[str, Any]]) -> None:
    lake = peer.uri(f"{prefix}/lake")
    deliver(lake, sources, DAYS[0])
    bronze_of(lake, sources, DAYS[1])
    for table in ("pubmed", "drugs"):  # the second finds the date held already
        report = drugs_rs.silver(out=lake, dt=DAYS[1], tables=[table], hold=True)
        assert report["inputs"] == [f"bronze/{table}/dt={DAYS[1]}"]
    assert [date["dt"] for date in drugs_rs.gold(out=lake, dt=DAYS[1])["held"]] == [DAYS[1]]
    assert drugs_rs.release(lake, DAYS[1])["unchanged"] is False


def test_a_forked_child_may_hold(sources: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """No engine is used, so that an Airflow task can, whatever its parent did before."""
    lake = tmp_path / "lake"
    deliver(lake, sources, DAYS[0])
    child = os.fork()
    if child == 0:
        try:
            drugs_rs.hold(lake, DAYS[0], REASON)
            drugs_rs.hold(lake, DAYS[0], "another reason")
            drugs_rs.release(lake, DAYS[0])
            os._exit(7 if drugs_rs.hold(lake, DAYS[0], REASON)["unchanged"] is False else 8)
        except BaseException:  # noqa: BLE001  # the child must not go on as a second test run
            os._exit(9)
    assert os.waitpid(child, 0)[1] == 7 << 8
    assert (lake / f"silver/held/dt={DAYS[0]}.json").exists()


HOLD = """\
hold of dt=2024-03-02 into lake (<time>)

Held back: left out of gold until released
  date        reason
  2024-03-02  - 5 of 10 rows rejected

Files
  lake/silver/held/dt=2024-03-02.json
"""
HOLD_AGAIN = HOLD.replace("(<time>)", "(<time>, nothing to do)")
GOLD = """\
gold of dt=2024-03-03 into lake (<time>)
2 drugs, 2 substances, 3 publications, 5 mentions, 5 pairs, 1 journals with a mention
counted by substance: all codes of one substance are one drug (--unit substance)
rows of earlier dates: 1 superseded, 0 deleted

Drugs and the publications that mention them
  drug         code     articles  trials
  WARFARIN     B01AA03         3       0
  PARACETAMOL  N02BE01         2       0

Journals by number of different substances
  journal  different substances
  annals                      2

Held back: left out of gold until released
  date        reason
  2024-03-02  - 5 of 10 rows rejected

Files
  lake/gold/drug_graph.json
  lake/gold/exclusive_drugs.json
  lake/gold/top_journals.json
  lake/gold/atc_classes/part-00000.parquet
  lake/gold/drugs/part-00000.parquet
  lake/gold/journal_drugs/part-00000.parquet
  lake/gold/journals/part-00000.parquet
  lake/gold/mentions/kind=pubmed/dt=2024-03-01/part-00000.parquet
  lake/gold/mentions/kind=pubmed/dt=2024-03-03/part-00000.parquet
  lake/gold/publications/kind=pubmed/dt=2024-03-01/part-00000.parquet
  lake/gold/publications/kind=pubmed/dt=2024-03-03/part-00000.parquet
"""
WARNING = "warning: dt=2024-03-02 is held back, and gold leaves it out: - 5 of 10 rows rejected\n"
RELEASE = "release of dt=2024-03-02 into lake (<time>)\n"


def test_the_commands_say_all_that_there_is_to_say(sources: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    deliver(tmp_path / "lake", sources, *DAYS)

    def said(*words: str) -> tuple[str, str]:
        finished = shell(*words, "--out", "lake", cwd=tmp_path)
        assert finished.returncode == 0, finished.stderr.decode()
        return re.sub(r"\d+\.\d+ s\b", "<time>", finished.stdout.decode("utf-8")), finished.stderr.decode("utf-8")

    hold = ("hold", "--dt", DAYS[1], "--reason", "- 5 of 10 rows rejected")
    assert said(*hold) == (HOLD, "")
    assert said(*hold) == (HOLD_AGAIN, "")
    assert said("gold", "--dt", DAYS[2]) == (GOLD, WARNING)
    assert said("gold", "--dt", DAYS[2], "--quiet") == ("", "")
    out, warning = said("gold", "--dt", DAYS[2], "--json")
    assert json.loads(out)["held"] == [{"dt": DAYS[1], "reason": "- 5 of 10 rows rejected"}]
    assert f"warning: {json.loads(warning)['warning']['message']}\n" == WARNING
    out, _ = said(*hold, "--json")
    python = drugs_rs.hold(tmp_path / "lake", DAYS[1], "- 5 of 10 rows rejected")
    assert {**without_seconds(json.loads(out)), "out": ""} == {**without_seconds(python), "out": ""}
    assert said("release", "--dt", DAYS[1]) == (RELEASE, "")
    assert said("release", "--dt", DAYS[1]) == (RELEASE.replace(")", ", nothing to do)"), "")
    assert said("gold", "--dt", DAYS[2], "--json")[1] == ""


@pytest.mark.parametrize(
    "words", [["hold", "--out", "lake", "--dt", DAYS[0]], ["release", "--out", "lake"], ["hold", "--reason", "why"]]
)
def test_wrong_usage(words: list[str], tmp_path: Path) -> None:
    finished = shell(*words, cwd=tmp_path)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert list(tmp_path.iterdir()) == []


def test_a_date_of_a_lake_in_a_bucket(
    peer: Peer, prefix: str, sources: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    lake, disk = f"{prefix}/lake", tmp_path / "disk"
    deliver(peer.uri(lake), sources, *DAYS)
    whole = bucket_gold(peer, lake)
    with pytest.raises(exceptions.SourceNotFoundError, match=re.escape(f"{peer.uri(lake)}/silver/*/dt=2024-04-01")):
        drugs_rs.hold(peer.uri(lake), "2024-04-01", REASON)
    with pytest.raises(exceptions.SourceNotFoundError, match="expected the prefix of a lake"):
        drugs_rs.hold(peer.uri(f"{prefix}/nothing"), DAYS[1], REASON)
    drugs_rs.hold(peer.uri(lake), DAYS[1], REASON)
    before = peer.contents(lake)
    assert drugs_rs.hold(peer.uri(lake), DAYS[1], REASON)["unchanged"] is True
    assert peer.contents(lake) == before, "the same hold again changes no object"
    report = drugs_rs.gold(out=peer.uri(lake), dt=DAYS[2])
    assert report["held"] == [{"dt": DAYS[1], "reason": REASON}]
    deliver(disk, sources, DAYS[0], DAYS[2])
    assert bucket_gold(peer, lake) == local_gold(disk)
    state = json.loads(peer.data(f"{lake}/_lake.json"))
    assert not [path for path in state["files"] if path.startswith("gold/mentions/") and DAYS[1] in path]
    drugs_rs.release(peer.uri(lake), DAYS[1])
    drugs_rs.gold(out=peer.uri(lake), dt=DAYS[0])
    assert bucket_gold(peer, lake) == whole
