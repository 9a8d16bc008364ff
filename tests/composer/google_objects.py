"""What the sensors of Google's provider ask for: the little server of `tests/python` speaks XML, they speak JSON."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import Any, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from bucket_peers import BUCKET, FOREIGN, Google, point_to
from google_storage import Handler, google_storage

ROUTE = "/storage/v1/b/"


class WithJson(Handler):
    """The looks of the sensors at objects and prefixes beside the protocol that the core speaks."""

    def handle_request(self) -> None:
        if not self.path.startswith(ROUTE):
            return super().handle_request()
        url = urlsplit(self.path)
        bucket, mark, name = url.path[len(ROUTE) :].partition("/o")
        self.seen = f"json:{bucket}{unquote(name)}"
        names = self.service.buckets.get(bucket)
        if self.command != "GET" or not mark or names is None:
            return self.tell(404, {"error": {"code": 404, "message": "The specified bucket does not exist."}})
        if not name:
            prefix = dict(parse_qsl(url.query)).get("prefix", "")
            return self.tell(200, {"items": [{"name": each} for each in sorted(names) if each.startswith(prefix)]})
        if unquote(name[1:]) not in names:
            return self.tell(404, {"error": {"code": 404, "message": "No such object"}})
        return self.tell(200, {"name": unquote(name[1:])})

    def tell(self, status: int, answer: dict[str, Any]) -> None:
        self.send(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})


@contextmanager
def google_for_airflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    """A bucket that the core and the provider's own hook see alike; nobody asks for credentials."""
    hooks = pytest.importorskip("airflow.providers.google.common.hooks.base_google")
    credentials = pytest.importorskip("google.auth.credentials")
    for name in list(os.environ):
        if name.upper().startswith(FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", "google-cloud-platform://")
    nobody = (credentials.AnonymousCredentials(), "tests")
    monkeypatch.setattr(hooks.GoogleBaseHook, "get_credentials_and_project_id", lambda _: nobody)
    with google_storage(BUCKET, handler=WithJson) as service:
        found = Google(service)
        point_to(found, monkeypatch)
        yield found
