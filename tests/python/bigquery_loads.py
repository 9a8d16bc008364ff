"""What a load job of the strict little BigQuery does with its rows (see `bigquery_server`).

It refuses what the real service refuses, with its words: a schema that differs from the table's, a null in a REQUIRED
column, a row of another partition, too many partitions, files whose columns are in another order or also in the path. A
list that is loaded without `enableListInference` becomes an empty one without an error, as there.
"""

from __future__ import annotations

import datetime
import io
import json
import re
from typing import Any, Callable, Dict, NamedTuple

import pyarrow
import pyarrow.parquet

Field = Dict[str, Any]
Row = Dict[str, Any]
PARTITIONS_OF_A_JOB, PARTITIONS_OF_A_TABLE, URIS_OF_A_JOB = 4000, 10_000, 10_000
KNOWN = {
    "clustering", "createDisposition", "destinationTable", "hivePartitioningOptions", "parquetOptions", "schema",
    "sourceFormat", "sourceUris", "timePartitioning", "writeDisposition",
}  # fmt: skip
ARROW = {
    "STRING": pyarrow.string(),
    "INTEGER": pyarrow.int64(),
    "FLOAT": pyarrow.float64(),
    "BOOLEAN": pyarrow.bool_(),
    "DATE": pyarrow.date32(),
}
LARGE = {pyarrow.large_string(): pyarrow.string()}


