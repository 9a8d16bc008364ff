"""Loads into BigQuery when something is wrong: with the service, with a job, with rights, with the dataset."""

from __future__ import annotations

import json
import re
import sys
import traceback
from typing import TYPE_CHECKING, Any, Callable

import pytest
from bigquery_lakes import DEFAULT_RETRY, TARGET, AnonymousCredentials, Credentials, check_rows, client_of, load
from bigquery_server import PROJECT, BigQuery

from drugs_rs import bigquery as module
from drugs_rs import exceptions
from drugs_rs.bigquery import client as connection
from drugs_rs.bigquery import parts

if TYPE_CHECKING:
    from pathlib import Path

SOME = ["mentions", "journals", "status"]


@pytest.mark.parametrize(
    ("every", "status", "reason"),
    [
        (2, 503, "backendError"),
        (3, 429, "rateLimitExceeded"),
        (3, 500, "internalError"),
        (3, 403, "rateLimitExceeded"),
    ],
)
def test_what_passes_is_tried_again(
    bigquery: BigQuery, story: dict[str, Path], no_pauses: list[float], status: int, reason: str, every: int
) -> None:
    bigquery.trouble.fail_every, bigquery.trouble.status, bigquery.trouble.reason = every, status, reason
    receipt = load(bigquery, story["late"], tables=SOME)
    assert receipt.steps and len(no_pauses) > 3
    bigquery.trouble.fail_every = 0
    check_rows(bigquery, story["late"], SOME)
    assert load(bigquery, story["late"], tables=SOME).unchanged


def test_a_lost_answer_does_not_load_twice(bigquery: BigQuery, story: dict[str, Path], no_pauses: list[float]) -> None:
    """The job was taken, its id is found taken, and the load waits for that job."""
    bigquery.trouble.lose_answers = 5
    load(bigquery, story["late"], tables=SOME)
    assert no_pauses and bigquery.trouble.lose_answers == 0
    assert [status for _, path, status in bigquery.calls("POST", "/upload/")].count(409) == 5
    check_rows(bigquery, story["late"], SOME)
    ids = [job_id for _, job_id in bigquery.jobs]
    assert all(job_id.endswith("_1") for job_id in ids)


def test_slow_jobs_are_waited_for(bigquery: BigQuery, story: dict[str, Path]) -> None:
    bigquery.trouble.job_seconds = 0.2
    load(bigquery, story["late"], tables=SOME)
    check_rows(bigquery, story["late"], SOME)
    done = [path for _, path, _ in bigquery.calls("GET", "/jobs/.*_done_1$")]
    assert done, "the last job was running when its insertion was answered"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("begin", "backendError"),
        ("mentions_2024", "rateLimitExceeded"),
        ("status_", "jobInternalError"),
        ("done", "backendError"),
    ],
)
def test_a_job_that_failed_for_once_has_another_attempt(
    bigquery: BigQuery, story: dict[str, Path], no_pauses: list[float], name: str, reason: str
) -> None:
    bigquery.trouble.failures = {f"_{name}": [reason, reason]}
    load(bigquery, story["first"], tables=SOME)
    attempts = [job_id for _, job_id in bigquery.jobs if f"_{name}" in job_id]
    assert sum(job_id.endswith(("_2", "_3")) for job_id in attempts) == 2
    check_rows(bigquery, story["first"], SOME)
    assert no_pauses


def test_a_job_that_fails_again_and_again_ends_the_load(
    bigquery: BigQuery, story: dict[str, Path], no_pauses: list[float]
) -> None:
    bigquery.trouble.failures = {"_journals_": ["backendError"] * 10}
    with pytest.raises(
        exceptions.StorageError, match="to load journals .backendError.: .*attempt 4.: load again later"
    ):
        load(bigquery, story["first"], tables=SOME)
    assert no_pauses[-3:] == [1, 2, 4]


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("invalid", "the contents do not fit the table: drop the table and load again, or report this as a bug"),
        ("quotaExceeded", "a quota is used up: load again tomorrow, or with fewer tables (`tables`)"),
        ("resourcesExceeded", "a part is too large for one job: load fewer tables at once"),
        ("unheardOf", "load again later"),
    ],
)
def test_a_failed_job_is_told_and_the_next_load_runs_it_again(
    bigquery: BigQuery, story: dict[str, Path], reason: str, remedy: str
) -> None:
    """apache/airflow#63181 and #69542: the id of the failed job is taken, and must not stand for the work."""
    bigquery.trouble.failures = {"_mentions_20240301_": [reason]}
    with pytest.raises(exceptions.StorageError) as raised:
        load(bigquery, story["corrected"], tables=SOME)
    [job_id] = [job_id for _, job_id in bigquery.jobs if "_mentions_20240301_" in job_id]
    assert str(raised.value) == (
        f"{TARGET}: BigQuery failed to load mentions$20240301 ({reason}): The job encountered an error during "
        f"execution. Retrying may help. (job {job_id} in US, attempt 1): {remedy}"
    )
    count = len(bigquery.jobs)
    receipt = load(bigquery, story["corrected"], tables=SOME)
    check_rows(bigquery, story["corrected"], SOME)
    # The same load goes on: what had finished is not loaded again.
    assert getattr(receipt, "load", None) == 1
    again = [job_id for _, job_id in list(bigquery.jobs)[count:]]
    assert f"{job_id[:-1]}2" in again and not any("begin" in name for name in again)
    assert sum(config["destinationTable"]["tableId"] == "mentions$20240301" for config in bigquery.loads()) == 1


