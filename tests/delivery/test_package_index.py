"""Uploads: all or nothing, never over other bytes, repeatable."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import package_index
import pytest
from conftest import NEW, Cloud

PLACE = ["--project", "p", "--location", "l", "--repository", "r"]


def upload(dist: Path) -> int:
    return package_index.main(["--version", NEW, "registry", str(dist), *PLACE])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_wheels_are_uploaded_once(cloud: Cloud, dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert upload(dist) == 0
    assert cloud.state["registry"] == {path.name: digest(path) for path in dist.glob("*.whl")}
    assert upload(dist) == 0
    assert "uploaded nothing, all files are there" in capsys.readouterr().out
    [call] = cloud.calls("twine")
    assert "https://l-python.pkg.dev/p/r/" in call
    # A command line is visible to every process of the machine.
    assert not [word for call in cloud.state["calls"] for word in call if "secret" in word]


def test_a_file_with_other_bytes_is_never_replaced(
    cloud: Cloud, dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = max(dist.glob("*.whl"))
    cloud.set(registry={last.name: "0" * 64})
    assert upload(dist) == 1
    message = capsys.readouterr().err
    assert f"has these files with other bytes: {last.name}" in message
    assert "raise the version" in message
    assert cloud.state["registry"] == {last.name: "0" * 64}
    assert not cloud.calls("twine")


def test_a_half_done_upload_is_named_and_can_be_finished(
    cloud: Cloud, dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.trouble(half_upload=1)
    assert upload(dist) == 1
    message = capsys.readouterr().err
    assert "503 Service Unavailable" in message
    assert "macosx" not in message.split("after the upload")[0]
    assert message.split("after the upload")[0].count(".whl") == 4
    assert "secret" not in message
    assert upload(dist) == 0
    assert len(cloud.state["registry"]) == 5


def test_an_upload_whose_answer_was_lost_has_happened(cloud: Cloud, dist: Path) -> None:
    cloud.trouble(lost_upload=1)
    assert upload(dist) == 0


def test_an_empty_folder_is_refused(cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert upload(tmp_path) == 1
    assert "has no file of release 0.2.0" in capsys.readouterr().err
    assert cloud.state["calls"] == []


class Simple(BaseHTTPRequestHandler):
    """The simple API of PyPI."""

    files: ClassVar[dict[str, str]] = {}
    status = 200

    def do_GET(self) -> None:
        assert self.headers["Accept"] == "application/vnd.pypi.simple.v1+json"
        self.send_response(self.status)
        self.end_headers()
        files = [{"filename": name, "hashes": {"sha256": value}} for name, value in self.files.items()]
        self.wfile.write(json.dumps({"files": files}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def pypi(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Simple]]:
    class Own(Simple):
        pass

    server = HTTPServer(("127.0.0.1", 0), Own)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    monkeypatch.setenv("DRUGS_RS_SIMPLE_INDEX", f"http://127.0.0.1:{server.server_port}/simple/drugs-rs/")
    yield Own
    server.shutdown()
    thread.join()
    server.server_close()


def select(dist: Path, to: Path) -> int:
    return package_index.main(["--version", NEW, "pypi", str(dist), "--to", str(to)])


def test_the_first_release_is_published_whole(pypi: type[Simple], dist: Path, tmp_path: Path) -> None:
    pypi.status = 404
    assert select(dist, tmp_path / "to") == 0
    assert {path.name for path in (tmp_path / "to").iterdir()} == {path.name for path in dist.iterdir()}


def test_a_repeated_release_publishes_what_is_missing(
    pypi: type[Simple], dist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there, *missing = sorted(dist.iterdir())
    pypi.files = {there.name: digest(there)}
    assert select(dist, tmp_path / "to") == 0
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == [path.name for path in missing]
    assert capsys.readouterr().out == "missing=5\n"


@pytest.mark.parametrize("trouble", ["other bytes", "server"])
def test_nothing_is_published_over_other_bytes_or_without_an_answer(
    pypi: type[Simple], dist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], trouble: str
) -> None:
    if trouble == "server":
        pypi.status = 503
    else:
        pypi.files = {min(dist.iterdir()).name: "0" * 64}
    assert select(dist, tmp_path / "to") == 1
    assert not (tmp_path / "to").exists()
    message = capsys.readouterr().err
    assert "nothing was published" in message if trouble == "server" else "with other bytes" in message
