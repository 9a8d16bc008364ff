"""A load of a lake into a dataset: plan, jobs, log."""

from __future__ import annotations

import json
import tempfile
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterable, Mapping, NamedTuple, Sequence

from drugs_rs.bigquery import tables as shape
from drugs_rs.bigquery.client import Target, errors_of, library
from drugs_rs.bigquery.jobs import FENCE, JobRunner, Pending
from drugs_rs.bigquery.log import (
    BEGIN,
    DONE,
    FIELDS,
    NAME,
    OVERTAKEN,
    LoadLog,
    compaction,
    log_resource,
    log_rows,
    plan_digest,
    read_log,
)
from drugs_rs.bigquery.parts import REMOVE, PlannedJob, part_sources, planned_jobs, whole_tables, with_jobs
from drugs_rs.bigquery.upload import write_rows
from drugs_rs.exceptions import ArgumentError, ConflictError, ConservationError, StorageError
from drugs_rs.loading import STATUS, LoadPlan, LoadReceipt, LoadStep, lake_place, planned_steps

if TYPE_CHECKING:
    from google.cloud import bigquery

    from drugs_rs import Lake
    from drugs_rs.loading import LakePart, LoadTable

# Jobs that run at a time.
WINDOW = 10
# The log is compacted when it has this many rows, and several for each part.
LONG_LOG, ROWS_A_PART = 2000, 4
JSON, PARQUET = "NEWLINE_DELIMITED_JSON", "PARQUET"


class Work(NamedTuple):
    """What a load has to do."""

    steps: list[LoadStep]
    jobs: list[PlannedJob]
    contents: dict[tuple[str, str | None], str]
    from_paths: dict[str, bool]

    @property
    def digest(self) -> str:
        """What it does, as a digest."""
        return plan_digest(self.steps, self.contents)


