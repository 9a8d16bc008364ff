"""What the tables of a lake refuse, and what they say of it: wrong words, no lake, no gold, damage, other formats."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path
from typing import Any, Callable

import pyarrow
import pytest
from lake_state import hashes
from lake_story import FIRST, FOURTH, TABLES, scanned, sources

import drugs_rs
from drugs_rs import Lake, exceptions

pytestmark = pytest.mark.core


@pytest.fixture
def lake(story: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the last state, to be damaged."""
    shutil.copytree(str(story["released"]), str(tmp_path / "lake"))
    return tmp_path / "lake"


def refused(call: Callable[[], object], kind: type[Exception]) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("table", "asked", "told"),
    [
        ("mentoins", {}, 'table: `mentoins`; expected "drugs", .*; did you mean "mentions"'),
        ("mentions", {"columns": ["drgu"]}, "columns: `drgu`; expected columns of `mentions`: .*; did you mean `drug`"),
        ("journals", {"columns": ["dt"]}, "columns: `dt`; expected columns of `journals`: journal, "),
        # Two that fail: defect 5 of the report.
        ("mentions", {"columns": ["drug", "drug"]}, "drug"),
        ("mentions", {"columns": ["kind", "kind"]}, "kind"),
        ("mentions", {"kind": "clinical_trials"}, 'did you mean "clinical_trial"'),
        ("mentions", {"kind": ["pubmed", "pubmde"]}, 'did you mean "pubmed"'),
        ("mentions", {"dt": "2024-3-1"}, "dt: `2024-3-1`; expected an ISO date"),
        ("mentions", {"dt": [FIRST, "2024-02-30"]}, "dt: `2024-02-30`"),
        ("journals", {"dt": FIRST}, "dt: .*`journals`"),
        ("drugs", {"kind": "pubmed"}, "kind: .*`drugs`"),
        ("journals", {"atccode": "B01AA03"}, "atccode: .*`journals`"),
    ],
)
def test_what_makes_no_sense(table: str, asked: dict[str, Any], told: str, story: dict[str, Path]) -> None:
    lake = Lake(story["late"])
    message = refused(lambda: lake.scan(table, **asked).read(), exceptions.ArgumentError)
    assert re.search(told, message), message
    if not asked.keys() & {"columns", "atccode"}:
        assert refused(lambda: lake.files(table, **asked), exceptions.ArgumentError) == message
    if not asked:
        assert refused(lambda: lake.schema(table), exceptions.ArgumentError) == message


@pytest.mark.parametrize(
    "asked",
    [
        *({"dt": value} for value in (20240301, [FIRST, None], b"2024-03-01")),
        *({"kind": value} for value in (5, ["pubmed", 5])),
        *({"atccode": value} for value in (5, [None])),
        *({"columns": value} for value in (5, "drug", [1])),
    ],
)
def test_wrong_types(asked: dict[str, Any], story: dict[str, Path]) -> None:
    (name,) = asked
    assert name in refused(lambda: Lake(story["late"]).scan("mentions", **asked), TypeError)


METHODS: dict[str, Callable[[Lake], object]] = {
    "tables": Lake.tables,
    "status": Lake.status,
    "history": Lake.history,
    "duckdb": Lake.duckdb,
    "files": lambda lake: lake.files("publications_all"),
    "scan": lambda lake: lake.scan("publications_all"),
}


@pytest.mark.parametrize("method", METHODS)
def test_a_lake_that_is_not_there(method: str, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "nothing")
    message = refused(lambda: METHODS[method](lake), exceptions.SourceNotFoundError)
    assert str(tmp_path / "nothing") in message and "folder of a lake" in message
    assert list(tmp_path.iterdir()) == []
    assert list(lake.schema("journals")) == ["journal", "publications", "substances", "codes"]


