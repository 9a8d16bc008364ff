"""Waiting below a prefix of Google Cloud Storage, for an object that bronze will take.

The provider's sensor for prefixes is content with any object: with a ``readme.txt`` for ``in/*.xml.gz``, or with what
lies in a folder of the folder. Bronze would then find no source. These wait on; the look itself stays the provider's.

Imported only where such a source is named, for the provider may be absent.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, AsyncIterator, Iterable, Sequence

from drugs_rs.airflow.compat import provider_class
from drugs_rs.airflow.deliveries import taken

_GCS = "airflow.providers.google.cloud."
GCSHook: Any = provider_class(_GCS + "hooks.gcs.GCSHook")
PrefixSensor: Any = provider_class(_GCS + "sensors.gcs.GCSObjectsWithPrefixExistenceSensor")
PrefixTrigger: Any = provider_class(_GCS + "triggers.gcs.GCSPrefixBlobTrigger")

# What goes through the database, for whoever wants to see why the wait was over.
_MOST_NAMES = 20


def _first(names: Iterable[str], wanted: str) -> list[str]:
    return sorted(name for name in names if taken(name, wanted))[:_MOST_NAMES]


class GCSDeliverySensor(PrefixSensor):
    """Waits for an object that bronze takes for ``wanted``, a folder (with a ``/`` at its end) or a glob."""

    template_fields: Sequence[str] = (*PrefixSensor.template_fields, "wanted")

    def __init__(self, *, wanted: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.wanted = wanted

    def poke(self, context: Any) -> bool:  # noqa: ARG002
        """Look once."""
        self.log.info("Looking for gs://%s/%s", self.bucket, self.wanted)
        hook = GCSHook(gcp_conn_id=self.google_cloud_conn_id, impersonation_chain=self.impersonation_chain)
        self._matches = _first(hook.list(self.bucket, prefix=self.prefix), self.wanted)
        return bool(self._matches)

    def execute(self, context: Any) -> Any:
        """Look once, then wait in the triggerer or as sensors wait in a worker."""
        if not self.deferrable:
            return super().execute(context)
        if not self.poke(context):
            self.defer(
                timeout=timedelta(seconds=self.timeout),
                trigger=GCSDeliveryTrigger(
                    bucket=self.bucket,
                    prefix=self.prefix,
                    wanted=self.wanted,
                    poke_interval=self.poke_interval,
                    google_cloud_conn_id=self.google_cloud_conn_id,
                    hook_params={"impersonation_chain": self.impersonation_chain},
                ),
                method_name="execute_complete",
            )
        return self._matches


class GCSDeliveryTrigger(PrefixTrigger):
    """The provider's, asked again until what it finds is what is wanted."""

    def __init__(self, *, wanted: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.wanted = wanted

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what the triggerer makes it from again."""
        _, arguments = super().serialize()
        return f"{__name__}.{type(self).__name__}", {**arguments, "wanted": self.wanted}

    async def run(self) -> AsyncIterator[Any]:
        """Give one event: what was found, or the error."""
        while True:
            async for event in super().run():
                names = _first(event.payload.get("matches", ()), self.wanted)
                if names:
                    event.payload["matches"] = names
                if names or event.payload["status"] != "success":
                    yield event
                    return
            await asyncio.sleep(self.poke_interval)
