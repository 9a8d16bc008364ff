"""The tables of a lake in a bucket are those of the same lake on a disk."""

from __future__ import annotations

import hashlib
import io
import pickle
import re
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as parquet
import pytest
from bucket_peers import BUCKET, Google
from lake_story import EARLY, FIRST, TABLES, THIRD, scanned, sources

import drugs_rs
from drugs_rs import Lake, exceptions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core


def rows_of(peer: Google, uri: str) -> list[dict[str, Any]]:
    """An object as a Parquet file, read without the code under test."""
    data = peer.data(uri[len(f"gs://{BUCKET}/") :])
    found: list[dict[str, Any]] = parquet.ParquetFile(io.BytesIO(data)).read().to_pylist()
    return found


def test_tables_of_a_bucket_are_those_of_a_disk(gs: Google, prefix: str, tmp_path: Path) -> None:
    days, lakes = sources(tmp_path), {"disk": str(tmp_path / "lake"), "bucket": gs.uri(f"{prefix}/lake")}
    for root in lakes.values():
        for dt in (FIRST, THIRD, EARLY):
            drugs_rs.run(lake=root, dt=dt, **days[dt])
        drugs_rs.hold(root, THIRD, "why")
        drugs_rs.gold(lake=root, dt=THIRD, graph="none")
    disk, bucket = Lake(lakes["disk"]), Lake(lakes["bucket"])
    assert bucket.tables().to_dicts() == disk.tables().to_dicts()
    assert bucket.status().to_dicts() == disk.status().to_dicts()
    varies = ("run_id", "started_at", "seconds")
    histories = [[{**row, **dict.fromkeys(varies)} for row in lake.history()] for lake in (bucket, disk)]
    assert histories[0] == histories[1] and len(histories[0]) == 4
    contents = gs.contents(f"{prefix}/lake")
    tables = [
        [line.partition(",")[2] for line in lake.metrics().splitlines() if "_table_" in line] for lake in (bucket, disk)
    ]
    assert tables[0] == tables[1] and len(tables[0]) > 3 * len(TABLES)
    for row in disk.scan("publications", ["publication_id", "kind"]).read():
        of = {"publication_id": row["publication_id"], "kind": row["kind"], "drug": "warfarin"}
        assert bucket.explain(**of) == disk.explain(**of)
    for table in TABLES:
        assert scanned(bucket.root, table) == scanned(disk.root, table), table
        assert bucket.schema(table) == disk.schema(table)
        files, expected = bucket.files(table).to_dicts(), disk.files(table).to_dicts()
        assert [{**file, "uri": ""} for file in files] == [{**file, "uri": ""} for file in expected]
        for file, on_disk in zip(files, expected):
            path = on_disk["uri"][len(disk.root) + 1 :]
            assert file["uri"].startswith(f"{bucket.root}/_runs/") and file["uri"].endswith(f"/{path}")
            _, data = contents[file["uri"][len(f"gs://{BUCKET}/") :]]
            assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
            assert len(rows_of(gs, file["uri"])) == file["rows"]
    assert scanned(bucket.root, "mentions", "drug", dt=FIRST, atccode="B01AA03", kind="pubmed") == scanned(
        disk.root, "mentions", "drug", dt=FIRST, atccode="B01AA03", kind="pubmed"
    )
    graph = tmp_path / "graph.json"
    for root in lakes.values():
        drugs_rs.read_graph(root).write(graph if not graph.exists() else tmp_path / "other.json")
    assert graph.read_bytes() == (tmp_path / "other.json").read_bytes()
    assert gs.contents(f"{prefix}/lake") == contents, "reading writes nothing"
    again = pickle.loads(pickle.dumps(bucket))
    assert (again, again.root) == (bucket, lakes["bucket"])


def test_a_scan_of_a_bucket_outlives_the_next_commit(gs: Google, prefix: str, tmp_path: Path) -> None:
    """Objects that were replaced stay for a day, so a reader that began goes on with its state."""
    days, lake = sources(tmp_path), Lake(gs.uri(f"{prefix}/lake"))
    drugs_rs.run(lake=lake.root, dt=FIRST, **days[FIRST])
    scan, files = lake.scan("publications"), lake.files("publications")
    before = scanned(lake.root, "publications")
    begun = iter(scan)
    drugs_rs.run(lake=lake.root, dt=THIRD, **days[THIRD])
    assert [row for table in begun for row in table] == before != scanned(lake.root, "publications")
    assert scan.read().to_dicts() == scanned(lake.root, "publications")
    assert sum(len(rows_of(gs, uri)) for uri in files["uri"]) == len(before)


def test_what_is_not_there(gs: Google, prefix: str, tmp_path: Path) -> None:
    lake = Lake(gs.uri(f"{prefix}/nothing"))
    for call in (lake.tables, lake.status, lake.history, lambda: lake.scan("rejected"), lambda: lake.files("drugs")):
        with pytest.raises(exceptions.SourceNotFoundError, match="expected the prefix of a lake"):
            call()
    drugs_rs.run(lake=lake.root, dt=FIRST, **sources(tmp_path)[FIRST])
    (uri,) = lake.files("mentions", kind="preprint")["uri"]
    name = uri[len(f"gs://{BUCKET}/") :]
    data = gs.data(name)
    for other in (data[:-1], data[:60] + bytes([data[60] ^ 1]) + data[61:]):
        gs.put(name, other)
        with pytest.raises(exceptions.StorageError, match=re.escape(uri) + ".* not those that were written"):
            lake.scan("mentions").read()
    del gs.service.buckets[BUCKET][name]
    with pytest.raises(exceptions.StorageError, match=re.escape(uri)):
        lake.scan("mentions").read()
    assert len(lake.scan("mentions", kind="pubmed").read()) == 5
