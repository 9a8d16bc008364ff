"""Settings: types, places, precedence, and what is refused when a DAG is parsed."""

from __future__ import annotations

import inspect
from typing import Any, Callable

import pytest

import drugs_rs
from drugs_rs.airflow import AnswerOperator, BronzeOperator, GoldOperator, QualityOperator, Settings, SilverOperator
from drugs_rs.airflow.settings import CHOICES, SettingsError, from_variable, option


def test_settings_are_typed_and_told_by_name() -> None:
    made = Settings.load(
        {"drugs": "here.csv"},
        {
            "DRUGS_RS_RETRIES": "5",
            "DRUGS_RS_SLOW_RUN_HOURS": "2",
            "DRUGS_RS_STOP_WORDS": '["same"]',
            "DRUGS_RS_OUT": "7",
        },
    )
    assert (made.retries, made.slow_run_hours, made.stop_words, made.out, made.drugs) == (
        5,
        2.0,
        ["same"],
        "7",
        "here.csv",
    )
    assert Settings.load({}, {"DRUGS_RS_SCHEDULE": "null", "DRUGS_RS_ENCODING": ""}).schedule is None
    for name, value, told in (
        ("ISOLATION", "thread", 'the setting `isolation` is \'thread\', expected "process" or "subprocess"'),
        ("CATCHUP", "yes", "the setting `catchup` is 'yes' in DRUGS_RS_CATCHUP in the environment, expected bool"),
        (
            "EXPECT_ROWS",
            "0.5",
            "the setting `expect_rows` is '0.5', expected a share such as \"50%\"; set DRUGS_RS_EXP",
        ),
        ("NOTIFIERS", "[1]", "notifier 0 is 1, expected an object with `class`"),
    ):
        with pytest.raises(SettingsError) as refused:
            Settings.load({}, {"DRUGS_RS_" + name: value})
        assert told in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "the Airflow Variable `drugs_rs` is no JSON"),
        ("[]", "is a JSON list: set it to an object such as"),
        ('{"colour": 1}', "has `colour`, which is no setting; it may have encoding"),
        ('{"out": "x"}', "has `out`, which is read when the DAG is parsed: set DRUGS_RS_OUT in the environment"),
        ('{"min_rows": true}', "the setting `min_rows` is True in the Airflow Variable `drugs_rs`, expected int"),
    ],
)
def test_a_variable_that_cannot_be_used_is_told(text: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_DRUGS_RS", text)
    with pytest.raises(SettingsError) as refused:
        from_variable()
    assert told in str(refused.value)


def test_every_setting_stands_in_the_table_of_the_runbook() -> None:
    from conftest import ROOT

    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in Settings.__dataclass_fields__ if f"`{name}`" not in page] == []


