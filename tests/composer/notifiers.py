"""Notifiers of the tests, made as those of the providers are."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, Sequence

from drugs_rs.airflow.compat import BaseNotifier


class ToFile(BaseNotifier):
    """Adds its text to a file."""

    template_fields: Sequence[str] = ("text",)

    def __init__(self, path: str, text: str) -> None:
        super().__init__()
        self.path = path
        self.text = text

    def notify(self, context: Any) -> None:  # noqa: ARG002
        """Write it."""
        with Path(self.path).open("a", encoding="utf-8") as file:
            file.write(self.text)


class ToLines(BaseNotifier):
    """Adds each alert to a file, one line for one."""

    template_fields: Sequence[str] = ()

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def notify(self, context: Any) -> None:
        """Write it."""
        with Path(self.path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(context["alert"], default=str) + "\n")


def lines(path: Path) -> list[dict[str, Any]]:
    """What was written there."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


class Slow(BaseNotifier):
    """Is done when another task has continued meanwhile."""

    template_fields: Sequence[str] = ()
    others = threading.Event()
    waited_in_vain = False

    def notify(self, context: Any) -> None:  # noqa: ARG002
        """Wait for that."""
        type(self).waited_in_vain = not self.others.wait(5)


class Broken(BaseNotifier):
    """Cannot even be made."""

    def __init__(self) -> None:
        raise ValueError("no server")

    def notify(self, context: Any) -> None:
        """Never called."""


# The task and its lineage, of each task that has succeeded in this process.
LINEAGE: list[tuple[str, Any]] = []


def remember_lineage(context: Any) -> None:
    """Ask a task for its lineage as the OpenLineage provider does; a callback."""
    ti = context["ti"]
    LINEAGE.append((ti.task_id, ti.task.get_openlineage_facets_on_complete(ti)))
