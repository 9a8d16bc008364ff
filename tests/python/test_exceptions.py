"""The tree of exceptions: which is which, that all take one message, and that they travel between processes."""

from __future__ import annotations

import pickle

import pytest

from drugs_rs import exceptions
from drugs_rs.exceptions import DrugsError, InputError, SourceNotFoundError

PARENTS: dict[str, tuple[type[Exception], ...]] = {
    "DrugsError": (Exception,),
    "SourceNotFoundError": (DrugsError, FileNotFoundError),
    "SourceIsDirectoryError": (SourceNotFoundError, IsADirectoryError),
    "ArgumentError": (DrugsError, ValueError),
    "InputError": (DrugsError, ValueError),
    "SchemaError": (InputError,),
    "FormatError": (InputError,),
    "EncodingError": (InputError,),
    "LossError": (DrugsError,),
    "RowCountError": (InputError,),
    "ContractError": (InputError,),
    "StorageError": (DrugsError, OSError),
    "ColumnNotFoundError": (DrugsError, KeyError),
    "RowNotFoundError": (DrugsError, IndexError),
    "MissingLibraryError": (DrugsError, ModuleNotFoundError),
    "ConflictError": (DrugsError,),
    "ConservationError": (DrugsError,),
    "ForkError": (DrugsError, RuntimeError),
    "InternalError": (DrugsError, RuntimeError),
}


def test_the_tree_is_complete() -> None:
    assert set(PARENTS) == set(exceptions.__all__)


@pytest.mark.parametrize("name", PARENTS)
def test_parents(name: str) -> None:
    assert getattr(exceptions, name).__bases__ == PARENTS[name]


@pytest.mark.parametrize("name", PARENTS)
def test_message_survives_pickling(name: str) -> None:
    kind = getattr(exceptions, name)
    error = kind("lake/gold: 5 µg of nothing")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        copy = pickle.loads(pickle.dumps(error, protocol))
        assert type(copy) is kind
        assert str(copy) == str(error) == "lake/gold: 5 µg of nothing"
        assert copy.args == error.args == ("lake/gold: 5 µg of nothing",)


@pytest.mark.parametrize("name", PARENTS)
def test_each_says_what_it_means(name: str) -> None:
    assert name in (exceptions.__doc__ or "")
    assert getattr(exceptions, name).__dict__["__doc__"]
