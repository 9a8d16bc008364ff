"""The link from a task to the report of its step."""

from __future__ import annotations

from typing import Any

from drugs_rs.airflow.compat import AIRFLOW_3, BaseOperatorLink, returned_value

_CONSOLE = "https://console.cloud.google.com/storage/browser/_details/"


def report_uri(out: str, step: str, dt: str, name: str) -> str:
    """Return the place of a step's report in a lake."""
    return "/".join([out.rstrip("/"), "reports", step, f"dt={dt}", f"{name}.json"])


def address(uri: str) -> str:
    """Return an address for a browser: the console's page of an object, or the file on a disk."""
    if uri.startswith("gs://"):
        return _CONSOLE + uri[len("gs://") :]
    return uri if "://" in uri else f"file://{uri}"


class ReportLink(BaseOperatorLink):
    """A button in the task's details."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address of the report, or an empty text before the step has written one."""
        if AIRFLOW_3:  # called in the task's own process after it is done
            uri = getattr(operator, "report_uri", None)
        else:  # called in the webserver, which has the task's return value
            returned = returned_value(ti_key)
            uri = returned.get("report_uri") if isinstance(returned, dict) else None
        return address(uri) if uri else ""
