"""drugs_rs as its README shows it. `--columns` searches with `find_many`, on all cores; `--no-abbreviations`."""

from __future__ import annotations

import sys
from typing import Sequence

from serve import Names, Spans, serve

import drugs_rs

ABBREVIATIONS = "--no-abbreviations" not in sys.argv
COLUMNS = "--columns" in sys.argv


def build(names: Names) -> drugs_rs.Matcher:
    return drugs_rs.Matcher.from_names(names, abbreviations=ABBREVIATIONS)


def search(matcher: drugs_rs.Matcher, texts: Sequence[str]) -> Spans:
    return [[(mention.start, mention.end) for mention in matcher.find(text)] for text in texts]


def search_columns(matcher: drugs_rs.Matcher, texts: Sequence[str]) -> drugs_rs.Table:
    return matcher.find_many(list(texts))


def read_columns(table: drugs_rs.Table, texts: Sequence[str]) -> Spans:
    spans: Spans = [[] for _ in texts]
    for mention in table.to_dicts():
        spans[mention["row"]].append((mention["start"], mention["end"]))
    return spans


if __name__ == "__main__":
    if COLUMNS:
        serve(build, search_columns, "drugs-rs", read=read_columns)
    else:
        serve(build, search, "drugs-rs")
