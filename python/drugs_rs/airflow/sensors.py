"""Which sensor waits for a source: the providers' own, chosen by where the source lies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Callable, Mapping

from drugs_rs.airflow.compat import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    can_defer,
    file_sensor,
    has_connection,
    is_installed,
    is_resumed,
    provider_class,
    time_was_up_in_triggerer,
)
from drugs_rs.airflow.partition import PARTITION
from drugs_rs.airflow.settings import DT_PLACEHOLDER, Settings, where

_GCS = "airflow.providers.google.cloud.sensors.gcs."
_S3 = "airflow.providers.amazon.aws.sensors.s3.S3KeySensor"
_PATTERN = frozenset("*?[")


def rendered_by_airflow(source: str) -> str:
    """Put the partition of the run where a source says ``{dt}``."""
    return source.replace(DT_PLACEHOLDER, PARTITION)


def source_sensor(task_id: str, setting: str, settings: Settings, **arguments: Any) -> Any:
    """Make the sensor for the source that is named by a setting.

    A file, folder or glob on a disk gets the ``FileSensor``; ``gs://`` an object's existence sensor or, for a folder or
    a glob, one that waits below its prefix; ``s3://`` the ``S3KeySensor``. Those that can, wait in the triggerer;
    others give their worker slot back between two looks. A ``pre_execute`` is called after this package's checks.
    """
    source = getattr(settings, setting)
    kind, more = _sensor(source, settings)
    more.update(_waiting(kind, settings, arguments.get("deferrable", settings.deferrable)), **arguments)
    connection = settings.fs_conn_id if kind.__name__ == "FileSensor" else None
    more["pre_execute"] = _Check(setting, connection, arguments.get("pre_execute"))
    return kind(task_id=task_id, **more)


def _sensor(source: str, settings: Settings) -> tuple[type[Any], dict[str, Any]]:
    templated = rendered_by_airflow(source)
    if source.startswith("gs://"):
        bucket, _, key = templated[len("gs://") :].partition("/")
        connection = {"bucket": bucket, "google_cloud_conn_id": settings.gcp_conn_id}
        fixed = _before_pattern(key)
        if fixed != key or not key or key.endswith("/"):
            from drugs_rs.airflow.prefixes import GCSDeliverySensor

            return GCSDeliverySensor, dict(connection, prefix=fixed, wanted=key)
        return provider_class(_GCS + "GCSObjectExistenceSensor"), dict(connection, object=key)
    if source.startswith("s3://"):
        # That sensor knows no folders: as the name of an object, one would be waited for in vain.
        if templated.endswith("/") or "/" not in templated[len("s3://") :]:
            templated = templated.rstrip("/") + "/*"
        return provider_class(_S3), {"bucket_key": templated, "wildcard_match": bool(_PATTERN & set(templated))}
    path = templated[len("file://") :] if templated.startswith("file://") else templated
    return file_sensor(), {"filepath": path, "fs_conn_id": settings.fs_conn_id, "recursive": True}


def _before_pattern(key: str) -> str:
    """Give the part of a glob that is certain; the braces of a template are no pattern."""
    for place, letter in enumerate(key):
        if letter in _PATTERN:
            return key[:place]
    return key


def _waiting(kind: type[Any], settings: Settings, wanted: bool) -> dict[str, Any]:
    waiting: dict[str, Any] = {
        "poke_interval": settings.poke_interval_seconds,
        "timeout": settings.sensor_timeout_hours * 3600,
    }
    if can_defer(kind):  # said either way, for Airflow's configuration may have another default
        waiting["deferrable"] = wanted and _works_in_triggerer(kind)
    if waiting.get("deferrable"):
        # Airflow 2 counts the wait in, and would end it at the time that one look may take.
        hours = settings.execution_timeout_hours + settings.sensor_timeout_hours
        waiting["execution_timeout"] = timedelta(hours=hours)
    else:
        waiting["mode"] = "reschedule"
    return waiting


def _works_in_triggerer(kind: type[Any]) -> bool:
    """Say whether the triggerer can do what this sensor would leave to it.

    It may have other disks than the workers, and the amazon provider does without its client for triggers by default.
    """
    return kind.__name__ != "FileSensor" and (kind.__name__ != "S3KeySensor" or is_installed("aiobotocore"))


class _Check:
    """What Airflow calls before each of a sensor's tries, before its first look and when it goes on after a wait.

    Before a look: Airflow's own message would not say what to set. After a wait in the triggerer that was too long: see
    ``time_was_up_in_triggerer``.
    """

    def __init__(self, setting: str, conn_id: str | None, then: Callable[..., object] | None = None) -> None:
        self.setting = setting
        self.conn_id = conn_id
        self.then = then

    def __call__(self, context: Mapping[str, Any], *more: object) -> None:
        ti = context.get("ti")
        if time_was_up_in_triggerer(ti):
            _fail_for_good(context["task"])
        if not is_resumed(ti):
            self._look_at_settings(context["task"])
        if self.then is not None:
            self.then(context, *more)

    def _look_at_settings(self, task: Any) -> None:
        for name in ("filepath", "object", "prefix", "bucket", "bucket_key"):
            value = getattr(task, name, None)
            empty = isinstance(value, str) and value.strip() in ("", "None")
            if empty and not (name == "prefix" and task.bucket.strip()):
                message = f"`{self.setting}` is empty, so that there is nothing to wait for: {where(self.setting)}"
                raise AirflowFailException(message)
        if self.conn_id is not None and not has_connection(self.conn_id):
            message = (
                f"the connection `{self.conn_id}` is not defined, which names the file system of local sources: "
                f"airflow connections add {self.conn_id} --conn-type fs, or {where('fs_conn_id')}"
            )
            raise AirflowFailException(message)


def _fail_for_good(task: Any) -> None:
    message = f"nothing was delivered within {task.timeout:.0f} seconds"
    if getattr(task, "soft_fail", False):
        raise AirflowSkipException(message)
    raise AirflowSensorTimeout(message)
