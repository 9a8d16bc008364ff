"""Drops, vacuums, states and gold where something is not as it should be: a clear error, and nothing changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Callable

import pytest
import shell
from lake_state import hashes, stamps
from lake_story import EARLY, FIRST, FOURTH, SECOND, TABLES, THIRD, scanned

import drugs_rs
from drugs_rs import Lake, exceptions

pytestmark = pytest.mark.core

CHANGES: dict[str, Callable[[Lake], object]] = {
    "drop a date": lambda lake: lake.drop(dt=SECOND),
    "drop dates": lambda lake: lake.drop(before=SECOND),
    "drop a publication": lambda lake: lake.drop(publication_id="1"),
    "vacuum": lambda lake: lake.vacuum(keep="0 states"),
}
READS: dict[str, Callable[[Lake], object]] = {
    "states": Lake.states,
    "a state": lambda lake: lake.at(1),
    "plan": lambda lake: told_by("gold", "--out", lake.root, "--dt", FOURTH, "--explain-plan"),
}
PART = f"silver/publications/kind=pubmed/dt={FIRST}/part-00000.parquet"


@pytest.fixture
def lake(story: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the last state, to be damaged."""
    shutil.copytree(str(story["released"]), str(tmp_path / "lake"))
    return tmp_path / "lake"


def told_by(*arguments: str) -> None:
    """Run a command that fails; its message is raised."""
    done = shell.drugs_rs(*arguments)
    if done.returncode:
        assert done.stdout == b"" and done.returncode == 1
        raise exceptions.FormatError(done.stderr.decode())


def refused(call: Callable[[], object], kind: type[Exception]) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def with_format(manifest: Path, number: int) -> None:
    """Say another format; a manifest that was edited by hand has no digest."""
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**content, "format": number, "sha256": None}), encoding="utf-8")


@pytest.mark.parametrize("name", [*CHANGES, "states", "a state"])
def test_a_lake_that_is_not_there(name: str, tmp_path: Path) -> None:
    call: Callable[[Lake], object] = {**CHANGES, **READS}[name]
    message = refused(lambda: call(Lake(tmp_path / "lake")), exceptions.SourceNotFoundError)
    assert f"{tmp_path / 'lake'}: not found; expected the folder of a lake" in message
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        *((layer, name) for layer in ("gold", "silver") for name in ("drop a date", "drop a publication", "plan")),
        # A vacuum does not read silver.
        ("gold", "vacuum"),
    ],
)
def test_a_lake_of_a_newer_version(name: str, layer: str, lake: Path) -> None:
    path = "gold/_manifest.json" if layer == "gold" else f"silver/manifests/pubmed/dt={SECOND}.json"
    with_format(lake / path, 99)
    before = stamps(lake)
    message = refused(lambda: {**CHANGES, **READS}[name](Lake(lake)), exceptions.FormatError)
    assert path in message and "format 99" in message and "upgrade drugs_rs" in message
    assert stamps(lake) == before


def test_a_drop_of_others_in_a_lake_of_a_newer_version(lake: Path) -> None:
    with_format(lake / f"silver/manifests/pubmed/dt={THIRD}.json", 99)
    before = stamps(lake)
    assert "format 99" in refused(lambda: Lake(lake).drop(before=SECOND), exceptions.FormatError)
    assert stamps(lake) == before


def test_what_a_state_does_not_have(lake: Path) -> None:
    then = Lake(lake).at(2)
    with pytest.raises(exceptions.ArgumentError, match='did you mean "mentions"'):
        then.scan("mentoins")
    with pytest.raises(exceptions.ArgumentError, match="did you mean `drug`"):
        then.scan("mentions", ["drgu"]).read()
    assert not then.files("mentions", dt=FOURTH)["uri"]
    Lake(lake).vacuum(keep="1 states")
    calls: list[Callable[[], object]] = [then.tables, then.status, lambda: then.scan("mentions").read()]
    for call in (*calls, lambda: then.files("mentions")):
        message = refused(call, exceptions.SourceNotFoundError)
        assert "state 2" in message and "states 5 to 6" in message and "keep" in message


@pytest.mark.parametrize("name", CHANGES)
def test_an_earlier_state_cannot_be_changed(name: str, lake: Path) -> None:
    """`Lake.at` is for reading, and these changed the lake of now."""
    before = stamps(lake)
    with pytest.raises(exceptions.DrugsError, match="earlier state"):
        CHANGES[name](Lake(lake).at(2))
    assert stamps(lake) == before