class DatasetLoader:
    """A load into one dataset."""

    def __init__(
        self,
        client: bigquery.Client,
        target: Target,
        lake: Lake,
        tables: Sequence[LoadTable],
        parts: Sequence[LakePart],
        max_partitions: int,
    ) -> None:
        self.client = client
        self.target = target
        self.lake = lake
        self.state = _state_number(lake)
        # One lake has one name, wherever the process runs.
        self.place = lake_place(lake.root)
        self.tables = list(tables)
        self.parts = list(parts)
        self.max_partitions = max_partitions
        # The tables of the dataset; `None` if there is no dataset.
        self.there: set[str] | None = None

    def plan(self, location: str | None) -> LoadPlan:
        """Say what a load would do, and change nothing."""
        self._look(location)
        log = LoadLog([])
        if self.there and NAME in self.there:
            log = read_log(self.client, self.target, self._log_table())
        work, _ = self._work(log)
        return LoadPlan(str(self.target), self.lake, work.steps, len(self.parts), log.last and log.last.lake)

    def run(self, location: str | None, *, is_earlier: bool) -> LoadReceipt:
        """Load what differs.

        Args:
            location: Where a new dataset is made.
            is_earlier: Whether the caller asked for this state, which may be older than that of the dataset.
        """
        while True:
            self._look(location)
            table = self._prepared_log(location)
            log = read_log(self.client, self.target, table)
            work, joined = self._work(log)
            number = 0 if log.last is None else log.last.number
            if not work.steps:
                self._create_missing()
                return self._receipt(work, number, log)
            self._refuse_older(log, is_earlier=is_earlier)
            era = str(round(table.created.timestamp() * 1000))
            runner = JobRunner(self.client, self.target, era, table.location, number if joined else number + 1)
            runner.is_shared = joined
            if joined or self._begin(runner, work):
                break
        earlier = [load for load in log.unfinished if load.number < runner.number]
        runner.take_over(earlier, self._fence(runner))
        self._create_missing()
        self._run_jobs(runner, work)
        self._settle(work)
        self._append(runner, "done", self._log_rows(runner.number, DONE, work))
        self._compact(runner, log, work)
        return self._receipt(work, runner.number, log)

    def _receipt(self, work: Work, number: int, log: LoadLog) -> LoadReceipt:
        last = log.last and log.last.lake
        return LoadReceipt(str(self.target), self.lake, work.steps, len(self.parts), number, last)

    # --- Before the load -------------------------------------------------------------------------------------------

    def _look(self, location: str | None) -> None:
        """List the tables of the dataset."""
        from google.api_core.exceptions import NotFound

        dataset = f"{self.target.project}.{self.target.dataset}"
        with errors_of(self.target, "to list the tables", "bigquery.tables.list"):
            try:
                self.there = {item.table_id for item in self.client.list_tables(dataset)}
            except NotFound:
                self.there = None
        if location is not None and self.there is not None:
            with errors_of(self.target, "to look at the dataset", "bigquery.datasets.get"):
                found = self.client.get_dataset(dataset).location
            if found.lower() != location.lower():
                message = (
                    f"location: found {location!r}, but the dataset {self.target} is in {found}, and a dataset cannot "
                    f"be moved: give {found!r} or nothing, or load into another dataset"
                )
                raise ArgumentError(message)

    def _prepared_log(self, location: str | None) -> bigquery.Table:
        """The log, which is made where it is missing, with the dataset."""
        if self.there is None:
            self._create_dataset(location)
            self.there = set()
        if NAME not in self.there:
            shape.create(self.client, self.target, log_resource(self.target))
        return self._log_table()

    def _log_table(self) -> bigquery.Table:
        with errors_of(self.target, f"to read the table {NAME}", "bigquery.tables.get"):
            table = self.client.get_table(self.target.table(NAME))
        names = {field.name for field in table.schema}
        lacks = [field["name"] for field in FIELDS if field["name"] not in names]
        if lacks:
            message = (
                f"{self.target}.{NAME}: found no column `{lacks[0]}`: this is no log of drugs_rs, or it was altered. "
                "Load into another dataset, or drop the table: then the next load loads everything"
            )
            raise ArgumentError(message)
        return table

    def _create_dataset(self, location: str | None) -> None:
        dataset = library().Dataset(f"{self.target.project}.{self.target.dataset}")
        if location is not None:
            dataset.location = location
        doing = "to create the dataset, which does not exist,"
        with errors_of(self.target, doing, "bigquery.datasets.create"):
            self.client.create_dataset(dataset, exists_ok=True)

    def _work(self, log: LoadLog) -> tuple[Work, bool]:
        """What is to be done, and whether it is what the last load has begun and not finished."""
        known = {row["table_name"] for row in log.rows}
        there = self.there or set()
        names = [table.name for table in self.tables if table.name in there]
        last = log.last
        if last is not None and not last.is_done:
            begun = self._planned(log.held(names, before=last.number), known)
            if begun.steps and begun.digest == last.plan:
                return begun, True
        return self._planned(log.held(names), known), False

    def _planned(self, held: Mapping[tuple[str, str | None], str], known: set[str]) -> Work:
        steps = planned_steps(self.parts, held)
        contents = {part.key: part.content for part in self.parts}
        in_bucket = self.lake.root.startswith("gs://")
        from_paths, sources = {}, {}
        for table in self.tables:
            from_paths[table.name] = in_bucket
            if table.name in (self.there or ()) and any(step.table == table.name for step in steps):
                with errors_of(self.target, f"to look at the table {table.name}", "bigquery.tables.get"):
                    found = self.client.get_table(self.target.table(table.name))
                from_paths[table.name] = shape.check(self.target, table, found, is_known=table.name in known)
            if any(step.table == table.name for step in steps):
                dates = [part.dt for part in self.parts if part.table == table.name]
                sources.update(part_sources(self.lake, table, dates, from_paths=from_paths[table.name]))
        steps = whole_tables(steps, self.parts, sources)
        jobs = planned_jobs(self.tables, steps, contents, sources, self.max_partitions)
        return Work(with_jobs(steps, jobs), jobs, contents, from_paths)

    def _refuse_older(self, log: LoadLog, *, is_earlier: bool) -> None:
        """Raise an error if the dataset has a newer state of this lake than the caller found."""
        last = log.last
        if last is None or is_earlier or last.lake != self.place:
            return
        if last.state > self.state:
            message = (
                f"{self.target}: load {last.number} brings state {last.state} of {self.lake.root}, and this one has "
                f"state {self.state}: a newer load began meanwhile. Nothing was changed; to go back to an earlier "
                f"state, load `Lake(...).at({self.state})`"
            )
            raise ConflictError(message)

    # --- The load --------------------------------------------------------------------------------------------------

    def _begin(self, runner: JobRunner, work: Work) -> bool:
        """Write down what is about to change; return false if an older load has taken this number meanwhile.

        Raises:
            ConflictError: A load of this state or a newer one has taken it.
        """
        rows = self._log_rows(runner.number, BEGIN, work)
        job = self._append(runner, "begin", rows, {"plan": work.digest, "state": str(self.state)})
        labels = job.labels or {}
        if labels.get("plan") == work.digest:
            return True
        if int(labels.get("state") or 0) < self.state:
            return False
        message = (
            f"{self.target}: another process began load {runner.number} at the same moment, with state "
            f"{labels.get('state')}. Nothing was changed; load again when it is done"
        )
        raise ConflictError(message)

    def _run_jobs(self, runner: JobRunner, work: Work) -> None:
        """Run the jobs, several at a time; what adds to a table waits until the table is replaced."""
        pending: deque[tuple[PlannedJob, Pending]] = deque()
        for job in work.jobs:
            while pending and (len(pending) == WINDOW or not job.is_first):
                self._finish(runner, *pending.popleft())
            pending.append((job, runner.start(job.name, self._submit(runner, job, work), job.doing)))
        while pending:
            self._finish(runner, *pending.popleft())

    def _settle(self, work: Work) -> None:
        """Give tables that were replaced whole their descriptions and keys back."""
        whole = {job.table.name for job in work.jobs if job.partition is None and job.action != REMOVE}
        for table in self.tables:
            if table.name in whole:
                shape.settle(self.client, self.target, table, from_paths=work.from_paths[table.name])

    def _finish(self, runner: JobRunner, planned: PlannedJob, pending: Pending) -> None:
        job = runner.finish(pending)
        rows = 0 if planned.action == REMOVE else job.output_rows
        if rows != planned.rows:
            message = (
                f"{self.target}: BigQuery counts {rows} rows in job {job.job_id} ({planned.doing}), and the lake "
                f"{planned.rows}; the load is not recorded. Files that changed meanwhile, or a bug in drugs_rs"
            )
            raise ConservationError(message)

    def _submit(self, runner: JobRunner, planned: PlannedJob, work: Work) -> Callable[[str], Any]:
        """What submits a job under an id."""
        table = planned.table
        if planned.action == REMOVE:
            dates = ", ".join(f"DATE '{dt}'" for dt in planned.dates)
            statement = f"DELETE FROM `{self.target}.{table.name}` WHERE dt IN ({dates})"
            return lambda job_id: self._query(runner, statement, job_id)
        from_paths = work.from_paths[table.name]
        config = self._load_config(planned, from_paths=from_paths)
        reference = self.target.table(table.name, planned.partition)
        if planned.source.uris:
            return lambda job_id: self.client.load_table_from_uri(
                list(planned.source.uris), reference, job_id=job_id, job_config=config, **runner.place
            )
        if table.name == STATUS:
            config.source_format = JSON
            return lambda job_id: self._upload_rows(runner, self.lake.status(), reference, job_id, config)

        def upload(job_id: str) -> Any:  # noqa: ANN401
            dates = [dt for dt in planned.dates if dt is not None]
            with tempfile.TemporaryDirectory(prefix="drugs-rs-") as folder:
                path = Path(folder) / "rows.parquet"
                write_rows(self.lake.scan(table.name, dt=dates or None), path)
                with path.open("rb") as file:
                    return self.client.load_table_from_file(
                        file, reference, size=path.stat().st_size, job_id=job_id, job_config=config, **runner.place
                    )

        return upload

    def _load_config(self, planned: PlannedJob, *, from_paths: bool) -> Any:  # noqa: ANN401
        """The settings of a load job."""
        bigquery = library()
        table = planned.table
        columns = shape.fields(table, from_paths=from_paths)
        config = bigquery.LoadJobConfig(
            source_format=PARQUET,
            write_disposition="WRITE_TRUNCATE" if planned.is_first else "WRITE_APPEND",
            create_disposition="CREATE_NEVER",
            schema=[
                bigquery.SchemaField.from_api_repr(field)
                for field in columns
                if field["name"] not in planned.source.keys
            ],
            labels={"drugs_rs": "load"},
        )
        # Without it lists load as empty ones.
        options = bigquery.ParquetOptions()
        options.enable_list_inference = True
        config.parquet_options = options
        if table.is_dated:
            config.time_partitioning = bigquery.TimePartitioning(type_="DAY", field="dt")
        if shape.clustering(table):
            config.clustering_fields = shape.clustering(table)
        if planned.source.keys:
            hive = bigquery.external_config.HivePartitioningOptions()
            hive.mode = "CUSTOM"
            hive.source_uri_prefix = planned.source.prefix
            config.hive_partitioning = hive
        return config

    def _create_missing(self) -> None:
        """Create the tables that the dataset lacks."""
        in_bucket = self.lake.root.startswith("gs://")
        for table in self.tables:
            if table.name not in (self.there or ()):
                shape.create(self.client, self.target, shape.resource(self.target, table, from_paths=in_bucket))

    # --- The log ---------------------------------------------------------------------------------------------------

    def _log_rows(self, number: int, event: str, work: Work) -> list[dict[str, Any]]:
        return log_rows(number, event, work.steps, work.contents, self.state, self.place)

    def _append(
        self, runner: JobRunner, name: str, rows: Sequence[Mapping[str, Any]], labels: Mapping[str, str] | None = None
    ) -> Any:  # noqa: ANN401
        """Add rows to the log, once: the job of another process with this name counts as ours."""
        config = self._log_config({"drugs_rs": name, **(labels or {})})
        reference = self.target.table(NAME)

        def submit(job_id: str) -> Any:  # noqa: ANN401
            return self._upload_rows(runner, rows, reference, job_id, config)

        return runner.finish(runner.start(name, submit, f"to write the table {NAME}"))

    def _fence(self, runner: JobRunner) -> Callable[[int], Callable[[str], Any]]:
        """What takes the id of a job of an overtaken load: it writes down that the load was overtaken."""
        config = self._log_config({"drugs_rs": FENCE})

        def of_load(number: int) -> Callable[[str], Any]:
            row = {"load": number, "event": OVERTAKEN, "state": self.state, "lake": self.place}
            return lambda job_id: self._upload_rows(runner, [row], self.target.table(NAME), job_id, config)

        return of_load

    def _log_config(self, labels: Mapping[str, str]) -> Any:  # noqa: ANN401
        bigquery = library()
        return bigquery.LoadJobConfig(
            source_format=JSON,
            write_disposition="WRITE_APPEND",
            create_disposition="CREATE_NEVER",
            schema=[bigquery.SchemaField.from_api_repr(field) for field in FIELDS],
            labels=dict(labels),
        )

    def _upload_rows(
        self,
        runner: JobRunner,
        rows: Iterable[Mapping[str, Any]],
        reference: bigquery.TableReference,
        job_id: str,
        config: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Load rows as JSON."""
        with tempfile.TemporaryFile(prefix="drugs-rs-") as file:
            for row in rows:
                file.write(json.dumps(dict(row)).encode() + b"\n")
            size = file.tell()
            return self.client.load_table_from_file(
                file, reference, rewind=True, size=size, job_id=job_id, job_config=config, **runner.place
            )

    def _query(self, runner: JobRunner, statement: str, job_id: str) -> Any:  # noqa: ANN401
        config = library().QueryJobConfig(labels={"drugs_rs": "query"})
        return self.client.query(statement, job_id=job_id, job_config=config, job_retry=None, **runner.place)

    def _compact(self, runner: JobRunner, log: LoadLog, work: Work) -> None:
        """Remove rows of the log that say nothing any more, when there are many."""
        rows = len(log.rows) + 2 * len(work.steps)
        if rows < LONG_LOG or rows < ROWS_A_PART * len(log.held(table.name for table in self.tables)):
            return
        statement = compaction(self.target, runner.number)
        pending = runner.start("compact", lambda job_id: self._query(runner, statement, job_id), "to compact the log")
        try:
            runner.finish(pending)
        except StorageError:
            # The load is done and recorded; the next one tries again.
            return


def _state_number(lake: Lake) -> int:
    """The number of the state of a pinned lake, which may have been asked for by a date."""
    if isinstance(lake.state, int):
        return lake.state
    rows = type(lake)(lake.root).states()
    return max((row["state"] for row in rows if row["as_of"] <= str(lake.state)), default=0)
