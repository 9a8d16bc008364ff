"""Snapshots: deliveries that replace all earlier ones of their kind, with their guard, and what is made of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import shell
from lake_state import hashes
from written_sources import write, write_drugs, write_pubmed, write_trials

import drugs_rs
from drugs_rs import Lake, exceptions

pytestmark = pytest.mark.core

DAYS = [f"2024-12-{day:02}" for day in range(1, 29)]
DRUGS = (("B01AA03", "warfarin"), ("N02BE01", "paracetamol"))


def rows(*numbers: int, drug: str = "Warfarin") -> list[tuple[str, str, str, str]]:
    return [(str(number), f"{drug} in study {number}", "2024", "Annals") for number in numbers]


class Desk:
    """A lake, and its deliveries in order of their making."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lake, self.number = folder, folder / "lake", 0
        drugs_rs.bronze(lake=self.lake, dt=DAYS[0], drugs=write_drugs(folder / "drugs.csv", *DRUGS))
        drugs_rs.silver(lake=self.lake, dt=DAYS[0])

    def deliver(self, dt: str, articles: list[tuple[str, str, str, str]], **options: Any) -> dict[str, Any]:
        """Bronze, silver and gold of articles; the report of silver."""
        self.number += 1
        source = write_pubmed(self.folder / f"articles{self.number}.csv", *articles)
        drugs_rs.bronze(lake=self.lake, dt=dt, pubmed=source, **options)
        report = drugs_rs.silver(lake=self.lake, dt=dt, tables=["pubmed"])
        self.gold()
        return report

    def gold(self) -> None:
        """Gold of the last day."""
        drugs_rs.gold(lake=self.lake, dt=DAYS[-1])

    def ids(self) -> set[str]:
        """The current articles."""
        return set(Lake(self.lake).scan("publications", ["publication_id"]).read()["publication_id"])

    def is_as_from_nothing(self) -> bool:
        """Whether gold has the bytes of a gold from nothing."""
        copy = self.folder / "copy"
        shutil.rmtree(str(copy), ignore_errors=True)
        shutil.copytree(str(self.lake / "silver"), str(copy / "silver"))
        drugs_rs.gold(lake=copy, dt=DAYS[-1])
        return hashes(copy, "gold") == hashes(self.lake, "gold")


def causes(lake: Path, *states: int) -> set[tuple[str, str, str]]:
    return {(row["change"], row["cause"], row["publication_id"]) for row in Lake(lake).diff(*states).to_dicts()}


