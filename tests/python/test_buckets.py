"""Sources and lakes in buckets, against peers that speak the real protocols: the same answers as on a disk.

Amazon's side needs a moto that enforces the conditions of puts, and so a newer Python than 3.8.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from bucket_peers import BUCKET, Google, Peer, bucket_gold, local_gold, refused, together, upload
from shell import command

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

DT = "2024-03-01"


def test_a_lake_in_a_bucket_holds_the_same_answers(
    peer: Peer, prefix: str, samples: Path, sample_lake: Path, sample_report: dict[str, Any]
) -> None:
    sources = upload(peer, prefix, samples)
    lake = f"{prefix}/lake"
    report = drugs_rs.run(out=peer.uri(lake), dt=DT, **sources)
    for name in ("rows_in", "rows_kept", "rows_merged", "rows_rejected", "publications", "mentions", "top_journals"):
        assert report[name] == sample_report[name], name
    assert report["out"] == peer.uri(lake)
    assert bucket_gold(peer, lake) == local_gold(sample_lake)
    graph = drugs_rs.read_graph(peer.uri(lake))
    assert graph.to_json() == drugs_rs.read_graph(sample_lake).to_json()
    # The reports have plain names too.
    told = json.loads(peer.data(f"{lake}/reports/run/dt={DT}/run.json"))
    assert told["rows_in"] == report["rows_in"] and told["unchanged"] is False

    before = peer.contents(lake)
    again = drugs_rs.run(out=peer.uri(lake), dt=DT, **sources)
    assert again["unchanged"] is True
    assert peer.contents(lake) == before, "the same sources change no object, not even to the same bytes"

    # One of two files changes: its partition is rebuilt, and the rest stays.
    peer.put(f"{prefix}/in/pubmed.json", b'[{"id": "77", "title": "Warfarin", "date": "2021", "journal": "J"}]')
    assert drugs_rs.run(out=peer.uri(lake), dt=DT, **sources)["unchanged"] is False
    after = peer.contents(lake)
    changed = {name for name in after if after[name] != before.get(name)}
    assert not any("/bronze/drugs/" in name or "pubmed.csv" in name for name in changed), changed
    assert b'"77"' in peer.data(f"{lake}/gold/drug_graph.json")


def test_steps_backfills_and_other_sources(peer: Peer, prefix: str, samples: Path, tmp_path: Path) -> None:
    """Steps one by one, the days out of order, sources of a disk and of a bucket: the same as in a local lake."""
    sources = upload(peer, prefix, samples)
    peer.put(f"{prefix}/in/late.csv", b"id,title,date,journal\n9,Warfarin again,2019-05-05,Late\n")
    days = {
        "2024-03-02": {"pubmed": peer.uri(f"{prefix}/in/late.csv")},
        "2024-03-01": dict(sources, drugs=str(samples / "drugs.csv")),
    }
    for lake in (peer.uri(f"{prefix}/lake/"), tmp_path / "lake"):
        drugs_rs.bronze(drugs=samples / "drugs.csv", out=lake, dt="2024-02-01")
        drugs_rs.silver(out=lake, dt="2024-02-01")
        for dt, day in days.items():
            drugs_rs.bronze(out=lake, dt=dt, **day)
            drugs_rs.silver(out=lake, dt=dt)
            drugs_rs.gold(out=lake, dt=dt)
    assert bucket_gold(peer, f"{prefix}/lake") == local_gold(tmp_path / "lake")


def test_sources_follow_the_rules_of_a_disk(peer: Peer, prefix: str, tmp_path: Path) -> None:
    names = ["b.csv", "a.csv", "_hidden.csv", ".hidden.csv", "sub/c.csv", "sub/d.txt", "two words é+%.csv"]
    names += ["_temporary/e.csv", "sub/.kept/f.csv"]
    for name in names:
        row = f"atccode,drug\nA{len(name):02d},{name}\n".encode()
        peer.put(f"{prefix}/in/{name}", row)
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(row)
    # Web consoles create "folders" as such objects.
    peer.put(f"{prefix}/in/", b"")

    def found(source: str) -> list[str]:
        try:
            return [json.loads(json.dumps(entry))["uri"] for entry in sources_of(source)]
        except exceptions.DrugsError as error:
            return [type(error).__name__]

    def sources_of(source: str) -> list[dict[str, Any]]:
        sources: list[dict[str, Any]] = drugs_rs.Matcher.from_vocabulary(source).sources
        return sources

    for pattern in ["in", "in/", "in/*.csv", "in/?.csv", "in/[ab].csv", "in/*/*.csv", "in/**/*.csv", "in/*", "in/a.csv",
                    "in/two words é+%.csv", "in/sub", "none", "in/*.parquet", "in/su",
                    "in/_temporary/*.csv"]:  # fmt: skip
        here, there = found(str(tmp_path / pattern)), found(peer.uri(f"{prefix}/{pattern}"))
        short = [uri.replace(peer.uri(prefix), str(tmp_path)) for uri in there]
        assert short == here, pattern
    # Files whose own names are globs: once only they were read, and not the files that they match.
    for name in ("odd/*.csv", "odd/a.csv", "odd/x[1].csv", "odd/x1.csv", "odd/a[b.csv"):
        row = f"atccode,drug\nA{len(name):02d},{name}\n".encode()
        peer.put(f"{prefix}/{name}", row)
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(row)
    for pattern, count in [("odd/*.csv", 5), ("odd/x[1].csv", 2), ("odd/a[b.csv", 1), ("odd/[*].csv", 1)]:
        here, there = found(str(tmp_path / pattern)), found(peer.uri(f"{prefix}/{pattern}"))
        assert len(here) == count, pattern
        assert [uri.replace(peer.uri(prefix), str(tmp_path)) for uri in there] == here, pattern
    peer.put(f"{prefix}/only/_hidden.csv", b"x")
    with pytest.raises(exceptions.SourceIsDirectoryError, match="without data files"):
        drugs_rs.Matcher.from_vocabulary(peer.uri(f"{prefix}/only"))


def test_thousands_of_objects(peer: Peer, prefix: str, samples: Path) -> None:
    """More than one page of a listing, also when a rerun lists the existing objects."""
    count = 2500 if isinstance(peer, Google) else 1100
    for number in range(count):
        title = f"Warfarin in study {number}"
        peer.put(f"{prefix}/in/{number:05d}.csv", f"id,title,date,journal\n{number},{title},2020,J\n".encode())
    arguments: dict[str, Any] = {
        "drugs": samples / "drugs.csv",
        "pubmed": peer.uri(f"{prefix}/in/*.csv"),
        "out": peer.uri(f"{prefix}/lake"),
        "dt": DT,
    }
    report = drugs_rs.run(**arguments)
    assert report["publications"] == count
    assert drugs_rs.run(**arguments)["unchanged"] is True


def test_whatever_takes_a_path_takes_a_uri(peer: Peer, prefix: str, samples: Path, sample_graph: Any) -> None:
    sources = upload(peer, prefix, samples)
    matcher = drugs_rs.Matcher.from_vocabulary(sources["drugs"])
    matcher.save(peer.uri(f"{prefix}/matcher"))
    [mention] = drugs_rs.Matcher.load(peer.uri(f"{prefix}/matcher")).find("Warfarin")
    assert mention.surface == "Warfarin"
    sample_graph.write(peer.uri(f"{prefix}/graph.json"))
    assert peer.data(f"{prefix}/graph.json").decode() == sample_graph.to_json()
    peer.put(f"{prefix}/stop.txt", b"# none of these\nwarfarin\n")
    peer.put(f"{prefix}/texts.txt", b"warfarin and ibuprofen\n")
    out = subprocess.run(
        command(
            "match", "--vocabulary", sources["drugs"], "--extra-stop-words", peer.uri(f"{prefix}/stop.txt"),
            peer.uri(f"{prefix}/texts.txt"),
        ),
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    assert [json.loads(line)["surface"] for line in out.stdout.splitlines()] == ["ibuprofen"]


def test_two_runs_of_one_day_never_mix(peer: Peer, prefix: str, samples: Path, tmp_path: Path) -> None:
    sources = upload(peer, prefix, samples)
    peer.put(f"{prefix}/in/other.csv", b"id,title,date,journal\n1,Warfarin and more,2020-01-01,Other\n")
    deliveries = [sources, dict(sources, pubmed=peer.uri(f"{prefix}/in/other.csv"))]
    expected = []
    for number, delivery in enumerate(deliveries):
        drugs_rs.run(out=tmp_path / str(number), dt=DT, **delivery)
        expected.append(local_gold(tmp_path / str(number)))
    for turn in range(4):
        lake = f"{prefix}/lake{turn}"
        answers = together([dict(delivery, out=peer.uri(lake), dt=DT) for delivery in deliveries])
        errors = [answer["error"] for answer in answers]
        assert all(error in (None, "ConflictError") for error in errors), answers
        assert None in errors, answers
        gold = bucket_gold(peer, lake)
        winners = [gold == answer for answer, error in zip(expected, errors) if error is None]
        assert any(winners), errors
        assert drugs_rs.read_graph(peer.uri(lake)).to_json().encode() == gold["drug_graph.json"]


def test_missing_buckets_and_objects_are_told(peer: Peer, prefix: str, samples: Path) -> None:
    upload(peer, prefix, samples)
    missing = f"{peer.scheme}://no-such-bucket"
    told = refused(lambda: drugs_rs.Matcher.from_vocabulary(f"{missing}/x.csv"))
    assert told.startswith("SourceNotFoundError") and "a bucket that exists" in told
    drugs = samples / "drugs.csv"
    told = refused(lambda: drugs_rs.bronze(drugs=drugs, out=f"{missing}/lake", dt=DT))
    assert told.startswith(f"StorageError: {missing}/lake/_lake.json") and "NoSuchBucket" in told
    assert "create the bucket" in told
    told = refused(lambda: drugs_rs.Matcher.from_vocabulary(peer.uri(f"{prefix}/none.csv")))
    assert told.startswith("SourceNotFoundError") and "no object of this name" in told
    told = refused(lambda: drugs_rs.read_graph(peer.uri(f"{prefix}/lake")))
    assert told.startswith("SourceNotFoundError") and "prefix of a lake" in told
    told = refused(lambda: drugs_rs.silver(out=peer.uri(f"{prefix}/lake"), dt=DT))
    assert told.startswith("SourceNotFoundError")
    told = refused(lambda: sample_write(peer.uri("")))
    assert told.startswith("ArgumentError") and "the URI of an object" in told


def sample_write(uri: str) -> None:
    drugs_rs.Matcher.from_names({"A": ["x"]}).save(uri)


def test_uris_that_cannot_be(tmp_path: Path) -> None:
    for uri, words in [
        ("https://user:hunter2@host/x.csv?sig=hunter2", "credentials come from the environment"),
        ("s3://key:hunter2@bucket/x.csv", "credentials come from the environment"),
        ("https://host/x.csv", "gs:// or s3://"),
        (f"gs:/{BUCKET}/x.csv", "pathlib"),
        ("gs://", "no bucket name"),
        (f"gs://{BUCKET}/a//b.csv", "empty parts"),
    ]:
        for call in (
            lambda uri=uri: drugs_rs.Matcher.from_vocabulary(uri),
            lambda uri=uri: drugs_rs.bronze(drugs=uri, out=tmp_path, dt=DT),
        ):
            told = refused(call)
            assert told.startswith("ArgumentError") and words in told and "hunter2" not in told
