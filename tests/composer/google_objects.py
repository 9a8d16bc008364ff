"""What sensors and triggers of Google's provider ask for: the little server of `tests/python` speaks XML, they JSON."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from bucket_peers import BUCKET, FOREIGN, Google, point_to
from google_storage import Handler, google_storage

from drugs_rs.airflow.compat import AIRFLOW_VERSION

ROUTE = "/storage/v1/b/"
TOKEN = "/token"


class WithJson(Handler):
    """The looks of the sensors at objects and prefixes beside the protocol that the core speaks."""

    def handle_request(self) -> None:
        if self.path == TOKEN:
            self.seen = "token"
            self.rfile.read(int(self.headers.get("content-length") or 0))
            return self.tell(200, {"access_token": "nobody", "expires_in": 3600, "token_type": "Bearer"})
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
        size = len(names[unquote(name[1:])].data)
        return self.tell(200, {"name": unquote(name[1:]), "bucket": bucket, "size": str(size)})

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


def processes_of_google(google: Google, home: Path) -> dict[str, str]:
    """The environment in which the processes of an Airflow, the triggerer too, talk to that server alone.

    The oldest client of triggers wants the address without its scheme, all others want it: a triggerer is told so by a
    file that Airflow runs at its start.
    """
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    secret = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "tests",
        "private_key_id": "1",
        "private_key": secret.decode(),
        "client_email": "nobody@tests.example",
        "token_uri": google.service.endpoint + TOKEN,
    }
    key = home / "nobody.json"
    key.write_text(json.dumps(account), encoding="utf-8")
    if AIRFLOW_VERSION < (2, 10):
        (home / "config").mkdir()
        (home / "config" / "airflow_local_settings.py").write_text(
            "import os, sys\n"
            "if 'triggerer' in sys.argv:\n"
            f"    os.environ['STORAGE_EMULATOR_HOST'] = {without_scheme(google)!r}\n",
            encoding="utf-8",
        )
    connection = {"conn_type": "google_cloud_platform", "extra": {"key_path": str(key), "project": "tests"}}
    return {**google.environment, "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps(connection)}


def without_scheme(google: Google) -> str:
    """The server as `host:port`."""
    return google.service.endpoint[len("http://") :]
