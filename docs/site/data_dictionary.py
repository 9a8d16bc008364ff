"""The data dictionary: every table with its columns and a row of a real run, and a picture of what is made of what."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any, Iterable

import drugs_rs

DT = "2024-03-01"
# What each table is made of. Names with a slash are files outside the tables.
LINEAGE: dict[str, tuple[str, ...]] = {
    "bronze/drugs": ("sources",),
    "bronze/publications": ("sources",),
    "drugs_all": ("bronze/drugs",),
    "publications_all": ("bronze/publications",),
    "rejected": ("bronze/drugs", "bronze/publications"),
    "deleted": ("bronze/publications",),
    "journal_ids": ("bronze/publications",),
    "drugs": ("drugs_all",),
    "publications": ("publications_all", "deleted", "journal_ids"),
    "mentions": ("drugs", "publications", "publications_all"),
    "journals": ("publications", "mentions"),
    "journal_drugs": ("mentions",),
    "atc_classes": ("drugs",),
    "gold/drug_graph.json": ("drugs", "publications", "mentions"),
    "gold/top_journals.json": ("gold/drug_graph.json",),
    "gold/exclusive_drugs.json": ("gold/drug_graph.json",),
}
LAYERS = {
    "bronze": [name for name in LINEAGE if name.startswith("bronze/")],
    "silver": ["drugs_all", "publications_all", "rejected", "deleted", "journal_ids"],
    "gold": ["drugs", "publications", "mentions", "journals", "journal_drugs", "atc_classes"],
    "answers": [name for name in LINEAGE if name.startswith("gold/")],
}


def pages(root: Path, scratch: Path) -> dict[str, str]:
    """Return the page of the dictionary and that of the lineage by name."""
    return {"data-dictionary": _dictionary(root, scratch), "lineage": _lineage()}


def contract_files() -> dict[str, str]:
    """Return the same tables for programs, by the name of the file."""
    return {
        "drugs-rs-lake.odcs.yaml": drugs_rs.describe_tables(format="odcs"),
        "drugs-rs-lake.schema.json": drugs_rs.describe_tables(format="json"),
        "drugs-rs-lake.dbt.yml": drugs_rs.describe_tables(format="dbt"),
    }


def example_rows(root: Path, scratch: Path) -> dict[str, tuple[dict[str, Any], str]]:
    """Run the sample files, and return for each table its fullest row and the files that it is made of.

    The sample files have no notice of deletion and no ids of journals; two small files of the tests have them.
    """
    data, formats = "examples/data", "tests/data/formats"
    drugs = str(root / data / "drugs.csv")
    publications: dict[str, dict[str, Any]] = {
        data: {
            "pubmed": [str(root / data / name) for name in ("pubmed.csv", "pubmed.json")],
            "clinical_trials": str(root / data / "clinical_trials.csv"),
        },
        f"{formats}/pubmed.xml": {"pubmed": str(root / formats / "pubmed.xml")},
        f"{formats}/references.ris": {"pubmed": str(root / formats / "references.ris")},
    }
    rows: dict[str, tuple[dict[str, Any], str]] = {}
    for number, (files, sources) in enumerate(publications.items()):
        lake = scratch / str(number)
        drugs_rs.run(drugs=drugs, lake=lake, dt=DT, **sources)
        tables = drugs_rs.Lake(lake)
        for table in tables.tables()["table"]:
            found = tables.scan(table).read().to_dicts()
            if found and table not in rows:
                rows[table] = (max(found, key=_filled), files)
    return rows


def _dictionary(root: Path, scratch: Path) -> str:
    """The tables as `drugs-rs schema` describes them, each with its row."""
    rows = example_rows(root, scratch)
    parts = re.split(r"^## `(\w+)`$", drugs_rs.describe_tables(format="markdown"), flags=re.MULTILINE)
    lines = ["# Data dictionary", "", "What every table of a lake has, and a row of it.", ""]
    lines += ["The rows come from runs over the files that are named, made when this site was built.", ""]
    downloads = ", ".join(f"[{name}]({name})" for name in contract_files())
    lines += [f"The same for programs: {downloads}.", "", "[Where each table comes from](lineage.md).", ""]
    for table, text in zip(parts[1::2], parts[2::2]):
        row, files = rows[table]
        lines += [f"## `{table}`", "", text.strip(), "", f"A row, from `{files}`:", "", "```json"]
        lines += [json.dumps(row, indent=2, ensure_ascii=False, default=_text).replace(str(root) + "/", ""), "```", ""]
    return "\n".join(lines) + "\n"


def _lineage() -> str:
    """The picture of the tables, by layer."""
    lines = [
        # Without headings to list, the picture takes that room: its text is small enough.
        *("---", "hide:", "  - toc", "---", ""),
        "# Lineage",
        "",
        "An arrow leads from what is read to what is made of it.",
        "",
        "```mermaid",
        "flowchart LR",
    ]
    lines += [f"    {_id('sources')}[(sources)]"]
    for layer, names in LAYERS.items():
        lines.append(f"    subgraph {layer}")
        lines += [f'        {_id(name)}["{name.split("/")[-1] if layer == "answers" else name}"]' for name in names]
        lines.append("    end")
    lines += [f"    {_id(source)} --> {_id(name)}" for name, sources in LINEAGE.items() for source in sources]
    lines += ["```", "", "| made | of |", "|---|---|"]
    lines += [f"| {_name(name)} | {', '.join(map(_name, sources))} |" for name, sources in LINEAGE.items()]
    return "\n".join(lines) + "\n"


def _id(name: str) -> str:
    """A name as Mermaid takes it for a node."""
    return "node_" + re.sub(r"\W", "_", name)


def _name(name: str) -> str:
    is_table = "/" not in name and name != "sources"
    return f"[`{name}`](data-dictionary.md#{name})" if is_table else f"`{name}`"


def _filled(row: dict[str, Any]) -> int:
    """How many values of a row are there."""
    return sum(value not in (None, [], "") for value in row.values())


def _text(value: object) -> str:
    """A date as JSON has it."""
    assert isinstance(value, (datetime.date, datetime.datetime)), value
    return value.isoformat()


def table_names(lineage: Iterable[str] = LINEAGE) -> list[str]:
    """Return the tables of the picture."""
    return [name for name in lineage if "/" not in name]
