"""The operator that fetches what NLM publishes, in front of bronze.

A task that is tried again goes on where the last try was, and downloads nothing twice. The arguments are those of
``drugs_rs.fetch``.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from drugs_rs.airflow.compat import AirflowSkipException, BaseOperator
from drugs_rs.airflow.operators import rendered
from drugs_rs.airflow.partition import partition_of
from drugs_rs.airflow.reports import MOST_ENTRIES
from drugs_rs.airflow.settings import check_choice, check_options, option
from drugs_rs.airflow.steps import Step
from drugs_rs.airflow.task_events import logged

__all__ = ["FetchOperator"]

# Texts that a template leaves for a missing value.
_NOTHING = ("", "None")
_TEXTS = ("part", "since", "until", "base_url")
_NUMBERS = ("first", "limit", "parallel")
_BROWN = "#cd7f32"


class FetchOperator(BaseOperator):
    """Fetches the files of PubMed or the studies of ClinicalTrials.gov that a folder lacks.

    Without any file, fetched or there, the task is skipped, and with it the tasks that would read its folder.

    Args:
        source: ``"pubmed"`` or ``"clinicaltrials"``.
        to: The folder or URI of the files.
        part: Which files of PubMed: ``"all"``, ``"baseline"`` or ``"updates"``.
        since: The first day of what is fetched, ``YYYY-MM-DD``.
        until: The last day.
        first: PubMed: only files from this number on.
        limit: At most this many files in a run.
        base_url: Another server, such as a mirror.
        parallel: How many files of PubMed are downloaded at a time.
        skips: Skip the task if there is no file; otherwise it succeeds.
        isolation: ``"process"`` fetches in the task's own process, ``"subprocess"`` in a child of it.
    """

    template_fields: Sequence[str] = ("source", "to", *_TEXTS, "isolation")
    ui_color = _BROWN
    step = "fetch"
    partition_of = staticmethod(partition_of)

    def __init__(
        self,
        *,
        source: str,
        to: str,
        part: str = "all",
        since: str | None = None,
        until: str | None = None,
        first: int | None = None,
        limit: int | None = None,
        base_url: str | None = None,
        parallel: int = 3,
        skips: bool = True,
        isolation: str = "process",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.to = to
        self.part = part
        self.since = since
        self.until = until
        self.first = first
        self.limit = limit
        self.base_url = base_url
        self.parallel = parallel
        self.skips = skips
        self.isolation = isolation
        self._step: Step | None = None
        check_choice(self, "source", ("pubmed", "clinicaltrials"))
        check_choice(self, "part", ("all", "baseline", "updates"))
        check_options(self, ["isolation"])

    @logged
    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Fetch, and return the report, with a long list of files cut."""
        options = {name: getattr(self, name) for name in (*_TEXTS, *_NUMBERS)}
        given = {name: value for name, value in options.items() if value not in _NOTHING}
        keywords = {"source": rendered(self, "source"), "to": rendered(self, "to"), **given}
        self._step = Step("fetch", keywords, option(self.task_id, "isolation", self.isolation), self.log)
        report = self._step.run()
        files: list[dict[str, Any]] = report["files"]
        counts = (report["fetched"], report["present"], report["bytes"], report["seconds"])
        self.log.info("%s files fetched, %s there already, %s bytes, in %s s", *counts)
        for file in files[:MOST_ENTRIES]:
            self.log.info("%s: %s, %s bytes", file["uri"], file["status"], file["bytes"])
        if self.skips and not files:
            message = f"{self.source} has nothing of these days, so there is nothing to read in {self.to}"
            raise AirflowSkipException(message)
        return {**report, "files": files[:MOST_ENTRIES], "files_left_out": max(0, len(files) - MOST_ENTRIES)}

    def on_kill(self) -> None:
        """Stop the fetch within a second; the next one goes on."""
        if self._step is not None:
            self._step.stop()
