#!/usr/bin/env python3
"""A `gcloud` with four commands of Dataplex, which keeps its state in the file that SERVICE names."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Run one command; what the service would refuse ends it."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("words", nargs=4)
    for option in ("--project", "--location"):
        parser.add_argument(option, required=True)
    for option in ("--metadata-template-file-name", "--entry-group", "--update-aspects"):
        parser.add_argument(option)
    given = parser.parse_args()
    file = Path(os.environ["SERVICE"])
    service = json.loads(file.read_text(encoding="utf-8"))
    known = f"{given.project}.{given.location}.{given.words[3]}" in service["types"]
    if given.words[:3] == ["dataplex", "aspect-types", "create"]:
        if known:
            sys.exit(f"ERROR: ALREADY_EXISTS: the aspect type {given.words[3]}")
        set_type(service, given)
    elif given.words[:2] == ["dataplex", "aspect-types"] and given.words[2] in ("describe", "update"):
        if not known:
            sys.exit(f"ERROR: NOT_FOUND: the aspect type {given.words[3]}")
        if given.words[2] == "update":
            set_type(service, given)
    elif given.words[:3] == ["dataplex", "entries", "update"]:
        update_entry(service, given)
    else:
        sys.exit(f"ERROR: (gcloud) Invalid choice: {given.words}")
    file.write_text(json.dumps(service), encoding="utf-8")


def set_type(service: dict[str, Any], given: argparse.Namespace) -> None:
    """Keep the fields of an aspect type."""
    template = json.loads(Path(given.metadata_template_file_name).read_text(encoding="utf-8"))
    fields = template["recordFields"]
    if template["type"] != "record" or [field["index"] for field in fields] != list(range(1, len(fields) + 1)):
        sys.exit("ERROR: INVALID_ARGUMENT: the template is no record, or its indexes are not 1, 2, …")
    service["types"][f"{given.project}.{given.location}.{given.words[3]}"] = {
        field["name"]: field["constraints"]["required"] for field in fields
    }


def update_entry(service: dict[str, Any], given: argparse.Namespace) -> None:
    """Attach the aspects of a file to the entry of a table."""
    table = given.words[3].rsplit("/", 1)[-1]
    known = f"bigquery.googleapis.com/projects/{given.project}/datasets/drugs/tables/{table}"
    if given.words[3] != known or table not in service["columns"] or given.entry_group != "@bigquery":
        sys.exit(f"ERROR: NOT_FOUND: the entry {given.words[3]}")
    entry = service["entries"].setdefault(table, {})
    for key, aspect in json.loads(Path(given.update_aspects).read_text(encoding="utf-8")).items():
        name, _, path = key.partition("@")
        fields = service["types"].get(name)
        if fields is None:
            sys.exit(f"ERROR: NOT_FOUND: the aspect type {name}")
        if path and path not in [f"Schema.{column}" for column in service["columns"][table]]:
            sys.exit(f"ERROR: INVALID_ARGUMENT: the path {path} is not in the schema")
        unknown = [field for field in aspect["data"] if field not in fields]
        missing = [field for field, is_required in fields.items() if is_required and field not in aspect["data"]]
        if unknown:
            sys.exit(f"ERROR: INVALID_ARGUMENT: Unknown property {unknown}")
        if missing or not all(isinstance(value, str) and value for value in aspect["data"].values()):
            sys.exit(f"ERROR: INVALID_ARGUMENT: required property {missing}")
        entry[key] = aspect
    if len(entry) > 99:
        sys.exit("ERROR: INVALID_ARGUMENT: an entry has at most 99 aspects")


main()
