"""Random histories of records with statuses, substances and interventions, and of settings that search them or not.

What gold has after each step is recounted with the matcher alone from the tables of silver, and is byte for byte what
gold makes from nothing; what changed has one cause.
"""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any, Iterator

import pytest
from searched_sources import study
from test_record_details import article, article_set, types
from written_sources import write_drugs

import drugs_rs
from drugs_rs import Lake, Matcher

pytestmark = pytest.mark.core

NAMES = (("A", "warfarin"), ("B", "aspirin"), ("C", "heparin sodium"), ("D", "sodium"), ("E", "heparin"))
WORDS = ("Warfarin", "aspirin", "heparin", "Sodium", "heparin sodium", "\U0001f48a", "é", "no drug", "a | aspirin")
FIELDS = ("title", "abstract", "interventions", "substances")
STATUSES = ("retracted", "retraction_notice", "expression_of_concern", "corrected")
TYPES = ("Retracted Publication", "Retraction Notice", "Expression of Concern", "Corrected and Republished Article")
ROLES = ("experimental", "active_comparator", "placebo_comparator", "other")
DATES = tuple(f"2024-03-{day:02}" for day in range(1, 6))


class Chance(random.Random):
    """What a record says, by chance."""

    def text(self) -> str:
        return " ".join(self.choices(WORDS, k=self.randint(1, 4)))

    def some(self, values: tuple[str, ...]) -> list[str]:
        return [value for value in values if self.random() < 0.4]

    def articles(self, numbers: list[int]) -> str:
        return article_set(*(self.article(number) for number in numbers))

    def article(self, number: int) -> str:
        chemicals = "".join(
            "<Chemical><RegistryNumber>0</RegistryNumber><NameOfSubstance UI='D1'>"
            f"{self.choice(WORDS)}</NameOfSubstance></Chemical>"
            for _ in range(self.randint(0, 3))
        )
        inside = f"<Abstract><AbstractText>{self.text()}</AbstractText></Abstract>" if self.random() < 0.5 else ""
        behind = f"<ChemicalList>{chemicals}</ChemicalList>" if chemicals else ""
        return article(number, title=self.text(), inside=inside + types(*self.some(TYPES)), behind=behind)

    def studies(self, numbers: list[int]) -> str:
        found = []
        for number in numbers:
            arms = ("EXPERIMENTAL", "ACTIVE_COMPARATOR", "PLACEBO_COMPARATOR", "NO_INTERVENTION")
            given = [
                (self.choice(WORDS), self.choices(WORDS, k=self.randint(0, 2)), self.some(arms))
                for _ in range(self.randint(0, 3))
            ]
            [one] = study(*given)["studies"]
            one["protocolSection"]["identificationModule"].update(nctId=f"NCT{number:08}", officialTitle=self.text())
            found.append(one)
        return json.dumps({"studies": found})

    def settings(self) -> dict[str, Any]:
        return {"fields": self.some(FIELDS) or ["title"], "exclude_status": self.some(STATUSES)}


def texts(row: dict[str, Any], field: str) -> Iterator[tuple[str, list[tuple[int, str | None]]]]:
    """The text of a field, and where the names of each intervention end in it, with its first role."""
    if field in ("title", "abstract"):
        if row[field] is not None:
            yield row[field], []
        return
    names: list[str] = []
    ends = []
    for item in row[field]:
        names += [item["name"], *item.get("other_names", [])]
        role = next((role for role in ROLES if role in item.get("roles", [])), None)
        ends.append((len(" | ".join(names)), role))
    if names:
        yield " | ".join(names), ends


