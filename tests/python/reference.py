"""A slow, plain second opinion on what the sample files of `examples/data` must give.

It shares no code with the package and no method either: lists instead of tables, letter-by-letter comparison instead of
a matcher. It knows only the dirt that the sample has; where a file holds anything else it stops with an AssertionError
instead of guessing. `python tests/python/reference.py examples/data tests/golden` writes the golden files anew; read
the difference before committing it.
"""

from __future__ import annotations

import contextlib
import csv
import json
import re
import sys
import unicodedata
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

# A placeholder for the id that the pipeline makes up: its UUID depends on a namespace that is not known here.
SYNTHETIC = "<synthetic>"

# Day before month: that is the rule under test.
DATE_FORMS = ("%Y-%m-%d", "%d/%m/%Y", "%d %B %Y")

ESCAPES = re.compile(r"(?:\\{1,2}x[0-9A-Fa-f]{2})+( ?)")


class Publication(NamedTuple):
    """One kept record; `drugs` are the codes that its title mentions, in the order of the vocabulary."""

    kind: str
    identifier: str
    title: str
    date: str | None
    journal: str | None
    drugs: tuple[str, ...]


def clean(text: str) -> str:
    """Decode literal escapes, drop broken runs (and a next blank that separates no words), compose, squeeze blanks."""

    def decoded(match: re.Match[str]) -> str:
        run = bytes(int(pair, 16) for pair in re.findall(r"x([0-9A-Fa-f]{2})", match.group(0)))
        try:
            return run.decode("utf-8") + match.group(1)
        except UnicodeDecodeError:
            before = match.string[: match.start()][-1:]
            return match.group(1) if before.strip() else ""

    return " ".join(unicodedata.normalize("NFC", ESCAPES.sub(decoded, text)).split())


def day(text: str) -> str | None:
    """The ISO form of a date of the sample, or None for a day that no calendar has."""
    for form in DATE_FORMS:
        with contextlib.suppress(ValueError):
            # A date has no time and so no zone.
            return datetime.strptime(text.strip(), form).date().isoformat()
    assert re.fullmatch(r"\d\d/\d\d/\d{4}", text.strip()), f"a date that the reference does not know: {text!r}"
    return None


