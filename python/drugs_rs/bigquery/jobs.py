"""Jobs under names that say what they do, so that none does its work twice.

The id of a job is ``drugs_rs_<dataset>_<era>_<load>_<name>_<attempt>``: the era is when the log was created, the name
has the table, the partition and the digest of the contents. BigQuery takes an id once and never again. So a process
that finds an id taken looks at that job and waits for it, and only a failed job is followed by the next attempt.

A load is overtaken when the next one has begun: it then submits no job more. The check and the submission are two
requests, so the next load also takes the id of the one job that may be under way between them (``take_over``).
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Sequence

from drugs_rs.bigquery.client import Target, errors_of, missing_right, reason_of, redacted
from drugs_rs.exceptions import ConflictError, StorageError

if TYPE_CHECKING:
    from google.cloud import bigquery

    from drugs_rs.bigquery.log import LoggedLoad

# Failures that pass by themselves.
PASSING = {
    "backendError", "internalError", "jobBackendError", "jobInternalError", "jobRateLimitExceeded", "rateLimitExceeded",
    "tableUnavailable", "timeout", "stopped",
}  # fmt: skip
# Attempts that one process makes at a job, and the ids that it looks at in all.
OWN_ATTEMPTS, ALL_ATTEMPTS = 4, 100
# A job that is there may not be found in the first moments.
LOOKS = 8
FIRST_PAUSE = 1.0
RETRY_SECONDS = 600.0
FENCE = "overtaken"
LONG_NAME = 200
REMEDIES = {
    "quotaExceeded": "a quota is used up: load again tomorrow, or with fewer tables (`tables`)",
    "resourcesExceeded": "a part is too large for one job: load fewer tables at once",
    "notFound": "a file, table or dataset is gone: load again",
    "invalid": "the contents do not fit the table: drop the table and load again, or report this as a bug",
    "billingNotEnabled": "switch on billing for the project",
    "responseTooLarge": "load fewer tables at once",
}

# Submits a job under an id.
Submit = "Callable[[str], Any]"


class Pending(NamedTuple):
    """A job that was submitted."""

    name: str
    submit: Callable[[str], Any]
    doing: str
    job: Any
    attempt: int
    failures: int


class JobRunner:
    """The jobs of one load."""

    def __init__(self, client: bigquery.Client, target: Target, era: str, location: str, number: int) -> None:
        self.client = client
        self.target = target
        self.era = era
        self.location = location
        self.number = number
        # Whether another process may have submitted jobs of this load.
        self.is_shared = False

    @property
    def place(self) -> dict[str, Any]:
        """Where the jobs run: in the project of the dataset, whose ids all loaders share."""
        return {"project": self.target.project, "location": self.location}

    def id_of(self, name: str, attempt: int = 1, number: int | None = None) -> str:
        """The id of a job."""
        load = self.number if number is None else number
        dataset = self.target.dataset
        if len(dataset) > LONG_NAME:
            # An id has at most 1,024 characters, and so has the name of a dataset.
            dataset = hashlib.sha256(dataset.encode()).hexdigest()[:32]
        return f"drugs_rs_{dataset}_{self.era}_{load}_{name}_{attempt}"

    def find(self, job_id: str) -> Any | None:  # noqa: ANN401 - a job of any kind
        """Look for a job."""
        from google.api_core.exceptions import NotFound

        with errors_of(self.target, f"to look at the job {job_id}", "bigquery.jobs.get"):
            try:
                return self.client.get_job(job_id, **self.place)
            except NotFound:
                return None

    def check(self) -> None:
        """Raise an error if the next load has begun."""
        if self.find(self.id_of("begin", 1, self.number + 1)) is not None:
            self.refuse_overtaken()

    def refuse_overtaken(self) -> None:
        """Raise the error of a load that another has overtaken."""
        message = (
            f"{self.target}: load {self.number + 1} began while load {self.number} was at work, and goes on from where "
            "this one stopped. Nothing is lost; to bring this state nevertheless, load again"
        )
        raise ConflictError(message)

    def start(
        self, name: str, submit: Callable[[str], Any], doing: str, attempt: int = 1, failures: int = 0
    ) -> Pending:
        """Submit a job, or find the one with its id."""
        from google.api_core.exceptions import Conflict

        job_id = self.id_of(name, attempt)
        found = self.find(job_id) if self.is_shared or attempt > 1 else None
        if found is None:
            self.check()
            with errors_of(self.target, doing, "bigquery.jobs.create"):
                try:
                    return Pending(name, submit, doing, patiently(submit)(job_id), attempt, failures + 1)
                except Conflict:
                    found = self._taken(job_id)
        if is_fence(found):
            self.refuse_overtaken()
        return Pending(name, submit, doing, found, attempt, failures)

    def finish(self, pending: Pending) -> Any:  # noqa: ANN401
        """Wait for a job, and follow a failed one by the next attempt if that may help."""
        while True:
            wait(self.target, pending.job, pending.doing)
            error = pending.job.error_result
            if not error:
                return pending.job
            reason = str(error.get("reason", ""))
            # A job that an earlier process submitted, and that failed, says nothing about this one.
            is_ours = pending.failures > 0
            if is_ours and (reason not in PASSING or pending.failures >= OWN_ATTEMPTS):
                self._refuse_failed(pending, reason)
            if pending.attempt == ALL_ATTEMPTS:
                self._refuse_failed(pending, reason)
            if is_ours:
                time.sleep(FIRST_PAUSE * 2 ** (pending.failures - 1))
            pending = self.start(pending.name, pending.submit, pending.doing, pending.attempt + 1, pending.failures)

    def take_over(self, earlier: Sequence[LoggedLoad], fence: Callable[[int], Callable[[str], Any]]) -> None:
        """Wait for all jobs of loads that did not finish, and make sure that none of theirs comes later.

        Args:
            earlier: These loads.
            fence: Gives for a load what submits an empty job of it under an id.
        """
        for load in earlier:
            for name in load.jobs:
                if not self._end_job(name, load.number, fence(load.number)):
                    # A process submits its jobs one after the other, so it has submitted none after this.
                    break

    def _end_job(self, name: str, number: int, fence: Callable[[str], Any]) -> bool:
        """Wait for all attempts at a job of another load, and take the next id; return whether there was any."""
        from google.api_core.exceptions import Conflict

        doing = "to wait for the jobs of an earlier load"
        for attempt in range(1, ALL_ATTEMPTS + 1):
            job_id = self.id_of(name, attempt, number)
            found = self.find(job_id)
            if found is None:
                with errors_of(self.target, doing, "bigquery.jobs.create"):
                    try:
                        wait(self.target, fence(job_id), doing)
                    except Conflict:
                        found = self._taken(job_id)
            if found is None or is_fence(found):
                return attempt > 1
            wait(self.target, found, doing)
            if not found.error_result:
                break
        return True

    def _taken(self, job_id: str) -> Any:  # noqa: ANN401
        """The job under an id that is taken."""
        for look in range(LOOKS):
            found = self.find(job_id)
            if found is not None:
                return found
            time.sleep(FIRST_PAUSE * min(2**look, 16) / 4)
        message = f"{self.target}: the id {job_id} is taken, and no job is found under it; load again in a minute"
        raise StorageError(message)

    def _refuse_failed(self, pending: Pending, reason: str) -> None:
        """Raise the error of a failed job, with its reason and what helps."""
        error = pending.job.error_result
        errors = pending.job.errors or [error]
        said = "; ".join(dict.fromkeys(redacted(str(part.get("message", part))) for part in errors[:5]))
        place = f"job {pending.job.job_id} in {self.location}"
        if reason == "accessDenied":
            message = f"{missing_right(self.target, pending.doing, 'storage.objects.get', said)} ({place})"
            raise StorageError(message)
        remedy = REMEDIES.get(reason, "load again later")
        if "partition" in said and ("too many" in said.lower() or "exceed" in said.lower()):
            remedy = "a table has at most 10,000 partitions, and a job 4,000: drop old dates, or lower `max_partitions`"
        elif "location" in said.lower():
            remedy = (
                "a bucket and the dataset that is loaded from it need one location: make the dataset in the bucket's"
            )
        place += f", attempt {pending.attempt}"
        message = f"{self.target}: BigQuery failed {pending.doing} ({reason}): {said} ({place}): {remedy}"
        raise StorageError(message)


def patiently(submit: Callable[[str], Any]) -> Callable[[str], Any]:
    """Repeat a submission that comes too fast: Google's client does so for all requests but uploads."""
    from google.api_core.exceptions import Forbidden
    from google.api_core.retry import Retry

    def is_too_fast(error: BaseException) -> bool:
        return isinstance(error, Forbidden) and reason_of(error) == "rateLimitExceeded"

    repeated: Callable[[str], Any] = Retry(predicate=is_too_fast, deadline=RETRY_SECONDS)(submit)
    return repeated


def is_fence(job: Any) -> bool:  # noqa: ANN401
    """Whether a job is there only to take its id."""
    return (job.labels or {}).get("drugs_rs") == FENCE


def wait(target: Target, job: Any, doing: str) -> None:  # noqa: ANN401
    """Wait until a job is done, whether it failed or not."""
    from google.api_core.exceptions import GoogleAPICallError

    with errors_of(target, doing, "bigquery.jobs.get"):
        try:
            job.result()
        except GoogleAPICallError:
            # The error of the job is looked at by its caller; any other is one of the connection.
            if not (job.state == "DONE" and job.error_result):
                raise