@pytest.mark.parametrize(
    ("permission", "role", "doing"),
    [
        ("bigquery.tables.list", "roles/bigquery.dataEditor on the dataset", "to list the tables"),
        (
            "bigquery.datasets.create",
            "roles/bigquery.user on the project",
            "to create the dataset, which does not exist,",
        ),
        ("bigquery.tables.create", "roles/bigquery.dataEditor on the dataset", "to create the table load_log"),
        ("bigquery.tables.get", "roles/bigquery.dataEditor on the dataset", "to read the table load_log"),
        ("bigquery.tables.getData", "roles/bigquery.dataEditor on the dataset", "to read the table load_log"),
        ("bigquery.jobs.create", "roles/bigquery.jobUser on the project", "to write the table load_log"),
        ("bigquery.jobs.get", "roles/bigquery.jobUser on the project", "to look at the job drugs_rs_drugs_"),
        ("bigquery.tables.update", "roles/bigquery.dataEditor on the dataset", "to describe the table journals"),
    ],
)
def test_a_missing_right_is_named(
    bigquery: BigQuery, story: dict[str, Path], permission: str, role: str, doing: str
) -> None:
    bigquery.trouble.denied = {permission}
    expected = re.escape(f"{TARGET}: no right {doing}") + ".*"
    expected += re.escape(f": the permission {permission} is missing, which {role} has; found: Access Denied")
    with pytest.raises(exceptions.StorageError, match=expected):
        load(bigquery, story["first"], tables=SOME)
    bigquery.trouble.denied = set()
    load(bigquery, story["first"], tables=SOME)
    check_rows(bigquery, story["first"], SOME)


def test_no_secret_is_repeated(bigquery: BigQuery, story: dict[str, Path]) -> None:
    """A service that sends back what it got: neither the message nor the traceback has the token."""
    secret = "ya29.a0AfH6SMBsecretsecretsecret"
    bigquery.trouble.echoes = True
    with client_of(bigquery, Credentials(secret)) as client:  # type: ignore[no-untyped-call]
        with pytest.raises(exceptions.StorageError) as raised:
            module.load(story["first"], TARGET, client=client)
    shown = "".join(traceback.format_exception(type(raised.value), raised.value, raised.value.__traceback__))
    assert "Access Denied" in shown and "authorization" in shown.lower()
    assert secret not in shown


@pytest.mark.parametrize(
    "text",
    [
        "Bearer secret-1234",
        "{'Authorization': 'Bearer secret-1234', 'Host': 'x'}",
        json.dumps({"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\nsecret\n-----END"}),
        "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY----- and more",
        "client_secret=secret&grant=1",
        "{'refresh_token': '1//secret'}",
        "eyJsecret.eyJzdWIi.c2VjcmV0",
        "token ya29.secret_X-y",
    ],
)
def test_what_looks_like_a_credential_is_taken_out(text: str) -> None:
    shown = connection.redacted(text)
    assert "secret" not in shown.replace("client_secret", "") and "…" in shown
    assert connection.redacted("Access Denied: Dataset p:d") == "Access Denied: Dataset p:d"


def test_no_credentials(story: dict[str, Path], tmp_path: Path, no_clouds: pytest.MonkeyPatch) -> None:
    """Neither of this machine, nor those of a file that is none."""
    no_clouds.setenv("HOME", str(tmp_path))
    no_clouds.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    no_clouds.setenv("NO_GCE_CHECK", "true")
    remedy = (
        "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to the file of a service"
    )
    for name, text in ((None, ""), ("key.json", '{"private_key": "MIIsecret"}'), ("missing.json", None)):
        if name is not None:
            no_clouds.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / name))
        if name is not None and text is not None:
            (tmp_path / name).write_text(text)
        with pytest.raises(exceptions.StorageError, match="no credentials of Google Cloud that work") as raised:
            module.load(story["first"], TARGET)
        assert remedy in str(raised.value) and "MIIsecret" not in str(raised.value)


