"""What a load of a lake into a database has to do, and what it did: shared by all engines.

A lake is loaded by *parts*: the rows of one table and one date, of all kinds of publications, or a whole table that has
no dates. A part is known by a digest of its files, so a load compares the parts of the lake's newest state with those
that the database says it holds, and moves only the parts that differ.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable, ClassVar, Iterable, Mapping, NamedTuple, Sequence

from drugs_rs.exceptions import ArgumentError, ConflictError, ConservationError, SchemaError, SourceNotFoundError

if TYPE_CHECKING:
    import os

    from typing_extensions import Protocol

    from drugs_rs import Lake

    class Transaction(Protocol):
        """A transaction of a database, in which a load happens whole or not at all."""

        def held_parts(self, tables: Sequence[LoadTable]) -> dict[tuple[str, str | None], str]:
            """Read the digests of the parts that the database holds; raise SchemaError for a table that was altered."""

        def last_lake(self) -> str | None:
            """Read the root of the lake of the last load."""

        def write_parts(self, lake: Lake, table: LoadTable, steps: Sequence[LoadStep]) -> int:
            """Carry out the steps of one table, and return the rows that they wrote."""

        def record(self, lake: Lake, steps: Sequence[LoadStep], contents: Mapping[tuple[str, str | None], str]) -> int:
            """Write down which parts the database holds now, and return the number of the load."""


__all__ = [
    "LakePart",
    "LoadPlan",
    "LoadReceipt",
    "LoadStep",
    "LoadTable",
    "TableColumn",
    "check_columns",
    "check_origin",
    "lake_parts",
    "lake_place",
    "load_in",
    "load_tables",
    "pinned",
    "planned_steps",
]

# The table of the rows of `Lake.status`, which says what is a snapshot, what is held and which date gold has reached.
STATUS = "status"
# A table of what the database holds, and one of all loads.
PARTS, LOADS = "loaded_parts", "loads"


class TableColumn(NamedTuple):
    """A column of a table that is loaded."""

    name: str
    type: str
    """As ``Lake.schema`` names it: ``string``, ``int64``, ``float64``, ``bool``, ``date``, lists and structs."""
    nullable: bool
    description: str


class LoadTable(NamedTuple):
    """A table that is loaded."""

    name: str
    description: str
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...]

    @property
    def is_dated(self) -> bool:
        """Whether it is loaded a date at a time."""
        return self.name != STATUS and any(column.name == "dt" for column in self.columns)


class LakePart(NamedTuple):
    """What is loaded as one: the rows of one date of a table, or a whole table."""

    table: str
    dt: str | None
    rows: int
    bytes: int
    content: str
    """A digest of the part's files: equal contents have equal digests."""
    kinds: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str | None]:
        """The table and the date."""
        return self.table, self.dt


class LoadStep(NamedTuple):
    """What a load does with one part."""

    table: str
    dt: str | None
    action: str
    """``load``, ``replace`` or ``remove``."""
    rows: int
    """The rows that the database holds of this part afterwards."""
    bytes: int
    """The size of the part's files in the lake."""
    detail: Mapping[str, Any] = MappingProxyType({})
    """What else an engine plans, such as the job and the partition of BigQuery."""

    def to_dict(self) -> dict[str, Any]:
        """The step as JSON has it."""
        step = {"table": self.table, "dt": self.dt, "action": self.action, "rows": self.rows, "bytes": self.bytes}
        return {**step, **self.detail}


