"""NLM on loopback: the folders of PubMed with their pages, and ClinicalTrials.gov's API; both misbehave when told to.

`Nlm.trouble` sees every request first. It returns true if it has answered; `Handler` has the ways to answer badly.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Iterator, NamedTuple
from urllib.parse import parse_qs, urlsplit


class Seen(NamedTuple):
    """A request and its answer."""

    method: str
    path: str
    range: str | None
    status: int


@dataclass
class Published:
    """A file of PubMed, with what stands beside it in the listing."""

    data: bytes
    listed: str = "2026-01-09 14:31  1.2K"
    # What the file with the MD5 says, instead of the truth.
    md5: str | None = None
    has_md5: bool = True

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha1(self.data).hexdigest()}"'

    def sum_of(self, name: str) -> bytes:
        return f"MD5({name})= {self.md5 or hashlib.md5(self.data).hexdigest()}\n".encode()


@dataclass
class Nlm:
    """What is published, and what was asked for."""

    endpoint: str = ""
    files: dict[str, Published] = field(default_factory=dict)
    # Further lines of every listing.
    odd: str = ""
    # The days of the last update and the studies.
    studies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    timestamp: str = "2026-01-12T09:00:05"
    page: int = 3
    # By how many the total differs from the truth.
    miscounts: int = 0
    compresses: bool = True
    trouble: Callable[[Handler], bool] | None = None
    log: list[Seen] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def pubmed(self) -> str:
        return f"{self.endpoint}/pubmed/"

    @property
    def trials(self) -> str:
        return f"{self.endpoint}/api/v2"

    def put(self, name: str, data: bytes, **more: Any) -> None:
        self.files[name] = Published(data, **more)

    def asked(self, ending: str = "") -> list[Seen]:
        """The requests whose path ends so."""
        with self.lock:
            return [seen for seen in self.log if seen.path.endswith(ending)]

    def forget(self) -> None:
        with self.lock:
            self.log.clear()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    service: Nlm
    halves = False

    def log_message(self, *_: object) -> None:
        """Tests look at `log`."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.where, self.query = url.path, parse_qs(url.query)
        trouble = self.service.trouble
        if trouble is not None and trouble(self):
            return
        self.answer()

    do_HEAD = do_GET

    def half(self) -> None:
        """The answer that is due, but only half of its body comes."""
        self.halves = True
        self.answer()

    def late(self, seconds: float) -> None:
        """The answer that is due, later."""
        time.sleep(seconds)
        self.answer()

    def answer(self) -> None:
        """Answer as the real servers do."""
        folder = re.fullmatch(r"/pubmed/(baseline|updatefiles)/", self.where)
        if folder:
            self.say(200, self.listing(folder.group(1)), {"Content-Type": "text/html"})
        elif self.where.startswith("/pubmed/"):
            self.file(self.where[len("/pubmed/") :])
        elif self.where == "/api/v2/version":
            self.json({"apiVersion": "2.0.5", "dataTimestamp": self.service.timestamp})
        elif self.where == "/api/v2/studies":
            self.studies()
        else:
            self.say(404, b"no such page")

    def listing(self, folder: str) -> bytes:
        rows = ['<a href="/pubmed/">Parent Directory</a>                 -   ', self.service.odd]
        for path, file in sorted(self.service.files.items()):
            place, _, name = path.partition("/")
            if place == folder:
                rows.append(f'<a href="{name}">{name}</a>  {file.listed}')
                if file.has_md5:
                    rows.append(f'<a href="{name}.md5">{name}.md5</a>  {file.listed.split()[0]} 14:31   60')
        return ("<html><body><h1>Index</h1><pre>" + "\n".join(rows) + "</pre></body></html>").encode()

    def file(self, path: str) -> None:
        files = self.service.files
        name = path.rpartition("/")[2]
        if path.endswith(".md5") and path[: -len(".md5")] in files:
            self.say(200, files[path[: -len(".md5")]].sum_of(name[: -len(".md5")]))
        elif path in files:
            self.bytes_of(files[path])
        else:
            self.say(404, b"no such file")

    def bytes_of(self, file: Published) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted is None or self.headers.get("If-Range", file.tag) != file.tag:
            return self.say(200, file.data, {"ETag": file.tag})
        start, size = int(wanted.group(1)), len(file.data)
        if start >= size:
            return self.say(416, b"", {"Content-Range": f"bytes */{size}"})
        return self.say(206, file.data[start:], {"ETag": file.tag, "Content-Range": f"bytes {start}-{size - 1}/{size}"})

    def studies(self) -> None:
        service, query = self.service, self.query
        if query.get("format") != ["json"] or int(query["pageSize"][0]) > 1000:
            return self.say(400, b"what is that")
        days = re.fullmatch(
            r"AREA\[LastUpdatePostDate\]RANGE\[(MIN|\d{4}-\d\d-\d\d),(\d{4}-\d\d-\d\d)\]", query["filter.advanced"][0]
        )
        assert days is not None, query
        found = [study for day, study in sorted(service.studies, key=str) if days[1] <= day or days[1] == "MIN"
                 if day <= days[2]]  # fmt: skip
        start = 0
        if "pageToken" in query:
            token = re.fullmatch(r"after-(\d+)/\+=", query["pageToken"][0])
            if token is None:
                return self.say(400, b"not a token of mine")
            start = int(token.group(1))
        size = min(service.page, int(query["pageSize"][0]))
        page: dict[str, Any] = {"studies": found[start : start + size]}
        if query.get("countTotal") == ["true"]:
            page["totalCount"] = len(found) + service.miscounts
        if start + size < len(found):
            page["nextPageToken"] = f"after-{start + size}/+="
        return self.json(page)

    def json(self, value: object) -> None:
        body = json.dumps(value).encode()
        headers = {"Content-Type": "application/json"}
        if self.service.compresses and self.headers.get("Accept-Encoding") == "gzip":
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        self.say(200, body, headers)

    def say(self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: int | None = None) -> None:
        """Send an answer; `cut` bytes of its body, and then nothing more."""
        self.note(status)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.halves:
            cut, self.halves = len(body) // 2, False
        if self.command != "HEAD":
            self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True

    def note(self, status: int) -> None:
        with self.service.lock:
            self.service.log.append(Seen(self.command, self.path, self.headers.get("Range"), status))

    def slowly(self, status: int, body: bytes, headers: dict[str, str], pieces: int, pause: float) -> None:
        """Send an answer piece by piece, as long as anybody listens."""
        self.note(status)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        size = len(body) // pieces + 1
        try:
            for start in range(0, len(body), size):
                self.wfile.write(body[start : start + size])
                self.wfile.flush()
                time.sleep(pause)
        except OSError:
            self.close_connection = True


class Server(ThreadingHTTPServer):
    """Clients that are killed in the middle are no news."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def nlm_server() -> Iterator[Nlm]:
    """A server on a port of its own, with nothing published."""
    service = Nlm()
    server = Server(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"service": service}))
    service.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def always(trouble: Callable[[Handler], object], ending: str = ".xml.gz") -> Callable[[Handler], bool]:
    """A trouble for every request of paths that end so."""
    return times(1 << 30, trouble, ending)


def times(count: int, trouble: Callable[[Handler], object], ending: str = ".xml.gz") -> Callable[[Handler], bool]:
    """A trouble for the first requests of paths that end so."""
    left = [count]
    lock = threading.Lock()

    def first(handler: Handler) -> bool:
        with lock:
            if left[0] == 0 or not handler.where.endswith(ending):
                return False
            left[0] -= 1
        trouble(handler)
        return True

    return first


def study(number: int, title: str = "A trial of warfarin") -> dict[str, Any]:
    """A study as the API has it."""
    return {
        "protocolSection": {
            "identificationModule": {"nctId": f"NCT{number:08}", "briefTitle": title, "officialTitle": title},
            "statusModule": {"startDateStruct": {"date": "2020-01"}},
        },
        "hasResults": False,
    }