def test_credentials_that_are_not_accepted(bigquery: BigQuery, story: dict[str, Path]) -> None:
    """Those of a service account that exists no longer: its tokens can be renewed, and are worth nothing."""

    class Fixed(AnonymousCredentials):
        def refresh(self, request: object) -> None:
            assert request is not None

    bigquery.trouble.refusals = [["", 99, 401, "authError", "Invalid Credentials"]]
    expected = f"{TARGET}: BigQuery does not accept the credentials: Invalid Credentials. Run `gcloud"
    with client_of(bigquery, Fixed()) as client:  # type: ignore[no-untyped-call]
        with pytest.raises(exceptions.StorageError, match=expected):
            module.load(story["first"], TARGET, client=client)


def test_a_quota(bigquery: BigQuery, story: dict[str, Path]) -> None:
    said = "Quota exceeded: Your table exceeded quota for imports or query appends per table."
    bigquery.trouble.refusals = [["POST /upload", 99, 403, "quotaExceeded", said]]
    with pytest.raises(exceptions.StorageError) as raised:
        load(bigquery, story["first"])
    assert str(raised.value) == (
        f"{TARGET}: a quota of BigQuery is used up to write the table load_log: {said} Load again later, what is done "
        "already is not loaded twice; or ask for a higher quota"
    )


