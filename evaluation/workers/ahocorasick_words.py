"""pyahocorasick over lower-cased names and texts; of what it finds, the leftmost and longest.

Hits must stand between word bounds, that is, between characters that are no letters and no digits. `--substring` takes
them anywhere.
"""

from __future__ import annotations

import sys
from typing import Any, Sequence

import ahocorasick
from serve import Names, Spans, flat, serve

WORDS = "--substring" not in sys.argv


def build(names: Names) -> Any:
    automaton = ahocorasick.Automaton(ahocorasick.STORE_LENGTH)
    for name in flat(names):
        automaton.add_word(lower(name))
    automaton.make_automaton()
    return automaton


def search(automaton: Any, texts: Sequence[str]) -> Spans:
    return [leftmost_longest(bounded(lower(text), automaton)) for text in texts]


def lower(text: str) -> str:
    """Lower case letter by letter where `str.lower` would change the length, and with it every later offset."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


def bounded(text: str, automaton: Any) -> list[tuple[int, int]]:
    hits = [(last + 1 - length, last + 1) for last, length in automaton.iter(text)]
    if not WORDS:
        return hits
    return [
        (start, end)
        for start, end in hits
        if not (start and text[start - 1].isalnum()) and not (end < len(text) and text[end].isalnum())
    ]


def leftmost_longest(hits: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    reached = 0
    for start, end in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if start >= reached:
            kept.append((start, end))
            reached = end
    return kept


if __name__ == "__main__":
    serve(build, search, "pyahocorasick")
