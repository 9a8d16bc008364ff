"""Writing small source files for the tests."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Iterable, Sequence

if TYPE_CHECKING:
    from pathlib import Path

PUBMED_COLUMNS = ("id", "title", "date", "journal")
TRIAL_COLUMNS = ("id", "scientific_title", "date", "journal")
DRUG_COLUMNS = ("atccode", "drug")

Record = Sequence[str]


def csv_text(columns: Sequence[str], records: Iterable[Record]) -> str:
    """A well-formed CSV text with every field in quotes."""
    target = io.StringIO()
    csv.writer(target, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([columns, *records])
    return target.getvalue()


def write(path: Path, text: str) -> Path:
    """Write UTF-8 exactly as given: no newline is translated."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))
    return path


def write_pubmed(path: Path, *records: Record) -> Path:
    """A PubMed CSV of (id, title, date, journal)."""
    return write(path, csv_text(PUBMED_COLUMNS, records))


def write_trials(path: Path, *records: Record) -> Path:
    """A clinical trials CSV of (id, scientific title, date, journal)."""
    return write(path, csv_text(TRIAL_COLUMNS, records))


def write_drugs(path: Path, *records: Record) -> Path:
    """A vocabulary of (code, name)."""
    return write(path, csv_text(DRUG_COLUMNS, records))


def pubmed_elements(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The same records as JSON objects."""
    return [dict(zip(PUBMED_COLUMNS, record)) for record in records]


def ndjson_text(records: Iterable[Record]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(element, ensure_ascii=False) + "\n" for element in pubmed_elements(records))


def json_text(records: Iterable[Record]) -> str:
    """A JSON array over several lines."""
    return json.dumps(pubmed_elements(records), ensure_ascii=False, indent=2)


def whole_sample(samples: Path) -> dict[str, Any]:
    """The arguments of `drugs_rs.run` for the files of `examples/data`."""
    return {
        "drugs": str(samples / "drugs.csv"),
        "pubmed": [str(samples / "pubmed.csv"), str(samples / "pubmed.json")],
        "clinical_trials": [str(samples / "clinical_trials.csv")],
    }
