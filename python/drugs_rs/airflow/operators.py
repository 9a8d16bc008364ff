"""Thin operators: arguments in, one step of the core, its report to XCom.

No operator looks into data, and none computes where a file of the lake lies: paths and URIs go to the core as they are.
What goes wrong becomes one of Airflow's exceptions: one that is retried where a retry can help (storage, conflicts),
one that is not where it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Sequence

from drugs_rs.airflow import lineage
from drugs_rs.airflow.compat import AirflowException, AirflowFailException, BaseOperator
from drugs_rs.airflow.links import ReportLink, report_uri
from drugs_rs.airflow.quality import QualityError, Thresholds, judge, reason_of
from drugs_rs.airflow.reports import bounded, tell
from drugs_rs.airflow.settings import where

if TYPE_CHECKING:
    from drugs_rs.airflow.steps import Step

# Words that a template leaves where a value was missing.
_NOTHING = ("", "None")
_BLUE, _GREEN, _GOLD, _GREY = "#cd7f32", "#c0c0c0", "#ffd700", "#dce6f2"


class LakeOperator(BaseOperator):
    """What the operators that change a lake have in common.

    Args:
        out: The lake's root, a folder or a URI.
        dt: The partition, ``YYYY-MM-DD``; by default the run's logical date.
        isolation: ``"process"`` runs the step in the task's own process, ``"subprocess"`` in a child of it that can be
            killed at any moment and whose memory dies with it.
    """

    template_fields: Sequence[str] = ("out", "dt")

    def __init__(self, *, out: str, dt: str = "{{ ds }}", isolation: str = "process", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.out = out
        self.dt = dt
        self.isolation = isolation
        self._step: Step | None = None

    def on_kill(self) -> None:
        """Stop the step within seconds; what it had not committed is gone, the lake is as it was."""
        if self._step is not None:
            self._step.stop()

    def _run(self, step: str, keywords: Mapping[str, Any]) -> dict[str, Any]:
        """Call the function of the core that has this name, and give its report."""
        from drugs_rs.airflow.steps import Step

        self._step = Step(step, keywords, self.isolation, self.log)
        return self._step.run()


class StepOperator(LakeOperator):
    """What the operators of bronze, silver and gold have in common."""

    step = ""
    operator_extra_links = (ReportLink(),)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.report_uri = ""

    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Run the step and return its report, with long lists cut."""
        return self._report(self.keywords(), self.report_name())

    def keywords(self) -> dict[str, Any]:
        """Give the arguments of the core's function, after templates were rendered."""
        return {"out": rendered(self, "out"), "dt": rendered(self, "dt")}

    def report_name(self) -> str:
        """Give the name of the report's file in the lake."""
        return self.step

    def _report(self, keywords: Mapping[str, Any], name: str) -> dict[str, Any]:
        report = self._run(self.step, keywords)
        tell(report, self.log)
        self.report_uri = report_uri(keywords["out"], self.step, report["dt"], name)
        return bounded(report, self.report_uri)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Tell OpenLineage what was read and written, if its provider is installed."""
        return lineage.of_task(task_instance, self.out)


class BronzeOperator(StepOperator):
    """Copies source files byte for byte into the lake, with a manifest.

    ``source_bucket`` with ``source_object`` and ``destination_bucket`` with ``destination_object`` say the same as
    ``sources`` and ``out`` in the words of ``GCSToGCSOperator``, so that one can stand where the other stood; the
    destination is the lake's root, below which the copies get their places.

    Args:
        table: ``"drugs"``, ``"pubmed"`` or ``"clinical_trials"``: what the files are.
        sources: A path, glob, folder or URI, or a list of them.
        source_bucket: A bucket of Cloud Storage, instead of ``sources``.
        source_object: The object or glob in that bucket, or a list of them.
        destination_bucket: The lake's bucket, instead of ``out``.
        destination_object: The lake's prefix in that bucket; without it the lake is the whole bucket.
        name: The source's name in the lake where one table has several sources; by default the table's.
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
        **kwargs: Any,
    ) -> None:
        super().__init__(out=out, **kwargs)  # it may be told by destination_bucket instead
        self.table = table
        self.sources = sources
        self.source_bucket = source_bucket
        self.source_object = source_object
        self.destination_bucket = destination_bucket
        self.destination_object = destination_object
        self.name = name

    def keywords(self) -> dict[str, Any]:
        """Give the arguments of ``drugs_rs.bronze``."""
        if self.destination_bucket is not None:
            prefix = (self.destination_object or "").strip("/")
            self.out = "gs://" + "/".join(filter(None, [rendered(self, "destination_bucket"), prefix]))
        if self.source_bucket is not None:
            bucket = rendered(self, "source_bucket")
            keys = rendered(self, "source_object")
            self.sources = [f"gs://{bucket}/{key}" for key in ([keys] if isinstance(keys, str) else keys)]
        return {**super().keywords(), self.table: rendered(self, "sources"), "name": self.name}

    def report_name(self) -> str:
        """Give the source's name: one report a source."""
        return self.name or self.table


