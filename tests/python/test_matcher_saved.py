"""A matcher as a file, as bytes and as a pickle: the same answers, and clear words about bytes that are none."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import drugs_rs
from drugs_rs.exceptions import FormatError, SourceNotFoundError, StorageError

NAMES = {
    "A10BA02": ["metformin", "metformin hydrochloride"],
    "B01AC06": ["aspirin", "acetylsalicylic acid"],
    "C01CA24": ["épinéphrine", "(R)-adrenaline"],
    "V": ["NO", "same"],
    "C09DX04": ["valsartan and sacubitril"],
}
TEXT = (
    "Sacubitril/valsartan, Metformin, acetylsalicylic acids (ASA), ASA, (R)-adrenaline, Epinephrine: "
    "the same NO, no 💊 aspirin"
)
OPTIONS: list[dict[str, Any]] = [
    {},
    {"abbreviations": True},
    {"boundary": "none"},
    {"accents": "keep"},
    {"stop_words": []},
    {"extra_stop_words": ["aspirin"], "salts": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_same_answers_from_a_file_and_a_pickle(options: dict[str, Any], tmp_path: Path) -> None:
    matcher = drugs_rs.Matcher.from_names(NAMES, **options)
    matcher.save(tmp_path / "matcher.bin")
    copies = [
        drugs_rs.Matcher.load(tmp_path / "matcher.bin"),
        drugs_rs.Matcher.from_bytes(matcher.to_bytes()),
        pickle.loads(pickle.dumps(matcher)),
    ]
    for copy in copies:
        assert copy.find(TEXT) == matcher.find(TEXT)
        assert copy.find_many([TEXT]).to_dicts() == matcher.find_many([TEXT]).to_dicts()
        assert copy.explain(TEXT, "same") == matcher.explain(TEXT, "same")
        assert (len(copy), repr(copy), copy.to_bytes()) == (len(matcher), repr(matcher), matcher.to_bytes())


def test_the_same_vocabulary_gives_the_same_bytes() -> None:
    assert drugs_rs.Matcher.from_names(NAMES).to_bytes() == drugs_rs.Matcher.from_names(NAMES).to_bytes()


def test_another_process_reads_the_pickle(tmp_path: Path) -> None:
    (tmp_path / "pickled").write_bytes(pickle.dumps(drugs_rs.Matcher.from_names(NAMES)))
    program = "import pickle, sys; print(len(pickle.load(open(sys.argv[1], 'rb'))))"
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "pickled"], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == len(drugs_rs.Matcher.from_names(NAMES))


def test_an_empty_matcher_is_saved_too() -> None:
    empty = drugs_rs.Matcher.from_bytes(drugs_rs.Matcher.from_names({}).to_bytes())
    assert (len(empty), empty.find(TEXT)) == (0, [])


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda data: data[:0], "not a saved matcher"),
        (lambda data: b"%PDF-1.7" + data, "not a saved matcher"),
        (lambda data: data[:-1], "cut off or damaged"),
        (lambda data: data[:31], "not a saved matcher"),
        (lambda data: data + b"x", "cut off or damaged"),
        (lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], "cut off or damaged"),
        (lambda data: data[:16] + b"\x63" + data[17:], "format 99"),
    ],
)
def test_bytes_that_are_no_matcher(damage: Any, found: str, tmp_path: Path) -> None:
    data = damage(drugs_rs.Matcher.from_names(NAMES).to_bytes())
    (tmp_path / "broken.bin").write_bytes(data)
    with pytest.raises(FormatError, match=found) as told:
        drugs_rs.Matcher.load(tmp_path / "broken.bin")
    assert str(tmp_path / "broken.bin") in str(told.value) and "build the matcher again" in str(told.value)
    with pytest.raises(FormatError, match=found):
        drugs_rs.Matcher.from_bytes(data)


def test_every_damaged_byte_is_noticed() -> None:
    data = drugs_rs.Matcher.from_names({"A": ["aspirin"]}, stop_words=[]).to_bytes()
    for place in set(range(len(data))) - {20, 21, 22, 23}:
        with pytest.raises(FormatError):
            drugs_rs.Matcher.from_bytes(data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :])


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="nowhere.bin"):
        drugs_rs.Matcher.load(tmp_path / "nowhere.bin")
    with pytest.raises(StorageError, match="no such folder"):
        drugs_rs.Matcher.from_names(NAMES).save(tmp_path / "no folder" / "matcher.bin")
