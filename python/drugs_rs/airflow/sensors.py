"""Which sensor waits for a source: the providers' own, chosen by where the source lies."""

from __future__ import annotations

from typing import Any, Mapping

from drugs_rs.airflow.compat import AirflowFailException, can_defer, file_sensor, has_connection, provider_class
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

    A file, folder or glob on a disk gets the ``FileSensor``; ``gs://`` an object's or, for a folder or a glob, a
    prefix's existence sensor; ``s3://`` the ``S3KeySensor``. Those that can, wait in the triggerer; others give their
    worker slot back between two looks.
    """
    source = getattr(settings, setting)
    kind, more = _sensor(source, settings)
    more.update(_waiting(kind, settings), **arguments)
    if "pre_execute" not in more:
        more["pre_execute"] = _Check(setting, settings.fs_conn_id if kind.__name__ == "FileSensor" else None)
    return kind(task_id=task_id, **more)


def _sensor(source: str, settings: Settings) -> tuple[type[Any], dict[str, Any]]:
    templated = rendered_by_airflow(source)
    if source.startswith("gs://"):
        bucket, _, key = templated[len("gs://") :].partition("/")
        connection = {"bucket": bucket, "google_cloud_conn_id": settings.gcp_conn_id}
        fixed = _before_pattern(key)
        if fixed != key or not key or key.endswith("/"):
            return provider_class(_GCS + "GCSObjectsWithPrefixExistenceSensor"), dict(connection, prefix=fixed)
        return provider_class(_GCS + "GCSObjectExistenceSensor"), dict(connection, object=key)
    if source.startswith("s3://"):
        return provider_class(_S3), {"bucket_key": templated, "wildcard_match": bool(_PATTERN & set(source))}
    path = templated[len("file://") :] if templated.startswith("file://") else templated
    return file_sensor(), {"filepath": path, "fs_conn_id": settings.fs_conn_id, "recursive": True}


def _before_pattern(key: str) -> str:
    """Give the part of a glob that is certain; the braces of a template are no pattern."""
    for place, letter in enumerate(key):
        if letter in _PATTERN:
            return key[:place]
    return key


def _waiting(kind: type[Any], settings: Settings) -> dict[str, Any]:
    waiting: dict[str, Any] = {
        "poke_interval": settings.poke_interval_seconds,
        "timeout": settings.sensor_timeout_hours * 3600,
    }
    if settings.deferrable and kind.__name__ != "FileSensor" and can_defer(kind):
        waiting["deferrable"] = True
    else:
        waiting["mode"] = "reschedule"
    return waiting


class _Check:
    """What is looked at before the first look for a source: Airflow's own message would not say what to set."""

    def __init__(self, setting: str, conn_id: str | None) -> None:
        self.setting = setting
        self.conn_id = conn_id

    def __call__(self, context: Mapping[str, Any], *_: object) -> None:
        task = context["task"]
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
