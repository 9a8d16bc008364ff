"""A plan says what a run does, changes nothing, and is true: the run that follows writes those files and no others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple

import pytest
import shell
from lake_state import stamps
from lake_story import BAD, FIRST, FOURTH, SECOND, THIRD, sources
from written_sources import write_drugs, write_pubmed

import drugs_rs

pytestmark = pytest.mark.core

Days = Dict[str, Dict[str, Any]]


class Case(NamedTuple):
    """What happens to a lake of three days, and what a plan for gold says of it."""

    happens: Callable[[Path, Path], object]
    dt: str = THIRD
    options: tuple[str, ...] = ()
    # (kind, dt, change) of the partitions.
    partitions: tuple[tuple[str, str, str], ...] = ()
    unchanged: bool = False
    everything: str | None = None
    mentions: str | None = None
    told: str = "gold as of"


def step(lake: Path, dt: str, **delivered: Any) -> None:
    """Bronze and silver, without gold."""
    for table, source in delivered.items():
        drugs_rs.bronze(lake=lake, dt=dt, **{table: source})
    drugs_rs.silver(lake=lake, dt=dt)


def redeliver(lake: Path, folder: Path) -> None:
    step(lake, SECOND, pubmed=write_pubmed(folder / "again.csv", ("1", "Digoxin", "2020-01-02", "Annals")))


def vocabulary(lake: Path, folder: Path) -> None:
    step(lake, THIRD, drugs=write_drugs(folder / "words.csv", ("B01AA03", "WARFARIN"), ("C01AA05", "Digoxin")))


def held_before(lake: Path, _: Path) -> None:
    drugs_rs.hold(lake, SECOND, BAD)
    drugs_rs.gold(lake=lake, dt=THIRD)
    drugs_rs.release(lake, SECOND)


def cut(name: str) -> Callable[[Path, Path], object]:
    """Halve a file of gold."""

    def damage(lake: Path, _: Path) -> None:
        path = lake / "gold" / name
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])

    return damage


def remove(name: str) -> Callable[[Path, Path], object]:
    return lambda lake, _: (lake / "gold" / name).unlink()


def nothing(_lake: Path, _folder: Path) -> None:
    """Nothing happens."""


SECOND_PARTITIONS = (("clinical_trial", SECOND), ("pubmed", SECOND))
PART = f"kind=pubmed/dt={FIRST}/part-00000"
CASES = {
    "nothing new": Case(nothing, unchanged=True, told="nothing to do"),
    "a new day": Case(
        lambda lake, folder: step(lake, FOURTH, pubmed=sources(folder)[FOURTH]["pubmed"]),
        FOURTH,
        partitions=(("pubmed", FOURTH, "new"),),
        told=f"add kind=pubmed dt={FOURTH}",
    ),
    "a redelivery": Case(redeliver, partitions=(("pubmed", SECOND, "replaced"),)),
    "a hold": Case(
        lambda lake, _: drugs_rs.hold(lake, SECOND, BAD),
        partitions=tuple((*partition, "removed") for partition in SECOND_PARTITIONS),
        told=f"take out kind=pubmed dt={SECOND}",
    ),
    "a release": Case(held_before, partitions=tuple((*partition, "new") for partition in SECOND_PARTITIONS)),
    "another vocabulary": Case(vocabulary, mentions="vocabulary", told="all mentions are searched again"),
    "another setting of the matcher": Case(nothing, options=("--boundary", "none"), mentions="setting of the matcher"),
    "another unit": Case(nothing, options=("--unit", "code")),
    "without the graph": Case(nothing, options=("--graph", "none")),
    "a missing table": Case(
        remove(f"publications/{PART}.parquet"), partitions=(("pubmed", FIRST, "kept"),), told="missing"
    ),
    "missing mentions": Case(
        remove(f"mentions/{PART}.parquet"), partitions=(("pubmed", FIRST, "kept"),), told="missing"
    ),
    "a cut table": Case(cut(f"publications/{PART}.parquet"), partitions=(("pubmed", FIRST, "kept"),), told="missing"),
    "a missing answer": Case(remove("top_journals.json"), told="gold as of"),
    "missing sums": Case(remove("index/sums.bin"), everything="sums.bin is missing", told="sums.bin"),
    "a cut index": Case(cut(f"index/{PART}.bin"), everything="missing or damaged"),
    "missing keys": Case(remove(f"index/kind=pubmed/dt={FIRST}/keys.bin"), everything="missing or damaged"),
    "no manifest": Case(remove("_manifest.json"), everything="no gold layer"),
}
# `explain` does not look at the tables of kept partitions, as `make` does.


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake to copy, and its sources."""
    folder = tmp_path_factory.mktemp("plans")
    days = sources(folder)
    for dt in (FIRST, SECOND, THIRD):
        drugs_rs.run(lake=folder / "lake", dt=dt, **days[dt])
    return folder


