"""Earlier states, drops and vacuums of a lake in a bucket: rows and bytes of a disk, and objects that go in time."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from bucket_peers import BUCKET, Google, Peer
from lake_state import hashes
from lake_story import (
    EARLY,
    FIRST,
    SECOND,
    STATES,
    TABLES,
    THIRD,
    in_order,
    scanned,
    sources,
    states,
    tell,
)

import drugs_rs
from drugs_rs import Lake, exceptions

pytestmark = pytest.mark.core

DAY = 24 * 60 * 60
ORDER = (FIRST, SECOND, THIRD, EARLY)


def named(peer: Peer, lake: str) -> dict[str, Any]:
    """What the state of a lake names."""
    found: dict[str, Any] = json.loads(peer.data(f"{lake}/_lake.json"))["files"]
    return found


def digests(peer: Peer, lake: str, folder: str) -> dict[str, str]:
    """Path → digest of what the state names below a folder, like `hashes` of a disk."""
    return {path: entry["sha256"] for path, entry in named(peer, lake).items() if path.startswith(f"{folder}/")}


def made(lake: str | Path, days: dict[str, dict[str, Any]], *dates: str, **settings: Any) -> Lake:
    """A lake of some dates."""
    for dt in dates or ORDER:
        drugs_rs.run(lake=lake, dt=dt, **days[dt], **settings)
    return Lake(lake)


def later(gs: Google, lake: Lake, folder: Path, *dts: str) -> None:
    """Let a day pass, with two commits after it: the first one learns the time."""
    gs.service.ahead += DAY + 60
    (folder / "note.csv").write_text("id,title,date,journal\n900,Nothing,2020,BMJ\n", encoding="utf-8")
    for dt in dts:
        drugs_rs.bronze(lake=lake.root, dt=dt, pubmed=folder / "note.csv", name="note")


def objects(gs: Google, prefix: str) -> set[str]:
    """The objects of runs: `<run>/<path>`."""
    start = f"{prefix}/_runs/"
    return {name[len(start) :] for name in gs.contents(start)}


def named_objects(gs: Google, prefix: str) -> set[str]:
    """Those that the state names."""
    return {f"{entry['run']}/{entry.get('written_as') or path}" for path, entry in named(gs, prefix).items()}


def ids_in_objects(gs: Google, prefix: str) -> dict[str, set[str]]:
    """Object → the ids of publications that it has."""
    found = {}
    for name, (_, data) in gs.contents(prefix).items():
        if name.endswith(".parquet"):
            table = parquet.ParquetFile(io.BytesIO(data))
            if "publication_id" in table.schema_arrow.names:
                found[name] = set(table.read(["publication_id"])["publication_id"].to_pylist())
    return found


def test_every_state_of_a_bucket_has_the_rows_of_the_disk(peer: Peer, prefix: str, tmp_path: Path) -> None:
    copies = states(tmp_path)
    root = peer.uri(f"{prefix}/lake")
    tell(root, tmp_path, lambda _: None)
    lake = Lake(root)
    assert lake.states()["state"] == list(range(1, len(STATES) + 1))
    columns = ["state", "as_of", "publications", "mentions", "pairs"]
    disk = Lake(copies[STATES[-1]])
    assert [lake.states()[name] for name in columns] == [disk.states()[name] for name in columns]
    contents = peer.contents(f"{prefix}/lake")
    for number, name in enumerate(STATES, start=1):
        then = lake.at(number)
        # moto is slow, and both are read alike.
        for table in TABLES if peer.scheme == "gs" else ("mentions", "deleted"):
            assert then.scan(table).read().to_dicts() == scanned(copies[name], table), (name, table)
        assert then.tables().to_dicts() == Lake(copies[name]).tables().to_dicts()
        for file in then.files("mentions"):
            data = contents[file["uri"][len(f"{peer.scheme}://{BUCKET}/") :]][1]
            assert len(data) == file["bytes"]
    assert digests(peer, f"{prefix}/lake", "gold") == hashes(copies[STATES[-1]], "gold")
    assert {path for path in named(peer, f"{prefix}/lake") if path.startswith("states/")} == set(
        hashes(copies[STATES[-1]], "states")
    )
    assert peer.contents(f"{prefix}/lake") == contents, "reading writes nothing"


def test_kept_objects_outlive_the_sweep_and_go_after_a_vacuum(gs: Google, prefix: str, tmp_path: Path) -> None:
    days, key = sources(tmp_path), f"{prefix}/lake"
    lake = made(gs.uri(key), days, FIRST)
    rows = {table: scanned(lake.root, table) for table in TABLES}
    made(gs.uri(key), days, SECOND, THIRD)
    later(gs, lake, tmp_path, "2024-05-01", "2024-05-02")
    later(gs, lake, tmp_path, "2024-05-03", "2024-05-04")
    later(gs, lake, tmp_path, "2024-05-05", "2024-05-06")
    assert objects(gs, key) == named_objects(gs, key), "what no state needs is gone, what one needs is there"
    for table in TABLES:
        assert lake.at(1).scan(table).read().to_dicts() == rows[table], table
    kept = {path for path in named(gs, key) if path.startswith("states/kept/")}
    before = gs.contents(key)
    would = lake.vacuum(keep="0 states", dry_run=True)["path"]
    assert gs.contents(key) == before
    begun = lake.at(1).scan("publications")
    assert lake.vacuum(keep="0 states")["path"] == would
    assert kept and not {path for path in named(gs, key) if path.startswith("states/kept/")}
    with pytest.raises(exceptions.SourceNotFoundError, match="state 3, the only one, .*; earlier ones were given up"):
        lake.at(1)
    with pytest.raises(exceptions.DrugsError):
        begun.read()
    later(gs, lake, tmp_path, "2024-06-01", "2024-06-02")
    later(gs, lake, tmp_path, "2024-06-03", "2024-06-04")
    assert objects(gs, key) == named_objects(gs, key)
    assert not lake.vacuum(keep="0 states")["path"]
    assert len(lake.at(3).scan("publications").read()) == len(scanned(lake.root, "publications"))


@pytest.mark.parametrize(
    "target",
    [{"dt": SECOND}, {"before": SECOND}, {"publication_id": "1"}, {"publication_id": "NCT2"}],
    ids=["dt", "before", "two-kinds", "trial"],
)
def test_a_drop_is_that_of_a_disk(peer: Peer, prefix: str, target: dict[str, Any], tmp_path: Path) -> None:
    days, key = sources(tmp_path), f"{prefix}/lake"
    bucket, disk = made(peer.uri(key), days, unit="code"), made(tmp_path / "lake", days, unit="code")
    before = peer.contents(key)
    would = bucket.drop(**target, dry_run=True)
    assert peer.contents(key) == before
    result = bucket.drop(**target)
    # A source that was cleaned from a bucket is none of a disk; here both have the same.
    assert in_order(result.to_dicts()) == in_order(would.to_dicts()) == in_order(disk.drop(**target).to_dicts())
    for row in result:
        if row["action"] == "removed":
            assert not [path for path in named(peer, key) if f"{path}/".startswith(f"{row['path']}/")]
    for table in TABLES:
        assert scanned(bucket.root, table) == scanned(disk.root, table), table
    for folder in ("gold", "silver"):
        assert digests(peer, key, folder) == hashes(Path(disk.root), folder)
    assert bucket.states()["state"] == disk.states()["state"]
    for name in ("top_journals.json", "exclusive_drugs.json", "drug_graph.json"):
        assert peer.data(f"{key}/gold/{name}") == (Path(disk.root) / "gold" / name).read_bytes(), "the plain copies"
    with pytest.raises(exceptions.SourceNotFoundError, match="something to drop"):
        bucket.drop(**target)


def test_objects_with_dropped_rows_go_a_day_later(gs: Google, prefix: str, tmp_path: Path) -> None:
    days, key = sources(tmp_path), f"{prefix}/lake"
    lake = made(gs.uri(key), days)
    lake.drop(publication_id="1")
    later(gs, lake, tmp_path, "2024-05-01", "2024-05-02")
    later(gs, lake, tmp_path, "2024-05-03", "2024-05-04")
    found = ids_in_objects(gs, key)
    assert len(found) > 10 and not [name for name, ids in found.items() if "1" in ids]
    assert objects(gs, key) == named_objects(gs, key)
