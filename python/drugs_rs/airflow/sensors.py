"""Waiting for a delivery: for a file that bronze would copy, on a disk or in a bucket.

The core lists the files that a source names now, with the rules and the rights of the bronze step. So a wait ends when
bronze has something to copy. No provider is imported, and no Airflow connection is needed.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any, AsyncIterator, Mapping, Sequence

import drugs_rs
from drugs_rs.airflow.compat import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    BaseTrigger,
    TriggerEvent,
)
from drugs_rs.airflow.partition import PARTITION
from drugs_rs.airflow.settings import DT_PLACEHOLDER, Settings, where
from drugs_rs.airflow.task_events import logged
from drugs_rs.exceptions import ArgumentError, DrugsError, SourceNotFoundError


def rendered_by_airflow(source: str) -> str:
    """Replace ``{dt}`` in a source by the template of the run's partition."""
    return source.replace(DT_PLACEHOLDER, PARTITION)


def source_sensor(task_id: str, setting: str, settings: Settings, **arguments: Any) -> DeliverySensor:
    """Return the sensor for the source in a setting; ``arguments`` override the settings."""
    source = getattr(settings, setting)
    # The triggerer may have other disks than the workers.
    waits_in_triggerer = settings.deferrable and "://" in source and not source.startswith("file:")
    waiting: dict[str, Any] = {
        "poke_interval": settings.poke_interval_seconds,
        "timeout": settings.sensor_timeout_hours * 3600,
        "deferrable": waits_in_triggerer,
        **arguments,
    }
    if waiting["deferrable"]:
        # Airflow 2 includes the wait, and would end it at the time limit of one check.
        hours = settings.execution_timeout_hours + settings.sensor_timeout_hours
        waiting.setdefault("execution_timeout", timedelta(hours=hours))
    return DeliverySensor(task_id=task_id, source=rendered_by_airflow(source), setting=setting, **waiting)


def look(source: str) -> tuple[list[str], str]:
    """Return the existing files, and the core's message if there is none.

    Raises:
        AirflowFailException: The source is not a valid name.
        AirflowException: The disk or the bucket could not be read.
    """
    try:
        return drugs_rs.list_sources(source), ""
    except SourceNotFoundError as error:
        return [], str(error)
    except ArgumentError as error:
        raise AirflowFailException(str(error)) from error
    except DrugsError as error:
        message = f"{type(error).__name__}: {error}"
        raise AirflowException(message) from error


class DeliverySensor(BaseSensorOperator):
    """Waits until a source has a file that bronze would copy.

    Args:
        source: A path, glob, folder or URI.
        setting: The setting of ``dags/drug.py`` that the message names if the source is empty.
        deferrable: Wait in the triggerer, which then needs this package and the rights of the workers. Otherwise a
            worker checks every ``poke_interval`` seconds and is free in between.
    """

    template_fields: Sequence[str] = ("source",)
    step = "sensor"

    def __init__(self, *, source: str, setting: str = "", deferrable: bool = False, **kwargs: Any) -> None:
        super().__init__(**{"mode": "reschedule", **kwargs})
        self.source = source
        self.setting = setting
        self.deferrable = deferrable

    def poke(self, context: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Check once."""
        if self.source.strip() in ("", "None"):
            place = where(self.setting) if self.setting else "pass a path, a glob or a URI"
            message = f"`{self.setting or 'source'}` is empty, so that there is nothing to wait for: {place}"
            raise AirflowFailException(message)
        files, missing = look(self.source)
        self.log.info("%s", f"{len(files)} files, the first is {files[0]}" if files else missing)
        return bool(files)

    @logged
    def execute(self, context: Any) -> None:
        """Check once, then wait in the triggerer, or in a worker like other sensors."""
        if not self.deferrable:
            super().execute(context)
        elif not self.poke(context):
            self.defer(
                trigger=DeliveryTrigger(self.source, self.poke_interval, time.time() + self.timeout),
                method_name="execute_complete",
            )

    @logged
    def execute_complete(self, context: Any, event: Mapping[str, str]) -> None:  # noqa: ARG002
        """Return or raise as the wait ended. A time-out is final: Airflow does not retry this exception."""
        if event["status"] == "timeout":
            message = f"nothing was delivered within {self.timeout:.0f} seconds: {event['message']}"
            raise (AirflowSkipException if self.soft_fail else AirflowSensorTimeout)(message)
        if event["status"] == "error":
            raise AirflowException(event["message"])
        self.log.info("%s", event["message"])


class DeliveryTrigger(BaseTrigger):
    """Checks until a file exists or the time ``until`` (seconds since 1970) is over."""

    def __init__(self, source: str, poke_interval: float, until: float) -> None:
        super().__init__()
        self.source = source
        self.poke_interval = poke_interval
        self.until = until

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and the arguments from which the triggerer builds it again."""
        arguments = {"source": self.source, "poke_interval": self.poke_interval, "until": self.until}
        return f"{__name__}.{type(self).__name__}", arguments

    async def run(self) -> AsyncIterator[Any]:
        """Yield one event. A check runs in a separate thread, because other triggers share this one."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                files, missing = await loop.run_in_executor(None, look, self.source)
            except AirflowException as error:
                yield TriggerEvent({"status": "error", "message": str(error)})
                return
            if files:
                yield TriggerEvent({"status": "success", "message": f"{len(files)} files, the first is {files[0]}"})
                return
            if time.time() >= self.until:
                yield TriggerEvent({"status": "timeout", "message": missing})
                return
            await asyncio.sleep(max(0.0, min(self.poke_interval, self.until - time.time())))
