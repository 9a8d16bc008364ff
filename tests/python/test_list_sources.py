"""The files that a source names are those that bronze copies, on a disk and in buckets."""

from __future__ import annotations

from pathlib import Path

import pytest
from bucket_peers import Peer

import drugs_rs
from drugs_rs import exceptions

NAMES = [
    "in/a.csv",
    "in/b.csv.gz",
    "in/_b.csv",
    "in/.c.csv",
    "in/deep/d.csv",
    "in/deep/er/e.csv",
    "in/[f].csv",
    "g.csv",
]
WANTED = [
    "in/",
    "in/deep/",
    "in/*.csv",
    "in/?.csv",
    "in/[a-c].csv",
    "in/[!a].csv",
    "in/[f].csv",
    "in/**/*.csv",
    "**/e.csv",
    "*/*.csv",
    "g.csv",
    "in/*.xml.gz",
    "nowhere/",
]


def listed(source: str) -> list[str]:
    try:
        return drugs_rs.list_sources(source)
    except exceptions.SourceNotFoundError:
        return []


def copied(source: str, lake: Path) -> list[str]:
    try:
        report = drugs_rs.bronze(drugs=source, out=lake, dt="2024-03-01")
    except exceptions.SourceNotFoundError:
        return []
    return [entry["uri"] for entry in report["sources"]]


@pytest.mark.parametrize("wanted", WANTED)
def test_on_a_disk(wanted: str, tmp_path: Path) -> None:
    for name in NAMES:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"atccode,drug\nA01AA01,ASPIRIN\n")
    source = str(tmp_path / "data" / wanted)
    assert listed(source) == copied(source, tmp_path / "lake")


@pytest.mark.parametrize("wanted", WANTED)
def test_in_a_bucket(wanted: str, peer: Peer, prefix: str, tmp_path: Path) -> None:
    for name in NAMES:
        peer.put(f"{prefix}/{name}", b"atccode,drug\nA01AA01,ASPIRIN\n")
    source = peer.uri(f"{prefix}/{wanted}")
    assert listed(source) == copied(source, tmp_path / "lake")


def test_several_sources_and_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("", encoding="utf-8")
    assert drugs_rs.list_sources([tmp_path, str(tmp_path / "a.csv")]) == [str(tmp_path / "a.csv")], "each once"
    with pytest.raises(exceptions.SourceNotFoundError, match="nothing.csv: not found"):
        drugs_rs.list_sources(tmp_path / "nothing.csv")
    with pytest.raises(exceptions.ArgumentError):
        drugs_rs.list_sources("")