def test_a_snapshot_replaces_all_earlier_deliveries(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.deliver(DAYS[1], rows(*range(100)))
    desk.deliver(DAYS[2], rows(5, 200, drug="Paracetamol"))
    report = desk.deliver(DAYS[3], rows(*range(99), 300), snapshot=True)
    assert report["absent"] == 2
    assert desk.ids() == {str(number) for number in (*range(99), 300)}
    assert causes(desk.lake) == {
        ("lost", "absent_from_snapshot", "99"),
        ("lost", "absent_from_snapshot", "200"),
        ("gained", "new_publication", "300"),
        ("lost", "changed_publication", "5"),
        ("gained", "changed_publication", "5"),
    }
    assert {row["cause_dt"] for row in Lake(desk.lake).diff().to_dicts()} == {DAYS[3]}
    assert desk.is_as_from_nothing()
    with pytest.raises(exceptions.SourceNotFoundError, match=f"before the snapshot of dt={DAYS[3]}, which lacks it"):
        Lake(desk.lake).explain("99", "warfarin")
    left = Lake(desk.lake).evidence("warfarin", "99")["history"][-1]
    assert (left["event"], left["cause"], left["cause_dt"]) == ("left", "absent_from_snapshot", DAYS[3])


def test_deliveries_before_and_after_a_snapshot(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.deliver(DAYS[2], rows(1, 2, 3))
    desk.deliver(DAYS[5], rows(1, 2), snapshot=True, max_absent="50%")
    # A late delivery of a day before it brings nothing, one of a day after it does.
    desk.deliver(DAYS[3], rows(3, 4))
    assert desk.ids() == {"1", "2"} and desk.is_as_from_nothing()
    desk.deliver(DAYS[7], rows(3))
    assert desk.ids() == {"1", "2", "3"} and desk.is_as_from_nothing()
    # Another snapshot, before the first: it is replaced too.
    assert desk.deliver(DAYS[4], rows(1, 2, 3, 4, 9), snapshot=True)["absent"] == 0
    assert desk.ids() == {"1", "2", "3"} and desk.is_as_from_nothing()
    # And one after it.
    assert desk.deliver(DAYS[9], rows(2, 3, 8), snapshot=True, max_absent="40%")["absent"] == 1
    assert desk.ids() == {"2", "3", "8"} and desk.is_as_from_nothing()
    assert ("lost", "absent_from_snapshot", "1") in causes(desk.lake)


def test_a_snapshot_that_is_delivered_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.deliver(DAYS[1], rows(*range(10)))
    first = desk.deliver(DAYS[2], rows(*range(9)), snapshot=True, max_absent="10%")
    before = hashes(desk.lake, "gold", "silver")
    desk.number -= 1
    again = desk.deliver(DAYS[2], rows(*range(9)), snapshot=True, max_absent="10%")
    assert again["unchanged"] and again["absent"] == first["absent"] == 1
    assert hashes(desk.lake, "gold", "silver") == before
    assert {row["dt"] for row in Lake(desk.lake).status() if row["snapshot"]} == {DAYS[2]}
    # With more in it, what it lacked comes back; and as no snapshot at all, all of it.
    desk.deliver(DAYS[2], rows(*range(10)), snapshot=True)
    assert causes(desk.lake) == {("gained", "new_publication", "9")}
    desk.deliver(DAYS[2], rows(0))
    assert desk.ids() == {str(number) for number in range(10)} and desk.is_as_from_nothing()
    assert not any(row["snapshot"] for row in Lake(desk.lake).status())


def test_a_snapshot_that_is_held(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.deliver(DAYS[1], rows(1, 2, 3))
    desk.deliver(DAYS[2], rows(1, 2), snapshot=True, max_absent="50%")
    drugs_rs.hold(desk.lake, DAYS[2], "suspicious")
    desk.gold()
    assert desk.ids() == {"1", "2", "3"} and desk.is_as_from_nothing()
    assert causes(desk.lake) == {("gained", "held", "3")}
    drugs_rs.release(desk.lake, DAYS[2])
    desk.gold()
    assert desk.ids() == {"1", "2"} and desk.is_as_from_nothing()
    assert causes(desk.lake) == {("lost", "released", "3")}
    assert causes(desk.lake, 1, 4) == {("lost", "absent_from_snapshot", "3")}


def test_each_kind_has_its_own_snapshots(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.deliver(DAYS[1], rows(1, 2))
    trials = write_trials(tmp_path / "trials.csv", ("NCT1", "Warfarin", "2024", "Annals"))
    drugs_rs.run(lake=desk.lake, dt=DAYS[3], clinical_trials=trials, snapshot=True)
    assert desk.ids() == {"1", "2", "NCT1"}


def test_the_guard_refuses_a_daily_file_by_mistake(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.deliver(DAYS[1], rows(*range(100)))
    before = hashes(desk.lake, "silver", "gold")
    with pytest.raises(exceptions.LossError) as refused:
        desk.deliver(DAYS[2], rows(*range(97)), snapshot=True)
    assert f"the snapshot of dt={DAYS[2]} lacks 3 of the 100 publications before it (3.0 %), and max_absent=2%" in str(
        refused.value
    )
    assert "run bronze of that dt again without snapshot" in str(refused.value)
    assert hashes(desk.lake, "silver", "gold") == before
    # Both remedies.
    desk.deliver(DAYS[2], rows(*range(97)), snapshot=True, max_absent="3%")
    assert len(desk.ids()) == 97
    desk.deliver(DAYS[2], rows(*range(97)))
    assert len(desk.ids()) == 100
    done = shell.drugs_rs(
        *("run", "--out", desk.lake, "--dt", DAYS[4], "--pubmed", write_pubmed(tmp_path / "one.csv", *rows(1))),
        *("--snapshot", "--max-absent", "0.5%", "--json"),
    )
    assert done.returncode == 1 and json.loads(done.stderr.splitlines()[-1])["error"]["class"] == "LossError"


def test_the_guard_counts_what_a_bad_file_has_as_absent(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.deliver(DAYS[1], rows(*range(20)))
    good = write_pubmed(tmp_path / "good.csv", *rows(*range(10)))
    bad = write(
        tmp_path / "bad.json",
        json.dumps([{"id": str(n), "title": "t", "date": "", "journal": ""} for n in range(10, 20)])[:-1],
    )
    drugs_rs.bronze(lake=desk.lake, dt=DAYS[2], pubmed=[good, bad], snapshot=True)
    with pytest.raises(exceptions.LossError, match="lacks 10 of the 20"):
        drugs_rs.silver(lake=desk.lake, dt=DAYS[2], on_bad_file="reject")


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"snapshot": True, "drugs": "drugs.csv"}, "snapshot: a snapshot of a vocabulary alone"),
        ({"snapshot": True, "pubmed": "x.csv", "max_absent": "2"}, "max_absent: `2`; expected a share such as 50%"),
        ({"max_absent": "many", "pubmed": "x.csv"}, "max_absent: `many`"),
    ],
)
def test_what_is_refused(keywords: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(exceptions.ArgumentError, match=message):
        drugs_rs.bronze(lake=tmp_path / "lake", dt=DAYS[0], **keywords)
    with pytest.raises(exceptions.ArgumentError, match="a snapshot for several dates"):
        drugs_rs.run(lake=tmp_path / "lake", dates=f"{DAYS[0]}..{DAYS[1]}", pubmed="{dt}.csv", snapshot=True)


def test_the_december_baseline(tmp_path: Path) -> None:
    """A baseline, update files with corrections and deletions, and a new baseline that lacks 1 % without a word."""
    desk = Desk(tmp_path)
    desk.deliver(DAYS[0], rows(*range(1000)), snapshot=True)
    for day in range(1, 6):
        new = range(1000 + 20 * day, 1020 + 20 * day)
        corrections = rows(*range(day, 1000, 97), drug="Paracetamol")
        desk.number += 1
        articles = "".join(
            f"<PubmedArticle><MedlineCitation><PMID>{identifier}</PMID><Article><ArticleTitle>{title}</ArticleTitle></Article>"
            "</MedlineCitation></PubmedArticle>"
            for identifier, title, *_ in [*rows(*new), *corrections]
        )
        deletions = f"<DeleteCitation><PMID>{day * 111}</PMID></DeleteCitation>"
        source = write(tmp_path / f"update{day}.xml", f"<PubmedArticleSet>{articles}{deletions}</PubmedArticleSet>")
        drugs_rs.run(lake=desk.lake, dt=DAYS[day], pubmed=source)
    before = {row["publication_id"]: row["title"] for row in Lake(desk.lake).scan("publications").read().to_dicts()}
    gone = sorted(before)[::100]
    assert len(gone) == len(before) // 100 + bool(len(before) % 100)
    baseline = [(identifier, title, "2024", "Annals") for identifier, title in before.items() if identifier not in gone]
    report = desk.deliver(DAYS[20], baseline, snapshot=True)
    assert report["absent"] == len(gone)
    assert causes(desk.lake) == {("lost", "absent_from_snapshot", identifier) for identifier in gone}
    named = set(Lake(desk.lake).scan("mentions", ["publication_id"]).read()["publication_id"])
    assert named == set(before) - set(gone)
    assert desk.is_as_from_nothing()
