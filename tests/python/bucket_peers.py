"""Who the tests of buckets talk to: Google's storage (see `google_storage`) and Amazon's, which is moto's server."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Iterator
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from google_storage import GoogleStorage, google_storage
from lake_state import GOLD_FILES
from shell import program

from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

BUCKET = "tests"
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
# Not real: a peer that requires credentials gets these, and no message may ever repeat them.
ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE0000000", "hunter2-hunter2-hunter2-hunter2"

# Variables that would lead a test to the real clouds, or around them.
FOREIGN = (
    "AWS_",
    "GOOGLE_",
    "GCE_",
    "STORAGE_EMULATOR_HOST",
    "SERVICE_ACCOUNT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
)


class Peer(ABC):
    """One bucket of a service."""

    scheme: str
    environment: dict[str, str]

    def uri(self, name: str) -> str:
        """The URI of an object or prefix."""
        return f"{self.scheme}://{BUCKET}/{name}"

    @abstractmethod
    def put(self, name: str, data: bytes) -> None:
        """Write an object without the code under test."""

    @abstractmethod
    def contents(self, prefix: str = "") -> dict[str, tuple[str, bytes]]:
        """Name → version and bytes: writing an object again shows even with the same bytes."""

    def data(self, name: str) -> bytes:
        return self.contents(name)[name][1]


class Google(Peer):
    """The strict little server."""

    scheme = "gs"

    def __init__(self, service: GoogleStorage) -> None:
        self.service = service
        self.environment = {"STORAGE_EMULATOR_HOST": service.endpoint}

    def put(self, name: str, data: bytes) -> None:
        self.service.put(BUCKET, name, data)

    def contents(self, prefix: str = "") -> dict[str, tuple[str, bytes]]:
        found = self.service.contents(BUCKET, prefix)
        return {name: (str(generation), data) for name, (generation, data) in found.items()}


class Amazon(Peer):
    """moto's server, which enforces `If-Match` and `If-None-Match` of puts."""

    scheme = "s3"

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }
        self.ask("PUT", f"/{BUCKET}")

    def ask(self, method: str, path: str, data: bytes | None = None) -> bytes:
        # Without a type, this library sends the data as a form, and moto parses it as one. Of a signature,
        # moto reads only the name in it.
        scope = f"{ACCESS_KEY}/20240301/us-east-1/s3/aws4_request"
        headers = {
            "Content-Type": "application/octet-stream",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }
        request = urllib.request.Request(self.endpoint + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            body: bytes = answer.read()
            return body

    def put(self, name: str, data: bytes) -> None:
        self.ask("PUT", f"/{BUCKET}/{quote(name)}", data)

    def contents(self, prefix: str = "") -> dict[str, tuple[str, bytes]]:
        found: dict[str, tuple[str, bytes]] = {}
        token: list[str] = []
        while True:
            query = f"/{BUCKET}?list-type=2&prefix={quote(prefix)}" + "".join(f"&continuation-token={t}" for t in token)
            page = ElementTree.fromstring(self.ask("GET", query))
            for entry in page.iter(NAMESPACE + "Contents"):
                name = entry.findtext(NAMESPACE + "Key") or ""
                # moto's times have microseconds, so that even the same bytes written again show.
                version = f"{entry.findtext(NAMESPACE + 'ETag')} {entry.findtext(NAMESPACE + 'LastModified')}"
                found[name] = (version, self.ask("GET", f"/{BUCKET}/{quote(name)}"))
            following = page.findtext(NAMESPACE + "NextContinuationToken")
            if not following:
                return found
            token = [quote(following)]


@contextmanager
def google() -> Iterator[Google]:
    """A service of its own."""
    with google_storage(BUCKET) as service:
        yield Google(service)


@contextmanager
def amazon() -> Iterator[Amazon]:
    """A process of its own, which says its port."""
    code = (
        "from moto.server import ThreadedMotoServer as Server; import sys\n"
        "server = Server(ip_address='127.0.0.1', port=0, verbose=False); server.start()\n"
        # The last one for Python 3.8 has no other way to say it.
        "print(server._server.server_port, flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        deadline = time.monotonic() + 30
        while True:
            try:
                peer = Amazon(f"http://127.0.0.1:{port}")
            except OSError:
                assert time.monotonic() < deadline, "moto's server does not answer"
                time.sleep(0.05)
            else:
                break
        yield peer
    finally:
        process.kill()
        process.communicate()


def point_to(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in peer.environment.items():
        monkeypatch.setenv(name, value)


def upload(peer: Peer, prefix: str, samples: Path) -> dict[str, Any]:
    """The sample files as objects; the sources that name them."""
    for path in samples.iterdir():
        if path.is_file():
            peer.put(f"{prefix}/in/{path.name}", path.read_bytes())
    return {
        "drugs": peer.uri(f"{prefix}/in/drugs.csv"),
        "pubmed": [peer.uri(f"{prefix}/in/pubmed.*")],
        "clinical_trials": peer.uri(f"{prefix}/in/clinical_trials.csv"),
    }


def local_gold(lake: Path) -> dict[str, bytes]:
    return {name: (lake / "gold" / name).read_bytes() for name in GOLD_FILES}


def bucket_gold(peer: Peer, lake: str) -> dict[str, bytes]:
    """The plain copies of the answers."""
    return {name: peer.data(f"{lake}/gold/{name}") for name in GOLD_FILES}


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(exceptions.DrugsError) as caught:
        call()
    return f"{type(caught.value).__name__}: {caught.value}"


def together(runs: list[dict[str, Any]], step: str = "run") -> list[dict[str, Any]]:
    """Start all runs, or one step of each, at once, each in a process of its own; what each says."""
    processes = [
        subprocess.Popen(
            [sys.executable, str(program("run_when_told")), json.dumps(run), step],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for run in runs
    ]
    answers: list[dict[str, Any]] = []
    try:
        for process in processes:
            assert process.stdout is not None and json.loads(process.stdout.readline()) == "ready"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            out, _ = process.communicate(timeout=120)
            answers.append(json.loads(out.splitlines()[-1]))
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    return answers
