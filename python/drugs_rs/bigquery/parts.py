"""Which jobs a load takes: one for each partition, or a few for a whole table where there would be too many."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Iterable, Mapping, NamedTuple, Sequence

from drugs_rs.bigquery.tables import IN_PATH
from drugs_rs.exceptions import ArgumentError
from drugs_rs.loading import STATUS, LoadStep

if TYPE_CHECKING:
    from drugs_rs import Lake
    from drugs_rs.loading import LakePart, LoadTable

# BigQuery lets 1,500 jobs a day write to a table. A load with more uploads or more jobs than this for one table loads
# the table as a whole.
MOST_UPLOADS, MOST_JOBS = 100, 1000
# The limits of a job and of a table.
MOST_PARTITIONS, MOST_FILES, LARGEST_TABLE = 4000, 10_000, 10_000
REMOVE, REPLACE = "remove", "replace"

# The end of a path: the keys in it, and the name of the file.
KEYS = re.compile(r"((?:/(?:kind|dt)=[^/]+)*)/[^/]+$")


class Source(NamedTuple):
    """Where the rows of a job come from."""

    uris: tuple[str, ...]
    """Files in Google's storage; none if the rows are uploaded."""
    prefix: str
    """The common beginning of the files, with the types of the keys that follow."""
    keys: tuple[str, ...]
    """The columns that are in the paths."""


class PlannedJob(NamedTuple):
    """A job: what it writes, and from which parts of the lake."""

    name: str
    table: LoadTable
    partition: str | None
    """``20240131``; ``None`` writes to the table."""
    dates: tuple[str | None, ...]
    action: str
    rows: int
    source: Source
    is_first: bool
    """Whether it replaces what is there; otherwise it adds to it."""

    @property
    def doing(self) -> str:
        """What it does, for messages."""
        place = self.table.name if self.partition is None else f"{self.table.name}${self.partition}"
        return f"to {'remove rows from' if self.action == REMOVE else 'load'} {place}"


UPLOAD = Source((), "", ())


def check_limits(parts: Sequence[LakePart], max_partitions: int) -> None:
    """Reject what no BigQuery can hold.

    Raises:
        ArgumentError: ``max_partitions`` is out of range, or a table has too many dates.
    """
    if not 1 <= max_partitions <= MOST_PARTITIONS:
        message = (
            f"max_partitions: found {max_partitions}, expected 1 to {MOST_PARTITIONS:,}, which is the limit of a job"
        )
        raise ArgumentError(message)
    for table in dict.fromkeys(part.table for part in parts):
        dates = sum(part.dt is not None for part in parts if part.table == table)
        if dates > LARGEST_TABLE:
            message = (
                f"tables: found {dates:,} dates of `{table}`, expected at most {LARGEST_TABLE:,}, the partitions that "
                "a table of BigQuery can have: drop old dates (`drugs-rs lake drop`), or leave the table out (`tables`)"
            )
            raise ArgumentError(message)


def whole_tables(
    steps: Sequence[LoadStep], parts: Sequence[LakePart], sources: Mapping[tuple[str, str | None], Source]
) -> list[LoadStep]:
    """Add to the steps what jobs for whole tables replace too."""
    whole = _whole(steps, sources)
    there = {(step.table, step.dt) for step in steps}
    unchanged = [
        LoadStep(part.table, part.dt, REPLACE, part.rows, part.bytes)
        for part in parts
        if part.table in whole and part.key not in there
    ]
    if not unchanged:
        return list(steps)
    place = {part.key: number for number, part in enumerate(parts)}
    return sorted([*steps, *unchanged], key=lambda step: place.get((step.table, step.dt), len(place)))


def planned_jobs(
    tables: Sequence[LoadTable],
    steps: Sequence[LoadStep],
    contents: Mapping[tuple[str, str | None], str],
    sources: Mapping[tuple[str, str | None], Source],
    max_partitions: int,
) -> list[PlannedJob]:
    """Choose the jobs.

    Args:
        tables: The tables.
        steps: What is to be done.
        contents: The digest of each part.
        sources: Where the rows of each part come from.
        max_partitions: The most partitions that a job writes.
    """
    jobs: list[PlannedJob] = []
    whole = _whole(steps, sources)
    for table in tables:
        loads = [step for step in steps if step.table == table.name and step.action != REMOVE]
        if table.name in whole:
            jobs += _for_table(table, loads, contents, sources, max_partitions)
        else:
            jobs += [_for_part(table, step, contents, sources) for step in loads]
    for table in tables:
        gone = [step for step in steps if step.table == table.name and step.action == REMOVE]
        if gone and not any(job.table is table and job.partition is None for job in jobs):
            for chunk in _chunks(gone, {}, max_partitions):
                dates = tuple(step.dt for step in chunk)
                name = f"{table.name}_removed_{_digest(map(str, dates))}"
                jobs.append(PlannedJob(name, table, None, dates, REMOVE, 0, UPLOAD, is_first=True))
    return jobs


