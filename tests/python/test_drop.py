"""A drop leaves the lake that there would be without the rows, and says truly what it did."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import shell
from lake_state import hashes, stamps
from lake_story import BAD, EARLY, FIRST, FOURTH, SECOND, TABLES, THIRD, Row, in_order, scanned, sources
from lake_tables import without
from written_sources import write_drugs, write_pubmed

import drugs_rs
from drugs_rs import Lake, exceptions

pytestmark = pytest.mark.core

ORDER = (FIRST, SECOND, THIRD, EARLY)


def made(lake: Path, days: dict[str, dict[str, Any]], *dates: str, **settings: Any) -> Path:
    """A lake of some dates."""
    for dt in dates or ORDER:
        drugs_rs.run(lake=lake, dt=dt, **days[dt], **settings)
    return lake


def tables(lake: Path) -> dict[str, list[Row]]:
    """All tables, without the places of rows in their sources."""
    return {table: in_order(without(scanned(lake, table), "source_uri", "source_row", "message")) for table in TABLES}


def data_files(lake: Path) -> dict[str, str]:
    """The tables, answers and indexes of gold."""
    found = hashes(lake, "gold")
    del found["gold/_manifest.json"]
    return found


def whole(lake: Path) -> None:
    """Check every digest."""
    done = shell.drugs_rs("lake", "verify", lake)
    assert done.returncode == 0, done


def paths(result: drugs_rs.Table, action: str) -> list[str]:
    """The paths of one action."""
    return [row["path"] for row in result.to_dicts() if row["action"] == action]


def covered(path: str, units: list[str]) -> bool:
    """Whether a path is one of these, or below one."""
    return any(path == unit or path.startswith(unit + "/") for unit in units)


def check_rows(result: drugs_rs.Table, lake: Path, before: dict[str, Any]) -> None:
    """Every row is true, and nothing but gold and states changed without a row."""
    after = stamps(lake)
    gone, again = paths(result, "removed"), paths(result, "rewritten")
    for path in gone:
        assert any(covered(name, [path]) for name in before), f"{path} was not there"
        assert not (lake / path).exists(), f"{path} is still there"
    for path in again:
        assert before[path] != after[path]
    for path in paths(result, "left"):
        assert (lake / path).exists(), f"{path} is not there"
    for path, stamp in before.items():
        if path.startswith(("gold/", "reports/", "states/", "silver/manifests/")):
            continue
        assert covered(path, gone) == (path not in after), path
        assert covered(path, gone) or covered(path, again) or stamp == after[path], f"{path} changed without a row"


@pytest.mark.parametrize("dt", ORDER)
def test_a_date_is_dropped_as_if_never_delivered(dt: str, tmp_path: Path) -> None:
    days = sources(tmp_path)
    lake = made(tmp_path / "lake", days)
    before = stamps(lake)
    rows = {table: len(found) for table, found in tables(lake).items()}
    would = Lake(lake).drop(dt=dt, dry_run=True)
    assert stamps(lake) == before
    result = Lake(lake).drop(dt=dt)
    assert result.to_dicts() == would.to_dicts()
    check_rows(result, lake, before)
    never = made(tmp_path / "never", days, *(other for other in ORDER if other != dt))
    assert tables(lake) == tables(never)
    assert data_files(lake) == data_files(never)
    assert sum(row["rows"] for row in result) == sum(
        rows[table] - len(found)
        for table, found in tables(lake).items()
        if table in ("publications_all", "drugs_all", "rejected", "deleted", "journal_ids")
    )
    assert not [path for path in hashes(lake) if dt in path and not path.startswith("reports/")]
    whole(lake)
    with pytest.raises(exceptions.SourceNotFoundError, match=f"dt={dt}"):
        Lake(lake).drop(dt=dt)
    # Delivered again, it is there again.
    drugs_rs.run(lake=lake, dt=dt, **days[dt])
    assert tables(lake) == tables(made(tmp_path / "again", days))


def test_dates_before_another_are_dropped(tmp_path: Path) -> None:
    days = sources(tmp_path)
    lake = made(tmp_path / "lake", days)
    before = stamps(lake)
    with pytest.raises(exceptions.SourceNotFoundError, match=f"before dt={EARLY}"):
        Lake(lake).drop(before=EARLY)
    assert stamps(lake) == before
    check_rows(Lake(lake).drop(before=SECOND), lake, before)
    never = made(tmp_path / "never", days, SECOND, THIRD)
    assert tables(lake) == tables(never)
    assert data_files(lake) == data_files(never)
    whole(lake)


@pytest.mark.parametrize("publication", ["1", "2", "NCT2", "10.1101/1"])
def test_a_publication_is_dropped_as_if_never_delivered(publication: str, tmp_path: Path) -> None:
    """`1` is an article of three dates and a trial, `2` is deleted by a notice that stays, `10.1101/1` was alone."""
    days = sources(tmp_path)
    lake = made(tmp_path / "lake", days)
    before = stamps(lake)
    result = Lake(lake).drop(publication_id=publication, dry_run=True)
    assert stamps(lake) == before
    assert Lake(lake).drop(publication_id=publication).to_dicts() == result.to_dicts()
    check_rows(result, lake, before)
    for source in (path for path in paths(result, "left") if Path(path).is_absolute()):
        assert publication in Path(source).read_text(encoding="utf-8")
    for path in tmp_path.glob("*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith(f'"{publication}"')), encoding="utf-8")
    never = made(tmp_path / "never", days)
    assert tables(lake) == tables(never)
    assert data_files(lake) == data_files(never)
    whole(lake)
    with pytest.raises(exceptions.SourceNotFoundError, match=re.escape(publication)):
        Lake(lake).drop(publication_id=publication)


def test_rows_of_a_dropped_publication_are_counted_by_kind_and_date(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", sources(tmp_path))
    result = Lake(lake).drop(publication_id="1")
    wanted = [("pubmed", EARLY), ("pubmed", FIRST), ("pubmed", SECOND), ("clinical_trial", FIRST)]
    assert sorted((row["path"], row["rows"]) for row in result if row["action"] == "rewritten") == sorted(
        (f"silver/publications/kind={kind}/dt={dt}/part-00000.parquet", 1) for kind, dt in wanted
    )
    assert "1" not in {row["publication_id"] for row in scanned(lake, "publications_all")}


def test_the_same_sources_do_not_bring_a_dropped_publication_back(tmp_path: Path) -> None:
    days = sources(tmp_path)
    lake = made(tmp_path / "lake", days)
    for publication in ("1", "3"):
        Lake(lake).drop(publication_id=publication)
    wanted = tables(lake)
    assert not {"1", "3"} & {row["publication_id"] for row in wanted["publications_all"]}
    assert drugs_rs.silver(lake=lake, dt=FIRST)["unchanged"]
    for dt in ORDER:
        drugs_rs.run(lake=lake, dt=dt, **days[dt])
    assert tables(lake) == wanted
    # What the documentation warns of: other settings of silver clean the copies again.
    drugs_rs.silver(lake=lake, dt=FIRST, month_first=True)
    assert "3" in {row["publication_id"] for row in scanned(lake, "publications_all")}


def test_earlier_states_are_given_up(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", sources(tmp_path))
    first, number = Lake(lake).at(1), Lake(lake).states()["state"][-1]
    assert first.scan("publications").read().num_rows
    Lake(lake).drop(publication_id="1")
    assert Lake(lake).states()["state"] == [number + 1]
    assert len(Lake(lake).at(number + 1).scan("publications").read()) == len(scanned(lake, "publications"))
    with pytest.raises(exceptions.SourceNotFoundError):
        first.scan("publications").read()
    assert not (lake / "states" / "kept").exists() or not list((lake / "states" / "kept").rglob("*.*"))


def test_settings_of_gold_stay(tmp_path: Path) -> None:
    days = sources(tmp_path)
    settings: dict[str, Any] = {
        "unit": "code",
        "abstracts": True,
        "graph": "none",
        "boundary": "none",
        "salts": True,
        "extra_stop_words": ["Digoxin"],
        "max_exclusive": 3,
        "abbreviations": True,
        "accents": "keep",
    }
    lake = made(tmp_path / "lake", days, **settings)
    recorded = Lake(lake).history()["settings"][-1]
    Lake(lake).drop(dt=SECOND)
    never = made(tmp_path / "never", days, FIRST, THIRD, EARLY, **settings)
    assert data_files(lake) == data_files(never)
    assert not (lake / "gold" / "drug_graph.json").exists()
    report = drugs_rs.gold(lake=lake, dt=THIRD, **settings)
    assert report["unchanged"], recorded


def test_arguments_that_say_nothing_or_too_much(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", sources(tmp_path), FIRST)
    before = stamps(lake)
    several: tuple[dict[str, Any], ...] = (
        {},
        {"dt": FIRST, "before": SECOND},
        {"dt": FIRST, "publication_id": "1"},
    )
    for wrong in several:
        with pytest.raises(exceptions.ArgumentError, match="one of"):
            Lake(lake).drop(**wrong)
    for publication in ("", " \t"):
        with pytest.raises(exceptions.ArgumentError, match="blank"):
            Lake(lake).drop(publication_id=publication)
    with pytest.raises(exceptions.ArgumentError, match="ISO date"):
        Lake(lake).drop(dt="today")
    with pytest.raises(exceptions.ArgumentError, match="ISO date"):
        Lake(lake).drop(before="2024-13-01")
    with pytest.raises(exceptions.SourceNotFoundError, match="no such"):
        Lake(lake).drop(publication_id="no such")
    with pytest.raises(exceptions.ArgumentError, match="all vocabularies"):
        Lake(lake).drop(dt=FIRST)
    with pytest.raises(exceptions.ArgumentError, match="before.*all vocabularies"):
        Lake(lake).drop(before=THIRD)
    with pytest.raises(exceptions.SourceNotFoundError, match="prefix|folder|lake"):
        Lake(tmp_path / "nothing").drop(dt=FIRST)
    assert stamps(lake) == before
    assert not (tmp_path / "nothing").exists()


def test_a_held_date_is_dropped_with_its_hold(tmp_path: Path) -> None:
    days = sources(tmp_path)
    lake = made(tmp_path / "lake", days, FIRST, SECOND)
    drugs_rs.bronze(lake=lake, dt=FOURTH, pubmed=days[FOURTH]["pubmed"])
    drugs_rs.silver(lake=lake, dt=FOURTH)
    drugs_rs.hold(lake, FOURTH, BAD)
    drugs_rs.gold(lake=lake, dt=FOURTH)
    before = stamps(lake)
    check_rows(Lake(lake).drop(dt=FOURTH), lake, before)
    assert not list((lake / "silver").glob("held/*.json"))
    assert tables(lake) == tables(made(tmp_path / "never", days, FIRST, SECOND))
    # A hold that were left would keep a new delivery out.
    drugs_rs.run(lake=lake, dt=FOURTH, pubmed=days[FOURTH]["pubmed"])
    assert FOURTH in {row["dt"] for row in scanned(lake, "publications")}


def test_a_date_that_bronze_alone_has(tmp_path: Path) -> None:
    days = sources(tmp_path)
    lake = made(tmp_path / "lake", days, FIRST)
    drugs_rs.bronze(lake=lake, dt=SECOND, pubmed=days[SECOND]["pubmed"])
    before = stamps(lake)
    result = Lake(lake).drop(dt=SECOND)
    check_rows(result, lake, before)
    assert paths(result, "removed") == [f"bronze/pubmed/dt={SECOND}"]
    assert not (lake / "bronze" / "pubmed" / f"dt={SECOND}").exists()


def test_a_lake_without_gold_is_dropped_from(tmp_path: Path) -> None:
    days = sources(tmp_path)
    lake = tmp_path / "lake"
    drugs_rs.bronze(lake=lake, dt=FIRST, pubmed=days[FIRST]["pubmed"])
    drugs_rs.silver(lake=lake, dt=FIRST)
    Lake(lake).drop(publication_id="1")
    assert {row["publication_id"] for row in scanned(lake, "publications_all")} == {"2", "3", "8"}
    Lake(lake).drop(dt=FIRST)
    assert not list(lake.glob("*/*/**/*.parquet"))
    drugs_rs.run(lake=lake, dt=FIRST, drugs=write_drugs(tmp_path / "d.csv", ("B01AA03", "WARFARIN")))


def test_the_command_drops_the_same(tmp_path: Path) -> None:
    days = sources(tmp_path)
    one, two = (made(tmp_path / name, days) for name in ("one", "two"))
    before = stamps(one)
    for arguments in (["--dt", SECOND, "--dry-run"], ["--dt", SECOND, "--before", SECOND], []):
        done = shell.drugs_rs("lake", "drop", one, *arguments)
        assert done.returncode == (0 if "--dry-run" in arguments else 2), done
    assert stamps(one) == before
    done = shell.drugs_rs("lake", "drop", one, "--dt", SECOND, "--format", "csv")
    assert done.stdout.decode().splitlines()[0] == "action,path,rows,reason"
    Lake(two).drop(dt=SECOND)
    assert data_files(one) == data_files(two)


def test_two_sources_of_one_date(tmp_path: Path) -> None:
    """The copies of both are named, because bronze is not read; the source of the row is the one that has it."""
    lake = made(tmp_path / "lake", sources(tmp_path), FIRST)
    other = write_pubmed(tmp_path / "other.csv", ("77", "Paracetamol", "2020", "BMJ"))
    drugs_rs.bronze(lake=lake, dt=FIRST, pubmed=other, name="second")
    drugs_rs.silver(lake=lake, dt=FIRST)
    drugs_rs.gold(lake=lake, dt=FIRST)
    left = paths(Lake(lake).drop(publication_id="77"), "left")
    assert str(other) in left and str(tmp_path / "first.csv") not in left
    assert f"bronze/second/dt={FIRST}" in left


def test_the_newest_state_can_be_read_after_a_held_date_is_dropped(tmp_path: Path) -> None:
    days = sources(tmp_path)
    lake = made(tmp_path / "lake", days, FIRST, SECOND, THIRD)
    drugs_rs.hold(lake, SECOND, BAD)
    drugs_rs.gold(lake=lake, dt=THIRD)
    Lake(lake).drop(dt=SECOND)
    (number,) = Lake(lake).states()["state"]
    assert len(Lake(lake).at(number).scan("publications").read()) == len(scanned(lake, "publications"))


def test_the_newest_state_can_be_read_after_an_old_vocabulary_is_dropped(tmp_path: Path) -> None:
    days = sources(tmp_path)
    lake = tmp_path / "lake"
    drugs_rs.bronze(lake=lake, dt=EARLY, drugs=days[EARLY]["drugs"])
    drugs_rs.silver(lake=lake, dt=EARLY)
    made(lake, days, FIRST)
    Lake(lake).drop(dt=EARLY)
    (number,) = Lake(lake).states()["state"]
    assert len(Lake(lake).at(number).scan("publications").read()) == len(scanned(lake, "publications"))


@pytest.mark.parametrize("target", [{"dt": SECOND}, {"before": THIRD}], ids=["dt", "before"])
def test_a_held_vocabulary_is_not_one_that_is_left(target: dict[str, Any], tmp_path: Path) -> None:
    """It failed after the tables of the date and the earlier states were removed, and gold still had their rows."""
    days = sources(tmp_path)
    lake = made(tmp_path / "lake", days, FIRST, SECOND)
    held = FIRST if "dt" in target else FOURTH
    if held == FOURTH:
        drugs_rs.bronze(lake=lake, dt=FOURTH, drugs=days[FOURTH]["drugs"])
        drugs_rs.silver(lake=lake, dt=FOURTH)
    drugs_rs.hold(lake, held, BAD)
    drugs_rs.gold(lake=lake, dt=SECOND)
    before = stamps(lake)
    with pytest.raises(exceptions.DrugsError, match="vocabular|held"):
        Lake(lake).drop(**target)
    assert stamps(lake) == before


def test_gold_stays_at_the_date_that_it_had_reached(tmp_path: Path) -> None:
    """A date that waits for its gold, as between two tasks of a DAG, is not published by a drop."""
    days = sources(tmp_path)
    lake = made(tmp_path / "lake", days, FIRST)
    for table, source in days[SECOND].items():
        drugs_rs.bronze(lake=lake, dt=SECOND, **{table: source})
    drugs_rs.silver(lake=lake, dt=SECOND)
    Lake(lake).drop(publication_id="3")
    assert {row["dt"] for row in scanned(lake, "publications")} == {FIRST}


def test_a_gold_whose_settings_are_not_known_is_named_as_left(tmp_path: Path) -> None:
    """Settings with more than 1,000 stop words are recorded by their digest alone."""
    words = [f"word{n}" for n in range(1500)]
    lake = made(tmp_path / "lake", sources(tmp_path), FIRST, extra_stop_words=words)
    result = Lake(lake).drop(publication_id="3")
    assert "gold" in paths(result, "left")
    assert any("run the gold step" in reason for reason in result["reason"])
    drugs_rs.gold(lake=lake, dt=FIRST, extra_stop_words=words)
    assert "3" not in {row["publication_id"] for row in scanned(lake, "publications")}
    assert Lake(lake).states()["state"] == [2]


def test_every_state_that_is_given_up_has_a_row(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", sources(tmp_path))
    before = set(hashes(lake, "states"))
    result = Lake(lake).drop(publication_id="1")
    gone = before - set(hashes(lake, "states"))
    assert gone and all(covered(path, paths(result, "removed")) for path in gone)


def test_a_notice_of_deletion_is_named_as_left(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", sources(tmp_path))
    result = Lake(lake).drop(publication_id="2")
    assert "2" in {row["publication_id"] for row in scanned(lake, "deleted")}
    assert any("/deleted/" in path for path in paths(result, "left"))


def test_rejected_rows_of_others_are_not_named(tmp_path: Path) -> None:
    lake = made(tmp_path / "lake", sources(tmp_path), FIRST)
    assert '"4"," ","2020","BMJ"' in {row["raw"] for row in scanned(lake, "rejected")}
    assert not [path for path in paths(Lake(lake).drop(publication_id="2"), "left") if "/rejected/" in path]
