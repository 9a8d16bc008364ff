"""Alert policies, their runbook and their filters agree; `tests/composer/test_game_day.py` makes the alerts fire."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from log_filter import ALERTS as POLICIES
from log_filter import FilterError, filters, is_of_lines, metrics, parse, policies

# The pages do not depend on the interpreter.
pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "incidents.md").read_text(encoding="utf-8")
TASK_EVENTS = (ROOT / "python" / "drugs_rs" / "airflow" / "task_events.py").read_text(encoding="utf-8")
ALERTS = (ROOT / "python" / "drugs_rs" / "airflow" / "alerts.py").read_text(encoding="utf-8")
RUN_METRICS = (ROOT / "python" / "drugs_rs" / "airflow" / "run_metrics.py").read_text(encoding="utf-8")
PARTS = ("**Means:**", "**Look first at:**", "**Do:**", "**Over when:**")


def words_of(name: str, source: str = TASK_EVENTS) -> list[str]:
    """The texts of a tuple of a module, which cannot be imported without Airflow."""
    found = re.search(rf"^{name} = \((.*?)\)$", source, flags=re.MULTILINE | re.DOTALL)
    assert found is not None
    return re.findall(r'"(\w+)"', found.group(1))


def entries_of(name: str) -> list[str]:
    """The first cells of the table below a heading of the page."""
    section = RUNBOOK.split(f"\n### {name}\n")[1].split("\n##")[0]
    return re.findall(r"^\| `([^`]+)`", section, flags=re.MULTILINE)


def sections() -> dict[str, str]:
    """The runbook entries by the names of their alerts."""
    part = RUNBOOK.split("\n## Runbook\n")[1].split("\n## ")[0]
    found = re.split(r"^### (.+)$", part, flags=re.MULTILINE)[1:]
    return {title.lower().replace(" ", "_"): text for title, text in zip(found[::2], found[1::2])}


def line_of(mark: str, field: str, value: str) -> dict[str, Any]:
    """A line as `alerts` and `task_events` write it, the field being the first."""
    return {"severity": "ERROR", "message": "the task failed", mark: {field: value, "dag_id": "drug"}}


def entries(line: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a line becomes in Cloud Logging, by who collects it."""
    text = json.dumps(line)
    return {
        "fields": {"jsonPayload": line},
        "text of Airflow 2": {"textPayload": f"[2024-03-01T00:00:00.000+0000] {{task_events.py:143}} INFO - {text}"},
        "JSON lines of Airflow 3": {"jsonPayload": {"event": text, "logger": "drugs_rs.event"}},
        "JSON lines as text": {"textPayload": json.dumps({"event": text})},
        "an agent's message": {"jsonPayload": {"message": text}},
    }


def test_each_alert_has_a_runbook_entry_that_says_all() -> None:
    assert set(sections()) == set(policies())
    for name, text in sections().items():
        assert [part for part in PARTS if part not in text] == [], name


@pytest.mark.parametrize("name", sorted(path.stem for path in POLICIES.glob("*.yaml")))
def test_a_policy_has_what_terraform_passes_on(name: str) -> None:
    policy = policies()[name]
    needed = {"display_name", "combiner", "severity", "documentation", "conditions", "alert_strategy"}
    assert set(policy) == needed
    assert policy["alert_strategy"]["auto_close"].endswith("s")
    assert policy["display_name"] == f"drugs_rs: {name.replace('_', ' ')}"
    assert policy["combiner"] == "OR" and policy["severity"] in ("ERROR", "WARNING")
    assert f"docs/incidents.md#{name.replace('_', '-')}" in policy["documentation"]["content"]
    of_lines = [is_of_lines(condition) for condition in policy["conditions"]]
    if not any(of_lines):
        return
    # Google takes a policy on log lines with one condition, and with a limit of its notifications.
    (condition,) = policy["conditions"]
    assert set(condition) == {"display_name", "condition_matched_log"}
    assert set(condition["condition_matched_log"]) == {"filter"}
    assert int(policy["alert_strategy"]["notification_rate_limit"]["period"].rstrip("s")) >= 300


