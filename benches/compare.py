"""Do two folders hold the same `drug_graph.json`, `top_journals.json` and `exclusive_drugs.json`?

The answers must be equal. So must the graphs, up to two things that nothing promises across tools: the order of a
list, and the id made up for a publication that came without one (a UUIDv5: such publications are compared by kind,
date, journal and drugs instead).

A program of its own, because a process's peak memory is inherited by the children it starts: were `run.py` to load
these files, the next measurement would begin at its size.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

KINDS = ("clinical_trial", "pubmed")
MADE_UP = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def compare(left: Path, right: Path) -> list[str]:
    """A sentence for each difference; none when the two folders say the same."""
    differences = []
    first, second = load(left, "top_journals"), load(right, "top_journals")
    if list(first.items()) != list(second.items()):
        differences.append(f"top_journals.json: {describe(first, second) or 'another order'}")
    first, second = ({code: sorted(of) for code, of in load(side, "exclusive_drugs").items()} for side in (left, right))
    if first != second:
        differences.append(f"exclusive_drugs.json: {describe(first, second)}")
    one, other = load(left, "drug_graph"), load(right, "drug_graph")
    if count_mentions(one) != count_mentions(other):
        differences.append(f"drug_graph.json: {count_mentions(one)} mentions against {count_mentions(other)}")
    one, other = settle(one), settle(other)
    differences += [
        f"drug_graph.json, {table}: {describe(one[table], other[table])}" for table in one if one[table] != other[table]
    ]
    return differences


def count_mentions(graph: dict[str, Any]) -> int:
    """The (drug, publication) pairs."""
    return sum(len(drug[f"{kind}_id"]) for drug in graph["drug"].values() for kind in KINDS)


def settle(graph: dict[str, Any]) -> dict[str, Any]:
    """The graph without what may differ: lists as sorted lists, made-up ids as what the publication is."""
    settled: dict[str, Any] = {
        "drug": {code: {"name": drug["name"]} for code, drug in graph["drug"].items()},
        "journal": {name: sorted(map(as_text, entries)) for name, entries in graph["journal"].items()},
    }
    for kind in KINDS:
        names = {key: name_of(key, publication) for key, publication in graph[kind].items()}
        settled[kind] = Counter(f"{names[key]} {as_text(publication)}" for key, publication in graph[kind].items())
        for code, drug in graph["drug"].items():
            settled["drug"][code][kind] = sorted(names[key] for key in drug[f"{kind}_id"])
    return settled


def name_of(identifier: str, publication: dict[str, Any]) -> str:
    return f"without id, {as_text(publication)}" if MADE_UP.fullmatch(identifier) else identifier


def as_text(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def describe(first: dict[str, Any], second: dict[str, Any]) -> str:
    """The first keys on which two tables differ."""
    keys = [key for key in {**first, **second} if first.get(key) != second.get(key)]
    shown = "; ".join(f"{key}: {first.get(key)} against {second.get(key)}"[:300] for key in keys[:3])
    return f"{len(keys)} differ, such as {shown}" if keys else ""


def load(folder: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return content


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the gold files of two folders. Exits with 1 if they differ.")
    parser.add_argument("folders", type=Path, nargs="+", help="one folder (only counted) or two")
    options = parser.parse_args()
    differences = compare(*options.folders[:2]) if len(options.folders) > 1 else []
    print(json.dumps({"mentions": count_mentions(load(options.folders[0], "drug_graph")), "differences": differences}))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
