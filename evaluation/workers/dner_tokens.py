"""drug-named-entity-recognition. Its dictionary is the one that all sides get, so its import is its building.

It takes tokens and answers with tokens. Its README makes them with `split(" ")`, and so does this; `--signs` takes the
punctuation off first, which the README leaves to its reader. A mention goes from the first letter of its first token
to the last letter of its last one.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Callable, Sequence

from serve import Names, Spans, serve

# Words with their inner dashes and apostrophes, and every other sign by itself.
SIGNS = re.compile(r"\w+(?:[-'’]\w+)*|[^\w\s]")


def build(names: Names) -> Callable[[list[str]], list[Any]]:
    from drug_named_entity_recognition import drugs_finder

    if set(drugs_finder.drug_variant_to_canonical) != {name for spellings in names.values() for name in spellings}:
        sys.exit("the names of the job are not the dictionary that drug-named-entity-recognition brings along")
    find_drugs: Callable[[list[str]], list[Any]] = drugs_finder.find_drugs
    return find_drugs


def search(find_drugs: Callable[[list[str]], list[Any]], texts: Sequence[str]) -> Spans:
    cut = cut_signs if "--signs" in sys.argv else cut_blanks
    spans: Spans = []
    for text in texts:
        tokens, places = cut(text)
        spans.append([(places[first][0], places[end - 1][1]) for _, first, end in find_drugs(tokens)])
    return spans


def cut_blanks(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    tokens = text.split(" ")
    places = []
    start = 0
    for token in tokens:
        places.append((start, start + len(token)))
        start += len(token) + 1
    return tokens, places


def cut_signs(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    found = list(SIGNS.finditer(text))
    return [token.group() for token in found], [token.span() for token in found]


if __name__ == "__main__":
    serve(build, search, "drug-named-entity-recognition", again=False)