class JobError(Exception):
    """What becomes of a job that fails."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Loaded(NamedTuple):
    """The rows of a job, and what they make of the table."""

    rows: list[Row]
    schema: list[Field]
    partition: str | None
    truncates: bool


def loaded(config: dict[str, Any], table: dict[str, Any], data: bytes | None, fetch: Callable[[str], bytes]) -> Loaded:
    """Read the rows of a load job into a table that exists.

    Args:
        config: The job.
        table: The table, as the API has it.
        data: What was uploaded; `None` for files in buckets.
        fetch: Reads an object.
    """
    unknown = set(config) - KNOWN
    if unknown:
        raise JobError("notImplemented", f"this server does not know {sorted(unknown)}")
    if config.get("createDisposition") != "CREATE_NEVER":
        raise JobError("notImplemented", "only CREATE_NEVER")
    name = config["destinationTable"]["tableId"]
    partition = name.partition("$")[2] or None
    truncates = config.get("writeDisposition") == "WRITE_TRUNCATE"
    if config.get("writeDisposition") not in ("WRITE_TRUNCATE", "WRITE_APPEND"):
        raise JobError("notImplemented", "only WRITE_TRUNCATE and WRITE_APPEND")
    dated = table.get("timePartitioning")
    if partition is not None and (dated is None or not re.fullmatch(r"\d{8}", partition)):
        raise JobError("invalid", f"Cannot write to the partition {partition} of {name}")
    check_layout(config, table, whole=truncates and partition is None)
    fields: list[Field] = [dict(field) for field in config.get("schema", {}).get("fields", [])]
    keys = hive_keys(config)
    if config["sourceFormat"] == "NEWLINE_DELIMITED_JSON":
        rows = json_rows(data or b"", fields)
    else:
        files = [(None, data)] if data is not None else [(uri, fetch(uri)) for uri in uris_of(config)]
        inference = config.get("parquetOptions", {}).get("enableListInference") is True
        rows = []
        for uri, content in files:
            found, fields = parquet_rows(content or b"", fields, inference=inference)
            values = keys_of(uri, config, keys)
            rows += [{**row, **values} for row in found]
    fields += [{"name": key, "type": kind, "mode": "NULLABLE"} for key, kind in keys.items()]
    if not (truncates and partition is None):
        check_schema(fields, table["schema"]["fields"], f"{table['id']}")
    for row in rows:
        for field in fields:
            if field["mode"] == "REQUIRED" and row.get(field["name"]) is None:
                raise JobError("invalid", f"Required field {field['name']} cannot be null")
    check_partitions(rows, dated, partition)
    return Loaded(rows, fields, partition, truncates)


def check_layout(config: dict[str, Any], table: dict[str, Any], *, whole: bool) -> None:
    """A job that replaces a table names its partitions and clustering; any other names them rightly or not at all."""
    for key in ("timePartitioning", "clustering"):
        found = {name: value for name, value in (config.get(key) or {}).items() if value is not None}
        wanted = table.get(key) or {}
        if found != wanted and (found or whole):
            raise JobError("invalid", f"Incompatible table partitioning specification. Expects {wanted}, found {found}")


def uris_of(config: dict[str, Any]) -> list[str]:
    uris: list[str] = config["sourceUris"]
    if len(uris) > URIS_OF_A_JOB:
        raise JobError("invalid", f"Too many source URIs: {len(uris)}, at most {URIS_OF_A_JOB}")
    if any("*" in uri or not uri.startswith("gs://") for uri in uris):
        raise JobError("notImplemented", "only plain gs:// URIs")
    return uris


def hive_keys(config: dict[str, Any]) -> dict[str, str]:
    options = config.get("hivePartitioningOptions")
    if options is None:
        return {}
    if options.get("mode") != "CUSTOM":
        raise JobError("notImplemented", "only the mode CUSTOM")
    keys = dict(re.findall(r"/\{(\w+):(\w+)\}", options["sourceUriPrefix"]))
    if not keys:
        raise JobError("invalid", "hive partitioning in the mode CUSTOM needs the types of the keys in the prefix")
    return keys


def keys_of(uri: str | None, config: dict[str, Any], keys: dict[str, str]) -> Row:
    """The values of the keys in a path."""
    if not keys or uri is None:
        return {}
    prefix = config["hivePartitioningOptions"]["sourceUriPrefix"].partition("/{")[0]
    pattern = re.escape(prefix) + "".join(f"/{key}=([^/]+)" for key in keys) + "/[^/]+"
    found = re.fullmatch(pattern, uri)
    if found is None:
        raise JobError("invalid", f"hive partitioning: {uri} does not begin with {prefix} and the keys {list(keys)}")
    return {
        key: datetime.date.fromisoformat(value) if kind == "DATE" else value
        for (key, kind), value in zip(keys.items(), found.groups())
    }


def json_rows(data: bytes, fields: list[Field]) -> list[Row]:
    rows = []
    kinds = {field["name"]: field["type"] for field in fields}
    for line in data.decode("utf-8").splitlines():
        row = json.loads(line)
        unknown = set(row) - set(kinds)
        if unknown:
            raise JobError("invalid", f"No such field: {min(unknown)}")
        for name, value in row.items():
            if kinds[name] == "DATE" and value is not None:
                row[name] = datetime.date.fromisoformat(value)
        rows.append({**dict.fromkeys(kinds), **row})
    return rows


def parquet_rows(data: bytes, given: list[Field], *, inference: bool) -> tuple[list[Row], list[Field]]:
    """The rows of a file, and its fields: those of the job, or else what the file says."""
    try:
        table = pyarrow.parquet.ParquetFile(io.BytesIO(data)).read()
    except pyarrow.ArrowInvalid as error:
        raise JobError("invalid", f"Error while reading data, error message: not a Parquet file: {error}") from error
    fields = given or [of_file(field) for field in table.schema]
    names = [field["name"] for field in fields]
    if table.column_names != names:
        raise JobError("invalid", f"Provided schema is not compatible with the file: {table.column_names}, not {names}")
    for field, column in zip(fields, table.schema):
        if not is_as(field, column.type):
            raise JobError("invalid", f"Field {column.name}: {column.type} in the file is not {field}")
    rows: list[Row] = table.to_pylist()
    for field in fields:
        if field["mode"] == "REPEATED":
            for row in rows:
                row[field["name"]] = (row[field["name"]] or []) if inference else []
    return rows, fields


def item_of(kind: pyarrow.DataType) -> tuple[pyarrow.DataType, bool]:
    """The type of the items of a list and whether it is one."""
    is_list = pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind)
    return (kind.value_type if is_list else kind), is_list


def is_as(field: Field, kind: pyarrow.DataType) -> bool:
    """Whether a column of a file has the type of a field."""
    value, is_list = item_of(kind)
    if is_list != (field["mode"] == "REPEATED"):
        return False
    if field["type"] == "RECORD":
        inner = field["fields"]
        return (
            pyarrow.types.is_struct(value)
            and [its.name for its in value] == [its["name"] for its in inner]
            and all(is_as(ours, its.type) for ours, its in zip(inner, value))
        )
    return bool(LARGE.get(value, value) == ARROW[field["type"]])


def of_file(field: pyarrow.Field) -> Field:
    kinds = {kind: name for name, kind in ARROW.items()}
    value, is_list = item_of(field.type)
    mode = "REPEATED" if is_list else "NULLABLE" if field.nullable else "REQUIRED"
    if pyarrow.types.is_struct(value):
        return {"name": field.name, "type": "RECORD", "mode": mode, "fields": [of_file(its) for its in value]}
    return {"name": field.name, "type": kinds[LARGE.get(value, value)], "mode": mode}


def check_schema(fields: list[Field], table: list[Field], place: str) -> None:
    """The schema of a job that adds to a table or replaces a partition is the table's."""
    found = {field["name"]: field for field in fields}
    wanted = {field["name"]: field for field in table}
    message = f"Provided Schema does not match Table {place}."
    for name, field in wanted.items():
        if name not in found:
            raise JobError("invalid", f"{message} Field {name} is missing in new schema")
        for what in ("type", "mode"):
            if field[what] != found[name][what]:
                change = f"from {field[what]} to {found[name][what]}"
                raise JobError("invalid", f"{message} Field {name} has changed {what} {change}")
    for name in found:
        if name not in wanted:
            raise JobError("invalid", f"{message} Cannot add fields (field: {name})")
    if list(found) != list(wanted):
        raise JobError("invalid", f"{message} The fields are in another order")


def check_partitions(rows: list[Row], dated: dict[str, Any] | None, partition: str | None) -> None:
    if dated is None:
        return
    dates = {row[dated["field"]] for row in rows}
    if partition is not None and any(date is None or date.strftime("%Y%m%d") != partition for date in dates):
        message = f"Some rows belong to different partitions rather than destination partition {partition}"
        raise JobError("invalid", message)
    if len(dates) > PARTITIONS_OF_A_JOB:
        produced = f"query produces at least {len(dates)} partitions"
        message = f"Too many partitions produced by query, allowed {PARTITIONS_OF_A_JOB}, {produced}"
        raise JobError("invalid", message)
