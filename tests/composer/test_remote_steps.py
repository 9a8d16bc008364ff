"""The arguments of the command for a step elsewhere, and the reports that come back."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bucket_peers import BUCKET
from containers import run_container
from lake_state import hashes

import drugs_rs
from drugs_rs.airflow import BronzeOperator, GoldOperator, SilverOperator
from drugs_rs.airflow.compat import AirflowException, AirflowFailException
from drugs_rs.airflow.remote_steps import (
    BronzeArguments,
    BronzeReport,
    GoldArguments,
    GoldReport,
    SilverArguments,
    SilverReport,
    command_arguments,
    identity_of,
    read_report,
)
from drugs_rs.airflow.settings import SettingsError

DT = "2024-03-01"
LATER = "2024-03-02"


class Instance:
    """A task instance that keeps what a task pushes."""

    def __init__(self) -> None:
        self.pushed: dict[str, Any] = {}
        self.try_number, self.max_tries = 1, 0
        self.task = SimpleNamespace(retries=0)

    def xcom_push(self, *, key: str, value: Any) -> None:
        self.pushed[key] = value


def plan(task: Any) -> tuple[list[str], str]:
    """The arguments that a task returns, and which report it found before the step."""
    instance = Instance()
    arguments = task.execute({"ti": instance})
    return arguments, instance.pushed["before"]


@pytest.mark.parametrize(
    ("step", "keywords", "expected"),
    [
        ("silver", {"tables": ["pubmed"], "hold": True}, ["--table=pubmed", "--hold"]),
        ("silver", {"hold": False, "encoding": None, "month_first": True}, ["--month-first"]),
        (
            "gold",
            {"fields": ["title", "abstract"], "exclude_status": ["retracted"]},
            ["--fields=title,abstract", "--exclude-status=retracted"],
        ),
        ("gold", {"fields": None, "exclude_status": [], "abstracts": False}, []),
        (
            "gold",
            {"stop_words": [], "extra_stop_words": [], "max_exclusive": 0},
            ["--no-stop-words", "--max-exclusive=0"],
        ),
        ("gold", {"keep": "10 states", "unit": "code"}, ["--keep=10 states", "--unit=code"]),
        ("bronze", {"pubmed": ["a.csv", "-b.csv"], "name": "x"}, ["--pubmed=a.csv", "--pubmed=-b.csv", "--name=x"]),
    ],
)
def test_keywords_become_arguments(step: str, keywords: dict[str, Any], expected: list[str]) -> None:
    assert command_arguments(step, keywords) == [step, *expected, "--json"]


@pytest.mark.parametrize("name", ["stop_words", "extra_stop_words"])
def test_words_that_need_a_file_are_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(
        SettingsError, match=f"`{name}` is a list of words.*set DRUGS_RS_{name.upper()}_FILE in the con"
    ):
        command_arguments("gold", {name: ["impact"]})


def test_an_entry_that_the_command_would_split_is_refused() -> None:
    """`drugs_rs.gold` refuses the field "title,abstract"; the command in the container searched two."""
    with pytest.raises(SettingsError, match="an entry must not have a comma"):
        command_arguments("gold", {"fields": ["title,abstract"]})


def test_a_container_that_lost_its_arguments_fails(tmp_path: Path) -> None:
    """With `--help` or `--version` as the default it was a success: a rerun was green by the report of the last run."""
    assert run_container([], tmp_path / "scratch").returncode != 0


STEPS: list[tuple[Any, Any, Any, dict[str, Any]]] = [
    (BronzeOperator, BronzeArguments, BronzeReport, {"table": "drugs", "sources": "drugs.csv"}),
    (
        BronzeOperator,
        BronzeArguments,
        BronzeReport,
        {"table": "pubmed", "sources": ["pubmed.csv", "pubmed.json"], "name": "both"},
    ),
    (
        BronzeOperator,
        BronzeArguments,
        BronzeReport,
        {"table": "clinical_trials", "sources": "clinical_trials.csv", "snapshot": True, "max_absent": "5%"},
    ),
    (SilverOperator, SilverArguments, SilverReport, {"table": "drugs"}),
    (
        SilverOperator,
        SilverArguments,
        SilverReport,
        {
            "table": "pubmed",
            "encoding": "windows-1252",
            "month_first": True,
            "on_bad_file": "reject",
            "expect_rows": "50%",
            "hold": True,
        },
    ),
    (SilverOperator, SilverArguments, SilverReport, {"table": "clinical_trials"}),
    (GoldOperator, GoldArguments, GoldReport, {}),
    (
        GoldOperator,
        GoldArguments,
        GoldReport,
        {
            "boundary": "none",
            "abbreviations": True,
            "fields": "title,interventions",
            "exclude_status": ["retracted", "corrected"],
            "salts": True,
            "accents": "keep",
            "stop_words": [],
            "unit": "code",
            "max_exclusive": 5,
            "graph": "none",
            "keep": "3 states",
        },
    ),
]


def test_each_step_in_a_container_gives_the_bytes_and_the_report_of_its_operator(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(samples)
    here, there, scratch = tmp_path / "here", tmp_path / "there", tmp_path / "scratch"
    for number, (operator, arguments_of, report_of, given) in enumerate(STEPS):
        words = {**given, "dt": DT}
        if operator is GoldOperator:  # the gate would release the day
            for lake in (here, there):
                drugs_rs.release(lake, DT)
        if "sources" in words:
            several = words["sources"] if isinstance(words["sources"], list) else [words["sources"]]
            words["sources"] = [str(samples / name) for name in several]
        expected = operator(task_id="step", out=str(here), **words).execute({})
        arguments, before = plan(arguments_of(task_id="plan", out=str(there), **words))
        done = run_container(arguments, scratch)
        assert done.returncode == 0, done.stderr
        found = report_of(task_id="report", out=str(there), before=before, **words).execute({"ti": Instance()})
        for name in ("run_id", "started_at", "seconds", "out", "report_uri"):
            assert expected.pop(name) and found.pop(name) is not None
        assert found == expected, (number, given)
        assert found["unchanged"] is False
        assert json.loads(done.stdout)["outputs"] == expected["outputs"], "stdout has the report too"
    same = [
        {path: sha for path, sha in hashes(lake).items() if not path.startswith(("reports/", "states/"))}
        for lake in (here, there)
    ]
    assert same[0] == same[1] and len(same[0]) > 10


def test_a_step_that_changed_nothing_says_so_and_sends_no_event(samples: Path, tmp_path: Path) -> None:
    lake, sources = str(tmp_path / "lake"), str(samples / "drugs.csv")
    words: dict[str, Any] = {"out": lake, "dt": DT, "table": "drugs", "sources": sources}
    found = []
    for _ in range(2):
        arguments, before = plan(BronzeArguments(task_id="plan", **words))
        assert run_container(arguments, tmp_path / "scratch").returncode == 0
        task = BronzeReport(task_id="report", before=before, outlets=[], **words)
        task.outlets = ["an event"]
        report = task.execute({"ti": Instance()})
        found.append((report["unchanged"], task.outlets))
    assert found == [(False, ["an event"]), (True, [])]


def test_a_container_that_was_killed_after_its_commit_has_changed_the_lake(samples: Path, tmp_path: Path) -> None:
    words: dict[str, Any] = {
        "out": str(tmp_path / "lake"),
        "dt": DT,
        "table": "drugs",
        "sources": str(samples / "drugs.csv"),
    }
    arguments, before = plan(BronzeArguments(task_id="plan", **words))
    for _ in range(2):  # the platform starts it again, and now there is nothing to do
        last = run_container(arguments, tmp_path / "scratch")
    assert json.loads(last.stdout)["unchanged"] is True
    assert BronzeReport(task_id="report", before=before, **words).execute({"ti": Instance()})["unchanged"] is False


def test_no_report_and_a_foreign_one_are_refused(samples: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    words: dict[str, Any] = {"out": str(lake), "dt": DT}
    with pytest.raises(AirflowFailException, match=f"there is no report .*gold.json: .* `drugs-rs gold` .*--dt={DT}"):
        GoldReport(task_id="gold", before="", **words).execute({"ti": Instance()})
    drugs_rs.bronze(drugs=samples / "drugs.csv", **words)
    place = lake / "reports" / "bronze"
    (place / f"dt={LATER}").mkdir()
    (place / f"dt={DT}" / "drugs.json").rename(place / f"dt={LATER}" / "drugs.json")
    task = BronzeReport(task_id="copy", table="drugs", sources="x", before="", **{**words, "dt": LATER})
    with pytest.raises(
        AirflowFailException, match=f"is the report of bronze for dt={DT}, not of bronze for dt={LATER}"
    ):
        task.execute({"ti": Instance()})


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"step": "gold", "dt"', "JSONDecodeError"),
        ("[]", "ValueError: it is no report"),
        ("{}", "ValueError: it is no report"),
        ("null", "ValueError: it is no report"),
        ("3", "ValueError: it is no report"),
    ],
)
def test_a_damaged_report_may_be_tried_again(tmp_path: Path, text: str, error: str) -> None:
    place = tmp_path / "reports" / "gold" / f"dt={DT}" / "gold.json"
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="utf-8")
    with pytest.raises(AirflowException, match=rf"gold\.json cannot be read: {error}") as caught:
        GoldReport(task_id="gold", out=str(tmp_path), dt=DT, before="").execute({"ti": Instance()})
    assert not isinstance(caught.value, AirflowFailException)


def test_a_report_of_a_bucket_is_read_by_the_hook_of_google(
    google: Any, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.providers.google.cloud.hooks import gcs

    class Hook:
        """The two calls of the real hook; the server of these tests does not know the API that the real one speaks."""

        def __init__(self, gcp_conn_id: str) -> None:
            self.connection = gcp_conn_id

        def exists(self, bucket_name: str, object_name: str) -> bool:
            return bucket_name == BUCKET and object_name in google.contents()

        def download(self, bucket_name: str, object_name: str) -> bytes:
            assert (self.connection, bucket_name) == ("lakes", BUCKET)
            found: bytes = google.data(object_name)
            return found

    for name in ("exists", "download"):
        assert list(inspect.signature(getattr(gcs.GCSHook, name)).parameters)[1:3] == ["bucket_name", "object_name"]
    monkeypatch.setattr(gcs, "GCSHook", Hook)
    words: dict[str, Any] = {"out": google.uri("lake"), "dt": DT, "table": "drugs", "gcp_conn_id": "lakes"}
    words["sources"] = str(samples / "drugs.csv")
    arguments, before = plan(BronzeArguments(task_id="plan", **words))
    assert before == ""
    done = run_container(arguments, tmp_path / "scratch")
    assert done.returncode == 0, done.stderr
    report = BronzeReport(task_id="report", before=before, **words).execute({"ti": Instance()})
    assert report["unchanged"] is False
    assert report["report_uri"] == google.uri(f"lake/reports/bronze/dt={DT}/drugs.json")
    assert plan(BronzeArguments(task_id="plan", **words))[1] == identity_of(report)


def test_reports_of_other_buckets_are_read_by_the_hook_of_amazon(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.amazon.aws.hooks import s3

    rest = {"dt": DT, "started_at": "", "run_id": ""}

    class Hook:
        def __init__(self, aws_conn_id: str) -> None:
            self.connection = aws_conn_id

        def check_for_key(self, key: str, bucket: str) -> bool:
            return (bucket, key) == ("b", "lake/r.json")

        def read_key(self, key: str, bucket: str) -> str:
            if self.connection == "broken":
                raise OSError(5, "input/output error")
            return json.dumps({"step": f"{bucket} {key}", **rest})

    monkeypatch.setattr(s3, "S3Hook", Hook)
    assert read_report("s3://b/lake/r.json", "", "aws") == {"step": "b lake/r.json", **rest}
    assert read_report("s3://b/lake/other.json", "", "aws") is None
    with pytest.raises(AirflowException, match=r"s3://b/lake/r\.json cannot be read: OSError"):
        read_report("s3://b/lake/r.json", "", "broken")