class SilverOperator(StepOperator):
    """Cleans one table of a partition: from the copies in bronze to Parquet, with rejected rows kept aside.

    Args:
        table: ``"drugs"``, ``"pubmed"`` or ``"clinical_trials"``.
        encoding: How to read text that is neither UTF-8 nor marked UTF-16: ``"windows-1252"``.
        month_first: Read ``01/02/2020`` as 2 January.
        on_bad_file: ``"fail"``, or ``"reject"`` to keep a file that cannot be read aside and go on.
    """

    step = "silver"
    ui_color = _GREEN

    def __init__(
        self,
        *,
        table: str,
        encoding: str | None = None,
        month_first: bool = False,
        on_bad_file: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.encoding = encoding
        self.month_first = month_first
        self.on_bad_file = on_bad_file

    def keywords(self) -> dict[str, Any]:
        """Give the arguments of ``drugs_rs.silver``."""
        reading = {"encoding": self.encoding, "month_first": self.month_first, "on_bad_file": self.on_bad_file}
        return {**super().keywords(), "tables": [self.table], **reading}

    def report_name(self) -> str:
        """Give the table: one report a table."""
        return self.table


class GoldOperator(StepOperator):
    """Finds the mentions and publishes the graph and the answers, all in one transaction.

    Args:
        boundary: ``"word"`` or ``"none"``, as the further arguments those of ``drugs_rs.gold``.
        abbreviations: Count abbreviations that a text introduces.
        abstracts: Search abstracts as well as titles.
        salts: Find a salt's name by its ingredient.
        accents: ``"fold"`` or ``"keep"``.
        stop_words: Names that are never a mention; ``None`` for the shipped list.
        extra_stop_words: More of them.
    """

    step = "gold"
    ui_color = _GOLD

    def __init__(
        self,
        *,
        boundary: str = "word",
        abbreviations: bool = False,
        abstracts: bool = False,
        salts: bool = False,
        accents: str = "fold",
        stop_words: Sequence[str] | None = None,
        extra_stop_words: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.boundary = boundary
        self.abbreviations = abbreviations
        self.abstracts = abstracts
        self.salts = salts
        self.accents = accents
        self.stop_words = stop_words
        self.extra_stop_words = extra_stop_words

    def keywords(self) -> dict[str, Any]:
        """Give the arguments of ``drugs_rs.gold``."""
        names = ("boundary", "abbreviations", "abstracts", "salts", "accents", "stop_words", "extra_stop_words")
        return {**super().keywords(), **{name: getattr(self, name) for name in names}}


class QualityOperator(LakeOperator):
    """Stands between silver and gold: a day whose tables are too poor is held back, and the task fails.

    The day's silver tables stand in the lake when this task judges them. If they do not pass, the day is held back
    (``drugs_rs.hold``) with this task's message as the reason, so that the gold of no other day takes it in. If they
    pass, a day that was held back, by whomever, is released. A graph that has the day already, from an earlier and
    better delivery, is not made anew here: the next gold leaves the day out.

    Args:
        reports: The reports of the silver tasks, usually their ``output``.
        max_rejected_share: The largest share of rejected rows that passes, for each table.
        max_flag_shares: Flag → the largest share of kept rows that may carry it.
        min_rows: A table with fewer kept rows does not pass.
    """

    ui_color = _GREY
    template_fields: Sequence[str] = (*LakeOperator.template_fields, "reports")

    def __init__(
        self,
        *,
        reports: Sequence[Any],
        max_rejected_share: float = 0.25,
        max_flag_shares: Mapping[str, float] | None = None,
        min_rows: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.reports = reports
        self.max_rejected_share = max_rejected_share
        self.max_flag_shares = max_flag_shares
        self.min_rows = min_rows

    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Judge the reports, hold or release the day, and return the numbers that were looked at."""
        thresholds = Thresholds(self.max_rejected_share, dict(self.max_flag_shares or {}), self.min_rows)
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

    def _hold(self, day: Mapping[str, Any], refusal: QualityError) -> None:
        try:
            self._run("hold", {**day, "reason": reason_of(refusal)})
        except AirflowException as error:
            # Retried where that may help: what must not be is a day that is poor and not held back.
            message = f"{refusal}; and dt={day['dt']} could NOT be held back: {error}"
            raise type(error)(message) from error
        self.log.warning("dt=%s is held back: gold leaves it out until this task passes or it is released", day["dt"])


class AnswerOperator(BaseOperator):
    """Checks one published answer against the graph of the lake and hands it out.

    Gold publishes the answers in the same transaction as the graph, so that nobody ever reads today's graph beside
    yesterday's answers. This task reads the graph, computes the answer from it, compares that with the published file
    to the byte, sees that the graph has reached the run's partition, and returns the answer for whoever comes after.

    Args:
        answer: ``"top_journals"`` or ``"exclusive_drugs"``.
        out: The lake's root, a folder or a URI.
        dt: The partition of the run.
        most: At most so many entries are returned; all are checked.
    """

    ui_color = _GOLD
    template_fields: Sequence[str] = ("out", "dt")

    def __init__(self, *, answer: str, out: str, dt: str = "{{ ds }}", most: int = 100, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.answer = answer
        self.out = out
        self.dt = dt
        self.most = most

    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Read, compare, return."""
        from drugs_rs.airflow.answers import checked_answer

        return checked_answer(self.answer, rendered(self, "out"), rendered(self, "dt"), self.most, self.log)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Tell OpenLineage that the graph was read."""
        return lineage.of_reading(task_instance, self.out, "gold/drug_graph.json")


def rendered(task: Any, name: str) -> Any:
    """Give a templated argument; one that came to nothing is refused with the words that help.

    Raises:
        AirflowFailException: The argument is empty.
    """
    value = getattr(task, name)
    several = value if isinstance(value, (list, tuple)) else [value]
    if not several or any(each is None or str(each).strip() in _NOTHING for each in several):
        setting = getattr(task, "report_name", lambda: name)() if name == "sources" else name
        message = (
            f"`{name}` of the task {task.task_id} is {value!r} after its template was rendered: "
            f"pass a value; for dags/drug.py: {where(setting)}"
        )
        raise AirflowFailException(message)
    return value
