"""The types of columns as tables name them (``list[struct{name: string}]``) in the words of an engine."""

from __future__ import annotations

from typing import Callable, Mapping, TypeVar

__all__ = ["translated"]

T = TypeVar("T")


def translated(
    kind: str,
    scalars: Mapping[str, T],
    list_of: Callable[[T], T],
    struct_of: Callable[[Mapping[str, T]], T],
) -> T:
    """Translate a type.

    Args:
        kind: The type as ``Lake.schema`` names it.
        scalars: The engine's types for ``string``, ``int64``, ``float64``, ``bool`` and ``date``.
        list_of: Makes the type of a list from that of its items.
        struct_of: Makes the type of a struct from those of its fields.

    Raises:
        KeyError: The engine has no such type.
    """
    if kind.startswith("list[") and kind.endswith("]"):
        return list_of(translated(kind[len("list[") : -1], scalars, list_of, struct_of))
    if kind.startswith("struct{") and kind.endswith("}"):
        fields = (field.split(": ", 1) for field in _fields(kind[len("struct{") : -1]))
        return struct_of({name: translated(its, scalars, list_of, struct_of) for name, its in fields})
    return scalars[kind]


def _fields(text: str) -> list[str]:
    """Split the fields of a struct at its own commas."""
    fields, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            fields.append("")
        else:
            fields[-1] += letter
    return [field.strip() for field in fields if field.strip()]


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
