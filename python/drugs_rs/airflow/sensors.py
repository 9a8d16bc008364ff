"""Waiting for a delivery: for a file that bronze would copy, whichever place it is in.

The core is asked which files a source names now, with the rules and the rights of the bronze step. So what ends a wait
is what bronze takes, no provider is imported, and no connection of Airflow's is needed.
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
from drugs_rs.exceptions import ArgumentError, DrugsError, SourceNotFoundError


def rendered_by_airflow(source: str) -> str:
    """Put the partition of the run where a source says ``{dt}``."""
    return source.replace(DT_PLACEHOLDER, PARTITION)


def source_sensor(task_id: str, setting: str, settings: Settings, **arguments: Any) -> DeliverySensor:
    """Make the sensor for the source that is named by a setting; ``arguments`` go before what the settings say."""
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
        # Airflow 2 counts the wait in, and would end it at the time that one look may take.
        hours = settings.execution_timeout_hours + settings.sensor_timeout_hours
        waiting.setdefault("execution_timeout", timedelta(hours=hours))
    return DeliverySensor(task_id=task_id, source=rendered_by_airflow(source), setting=setting, **waiting)


def look(source: str) -> tuple[list[str], str]:
    """Return the files that are there, and, where there is none, what the core says about it.

    Raises:
        AirflowFailException: The source cannot be the name of anything.
        AirflowException: The disk or the bucket could not be looked at.
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
        setting: What to set where the source is empty, for the message: a setting of ``dags/drug.py``.
        deferrable: Wait in the triggerer, which then needs this package and the rights of the workers; else a worker
            looks every ``poke_interval`` seconds and is free in between.
    """

    template_fields: Sequence[str] = ("source",)

    def __init__(self, *, source: str, setting: str = "", deferrable: bool = False, **kwargs: Any) -> None:
        super().__init__(**{"mode": "reschedule", **kwargs})
        self.source = source
        self.setting = setting
        self.deferrable = deferrable

    def poke(self, context: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Look once."""
        if self.source.strip() in ("", "None"):
            place = where(self.setting) if self.setting else "pass a path, a glob or a URI"
            message = f"`{self.setting or 'source'}` is empty, so that there is nothing to wait for: {place}"
            raise AirflowFailException(message)
        files, missing = look(self.source)
        self.log.info("%s", f"{len(files)} files, the first is {files[0]}" if files else missing)
        return bool(files)

    def execute(self, context: Any) -> None:
        """Look once, then wait in the triggerer, or as sensors wait in a worker."""
        if not self.deferrable:
            super().execute(context)
        elif not self.poke(context):
            self.defer(
                trigger=DeliveryTrigger(self.source, self.poke_interval, time.time() + self.timeout),
                method_name="execute_complete",
            )

    def execute_complete(self, context: Any, event: Mapping[str, str]) -> None:  # noqa: ARG002
        """End as the wait did. A wait that was too long is final: Airflow does not retry this exception."""
        if event["status"] == "timeout":
            message = f"nothing was delivered within {self.timeout:.0f} seconds: {event['message']}"
            raise (AirflowSkipException if self.soft_fail else AirflowSensorTimeout)(message)
        if event["status"] == "error":
            raise AirflowException(event["message"])
        self.log.info("%s", event["message"])


class DeliveryTrigger(BaseTrigger):
    """Looks until something is there or the time ``until`` (seconds since 1970) is over."""

    def __init__(self, source: str, poke_interval: float, until: float) -> None:
        super().__init__()
        self.source = source
        self.poke_interval = poke_interval
        self.until = until

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what the triggerer makes it from again."""
        arguments = {"source": self.source, "poke_interval": self.poke_interval, "until": self.until}
        return f"{__name__}.{type(self).__name__}", arguments

    async def run(self) -> AsyncIterator[Any]:
        """Give one event. A look takes a thread of its own, for other triggers wait in this one."""
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
