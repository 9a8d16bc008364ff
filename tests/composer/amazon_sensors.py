"""Stands where the amazon provider's sensors would: its arguments, and how it looks for a key."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

from drugs_rs.airflow.compat import AIRFLOW_3

if AIRFLOW_3:
    from airflow.sdk import BaseSensorOperator
else:
    from airflow.sensors.base import BaseSensorOperator

# The URIs of all objects there are.
EXISTING: list[str] = []


class S3KeySensor(BaseSensorOperator):  # type: ignore[misc]  # a class of Airflow, which type checkers do not see here
    """Waits for a key, or for one that matches a pattern, whose `*` goes over slashes; folders are unknown to it."""

    template_fields = ("bucket_key", "bucket_name")

    def __init__(
        self,
        *,
        bucket_key: str,
        bucket_name: str | None = None,
        wildcard_match: bool = False,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bucket_key = bucket_key
        self.bucket_name = bucket_name
        self.wildcard_match = wildcard_match
        self.deferrable = deferrable

    def poke(self, context: Any) -> bool:  # noqa: ARG002
        if self.wildcard_match:
            return any(fnmatch(name, self.bucket_key) for name in EXISTING)
        return self.bucket_key in EXISTING
