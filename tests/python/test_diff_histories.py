"""Random histories of a lake: between any two states every gained and lost mention is there once, with its cause.

A cause is checked by recomputation, with a matcher that knows no comparisons: what the earlier state was made of is
exchanged for what the later one was made of, one factor after the other, and the mention must come or go with it.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, NamedTuple, Optional, Tuple

import pytest
from changing_lake import DRUGS, Change, Story
from written_sources import write_drugs

import drugs_rs
from drugs_rs import Lake, Matcher

pytestmark = pytest.mark.core

KEY = ("kind", "publication_id", "field", "start", "end", "atccode", "drug")
SEEDS = range(6)
STEPS = 14

Publication = Tuple[str, str]
# A delivery of a publication, or a notice that it is deleted (without a title).
Version = Tuple[str, Optional[str]]


class Inputs(NamedTuple):
    """What a state was made of."""

    vocabulary: dict[str, dict[str, list[str]]]
    stop_words: frozenset[str]
    versions: dict[Publication, set[Version]]
    held: frozenset[str]

    def drugs(self, held: frozenset[str]) -> str:
        """The date of the vocabulary."""
        return max(dt for dt in self.vocabulary if dt not in held)

    def title(self, publication: Publication, held: frozenset[str]) -> tuple[str, str | None]:
        """The date that decides about a publication, and its title if it has one."""
        taken = [(dt, title is None, title) for dt, title in self.versions.get(publication, ()) if dt not in held]
        # A row of a date stays beside a notice of that date: the notice has done its work in the partition.
        taken.sort(key=lambda version: (version[0], not version[1]))
        return (taken[-1][0], taken[-1][2]) if taken else ("", None)


class History(Story):
    """A story with holds, releases and other settings, and without drops, which give all states up."""

    stop: frozenset[str] = frozenset()

    def next(self, lake: Lake) -> Change:
        roll = self.chance.random()
        newest = max(row["dt"] for row in lake.status())
        vocabularies = sorted({row["dt"] for row in lake.status() if row["table"] == "drugs"})
        held = sorted({row["dt"] for row in lake.status() if row["held"]})
        if roll < 0.15:
            self.stop = self.stop ^ {self.chance.choice(DRUGS)[1].lower()}
            return Change("gold", {"dt": newest, **self.options()})
        if roll < 0.35 and self.dates[1:]:
            date = self.chance.choice(self.dates[1:])
            if date in held:
                drugs_rs.release(lake.root, date)
            elif [dt for dt in vocabularies if dt not in held] != [date]:
                drugs_rs.hold(lake.root, date, "by chance")
            return Change("gold", {"dt": newest, **self.options()})
        if roll < 0.45:
            path = write_drugs(self.folder / f"drugs{self.number}-{self.day}.csv", *self.chance.sample(DRUGS, 3))
            dt = self.date()
            self.dates.append(dt)
            return Change("run", {"drugs": str(path), "dt": dt, **self.options()})
        change = self.deliver(self.chance.choice(self.dates) if roll < 0.7 else self.date())
        return Change(change.what, {**change.arguments, **self.options()})

    def options(self) -> dict[str, Any]:
        """The settings of gold."""
        return {"extra_stop_words": sorted(self.stop), "graph": "none"}


def read(lake: Lake, stop_words: frozenset[str]) -> Inputs:
    """What a state was made of, by its tables of silver."""
    vocabulary: dict[str, dict[str, list[str]]] = {}
    for row in lake.scan("drugs_all").read().to_dicts():
        vocabulary.setdefault(row["dt"], {})[row["atccode"]] = [row["drug"], *row["synonyms"]]
    versions: dict[Publication, set[Version]] = {}
    for row in lake.scan("publications_all", ["kind", "publication_id", "dt", "title"]).read().to_dicts():
        versions.setdefault((row["kind"], row["publication_id"]), set()).add((row["dt"], row["title"]))
    for row in lake.scan("deleted", ["kind", "publication_id", "dt"]).read().to_dicts():
        versions.setdefault((row["kind"], row["publication_id"]), set()).add((row["dt"], None))
    held = frozenset(row["dt"] for row in lake.status() if row["held"])
    return Inputs(vocabulary, stop_words, versions, held)


def matcher(inputs: Inputs, dt: str, stop_words: frozenset[str]) -> Matcher:
    return Matcher.from_names(inputs.vocabulary[dt], extra_stop_words=sorted(stop_words))


def finds(found: Matcher, title: str | None, mention: dict[str, Any]) -> bool:
    """Whether a title has the mention."""
    places = {(place.start, place.end, place.atccode, place.drug) for place in found.find(title or "")}
    return (mention["start"], mention["end"], mention["atccode"], mention["drug"]) in places


def check(row: dict[str, Any], earlier: Inputs, later: Inputs) -> None:
    """Exchange the factors one after the other, and see the mention come or go with its cause."""
    publication = (row["kind"], row["publication_id"])
    vocabularies = (earlier.drugs(earlier.held), later.drugs(later.held))
    old = matcher(earlier, vocabularies[0], earlier.stop_words)
    before = earlier.title(publication, earlier.held)
    # Everything that was delivered, with the holds of before; then the holds of now. A date that is held from the
    # beginning was never delivered to the tables.
    unseen = later.held - {dt for versions in earlier.versions.values() for dt, _ in versions} - set(earlier.vocabulary)
    delivered, after = later.title(publication, earlier.held | unseen), later.title(publication, later.held)
    is_gained, cause = row["change"] == "gained", row["cause"]
    assert (row["from_dt"], row["to_dt"]) == tuple(dt if title else None for dt, title in (before, after))
    if before[1] is None or after[1] is None:
        # The publication itself came or went: by what was delivered, or by a hold or release.
        came = (before[1] is None) == (delivered[1] is None)
        if cause in ("held", "released"):
            assert came, "it came or went by a delivery alone"
            assert row["cause_dt"] in (later.held - earlier.held if cause == "held" else earlier.held - later.held)
        else:
            assert cause == ("new_publication" if is_gained else "deleted_publication")
            assert not came, "it came or went by a hold or a release"
        return
    stages = [
        ("text", finds(old, before[1], row), finds(old, after[1], row)),
        (
            "vocabulary",
            finds(old, after[1], row),
            finds(matcher(later, vocabularies[1], earlier.stop_words), after[1], row),
        ),
        (
            "settings",
            finds(matcher(later, vocabularies[1], earlier.stop_words), after[1], row),
            finds(matcher(later, vocabularies[1], later.stop_words), after[1], row),
        ),
    ]
    assert stages[0][1] != is_gained and stages[-1][2] == is_gained, "the states are what their tables say"
    factor = [name for name, was, became in stages if was != became][-1]
    if factor == "settings":
        assert cause == "changed_settings"
    elif factor == "vocabulary":
        held, released = later.held - earlier.held, earlier.held - later.held
        if vocabularies[0] in held and vocabularies[1] < vocabularies[0]:
            assert cause == "held"
        elif vocabularies[1] in released:
            assert cause == "released"
        else:
            other = (earlier if is_gained else later).vocabulary[vocabularies[0 if is_gained else 1]]
            alone = "new_drug" if is_gained else "removed_drug"
            assert cause == ("changed_names" if row["atccode"] in other else alone)
    else:
        assert cause in ("changed_publication", "held", "released")
        if cause != "changed_publication":
            assert row["cause_dt"] in (later.held ^ earlier.held)
        elif delivered != after:
            # A hold or a release between other versions: the delivery alone must have made the difference.
            assert finds(old, delivered[1], row) == is_gained or delivered[1] == before[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_change_has_one_cause_that_holds(seed: int, tmp_path: Path) -> None:
    story = History(tmp_path / "sources", random.Random(seed), 12, {"graph": "none"})
    folder = tmp_path / "lake"
    lake = Lake(folder)
    stop_words: dict[int, frozenset[str]] = {}
    story.deliver(story.date()).apply(folder)
    stop_words[lake.states()["state"][-1]] = frozenset()
    for _ in range(STEPS):
        story.next(lake).apply(folder)
        stop_words.setdefault(lake.states()["state"][-1], story.stop)
    numbers = lake.states()["state"]
    assert len(numbers) > STEPS // 2
    inputs = {number: read(lake.at(number), stop_words[number]) for number in numbers}
    mentions = {
        number: {tuple(row[name] for name in KEY) for row in lake.at(number).scan("mentions").read().to_dicts()}
        for number in numbers
    }
    seen: set[str] = set()
    for a, b in [(a, b) for a in numbers for b in numbers if a < b and (b - a < 4 or b == numbers[-1])]:
        diff = lake.diff(a, b)
        rows = diff.to_dicts()
        for change, wanted in (("gained", mentions[b] - mentions[a]), ("lost", mentions[a] - mentions[b])):
            found = [tuple(row[name] for name in KEY) for row in rows if row["change"] == change]
            assert len(found) == len(set(found)), (a, b)
            assert set(found) == wanted, (a, b)
        for row in rows:
            seen.add(row["cause"])
            try:
                check(row, inputs[a], inputs[b])
            except AssertionError as error:
                message = f"states {a} to {b}: {row}: {error}"
                raise AssertionError(message) from error
        assert sum(row["mentions"] for row in diff.causes.to_dicts()) == len(rows)
        assert "unknown" not in seen
    assert len(seen) > 3