@pytest.mark.parametrize("given", ['{"min_rows": 3}', b'{"min_rows": 3}', {"min_rows": 3}])
def test_a_secrets_backend_may_give_the_object_itself(given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drugs_rs.airflow.settings.variable", lambda _: given)
    assert from_variable() == {"min_rows": 3}
    monkeypatch.setattr("drugs_rs.airflow.settings.variable", lambda _: 7)
    with pytest.raises(SettingsError, match="is a JSON int"):
        from_variable()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("abstracts", "true", True),
        ("abstracts", "False", False),  # what {{ params.abstracts }} leaves
        ("abstracts", True, True),
        ("stop_words", '["same", "impact"]', ["same", "impact"]),
        ("stop_words", "['same']", ["same"]),
        ("stop_words", "None", None),
        ("encoding", "", None),
        ("encoding", "windows-1252", "windows-1252"),
        ("boundary", "none", "none"),
        ("max_rejected_share", "0.5", 0.5),
        ("max_flag_shares", '{"bad_date": 1}', {"bad_date": 1}),
        ("min_rows", "12", 12),
        ("expect_rows", "12.5%", "12.5%"),
        ("expect_rows", "", None),
        ("unit", "code", "code"),
        ("max_exclusive", "0", 0),
        ("fields", "title, interventions", ["title", "interventions"]),
        ("fields", '["substances"]', ["substances"]),
        ("fields", ("title", "abstract"), ["title", "abstract"]),
        ("exclude_status", "retracted", ["retracted"]),
        ("exclude_status", [], []),
    ],
)
def test_what_a_template_left_is_read_as_its_type(name: str, text: object, value: object) -> None:
    assert option("gold", name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("abstracts", "perhaps", "the setting `abstracts` is 'perhaps' in the task gold, expected bool"),
        ("boundary", "words", '`boundary` of the task gold is \'words\', expected "word" or "none"'),
        ("min_rows", "1.5", "expected int"),
        ("fields", [], "`fields` of the task gold is [], expected at least one field"),
        ("fields", "titel", "`fields` of the task gold has 'titel', expected a list of"),
        ("exclude_status", ["withdrawn"], "has 'withdrawn', expected a list of"),
        ("expect_rows", "half", "`expect_rows` of the task gold is 'half', expected a share such as \"50%\""),
        ("unit", "codes", '`unit` of the task gold is \'codes\', expected "substance" or "code"'),
        ("max_exclusive", "-1", "the setting `max_exclusive` is -1 in the task gold, expected int, 0 or more"),
    ],
)
def test_what_a_template_left_may_be_refused(name: str, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        option("gold", name, text)
    assert told in str(refused.value)


def test_the_parameter_goes_before_the_variable_and_that_before_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads: list[str] = []

    def variable(name: str) -> dict[str, Any]:
        reads.append(name)
        return {"salts": True}

    monkeypatch.setattr("drugs_rs.airflow.settings.variable", variable)
    settings, ti = Settings(min_rows=5), object()
    params = {"abstracts": True, "salts": None}
    found = [
        settings.effective(name, params, ti) for name in ("abstracts", "salts", "min_rows", "boundary", "encoding")
    ]
    assert found == ["true", "true", "5", "word", "null"]
    assert len(reads) == 1, "one query for all options of a task"


LAKE: dict[str, Any] = {"task_id": "a", "out": "lake"}
WRONG: Any = 3


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: GoldOperator(**LAKE, isolation="subproces"), "`isolation` of the task a is 'subproces', expected"),
        (lambda: GoldOperator(**LAKE, accents="folded"), "`accents` of the task a is 'folded'"),
        (lambda: GoldOperator(**LAKE, stop_words=WRONG), "`stop_words` is 3 in the task a"),
        (lambda: GoldOperator(**LAKE, unit="codes"), "`unit` of the task a is 'codes', expected \"substance\" or"),
        (lambda: GoldOperator(**LAKE, unit="CODE"), "`unit` of the task a is 'CODE'"),
        (lambda: GoldOperator(**LAKE, max_exclusive=-1), "`max_exclusive` is -1 in the task a, expected int, 0 or"),
        (lambda: SilverOperator(**LAKE, table="drug"), "`table` of the task a is 'drug', expected \"drugs\" or"),
        (lambda: SilverOperator(**LAKE, table="drugs", on_bad_file="skip"), "`on_bad_file` of the task a is 'skip'"),
        (
            lambda: SilverOperator(**LAKE, table="drugs", expect_rows="5"),
            "`expect_rows` of the task a is '5', expected a",
        ),
        (lambda: BronzeOperator(**LAKE, table="trials", sources="x"), "`table` of the task a is 'trials'"),
        (lambda: QualityOperator(**LAKE, reports=[], min_rows="many"), "`min_rows` is 'many' in the task a"),
        (lambda: AnswerOperator(**LAKE, answer="top_journal"), "`answer` of the task a is 'top_journal', expected"),
        (
            lambda: BronzeOperator(**LAKE, table="drugs", sources="x", destination_bucket="b"),
            "the task a has out and destination_bucket: pass `out`, or `destination_bucket` and `destination_object`",
        ),
        (
            lambda: BronzeOperator(**LAKE, table="drugs", sources="x", source_bucket="b", source_object="o"),
            "the task a has sources and source_bucket and source_object: pass `sources`, or",
        ),
        (lambda: BronzeOperator(**LAKE, table="drugs", source_bucket="b"), "the task a has source_bucket: pass"),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused_when_the_dag_is_parsed(make: Callable[[], Any], told: str) -> None:
    with pytest.raises(ValueError) as refused:
        make()
    assert told in str(refused.value)


def test_a_template_is_left_for_the_run() -> None:
    GoldOperator(**LAKE, isolation="{{ params.isolation }}", abstracts="{{ params.abstracts }}")
    GoldOperator(**LAKE, fields=["title", "{{ params.field }}"])


def test_gold_has_the_same_options() -> None:
    parameters = inspect.signature(drugs_rs.gold).parameters
    of_place = {"lake", "out", "dt", "progress"}
    options = {name: each.default for name, each in parameters.items() if name not in of_place}
    assert options == Settings().matching
    operator = GoldOperator(**LAKE)
    assert options == {name: getattr(operator, name) for name in options}


def test_the_core_has_the_same_choices(tmp_path: Any) -> None:
    """A word that the core does not know is an ArgumentError; one that it knows fails for there is no lake."""
    steps: dict[str, Callable[..., Any]] = {
        "on_bad_file": drugs_rs.silver,
        "encoding": drugs_rs.silver,
        "boundary": drugs_rs.gold,
    }
    steps["accents"] = steps["unit"] = drugs_rs.gold
    for name, step in steps.items():
        for choice in CHOICES[name]:
            with pytest.raises(drugs_rs.exceptions.SourceNotFoundError):
                step(out=tmp_path / "none", dt="2024-03-01", **{name: choice})
        with pytest.raises(drugs_rs.exceptions.ArgumentError):
            step(out=tmp_path / "none", dt="2024-03-01", **{name: "another"})
