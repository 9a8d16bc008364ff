"""Where a drug is mentioned and where it is not: each rule as table rows, each row with its reason.

The texts are searched one by one here; `test_matcher_columns.py` searches them as columns.
"""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import drugs_rs
from drugs_rs.exceptions import ArgumentError

pytestmark = pytest.mark.core

NAMES: dict[str, list[str]] = {
    "A10BA02": ["metformin"],
    "B01AC06": ["aspirin", "acetylsalicylic acid", "ASA 100"],
    "C01CA24": ["epinephrine"],
    "A10AE04": ["insulin glargine"],
    "A10AC01": ["insulin"],
    "J01EE01": ["co-trimoxazole"],
    "N06AX25": ["St John's wort"],
    "A11CA02": ["β-carotene"],
    "L03AB07": ["interferon beta-1a"],
    "N06BC01": ["caffeine", "caféine"],
    "C08CA01": ["amlodipine"],
    "C09AA07": ["benazepril"],
}


class Case(NamedTuple):
    """A text, the surfaces that are mentions in their order, and why."""

    text: str
    surfaces: tuple[str, ...]
    reason: str


CASES = (
    Case("metformin", ("metformin",), "the whole text"),
    Case("", (), "no text at all"),
    Case("METFORMIN and Metformin", ("METFORMIN", "Metformin"), "case does not matter, each place counts"),
    Case("metformin-treated mice", ("metformin",), "a hyphen bounds a word"),
    Case("non-metformin group", ("metformin",), "on the left side too"),
    Case("(metformin)", ("metformin",), "so do brackets"),
    Case("amlodipine/benazepril", ("amlodipine", "benazepril"), "a slash separates two drugs"),
    Case("metformin's effect", ("metformin",), "an apostrophe bounds a word"),
    Case("metformin’s effect", ("metformin",), "a typographic one as well"),
    Case(
        "metformin®, metformin™",
        ("metformin", "metformin"),
        "signs are neither letters nor digits, though ™ folds to tm",
    ),
    Case("drug_metformin_1", ("metformin",), "nor is an underscore"),
    Case("“metformin”…", ("metformin",), "nor is punctuation beyond ASCII"),
    Case("norepinephrine", (), "a letter before: another word"),
    Case("epinephrined", (), "a letter behind: another word"),
    Case("epinephrines, EPINEPHRINES'", ("epinephrines", "EPINEPHRINES"), "but for the s of the plural"),
    Case("caffeiness, insulin2s", (), "which is one s behind a letter"),
    Case("epinephrine2", (), "a digit behind: another word"),
    Case("2epinephrine", (), "a digit before: another word"),
    Case("épinephrine", ("épinephrine",), "accents are folded"),
    Case("жepinephrine", (), "a letter of any script is a letter"),
    Case("insulin glargine", ("insulin glargine",), "the longest name wins"),
    Case("insulin  \t glargine", ("insulin  \t glargine",), "one run of white space is bridged, however long"),
    Case("insulin-glargine", ("insulin-glargine",), "a dash is bridged"),
    Case("insulin\u2011glargine", ("insulin\u2011glargine",), "a dash that does not break as well"),
    Case("insulin\u00a0glargine", ("insulin\u00a0glargine",), "a blank that does not break as well"),
    Case("insulin, glargine", ("insulin",), "a comma is not bridged: the shorter name is left"),
    Case("insulinglargine", (), "nothing is no separator"),
    Case("insulin glarginex", ("insulin",), "the longer name does not end at a bound, the shorter one does"),
    Case("insulin glargines", ("insulin glargines",), "the plural of the last word is the longer name"),
    Case("insulins glargine", ("insulins",), "the plural of another word is another name"),
    Case("insulin insulin glargine", ("insulin", "insulin glargine"), "mentions do not overlap"),
    Case("co-trimoxazole", ("co-trimoxazole",), "a dash inside the name"),
    Case("co–trimoxazole", ("co–trimoxazole",), "all dashes are alike"),
    Case("St. John's wort", (), "a dot is not in the name: names are literal text"),
    Case("St John’s wort", ("St John’s wort",), "all apostrophes are alike"),
    Case("β-carotene", ("β-carotene",), "a Greek letter as in the name"),
    Case("beta-carotene", ("beta-carotene",), "its name stands for a Greek letter"),
    Case("Beta carotene", ("Beta carotene",), "and the dash may be a blank"),
    Case("interferon β-1a", ("interferon β-1a",), "a Greek letter stands for its name"),
    Case("interferon Β-1a", ("interferon Β-1a",), "also as a capital"),
    Case("ｍｅｔｆｏｒｍｉｎ", ("ｍｅｔｆｏｒｍｉｎ",), "full width is folded"),
    Case("cafféine, cafeine", ("cafféine", "cafeine"), "accents in the text or in the name make no difference"),
    Case("cafe\u0301ine", ("cafe\u0301ine",), "an accent that is a character of its own belongs to its letter"),
    Case("ASA 100 mg", ("ASA 100",), "digits are parts of names"),
    Case("ASA 1000 mg", (), "and a number is not the beginning of another"),
    Case("İİİ metformin", ("metformin",), "letters that grow when folded do not move the offsets"),
    Case("💊💊 metformin 💊", ("metformin",), "offsets count code points and not bytes or UTF-16 units"),
    Case("ﬀ ß Ǆ metformin", ("metformin",), "letters that fold to several do not move the offsets"),
)


