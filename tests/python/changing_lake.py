"""A lake that changes day after day, by chance: deliveries with corrections and deletions, drops, vacuums.

And what readers see of it, as digests: two equal views are the same rows in the same order.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, NamedTuple

import pyarrow
from lake_state import hashes
from written_sources import write, write_drugs, write_trials

import drugs_rs

if TYPE_CHECKING:
    import random

GOLD_TABLES = ("publications", "mentions", "journals", "journal_drugs", "drugs", "atc_classes")
SILVER_TABLES = ("rejected", "publications_all", "drugs_all", "deleted", "journal_ids")
DRUGS = (("B01AA03", "WARFARIN"), ("N02BE01", "paracetamol"), ("N02BA01", "aspirin"), ("C01AA05", "Digoxin"))
JOURNALS = (("Annals", ""), ("ANNALS", ""), ("annals", ""), ("Bulletin", "0370077"), ("Bull. of X", "0370077"))
KEPT_STATES = 3
FEW_DATES = 5

Digests = Dict[str, str]


def table_digest(lake: drugs_rs.Lake, table: str) -> str:
    """The rows of a table, as a digest."""
    found = pyarrow.table(lake.scan(table).read()).combine_chunks()
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, found.schema) as stream:
        stream.write_table(found)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def gold_view(lake: drugs_rs.Lake) -> Digests:
    """The tables of gold."""
    return {table: table_digest(lake, table) for table in GOLD_TABLES}


def silver_view(lake: drugs_rs.Lake) -> Digests:
    """The tables of silver."""
    return {table: table_digest(lake, table) for table in SILVER_TABLES}


def answers_view(lake: str) -> str:
    """The answers, as one text."""
    return json.dumps(drugs_rs.read_answers(lake), sort_keys=True)


class Change(NamedTuple):
    """What happens to a lake: the name of a function or method, and its keywords."""

    what: str
    arguments: dict[str, Any]

    def apply(self, lake: Path) -> None:
        """Carry it out, here and now."""
        if self.what in ("run", "gold"):
            getattr(drugs_rs, self.what)(lake=lake, **self.arguments)
        else:
            getattr(drugs_rs.Lake(lake), self.what)(**self.arguments)


@dataclass
class Story:
    """A chain of changes, each of which changes something."""

    folder: Path
    chance: random.Random
    rows: int
    settings: dict[str, Any]
    day: int = 0
    number: int = 0
    dates: list[str] = field(default_factory=list)

    def date(self) -> str:
        """The next day."""
        self.day += 1
        return f"20{20 + self.day // 336:02}-{self.day // 28 % 12 + 1:02}-{self.day % 28 + 1:02}"

    def text(self) -> str:
        """A title."""
        drugs = " and ".join(name.lower() for _, name in self.chance.sample(DRUGS, self.chance.randint(0, 3)))
        return f"Study {self.chance.randrange(1000)} of {drugs or 'nothing of the kind'}"

    def article(self, identifier: int) -> str:
        """An article with a random title and journal."""
        journal, nlm = self.chance.choice(JOURNALS)
        return (
            f"<PubmedArticle><MedlineCitation><PMID>{identifier}</PMID><Article><Journal><JournalIssue><PubDate><Year>2020"
            f"</Year></PubDate></JournalIssue><Title>{journal}</Title></Journal><ArticleTitle>{self.text()}</ArticleTitle>"
            f"</Article><MedlineJournalInfo><NlmUniqueID>{nlm}</NlmUniqueID></MedlineJournalInfo></MedlineCitation>"
            "</PubmedArticle>"
        )

    def deliver(self, dt: str) -> Change:
        """Articles, most of them corrections, with notices of deletion; trials; each third time a vocabulary."""
        self.number += 1
        folder = self.folder / f"delivery{self.number}"
        identifiers = self.chance.sample(range(self.rows * 3), self.rows)
        deleted = "".join(
            f"<DeleteCitation><PMID>{number}</PMID></DeleteCitation>"
            for number in self.chance.sample(range(self.rows * 3), 5)
        )
        articles = "".join(self.article(identifier) for identifier in identifiers)
        sources = {
            "pubmed": write(folder / "articles.xml", f"<PubmedArticleSet>{articles}{deleted}</PubmedArticleSet>"),
            "clinical_trials": write_trials(
                folder / "trials.csv",
                *((f"N{self.chance.randrange(200)}", self.text(), "2021", "Annals") for _ in range(self.rows // 10)),
            ),
        }
        if self.number % 3 == 1:
            sources["drugs"] = write_drugs(folder / "drugs.csv", *self.chance.sample(DRUGS, 3))
        self.dates = sorted({*self.dates, dt})
        named = {table: str(path) for table, path in sources.items()}
        return Change("run", {**named, "dt": dt, **self.settings})

    def next(self, lake: drugs_rs.Lake) -> Change:
        """Any change; not more days than some."""
        roll = self.chance.random()
        if len(self.dates) > FEW_DATES or (roll < 0.15 and len(self.dates) > 2):
            vocabularies = sorted({row["dt"] for row in lake.status() if row["table"] == "drugs"})
            if vocabularies[-1] > self.dates[0]:
                first = self.dates[1]
                self.dates = self.dates[1:]
                return Change("drop", {"before": first})
        if roll < 0.35:
            rows = lake.scan("publications", ["publication_id"]).read()["publication_id"]
            return Change("drop", {"publication_id": self.chance.choice(rows)})
        if roll < 0.5 and len(lake.states()) > 1:
            return Change("vacuum", {"keep": f"{self.chance.randrange(len(lake.states()) - 1)} states"})
        if roll < 0.7 and self.dates:
            return self.deliver(self.chance.choice(self.dates))
        return self.deliver(self.date())


def gold_from_nothing(lake: Path, folder: Path, settings: dict[str, Any]) -> dict[str, str]:
    """The bytes of gold that a lake with silver alone gets."""
    shutil.rmtree(str(folder), ignore_errors=True)
    shutil.copytree(str(lake / "silver"), str(folder / "silver"))
    newest = max(row["dt"] for row in drugs_rs.Lake(lake).status())
    drugs_rs.gold(lake=folder, dt=newest, **settings)
    return hashes(folder, "gold")
