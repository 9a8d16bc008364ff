"""Loads of lakes in buckets: BigQuery reads the files itself, and takes `kind` and `dt` from their paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from bigquery_lakes import TARGET, check_rows, load, rows_there
from bucket_peers import BUCKET, Google
from lake_story import EARLY, FIRST, SECOND, sources

import drugs_rs
from drugs_rs import exceptions
from drugs_rs.bigquery import parts
from drugs_rs.loading import load_tables

if TYPE_CHECKING:
    from pathlib import Path

    from bigquery_server import BigQuery

pytestmark = pytest.mark.core

SOME = ["mentions", "publications_all"]


@pytest.fixture
def lake(gs: Google, bigquery: BigQuery, prefix: str, tmp_path: Path) -> str:
    """A lake with a date; BigQuery reads the same bucket."""
    bigquery.fetch = lambda uri: gs.data(uri[len(f"gs://{BUCKET}/") :])
    root = gs.uri(f"{prefix}/lake")
    drugs_rs.run(lake=root, dt=FIRST, **sources(tmp_path)[FIRST])
    return root


def test_files_are_read_where_they_are(bigquery: BigQuery, lake: str, tmp_path: Path) -> None:
    plan = load(bigquery, lake, plan=True)
    receipt = load(bigquery, lake)
    assert receipt.to_dict()["steps"] == plan.to_dict()["steps"]
    check_rows(bigquery, lake)
    read = {step.table: step.detail["source"] for step in receipt.steps}
    # The rejected rows of the vocabulary have no kind in their paths, and the status is no file.
    assert {table for table, source in read.items() if source == "upload"} == {"rejected", "status"}
    for config in bigquery.loads("_mentions_"):
        assert all(uri.startswith(f"{lake}/_runs/") and f"/dt={FIRST}/" in uri for uri in config["sourceUris"])
        assert len(config["sourceUris"]) == 3
        options = config["hivePartitioningOptions"]
        assert options["mode"] == "CUSTOM" and options["sourceUriPrefix"].endswith(
            "/gold/mentions/{kind:STRING}/{dt:DATE}"
        )
    # Columns from paths cannot be REQUIRED.
    fields = {field["name"]: field["mode"] for field in bigquery.tables["drugs", "mentions"]["schema"]["fields"]}
    assert (fields["kind"], fields["dt"], fields["atccode"]) == ("NULLABLE", "NULLABLE", "REQUIRED")
    assert load(bigquery, lake).unchanged
    # The same rows as from a disk.
    from_bucket = {table.name: rows_there(bigquery, table.name) for table in load_tables() if table.name != "status"}
    drugs_rs.run(lake=tmp_path / "disk", dt=FIRST, **sources(tmp_path)[FIRST])
    bigquery.delete_table("drugs", "load_log")
    load(bigquery, tmp_path / "disk")
    for name, rows in from_bucket.items():
        there = rows_there(bigquery, name)
        assert [{**row, "source_uri": ""} for row in there] == [{**row, "source_uri": ""} for row in rows], name


def test_more_days(bigquery: BigQuery, lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of one date that are of several runs have no common beginning and are uploaded; the others are not."""
    days = sources(tmp_path)
    for dt in (SECOND, EARLY):
        drugs_rs.run(lake=lake, dt=dt, **days[dt])
    plan = load(bigquery, lake, plan=True, tables=SOME)
    receipt = load(bigquery, lake, tables=SOME)
    assert receipt.to_dict()["steps"] == plan.to_dict()["steps"]
    check_rows(bigquery, lake, SOME)
    used = {(step.table, step.dt): step.detail["source"] for step in receipt.steps}
    assert set(used.values()) == {"gs", "upload"}
    for (name, date), source in used.items():
        runs = {file["uri"].split("/_runs/")[1].split("/")[0] for file in drugs_rs.Lake(lake).files(name, dt=date)}
        assert source == ("gs" if len(runs) == 1 else "upload"), (name, date)
    # As whole tables, a job for each group of files with one beginning.
    monkeypatch.setattr(parts, "MOST_UPLOADS", 0)
    bigquery.delete_table("drugs", "load_log")
    plan = load(bigquery, lake, plan=True, tables=SOME)
    receipt = load(bigquery, lake, tables=SOME)
    assert receipt.to_dict()["steps"] == plan.to_dict()["steps"]
    check_rows(bigquery, lake, SOME)
    jobs = bigquery.loads("_mentions_all_")
    assert [config["writeDisposition"] for config in jobs] == ["WRITE_TRUNCATE", *["WRITE_APPEND"] * (len(jobs) - 1)]
    assert {"sourceUris" in config for config in jobs} == {True, False}
    for name in SOME:
        table = bigquery.tables["drugs", name]
        assert table["tableConstraints"] and all(field["description"] for field in table["schema"]["fields"])


