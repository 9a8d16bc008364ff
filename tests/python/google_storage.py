"""A strict little Google Cloud Storage: the part of its XML API that the core speaks, with generations and conditions.

`gcp-storage-emulator` ignores `ifGenerationMatch` and lacks most of the XML API, and a fake that accepts what the real
service refuses proves nothing. So this one refuses what it does not know (501), a part that is too small, a page token
of its own making that came back changed; and it enforces `x-goog-if-generation-match` (412). It can be told to make
trouble: see `Trouble`.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000
SMALLEST_PART = 5 << 20
KNOWN_HEADERS = {
    "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host", "if-match",
    "range", "user-agent", "x-goog-if-generation-match", "x-goog-meta-drugs-rs-sha256",
}  # fmt: skip
KNOWN_QUERIES = {
    ("GET", True): {"list-type", "prefix", "delimiter", "continuation-token", "max-keys", "start-after"},
    ("GET", False): {"generation"},
    ("HEAD", False): {"generation"},
    ("PUT", False): {"partNumber", "uploadId"},
    ("POST", False): {"uploads", "uploadId"},
    ("DELETE", False): {"uploadId"},
}


@dataclass
class Blob:
    """An object."""

    data: bytes
    generation: int
    written: float
    metadata: dict[str, str]

    @property
    def tag(self) -> str:
        return '"' + hashlib.md5(self.data).hexdigest() + '"'


@dataclass
class Trouble:
    """The failures, until they are reset."""

    # Every n-th request is answered with this status and not executed.
    fail_every: int = 0
    status: int = 503
    # Every n-th answer to a GET of an object is cut in the middle.
    cut_every: int = 0
    # Every n-th answer to a LIST is cut in the middle.
    cut_lists_every: int = 0
    # The first n requests are answered with `status` and not executed.
    fail_first: int = 0
    # Every request is rejected with this status, code and message.
    refusal: tuple[int, str, str] | None = None
    # Every n-th put is executed, and its answer is lost.
    lose_every: int = 0
    # Every request is rejected with a message that repeats what it sent.
    echoes: bool = False
    # Objects are sent whole, whatever range was requested, as Google does when it decompresses them.
    whole: bool = False
    # Requests of these methods are not allowed.
    denied: tuple[str, ...] = ()
    # Called with the method and name of a request before it is executed; if it returns true, the request is
    # not executed.
    before: Callable[[str, str], bool | None] | None = None


@dataclass
class GoogleStorage:
    """The service: its buckets, its clock, its log."""

    buckets: dict[str, dict[str, Blob]] = field(default_factory=dict)
    trouble: Trouble = field(default_factory=Trouble)
    # Seconds by which the service's clock is ahead of this machine's.
    ahead: float = 0.0
    log: list[tuple[str, str, int]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    endpoint: str = ""
    page: int = PAGE
    generation: int = 1000
    uploads: dict[str, tuple[str, str, dict[int, Blob]]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def put(self, bucket: str, name: str, data: bytes, metadata: dict[str, str] | None = None) -> Blob:
        with self.lock:
            self.generation += 1
            blob = Blob(data, self.generation, time.time() + self.ahead, metadata or {})
            self.buckets[bucket][name] = blob
            return blob

    def names(self, bucket: str, prefix: str = "") -> list[str]:
        with self.lock:
            return sorted(name for name in self.buckets[bucket] if name.startswith(prefix))

    def contents(self, bucket: str, prefix: str = "") -> dict[str, tuple[int, bytes]]:
        """Name → generation and bytes: writing an object again shows even with the same bytes."""
        with self.lock:
            return {name: (blob.generation, blob.data) for name, blob in self.buckets[bucket].items()
                    if name.startswith(prefix)}  # fmt: skip

    def data(self, bucket: str, name: str) -> bytes:
        with self.lock:
            return self.buckets[bucket][name].data

    def every(self, what: str, count: int) -> bool:
        """Whether this is the n-th request, which fails."""
        with self.lock:
            self._counts[what] = self._counts.get(what, 0) + 1
            return count > 0 and self._counts[what] % count == 0


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # An answer is one packet, and does not wait for the acknowledgement of another.
    wbufsize = -1
    disable_nagle_algorithm = True
    service: GoogleStorage

    def log_message(self, *_: object) -> None:
        """Tests look at `log`."""

    def do_GET(self) -> None:
        self.handle_request()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        url = urlsplit(self.path)
        bucket, _, name = url.path.lstrip("/").partition("/")
        bucket, name = unquote(bucket), unquote(name)
        self.seen = f"{bucket}/{name}" + (f"?{url.query}" if url.query else "")
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        service, trouble = self.service, self.service.trouble
        with service.lock:
            service.authorizations.append(self.headers.get("authorization", ""))
        if trouble.before is not None and trouble.before(self.command, name):
            self.close_connection = True
            return None
        if trouble.echoes:
            return self.refuse(403, "AccessDenied", escape(f"{self.headers}".replace("\n", " ")))
        if trouble.refusal is not None:
            return self.refuse(*trouble.refusal)
        unknown = {key.lower() for key in self.headers} - KNOWN_HEADERS
        unknown |= set(query) - KNOWN_QUERIES.get((self.command, not name), set())
        if unknown:
            return self.refuse(501, "NotImplemented", f"this server does not know {sorted(unknown)}")
        if trouble.fail_first > 0:
            trouble.fail_first -= 1
            return self.refuse(trouble.status, "ServiceUnavailable", "Please try again.")
        if service.every("request", trouble.fail_every):
            return self.refuse(trouble.status, "ServiceUnavailable", "Please try again.")
        if self.command in trouble.denied:
            return self.refuse(403, "AccessDenied", "The identity does not have access to the bucket.")
        with service.lock:
            blobs = service.buckets.get(bucket)
            if blobs is None:
                return self.refuse(404, "NoSuchBucket", "The specified bucket does not exist.")
            return self.answer(blobs, bucket, name, query, body)

    def answer(self, blobs: dict[str, Blob], bucket: str, name: str, query: dict[str, str], body: bytes) -> None:
        if not name:
            return self.list(blobs, query)
        if self.command in ("GET", "HEAD"):
            return self.get(blobs.get(name), query)
        if self.command == "PUT" and "uploadId" in query:
            return self.put_part(query, body)
        if self.command == "PUT":
            return self.put(blobs.get(name), bucket, name, body)
        if self.command == "POST":
            return self.multipart(bucket, name, query, body)
        if "uploadId" in query:
            self.service.uploads.pop(query["uploadId"], None)
            return self.send(204)
        return self.send(204) if blobs.pop(name, None) else self.missing()

    def list(self, blobs: dict[str, Blob], query: dict[str, str]) -> None:
        if query.get("list-type") != "2":
            return self.refuse(501, "NotImplemented", "only list-type=2")
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = ""
        if "continuation-token" in query:
            try:
                after = json.loads(query["continuation-token"])["after"]
            except (ValueError, KeyError, TypeError):
                return self.refuse(400, "InvalidArgument", "not a token of mine")
        entries: dict[str, str] = {}
        for name in sorted(name for name in blobs if name.startswith(prefix)):
            rest = name[len(prefix) :]
            if delimiter and delimiter in rest:
                common = prefix + rest[: rest.index(delimiter) + 1]
                entries[common] = f"<CommonPrefixes><Prefix>{escape(common)}</Prefix></CommonPrefixes>"
            else:
                blob = blobs[name]
                written = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(blob.written))
                entries[name] = (
                    f"<Contents><Key>{escape(name)}</Key><Size>{len(blob.data)}</Size>"
                    f"<LastModified>{written}</LastModified><ETag>{escape(blob.tag)}</ETag></Contents>"
                )
        names = [name for name in sorted(entries) if name > after]
        page = names[: min(self.service.page, int(query.get("max-keys", PAGE)))]
        token = ""
        if len(page) < len(names):
            token = f"<NextContinuationToken>{escape(json.dumps({'after': page[-1]}))}</NextContinuationToken>"
        inner = "".join(entries[name] for name in page)
        return self.send_xml(f"<ListBucketResult>{inner}{token}</ListBucketResult>")

    def get(self, blob: Blob | None, query: dict[str, str]) -> None:
        if blob is None or ("generation" in query and int(query["generation"]) != blob.generation):
            return self.missing()
        if self.headers.get("if-match", blob.tag) != blob.tag:
            return self.refuse(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")
        headers = {
            "ETag": blob.tag,
            "x-goog-generation": str(blob.generation),
            "Last-Modified": formatdate(blob.written, usegmt=True),
        }
        headers.update(blob.metadata)
        data, status = blob.data, 200
        if "range" in self.headers and not self.service.trouble.whole:
            start, _, end = self.headers["range"].replace("bytes=", "").partition("-")
            first, last = int(start), min(int(end), len(data) - 1)
            if first >= len(data):
                return self.refuse(416, "InvalidRange", "The requested range cannot be satisfied.")
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            data, status = data[first : last + 1], 206
        return self.send(status, data, headers)

    def put(self, old: Blob | None, bucket: str, name: str, body: bytes) -> None:
        condition = self.headers.get("x-goog-if-generation-match")
        if condition is not None and int(condition) != (old.generation if old else 0):
            return self.refuse(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")
        metadata = {key: value for key, value in self.headers.items() if key.lower().startswith("x-goog-meta-")}
        blob = self.service.put(bucket, name, body, metadata)
        return self.send(200, b"", {"ETag": blob.tag, "x-goog-generation": str(blob.generation)})

    def put_part(self, query: dict[str, str], body: bytes) -> None:
        upload = self.service.uploads.get(query["uploadId"])
        if upload is None:
            return self.refuse(404, "NoSuchUpload", "The upload id is unknown.")
        part = Blob(body, 0, 0.0, {})
        upload[2][int(query["partNumber"])] = part
        return self.send(200, b"", {"ETag": part.tag})

    def multipart(self, bucket: str, name: str, query: dict[str, str], body: bytes) -> None:
        service = self.service
        if "uploads" in query:
            service.generation += 1
            upload_id = f"upload-{service.generation}"
            service.uploads[upload_id] = (bucket, name, {})
            return self.send_xml(
                f"<InitiateMultipartUploadResult><UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>"
            )
        upload = service.uploads.get(query["uploadId"])
        if upload is None or upload[:2] != (bucket, name):
            return self.refuse(404, "NoSuchUpload", "The upload id is unknown.")
        parts = [upload[2][number] for number in sorted(upload[2])]
        text = body.decode()
        if any(part.tag not in text.replace("&quot;", '"') for part in parts) or not parts:
            return self.refuse(400, "InvalidPart", "A part is missing from the list.")
        if any(len(part.data) < SMALLEST_PART for part in parts[:-1]):
            return self.refuse(400, "EntityTooSmall", "A part but the last is smaller than 5 MiB.")
        del service.uploads[query["uploadId"]]
        blob = service.put(bucket, name, b"".join(part.data for part in parts))
        return self.send_xml(
            f"<CompleteMultipartUploadResult><ETag>{escape(blob.tag)}</ETag></CompleteMultipartUploadResult>",
            {"x-goog-generation": str(blob.generation)},
        )

    def missing(self) -> None:
        self.refuse(404, "NoSuchKey", "The specified key does not exist.")

    def refuse(self, status: int, code: str, message: str) -> None:
        body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        self.send(status, body.encode(), {"Content-Type": "application/xml"})

    def send_xml(self, inner: str, headers: dict[str, str] | None = None) -> None:
        body = f"<?xml version='1.0' encoding='UTF-8'?>{inner}"
        self.send(200, body.encode(), {"Content-Type": "application/xml", **(headers or {})})

    def send(self, status: int, data: bytes = b"", headers: dict[str, str] | None = None) -> None:
        service, trouble = self.service, self.service.trouble
        with service.lock:
            service.log.append((self.command, self.seen, status))
        if self.command == "PUT" and status == 200 and service.every("put", trouble.lose_every):
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        is_object = self.command == "GET" and "ETag" in (headers or {})
        is_list = self.command == "GET" and data.startswith(b"<?xml") and b"<ListBucketResult>" in data
        if (is_object and service.every("get", trouble.cut_every)) or (
            is_list and service.every("list", trouble.cut_lists_every)
        ):
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self.wfile.write(data)


@contextmanager
def google_storage(*buckets: str, handler: type[Handler] = Handler) -> Iterator[GoogleStorage]:
    """A service on a port of its own, with these buckets."""
    service = GoogleStorage({name: {} for name in buckets})
    bound = type("BoundHandler", (handler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    server.daemon_threads = True
    service.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