def test_a_service_that_is_not_there(
    story: dict[str, Path], bigquery: BigQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the retries, which end at once here."""
    bigquery.endpoint = "http://127.0.0.1:9"
    with client_of(bigquery) as client:
        listed = client.list_tables
        retry = DEFAULT_RETRY.with_deadline(0.01)
        monkeypatch.setattr(client, "list_tables", lambda dataset: listed(dataset, retry=retry))
        with pytest.raises(exceptions.StorageError, match=f"{TARGET}: gave up to list the tables|cannot be reached"):
            module.load(story["first"], TARGET, client=client)


def columns(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[BigQuery], None]:
    """A change of the columns of `mentions`."""
    return lambda service: change(service.tables["drugs", "mentions"]["schema"]["fields"])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (columns(lambda fields: fields.pop(3)), "column `publication_id`: found none, expected STRING REQUIRED"),
        (columns(lambda fields: fields[7].update(type="STRING")),
         "column `start`: found STRING REQUIRED, expected INTEGER REQUIRED"),
        (columns(lambda fields: fields[0].update(mode="NULLABLE")),
         "column `atccode`: found STRING NULLABLE, expected STRING REQUIRED"),
        (columns(lambda fields: fields.append({"name": "note", "type": "STRING", "mode": "NULLABLE"})),
         "column `note`: found STRING NULLABLE, expected none"),
        (columns(lambda fields: fields.reverse()), "order of columns: found dt, kind, status, role"),
        (lambda service: service.tables["drugs", "mentions"].pop("timePartitioning"),
         "partitions: found none, expected DAY of dt"),
        (lambda service: service.tables["drugs", "mentions"].update(clustering={"fields": ["drug"]}),
         "clustering: found ['drug'], expected ['atccode']"),
    ],
)  # fmt: skip
def test_an_altered_table_is_named(
    bigquery: BigQuery, story: dict[str, Path], change: Callable[[BigQuery], None], fault: str
) -> None:
    load(bigquery, story["first"], tables=SOME)
    change(bigquery)
    for plan in (True, False):
        with pytest.raises(exceptions.SchemaError) as raised:
            load(bigquery, story["corrected"], tables=SOME, plan=plan)
        assert str(raised.value).startswith(
            f"{TARGET}.mentions was altered, or made by another version of drugs_rs: {fault}"
        )
        assert f"(`bq rm -t {PROJECT}:drugs.mentions`) and load again" in str(raised.value)


def test_newer_names_of_types_are_the_same(bigquery: BigQuery, story: dict[str, Path]) -> None:
    load(bigquery, story["first"], tables=SOME)
    columns(lambda fields: fields[7].update(type="INT64"))(bigquery)
    assert load(bigquery, story["corrected"], tables=SOME, plan=True).steps


def test_a_table_of_somebody_else_is_left_alone(bigquery: BigQuery, story: dict[str, Path]) -> None:
    load(bigquery, story["first"], tables=SOME)
    bigquery.tables["drugs", "mentions"]["labels"] = {}
    bigquery.delete_table("drugs", "load_log")
    with pytest.raises(
        exceptions.ArgumentError, match=f"{TARGET}.mentions: a table with 10 rows that drugs_rs did not make"
    ):
        load(bigquery, story["corrected"], tables=SOME)
    assert len(bigquery.rows("drugs", "mentions")) == 10
    # An empty one, such as a definition of infrastructure makes, is taken.
    bigquery.execute("DELETE FROM drugs.mentions")
    bigquery.touch("drugs", "mentions")
    load(bigquery, story["corrected"], tables=SOME)
    check_rows(bigquery, story["corrected"], SOME)


def test_a_log_that_is_none(bigquery: BigQuery, story: dict[str, Path]) -> None:
    load(bigquery, story["first"], tables=SOME)
    bigquery.tables["drugs", "load_log"]["schema"]["fields"].pop(1)
    with pytest.raises(exceptions.ArgumentError, match=f"{TARGET}.load_log: found no column `event`: this is no log"):
        load(bigquery, story["first"], tables=SOME)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("drugs", 'target: found \'drugs\', expected "project.dataset" or "bigquery://project/dataset"'),
        ("bigquery://project", "target: found 'bigquery://project', expected"),
        ("bigquery://me:hunter2@project/drugs", "without a user or password: BigQuery takes Google's own credentials"),
        ("project.my-dataset", "target: found the dataset 'my-dataset', expected letters, digits and underscores"),
        ("Project.drugs", "target: found 'Project.drugs', expected"),
        ("", "target: found '', expected"),
    ],
)
def test_a_target_that_is_none(story: dict[str, Path], target: str, message: str) -> None:
    with pytest.raises(exceptions.ArgumentError, match=re.escape(message)) as raised:
        module.load(story["first"], target)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("example.com:project.drugs", ("example.com:project", "drugs")),
        ("bigquery://my-project-1/Drugs_2/", ("my-project-1", "Drugs_2")),
    ],
)
def test_targets(target: str, expected: tuple[str, str]) -> None:
    assert connection.parse_target(target) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_partitions": 0}, "max_partitions: found 0, expected 1 to 4,000"),
        ({"max_partitions": 4001}, "max_partitions: found 4001, expected 1 to 4,000"),
        ({"tables": ["mention"]}, "tables: found `mention`, expected names among"),
        ({"location": "EU"}, f"location: found 'EU', but the dataset {TARGET} is in US, and a dataset cannot be moved"),
    ],
)
def test_bad_options(bigquery: BigQuery, story: dict[str, Path], options: dict[str, Any], message: str) -> None:
    load(bigquery, story["first"], tables=SOME)
    with pytest.raises(exceptions.ArgumentError, match=re.escape(message)):
        load(bigquery, story["first"], **options)


def test_too_many_partitions(bigquery: BigQuery, story: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent if the lake alone has too many, else as BigQuery says it."""
    monkeypatch.setattr(parts, "LARGEST_TABLE", 4)
    with pytest.raises(exceptions.ArgumentError, match="found 5 dates of `publications_all`, expected at most 4"):
        load(bigquery, story["held"], tables=["publications_all"])
    assert not bigquery.log
    monkeypatch.undo()
    monkeypatch.setattr("bigquery_loads.PARTITIONS_OF_A_JOB", 3)
    monkeypatch.setattr(parts, "MOST_UPLOADS", 1)
    expected = (
        "Too many partitions .*: a table has at most 10,000 partitions, and a job 4,000: drop old dates, or lower"
    )
    with pytest.raises(exceptions.StorageError, match=expected):
        load(bigquery, story["held"], tables=["publications_all"])
    load(bigquery, story["held"], tables=["publications_all"], max_partitions=3)
    check_rows(bigquery, story["held"], ["publications_all"])


def test_bigquery_counts_other_rows(
    bigquery: BigQuery, story: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.cloud.bigquery.job.LoadJob.output_rows", 7)
    with pytest.raises(exceptions.ConservationError, match="BigQuery counts 7 rows in job .* and the lake"):
        load(bigquery, story["first"], tables=["mentions"])
    monkeypatch.undo()
    load(bigquery, story["first"], tables=["mentions"])
    check_rows(bigquery, story["first"], ["mentions"])


def test_without_the_library(story: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.bigquery", None)
    with pytest.raises(exceptions.MissingLibraryError, match=re.escape("pip install drugs-rs[bigquery]")):
        module.load(story["first"], TARGET)


def test_without_the_library_of_uploads(
    bigquery: BigQuery, story: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(exceptions.MissingLibraryError, match="needs pyarrow for uploads, .*pip install drugs-rs"):
        load(bigquery, story["first"], tables=["mentions"])


def test_without_a_lake(bigquery: BigQuery, tmp_path: Path) -> None:
    with pytest.raises(exceptions.SourceNotFoundError):
        load(bigquery, tmp_path / "nothing")
    assert not bigquery.log