def with_jobs(steps: Sequence[LoadStep], jobs: Sequence[PlannedJob]) -> list[LoadStep]:
    """Add to each step its job and its partition, and order the steps as their jobs."""
    found = []
    for place, job in enumerate(jobs):
        for step in steps:
            if step.table == job.table.name and (
                (step.dt in job.dates and (step.action == REMOVE) == (job.action == REMOVE))
                # A job that replaces a whole table removes what is gone.
                or (step.action == REMOVE and job.action != REMOVE and job.partition is None and job.is_first)
            ):
                partition = None if step.dt is None else step.dt.replace("-", "")
                source = "none" if job.action == REMOVE else "gs" if job.source.uris else "upload"
                detail = {"partition": partition, "job": job.name, "source": source}
                found.append((place, step._replace(detail=detail)))
    return [step for _, step in sorted(found, key=lambda pair: pair[0])]


def part_sources(
    lake: Lake, table: LoadTable, dates: Iterable[str | None], *, from_paths: bool
) -> dict[tuple[str, str | None], Source]:
    """Where the rows of each part of a table come from.

    Args:
        lake: The lake, at its state.
        table: The table.
        dates: The dates of its parts.
        from_paths: Whether its columns ``kind`` and ``dt`` may come from paths.
    """
    files: dict[str | None, list[str]] = {}
    if lake.root.startswith("gs://") and table.name != STATUS:
        for file in lake.files(table.name):
            files.setdefault(file["dt"], []).append(file["uri"])
    return {(table.name, dt): _source(table, files.get(dt, ()), from_paths=from_paths) for dt in dates}


def _whole(steps: Sequence[LoadStep], sources: Mapping[tuple[str, str | None], Source]) -> set[str]:
    """The tables that are better replaced whole, because a job for each part would be too many."""
    loads = [step for step in steps if step.dt is not None and step.action != REMOVE]
    jobs = Counter(step.table for step in loads)
    uploads = Counter(step.table for step in loads if not sources[step.table, step.dt].uris)
    return {table for table in jobs if jobs[table] > MOST_JOBS or uploads[table] > MOST_UPLOADS}


def _for_part(
    table: LoadTable,
    step: LoadStep,
    contents: Mapping[tuple[str, str | None], str],
    sources: Mapping[tuple[str, str | None], Source],
) -> PlannedJob:
    """The job of one partition, or of a table without dates."""
    key = (step.table, step.dt)
    partition = None if step.dt is None else step.dt.replace("-", "")
    name = "_".join(filter(None, (table.name, partition, contents[key][:16])))
    return PlannedJob(name, table, partition, (step.dt,), step.action, step.rows, sources[key], is_first=True)


def _for_table(
    table: LoadTable,
    steps: Sequence[LoadStep],
    contents: Mapping[tuple[str, str | None], str],
    sources: Mapping[tuple[str, str | None], Source],
    max_partitions: int,
) -> list[PlannedJob]:
    """The jobs of a whole table: one for each group of files with one prefix, and one for the uploads."""
    groups: dict[Source, list[LoadStep]] = {}
    for step in steps:
        groups.setdefault(sources[step.table, step.dt]._replace(uris=()), []).append(step)
    if len(groups) > MOST_JOBS:
        groups = {UPLOAD: list(steps)}
    jobs: list[PlannedJob] = []
    for group, members in groups.items():
        uris = {step.dt: sources[step.table, step.dt].uris if group.keys else () for step in members}
        for chunk in _chunks(members, uris, max_partitions):
            digest = _digest(contents[step.table, step.dt] for step in chunk)
            rows, dates = sum(step.rows for step in chunk), tuple(step.dt for step in chunk)
            source = group._replace(uris=tuple(uri for dt in dates for uri in uris[dt]))
            name = f"{table.name}_all_{len(jobs)}_{digest}"
            jobs.append(PlannedJob(name, table, None, dates, REPLACE, rows, source, is_first=not jobs))
    return jobs


def _chunks(
    steps: Sequence[LoadStep], uris: Mapping[str | None, Sequence[str]], max_partitions: int
) -> Iterable[list[LoadStep]]:
    """Divide parts so that no job has too many partitions or files."""
    chunk: list[LoadStep] = []
    count = 0
    for step in steps:
        more = len(uris.get(step.dt, ()))
        if chunk and (len(chunk) == max_partitions or count + more > MOST_FILES):
            yield chunk
            chunk, count = [], 0
        chunk.append(step)
        count += more
    yield chunk


def _source(table: LoadTable, uris: Sequence[str], *, from_paths: bool) -> Source:
    """Files that BigQuery can read as they are: their paths have exactly the columns that they lack."""
    keys = tuple(name for name in IN_PATH if any(column.name == name for column in table.columns))
    keys = keys if table.is_dated else ()
    prefixes = set()
    for uri in uris:
        end = KEYS.search(uri)
        found = tuple(part.split("=", 1)[0] for part in end[1].split("/")[1:]) if end else None
        # BigQuery takes a star for a pattern.
        if found != keys or end is None or "*" in uri:
            return UPLOAD
        prefixes.add(uri[: end.start()])
    if not uris or len(uris) > MOST_FILES or (keys and (len(prefixes) > 1 or not from_paths)):
        return UPLOAD
    types = "".join(f"/{{{key}:{'DATE' if key == 'dt' else 'STRING'}}}" for key in keys)
    return Source(tuple(uris), f"{prefixes.pop()}{types}" if keys else "", keys)


def _digest(texts: Iterable[Any]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
