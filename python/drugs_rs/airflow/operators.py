"""Thin operators: arguments in, one step of the core, its report to XCom.

No operator reads data or computes paths in the lake: paths and URIs go to the core as they are. Errors become Airflow's
exceptions: one that is retried if a retry can help (storage, conflicts), and one that is not otherwise.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from drugs_rs.airflow import lineage
from drugs_rs.airflow.answers import checked_answer
from drugs_rs.airflow.assets import SILVER, announce
from drugs_rs.airflow.compat import AirflowException, AirflowFailException, BaseOperator
from drugs_rs.airflow.links import ReportLink, report_uri
from drugs_rs.airflow.partition import PARTITION_OF_TASK, REMEDY, partition_of
from drugs_rs.airflow.quality import QualityError, Thresholds, judge, reason_of
from drugs_rs.airflow.reports import bounded, rows_of, tell
from drugs_rs.airflow.settings import (
    COUNTING,
    GATE,
    MATCHING,
    READING,
    Settings,
    SettingsError,
    check_choice,
    check_options,
    option,
    where,
)
from drugs_rs.airflow.steps import Step
from drugs_rs.airflow.task_events import logged

# Texts that a template leaves for a missing value.
_NOTHING = ("", "None")
_TABLES = tuple(SILVER)
_BLUE, _GREEN, _GOLD, _GREY = "#cd7f32", "#c0c0c0", "#ffd700", "#dce6f2"


class LakeOperator(BaseOperator):
    """Base class of the operators that change a lake.

    The options of the operators may be templates, such as ``abstracts="{{ params.abstracts }}"``.

    Args:
        out: The lake's root, a folder or a URI.
        dt: The partition, ``YYYY-MM-DD``; by default that of the run (see ``partition_of``).
        isolation: ``"process"`` runs the step in the task's own process. ``"subprocess"`` runs it in a child process
            that can be killed at any moment and frees its memory when it ends.
    """

    template_fields: Sequence[str] = ("out", "dt", "isolation")
    partition_of = staticmethod(partition_of)

    def __init__(self, *, out: str, dt: str = PARTITION_OF_TASK, isolation: str = "process", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.out = out
        self.dt = dt
        self.isolation = isolation
        self._step: Step | None = None
        check_options(self, ["isolation"])

    def on_kill(self) -> None:
        """Stop the step within seconds; uncommitted work is discarded, and the lake stays as it was."""
        if self._step is not None:
            self._step.stop()

    def _run(self, step: str, keywords: Mapping[str, Any]) -> dict[str, Any]:
        """Call the function of the core that has this name, and return its report."""
        self._step = Step(step, keywords, self._option("isolation"), self.log)
        return self._step.run()

    def _option(self, name: str) -> Any:
        """Return an option after templates were rendered."""
        return option(self.task_id, name, getattr(self, name))


class StepOperator(LakeOperator):
    """Base class of the operators of bronze, silver and gold."""

    step = ""
    operator_extra_links = (ReportLink(),)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.report_uri = ""
        self._report: Mapping[str, Any] | None = None

    @logged
    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Run the step and return its report, with long lists cut."""
        keywords = self.keywords()
        self._report = report = self._run(self.step, keywords)
        tell(report, self.log)
        self.report_uri = report_uri(keywords["out"], self.step, report["dt"], self.report_name())
        returned = bounded(report, self.report_uri)
        announce(self, context, returned, rows_of(report))
        return returned

    def keywords(self) -> dict[str, Any]:
        """Return the arguments of the core's function, after templates were rendered."""
        return {"out": rendered(self, "out"), "dt": rendered(self, "dt")}

    def report_name(self) -> str:
        """Return the name of the report's file in the lake."""
        return self.step

    def read(self, report: Mapping[str, Any]) -> list[str]:
        """Return the URIs of what the step read, for lineage."""
        return [source["uri"] for source in report["sources"]]

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002
        """Report to OpenLineage what was read and written, if its provider is installed."""
        # Airflow calls this on the object that it has executed, also for mapped tasks.
        report = self._report
        return None if report is None else lineage.of_step(self.read(report), self.out, report["outputs"])


