"""The tables of a lake from Python: their current rows day by day, filters, commits, status and history.

What each table must hold stands in `lake_story`.
"""

from __future__ import annotations

import datetime
import json
import pickle
import shutil
from pathlib import Path
from typing import Any, Callable

import pyarrow
import pyarrow.parquet as parquet
import pytest
from lake_state import sha256
from lake_story import (
    BAD,
    BY_DATE,
    BY_KIND,
    EARLY,
    FIRST,
    FOURTH,
    SECOND,
    STATES,
    TABLES,
    THIRD,
    atc_classes,
    current_publications,
    in_order,
    journal_drugs,
    journals,
    mentions,
    scanned,
    sources,
)
from lake_tables import rows as parquet_rows
from written_sources import write_drugs, write_pubmed

import drugs_rs
from drugs_rs import Lake

pytestmark = pytest.mark.core


@pytest.fixture
def lake(story: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the last state, to be damaged."""
    shutil.copytree(str(story["released"]), str(tmp_path / "lake"))
    return tmp_path / "lake"


ORACLES: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "publications": current_publications,
    "mentions": mentions,
    "journals": journals,
    "journal_drugs": journal_drugs,
    "atc_classes": atc_classes,
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("table", ORACLES)
def test_current_rows(table: str, state: str, story: dict[str, Path]) -> None:
    assert in_order(scanned(story[state], table)) == in_order(ORACLES[table](story[state]))


def ids(lake: Path, table: str = "publications", kind: str = "pubmed") -> dict[str, str]:
    return {row["publication_id"]: row["dt"] for row in scanned(lake, table, "publication_id", "dt", kind=kind)}


def test_the_story_is_what_it_says(story: dict[str, Path]) -> None:
    """The oracles read the lake too, so here are the ids in words."""
    first = {"1": FIRST, "2": FIRST, "3": FIRST, "8": FIRST}
    corrected = {**first, "1": SECOND, "5": SECOND}
    assert ids(story["first"]) == first
    assert ids(story["corrected"]) == corrected
    deleted = {**{key: dt for key, dt in corrected.items() if key != "2"}, "7": THIRD}
    assert ids(story["deleted"]) == deleted
    assert ids(story["late"]) == ids(story["held"]) == {**deleted, "6": EARLY}
    assert ids(story["released"]) == {**deleted, "6": EARLY, "2": FOURTH}
    assert ids(story["late"], kind="clinical_trial") == {"NCT1": FIRST, "1": FIRST, "NCT2": SECOND}
    assert ids(story["late"], kind="preprint") == {"10.1101/1": FIRST}
    assert ids(story["late"], "deleted") == {"2": THIRD, "99": THIRD}
    assert [len(scanned(story[name], "drugs")) for name in ("held", "released")] == [6, 2]
    assert len(scanned(story["released"], "drugs", "substance")) == 2
    assert scanned(story["released"], "journal_ids") == [
        {"journal_key": "lancet", "nlm_id": "0370077", "issn": None, "kind": "pubmed", "dt": THIRD}
    ]
    refused = [(row["reason"], row["kind"], row["dt"]) for row in scanned(story["released"], "rejected")]
    assert sorted(refused, key=repr) == sorted(
        [
            *(("blank_drug", None, dt) for dt in (FIRST, SECOND, THIRD)),
            *(("blank_title", "pubmed", dt) for dt in (FIRST, FOURTH)),
        ],
        key=repr,
    )


@pytest.mark.parametrize("state", STATES)
def test_files_are_what_the_tables_are_made_of(state: str, story: dict[str, Path]) -> None:
    lake = Lake(story[state])
    for entry in lake.tables():
        name, files = entry["table"], lake.files(entry["table"])
        counted = (sum(files["rows"]), sum(files["bytes"]), len(files))
        assert counted == (entry["rows"], entry["bytes"], entry["files"]), name
        assert entry["rows"] == len(scanned(story[state], name)), name
        places: list[dict[str, Any]] = []
        for file in files:
            path = Path(file["uri"])
            assert (path.stat().st_size, sha256(path)) == (file["bytes"], file["sha256"])
            in_path = {"kind": name in BY_KIND, "dt": name in BY_DATE}
            keys = {key: file[key] for key in in_path if in_path[key]}
            assert all(value is None or f"{key}={value}" in path.parts for key, value in keys.items())
            found = parquet_rows(path)
            assert len(found) == file["rows"]
            places += [{**row, **keys} for row in found]
        assert in_order(places) == in_order(scanned(story[state], name)), name
    assert tuple(lake.tables()["table"]) == TABLES


def test_graphs_without_a_file_are_those_with_one(story: dict[str, Path], tmp_path: Path) -> None:
    for state in ("first", "late", "released"):
        other = tmp_path / state
        shutil.copytree(str(story[state]), str(other))
        (as_of,) = set(Lake(other).status()["as_of"])
        report = drugs_rs.gold(lake=other, dt=as_of, graph="none")
        assert report["settings"]["graph"] == "none"
        assert not (other / "gold" / "drug_graph.json").exists(), "the one of the earlier run is removed"
        drugs_rs.read_graph(other).write(tmp_path / "graph.json")
        written = (story[state] / "gold" / "drug_graph.json").read_bytes()
        assert (tmp_path / "graph.json").read_bytes() == written, state
        for table in TABLES:
            assert scanned(other, table) == scanned(story[state], table)
        assert drugs_rs.gold(lake=other, dt=as_of, graph="none")["unchanged"] is True
        drugs_rs.gold(lake=other, dt=as_of)
        assert (other / "gold" / "drug_graph.json").read_bytes() == written


def test_dates_in_any_order_give_the_same_tables(story: dict[str, Path], tmp_path: Path) -> None:
    days = sources(tmp_path)
    for dt in (THIRD, EARLY, FIRST, SECOND):
        drugs_rs.run(lake=tmp_path / "lake", dt=dt, **days[dt])
    for table in TABLES:
        found, expected = (
            [{**row, "source_uri": ""} for row in scanned(lake, table)] for lake in (tmp_path / "lake", story["late"])
        )
        assert found == expected, table


@pytest.mark.parametrize("table", TABLES)
def test_filters_take_rows_out_of_the_whole(table: str, story: dict[str, Path]) -> None:
    lake = story["late"]
    whole = scanned(lake, table)
    if table in BY_DATE:
        day = datetime.date(2024, 3, 2)
        dates: list[tuple[Any, set[str]]] = [
            (SECOND, {SECOND}),
            (day, {SECOND}),
            ([day, FIRST], {FIRST, SECOND}),
            ((THIRD, THIRD), {THIRD}),
            ([], set()),
            ("1999-01-01", set()),
        ]
        for dt, wanted in dates:
            expected = [row for row in whole if row["dt"] in wanted]
            assert scanned(lake, table, dt=dt) == expected
            files = Lake(lake).files(table, dt=dt)
            assert sum(files["rows"]) == len(expected) and set(files["dt"]) <= wanted
    if table in BY_KIND:
        for kind, kinds in (("pubmed", ["pubmed"]), (["preprint", "clinical_trial"], ["preprint", "clinical_trial"])):
            assert scanned(lake, table, kind=kind) == [row for row in whole if row["kind"] in kinds]
        both = scanned(lake, table, kind="pubmed", dt=[FIRST, SECOND])
        assert both == [row for row in whole if row["kind"] == "pubmed" and row["dt"] in (FIRST, SECOND)]
    if table in ("drugs", "drugs_all", "mentions"):
        for codes in ("B01AA03", ["N02BA01", "C01AA05"], [], ["b01aa03"], ["", "A04AD"]):
            listed = [codes] if isinstance(codes, str) else codes
            expected = [row for row in whole if row["atccode"] in listed]
            assert scanned(lake, table, atccode=codes) == expected
            some = [{"substance": row.get("substance"), "drug": row["drug"]} for row in expected]
            if table != "drugs_all":
                assert scanned(lake, table, "substance", "drug", atccode=codes) == some
            if table in BY_DATE:
                assert scanned(lake, table, "dt", atccode=codes) == [{"dt": row["dt"]} for row in expected]


@pytest.mark.parametrize("table", TABLES)
def test_columns_come_in_the_order_that_was_asked_for(table: str, story: dict[str, Path]) -> None:
    lake, whole = Lake(story["late"]), scanned(story["late"], table)
    names = list(lake.schema(table))
    assert lake.scan(table).read().column_names == names == list(lake.scan(table).schema)
    backwards = lake.scan(table, names[::-1])
    assert dict(backwards.schema) == dict(lake.schema(table))
    assert backwards.read().column_names == names[::-1] == list(backwards.schema)
    assert backwards.read().to_dicts() == [dict(reversed(list(row.items()))) for row in whole]
    for name in names:
        assert lake.scan(table, (name,)).read()[name] == [row[name] for row in whole]
    assert lake.scan(table, []).read().num_rows == len(whole)
    for field in pyarrow.schema(lake.schema(table)):
        assert {b"description", b"term", b"example"} <= set(field.metadata), field


def test_a_scan_is_read_as_often_as_one_likes(story: dict[str, Path]) -> None:
    scan = Lake(story["late"]).scan("publications")
    whole = scan.read().to_dicts()
    for _ in range(2):
        batches = list(scan)
        assert [row for batch in batches for row in batch] == whole
        assert all(batch.num_rows for batch in batches)
    left, right = iter(scan), iter(scan)
    assert next(left).to_dicts() == next(right).to_dicts()
    assert next(iter(left)).to_dicts() == next(right).to_dicts(), "an iterator goes on where it is"
    assert len(list(left)) == len(list(right)) == len(batches) - 2
    assert list(left) == []


def test_a_scan_after_the_next_commit(lake: Path, tmp_path: Path) -> None:
    """Every reader of a scan sees one whole state, also one that was asked for before the lake changed."""
    scan = Lake(lake).scan("publications", ["publication_id", "title"])
    used = Lake(lake).scan("publications", ["publication_id", "title"])
    before = used.read().to_dicts()
    article = write_pubmed(tmp_path / "next.csv", ("1", "Digoxin", "2022", "BMJ"))
    drugs_rs.run(lake=lake, dt="2024-03-05", drugs=sources(tmp_path)[THIRD]["drugs"], pubmed=article)
    after = scanned(lake, "publications", "publication_id", "title")
    assert used.read().to_dicts() in (before, after)
    assert scan.read().to_dicts() in (before, after)


def test_lakes_are_values(story: dict[str, Path]) -> None:
    lake = Lake(story["late"])
    again = pickle.loads(pickle.dumps(lake))
    assert again == lake == Lake(str(story["late"])) and hash(again) == hash(lake)
    assert lake != Lake(story["held"]) and lake != str(story["late"])
    assert again.root == lake.root == str(story["late"])
    assert again.files("mentions").to_dicts() == lake.files("mentions").to_dicts()
    assert repr(lake).startswith("Lake(")


def test_vocabulary_is_the_one_that_gold_used(lake: Path, tmp_path: Path) -> None:
    """A silver that gold has not followed yet changes no current table."""
    before = {table: scanned(lake, table) for table in ("drugs", "mentions", "atc_classes")}
    other = write_drugs(tmp_path / "other.csv", ("C01AA05", "Digoxin"))
    drugs_rs.bronze(lake=lake, dt="2024-03-09", drugs=other)
    drugs_rs.silver(lake=lake, dt="2024-03-09")
    assert {table: scanned(lake, table) for table in before} == before


def test_a_cleaned_vocabulary_that_gold_has_not_used(lake: Path, tmp_path: Path) -> None:
    """Of the date that gold has reached: codes that no mention has are not among the drugs yet."""
    before = {table: scanned(lake, table) for table in ("drugs", "mentions", "atc_classes")}
    other = write_drugs(tmp_path / "other.csv", ("C01AA05", "Digoxin"))
    drugs_rs.bronze(lake=lake, dt=FOURTH, drugs=other)
    drugs_rs.silver(lake=lake, dt=FOURTH)
    assert {table: scanned(lake, table) for table in before} == before


def test_a_graph_without_a_file_does_not_depend_on_what_silver_cleans_next(lake: Path, tmp_path: Path) -> None:
    drugs_rs.gold(lake=lake, dt=FOURTH, graph="none")
    before = drugs_rs.read_graph(lake).mentions().to_dicts()
    drugs_rs.bronze(lake=lake, dt=FOURTH, drugs=write_drugs(tmp_path / "other.csv", ("C01AA05", "Digoxin")))
    drugs_rs.silver(lake=lake, dt=FOURTH, hold=True)
    assert drugs_rs.read_graph(lake).mentions().to_dicts() == before


def test_a_scan_goes_row_group_by_row_group(tmp_path: Path) -> None:
    rows = [(str(number), f"Warfarin {number}", "2020", f"J{number % 9}") for number in range(40_000)]
    rows[20_000] = ("20000", "Paracetamol", "2020", "J")
    drugs = write_drugs(tmp_path / "drugs.csv", ("B01AA03", "WARFARIN"), ("N02BE01", "PARACETAMOL"))
    articles = write_pubmed(tmp_path / "articles.csv", *rows)
    drugs_rs.run(lake=tmp_path / "lake", dt=FIRST, drugs=drugs, pubmed=articles, graph="none")
    lake = Lake(tmp_path / "lake")
    for table in ("publications", "mentions", "publications_all"):
        (uri,) = lake.files(table)["uri"]
        groups = parquet.ParquetFile(uri).metadata
        sizes = [groups.row_group(number).num_rows for number in range(groups.num_row_groups)]
        assert len(sizes) > 1 and [len(batch) for batch in lake.scan(table, ["publication_id"])] == sizes
        found = lake.scan(table, ["publication_id"]).read()["publication_id"]
        assert sorted(found, key=int) == [row[0] for row in rows]
    (batch,) = lake.scan("mentions", ["kind", "publication_id"], atccode=["N02BE01", "none"])
    assert batch.to_dicts() == [{"kind": "pubmed", "publication_id": "20000"}]
    most = lake.scan("mentions", ["publication_id"], atccode="B01AA03").read()["publication_id"]
    assert sorted(most, key=int) == [row[0] for row in rows if row[0] != "20000"]


def test_files_of_others_are_no_part_of_a_table(lake: Path) -> None:
    before = {table: (Lake(lake).files(table).to_dicts(), scanned(lake, table)) for table in TABLES}
    for table in TABLES:
        for uri in Lake(lake).files(table)["uri"]:
            shutil.copy(uri, str(Path(uri).parent / "part-00001.parquet"))
            (Path(uri).parent / ".notes").write_text("mine", encoding="utf-8")
    stray = lake / "gold" / "publications" / "kind=pubmed" / "dt=1999-01-01"
    shutil.copytree(str(lake / "gold" / "publications" / "kind=preprint" / f"dt={FIRST}"), str(stray))
    shutil.copytree(
        str(lake / "silver" / "publications" / "kind=preprint" / f"dt={FIRST}"),
        str(lake / "silver" / "publications" / "kind=preprint" / "dt=1999-01-01"),
    )
    assert {table: (Lake(lake).files(table).to_dicts(), scanned(lake, table)) for table in TABLES} == before


def test_a_delivery_that_is_taken_back(lake: Path) -> None:
    """Its folder is removed, and gold runs again."""
    before = {table: scanned(lake, table) for table in ORACLES}
    shutil.rmtree(str(lake / "silver" / "publications" / "kind=pubmed" / f"dt={THIRD}"))
    assert {table: scanned(lake, table) for table in ORACLES} == before
    assert scanned(lake, "deleted") == [] and {row["dt"] for row in scanned(lake, "journal_ids")} == set()
    drugs_rs.gold(lake=lake, dt=FOURTH)
    assert THIRD not in {row["dt"] for row in scanned(lake, "publications")}
    for table, expected in ORACLES.items():
        assert in_order(scanned(lake, table)) == in_order(expected(lake)), table
    files = [path for path in (lake / "gold" / "publications").rglob("*.parquet") if path.parent.name == f"dt={THIRD}"]
    assert files == []


def test_status_has_a_row_for_each_partition(story: dict[str, Path]) -> None:
    found = Lake(story["held"]).status().to_dicts()
    assert [row["dt"] for row in found] == sorted(row["dt"] for row in found)
    delivered = {(row["dt"], row["table"]): row for row in found}
    assert set(delivered) == {
        *((dt, table) for dt in (EARLY, FIRST, SECOND, THIRD, FOURTH) for table in ("drugs", "pubmed")),
        *((FIRST, table) for table in ("clinical_trials", "preprints")),
        (SECOND, "clinical_trials"),
    }
    first = delivered[FIRST, "pubmed"]
    assert first == {
        "dt": FIRST,
        "table": "pubmed",
        "rows_in": 5,
        "rows_kept": 4,
        "rows_merged": 0,
        "rows_rejected": 1,
        "rejected_share": 0.2,
        "snapshot": False,
        "held": False,
        "reason": None,
        "as_of": FOURTH,
    }
    for row in found:
        assert row["rows_in"] == row["rows_kept"] + row["rows_merged"] + row["rows_rejected"]
        assert (row["held"], row["reason"]) == ((True, BAD) if row["dt"] == FOURTH else (False, None))
        assert row["as_of"] == FOURTH, "the date of the call, although it is held"
    assert {(row["held"], row["as_of"]) for row in Lake(story["released"]).status()} == {(False, FOURTH)}


def test_history_is_what_the_reports_said(tmp_path: Path) -> None:
    lake, days = Lake(tmp_path / "lake"), sources(tmp_path)
    reports = [drugs_rs.run(lake=lake.root, dt=FIRST, **days[FIRST])]
    assert drugs_rs.run(lake=lake.root, dt=FIRST, **days[FIRST])["unchanged"] is True
    day = days[SECOND]
    reports.append(drugs_rs.bronze(lake=lake.root, dt=SECOND, drugs=day["drugs"], pubmed=day["pubmed"]))
    reports.append(drugs_rs.silver(lake=lake.root, dt=SECOND, month_first=True))
    reports.append(drugs_rs.gold(lake=lake.root, dt=SECOND, unit="code", accents="keep", abbreviations=True))
    history = lake.history().to_dicts()
    columns = ("run_id", "started_at", "version", "step", "dt", "rows_in", "rows_kept", "rows_merged", "rows_rejected")
    counts = ("publications", "mentions", "pairs")
    for row, report in zip(history, reports):
        assert {name: row[name] for name in columns} == {name: report[name] for name in columns}
        assert {name: row[name] for name in counts} == {name: report.get(name) for name in counts}
        assert json.loads(row["settings"]) == report.get("settings", {})
        assert row["seconds"] == pytest.approx(report["seconds"], abs=1)
        assert row["version"] == drugs_rs.__version__
        started = datetime.datetime.strptime(row["started_at"], "%Y-%m-%dT%H:%M:%S.%fZ")
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        assert datetime.timedelta(0) <= now - started < datetime.timedelta(minutes=5)
    assert len(history) == len(reports)
    assert len({row["run_id"] for row in history}) == len(history)
    assert lake.history()["started_at"] == sorted(lake.history()["started_at"])
    run = reports[0]
    assert {step["run_id"] for step in run["steps"]} == {run["run_id"]}
    assert all(step["version"] == run["version"] and step["started_at"] >= run["started_at"] for step in run["steps"])
    assert reports[2]["settings"]["month_first"] is True
    given = {"unit": "code", "accents": "keep", "abbreviations": True, "boundary": "word", "graph": "json"}
    assert {name: reports[3]["settings"][name] for name in given} == given
