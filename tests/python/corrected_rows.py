"""A lake with rejected rows, files of them as a spreadsheet saves them, and the law that holds whatever is replayed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, Dict

from lake_state import hashes
from lake_tables import DT
from written_sources import write_drugs

import drugs_rs
from drugs_rs import Lake

Row = Dict[str, str]

HEADER = "id,title,date,journal\n"

BAD_ARTICLES = [
    ("1,Aspirin in rats,2020-01-01,Annals", None),
    ('2,,02/03/2020,"Journal, of tests"', "blank_title"),
    ("3,Too,many,fields,2020-01-03,Annals", "malformed_row"),
    ('4,"Open,2020-01-04,Annals', "unclosed_quote"),
    ("5,Ibuprofen,2020-01-05,Annals", None),
]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))
    return path


def read_fix(path: Path) -> list[Row]:
    """The rows of a file of rejected rows, read without the code under test."""
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def write_fix(path: Path, rows: list[Row], *, delimiter: str = ",") -> Path:
    """The rows as a spreadsheet saves them."""
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    table.writeheader()
    table.writerows(rows)
    return write(path, out.getvalue())


def article_lake(folder: Path, name: str = "lake", **settings: Any) -> Lake:
    """A lake with three rejected articles and a rejected drug."""
    drugs = write_drugs(folder / "in" / "drugs.csv", ("N02BA01", "aspirin"), ("M01AE01", "ibuprofen"), ("X", ""))
    pubmed = write(folder / "in" / "pubmed.csv", HEADER + "".join(row + "\n" for row, _ in BAD_ARTICLES))
    drugs_rs.run(drugs=drugs, pubmed=pubmed, lake=folder / name, dt=DT, **settings)
    return Lake(folder / name)


def corrected(row: Row, **values: str) -> Row:
    return {**row, **values}


def all_corrected(rows: list[Row]) -> list[Row]:
    """Every row with what it lacks."""
    fixed = []
    for number, row in enumerate(rows):
        if row["table"] == "drugs":
            fixed.append(corrected(row, atccode="C07AB02", drug="metoprolol"))
        else:
            title = f"Metoprolol {number}"
            fixed.append(corrected(row, id=row["id"] or f"9{number}", title=title, journal=row["journal"] or "Annals"))
    return fixed


def taken_out(lake: Lake, path: Path, *reason: str) -> list[Row]:
    lake.rejected(DT, *reason, out=path, overwrite=True)
    return read_fix(path)


def law_holds(lake: Lake) -> None:
    """Every file keeps the law of conservation, and the table of rejected rows has what is counted."""
    for table, name in (("drugs", "drugs"), ("pubmed", "publications")):
        manifest = json.loads((Path(lake.root) / "silver" / "manifests" / table / f"{'dt=' + DT}.json").read_text())
        counted = 0
        for source in manifest["sources"]:
            parts = source["rows_kept"] + source["rows_merged"] + source["rows_rejected"]
            assert source["rows_in"] == parts, source
            assert sum(source["rejected"].values()) == source["rows_rejected"]
            assert sum(source["merged"].values()) == source["rows_merged"]
            counted += source["rows_rejected"]
        stored = lake.scan("rejected", dt=DT).read().to_dicts()
        kinds = [row for row in stored if (row["kind"] is None) == (table == "drugs")]
        assert len(kinds) == counted, name


def gold(lake: Lake) -> None:
    drugs_rs.gold(lake=lake.root, dt=DT)


def content(lake: Lake) -> dict[str, str]:
    """Bronze and silver by their bytes; gold's tables and answers."""
    found = hashes(Path(lake.root), "bronze", "silver", "gold")
    found.pop("gold/_manifest.json", None)
    return found