class LoadPlan:
    """What a load would do.

    Attributes:
        target: The database, without a password.
        lake: The root of the lake.
        state: The state of the lake that is loaded.
        steps: What is done with each part that differs, in order.
        parts: How many parts the lake has; those without a step are as they should be.
        replaced_lake: Another lake whose rows the database holds, and loses to this one; ``None`` if there is none.
    """

    # How the summary says what is done with parts.
    verb = "would load"
    _done: ClassVar[Mapping[str, str]] = {"load": "to load", "replace": "to replace", "remove": "to remove"}

    def __init__(
        self, target: str, lake: Lake, steps: Sequence[LoadStep], parts: int, last_lake: str | None = None
    ) -> None:
        self.target = target
        self.lake = lake.root
        self.state = lake.state
        self.steps = tuple(steps)
        self.parts = parts
        is_other = last_lake is not None and steps and lake_place(last_lake) != lake_place(lake.root)
        self.replaced_lake = last_lake if is_other else None

    @property
    def unchanged(self) -> bool:
        """Whether the database holds this state already."""
        return not self.steps

    @property
    def rows(self) -> int:
        """The rows of all parts that are loaded."""
        return sum(step.rows for step in self.steps)

    @property
    def bytes(self) -> int:
        """The bytes of all parts that are loaded, as the lake stores them."""
        return sum(step.bytes for step in self.steps)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in types of JSON."""
        return {
            "target": self.target,
            "lake": self.lake,
            "state": self.state,
            "unchanged": self.unchanged,
            "parts": self.parts,
            "rows": self.rows,
            "bytes": self.bytes,
            "replaced_lake": self.replaced_lake,
            "steps": [step.to_dict() for step in self.steps],
        }

    def __str__(self) -> str:
        """Return a summary for people: a line for each table."""
        where = f"state {self.state} of {self.lake}"
        if self.unchanged:
            return f"{self.target} holds {where}: nothing to load"
        lines = [f"{self.verb} {where} into {self.target}"]
        if self.replaced_lake is not None:
            lines.append(f"  in place of another lake, {self.replaced_lake}")
        for table in dict.fromkeys(step.table for step in self.steps):
            steps = [step for step in self.steps if step.table == table]
            rows, size = sum(step.rows for step in steps), sum(step.bytes for step in steps)
            actions = [
                f"{_counted(sum(step.action == action for step in steps), 'part')} {done}"
                for action, done in self._done.items()
                if any(step.action == action for step in steps)
            ]
            lines.append(f"  {table:<17} {_counted(rows, 'row'):>16} {_size(size):>9}  {', '.join(actions)}")
        left = self.parts - sum(step.action != "remove" for step in self.steps)
        lines.append(f"  {_counted(left, 'part')} unchanged")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_counted(len(self.steps), 'step')}, {self.rows} rows, into {self.target!r})"


class LoadReceipt(LoadPlan):
    """What a load did: the steps of its plan, with the rows that the database counted.

    Attributes:
        load: The number of the load in this database.
    """

    verb = "loaded"
    _done: ClassVar[Mapping[str, str]] = {"load": "loaded", "replace": "replaced", "remove": "removed"}

    def __init__(
        self,
        target: str,
        lake: Lake,
        steps: Sequence[LoadStep],
        parts: int,
        load: int,
        last_lake: str | None = None,
    ) -> None:
        super().__init__(target, lake, steps, parts, last_lake)
        self.load = load

    def to_dict(self) -> dict[str, Any]:
        """Return everything in types of JSON."""
        return {"load": self.load, **super().to_dict()}


def pinned(lake: Lake | str | os.PathLike[str]) -> Lake:
    """Return a lake at its newest state, so that a run that commits meanwhile changes nothing for the reader.

    Raises:
        SourceNotFoundError: There is no lake, or gold has not run.
    """
    from drugs_rs import Lake as OpenedLake

    opened = lake if isinstance(lake, OpenedLake) else OpenedLake(lake)
    if isinstance(opened.state, int):
        return opened
    states = [row["state"] for row in opened.states() if opened.state is None or row["as_of"] <= opened.state]
    if not states:
        message = f"{opened.root}: gold has not run, so there is no state to load; run `drugs-rs gold` first"
        raise SourceNotFoundError(message)
    return OpenedLake(opened.root).at(states[-1])


def lake_place(root: str) -> str:
    """Return the root of a lake as every process names it, in whatever folder it runs."""
    from pathlib import Path

    return root if "://" in root else str(Path(root).absolute())


def load_tables(names: Iterable[str] | None = None) -> list[LoadTable]:
    """List the tables that are loaded.

    Args:
        names: Only these, as ``Lake.tables`` names them, or ``status``; ``None`` is all.

    Raises:
        ArgumentError: There is no table of a name.
    """
    tables = _tables()
    if names is None:
        return list(tables.values())
    if isinstance(names, str):
        message = f"tables must be a list of names, not the string {names!r}"
        raise ArgumentError(message)
    wanted = list(dict.fromkeys(names))
    if not wanted:
        message = "tables: found an empty list, expected names of tables; without the argument all are loaded"
        raise ArgumentError(message)
    for name in wanted:
        if name not in tables:
            message = f"tables: found `{name}`, expected names among {', '.join(tables)}"
            raise ArgumentError(message)
    return [tables[name] for name in tables if name in wanted]


def lake_parts(lake: Lake, tables: Sequence[LoadTable]) -> list[LakePart]:
    """List the parts of a pinned lake, table by table and date by date."""
    parts = []
    for table in tables:
        if table.name == STATUS:
            rows = lake.status().to_dicts()
            text = json.dumps(rows, sort_keys=True)
            digest = hashlib.sha256(text.encode()).hexdigest()
            parts.append(LakePart(STATUS, None, len(rows), len(text), digest, ()))
            continue
        files: dict[str | None, list[dict[str, Any]]] = {}
        for file in lake.files(table.name):
            files.setdefault(file["dt"] if table.is_dated else None, []).append(file)
        if not table.is_dated:
            files.setdefault(None, [])
        found = (_part(table.name, dt, files[dt]) for dt in sorted(files, key=str))
        # A date may have files without a row; it is nothing to load.
        parts.extend(part for part in found if part.rows > 0 or not table.is_dated)
    return parts


def planned_steps(parts: Sequence[LakePart], held: Mapping[tuple[str, str | None], str]) -> list[LoadStep]:
    """Compare the parts of a lake with those that a database holds.

    Args:
        parts: The parts of the lake.
        held: The digest of each part of the same tables that the database holds whole; an empty one for a part that may
            be incomplete.
    """
    steps = []
    for part in parts:
        if held.get(part.key) != part.content:
            action = "replace" if part.key in held else "load"
            steps.append(LoadStep(part.table, part.dt, action, part.rows, part.bytes))
    present = {part.key for part in parts}
    gone = sorted((key for key in held if key not in present), key=str)
    return steps + [LoadStep(table, dt, "remove", 0, 0) for table, dt in gone]


def load_in(
    transaction: Transaction,
    target: str,
    lake: Lake | str | os.PathLike[str],
    tables: Iterable[str] | None,
    *,
    plan: bool,
) -> LoadPlan | LoadReceipt:
    """Load what differs, in a transaction that the caller commits.

    Raises:
        ConflictError: A run has given up the state meanwhile.
        ConservationError: The database counts other rows than the lake; a bug in this package.
    """
    wanted = load_tables(tables)
    state = pinned(lake)
    chosen = getattr(lake, "state", None) == state.state
    try:
        return _load_state(transaction, target, state, wanted, plan=plan)
    except SourceNotFoundError as error:
        if chosen or state.state in _states(state):
            raise
        message = (
            f"{state.root}: a run has committed and given up state {state.state} while it was loaded into {target}; "
            "nothing was changed. Load again, or let runs keep states (see `keep`)"
        )
        raise ConflictError(message) from error


def _states(lake: Lake) -> list[int]:
    from drugs_rs import Lake as OpenedLake

    return [row["state"] for row in OpenedLake(lake.root).states()]


def _load_state(
    transaction: Transaction, target: str, state: Lake, wanted: Sequence[LoadTable], *, plan: bool
) -> LoadPlan | LoadReceipt:
    parts = lake_parts(state, wanted)
    steps = planned_steps(parts, transaction.held_parts(wanted))
    last = transaction.last_lake()
    if plan or not steps:
        return LoadPlan(target, state, steps, len(parts), last)
    for table in wanted:
        own = [step for step in steps if step.table == table.name]
        expected, written = sum(step.rows for step in own), transaction.write_parts(state, table, own)
        if written != expected:
            message = (
                f"{target}: {written} rows were written into {table.name}, and {state.root} has {expected} for it; "
                "nothing was changed. This is a bug in drugs_rs"
            )
            raise ConservationError(message)
    number = transaction.record(state, steps, {part.key: part.content for part in parts})
    return LoadReceipt(target, state, steps, len(parts), number, last)


def check_columns(place: str, table: LoadTable, found: Mapping[str, str], type_of: Callable[[str], str]) -> None:
    """Compare the columns of a table that is there with those that it should have.

    Args:
        place: The table in messages.
        table: The table.
        found: The type of each column there, by its name.
        type_of: Translates a type of the core into one of the database.

    Raises:
        SchemaError: A column is missing, of another type, or one too many.
    """
    expected = {column.name: type_of(column.type) for column in table.columns}
    if not set(expected).intersection(found):
        message = (
            f"{place} is another table: it has none of the columns {', '.join(expected)}. Drop or rename the table, "
            "and load again: the load creates it"
        )
        raise SchemaError(message)
    faults = [
        f"column `{name}` is missing" if name not in found else f"column `{name}` is {found[name]} instead of {kind}"
        for name, kind in expected.items()
        if found.get(name) != kind
    ]
    faults += [f"column `{name}` is none of this table" for name in found if name not in expected]
    if faults:
        message = (
            f"{place} was altered, or made by another version of drugs_rs: {'; '.join(faults)}. Drop or rename the "
            "table, and load again: the load creates it"
        )
        raise SchemaError(message)


def check_origin(place: str, *, has_rows: bool) -> None:
    """Refuse a table that no load has written to, but which has rows: a load would add the same rows again.

    Args:
        place: The table in messages.
        has_rows: Whether it has rows.

    Raises:
        SchemaError: It has.
    """
    if has_rows:
        message = (
            f"{place} has rows that no load brought, by `{PARTS}`. Drop or rename the table, and load again: the load "
            "creates it"
        )
        raise SchemaError(message)


def _part(table: str, dt: str | None, files: Sequence[Mapping[str, Any]]) -> LakePart:
    contents = sorted(f"{file['kind']} {file['rows']} {file['sha256']}" for file in files)
    digest = hashlib.sha256("\n".join(contents).encode()).hexdigest()
    rows, size = (sum(file[name] for file in files) for name in ("rows", "bytes"))
    kinds = tuple(sorted({file["kind"] for file in files if file["kind"] is not None}))
    return LakePart(table, dt, rows, size, digest, kinds)


# The types of columns by those of Arrow.
_TYPES = {"largeutf8": "string", "date": "date", "int": "int64"}


def _type(field: Mapping[str, Any]) -> str:
    """Name the type of a field of an Arrow schema as ``Lake.schema`` does."""
    name, children = field["type"]["name"], field["children"]
    if name == "largelist":
        return f"list[{_type(children[0])}]"
    if name == "struct":
        fields = ", ".join(f"{child['name']}: {_type(child)}" for child in children)
        return f"struct{{{fields}}}"
    return _TYPES[name]


@lru_cache(maxsize=1)
def _tables() -> dict[str, LoadTable]:
    """Read the schema of the core."""
    from drugs_rs import describe_tables

    tables = {}
    for name, schema in json.loads(describe_tables("arrow")).items():
        about = {pair["key"]: pair["value"] for pair in schema["metadata"]}
        columns = []
        for field in schema["fields"]:
            said = {pair["key"]: pair["value"] for pair in field["metadata"]}
            columns.append(TableColumn(field["name"], _type(field), field["nullable"], said["description"]))
        key = tuple(filter(None, about["primary_key"].split(",")))
        tables[name] = LoadTable(name, about["description"], tuple(columns), key)
    tables[STATUS] = _STATUS
    return tables


_STATUS = LoadTable(
    STATUS,
    "The delivered partitions of the lake: their rows, what is a snapshot or held, and the date that gold has reached",
    (
        TableColumn("dt", "string", False, "The date of the delivery"),
        TableColumn("table", "string", False, "What was delivered: drugs, pubmed, clinical_trials or preprints"),
        TableColumn("rows_in", "int64", False, "The rows of the sources"),
        TableColumn("rows_kept", "int64", False, "The rows that were kept"),
        TableColumn("rows_merged", "int64", False, "The rows that were merged into another"),
        TableColumn("rows_rejected", "int64", False, "The rows that were rejected"),
        TableColumn("rejected_share", "float64", False, "The share of rejected rows, from 0 to 1"),
        TableColumn(
            "snapshot", "bool", False, "Whether it is a snapshot, which replaces all earlier ones of its table"
        ),
        TableColumn("held", "bool", False, "Whether the date is held, so that gold leaves it out"),
        TableColumn("reason", "string", True, "Why the date is held"),
        TableColumn("as_of", "string", True, "The date that gold has reached"),
    ),
    ("dt", "table"),
)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _size(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
