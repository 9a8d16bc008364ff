"""The tables of a dataset: how they are made, and whether those that are there are as they should be."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Mapping

from drugs_rs.bigquery.client import Target, errors_of, library
from drugs_rs.column_types import translated
from drugs_rs.exceptions import ArgumentError, SchemaError

if TYPE_CHECKING:
    from google.cloud import bigquery

    from drugs_rs.loading import LoadTable

# The types of BigQuery for those of a table.
TYPES: Mapping[str, Mapping[str, Any]] = {
    "string": {"type": "STRING"},
    "int64": {"type": "INTEGER"},
    "float64": {"type": "FLOAT"},
    "bool": {"type": "BOOLEAN"},
    "date": {"type": "DATE"},
}
# Newer names of the same types.
SYNONYMS = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}
# What shows that a table was made here.
LABELS = {"managed_by": "drugs_rs"}
CLUSTERED = "atccode"
# Columns that a load job takes from the paths of files.
IN_PATH = ("kind", "dt")
TRIES = 5


def fields(table: LoadTable, *, from_paths: bool) -> list[dict[str, Any]]:
    """The columns of a table as the API has them.

    Args:
        table: The table.
        from_paths: Whether files in a bucket fill it: columns from paths have no mode REQUIRED.
    """
    found = []
    for column in table.columns:
        its = translated("date" if column.name == "dt" else column.type, TYPES, _list_of, _struct_of)
        mode = its.get("mode", "NULLABLE" if column.nullable else "REQUIRED")
        if from_paths and table.is_dated and column.name in IN_PATH:
            mode = "NULLABLE"
        found.append({"name": column.name, **its, "mode": mode, "description": column.description})
        if its["type"] == "RECORD":
            # With the descriptions of its fields.
            found[-1]["fields"] = _nested()[table.name][column.name]["fields"]
    return found


@lru_cache(maxsize=1)
def _nested() -> dict[str, dict[str, Any]]:
    """The fields of all tables as ``drugs-rs schema`` writes them."""
    from drugs_rs import describe_tables

    tables = json.loads(describe_tables("bigquery"))
    return {name: {field["name"]: field for field in fields} for name, fields in tables.items()}


def _list_of(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**item, "mode": "REPEATED"}


def _struct_of(_fields: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    return {"type": "RECORD"}


def resource(target: Target, table: LoadTable, *, from_paths: bool) -> dict[str, Any]:
    """A new table as the API has it."""
    found: dict[str, Any] = {
        "tableReference": target.table(table.name).to_api_repr(),
        "description": table.description,
        "labels": LABELS,
        "schema": {"fields": fields(table, from_paths=from_paths)},
    }
    if table.is_dated:
        found["timePartitioning"] = {"type": "DAY", "field": "dt"}
    if clustering(table):
        found["clustering"] = {"fields": clustering(table)}
    if table.key:
        found["tableConstraints"] = {"primaryKey": {"columns": list(table.key)}}
    return found


def clustering(table: LoadTable) -> list[str]:
    """The columns by which a table is clustered."""
    return [column.name for column in table.columns if column.name == CLUSTERED]


def create(client: bigquery.Client, target: Target, made: Mapping[str, Any]) -> None:
    """Create a table; one that is there already is left as it is."""
    name = made["tableReference"]["tableId"]
    with errors_of(target, f"to create the table {name}", "bigquery.tables.create"):
        client.create_table(library().Table.from_api_repr(dict(made)), exists_ok=True)


def check(target: Target, table: LoadTable, found: bigquery.Table, *, is_known: bool) -> bool:
    """Check that a table that is there can be loaded.

    Args:
        target: The dataset.
        table: What it should be.
        found: What it is.
        is_known: Whether the log has loads of it.

    Returns:
        Whether its columns ``kind`` and ``dt`` may come from paths.

    Raises:
        ArgumentError: It is a table of somebody else.
        SchemaError: Its columns or partitions differ.
    """
    place = f"{target}.{table.name}"
    if not is_known and found.labels.get("managed_by") != "drugs_rs" and found.num_rows:
        message = (
            f"{place}: a table with {found.num_rows:,} rows that drugs_rs did not make; rename it, or load into "
            "another dataset"
        )
        raise ArgumentError(message)
    there = {field.name: (_kind(field.field_type), field.mode) for field in found.schema}
    expected = {field["name"]: (field["type"], field["mode"]) for field in fields(table, from_paths=False)}
    relaxed = {field["name"]: (field["type"], field["mode"]) for field in fields(table, from_paths=True)}
    faults = []
    for name, wanted in expected.items():
        if name not in there:
            faults.append(f"column `{name}`: found none, expected {' '.join(wanted)}")
        elif there[name] not in (wanted, relaxed[name]):
            faults.append(f"column `{name}`: found {' '.join(there[name])}, expected {' '.join(wanted)}")
    faults += [
        f"column `{name}`: found {' '.join(there[name])}, expected none" for name in there if name not in expected
    ]
    if not faults and list(there) != list(expected):
        faults.append(f"order of columns: found {', '.join(there)}, expected {', '.join(expected)}")
    faults += _layout(table, found)
    if faults:
        message = (
            f"{place} was altered, or made by another version of drugs_rs: {'; '.join(faults)}. Undo the change, or "
            f"drop the table (`bq rm -t {target.project}:{target.dataset}.{table.name}`) and load again: the load "
            "makes it anew"
        )
        raise SchemaError(message)
    return all(there[name][1] == "NULLABLE" for name in IN_PATH if name in there)


def settle(client: bigquery.Client, target: Target, table: LoadTable, *, from_paths: bool) -> None:
    """Give a table back what a job that replaces it whole takes away: descriptions, and the key.

    Somebody who changes the table at the same moment does not lose the change: the update is conditional.
    """
    from google.api_core.exceptions import PreconditionFailed

    wanted = resource(target, table, from_paths=from_paths)
    with errors_of(target, f"to describe the table {table.name}", "bigquery.tables.update"):
        for _ in range(TRIES):
            found = client.get_table(target.table(table.name))
            names = _differences(found, wanted)
            if not names:
                return
            made = library().Table.from_api_repr(wanted)
            # The condition of the update.
            made._properties["etag"] = found.etag  # noqa: SLF001 - no setter
            try:
                client.update_table(made, names)
            except PreconditionFailed:
                continue
            return


def _differences(found: bigquery.Table, wanted: Mapping[str, Any]) -> list[str]:
    """Name the properties of a table that differ, as the client calls them."""
    there = found.to_api_repr()
    names = []
    if _described(there) != _described(wanted):
        names.append("schema")
    if there.get("description") != wanted["description"]:
        names.append("description")
    # Older clients know no constraints.
    settable = getattr(getattr(type(found), "table_constraints", None), "fset", None) is not None
    if settable and (there.get("tableConstraints") or {}).get("primaryKey") != (
        wanted.get("tableConstraints") or {}
    ).get("primaryKey"):
        names.append("table_constraints")
    return names


def _described(table: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    described = table["schema"]["fields"]
    return [(field["name"], _kind(field["type"]), field.get("description")) for field in described]


def _layout(table: LoadTable, found: bigquery.Table) -> list[str]:
    """Compare partitioning and clustering."""
    faults = []
    partitioning = found.time_partitioning
    there = "none" if partitioning is None else f"{partitioning.type_} of {partitioning.field}"
    wanted = "DAY of dt" if table.is_dated else "none"
    if there != wanted:
        faults.append(f"partitions: found {there}, expected {wanted}")
    if list(found.clustering_fields or []) != clustering(table):
        faults.append(f"clustering: found {found.clustering_fields}, expected {clustering(table)}")
    return faults


def _kind(name: str) -> str:
    return SYNONYMS.get(name, name)