def test_each_filter_finds_its_lines_and_no_others() -> None:
    lines = {
        "failed_run": [line_of("drugs_rs_alert", "kind", kind) for kind in ("failure", "run")],
        "slow_run": [line_of("drugs_rs_alert", "kind", "slow")],
        "": [line_of("drugs_rs_event", "incident", ""), line_of("other", "incident", "held_day")],
    }
    lines.update({name: [line_of("drugs_rs_event", "incident", name)] for name in words_of("INCIDENTS")})
    tests = filters()
    assert set(tests) == set(lines) - {""}
    for expected, written in lines.items():
        for line in written:
            for form, entry in entries(line).items():
                found = {name for name, test in tests.items() if test(entry)}
                assert found == ({expected} - {""}), f"{expected}: {form}"


def test_a_watch_that_says_nothing_raises_an_alert() -> None:
    """Stale gold is found by a line of the watch: when that did not run either, nothing fired."""
    policy = policies()["silent_watch"]
    kinds = []
    for condition in policy["conditions"]:
        ((kind, its),) = ((kind, its) for kind, its in condition.items() if kind != "display_name")
        kinds.append(kind)
        (metric,) = re.findall(r'metric\.type="logging\.googleapis\.com/user/(\w+)"', its["filter"])
        assert metric in metrics()
        # Google demands a resource, and takes whole minutes up to 23.5 hours.
        assert 'resource.type="' in its["filter"]
        assert int(its["duration"].rstrip("s")) % 60 == 0 and int(its["duration"].rstrip("s")) <= 23.5 * 3600
    # A counter of lines that finds none has no points, or zeros.
    assert kinds == ["condition_absent", "condition_threshold"]
    assert "notification_rate_limit" not in policy["alert_strategy"]


@pytest.mark.parametrize(
    ("step", "event", "incident", "counts"),
    [
        ("watch", "end", "", True),
        ("watch", "start", "", False),
        ("watch", "failure", "", False),
        ("watch", "finding", "stale_gold", False),
        ("gold", "end", "", False),
    ],
)
def test_the_metric_of_the_watch_counts_its_ends(step: str, event: str, incident: str, counts: bool) -> None:
    fields = dict.fromkeys(words_of("FIELDS"), "")
    fields.update(incident=incident, event=event, step=step, dag_id="drug_watch", task_id="watch")
    line = {"severity": "INFO", "message": "watch of dt=None: end", "drugs_rs_event": fields}
    for form, entry in entries(line).items():
        assert metrics()["drugs_rs_watch"](entry) is counts, form


def test_a_filter_is_anchored_in_the_fields_of_its_line() -> None:
    """The message of an alert may name an incident, and an incident's line an alert."""
    line = line_of("drugs_rs_alert", "kind", "slow")
    line["message"] = line["drugs_rs_alert"]["message"] = 'incident: "stale_gold" of kind: "run"'
    for entry in entries(line).values():
        assert [name for name, test in filters().items() if test(entry)] == ["slow_run"]


def test_the_filters_name_fields_that_are_written_first() -> None:
    assert words_of("FIELDS")[0] == "incident"
    assert words_of("_KEYS", ALERTS)[0] == "kind"


def test_the_page_lists_every_field_event_and_metric() -> None:
    assert entries_of("Fields") == words_of("FIELDS")
    listed = {word for cell in re.findall(r"^\| `event` \|(.*)$", RUNBOOK, re.MULTILINE) for word in cell.split("`")}
    assert set(words_of("EVENTS")) <= listed
    names = {re.sub(r"\.<\w+>$", "", name) for name in entries_of("Metrics")}
    assert names == set(re.findall(r'"(drugs_rs\.\w+)"', RUN_METRICS))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a.b="X"', True),
        ('a.b="xy"', False),
        ('a.b:"x"', True),
        ('a.b=~"^x$"', True),
        ('a.b=~"X"', False),
        ("a.c>1 a.c<=2", True),
        ("a.c>2", False),
        ("a.flag=true", True),
        ('a.b=("q" OR "x")', True),
        ('NOT a.missing="x"', True),
        ('a.missing="x"', False),
        # OR binds closer than AND, in Cloud Logging.
        ("a.c=2 OR a.c=3 AND a.c=4", False),
        ("a.c=2 OR (a.c=3 AND a.c=4)", True),
    ],
)
def test_the_query_language(text: str, expected: bool) -> None:
    assert parse(text)({"a": {"b": "x", "c": 2, "flag": True}}) is expected


@pytest.mark.parametrize(
    "text",
    ["", "a", "a=", 'a="x', "(a=1", "a=1)", "a!=1", '"x"', 'a=~"(?=x)"', r'a=~"\d"', 'a=("x" "y")', "OR a=1", "a=1 OR"],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        parse(text)
