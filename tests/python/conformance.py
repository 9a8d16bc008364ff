"""One suite for all engines: the same lakes through each, and what each must give.

An engine gives the rows of `publications`, `mentions`, `journal_drugs` and both answers. Wherever it computes one
itself, by a model of SQL or by finding drugs, that is what is compared. `test_conformance.py` runs the engines of this
environment, `tests/spark` runs Spark; both write their part of `docs/conformance.md`.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Protocol, Sequence

from lake_story import in_order
from model_lakes import LAKES

import drugs_rs
from drugs_rs import sql

Row = Dict[str, Any]
Rows = List[Row]
ROOT = Path(__file__).resolve().parents[2]
CORPORA = Path(os.environ.get("DRUGS_RS_CORPORA", str(ROOT.parent / "shared" / "data")))
PAGE = ROOT / "docs" / "conformance.md"
TABLES = ("publications", "mentions", "journal_drugs")


class Findings(NamedTuple):
    """What an engine gives for a lake."""

    publications: Rows
    mentions: Rows
    journal_drugs: Rows
    top_journals: list[tuple[str, int]]
    exclusive_drugs: dict[str, list[str]]


class Engine(Protocol):
    """An engine that has a lake."""

    def findings(self) -> Findings:
        """Everything that is compared."""


def four_files(folder: Path) -> Path:
    """The sample files."""
    samples = ROOT / "examples" / "data"
    drugs_rs.run(
        drugs=samples / "drugs.csv",
        pubmed=[samples / "pubmed.csv", samples / "pubmed.json"],
        clinical_trials=samples / "clinical_trials.csv",
        lake=folder / "lake",
        dt="2024-03-01",
    )
    return folder / "lake"


def corpora(folder: Path) -> Path:
    """Real articles and trials with the WHO's vocabulary; the records come again, and the vocabulary is replaced."""
    for dt, vocabulary in (("2025-06-14", "who_atc_2025-06-14.csv"), ("2026-04-25", "who_atc_2026-04-25.csv")):
        drugs_rs.run(
            drugs=CORPORA / "vocabulary" / vocabulary,
            pubmed=CORPORA / "pubmed" / "PUBMED_240.nbib",
            clinical_trials=CORPORA / "clinicaltrials" / "ctgov_api_v2.json",
            lake=folder / "lake",
            dt=dt,
        )
    return folder / "lake"


# What `real corpora` are is no part of this project; without them that case is left out, but not in CI.
CASES: dict[str, Callable[[Path], Path]] = {"four files": four_files, **LAKES}
if CORPORA.is_dir() or os.environ.get("CI") == "true":
    CASES["real corpora"] = corpora


def as_json(rows: Any) -> Rows:
    """Rows with dates as texts, in one order."""
    return in_order(json.loads(json.dumps([dict(row) for row in rows], default=str)))


def of_core(lake: Path) -> Findings:
    """What the core has published: its tables and its answers."""
    opened, answers = drugs_rs.Lake(lake), drugs_rs.read_answers(lake)
    publications, mentions, journal_drugs = (as_json(opened.scan(table).read()) for table in TABLES)
    exclusive = {code: others for code, others in answers["exclusive_drugs"].items() if others}
    top = list(answers["top_journals"].items())
    return Findings(publications, mentions, journal_drugs, top, exclusive)


def by_models(rows_of: Callable[[str, str], Any], dialect: str, given: Mapping[str, Any], **options: Any) -> Findings:
    """What a database gives: its own publications and mentions, and the other rows by the models.

    Args:
        rows_of: The rows of a query, in its order, by the columns' names; the second argument names the query.
        dialect: The dialect of the models.
        given: The rows of `publications` and `mentions`.
        options: Where the models find the tables.
    """
    found = {name: rows_of(sql.model(name, dialect, **options), name) for name in ("journal_drugs", "top_journals")}
    exclusive: dict[str, list[str]] = {}
    for row in rows_of(sql.model("exclusive_drugs", dialect, **options), "exclusive_drugs"):
        exclusive.setdefault(row["atccode"], []).append(row["other_atccode"])
    top = [(row["journal"], row["drugs"]) for row in found["top_journals"]]
    publications, mentions = as_json(given["publications"]), as_json(given["mentions"])
    return Findings(publications, mentions, as_json(found["journal_drugs"]), top, exclusive)


def check(engine: str, found: Findings, expected: Findings) -> None:
    """Compare everything, with the first difference in the message."""
    for part in Findings._fields:
        one, other = getattr(found, part), getattr(expected, part)
        if one != other and isinstance(one, list):
            extra, missing = [row for row in one if row not in other], [row for row in other if row not in one]
            assert not extra and not missing, f"{engine}, {part}: extra {extra[:2]}, missing {missing[:2]}"
        assert one == other, f"{engine}, {part}"


HEAD = """# Conformance

Written by `tests/python/test_conformance.py` and `tests/spark`: every engine gives the rows of the core for each lake.

"""


def write_part(name: str, lines: Sequence[str]) -> None:
    """Compare a part of the page with what a suite found; `DRUGS_RS_UPDATE_GOLDEN=1` writes it."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    part = "\n".join([begin, *lines, end])
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
    if os.environ.get("DRUGS_RS_UPDATE_GOLDEN") == "1":
        if begin not in page:
            page = f"{page.rstrip()}\n\n{begin}\n{end}\n"
        page = re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: part, page, flags=re.DOTALL)
        PAGE.write_text(page.rstrip() + "\n", encoding="utf-8")
    assert part in page, f"{PAGE.name} says something else about {name}"
