"""Everything that ``drugs_rs`` raises, in one tree.

::

    DrugsError
    ├── SourceNotFoundError   (also FileNotFoundError)
    │   └── SourceIsDirectoryError   (also IsADirectoryError)
    ├── ArgumentError         (also ValueError)
    ├── InputError            (also ValueError)
    │   ├── SchemaError
    │   ├── FormatError
    │   ├── EncodingError
    │   ├── RowCountError
    │   └── ContractError
    ├── StorageError          (also OSError)
    ├── ColumnNotFoundError   (also KeyError)
    ├── RowNotFoundError      (also IndexError)
    ├── MissingLibraryError   (also ModuleNotFoundError)
    ├── LossError
    ├── ConflictError
    ├── ConservationError
    ├── ForkError             (also RuntimeError)
    └── InternalError         (also RuntimeError)

If Python has a builtin for the fault, the class is a subclass of it, so code that does not know this package catches it
too. Each exception takes one message, which names the file, the row or byte, what was found and what to do.
All can be pickled: Airflow and Spark pass exceptions from one process to another.

A missing or wrongly typed argument raises a plain ``TypeError``, and Ctrl-C a plain ``KeyboardInterrupt``.
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "ColumnNotFoundError",
    "ConflictError",
    "ConservationError",
    "ContractError",
    "DrugsError",
    "EncodingError",
    "ForkError",
    "FormatError",
    "InputError",
    "InternalError",
    "LossError",
    "MissingLibraryError",
    "RowCountError",
    "RowNotFoundError",
    "SchemaError",
    "SourceIsDirectoryError",
    "SourceNotFoundError",
    "StorageError",
]


class DrugsError(Exception):
    """Base class of all exceptions of this package."""


class SourceNotFoundError(DrugsError, FileNotFoundError):
    """A source does not exist or matches no file, or a lake lacks the result of an earlier step."""


class SourceIsDirectoryError(SourceNotFoundError, IsADirectoryError):
    """A source is a folder without any data file in it."""


class ArgumentError(DrugsError, ValueError):
    """An argument has an impossible value: a bad ``dt``, an unknown encoding, an empty list of sources."""


class InputError(DrugsError, ValueError):
    """A source as a whole cannot be read as what it should be, or a delivery is not of the expected size.

    A single bad row never raises: it is counted and stored in ``silver/rejected`` with its reason.
    """


class SchemaError(InputError):
    """Required columns are missing; the message lists all that are missing and all that were found."""


class FormatError(InputError):
    """The file is empty, cut off, or not of the format it claims; the message names the byte offset."""


class EncodingError(InputError):
    """The bytes are not valid text; the message names the byte offset and the option that helps."""


class RowCountError(InputError):
    """A delivery has far fewer or more rows than ``expect_rows`` allows; silver is as it was.

    The message has the numbers, what they are compared with, and the bounds.
    """


class ContractError(InputError):
    """Rows break rules of severity ``error`` of a data contract, or a lake misses an objective of it.

    The message has each rule with its count and what it allows. Of a step, nothing was committed.
    """


class LossError(DrugsError):
    """More is lost than `max_lost` allows between two states, or `max_absent` in a snapshot."""


class StorageError(DrugsError, OSError):
    """The lake cannot be read or written: no permission, a full disk, an output folder that is a file.

    The previous state is untouched.
    """


class ColumnNotFoundError(DrugsError, KeyError):
    """A table has no column of this name; the message lists its columns and the one that was probably meant."""

    def __str__(self) -> str:
        """Return the message as it is: ``KeyError`` would show it in quotes."""
        return Exception.__str__(self)


class RowNotFoundError(DrugsError, IndexError):
    """A table has fewer rows."""


class MissingLibraryError(DrugsError, ModuleNotFoundError):
    """A library that a method hands its result to is not installed; the message says how to install it."""


class ConflictError(DrugsError):
    """Another run works on the same partition or has replaced it; its result is complete."""


class ConservationError(DrugsError):
    """Rows in differ from rows kept + merged + rejected: a bug in this package; nothing was written."""


class ForkError(DrugsError, RuntimeError):
    """The engine was used in a process and then in its forked child, where its threads do not exist.

    The message names the remedies: start the step in a new process (``drugs-rs``, ``python -m drugs_rs``, the
    multiprocessing start method ``spawn``), or do not use the engine before forking.
    """


class InternalError(DrugsError, RuntimeError):
    """The core failed where it never should: a bug in this package; the message names the place in its source."""


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