def journal_key(journal: str) -> str:
    """Letters and digits only, without case and accents."""
    plain = unicodedata.normalize("NFKD", journal.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def rows(path: Path) -> list[dict[str, Any]]:
    """The records of a CSV file or a JSON array, blank lines and trailing commas left out."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        loaded: list[dict[str, Any]] = json.loads(re.sub(r",(\s*[\]}])", r"\1", text))
        return loaded
    return list(csv.DictReader(line for line in text.split("\n") if line.strip()))


def mentions(title: str, name: str) -> bool:
    """Whether `name` occurs in `title` without a letter or digit at either side."""
    title, name = title.lower(), name.lower()
    for start in range(len(title) - len(name) + 1):
        end = start + len(name)
        before, after = title[start - 1 : start], title[end : end + 1]
        if title[start:end] == name and not before.isalnum() and not after.isalnum():
            return True
    return False


def publications(path: Path, kind: str, vocabulary: dict[str, str]) -> list[Publication]:
    """The kept records of one file: blank titles gone, two half rows made one."""
    kept: list[Publication] = []
    for row in rows(path):
        title = clean(str(row["scientific_title" if kind == "clinical_trial" else "title"]))
        if not title:
            continue
        identifier = clean(str(row["id"]))
        journal = clean(str(row["journal"])) or None
        drugs = tuple(code for code, name in vocabulary.items() if mentions(title, name))
        record = Publication(kind, identifier, title, day(str(row["date"])), journal, drugs)
        for place, other in enumerate(kept):
            halves = (not other.identifier and not journal) or (not identifier and not other.journal)
            if halves and (other.title, other.date) == (title, record.date):
                kept[place] = other._replace(
                    identifier=identifier or other.identifier, journal=journal or other.journal
                )
                break
        else:
            kept.append(record)
    return [record._replace(identifier=record.identifier or SYNTHETIC) for record in kept]


def display_names(records: list[Publication]) -> dict[str, str]:
    """For every spelling of a journal the one that is shown: the most frequent, then the first in code-point order."""
    spellings = Counter(record.journal for record in records if record.journal)
    shown: dict[str, str] = {}
    for spelling in spellings:
        same = [other for other in spellings if journal_key(other) == journal_key(spelling)]
        shown[spelling] = min(same, key=lambda name: (-spellings[name], name))
    return shown


def drug_graph(vocabulary: dict[str, str], records: list[Publication]) -> dict[str, Any]:
    """The four tables of `drug_graph.json`."""
    graph: dict[str, Any] = {"clinical_trial": {}, "drug": {}, "journal": {}, "pubmed": {}}
    for code, name in vocabulary.items():
        graph["drug"][code] = {"clinical_trial_id": [], "name": name, "pubmed_id": []}
    for record in records:
        assert record.identifier not in graph[record.kind], "the sample has an id twice"
        graph[record.kind][record.identifier] = {"date": record.date, "journal": record.journal}
        for code in record.drugs:
            graph["drug"][code][record.kind + "_id"].append(record.identifier)
            if record.journal:
                entry = {"atccode": code, "date": record.date, "drug": vocabulary[code]}
                graph["journal"].setdefault(record.journal, []).append(entry)
    return graph


# The words of salts in the vocabularies that the tests make.
SALTS = ("hydrochloride", "sodium")


def substance(name: str) -> str:
    """The canonical name of a drug: lower case, no brackets after a blank, no salt at the end, parts in order."""
    parts = []
    for part in re.sub(r" \([^)]*\)", "", name.lower()).replace("/", " and ").split(" and "):
        words = part.split()
        while words[-1] in SALTS:
            words.pop()
        parts.append(" ".join(words))
    return " and ".join(sorted(set(parts)))


def first_codes(vocabulary: dict[str, str], unit: str) -> dict[str, str]:
    """For every code the one that counts: the first of its substance, or the code itself."""
    if unit == "code":
        return {code: code for code in vocabulary}
    names = {code: substance(name) for code, name in vocabulary.items()}
    return {code: min(other for other in names if names[other] == names[code]) for code in vocabulary}


def counted(
    vocabulary: dict[str, str], records: list[Publication], unit: str
) -> tuple[dict[str, str], list[Publication]]:
    """A vocabulary and records of what counts as one drug."""
    first = first_codes(vocabulary, unit)
    kept = {code: name for code, name in vocabulary.items() if first[code] == code}
    return kept, [record._replace(drugs=tuple(sorted({first[code] for code in record.drugs}))) for record in records]


def top_journals(records: list[Publication]) -> dict[str, int]:
    """Every journal with a mention and its number of different drugs: largest first, ties by name."""
    drugs = drugs_of_journals(records, ("pubmed", "clinical_trial"))
    return {name: len(drugs[name]) for name in sorted(drugs, key=lambda name: (-len(drugs[name]), name))}


def exclusive_drugs(vocabulary: dict[str, str], records: list[Publication]) -> dict[str, list[str]]:
    """For each drug those that its journals name: of articles that mention it, less those of trials that do."""
    everywhere = drugs_of_journals(records, ("pubmed", "clinical_trial"))

    def others(code: str, kind: str) -> set[str]:
        naming = [name for name, codes in drugs_of_journals(records, (kind,)).items() if code in codes]
        return {other for name in naming for other in everywhere[name]}

    return {code: sorted(others(code, "pubmed") - others(code, "clinical_trial") - {code}) for code in vocabulary}


def drugs_of_journals(records: list[Publication], kinds: tuple[str, ...]) -> dict[str, set[str]]:
    """Journal → codes that its publications of these kinds mention."""
    drugs: dict[str, set[str]] = {}
    for record in records:
        if record.kind in kinds and record.journal and record.drugs:
            drugs.setdefault(record.journal, set()).update(record.drugs)
    return drugs


def answers(samples: Path) -> dict[str, Any]:
    """The parsed contents that the three gold files must have, by file name."""
    vocabulary = {str(row["atccode"]).strip(): clean(str(row["drug"])) for row in rows(samples / "drugs.csv")}
    sources = (("pubmed.csv", "pubmed"), ("pubmed.json", "pubmed"), ("clinical_trials.csv", "clinical_trial"))
    found = [record for name, kind in sources for record in publications(samples / name, kind, vocabulary)]
    shown = display_names(found)
    records = [record._replace(journal=shown[record.journal] if record.journal else None) for record in found]
    counted_drugs, counted_records = counted(vocabulary, records, "substance")
    return {
        "drug_graph.json": drug_graph(vocabulary, records),
        "exclusive_drugs.json": exclusive_drugs(counted_drugs, counted_records),
        "top_journals.json": top_journals(counted_records),
    }


if __name__ == "__main__":
    golden = Path(sys.argv[2])
    for file_name, content in answers(Path(sys.argv[1])).items():
        # `top_journals.json` is ordered by its numbers; the others by key.
        sort = file_name != "top_journals.json"
        text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=sort)
        (golden / file_name).write_text(text + "\n", encoding="utf-8")
