"""The table ``load_log``: what each load of a dataset began and what it finished.

Rows are only ever added. A load writes a row ``begin`` for each part before it touches one, and a row ``done`` for each
when all are finished. So the newest row of a part says what the dataset holds of it: after ``done`` the contents with
this digest, after ``begin`` anything.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Iterable, Mapping, NamedTuple, Sequence

from drugs_rs.bigquery.client import Target, errors_of
from drugs_rs.bigquery.tables import LABELS

if TYPE_CHECKING:
    from google.cloud import bigquery

    from drugs_rs.loading import LoadStep

NAME = "load_log"
BEGIN, DONE, OVERTAKEN = "begin", "done", "overtaken"
FIELDS = [
    {"name": name, "type": kind, "mode": mode, "description": description}
    for name, kind, mode, description in (
        ("load", "INTEGER", "REQUIRED", "The number of the load, from 1"),
        ("event", "STRING", "REQUIRED", "begin, done or overtaken"),
        ("step", "INTEGER", "NULLABLE", "The place of the part in the load"),
        ("table_name", "STRING", "NULLABLE", "The table"),
        ("dt", "DATE", "NULLABLE", "The partition; null for a table that is loaded whole"),
        ("action", "STRING", "NULLABLE", "load, replace or remove"),
        ("content", "STRING", "NULLABLE", "A digest of the part's files; empty for a part that is removed"),
        ("row_count", "INTEGER", "NULLABLE", "The rows of the part"),
        ("byte_count", "INTEGER", "NULLABLE", "The size of the part's files in the lake"),
        ("job", "STRING", "NULLABLE", "The job that loads the part, without its beginning and its attempt"),
        ("state", "INTEGER", "REQUIRED", "The state of the lake that is loaded"),
        ("lake", "STRING", "REQUIRED", "The root of the lake"),
    )
]
DESCRIPTION = "What each load of a lake began and finished; drugs_rs reads it to know what the dataset holds"

Key = "tuple[str, str | None]"


class LoggedLoad(NamedTuple):
    """A load as the log has it."""

    number: int
    state: int
    lake: str
    is_done: bool
    plan: str
    """The digest of its steps."""
    jobs: tuple[str, ...]
    """The names of its jobs, in the order in which they are submitted."""


class LoadLog:
    """The rows of the log at one moment."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.rows = sorted((dict(row) for row in rows), key=_order)

    def held(self, names: Iterable[str], before: int | None = None) -> dict[tuple[str, str | None], str]:
        """What the dataset holds of some tables: the digest of each part, and an empty one for what may be anything.

        Args:
            names: The tables.
            before: Only what loads before this one left.
        """
        wanted = set(names)
        found: dict[tuple[str, str | None], str] = {}
        for row in self.rows:
            if row["table_name"] not in wanted or (before is not None and row["load"] >= before):
                continue
            key = (row["table_name"], None if row["dt"] is None else str(row["dt"]))
            if row["event"] == BEGIN:
                found[key] = ""
            elif row["content"]:
                found[key] = row["content"]
            else:
                found.pop(key, None)
        return found

    @property
    def last(self) -> LoggedLoad | None:
        """The newest load."""
        loads = self._since(0)
        return loads[-1] if loads else None

    @property
    def unfinished(self) -> list[LoggedLoad]:
        """The loads after the last finished one."""
        done = max((row["load"] for row in self.rows if row["event"] == DONE), default=0)
        return self._since(done + 1)

    def _since(self, number: int) -> list[LoggedLoad]:
        begun: dict[int, list[dict[str, Any]]] = {}
        for row in self.rows:
            if row["event"] == BEGIN and row["load"] >= number:
                begun.setdefault(row["load"], []).append(row)
        done = {row["load"] for row in self.rows if row["event"] == DONE}
        return [
            LoggedLoad(
                load,
                rows[0]["state"],
                rows[0]["lake"],
                load in done,
                _digest((row["table_name"], row["dt"], row["action"], row["content"], row["job"]) for row in rows),
                tuple(dict.fromkeys(row["job"] for row in rows)),
            )
            for load, rows in sorted(begun.items())
        ]


def plan_digest(steps: Sequence[LoadStep], contents: Mapping[tuple[str, str | None], str]) -> str:
    """The digest of what a load does, and by which jobs: only loads with the same jobs can share them."""
    return _digest(
        (step.table, step.dt, step.action, contents.get((step.table, step.dt), ""), step.detail["job"])
        for step in steps
    )


def log_rows(
    number: int,
    event: str,
    steps: Sequence[LoadStep],
    contents: Mapping[tuple[str, str | None], str],
    state: int,
    lake: str,
) -> list[dict[str, Any]]:
    """The rows that a load adds."""
    return [
        {
            "load": number,
            "event": event,
            "step": place,
            "table_name": step.table,
            "dt": step.dt,
            "action": step.action,
            "content": contents.get((step.table, step.dt), ""),
            "row_count": step.rows,
            "byte_count": step.bytes,
            "job": step.detail["job"],
            "state": state,
            "lake": lake,
        }
        for place, step in enumerate(steps)
    ]


def log_resource(target: Target) -> dict[str, Any]:
    """The table as the API has it."""
    return {
        "tableReference": target.table(NAME).to_api_repr(),
        "description": DESCRIPTION,
        "labels": LABELS,
        "schema": {"fields": FIELDS},
    }


def read_log(client: bigquery.Client, target: Target, table: bigquery.Table) -> LoadLog:
    """Read the log, without a query."""
    with errors_of(target, f"to read the table {NAME}", "bigquery.tables.getData"):
        return LoadLog(dict(row.items()) for row in client.list_rows(table))


def compaction(target: Target, number: int) -> str:
    """The statement that removes the rows of parts about which a later load said something."""
    place = f"`{target}.{NAME}`"
    return (
        f"DELETE FROM {place} AS earlier WHERE earlier.load < {number} AND EXISTS (SELECT 1 FROM {place} AS later "
        f"WHERE later.event = '{DONE}' AND later.load > earlier.load AND later.table_name = earlier.table_name "
        "AND COALESCE(later.dt, DATE '0001-01-01') = COALESCE(earlier.dt, DATE '0001-01-01'))"
    )


def _order(row: Mapping[str, Any]) -> tuple[int, bool, int]:
    return row["load"], row["event"] != BEGIN, row["step"] or 0


def _digest(steps: Iterable[tuple[Any, ...]]) -> str:
    text = json.dumps([[None if value is None else str(value) for value in step] for step in steps])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