def explained(lake: Path, *arguments: str) -> tuple[str, dict[str, Any]]:
    """Both forms of a plan, after a check that making them changes nothing."""
    before = stamps(lake)
    text, form = (shell.drugs_rs(*arguments, "--explain-plan", *more) for more in ((), ("--json",)))
    assert (text.returncode, form.returncode, text.stderr, form.stderr) == (0, 0, b"", b"")
    assert stamps(lake) == before
    plan: dict[str, Any] = json.loads(form.stdout)
    return text.stdout.decode(), plan


def check_truth(plan: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Compare a plan with the files of gold that a run changed."""
    changed = {path for path in {*before, *after} if path.startswith("gold/") and before.get(path) != after.get(path)}
    assert plan["unchanged"] == (not changed), changed
    if plan["everything"] is None and plan["mentions"] is None and not plan["partitions"]:
        tables = [path for path in changed if path.startswith(("gold/publications/", "gold/mentions/"))]
        assert not tables, "tables were written, and the plan has no reason"
    for partition in plan["partitions"]:
        folder = f"kind={partition['kind']}/dt={partition['dt']}/part-00000"
        for path in (f"gold/publications/{folder}.parquet", f"gold/mentions/{folder}.parquet"):
            assert (path in after) == (partition["change"] != "removed"), path
            if partition["change"] in ("new", "replaced", "removed"):
                assert path in changed, path
    if plan["mentions"] is None and plan["everything"] is None:
        new = {path for path in after if path.startswith("gold/mentions/") and path not in before}
        named = {f"kind={row['kind']}/dt={row['dt']}" for row in plan["partitions"]}
        assert {path.split("/part")[0][len("gold/mentions/") :] for path in new} <= named


@pytest.mark.parametrize(
    "name",
    [*CASES],
)
def test_a_plan_of_gold_is_true(name: str, three_days: Path, tmp_path: Path) -> None:
    case, lake = CASES[name], tmp_path / "lake"
    shutil.copytree(str(three_days / "lake"), str(lake))
    case.happens(lake, tmp_path)
    arguments = ("gold", "--out", str(lake), "--dt", case.dt, *case.options)
    text, plan = explained(lake, *arguments)
    # The plan comes before the run, and its truth shows after it.
    before = stamps(lake)
    done = shell.drugs_rs(*arguments, "--json")
    assert done.returncode == 0, done
    check_truth(plan, before, stamps(lake))
    report = json.loads(done.stdout)
    assert (plan["unchanged"], plan["as_of"]) == (report["unchanged"], report["as_of"])
    assert case.told in text
    assert (plan["unchanged"], plan["graph"]) == (
        case.unchanged,
        "none" not in case.options or name != "without the graph",
    )
    found = sorted((row["kind"], row["dt"], row["change"]) for row in plan["partitions"])
    assert found == sorted(case.partitions) or case.everything is not None
    for key in ("everything", "mentions"):
        wanted = getattr(case, key)
        assert (plan[key] is None) == (wanted is None) and (wanted or "") in (plan[key] or "")
    _, plan = explained(lake, *arguments)
    assert plan["unchanged"]


def run_arguments(lake: Path, dt: str, **delivered: Any) -> list[str]:
    return shell.run_arguments({table: str(source) for table, source in delivered.items()}, lake, dt)


def test_plans_of_a_run(three_days: Path, tmp_path: Path) -> None:
    lake, days = tmp_path / "lake", sources(tmp_path)
    shutil.copytree(str(three_days / "lake"), str(lake))
    days[FIRST] = sources(three_days)[FIRST]
    text, plan = explained(lake, *run_arguments(lake, FIRST, **days[FIRST]))
    assert "nothing to do" in text and plan["gold"]["unchanged"]
    assert not any(source["changed"] for source in plan["sources"])
    text, plan = explained(lake, *run_arguments(lake, FOURTH, **days[FOURTH]))
    assert all(source["changed"] for source in plan["sources"]) and "bronze has no copies" in text
    other = write_pubmed(tmp_path / "other.csv", ("1", "Warfarin", "2020", "BMJ"))
    _, plan = explained(lake, *run_arguments(lake, FIRST, **{**days[FIRST], "pubmed": other}))
    assert {source["name"]: source["changed"] for source in plan["sources"]} == {
        "drugs": False, "pubmed": True, "clinical_trials": False, "preprints": False,
    }  # fmt: skip
    drugs_rs.run(lake=lake, dt=FIRST, **{**days[FIRST], "pubmed": other})
    _, plan = explained(lake, *run_arguments(lake, FIRST, **{**days[FIRST], "pubmed": other}))
    assert not any(source["changed"] for source in plan["sources"]) and plan["gold"]["unchanged"]
    drugs_rs.hold(lake, SECOND, BAD)
    _, plan = explained(lake, *run_arguments(lake, FIRST, **{**days[FIRST], "pubmed": other}))
    assert [row["change"] for row in plan["gold"]["partitions"]] == ["removed", "removed"]


def test_a_plan_of_a_first_run_makes_no_lake(tmp_path: Path) -> None:
    days = sources(tmp_path)
    for more in ((), ("--json",)):
        done = shell.drugs_rs(*run_arguments(tmp_path / "lake", FIRST, **days[FIRST]), "--explain-plan", *more)
        assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["gold"] is None
    assert not (tmp_path / "lake").exists()
    done = shell.drugs_rs("gold", "--out", tmp_path / "lake", "--dt", FIRST, "--explain-plan")
    assert done.returncode != 0 and b"Traceback" not in done.stderr and str(tmp_path / "lake").encode() in done.stderr
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize("option", ["--month-first", "lost"])
def test_a_plan_of_a_run_knows_silver(option: str, three_days: Path, tmp_path: Path) -> None:
    lake, days = tmp_path / "lake", sources(three_days)
    shutil.copytree(str(three_days / "lake"), str(lake))
    options = [option] if option.startswith("-") else []
    if not options:
        (lake / f"silver/publications/kind=pubmed/dt={FIRST}/part-00000.parquet").unlink()
    arguments = [*run_arguments(lake, FIRST, **days[FIRST]), *options]
    _, plan = explained(lake, *arguments)
    before = stamps(lake)
    assert shell.drugs_rs(*arguments).returncode == 0
    changed = [path for path, stamp in stamps(lake).items() if path.startswith("silver/") and before.get(path) != stamp]
    assert bool(changed) == any(source["changed"] for source in plan["sources"])


def test_a_plan_names_the_settings_that_change(three_days: Path, tmp_path: Path) -> None:
    """Answers by code in a lake of substances: the plan said that nothing but the graph would be written."""
    lake = tmp_path / "lake"
    shutil.copytree(str(three_days / "lake"), str(lake))
    text, plan = explained(lake, "gold", "--out", str(lake), "--dt", THIRD, "--unit", "code")
    assert "unit changes from substance to code" in text
    assert plan["settings"] == [["unit", "substance", "code"]]