def matcher_of(names: dict[str, list[str]], **options: Any) -> drugs_rs.Matcher:
    """A matcher of these names."""
    return drugs_rs.Matcher.from_names(names, **options)


def surfaces(matcher: drugs_rs.Matcher, text: str) -> list[str]:
    """The surfaces of the mentions, checked against the offsets, which never overlap."""
    found = matcher.find(text)
    end = 0
    for mention in found:
        assert text[mention.start : mention.end] == mention.surface
        assert end <= mention.start < mention.end
        end = mention.end
    return [mention.surface for mention in found]


@pytest.fixture(scope="module")
def matcher() -> drugs_rs.Matcher:
    """The matcher of the table."""
    return matcher_of(NAMES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.reason))
def test_whole_words(case: Case, matcher: drugs_rs.Matcher) -> None:
    assert tuple(surfaces(matcher, case.text)) == case.surfaces


@pytest.mark.parametrize("code", NAMES)
def test_every_name_finds_itself(code: str, matcher: drugs_rs.Matcher) -> None:
    for place, name in enumerate(NAMES[code]):
        (mention,) = matcher.find(f"On {name}.")
        assert (mention.atccode, mention.drug, mention.surface) == (code, NAMES[code][0], name)
        assert (mention.start, mention.end) == (3, 3 + len(name))
        assert mention.rule == ("synonym" if place else "name")


def test_several_codes_for_one_name() -> None:
    found = matcher_of({"A01AB03": ["chlorhexidine"], "B05CA02": ["Chlorhexidine"], "R02AA05": ["x", "chlorhexidine"]})
    mentions = found.find("with chlorhexidine rinse")
    assert sorted((m.atccode, m.rule) for m in mentions) == [
        ("A01AB03", "name"),
        ("B05CA02", "name"),
        ("R02AA05", "synonym"),
    ]
    assert {(m.start, m.end) for m in mentions} == {(5, 18)}


# Stop words: (the list that is passed, the text, the surfaces)

STOPPED: tuple[tuple[list[str] | None, str, tuple[str, ...]], ...] = (
    (None, "the same and various drugs had an impact", ()),
    ([], "the same and various drugs had an impact", ("same", "various", "impact")),
    (["metformin"], "metformin and aspirin", ("aspirin",)),
    (["Metformin"], "METFORMIN and aspirin", ("aspirin",)),
    # A stop word is a whole name, not a word inside one.
    (["insulin"], "insulin or insulin glargine", ("insulin glargine",)),
)


@pytest.mark.parametrize(("words", "text", "wanted"), STOPPED)
def test_stop_words(words: list[str] | None, text: str, wanted: tuple[str, ...]) -> None:
    names = {"X1": ["same"], "X2": ["various"], "X3": ["impact"], **NAMES}
    assert tuple(surfaces(matcher_of(names, stop_words=words), text)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("norepinephrine", ("epinephrine",)),
        ("NOREPINEPHRINES", ("EPINEPHRINE",)),
        ("💊norépinephrine", ("épinephrine",)),
        ("insulinglargine", ("insulin",)),
        ("proinsulin-glargines", ("insulin-glargine",)),
    ],
)
def test_without_bounds_any_substring_is_a_mention(text: str, wanted: tuple[str, ...]) -> None:
    assert tuple(surfaces(matcher_of(NAMES, boundary="none"), text)) == wanted


# Names that are patterns to a regular expression: (name, texts with it, texts that only the pattern would match)

PATTERNS = (
    ("c++ (drug", ["the c++ (drug trial", "C++ (DRUG"], ["c", "ccc (drug", "c drug", "cdrug"]),
    ("a|b", ["gene a|b here"], ["a", "b", "a b", "ab"]),
    (".*", ["what .* means"], ["anything", "", "warfarin at last"]),
    ("[warfarin]?", ["is it [warfarin]?"], ["w", "warfarin", "a"]),
    ("warfarin$", ["all warfarin$ here"], ["warfarin", "a warfarin"]),
    ("\\bwarfarin\\b", ["\\bwarfarin\\b"], ["warfarin", "bwarfarinb"]),
    ("a{2}", ["a{2}"], ["aa", "a2"]),
)