class BronzeOperator(StepOperator):
    """Copies source files byte for byte into the lake, with a manifest.

    Instead of ``sources`` and ``out`` it accepts ``source_bucket`` with ``source_object`` and ``destination_bucket``
    with ``destination_object``, the arguments of ``GCSToGCSOperator``, so it can replace that operator. The destination
    is the lake's root; the copies get their places below it.

    Args:
        table: The table of the files: ``"drugs"``, ``"pubmed"``, ``"clinical_trials"`` or ``"preprints"``.
        sources: A path, glob, folder or URI, or a list of them.
        source_bucket: A bucket of Cloud Storage, instead of ``sources``.
        source_object: The object or glob in that bucket, or a list of them.
        destination_bucket: The lake's bucket, instead of ``out``.
        destination_object: The lake's prefix in that bucket; without it the lake is the whole bucket.
        name: The source's name in the lake, if one table has several sources; by default the table's.
        snapshot: The delivery replaces all earlier ones of its table: a publication that it lacks is gone.
        max_absent: The largest share of the publications before a snapshot that it may lack; silver fails above it.
    """

    step = "bronze"
    ui_color = _BLUE
    template_fields: Sequence[str] = (
        *StepOperator.template_fields,
        "sources",
        "source_bucket",
        "source_object",
        "destination_bucket",
        "destination_object",
        "snapshot",
        "max_absent",
    )

    def __init__(
        self,
        *,
        table: str,
        out: str | None = None,
        sources: str | Sequence[str] | None = None,
        source_bucket: str | None = None,
        source_object: str | Sequence[str] | None = None,
        destination_bucket: str | None = None,
        destination_object: str | None = None,
        name: str | None = None,
        snapshot: bool | str = False,
        max_absent: str = "2%",
        **kwargs: Any,
    ) -> None:
        super().__init__(out=out, **kwargs)  # destination_bucket is the other way to set it
        self.table = table
        self.sources = sources
        self.source_bucket = source_bucket
        self.source_object = source_object
        self.destination_bucket = destination_bucket
        self.destination_object = destination_object
        self.name = name
        self.snapshot = snapshot
        self.max_absent = max_absent
        check_choice(self, "table", _TABLES)
        for one, other, more in (
            ("out", "destination_bucket", "destination_object"),
            ("sources", "source_bucket", "source_object"),
        ):
            given = [argument for argument in (one, other, more) if getattr(self, argument) is not None]
            if given in ([one, other], [one, more], [one, other, more], [more]) or given == ["source_bucket"]:
                message = f"the task {self.task_id} has {' and '.join(given)}: pass `{one}`, or `{other}` and `{more}`"
                raise SettingsError(message)

    def keywords(self) -> dict[str, Any]:
        """Return the arguments of ``drugs_rs.bronze``."""
        if self.destination_bucket is not None:
            prefix = (self.destination_object or "").strip("/")
            self.out = "gs://" + "/".join(filter(None, [rendered(self, "destination_bucket"), prefix]))
        if self.source_bucket is not None:
            bucket = rendered(self, "source_bucket")
            keys = rendered(self, "source_object")
            self.sources = [f"gs://{bucket}/{key}" for key in ([keys] if isinstance(keys, str) else keys)]
        # A template that renders no native objects leaves a text.
        snapshot = {"snapshot": True, "max_absent": self.max_absent} if str(self.snapshot).lower() == "true" else {}
        return {**super().keywords(), self.table: rendered(self, "sources"), "name": self.name, **snapshot}

    def report_name(self) -> str:
        """Return the source's name: each source has a report."""
        return self.name or self.table


