"""Arguments that lie or cannot be: an exception that names the argument, never a panic."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, cast

import pytest

import drugs_rs
from drugs_rs.exceptions import ArgumentError, DrugsError

HALF = "half of a pair \ud800"


class Lying:
    """A sequence that says any length."""

    def __init__(self, length: int, *items: str) -> None:
        self.length, self.items = length, items

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, place: int) -> str:
        return self.items[place]


@pytest.fixture
def matcher() -> drugs_rs.Matcher:
    return drugs_rs.Matcher.from_names({"A": ["aspirin"]})


@pytest.mark.parametrize("length", [0, 1 << 40, (1 << 63) - 1, 1 << 70, -1])
def test_what_a_sequence_says_of_its_length_is_not_believed(length: int, matcher: drugs_rs.Matcher) -> None:
    """A length beyond memory was a panic or ended the process."""
    assert matcher.find_many(cast("Any", Lying(length, "aspirin", "none"))).num_rows == 1
    for option in ("stop_words", "extra_stop_words"):
        keywords: dict[str, Any] = {option: Lying(length, "aspirin")}
        built = drugs_rs.Matcher.from_names({"A": ["aspirin", "acetylsalicylic acid"]}, **keywords)
        assert len(built) == 1
    names: Any = {"A": Lying(length, "aspirin", "acetylsalicylic acid")}
    assert len(drugs_rs.Matcher.from_names(names)) == 2


MATCHER = drugs_rs.Matcher.from_names({"A": ["aspirin"]})
NAMES = {"A": ["aspirin"]}
REFUSED: list[tuple[str, type[Exception], Callable[..., Any]]] = [
    ("names", ArgumentError, lambda: drugs_rs.Matcher.from_names({HALF: ["aspirin"]})),
    ("names", ArgumentError, lambda: drugs_rs.Matcher.from_names({"A": [HALF]})),
    ("names", ArgumentError, lambda: drugs_rs.Matcher.from_names({"A": ["a b " * 300]})),
    ("names", TypeError, lambda: drugs_rs.Matcher.from_names({1: ["aspirin"]})),  # type: ignore[dict-item]
    ("names", TypeError, lambda: drugs_rs.Matcher.from_names({"A": [1 << 90]})),  # type: ignore[list-item]
    ("names", TypeError, lambda: drugs_rs.Matcher.from_names({"A": 1})),  # type: ignore[dict-item]
    ("names", TypeError, lambda: drugs_rs.Matcher.from_names([("A", "b")])),  # type: ignore[arg-type]
    ("stop_words", ArgumentError, lambda: drugs_rs.Matcher.from_names(NAMES, stop_words=[HALF])),
    ("stop_words", TypeError, lambda: drugs_rs.Matcher.from_names(NAMES, stop_words="aspirin")),
    ("extra_stop_words", TypeError, lambda: drugs_rs.Matcher.from_names(NAMES, extra_stop_words=[1])),  # type: ignore[list-item]
    ("texts", TypeError, lambda: MATCHER.find_many(["aspirin", 1])),  # type: ignore[list-item]
    ("text", TypeError, lambda: MATCHER.find(1)),  # type: ignore[arg-type]
    ("drug", ArgumentError, lambda: MATCHER.explain("aspirin", HALF)),
    ("drug", TypeError, lambda: MATCHER.explain("aspirin", 1)),  # type: ignore[arg-type]
    ("drug: `y.* is neither a name nor a code", ArgumentError, lambda: MATCHER.explain("aspirin", "y" * 1_000_000)),
    ("w/xw/x", DrugsError, lambda: drugs_rs.list_sources("w/x" * 100_000)),
    ("w/xw/x", DrugsError, lambda: drugs_rs.list_sources("w/x" * 100_000 + "*")),
    ("path", ArgumentError, lambda: MATCHER.save(HALF)),
    ("vocabulary", ArgumentError, lambda: drugs_rs.Matcher.from_vocabulary(HALF)),
    ("sources", ArgumentError, lambda: drugs_rs.read_drugs([HALF])),
    ("batch_rows", ArgumentError, lambda: drugs_rs.iter_publications("x", batch_rows=1 << 90)),
    ("dt", ArgumentError, lambda: drugs_rs.hold("lake", HALF, "a reason")),
    ("reason", ArgumentError, lambda: drugs_rs.hold("lake", "2026-01-01", HALF)),
    ("start", ArgumentError, lambda: drugs_rs.Mention("A", "a", -1, 2, "a", "name")),
    ("surface", ArgumentError, lambda: drugs_rs.Mention("A", "a", 0, 2, HALF, "name")),
]


@pytest.mark.parametrize(("argument", "error", "call"), REFUSED, ids=range(len(REFUSED)))
def test_the_error_names_the_argument(argument: str, error: type[Exception], call: Callable[[], Any]) -> None:
    with pytest.raises(error, match=argument) as caught:
        call()
    assert len(str(caught.value)) < 1000


def test_the_lake_has_one_name_everywhere_and_the_earlier_one(samples: Path, tmp_path: Path) -> None:
    drugs, pubmed = samples / "drugs.csv", samples / "pubmed.csv"
    by_lake = drugs_rs.run(drugs=drugs, pubmed=pubmed, lake=tmp_path / "a", dt="2020-01-01")
    by_out = drugs_rs.run(drugs=drugs, pubmed=pubmed, out=tmp_path / "b", dt="2020-01-01")
    assert [file["sha256"] for file in by_lake["outputs"]] == [file["sha256"] for file in by_out["outputs"]]
    for name in ("lake", "out"):
        place: dict[str, Any] = {name: tmp_path / name}
        drugs_rs.bronze(**place, drugs=drugs, dt="2020-01-01")
        drugs_rs.silver(**place, dt="2020-01-01")
        assert drugs_rs.gold(**place, dt="2020-01-01")["out"] == str(tmp_path / name)


@pytest.mark.parametrize("function", ["run", "bronze", "silver", "gold"])
def test_a_step_needs_one_lake(function: str, tmp_path: Path) -> None:
    step: Callable[..., Any] = getattr(drugs_rs, function)
    keywords: dict[str, Any] = {"dt": "2020-01-01"}
    if function in ("run", "bronze"):
        keywords["drugs"] = tmp_path
    with pytest.raises(TypeError, match=rf"{function}\(\) missing 1 required keyword-only argument: 'lake'"):
        step(**keywords)
    with pytest.raises(TypeError, match=rf"{function}\(\) got both 'lake' and 'out'"):
        step(lake=tmp_path, out=tmp_path, **keywords)
    for name in ("lake", "out"):
        with pytest.raises(TypeError, match=rf"{name} must be a path"):
            step(**{name: 3}, **keywords)
