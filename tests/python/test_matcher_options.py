"""The options of the matcher are keywords of four functions, with the same errors in each."""

from __future__ import annotations

import inspect
import itertools
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

import drugs_rs
from drugs_rs.exceptions import ArgumentError, DrugsError, SourceNotFoundError

NAMES = {"A": ["aspirin", "acetylsalicylic acid"], "B": ["metformin hydrochloride"]}
OWN_KEYWORDS = {
    "run": {"drugs", "pubmed", "clinical_trials", "preprints", "lake", "out", "dt", "dates", "encoding",
            "month_first", "on_bad_file", "max_ratio", "expect_rows", "contract", "snapshot", "max_absent",
            "fields", "abstracts", "exclude_status", "unit",
            "max_exclusive", "graph", "keep", "progress"},
    "gold": {"lake", "out", "dt", "fields", "abstracts", "exclude_status", "unit", "max_exclusive", "graph", "keep",
             "progress"},
    "Matcher.from_names": {"names"},
    "Matcher.from_vocabulary": {"vocabulary", "encoding", "max_ratio"},
}  # fmt: skip


@pytest.fixture(params=OWN_KEYWORDS)
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def call(function: str, tmp_path: Path) -> Callable[..., Any]:
    """The function with what it needs besides options; the steps find no source."""
    nowhere = tmp_path / "nowhere"
    vocabulary = tmp_path / "drugs.csv"
    vocabulary.write_text("atccode,drug\nA,aspirin\n")
    calls: dict[str, Callable[..., Any]] = {
        "run": lambda **options: drugs_rs.run(drugs=nowhere, lake=tmp_path / "lake", dt="2020-01-01", **options),
        "gold": lambda **options: drugs_rs.gold(lake=nowhere, dt="2020-01-01", **options),
        "Matcher.from_names": lambda **options: drugs_rs.Matcher.from_names(NAMES, **options),
        "Matcher.from_vocabulary": lambda **options: drugs_rs.Matcher.from_vocabulary(vocabulary, **options),
    }
    return calls[function]


def options_of(function: str) -> dict[str, object]:
    """The options in a signature with their defaults."""
    value: Any = drugs_rs
    for part in function.split("."):
        value = getattr(value, part)
    parameters = inspect.signature(value).parameters.values()
    return {each.name: each.default for each in parameters if each.name not in OWN_KEYWORDS[function]}


def test_the_functions_have_the_same_options_with_the_same_defaults(function: str) -> None:
    assert options_of(function) == options_of("Matcher.from_names")
    assert {"boundary", "salts", "stop_words"} <= set(options_of(function))


def test_the_defaults_of_the_signature_may_be_given(function: str, call: Callable[..., Any]) -> None:
    """So the core knows every option of the signature."""
    try:
        call(**options_of(function))
    except SourceNotFoundError:
        assert function in ("run", "gold")


@pytest.mark.parametrize("name", ["bound", "", "self", "options", "settings"])
def test_an_unknown_keyword_is_a_type_error(name: str, function: str, call: Callable[..., Any]) -> None:
    with pytest.raises(TypeError) as caught:
        call(**{name: "word"})
    assert str(caught.value) == f"{function}() got an unexpected keyword argument '{name}'"


WRONG: list[tuple[str, object, type[Exception], str]] = [
    ("boundary", 1, TypeError, "'int' object is not an instance of 'str'"),
    ("boundary", None, TypeError, "'None' is not an instance of 'str'"),
    ("boundary", "syllable", ArgumentError, 'boundary: `syllable`; expected "word" or "none"'),
    ("accents", "kepe", ArgumentError, 'accents: `kepe`; expected "fold" or "keep"; did you mean "keep"?'),
    ("abbreviations", "yes", TypeError, "'str' object is not an instance of 'bool'"),
    ("salts", 0, TypeError, "'int' object is not an instance of 'bool'"),
    ("stop_words", "aspirin", TypeError, "stop_words must be a list of strings, not str"),
    ("extra_stop_words", [1], TypeError, "extra_stop_words must be a string, not int"),
]


@pytest.mark.parametrize(("name", "value", "error", "message"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_value_is_the_same_error_in_each(
    name: str, value: object, error: type[Exception], message: str, call: Callable[..., Any]
) -> None:
    with pytest.raises(error) as caught:
        call(**{name: value})
    assert str(caught.value) == message
    if error is TypeError and sys.version_info >= (3, 11):
        assert caught.value.__notes__ == [f"while processing '{name}'"]
    assert isinstance(caught.value, DrugsError) == (error is ArgumentError)


@pytest.mark.parametrize("order", list(itertools.permutations(["stop_words", "extra_stop_words", "salts"])))
def test_the_order_of_keywords_does_not_matter(order: tuple[str, ...]) -> None:
    values: dict[str, Any] = {"stop_words": ["aspirin"], "extra_stop_words": ["acetylsalicylic acid"], "salts": True}
    matcher = drugs_rs.Matcher.from_names(NAMES, **{name: values[name] for name in order})
    assert [mention.surface for mention in matcher.find("aspirin, acetylsalicylic acid, metformin")] == ["metformin"]