def expected(lake: Lake, settings: dict[str, Any]) -> tuple[set[tuple[Any, ...]], int]:
    """The mentions of the current publications, and how many publications are not searched."""
    matcher = Matcher.from_names({code: [name] for code, name in NAMES})
    current = {(row["kind"], row["publication_id"]): row["dt"] for row in lake.scan("publications").read()}
    found, excluded = set(), 0
    for row in lake.scan("publications_all").read().to_dicts():
        if current.get((row["kind"], row["publication_id"])) != row["dt"]:
            continue
        if row["status"] in settings["exclude_status"]:
            excluded += 1
            continue
        for field in settings["fields"]:
            for text, ends in texts(row, field):
                for mention in matcher.find(text):
                    role = next((role for end, role in ends if mention.start < end), None)
                    place = (field, mention.start, mention.end, mention.atccode, mention.surface)
                    found.add((row["kind"], row["publication_id"], *place, role, row["status"]))
    return found, excluded


def check(lake: Lake, report: dict[str, Any], settings: dict[str, Any]) -> None:
    columns = ("kind", "publication_id", "field", "start", "end", "atccode", "surface", "role", "status")
    rows = lake.scan("mentions").read().to_dicts()
    found = {tuple(row[name] for name in columns) for row in rows}
    wanted, excluded = expected(lake, settings)
    assert found == wanted and len(rows) == len(found)
    assert report.get("excluded", 0) == excluded
    assert report["pairs"] == len({(row["kind"], row["publication_id"], row["substance"]) for row in rows})
    links = {(row["kind"], row["publication_id"], row["atccode"], row["status"]) for row in rows}
    graph = drugs_rs.read_graph(lake.root)
    by_graph = graph.mentions(unit="code").to_dicts()
    assert {(row["kind"], row["publication_id"], row["atccode"], row["status"]) for row in by_graph} == links
    hidden = lake.scan("mentions", exclude_status="retracted").read().to_dicts()
    assert [row for row in rows if row["status"] != "retracted"] == hidden


def gold_files(lake: Path) -> dict[str, bytes]:
    folder = lake / "gold"
    paths = (
        path for path in folder.rglob("*") if path.suffix in (".parquet", ".json") and path.name != "_manifest.json"
    )
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_searched_is_found(seed: int, tmp_path: Path) -> None:
    chance = Chance(seed)
    lake = Lake(tmp_path / "lake")
    settings = chance.settings()
    drugs_rs.bronze(lake=lake.root, dt=DATES[0], drugs=write_drugs(tmp_path / "drugs.csv", *NAMES))
    drugs_rs.silver(lake=lake.root, dt=DATES[0])
    causes = set()
    for number in range(10):
        if chance.random() < 0.7:
            dt = chance.choice(DATES)
            numbers = chance.sample(range(1, 13), 4)
            given: dict[str, Any] = {
                "pubmed": tmp_path / f"{number}.xml",
                "clinical_trials": tmp_path / f"{number}.json",
            }
            given["pubmed"].write_text(chance.articles(numbers), encoding="utf-8")
            given["clinical_trials"].write_text(chance.studies(numbers), encoding="utf-8")
            drugs_rs.bronze(lake=lake.root, dt=dt, **given)
            drugs_rs.silver(lake=lake.root, dt=dt)
        if number == 0 or chance.random() < 0.5:
            settings = chance.settings()
        report = drugs_rs.gold(lake=lake.root, dt=DATES[-1], **settings)
        check(lake, report, settings)
        anew = tmp_path / f"anew{number}"
        shutil.copytree(str(tmp_path / "lake"), str(anew), ignore=shutil.ignore_patterns("gold", "states"))
        drugs_rs.gold(lake=anew, dt=DATES[-1], **settings)
        assert gold_files(tmp_path / "lake") == gold_files(anew)
        shutil.rmtree(str(anew))
    numbers = lake.states()["state"]
    for earlier, later in zip(numbers, numbers[1:]):
        diff = lake.diff(earlier, later)
        found = [row["cause"] for row in diff.to_dicts()]
        causes.update(found)
        key = ("kind", "publication_id", "field", "start", "end", "atccode", "drug")
        sides = [
            {tuple(row[name] for name in key) for row in lake.at(n).scan("mentions").read()} for n in (earlier, later)
        ]
        assert len(found) == len(sides[0] ^ sides[1])
    assert {"changed_settings", "new_publication"} <= causes
    assert causes <= {"changed_settings", "new_publication", "changed_publication", "deleted_publication"}
