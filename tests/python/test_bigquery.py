"""`drugs_rs.bigquery.load`: a dataset holds the lake, and a load does what has changed and no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as parquet
import pytest
from bigquery_lakes import (
    TARGET,
    check_rows,
    client_of,
    destinations,
    load,
    parts_of,
    rows_there,
)
from bigquery_server import PROJECT, BigQuery
from lake_story import FIRST, SECOND, tell
from written_sources import write_drugs, write_pubmed

import drugs_rs
from drugs_rs.bigquery import loader, parts, upload
from drugs_rs.loading import LoadReceipt, lake_parts, load_tables, pinned

if TYPE_CHECKING:
    from pathlib import Path

# Tables of all kinds: with dates and kinds, with dates, without.
SOME = ["mentions", "rejected", "drugs_all", "journals", "status"]
WHOLLY = ["mentions", "publications_all", "journals"]
DATED = [table.name for table in load_tables() if table.is_dated]
WHOLE = [table.name for table in load_tables() if not table.is_dated]


def test_a_dataset_holds_the_lake(bigquery: BigQuery, story: dict[str, Path]) -> None:
    """The tables have the types, modes and descriptions of `drugs-rs schema`, but for `dt`, which is a DATE."""
    receipt = load(bigquery, story["released"])
    assert isinstance(receipt, LoadReceipt) and receipt.load == 1 and not receipt.unchanged
    check_rows(bigquery, story["released"])
    described = {row["table"]: row["description"] for row in drugs_rs.Lake(story["released"]).tables()}
    schemas: dict[str, list[dict[str, Any]]] = json.loads(drugs_rs.describe_tables("bigquery"))
    keys = {table.name: list(table.key) for table in load_tables()}
    assert set(schemas) == set(described) == {*DATED, *WHOLE} - {"status"}
    for name, fields in schemas.items():
        table = bigquery.tables["drugs", name]
        types = [{**field, "type": "DATE" if field["name"] == "dt" else field["type"]} for field in fields]
        assert table["schema"]["fields"] == types, name
        assert table["description"] == described[name]
        assert table["labels"] == {"managed_by": "drugs_rs"}
        expected = {"type": "DAY", "field": "dt"} if name in DATED else None
        assert table.get("timePartitioning") == expected, name
        has_code = any(field["name"] == "atccode" for field in fields)
        assert table.get("clustering") == ({"fields": ["atccode"]} if has_code else None)
        key = {"primaryKey": {"columns": keys[name]}} if keys[name] else None
        assert table.get("tableConstraints") == key, name
    assert all(field["description"] for field in bigquery.tables["drugs", "status"]["schema"]["fields"])


def test_each_partition_has_a_job(bigquery: BigQuery, story: dict[str, Path]) -> None:
    """And a table without dates has one; all replace what is there."""
    load(bigquery, story["late"])
    expected = [f"{table}${dt.replace('-', '')}" if dt else table for table, dt in parts_of(story["late"])]
    assert sorted(destinations(bigquery)) == sorted(expected)
    assert len(expected) > len(DATED) + len(WHOLE)
    configs = [config for config in bigquery.loads() if config["destinationTable"]["tableId"] != "load_log"]
    assert {config["writeDisposition"] for config in configs} == {"WRITE_TRUNCATE"}


def test_an_unchanged_load_reads_the_log_and_nothing_else(bigquery: BigQuery, story: dict[str, Path]) -> None:
    load(bigquery, story["held"])
    bigquery.log.clear()
    again = load(bigquery, story["held"])
    assert again.unchanged and isinstance(again, LoadReceipt) and again.load == 1
    assert [call[0] for call in bigquery.log] == ["GET"] * 3
    assert str(again) == f"{TARGET} holds state {again.state} of {story['held']}: nothing to load"


def test_a_load_does_what_has_changed(bigquery: BigQuery, tmp_path: Path) -> None:
    """Through corrections, deletions, a late date, a held and a released one: each load moves the parts that differ."""
    before: dict[tuple[str, str | None], str] = {}
    seen: list[str] = []

    def after(name: str) -> None:
        nonlocal before
        now = parts_of(tmp_path / "lake", SOME)
        plan = load(bigquery, tmp_path / "lake", tables=SOME, plan=True)
        number = len(seen) + 1
        receipt = load(bigquery, tmp_path / "lake", tables=SOME)
        assert receipt.to_dict()["steps"] == plan.to_dict()["steps"]
        check_rows(bigquery, tmp_path / "lake", SOME)
        changed = {key for key, content in now.items() if before.get(key) != content}
        gone = {key for key in before if key not in now}
        moved = {(step.table, step.dt) for step in receipt.steps if step.action != "remove"}
        assert moved == changed
        assert {(step.table, step.dt) for step in receipt.steps if step.action == "remove"} == gone
        assert {step.action for step in receipt.steps if (step.table, step.dt) in before} <= {"replace", "remove"}
        jobs = destinations(bigquery, f"_{number}_")
        assert sorted(jobs) == sorted(f"{table}${dt.replace('-', '')}" if dt else table for table, dt in changed)
        before = now
        seen.append(name)

    tell(tmp_path / "lake", tmp_path, after)
    assert len(seen) == 6 and len(destinations(bigquery)) < 6 * len(before)


def test_plan_and_receipt_name_the_lake_that_is_replaced(bigquery: BigQuery, story: dict[str, Path]) -> None:
    first, second = story["late"], story["held"]
    assert load(bigquery, first, tables=SOME).replaced_lake is None
    for is_plan in (True, False):
        answer = load(bigquery, second, tables=SOME, plan=is_plan)
        assert answer.replaced_lake == str(first) and f"in place of another lake, {first}" in str(answer)
    assert load(bigquery, second, tables=SOME).replaced_lake is None


def test_partitions_that_the_lake_dropped_are_removed(bigquery: BigQuery, tmp_path: Path) -> None:
    lake = drugs_rs.Lake(tmp_path / "lake")
    for dt, title in ((FIRST, "Warfarin"), (SECOND, "Warfarin again")):
        drugs = write_drugs(tmp_path / "drugs.csv", ("B01AA03", "warfarin"))
        pubmed = write_pubmed(tmp_path / f"{dt}.csv", (dt, title, "2020", "BMJ"))
        drugs_rs.run(lake=lake.root, dt=dt, drugs=drugs, pubmed=pubmed)
    load(bigquery, lake, tables=SOME)
    lake.drop(before=SECOND)
    plan = load(bigquery, lake, tables=SOME, plan=True)
    receipt = load(bigquery, lake, tables=SOME)
    assert plan.to_dict()["steps"] == receipt.to_dict()["steps"]
    removed = [step for step in receipt.steps if step.action == "remove"]
    assert {step.dt for step in removed} == {FIRST} and "mentions" in {step.table for step in removed}
    assert {step.detail["source"] for step in removed} == {"none"}
    check_rows(bigquery, lake, SOME)
    assert load(bigquery, lake, tables=SOME).unchanged


def test_contents_that_come_back_are_loaded_again(bigquery: BigQuery, tmp_path: Path) -> None:
    """A–B–A: the job that brought A first has a finished id, which must not stand for the third load."""
    drugs = write_drugs(tmp_path / "drugs.csv", ("B01AA03", "warfarin"), ("N02BE01", "paracetamol"))
    contents = []
    for number, title in enumerate(("Warfarin", "Paracetamol", "Warfarin")):
        pubmed = write_pubmed(tmp_path / "pubmed.csv", ("1", title, "2020", "BMJ"))
        drugs_rs.run(lake=tmp_path / "lake", dt=FIRST, drugs=drugs, pubmed=pubmed)
        receipt = load(bigquery, tmp_path / "lake", tables=SOME)
        assert isinstance(receipt, LoadReceipt) and receipt.load == number + 1
        check_rows(bigquery, tmp_path / "lake", SOME)
        contents.append(parts_of(tmp_path / "lake")["mentions", FIRST])
    assert contents[0] == contents[2] != contents[1]
    # So does an earlier state that is asked for.
    earlier = drugs_rs.Lake(tmp_path / "lake").at(2)
    load(bigquery, earlier, tables=SOME)
    check_rows(bigquery, earlier, SOME)
    load(bigquery, tmp_path / "lake", tables=SOME)
    check_rows(bigquery, tmp_path / "lake", SOME)


def test_a_plan_changes_nothing(bigquery: BigQuery, story: dict[str, Path]) -> None:
    plan = load(bigquery, story["first"], plan=True)
    assert not bigquery.datasets and {call[0] for call in bigquery.log} == {"GET"}
    state = pinned(story["first"])
    expected = lake_parts(state, load_tables())
    assert [(step.table, step.dt, step.rows, step.bytes) for step in plan.steps] == [
        (part.table, part.dt, part.rows, part.bytes) for part in expected
    ]
    for step in plan.to_dict()["steps"]:
        assert step["action"] == "load" and step["source"] == "upload"
        assert step["partition"] == (step["dt"] and step["dt"].replace("-", ""))
        assert step["job"].startswith("_".join(filter(None, (step["table"], step["partition"]))))
    json.dumps(plan.to_dict())
    assert str(plan).startswith(f"would load state {state.state} of {story['first']} into {TARGET}\n")
    receipt = load(bigquery, story["first"])
    assert receipt.to_dict() == {**plan.to_dict(), "load": 1}


def test_some_tables_alone(bigquery: BigQuery, story: dict[str, Path]) -> None:
    load(bigquery, story["late"], tables=["mentions", "status"])
    assert {name for _, name in bigquery.tables} == {"mentions", "status", "load_log"}
    check_rows(bigquery, story["late"], ["mentions", "status"])
    rest = load(bigquery, story["late"])
    assert not {"mentions", "status"} & {step.table for step in rest.steps}
    check_rows(bigquery, story["late"])
    assert load(bigquery, story["late"], tables=["mentions"]).unchanged


def test_an_empty_table_is_made_too(bigquery: BigQuery, tmp_path: Path) -> None:
    drugs = write_drugs(tmp_path / "drugs.csv", ("B01AA03", "warfarin"))
    pubmed = write_pubmed(tmp_path / "pubmed.csv", ("1", "Nothing of note", "2020", ""))
    drugs_rs.run(lake=tmp_path / "lake", dt=FIRST, drugs=drugs, pubmed=pubmed)
    load(bigquery, tmp_path / "lake")
    assert {name for _, name in bigquery.tables} == {*DATED, *WHOLE, "load_log"}
    assert rows_there(bigquery, "mentions") == rows_there(bigquery, "journals") == []
    check_rows(bigquery, tmp_path / "lake")


def test_what_somebody_dropped_is_loaded_again(bigquery: BigQuery, story: dict[str, Path]) -> None:
    load(bigquery, story["late"], tables=SOME)
    with client_of(bigquery) as client:
        client.delete_table(f"{TARGET}.mentions")
        receipt = load(bigquery, story["late"], tables=SOME)
        assert {step.table for step in receipt.steps} == {"mentions"}
        check_rows(bigquery, story["late"], SOME)
        # Without the log nothing is known, and the ids of the old jobs are taken for ever.
        client.delete_table(f"{TARGET}.load_log")
    again = load(bigquery, story["late"], tables=SOME)
    assert isinstance(again, LoadReceipt) and again.load == 1 and len(again.steps) == len(parts_of(story["late"], SOME))
    check_rows(bigquery, story["late"], SOME)


@pytest.mark.parametrize("most", [2, 4000])
def test_many_partitions_are_loaded_as_a_whole_table(
    bigquery: BigQuery, story: dict[str, Path], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Beyond a number of jobs: a few that replace the table, each with no more partitions than allowed."""
    load(bigquery, story["first"], tables=["mentions"])
    monkeypatch.setattr(parts, "MOST_UPLOADS", 1)
    # A partition that the lake does not have goes with the others.
    bigquery.execute("INSERT INTO drugs.mentions SELECT * REPLACE (DATE '1999-01-01' AS dt) FROM drugs.mentions")
    # What adds to the table waits for what replaces it.
    bigquery.trouble.slow = {"_all_0_": 0.1}
    plan = load(bigquery, story["released"], tables=WHOLLY, plan=True, max_partitions=most)
    receipt = load(bigquery, story["released"], tables=WHOLLY, max_partitions=most)
    assert plan.to_dict()["steps"] == receipt.to_dict()["steps"]
    check_rows(bigquery, story["released"], WHOLLY)
    steps = [step for step in receipt.steps if step.table == "publications_all"]
    jobs = bigquery.loads("_publications_all_all_")
    assert len(jobs) == -(-len(steps) // most) and len(steps) == 5
    assert [config["writeDisposition"] for config in jobs] == ["WRITE_TRUNCATE"] + ["WRITE_APPEND"] * (len(jobs) - 1)
    key = bigquery.tables["drugs", "publications_all"]["tableConstraints"]["primaryKey"]["columns"]
    assert key == ["kind", "publication_id", "dt"]
    assert load(bigquery, story["released"], tables=WHOLLY).unchanged


def test_a_long_log_is_compacted(bigquery: BigQuery, story: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """It then has the newest rows of each part, and says the same."""
    monkeypatch.setattr(loader, "LONG_LOG", 1)
    monkeypatch.setattr(loader, "ROWS_A_PART", 0)
    for state in ("first", "corrected", "late"):
        load(bigquery, story[state], tables=SOME)
        check_rows(bigquery, story[state], SOME)
    rows = bigquery.rows("drugs", "load_log")
    parts_there = {(row["table_name"], row["dt"]) for row in rows}
    assert len(rows) == 2 * len(parts_there)
    assert load(bigquery, story["late"], tables=SOME).unchanged


def test_large_files_are_uploaded_in_chunks(
    bigquery: BigQuery, story: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.cloud.bigquery.client._MAX_MULTIPART_SIZE", 1)
    load(bigquery, story["first"], tables=["mentions", "drugs"])
    check_rows(bigquery, story["first"], ["mentions", "drugs"])
    assert bigquery.uploads


def test_an_upload_is_a_file_in_bounded_memory(story: dict[str, Path], tmp_path: Path) -> None:
    """With as few row groups as the memory allows, and all of the rows."""
    scan = drugs_rs.Lake(story["late"]).scan("publications_all")
    for size, groups in ((upload.ROW_GROUP_BYTES, 1), (1, 4)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(upload, "ROW_GROUP_BYTES", size)
            upload.write_rows(scan, tmp_path / "rows.parquet")
        written = parquet.ParquetFile(tmp_path / "rows.parquet")
        assert written.metadata.num_row_groups >= groups and (size == 1 or written.metadata.num_row_groups == 1)
        rows = [{**row, "dt": str(row["dt"])} for row in written.read().to_pylist()]
        assert rows == [{**row} for row in scan.read().to_dicts()]
    empty = drugs_rs.Lake(story["first"]).scan("deleted")
    upload.write_rows(empty, tmp_path / "rows.parquet")
    assert parquet.ParquetFile(tmp_path / "rows.parquet").read().num_rows == len(empty.read()) == 0


def test_the_tables_answer_queries(bigquery: BigQuery, story: dict[str, Path]) -> None:
    load(bigquery, story["late"], tables=["mentions"])
    query = f"SELECT COUNT(*) AS n, MIN(dt) AS dt FROM `{TARGET}.mentions` WHERE atccode = 'B01AA03'"
    with client_of(bigquery) as client:
        [row] = client.query(query).result()
    expected = drugs_rs.Lake(story["late"]).scan("mentions", ["dt"], atccode="B01AA03").read()["dt"]
    assert (int(row["n"]), str(row["dt"])) == (len(expected), min(expected))


def test_a_url_names_the_dataset_and_the_environment_the_emulator(
    bigquery: BigQuery, story: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the command calls it: no client, no credentials."""
    from drugs_rs.bigquery import load as load_lake

    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery.endpoint)
    receipt = load_lake(str(story["first"]), f"bigquery://{PROJECT}/drugs", tables=["mentions"], location="EU")
    assert receipt.target == TARGET and bigquery.datasets["drugs"]["location"] == "EU"
    check_rows(bigquery, story["first"], ["mentions"])
    assert load_lake(story["first"], TARGET, tables=["mentions"], location="eu").unchanged


def test_a_long_name_of_a_dataset(bigquery: BigQuery, story: dict[str, Path]) -> None:
    """The id of a job is shorter than such a name."""
    from drugs_rs.bigquery import load as load_lake

    name = "d" * 1024
    with client_of(bigquery) as client:
        load_lake(story["first"], f"{PROJECT}.{name}", client=client, tables=["mentions"])
    assert len(bigquery.rows(name, "mentions")) == 10