def test_a_table_whose_kind_is_required_takes_uploads(bigquery: BigQuery, lake: str, tmp_path: Path) -> None:
    drugs_rs.run(lake=tmp_path / "disk", dt=FIRST, **sources(tmp_path)[FIRST])
    load(bigquery, tmp_path / "disk")
    drugs_rs.run(lake=lake, dt=SECOND, **sources(tmp_path)[SECOND])
    receipt = load(bigquery, lake)
    assert {step.detail["source"] for step in receipt.steps if step.dt} == {"upload"}
    check_rows(bigquery, lake)


def test_a_bucket_in_another_location(bigquery: BigQuery, lake: str) -> None:
    bigquery.bucket_location = "EU"
    expected = (
        "locations: source: EU, destination: US .*: a bucket and the dataset that is loaded from it need one location"
    )
    with pytest.raises(exceptions.StorageError, match=expected):
        load(bigquery, lake)


def test_a_bucket_that_may_not_be_read(bigquery: BigQuery, lake: str) -> None:
    def refuse(_uri: str) -> bytes:
        raise PermissionError

    bigquery.fetch = refuse
    expected = (
        f"{TARGET}: no right to load atc_classes: the permission storage.objects.get is missing, which "
        "roles/storage.objectViewer on the bucket has"
    )
    with pytest.raises(exceptions.StorageError, match=expected):
        load(bigquery, lake)


def test_a_file_that_is_gone(bigquery: BigQuery, lake: str, gs: Google) -> None:
    [uri] = drugs_rs.Lake(lake).files("journals")["uri"]
    del gs.service.buckets[BUCKET][uri[len(f"gs://{BUCKET}/") :]]
    with pytest.raises(exceptions.StorageError, match=f"to load journals .notFound.: Not found: URI {uri}"):
        load(bigquery, lake)


class Listed:
    """A lake of which only the files are asked for."""

    root = "gs://bucket/lake"

    def __init__(self, uris: list[str]) -> None:
        self.uris = uris

    def files(self, _table: str) -> list[dict[str, str]]:
        return [{"dt": FIRST, "uri": uri} for uri in self.uris]


GOOD = "gs://b/_runs/1/gold/mentions/kind=pubmed/dt=2024-03-01/part-00000.parquet"


@pytest.mark.parametrize(
    ("uris", "prefix"),
    [
        ([GOOD, GOOD.replace("pubmed", "preprint")], "gs://b/_runs/1/gold/mentions/{kind:STRING}/{dt:DATE}"),
        (
            [GOOD.replace("gs://b/", "gs://b/kind=x/y/")],
            "gs://b/kind=x/y/_runs/1/gold/mentions/{kind:STRING}/{dt:DATE}",
        ),
        ([GOOD, GOOD.replace("/1/", "/2/")], ""),
        ([GOOD, GOOD.replace("kind=pubmed/", "")], ""),
        ([GOOD.replace("gs://b/_runs", "gs://b/a*/_runs")], ""),
        ([GOOD.replace("kind=pubmed/dt=2024-03-01", "dt=2024-03-01/kind=pubmed")], ""),
        ([GOOD.replace("mentions/", "mentions/dt=2024-01-01/")], ""),
        ([], ""),
        ([GOOD] * 10_001, ""),
    ],
)
def test_which_files_bigquery_can_read(uris: list[str], prefix: str) -> None:
    """Those whose paths end with the columns that the files lack, and begin alike."""
    [table] = load_tables(["mentions"])
    lake: Any = Listed(uris)
    [source] = parts.part_sources(lake, table, [FIRST], from_paths=True).values()
    assert source.prefix == prefix and source.uris == (tuple(uris) if prefix else ())
    [source] = parts.part_sources(lake, table, [FIRST], from_paths=False).values()
    assert source == parts.UPLOAD