@pytest.mark.parametrize(("name", "texts", "others"), PATTERNS)
def test_names_are_literal_text(name: str, texts: list[str], others: list[str]) -> None:
    matcher = matcher_of({"X": [name]}, stop_words=[])
    for text in texts:
        assert [surface.lower() for surface in surfaces(matcher, text)] == [name], text
    for text in others:
        assert surfaces(matcher, text) == [], text


def test_abbreviations_that_the_text_defines() -> None:
    names = {"L01DB01": ["doxorubicin"]}
    text = "DOX before; doxorubicin (DOX) given, then DOX again"
    found = matcher_of(names, abbreviations=True).find(text)
    assert [m.surface for m in found if m.rule == "name"] == ["doxorubicin"]
    later = [m for m in found if m.start > text.index("given")]
    assert [(m.surface, m.rule, m.atccode, m.drug) for m in later] == [
        ("DOX", "abbreviation", "L01DB01", "doxorubicin")
    ]
    assert surfaces(matcher_of(names), text) == ["doxorubicin"], "only when asked"
    assert surfaces(matcher_of(names, abbreviations=True), "DOX alone") == [], "only in the text that defines it"


def test_explain_says_why(matcher: drugs_rs.Matcher) -> None:
    found = matcher.explain("on metformin now", "metformin")
    inside = matcher.explain("norepinephrine", "epinephrine")
    absent = matcher.explain("nothing here", "metformin")
    assert len({found, inside, absent}) == 3
    assert "metformin" in found
    assert "norepinephrine" in inside
    with pytest.raises(ArgumentError, match="nosuchdrug"):
        matcher.explain("text", "nosuchdrug")


def test_empty_vocabulary() -> None:
    empty = matcher_of({})
    assert len(empty) == 0
    assert empty.find("metformin") == []
    assert empty.find_many(["metformin"]).num_rows == 0


def test_length_is_the_number_of_names() -> None:
    assert len(matcher_of({"A": ["aspirin", "acetylsalicylic acid"], "B": ["warfarin"]})) == 3


@pytest.mark.parametrize("names", [{"A": []}, {"A": [""]}, {"A": ["  "]}])
def test_codes_without_a_name_are_refused(names: dict[str, list[str]]) -> None:
    with pytest.raises(ArgumentError):
        matcher_of(names)


def test_unknown_boundary_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"word.*none|none.*word"):
        matcher_of(NAMES, boundary="syllable")


def test_mentions_are_values(matcher: drugs_rs.Matcher) -> None:
    (one,), (same,), (other,) = (matcher.find(text) for text in ("metformin", "metformin", "a metformin"))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert pickle.loads(pickle.dumps(one)) == one
    assert "metformin" in repr(one)
    with pytest.raises(AttributeError):
        one.start = 3  # type: ignore[misc]


@pytest.fixture(scope="module")
def unbounded() -> drugs_rs.Matcher:
    """The same names, found as any substring."""
    return matcher_of(NAMES, boundary="none")


ANY_NAME = st.sampled_from([name for names in NAMES.values() for name in names])


@settings(deadline=None, max_examples=300)
@given(pieces=st.lists(st.one_of(st.text(max_size=6), ANY_NAME)))
@example(pieces=["İ", "metformin", "\u0301"])
@example(pieces=["\u0301", "metformin", "ﬀ", "aspirin"])
def test_offsets_point_into_any_text(pieces: list[str], matcher: drugs_rs.Matcher, unbounded: drugs_rs.Matcher) -> None:
    text = "".join(pieces)
    surfaces(matcher, text)
    surfaces(unbounded, text)


@settings(deadline=None, max_examples=100)
@given(name=st.text(min_size=1, max_size=12).filter(lambda name: any(letter.isalnum() for letter in name)))
def test_any_name_is_found_or_refused(name: str) -> None:
    """Whatever a vocabulary has for a name: it is literal text, and its mentions are where they say."""
    try:
        matcher = matcher_of({"X": [name]}, stop_words=[])
    except ArgumentError:
        return
    text = "On {}, a study".format(" ".join(name.split()))
    for mention in matcher.find(text):
        assert text[mention.start : mention.end] == mention.surface
    assert matcher.find("") == []


def test_accents_by_option() -> None:
    names = {"A": ["levodopa"], "B": ["lévodopa"]}
    assert [m.atccode for m in matcher_of(names).find("lévodopa")] == ["A", "B"], "folded, the two are one name"
    kept = drugs_rs.Matcher.from_names(names, accents="keep", stop_words=[])
    assert [m.atccode for m in kept.find("lévodopa levodopa")] == ["B", "A"]
    with pytest.raises(ArgumentError, match=r"fold.*keep"):
        drugs_rs.Matcher.from_names(names, accents="umlaut")  # type: ignore[arg-type]
