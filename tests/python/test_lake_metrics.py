"""`Lake.metrics` and `drugs-rs lake history --format openmetrics`, read by an independent parser."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

import pytest
from lake_story import BAD, FOURTH, sources
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from shell import drugs_rs as shell

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

COUNTS = ("rows_in", "rows_kept", "rows_merged", "rows_rejected", "publications", "mentions", "pairs")
# What a label may have to carry: quotes, backslashes, ends of lines, text from right to left, what looks like a sample.
HOSTILE = (
    'a "quoted" reason',
    "back\\slash \\n \\",
    "مرحبا \u202eright to left\u202c",
    '"} 1\n# EOF',
    '{dt="2024-01-01"} 7 # {} 1',
    "zero\u200bwidth \u2028 line \u2029 paragraph \x85 next",
    "💊 é",
)


def families(text: str) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]


def values(family: Any) -> dict[tuple[tuple[str, str], ...], float]:
    """The samples of a family by their labels, without that of the lake."""
    found = {}
    for sample in family.samples:
        labels = {name: value for name, value in sample.labels.items() if name != "lake"}
        found[tuple(sorted(labels.items()))] = sample.value
    return found


def seconds(started_at: str) -> float:
    moment = datetime.datetime.strptime(started_at, "%Y-%m-%dT%H:%M:%S.%fZ")
    return moment.replace(tzinfo=datetime.timezone.utc).timestamp()


def last_runs(lake: drugs_rs.Lake) -> dict[str, dict[str, Any]]:
    return {run["step"]: run for run in lake.history().to_dicts()}


def test_metrics_are_the_numbers_of_the_tables(story: dict[str, Path]) -> None:
    for path in story.values():
        lake = drugs_rs.Lake(path)
        found = families(lake.metrics())
        last = last_runs(lake)
        assert last
        for name in COUNTS:
            expected = {(("step", step),): run[name] for step, run in last.items() if run[name] is not None}
            assert values(found[f"drugs_rs_last_run_{name}"]) == expected, name
        started = {(("step", step),): seconds(run["started_at"]) for step, run in last.items()}
        assert values(found["drugs_rs_last_run_started_timestamp_seconds"]) == started
        took = {(("step", step),): run["seconds"] for step, run in last.items()}
        assert values(found["drugs_rs_last_run_seconds"]) == took
        for column in ("rows", "bytes", "files"):
            expected = {(("table", row["table"]),): row[column] for row in lake.tables().to_dicts()}
            assert values(found[f"drugs_rs_table_{column}"]) == expected
        (as_of,) = set(lake.status()["as_of"])
        assert values(found["drugs_rs_as_of_timestamp_seconds"]) == {(): seconds(f"{as_of}T00:00:00.000Z")}
        held = {row["dt"]: row["reason"] for row in lake.status() if row["held"]}
        assert values(found["drugs_rs_held_dates"]) == {(): len(held)}
        assert values(found["drugs_rs_held_date"]) == {
            (("dt", dt), ("reason", reason)): 1 for dt, reason in held.items()
        }
    assert {row["dt"]: row["reason"] for row in drugs_rs.Lake(story["held"]).status() if row["held"]} == {FOURTH: BAD}


def test_each_family_has_its_meaning_and_each_series_its_lake(story: dict[str, Path]) -> None:
    lake = drugs_rs.Lake(story["held"])
    text = lake.metrics()
    assert text.endswith("\n# EOF\n") and text.count("# EOF") == 1 and "\n\n" not in text
    for family in families(text).values():
        assert family.documentation.endswith("."), family.name
        assert family.type in ("gauge", "info")
        assert family.samples, family.name
        for sample in family.samples:
            assert sample.labels["lake"] == lake.root
    # An `_info` series alone has what changes with every run.
    for family in families(text).values():
        if family.type == "gauge":
            assert {name for sample in family.samples for name in sample.labels} <= {"lake", "step", "table"}
    runs = values(families(text)["drugs_rs_last_run"])
    assert {dict(labels)["run_id"] for labels in runs} == {run["run_id"] for run in last_runs(lake).values()}


def test_the_command_prints_the_same(story: dict[str, Path]) -> None:
    finished = shell("lake", "history", str(story["held"]), "--format", "openmetrics")
    assert finished.returncode == 0, finished.stderr.decode()
    assert finished.stdout.decode("utf-8") == drugs_rs.Lake(story["held"]).metrics()
    wrong = shell("lake", "history", str(story["held"]), "--format", "prometheus")
    assert wrong.returncode == 2 and b"openmetrics" in wrong.stderr
    both = shell("lake", "history", str(story["held"]), "--format", "openmetrics", "--json")
    assert both.returncode == 2


@pytest.mark.parametrize("reason", HOSTILE)
def test_any_text_comes_back_from_a_label(reason: str, tmp_path: Path) -> None:
    folder = tmp_path / reason.replace("/", "")
    folder.mkdir()
    lake = drugs_rs.Lake(folder)
    drugs_rs.run(out=lake.root, dt=FOURTH, **sources(tmp_path)[FOURTH])
    drugs_rs.hold(lake=lake.root, dt=FOURTH, reason=reason)
    found = families(lake.metrics())
    (sample,) = found["drugs_rs_held_date"].samples
    (held,) = {row["reason"] for row in lake.status()}
    assert sample.labels == {"lake": lake.root, "dt": FOURTH, "reason": held}


def test_a_record_from_somebody_else_is_data(tmp_path: Path) -> None:
    """The names of steps and versions come from files that anybody may have written."""
    lake = drugs_rs.Lake(tmp_path / "lake")
    drugs_rs.run(out=lake.root, dt=FOURTH, **sources(tmp_path)[FOURTH])
    (record,) = (tmp_path / "lake" / "reports" / "history").rglob("*.json")
    found = json.loads(record.read_text(encoding="utf-8"))
    hostile = {**found, "step": 'x"} 1\n# EOF', "version": '\\"\n', "seconds": 1e-7, "rows_in": 2**53}
    record.with_name("later.json").write_text(json.dumps(hostile), encoding="utf-8")
    parsed = families(lake.metrics())
    assert values(parsed["drugs_rs_last_run_rows_in"])[(("step", hostile["step"]),)] == 2**53
    assert values(parsed["drugs_rs_last_run_seconds"])[(("step", hostile["step"]),)] == 1e-7
    record.write_text(json.dumps({**found, "started_at": "yesterday"}), encoding="utf-8")
    with pytest.raises(drugs_rs.exceptions.FormatError, match=r"reports/history: the run .*: started_at is no time"):
        lake.metrics()


def test_lakes_without_gold_or_runs(tmp_path: Path) -> None:
    with pytest.raises(drugs_rs.exceptions.SourceNotFoundError):
        drugs_rs.Lake(tmp_path / "none").metrics()
    lake = drugs_rs.Lake(tmp_path / "lake")
    drugs_rs.bronze(out=lake.root, dt=FOURTH, **sources(tmp_path)[FOURTH])
    found = families(lake.metrics())
    assert values(found["drugs_rs_last_run_rows_in"]) == {(("step", "bronze"),): 0}
    assert found["drugs_rs_last_run_mentions"].samples == found["drugs_rs_as_of_timestamp_seconds"].samples == []
    assert set(values(found["drugs_rs_table_rows"]).values()) == {0}