def test_the_command_says_the_same_of_a_state(story: dict[str, Path]) -> None:
    for state, told in (("99", b"one of the states 1 to 6"), ("x", b"ISO date"), ("1999-01-01", b"one of the states")):
        done = shell.drugs_rs("lake", "tables", story["released"], "--state", state)
        assert done.returncode in (1, 2) and told in done.stderr, done
    done = shell.drugs_rs("lake", "vacuum", story["released"], "--keep", "ten")
    assert done.returncode in (1, 2) and b"30 days" in done.stderr, done


def test_states_can_be_kept_for_ever(lake: Path) -> None:
    """The largest number of days was an internal error, of a run too, whose silver was written by then."""
    assert not Lake(lake).vacuum(keep="4294967295 days")["path"]
    drugs_rs.gold(lake=lake, dt=FOURTH, keep="4294967295 days", graph="none")
    assert len(Lake(lake).states()) == 7


@pytest.mark.parametrize("name", ["states", "a state"])
def test_a_damaged_record_of_a_state(name: str, lake: Path) -> None:
    (lake / "states" / "00000002.json").write_text("{", encoding="utf-8")
    message = refused(lambda: READS[name](Lake(lake)), exceptions.FormatError)
    assert "states/00000002.json" in message
    # A vacuum is the way out.
    Lake(lake).vacuum(keep="0 states")
    assert Lake(lake).states()["state"] == [6]


def alien(lake: Path) -> list[Path]:
    """Put foreign files where tables are."""
    part = lake / f"gold/mentions/kind=pubmed/dt={FIRST}/part-00000.parquet"
    places = [
        "gold/mentions/notes.txt",
        f"gold/mentions/kind=pubmed/dt={FIRST}/alien.parquet",
        f"gold/mentions/kind=pubmed/dt={FIRST}/part-00001.parquet",
        f"silver/publications/kind=pubmed/dt={FIRST}/alien.parquet",
        "gold/index/notes.txt",
        "states/notes.txt",
    ]
    for place in places:
        shutil.copyfile(str(part), str(lake / place))
    return [lake / place for place in places]


@pytest.mark.parametrize("name", ["gold", *CHANGES])
def test_foreign_files_are_nobodys(name: str, lake: Path, tmp_path: Path) -> None:
    """They are read by nobody here, and stay where they are."""
    shutil.copytree(str(lake), str(tmp_path / "clean"))
    found = alien(lake)
    for root in (lake, tmp_path / "clean"):
        if name == "gold":
            drugs_rs.gold(lake=root, dt=FOURTH, unit="code")
        else:
            CHANGES[name](Lake(root))
    for table in TABLES:
        assert scanned(lake, table) == scanned(tmp_path / "clean", table), table
        assert Lake(lake).files(table)["sha256"] == Lake(tmp_path / "clean").files(table)["sha256"]
    strangers = {path.relative_to(lake).as_posix() for path in found}
    assert set(hashes(lake)) - set(hashes(tmp_path / "clean")) >= strangers


def damage(lake: Path, how: str) -> None:
    """Remove a file of silver, add a byte to it, or put another good file there."""
    path = lake / PART
    if how == "missing":
        path.unlink()
    elif how == "longer":
        path.write_bytes(path.read_bytes() + b"x")
    else:
        shutil.copyfile(str(lake / PART.replace(FIRST, EARLY)), str(path))


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ("missing", "drop a publication"),
        ("longer", "drop a publication"),
        ("another", "drop a publication"),
        *((how, "drop a date") for how in ("missing", "longer", "another")),
    ],
)
def test_a_file_that_is_not_the_one_that_was_written(how: str, name: str, lake: Path) -> None:
    damage(lake, how)
    before = stamps(lake)
    message = refused(lambda: CHANGES[name](Lake(lake)), exceptions.DrugsError)
    assert PART in message
    assert stamps(lake) == before, message


@pytest.mark.parametrize("graph", ["json", "none"])
def test_gold_heals_what_is_missing_or_cut(graph: str, lake: Path) -> None:
    settings: dict[str, Any] = {"dt": FOURTH, "graph": graph}
    drugs_rs.gold(lake=lake, **settings)
    wanted = hashes(lake, "gold")
    # A damaged manifest is an error that says what to do.
    for number, name in enumerate(sorted(set(wanted) - {"gold/_manifest.json"})):
        data = (lake / name).read_bytes()
        (lake / name).unlink()
        # Half of the files for one graph, the others for the other.
        if (number % 2 == 0) == (graph == "json"):
            (lake / name).write_bytes(data[: len(data) // 2])
        drugs_rs.gold(lake=lake, **settings)
        assert hashes(lake, "gold") == wanted, name
    shutil.rmtree(str(lake / "gold" / "index"))
    shutil.rmtree(str(lake / "gold" / "mentions" / "kind=pubmed" / f"dt={THIRD}"))
    drugs_rs.gold(lake=lake, **settings)
    assert hashes(lake, "gold") == wanted
