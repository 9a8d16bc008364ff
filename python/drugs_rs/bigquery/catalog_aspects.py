"""Aspects of Knowledge Catalog (formerly Dataplex): what the tables and columns of a dataset mean, as files for gcloud.

BigQuery's own entries have the descriptions of tables and columns from each load. Aspects add what BigQuery has no room
for: the business term of a column, an example, the layer and the key of a table.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from drugs_rs.exceptions import ArgumentError

TABLE_TYPE = "drugs-rs-table"
COLUMN_TYPE = "drugs-rs-column"
# Name, title and description of the fields. An aspect type may get more fields at the end; a change of the order, or of
# a name, is refused by the service.
TABLE_FIELDS = (
    ("meaning", "Meaning", "What a row of the table is"),
    ("key", "Key", "The columns that together name a row"),
)
COLUMN_FIELDS = (
    ("business_term", "Business term", "What the column is called in the business"),
    ("meaning", "Meaning", "What a value of the column says"),
    ("example", "Example", "A value, as JSON"),
)


def aspect_files(project: str, location: str) -> dict[str, dict[str, Any]]:
    """Return the content of each file by its name: a template for each aspect type, and the aspects of each table."""
    from drugs_rs import describe_tables

    for what, text in (("project", project), ("location", location)):
        if not re.fullmatch(r"[a-z][a-z0-9-]*", text):
            raise ArgumentError(
                f"{what}: {text!r} is not the id of a {what}; expected one such as 'my-project' or 'eu'"
            )
    tables = json.loads(describe_tables(format="json"))["$defs"]
    keys = dict(re.findall(r"^## `(\w+)`\n\n.*? Key: (.+)\.$", describe_tables(format="markdown"), flags=re.MULTILINE))
    files = {
        f"{TABLE_TYPE}.template.json": _template(TABLE_TYPE, TABLE_FIELDS),
        f"{COLUMN_TYPE}.template.json": _template(COLUMN_TYPE, COLUMN_FIELDS),
    }
    prefix = f"{project}.{location}"
    for name, table in tables.items():
        about = {"meaning": table["description"], "key": keys[name].replace("`", "")}
        aspects: dict[str, Any] = {f"{prefix}.{TABLE_TYPE}": {"data": about}}
        for column, its in table["properties"].items():
            aspects[f"{prefix}.{COLUMN_TYPE}@Schema.{column}"] = {
                "data": {
                    "business_term": its["title"],
                    "meaning": its["description"],
                    "example": json.dumps(its["examples"][0], ensure_ascii=False),
                }
            }
        files[f"{name}.aspects.json"] = aspects
    return files


def write_files(folder: str | os.PathLike[str], project: str, location: str) -> list[str]:
    """Write the files into a folder, which is made if it is missing, and return their paths."""
    files = aspect_files(project, location)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        (place / name).write_text(text, encoding="utf-8")
    return [str(place / name) for name in files]


def _template(name: str, fields: tuple[tuple[str, str, str], ...]) -> dict[str, Any]:
    """The template of an aspect type: texts that are all required."""
    return {
        "name": name,
        "type": "record",
        "recordFields": [
            {
                "name": field,
                "type": "string",
                "index": number,
                "annotations": {"displayName": title, "description": description},
                "constraints": {"required": True},
            }
            for number, (field, title, description) in enumerate(fields, start=1)
        ],
    }