@pytest.mark.parametrize("silver", [False, True])
def test_a_lake_without_gold(silver: bool, tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    lake = Lake(tmp_path / "lake")
    if silver:
        day = sources(tmp_path)[FIRST]
        drugs_rs.bronze(lake=lake.root, dt=FIRST, drugs=day["drugs"], pubmed=day["pubmed"])
        drugs_rs.silver(lake=lake.root, dt=FIRST)
    before = hashes(tmp_path / "lake")
    counts = {row["table"]: row["rows"] for row in lake.tables()}
    assert counts == {
        **dict.fromkeys(TABLES, 0),
        **({"publications_all": 4, "rejected": 2, "drugs_all": 2} if silver else {}),
    }
    assert [row["as_of"] for row in lake.status()] == [None, None][: 2 * silver]
    assert lake.history()["step"] == ["bronze", "silver"][: 2 * silver]
    for table in ("publications", "mentions", "journals", "journal_drugs", "atc_classes", "drugs"):
        for call in (lake.scan, lake.files):
            message = refused(lambda call=call, table=table: call(table), exceptions.SourceNotFoundError)  # type: ignore[misc]
            assert "gold/_manifest.json: not found" in message and "run the gold step first" in message
    for table in ("publications_all", "rejected", "deleted", "journal_ids"):
        assert len(lake.scan(table).read()) == counts[table]
    assert hashes(tmp_path / "lake") == before


def test_a_duckdb_of_a_lake_without_gold(tmp_path: Path) -> None:
    """`Lake.duckdb` documents no error for it, and `tables` lists every table."""
    (tmp_path / "lake").mkdir()
    with Lake(tmp_path / "lake").duckdb() as connection:
        for table in TABLES:
            assert connection.sql(f"SELECT * FROM {table}").fetchall() == []


READERS: dict[str, Callable[[drugs_rs.TableScan], object]] = {
    "read": lambda scan: scan.read(),
    "iterate": list,
    "pyarrow": pyarrow.table,
    "to_polars": lambda scan: scan.to_polars(),
}


@pytest.mark.parametrize("fault", ["missing", "longer", "shorter"])
@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_is_not_as_it_was_written(fault: str, reader: str, lake: Path) -> None:
    path = Path(Lake(lake).files("mentions", kind="clinical_trial")["uri"][0])
    data = path.read_bytes()
    path.unlink()
    if fault != "missing":
        path.write_bytes(data + b"x" if fault == "longer" else data[:-1])
    before = hashes(lake)
    message = refused(lambda: READERS[reader](Lake(lake).scan("mentions")), OSError)
    assert str(path) in message and "drugs-rs lake verify" in message, message
    assert len(scanned(lake, "mentions", kind="preprint")) == 1, "others are read"
    assert hashes(lake) == before


@pytest.mark.parametrize("table", ["publications", "mentions", "journal_drugs"])
def test_a_scan_of_damaged_bytes_ends(table: str, lake: Path) -> None:
    """Sizes are checked and digests are not: a flipped bit gives an error, or other values, and never ends Python."""
    path = max((Path(uri) for uri in Lake(lake).files(table)["uri"]), key=lambda path: path.stat().st_size)
    data, dice = path.read_bytes(), random.Random(20261129)
    refusals = 0
    for _ in range(150):
        place = dice.randrange(len(data))
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :])
        try:
            Lake(lake).scan(table).read().to_dicts()
        except (exceptions.DrugsError, ValueError, OverflowError):  # the last two: a day that Python does not have
            refusals += 1
    assert refusals > 20


def with_format(manifest: Path, number: int) -> None:
    """Say another format; a manifest that was edited by hand has no digest."""
    content = json.loads(manifest.read_text(encoding="utf-8"))
    assert content["format"] < number
    manifest.write_text(json.dumps({**content, "format": number, "sha256": None}), encoding="utf-8")


def test_a_newer_format_is_refused(lake: Path) -> None:
    def all_refuse(path: str, *calls: Callable[[], object]) -> None:
        before = hashes(lake)
        for call in calls:
            message = refused(call, exceptions.FormatError)
            assert path in message and "format 99" in message and "upgrade drugs_rs" in message, message
        assert hashes(lake) == before

    found = Lake(lake)
    silver = f"silver/manifests/pubmed/dt={FIRST}.json"
    with_format(lake / silver, 99)
    all_refuse(
        silver,
        *(lambda table=table: found.scan(table) for table in ("publications_all", "rejected", "deleted")),
        *(found.tables, found.status, found.duckdb),
        lambda: drugs_rs.silver(lake=lake, dt=FIRST),
        lambda: drugs_rs.gold(lake=lake, dt=FOURTH),
    )
    with_format(lake / "gold" / "_manifest.json", 99)
    all_refuse(
        "gold/_manifest.json",
        *(lambda table=table: found.scan(table) for table in ("publications", "mentions", "journals", "drugs")),
        *(found.tables, found.status, lambda: drugs_rs.read_graph(lake), lambda: drugs_rs.gold(lake=lake, dt=FOURTH)),
    )


def test_partitions_of_the_first_format_are_refused(lake: Path) -> None:
    """Their manifest was in the folder of the publications."""
    expected = {table: scanned(lake, table) for table in TABLES}
    folder = lake / "silver" / "publications" / "kind=pubmed" / f"dt={FIRST}"
    (lake / "silver" / "manifests" / "pubmed" / f"dt={FIRST}.json").rename(folder / "_manifest.json")
    before = hashes(lake)
    found = Lake(lake)
    calls: list[Callable[[], object]] = [found.tables, found.status, lambda: drugs_rs.gold(lake=lake, dt=FOURTH)]
    for call in (*calls, lambda: found.files("publications_all"), lambda: found.scan("rejected")):
        message = refused(call, exceptions.FormatError)
        assert f"{folder}/_manifest.json" in message and f"run silver of dt={FIRST}" in message, message
    assert hashes(lake) == before
    drugs_rs.silver(lake=lake, dt=FIRST)
    drugs_rs.gold(lake=lake, dt=FOURTH)
    assert not (folder / "_manifest.json").exists()
    assert {table: scanned(lake, table) for table in TABLES} == expected
