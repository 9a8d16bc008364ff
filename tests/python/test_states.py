"""Earlier states of a lake: read to the row, kept as long as wanted, given up whole."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import lake_story
import pytest
from lake_state import hashes

import drugs_rs
from drugs_rs import exceptions

TABLES = (
    "publications",
    "mentions",
    "journals",
    "journal_drugs",
    "drugs",
    "atc_classes",
    "rejected",
    "publications_all",
)


def rows(lake: drugs_rs.Lake, table: str) -> list[str]:
    """All rows of a table, in no order."""
    return sorted(json.dumps(row, default=str) for row in lake.scan(table).read().to_dicts())


def test_every_earlier_state_has_the_rows_that_it_had(story: dict[str, Path]) -> None:
    lake = drugs_rs.Lake(story["released"])
    numbers = lake.states()["state"]
    assert numbers == list(range(1, len(lake_story.STATES) + 1))
    for number, name in zip(numbers, lake_story.STATES):
        then, now = drugs_rs.Lake(story[name]), lake.at(number)
        for table in TABLES:
            assert rows(now, table) == rows(then, table), (name, table)
        tables = [now.tables().to_dicts(), then.tables().to_dicts()]
        assert tables[0] == tables[1]
        # Files of a state are files that any reader of Parquet can open.
        for uri in now.files("mentions")["uri"]:
            assert Path(uri).is_file()


def test_a_state_is_found_by_a_date(story: dict[str, Path]) -> None:
    lake = drugs_rs.Lake(story["released"])
    reached = dict(zip(lake.states()["state"], lake.states()["as_of"]))
    assert lake.at(lake_story.FIRST).scan("mentions").read().num_rows == lake.at(1).scan("mentions").read().num_rows
    assert rows(lake.at("2999-01-01"), "mentions") == rows(lake, "mentions")
    newest = max(number for number, as_of in reached.items() if as_of <= lake_story.SECOND)
    assert rows(lake.at(lake_story.SECOND), "publications") == rows(lake.at(newest), "publications")
    for wrong in (0, 99, "1999-01-01"):
        with pytest.raises(exceptions.SourceNotFoundError, match="one of the states 1 to 6") as caught:
            lake.at(wrong)
        assert "given up" not in str(caught.value)
    with pytest.raises(exceptions.ArgumentError, match="ISO date"):
        lake.at("yesterday")
    with pytest.raises(TypeError, match="number from 1 on"):
        lake.at(-1)


def test_a_state_is_a_lake_that_can_be_named_and_sent(story: dict[str, Path]) -> None:
    lake = drugs_rs.Lake(story["released"])
    for state in (2, lake_story.SECOND):
        earlier = lake.at(state)
        again = pickle.loads(pickle.dumps(earlier))
        assert again == earlier != lake
        assert hash(again) == hash(earlier)
        assert (again.state, lake.state) == (state, None)
        assert repr(earlier) == f"{lake!r}.at({json.dumps(state)})"


def test_gold_gives_up_what_is_not_to_be_kept(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    days = lake_story.sources(tmp_path)
    for number, dt in enumerate((lake_story.FIRST, lake_story.SECOND, lake_story.THIRD), start=1):
        drugs_rs.run(lake=lake, dt=dt, keep="1 states", **days[dt])
        assert drugs_rs.Lake(lake).states()["state"] == list(range(max(1, number - 1), number + 1))
    last = drugs_rs.Lake(lake).at(2)
    assert last.scan("publications").read().num_rows > 0
    with pytest.raises(exceptions.SourceNotFoundError, match="states 2 to 3"):
        drugs_rs.Lake(lake).at(1)
    before = hashes(lake)
    would = drugs_rs.Lake(lake).vacuum(keep="0 states", dry_run=True)["path"]
    assert "states/00000002.json" in would and hashes(lake) == before
    assert drugs_rs.Lake(lake).vacuum(keep="0 states")["path"] == would
    assert drugs_rs.Lake(lake).states()["state"] == [3]
    kept = [name for name in hashes(lake) if name.startswith("states/")]
    assert kept == ["states/00000003.json"]
    with pytest.raises(exceptions.DrugsError):
        last.scan("publications").read()
    assert not drugs_rs.Lake(lake).vacuum(keep="0 states")["path"]
    # Nothing else was touched.
    assert {name for name in before if not name.startswith("states/")} == {
        name for name in hashes(lake) if not name.startswith("states/")
    }


def test_keep_says_what_it_understands(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    for keep in ("", "ten days", "10", "-1 days", "3 weeks"):
        with pytest.raises(exceptions.ArgumentError, match="30 days"):
            drugs_rs.Lake(tmp_path / "lake").vacuum(keep=keep)


def test_a_number_alone_is_a_type_error_that_names_keep(tmp_path: Path) -> None:
    lake: Any = tmp_path / "lake"
    lake.mkdir()
    three: Any = 3
    for call in (
        lambda: drugs_rs.run(
            lake=lake, dt=lake_story.FIRST, keep=three, **lake_story.sources(tmp_path)[lake_story.FIRST]
        ),
        lambda: drugs_rs.gold(lake=lake, dt=lake_story.FIRST, keep=three),
        lambda: drugs_rs.Lake(lake).vacuum(keep=three),
    ):
        with pytest.raises(TypeError) as refused:
            call()
        assert str(refused.value) == 'keep must be a string such as "30 days" or "10 states", not int'


def test_a_run_without_a_change_makes_no_state(tmp_path: Path) -> None:
    days = lake_story.sources(tmp_path)
    for _ in range(2):
        drugs_rs.run(lake=tmp_path / "lake", dt=lake_story.FIRST, **days[lake_story.FIRST])
    assert drugs_rs.Lake(tmp_path / "lake").states()["state"] == [1]


def test_a_kept_file_that_somebody_removed_is_named(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    days = lake_story.sources(tmp_path)
    for dt in (lake_story.FIRST, lake_story.SECOND):
        drugs_rs.run(lake=lake, dt=dt, **days[dt])
    for path in (lake / "states" / "kept").rglob("*.parquet"):
        path.unlink()
    with pytest.raises(exceptions.SourceNotFoundError, match=r"of state 1.*kept as long as its state"):
        drugs_rs.Lake(lake).at(1).scan("mentions").read()
    assert drugs_rs.Lake(lake).scan("mentions").read().num_rows > 0


def test_a_compaction_of_the_index_changes_no_table(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    days = lake_story.sources(tmp_path)
    for dt in (lake_story.FIRST, lake_story.SECOND, lake_story.THIRD):
        drugs_rs.run(lake=lake, dt=dt, **days[dt])
    before = {table: rows(drugs_rs.Lake(lake), table) for table in TABLES}
    assert not drugs_rs.Lake(lake).compact(older_than_days=3000)["path"]
    made = drugs_rs.Lake(lake).compact(older_than_days=0)
    assert made.column_names == ["path", "partitions", "bytes"]
    assert "gold/index/kind=pubmed/keys.bin" in made["path"]
    for state in (None, 3):
        now = drugs_rs.Lake(lake) if state is None else drugs_rs.Lake(lake).at(state)
        assert {table: rows(now, table) for table in TABLES} == before
    assert drugs_rs.gold(lake=lake, dt=lake_story.THIRD)["unchanged"]
    drugs_rs.run(lake=lake, dt=lake_story.FOURTH, **days[lake_story.FOURTH])
    assert drugs_rs.Lake(lake).states()["state"] == [1, 2, 3, 4]
    assert drugs_rs.Lake(lake).at(3).scan("mentions").read().num_rows == len(before["mentions"])


def test_a_state_has_the_history_of_the_lake(story: dict[str, Path]) -> None:
    """It had none: reports are files of no state."""
    lake = drugs_rs.Lake(story["released"])
    assert lake.at(2).history().to_dicts() == lake.history().to_dicts() != []


def test_a_folder_that_is_no_lake_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    """The folder of the sources, named by mistake, looked like a healthy lake with empty tables."""
    (tmp_path / "landing").mkdir()
    assert not any(drugs_rs.Lake(tmp_path / "landing").tables()["rows"])
    (tmp_path / "landing" / "drugs.csv").write_text("atccode,drug\n", encoding="utf-8")
    for read in (drugs_rs.Lake.tables, drugs_rs.Lake.status):
        with pytest.raises(exceptions.SourceNotFoundError, match="with `bronze`, `silver` or `gold` in it"):
            read(drugs_rs.Lake(tmp_path / "landing"))


def test_the_history_says_what_was_dropped_and_what_is_left(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    days = lake_story.sources(tmp_path)
    for dt in (lake_story.FIRST, lake_story.SECOND):
        drugs_rs.run(lake=lake, dt=dt, **days[dt])
    drugs_rs.Lake(lake).drop(dt=lake_story.SECOND)
    gold, drop = drugs_rs.Lake(lake).history().to_dicts()[-2:]
    if gold["step"] == "drop":
        gold, drop = drop, gold
    assert (drop["step"], json.loads(drop["settings"])) == ("drop", {"dt": lake_story.SECOND})
    assert gold["step"] == "gold"
    assert gold["publications"] == drugs_rs.Lake(lake).scan("publications").read().num_rows


def test_states_are_kept_by_the_days_since_they_were_the_newest(tmp_path: Path) -> None:
    """A state goes when its successor is too old, whatever its own age: until then it was what readers saw."""
    lake = tmp_path / "lake"
    days = lake_story.sources(tmp_path)
    for dt in (lake_story.FIRST, lake_story.SECOND, lake_story.THIRD):
        drugs_rs.run(lake=lake, dt=dt, **days[dt])
    for number, committed_at in ((1, "2020-01-01T00:00:00.000Z"), (2, "2020-02-01T00:00:00.000Z")):
        path = lake / "states" / f"{number:08}.json"
        record = json.loads(path.read_text(encoding="utf-8"))
        # A record without its digest is not checked.
        del record["sha256"]
        path.write_text(json.dumps({**record, "committed_at": committed_at}), encoding="utf-8")
    assert not drugs_rs.Lake(lake).vacuum(keep="40000 days", dry_run=True)["path"]
    gone = drugs_rs.Lake(lake).vacuum()["path"]
    assert gone == ["states/00000001.json", "states/kept/00000002"]
    # The second state was the newest until today.
    assert drugs_rs.Lake(lake).at(2).scan("publications").read().num_rows > 0
    assert drugs_rs.Lake(lake).states()["state"] == [2, 3]
