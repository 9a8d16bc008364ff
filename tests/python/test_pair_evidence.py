"""Evidence for a pair: from the span to the bytes of the sources, in any kept state, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import shell
from lake_story import FIRST, SECOND, STATES
from test_diff import A, B, C, Desk, changed_publication, removed_drug

import drugs_rs
from drugs_rs import Lake, exceptions

pytestmark = pytest.mark.core


def test_the_way_back_to_the_bytes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    found = Lake(desk.lake).evidence("Warfarin", "1").to_dict()
    assert (found["kind"], found["publication_id"], found["is_mentioned"]) == ("pubmed", "1", True)
    assert (found["state"]["state"], found["shown_state"]) == (1, 1)
    (place,) = found["places"]
    text = found["texts"][0]["text"]
    assert text[place["start"] : place["end"]] == place["surface"] == "Warfarin"
    assert (place["rule"], place["atccode"], place["substance"]) == ("name", "B01AA03", "warfarin")
    for source in (found["source"], found["vocabulary"][0]["source"]):
        data = (desk.lake / source["copy"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == source["sha256"]
        # Row 1 is the header.
        assert b"arfarin" in data.splitlines()[source["row"] - 1]
    assert found["settings"]["boundary"] == "word"
    desk.run(A, extra_stop_words=["paracetamol"])
    prints = [Lake(desk.lake).at(state).evidence("warfarin", "1")["fingerprint"] for state in (1, 2)]
    assert prints[0] == found["fingerprint"] != prints[1] and len(prints[1]) == 64
    (event,) = found["history"]
    assert (event["event"], event["state"], event["cause"]) == ("entered", 1, None)


def test_when_a_pair_came_and_went(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    changed_publication(desk)
    desk.deliver(C, pubmed=[("2", "Warfarin", "2020", "Annals")])
    desk.run(C)
    removed_drug(desk)
    desk.deliver(C, drugs=[("N02BE01", "paracetamol")])
    desk.run(C)
    lake = Lake(desk.lake)
    found = lake.evidence("warfarin", "2")
    events = [(event["event"], event["cause"], event["cause_dt"]) for event in found["history"]]
    assert events == [
        ("entered", None, None),
        ("left", "changed_publication", B),
        ("entered", "changed_publication", C),
        ("left", "removed_drug", B),
    ]
    assert not found.is_mentioned and found["shown_state"] == 3
    for number, is_mentioned in zip(lake.states()["state"], (True, False, True, False)):
        assert lake.at(number).evidence("B01AA03", "2").is_mentioned == is_mentioned
    page = str(found)
    assert page.startswith("pubmed 2 does not mention warfarin in state")
    assert "What follows is from state 3." in page and "[Warfarin]" in page
    assert repr(found).startswith('PairEvidence("warfarin" is not mentioned in pubmed "2" of state')


def test_a_publication_without_the_drug_says_why(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    found = Lake(desk.lake).evidence("paracetamol", "2")
    assert not found.is_mentioned and found["places"] == found["history"] == []
    assert "the text holds none of its names `paracetamol`" in found["texts"][0]["explanation"]
    assert "none of them has the pair" in str(found)


def test_what_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    lake = Lake(desk.lake)
    with pytest.raises(exceptions.SourceNotFoundError, match="did you mean `warfarin`"):
        lake.evidence("warfarine", "1")
    with pytest.raises(exceptions.SourceNotFoundError, match="the id of a publication that the lake has"):
        lake.evidence("warfarin", "404")
    desk.deliver(B, pubmed=[("9", "Warfarin", "2020", "Annals")])
    with pytest.raises(exceptions.SourceNotFoundError, match=f"a gold run since dt={B} delivered it"):
        lake.evidence("warfarin", "9")
    with pytest.raises(exceptions.ArgumentError, match="kind"):
        lake.evidence("warfarin", "1", kind="article")
    (tmp_path / "empty").mkdir()
    with pytest.raises(exceptions.SourceNotFoundError, match="run the gold step first"):
        Lake(tmp_path / "empty").evidence("warfarin", "1")


def test_every_pair_of_a_story_in_every_state(story: dict[str, Path]) -> None:
    """An id of several kinds, held dates, deletions, late deliveries."""
    lake = Lake(story["released"])
    pairs = set()
    of_state = {}
    for number in range(1, len(STATES) + 1):
        rows = lake.at(number).scan("mentions", ["atccode", "publication_id", "kind"]).read().to_dicts()
        of_state[number] = {tuple(row.values()) for row in rows}
        pairs |= of_state[number]
    for code, identifier, kind in sorted(pairs):
        for number in (1, 3, len(STATES)):
            found = lake.at(number).evidence(code, identifier, kind=kind)
            assert found.is_mentioned == ((code, identifier, kind) in of_state[number])
            states = [event["state"] for event in found["history"]]
            has = [number for number in of_state if (code, identifier, kind) in of_state[number]]
            before = [False, *((code, identifier, kind) in of_state[number] for number in of_state)]
            assert states == [number for number in of_state if before[number] != before[number - 1]] and has
            assert all(event["cause"] != "unknown" for event in found["history"])
    with pytest.raises(exceptions.ArgumentError, match="the id of several publications"):
        lake.evidence("warfarin", "1")
    assert lake.at(FIRST).evidence("warfarin", "1", kind="pubmed").is_mentioned
    assert lake.at(SECOND).evidence("warfarin", "1", kind="pubmed")["source"]["dt"] == SECOND


def test_the_command_prints_what_python_returns(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    found = Lake(desk.lake).evidence("warfarin", "1")
    assert shell.drugs_rs("evidence", desk.lake, "warfarin", "1").stdout.decode("utf-8") == str(found)
    printed = shell.drugs_rs("evidence", desk.lake, "warfarin", "1", "--state", "1", "--json", "--kind", "pubmed")
    assert json.loads(printed.stdout) == found.to_dict()
    refused = shell.drugs_rs("evidence", desk.lake, "wafarin", "1")
    assert refused.returncode == 1 and b"did you mean `warfarin`" in refused.stderr


def test_a_partition_of_an_earlier_version_has_no_copies(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    path = desk.lake / "silver" / "manifests" / "pubmed" / "dt=2024-03-01.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["copies"], manifest["sha256"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    drugs_rs.gold(lake=desk.lake, dt=B, extra_stop_words=["nothing"])
    found = Lake(desk.lake).evidence("warfarin", "1")
    assert found["source"]["sha256"] is None and found["source"]["uri"].endswith("pubmed-1.csv")
    assert "copy: not recorded by the version that cleaned it" in str(found)
