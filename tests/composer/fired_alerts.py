"""Which alert policies fire for what Airflow's tasks and callbacks have logged, by the filters of the policies."""

from __future__ import annotations

import json
import logging
from typing import Any, Iterable

from log_filter import filters

LOGGERS = ("drugs_rs.event", "drugs_rs.alert")


def lines_of(records: Iterable[logging.LogRecord]) -> list[dict[str, Any]]:
    """The structured lines among log records."""
    texts = [record.getMessage() for record in records if record.name in LOGGERS]
    return [json.loads(text) for text in texts if text.startswith("{")]


def events_of(records: Iterable[logging.LogRecord]) -> list[dict[str, Any]]:
    """The fields of the lines about tasks."""
    return [line["drugs_rs_event"] for line in lines_of(records) if "drugs_rs_event" in line]


def fired(records: Iterable[logging.LogRecord]) -> dict[str, set[str]]:
    """The alerts that fire, each with the tasks (or an empty text) whose lines it finds."""
    found: dict[str, set[str]] = {}
    tests = filters()
    for line in lines_of(records):
        text = f"[2024-03-01T00:00:00.000+0000] {{logging.py:1}} {line['severity']} - {json.dumps(line)}"
        for name, test in tests.items():
            in_text, in_fields = test({"textPayload": text}), test({"jsonPayload": line})
            assert in_text == in_fields, f"{name} finds {text} in one form alone"
            if in_text:
                about = line.get("drugs_rs_event") or line["drugs_rs_alert"]
                found.setdefault(name, set()).add(about["task_id"])
    return found