class SilverOperator(StepOperator):
    """Cleans one table of a partition: from the copies in bronze to Parquet, with rejected rows in ``silver/rejected``.

    Args:
        table: ``"drugs"``, ``"pubmed"``, ``"clinical_trials"`` or ``"preprints"``.
        encoding: How to read text that is neither UTF-8 nor marked UTF-16: ``"windows-1252"``.
        month_first: Read ``01/02/2020`` as 2 January.
        on_bad_file: ``"fail"``, or ``"reject"`` to reject an unreadable file and continue.
        expect_rows: A share such as ``"50%"``: fail, without a retry, before a table is written whose rows differ by
            more from the median of the last 7 deliveries, or that shrinks by more.
        contract: A data contract that the table must keep before it is written: ``"default"``, which comes with the
            package, or the file or URI of one; ``None`` or ``"none"`` for none. A broken rule of severity ``error``
            fails the task, without a retry.
        hold: Hold the day, in the commit that changes its table, until a ``QualityOperator`` has judged it. If another
            silver task of the day fails, the day is not judged and so not published.
    """

    step = "silver"
    ui_color = _GREEN
    template_fields: Sequence[str] = (*StepOperator.template_fields, *READING)

    def __init__(
        self,
        *,
        table: str,
        encoding: str | None = None,
        month_first: bool | str = False,
        on_bad_file: str = "fail",
        expect_rows: str | None = None,
        contract: str | None = None,
        hold: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.encoding = encoding
        self.month_first = month_first
        self.on_bad_file = on_bad_file
        self.expect_rows = expect_rows
        self.contract = contract
        self.hold = hold
        check_choice(self, "table", _TABLES)
        check_options(self, READING)

    def keywords(self) -> dict[str, Any]:
        """Return the arguments of ``drugs_rs.silver``."""
        reading = {name: self._option(name) for name in READING}
        return {**super().keywords(), "tables": [self.table], **reading, "hold": self.hold}

    def report_name(self) -> str:
        """Return the table: each table has a report."""
        return self.table

    def read(self, report: Mapping[str, Any]) -> list[str]:
        """Return the copies in bronze, for lineage."""
        return [lineage.below(self.out, lineage.place(folder)) for folder in report.get("inputs", ())]


class GoldOperator(StepOperator):
    """Finds the mentions and publishes the graph and the answers, all in one transaction.

    Args:
        boundary: ``"word"`` or ``"none"``; this and the next arguments are those of ``drugs_rs.gold``.
        abbreviations: Count abbreviations that a text introduces.
        fields: The fields of publications to search, such as ``["title", "interventions"]``; ``None`` for titles.
        abstracts: Search abstracts too.
        exclude_status: Statuses of publications that are not searched, such as ``["retracted"]``.
        salts: Also find the name of a salt by its ingredient.
        accents: ``"fold"`` or ``"keep"``.
        stop_words: Names that are never a mention; ``None`` for the shipped list.
        extra_stop_words: Further names that are never a mention.
        unit: What counts as one drug in both answers: ``"substance"`` or ``"code"``.
        max_exclusive: The most drugs in all lists of ``exclusive_drugs.json`` together; 0 is no limit.
        graph: ``"json"`` writes ``drug_graph.json``, ``"none"`` does not.
        keep: How long earlier states of the tables can be read: ``"30 days"``, or a number such as ``"10 states"``.
    """

    step = "gold"
    ui_color = _GOLD
    template_fields: Sequence[str] = (*StepOperator.template_fields, *MATCHING, *COUNTING)

    def __init__(
        self,
        *,
        boundary: str = "word",
        abbreviations: bool | str = False,
        fields: Sequence[str] | None = None,
        abstracts: bool | str = False,
        exclude_status: Sequence[str] | None = None,
        salts: bool | str = False,
        accents: str = "fold",
        stop_words: Sequence[str] | None = None,
        extra_stop_words: Sequence[str] | None = None,
        unit: str = "substance",
        max_exclusive: int | str = 1_000_000,
        graph: str = "json",
        keep: str = "30 days",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.boundary = boundary
        self.abbreviations = abbreviations
        self.fields = fields
        self.abstracts = abstracts
        self.exclude_status = exclude_status
        self.salts = salts
        self.accents = accents
        self.stop_words = stop_words
        self.extra_stop_words = extra_stop_words
        self.unit = unit
        self.max_exclusive = max_exclusive
        self.graph = graph
        self.keep = keep
        check_options(self, [*MATCHING, *COUNTING])

    def keywords(self) -> dict[str, Any]:
        """Return the arguments of ``drugs_rs.gold``."""
        return {**super().keywords(), **{name: self._option(name) for name in (*MATCHING, *COUNTING)}}

    def read(self, report: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        """Return the tables of silver, for lineage."""
        return [lineage.below(self.out, "/".join(parts)) for parts in SILVER.values()]


class QualityOperator(LakeOperator):
    """Judges a day between silver and gold: holds a day whose tables are too poor, and fails.

    The day's silver tables are in the lake when this task judges them, held by silver tasks with ``hold``. If they do
    not pass, the task holds the day (``drugs_rs.hold``) with its message as the reason, so that the gold of every day
    leaves it out. If they pass, the task releases the day, whoever held it. If the graph has the day already, from an
    earlier and better delivery, this task does not change it: the next gold leaves the day out.

    Args:
        reports: The reports of the silver tasks, usually their ``output``.
        max_rejected_share: The largest share of rejected rows that passes, per table.
        max_flag_shares: Flag → the largest share of kept rows that may carry it.
        min_rows: A table with fewer kept rows does not pass.
        hold_on_warning: A table that breaks a rule of its contract with severity ``warning`` does not pass; otherwise
            the broken rule is logged.
    """

    step = "quality"
    ui_color = _GREY
    template_fields: Sequence[str] = (*LakeOperator.template_fields, "reports", *GATE)

    def __init__(
        self,
        *,
        reports: Sequence[Any],
        max_rejected_share: float | str = 0.25,
        max_flag_shares: Mapping[str, float] | str | None = None,
        min_rows: int | str = 1,
        hold_on_warning: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.reports = reports
        self.max_rejected_share = max_rejected_share
        self.max_flag_shares = max_flag_shares
        self.min_rows = min_rows
        self.hold_on_warning = hold_on_warning
        check_options(self, [name for name in GATE if getattr(self, name) is not None])

    @logged
    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Judge the reports, hold or release the day, and return the compared numbers."""
        shares = {} if self.max_flag_shares is None else self._option("max_flag_shares")
        thresholds = Thresholds(
            self._option("max_rejected_share"), shares, self._option("min_rows"), self._option("hold_on_warning")
        )
        day = {"lake": rendered(self, "out"), "dt": rendered(self, "dt")}
        try:
            judged = judge(self.reports, thresholds, self.log)
        except QualityError as refusal:
            self._hold(day, refusal)
            raise
        released = not self._run("release", day)["unchanged"]
        if released:
            self.log.info("dt=%s was held back and is released: gold takes it in", day["dt"])
        return {**judged, "released": released}

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002
        """Report to OpenLineage which tables were judged, each with the rules of its contract as assertions."""
        return lineage.of_checks(self.out, self.reports)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> Any:
        """Report the same for a day that does not pass: its broken rules are what people look for."""
        return self.get_openlineage_facets_on_complete(task_instance)

    def _hold(self, day: Mapping[str, Any], refusal: QualityError) -> None:
        try:
            self._run("hold", {**day, "reason": reason_of(refusal)})
        except AirflowException as error:
            # Retried if that may help: a poor day must not stay unheld.
            message = f"{refusal}; and dt={day['dt']} could NOT be held back: {error}"
            raise type(error)(message) from error
        self.log.warning("dt=%s is held back: gold leaves it out until this task passes or it is released", day["dt"])


class AnswerOperator(BaseOperator):
    """Checks one published answer and returns it.

    Gold publishes the answers in the same transaction as the graph, so that nobody reads today's graph beside
    yesterday's answers. This task checks that graph and answers have the digests of gold's manifest and that the graph
    has reached the run's partition. It returns the answer for downstream tasks.

    Args:
        answer: ``"top_journals"`` or ``"exclusive_drugs"``.
        out: The lake's root, a folder or a URI.
        dt: The partition of the run.
        most: The most entries that are returned; all are checked.
        report: The report of the gold task, usually its ``output``: if it changed nothing, there is no asset event.
    """

    step = "answer"
    ui_color = _GOLD
    template_fields: Sequence[str] = ("out", "dt", "report")
    partition_of = staticmethod(partition_of)

    def __init__(
        self,
        *,
        answer: str,
        out: str,
        dt: str = PARTITION_OF_TASK,
        most: int = 100,
        report: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.answer = answer
        self.out = out
        self.dt = dt
        self.most = most
        self.report = report
        check_choice(self, "answer", ("top_journals", "exclusive_drugs"))

    @logged
    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Read, check, return."""
        out, dt = rendered(self, "out"), rendered(self, "dt")
        checked = checked_answer(self.answer, out, dt, self.most, self.log)
        report = self.report or {"dt": dt, "unchanged": False, "report_uri": report_uri(out, "gold", dt, "gold")}
        announce(self, context, report, checked["entries"])
        return checked

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002
        """Report to OpenLineage that the graph was read."""
        return lineage.of_step([lineage.below(self.out, "gold/drug_graph.json")], self.out, [])


def rendered(task: Any, name: str) -> Any:
    """Return a templated argument; raise with the remedy if it is empty.

    Raises:
        AirflowFailException: The argument is empty.
    """
    value = getattr(task, name)
    several = value if isinstance(value, (list, tuple)) else [value]
    if not several or any(each is None or str(each).strip() in _NOTHING for each in several):
        # Other operators call the lake `lake`, and have arguments that are no setting.
        setting = getattr(task, "report_name", lambda: name)() if name == "sources" else {"lake": "out"}.get(name, name)
        remedy = f"; for dags/drug.py: {where(setting)}" if hasattr(Settings, setting) else ""
        remedy = f"; the run is for no partition: {REMEDY}" if name == "dt" else remedy
        message = (
            f"`{name}` of the task {task.task_id} is {value!r} after its template was rendered: pass a value{remedy}"
        )
        raise AirflowFailException(message)
    return value
