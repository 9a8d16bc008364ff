"""A strict little BigQuery: the part of its REST API that a load speaks, for the real `google-cloud-bigquery` client.

No emulator that can be installed here carries the load jobs: `crucible-emulator` 0.1.0a2 answers `timePartitioning` in
`tables.insert` with 400 and loads CSV alone; `local-bigquery` 0.3.2 and `bqemulator` 1.4.0 fail before that. And a fake
that accepts what the service refuses proves nothing. So this one stores rows in DuckDB, answers what it does not know
with 501, and enforces: schemas and modes, partitions, clustering, locations, ids of jobs that are unique for ever, the
condition of an update (`If-Match`), the limits of a job (`bigquery_loads`). It can be told to make trouble: see
`Trouble`. It does not check credentials, does not bill, and has no quotas but those of partitions.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb
import sqlglot
from bigquery_loads import PARTITIONS_OF_A_TABLE, JobError, loaded

Json = Dict[str, Any]
PROJECT = "test-project"
TYPES = {"STRING": "VARCHAR", "INTEGER": "BIGINT", "FLOAT": "DOUBLE", "BOOLEAN": "BOOLEAN", "DATE": "DATE"}
# What each call needs.
PERMISSIONS = (
    ("GET", r"/datasets/\w+", "bigquery.datasets.get"),
    ("POST", r"/datasets", "bigquery.datasets.create"),
    ("GET", r"/datasets/\w+/tables", "bigquery.tables.list"),
    ("POST", r"/datasets/\w+/tables", "bigquery.tables.create"),
    ("GET", r"/datasets/\w+/tables/\w+", "bigquery.tables.get"),
    ("PATCH", r"/datasets/\w+/tables/\w+", "bigquery.tables.update"),
    ("GET", r"/datasets/\w+/tables/\w+/data", "bigquery.tables.getData"),
    ("POST", r"/jobs", "bigquery.jobs.create"),
    ("GET", r"/jobs/[\w-]+", "bigquery.jobs.get"),
)
PATCHED = {"description", "labels", "schema", "tableConstraints"}


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


@dataclass
class Trouble:
    """The failures, until they are reset."""

    # Every n-th request is answered with this status and reason and not executed.
    fail_every: int = 0
    status: int = 503
    reason: str = "backendError"
    # These requests are refused: [pattern of "METHOD /path", number of times, status, reason, message].
    refusals: list[Any] = field(default_factory=list)
    # The answers to the next n insertions of jobs are lost.
    lose_answers: int = 0
    # The next jobs whose id matches fail with this reason: pattern → reasons.
    failures: dict[str, list[str]] = field(default_factory=dict)
    # Jobs take so long, and are executed at the end of it.
    job_seconds: float = 0.0
    # Jobs whose id matches take longer.
    slow: dict[str, float] = field(default_factory=dict)
    # Permissions that the caller lacks.
    denied: set[str] = field(default_factory=set)
    # Every request is refused with a message that repeats what it sent.
    echoes: bool = False
    # Called before a request is executed, with the method and the path; it may make requests itself.
    before: Callable[[str, str], None] | None = None


@dataclass
class Job:
    """A job."""

    resource: Json
    data: bytes | None
    ends: float
    done: bool = False
    rows: list[Any] = field(default_factory=list)
    columns: list[Json] = field(default_factory=list)


@dataclass
class BigQuery:
    """The service: its datasets, tables, jobs and its log."""

    endpoint: str = ""
    trouble: Trouble = field(default_factory=Trouble)
    datasets: dict[str, Json] = field(default_factory=dict)
    tables: dict[tuple[str, str], Json] = field(default_factory=dict)
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    log: list[tuple[str, str, int]] = field(default_factory=list)
    # Reads an object of a bucket, and where buckets are.
    fetch: Callable[[str], bytes] | None = None
    bucket_location: str = "US"
    page: int = 1000
    lock: threading.RLock = field(default_factory=threading.RLock)
    clock: int = 1_700_000_000_000
    requests: int = 0
    uploads: dict[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.database = duckdb.connect()

    # --- For tests -------------------------------------------------------------------------------------------------

    def rows(self, dataset: str, table: str) -> list[Json]:
        """The rows of a table, without the API."""
        with self.lock:
            cursor = self.database.execute(f'SELECT * FROM "{dataset}"."{table}"')
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row)) for row in cursor.fetchall()]

    def calls(self, method: str = "", path: str = "") -> list[tuple[str, str, int]]:
        """The requests so far that match."""
        return [call for call in list(self.log) if call[0].startswith(method) and re.search(path, call[1])]

    def loads(self, pattern: str = "") -> list[Json]:
        """The configurations of the load jobs that succeeded, in the order in which they came."""
        return [
            job.resource["configuration"]["load"]
            for (_, job_id), job in self.jobs.items()
            if "load" in job.resource["configuration"] and re.search(pattern, job_id)
            and "errorResult" not in job.resource["status"]
        ]  # fmt: skip

    def execute(self, statement: str) -> None:
        """Change rows behind the back of everybody."""
        with self.lock:
            self.database.execute(statement)

    def settle(self) -> None:
        """Wait for all jobs."""
        for key in list(self.jobs):
            while not self.state(self.jobs[key]):
                time.sleep(0.005)

    # --- Datasets and tables ---------------------------------------------------------------------------------------

    def tick(self) -> int:
        with self.lock:
            self.clock += 1000
            return self.clock

    def dataset(self, name: str) -> Json:
        if name not in self.datasets:
            raise Refusal(404, "notFound", f"Not found: Dataset {PROJECT}:{name}")
        return self.datasets[name]

    def table(self, dataset: str, name: str) -> Json:
        self.dataset(dataset)
        if (dataset, name) not in self.tables:
            raise Refusal(404, "notFound", f"Not found: Table {PROJECT}:{dataset}.{name}")
        return self.tables[dataset, name]

    def create_dataset(self, body: Json) -> Json:
        name = body["datasetReference"]["datasetId"]
        if name in self.datasets:
            raise Refusal(409, "duplicate", f"Already Exists: Dataset {PROJECT}:{name}")
        made = {**body, "id": f"{PROJECT}:{name}", "location": body.get("location") or "US"}
        self.datasets[name] = {**made, "creationTime": str(self.tick())}
        self.database.execute(f'CREATE SCHEMA "{name}"')
        return self.datasets[name]

    def create_table(self, dataset: str, body: Json) -> Json:
        location, name = self.dataset(dataset)["location"], body["tableReference"]["tableId"]
        known = {
            "tableReference",
            "description",
            "labels",
            "schema",
            "timePartitioning",
            "clustering",
            "tableConstraints",
        }
        if set(body) - known:
            raise Refusal(501, "notImplemented", f"this server does not know {sorted(set(body) - known)}")
        if (dataset, name) in self.tables:
            raise Refusal(409, "duplicate", f"Already Exists: Table {PROJECT}:{dataset}.{name}")
        if not re.fullmatch(r"\w+", name):
            raise Refusal(400, "invalid", f"Invalid table ID {name!r}")
        names = {column["name"]: column for column in body["schema"]["fields"]}
        partitioning = body.get("timePartitioning")
        if partitioning is not None and names.get(partitioning["field"], {}).get("type") != "DATE":
            raise Refusal(400, "invalid", "The field of the partitions must be a DATE")
        for column in (body.get("clustering") or {}).get("fields", []):
            if names[column]["mode"] == "REPEATED":
                raise Refusal(400, "invalid", f"Cannot cluster by {column}")
        now = str(self.tick())
        made = {**body, "id": f"{PROJECT}:{dataset}.{name}", "type": "TABLE", "location": location}
        self.tables[dataset, name] = {**made, "creationTime": now}
        columns = ", ".join(f'"{column["name"]}" {self.type_of(column)}' for column in names.values())
        self.database.execute(f'CREATE TABLE "{dataset}"."{name}" ({columns})')
        self.touch(dataset, name)
        return self.tables[dataset, name]

    def patch_table(self, dataset: str, name: str, body: Json, condition: str | None) -> Json:
        table = self.table(dataset, name)
        if condition is not None and condition != table["etag"]:
            raise Refusal(412, "conditionNotMet", "Precondition Failed")
        body = {key: value for key, value in body.items() if key not in ("tableReference", "etag")}
        if set(body) - PATCHED:
            raise Refusal(501, "notImplemented", f"this server does not change {sorted(set(body) - PATCHED)}")
        if "schema" in body:
            old = [(each["name"], each["type"], each["mode"]) for each in table["schema"]["fields"]]
            if old != [(each["name"], each["type"], each["mode"]) for each in body["schema"]["fields"]]:
                raise Refusal(400, "invalid", f"Provided Schema does not match Table {table['id']}")
        table.update(body)
        self.touch(dataset, name)
        return table

    def delete_table(self, dataset: str, name: str) -> None:
        self.table(dataset, name)
        del self.tables[dataset, name]
        self.database.execute(f'DROP TABLE "{dataset}"."{name}"')

    def touch(self, dataset: str, name: str) -> None:
        """Give a changed table a new tag."""
        table, now = self.tables[dataset, name], str(self.tick())
        [(count,)] = self.database.execute(f'SELECT count(*) FROM "{dataset}"."{name}"').fetchall()
        table.update(numRows=str(count), lastModifiedTime=now, etag=hashlib.md5(now.encode()).hexdigest())

    @staticmethod
    def type_of(column: Json) -> str:
        if column["type"] == "RECORD":
            fields = (f'"{field["name"]}" {BigQuery.type_of(field)}' for field in column["fields"])
            kind = f"STRUCT({', '.join(fields)})"
        else:
            kind = TYPES[column["type"]]
        return kind + ("[]" if column["mode"] == "REPEATED" else "")

    # --- Jobs ------------------------------------------------------------------------------------------------------

    def insert_job(self, body: Json, data: bytes | None) -> Json:
        reference = body["jobReference"]
        location, job_id = reference.get("location") or "US", reference["jobId"]
        if reference["projectId"] != PROJECT or not re.fullmatch(r"[\w-]{1,1024}", job_id):
            raise Refusal(400, "invalid", f"Invalid job {reference}")
        if (location, job_id) in self.jobs:
            raise Refusal(409, "duplicate", f"Already Exists: Job {PROJECT}:{location}.{job_id}")
        load = body["configuration"].get("load")
        if load is not None:
            dataset = load["destinationTable"]["datasetId"]
            if dataset not in self.datasets or self.datasets[dataset]["location"] != location:
                raise Refusal(
                    404, "notFound", f"Not found: Dataset {PROJECT}:{dataset} was not found in location {location}"
                )
        resource = {
            "id": f"{PROJECT}:{location}.{job_id}",
            "jobReference": {"projectId": PROJECT, "jobId": job_id, "location": location},
            "configuration": {**body["configuration"], "jobType": "LOAD" if load is not None else "QUERY"},
            "status": {"state": "RUNNING"},
            "statistics": {"creationTime": str(self.tick()), "startTime": str(self.tick())},
        }
        slow = (more for pattern, more in self.trouble.slow.items() if re.search(pattern, job_id))
        seconds = self.trouble.job_seconds + sum(slow)
        job = self.jobs[location, job_id] = Job(resource, data, time.monotonic() + seconds)
        if seconds:
            threading.Timer(seconds, self.state, [job]).start()
        else:
            self.state(job)
        return resource

    def state(self, job: Job) -> bool:
        """Execute a job whose time has come; whether it is done."""
        with self.lock:
            if job.done or time.monotonic() < job.ends:
                return job.done
            job.done = True
            status = job.resource["status"] = {"state": "DONE"}
            try:
                self.fail_on_demand(job.resource["jobReference"]["jobId"])
                if "load" in job.resource["configuration"]:
                    self.run_load(job)
                else:
                    self.run_query(job)
            except JobError as error:
                said = {"reason": error.reason, "message": str(error)}
                job.resource["status"] = {**status, "errorResult": said, "errors": [said]}
            job.resource["statistics"]["endTime"] = str(self.tick())
            job.data = None
            return True

    def fail_on_demand(self, job_id: str) -> None:
        for pattern, reasons in self.trouble.failures.items():
            if reasons and re.search(pattern, job_id):
                raise JobError(reasons.pop(0), "The job encountered an error during execution. Retrying may help.")

    def run_load(self, job: Job) -> None:
        config = job.resource["configuration"]["load"]
        place = config["destinationTable"]
        dataset, name = place["datasetId"], place["tableId"].partition("$")[0]
        table = self.tables.get((dataset, name))
        if table is None:
            raise JobError("notFound", f"Not found: Table {PROJECT}:{dataset}.{name}")
        found = loaded(config, table, job.data, self.read_object)
        where = f'"{dataset}"."{name}"'
        self.database.execute("BEGIN")
        try:
            if found.truncates and found.partition is not None:
                date = datetime.datetime.strptime(found.partition, "%Y%m%d").date()
                self.database.execute(f"DELETE FROM {where} WHERE dt = ?", [date])
            elif found.truncates:
                self.database.execute(f"DELETE FROM {where}")
            if found.rows:
                marks = ", ".join("?" for _ in found.schema)
                values = [[row.get(column["name"]) for column in found.schema] for row in found.rows]
                self.database.executemany(f"INSERT INTO {where} VALUES ({marks})", values)
            if table.get("timePartitioning"):
                [(count,)] = self.database.execute(f"SELECT count(DISTINCT dt) FROM {where}").fetchall()
                if count > PARTITIONS_OF_A_TABLE:
                    raise JobError("quotaExceeded", f"Quota exceeded: too many partitions of {table['id']}")
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")
        if found.truncates and found.partition is None:
            table["schema"] = {"fields": found.schema}
            table.pop("tableConstraints", None)
        self.touch(dataset, name)
        job.resource["statistics"]["load"] = {"outputRows": str(len(found.rows))}

    def read_object(self, uri: str) -> bytes:
        if self.fetch is None:
            raise JobError("notFound", f"Not found: URI {uri}")
        if self.bucket_location != next(iter(self.datasets.values()))["location"]:
            places = f"source: {self.bucket_location}, destination: {next(iter(self.datasets.values()))['location']}"
            raise JobError("invalid", f"Cannot read and write in different locations: {places}")
        try:
            return self.fetch(uri)
        except KeyError:
            raise JobError("notFound", f"Not found: URI {uri}") from None
        except PermissionError:
            message = "Access Denied: File: the caller does not have storage.objects.get access to the object."
            raise JobError("accessDenied", message) from None

    def run_query(self, job: Job) -> None:
        """Run a query in DuckDB."""
        tree = sqlglot.parse_one(job.resource["configuration"]["query"]["query"], dialect="bigquery")
        for table in tree.find_all(sqlglot.exp.Table):
            names = ".".join(part.name for part in table.parts).split(".")
            if len(names) == 1:  # of the query itself
                continue
            if (names[-2], names[-1]) not in self.tables:
                raise JobError("notFound", f"Not found: Table {'.'.join(names)}")
            plain = sqlglot.exp.table_(names[-1], db=names[-2], quoted=True)
            table.replace(sqlglot.exp.alias_(plain, table.alias, table=True) if table.alias else plain)
        statement = tree.sql(dialect="duckdb").replace("RAISE_ERROR(", "ERROR(")
        statistics: Json = {"statementType": tree.key.upper()}
        if isinstance(tree, sqlglot.exp.Delete):
            [(count,)] = self.database.execute(statement).fetchall()
            for dataset, name in self.tables:
                self.touch(dataset, name)
            statistics["numDmlAffectedRows"] = str(count)
        elif isinstance(tree, sqlglot.exp.Query):
            relation = self.database.sql(statement)
            job.columns = [column_of(name, str(kind)) for name, kind in zip(relation.columns, relation.types)]
            job.rows = [as_row(row) for row in relation.fetchall()]
        else:
            raise JobError("notImplemented", f"{tree.key} statements")
        job.resource["statistics"]["query"] = statistics

    def results(self, job: Job) -> Json:
        return {
            "jobReference": job.resource["jobReference"],
            "jobComplete": self.state(job),
            "schema": {"fields": job.columns},
            "rows": job.rows,
            "totalRows": str(len(job.rows)),
        }


def column_of(name: str, kind: str) -> Json:
    """A column of a result, as the API has it."""
    kinds = {duck: ours for ours, duck in TYPES.items()}
    mode = "REPEATED" if kind.endswith("[]") else "NULLABLE"
    return {"name": name, "type": kinds.get(kind[:-2] if kind.endswith("[]") else kind, "INTEGER"), "mode": mode}


def as_value(value: Any) -> Json:
    """A value as the API has it."""
    if isinstance(value, list):
        return {"v": [as_value(each) for each in value]}
    if isinstance(value, bool):
        return {"v": "true" if value else "false"}
    return {"v": None if value is None else str(value)}


def as_row(row: Any) -> Json:
    return {"f": [as_value(value) for value in row]}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # An answer is one packet, and does not wait for the acknowledgement of another.
    wbufsize = -1
    disable_nagle_algorithm = True
    service: BigQuery

    def log_message(self, *_: object) -> None:
        """Tests look at `log`."""

    def do_GET(self) -> None:
        self.handle_request()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        url = urlsplit(self.path)
        self.seen, query = unquote(url.path), dict(parse_qsl(url.query))
        service = self.service
        try:
            if service.trouble.before is not None:
                service.trouble.before(self.command, self.seen)
            with service.lock:
                service.requests += 1
                self.make_trouble()
                answer = self.answer(self.seen, query, body)
        except Refusal as error:
            said = {"reason": error.reason, "message": str(error), "domain": "global"}
            self.send(error.status, {"error": {"code": error.status, "message": str(error), "errors": [said]}})
            return
        if answer is not None:
            is_job = "jobReference" in answer and self.command in ("POST", "PUT")
            if is_job and service.trouble.lose_answers > 0:
                service.trouble.lose_answers -= 1
                service.log.append((self.command, self.seen, 0))
                self.close_connection = True
                return
            self.send(200, answer)

    def make_trouble(self) -> None:
        trouble = self.service.trouble
        if trouble.echoes:
            raise Refusal(403, "accessDenied", f"Access Denied: {self.headers}")
        if trouble.fail_every and self.service.requests % trouble.fail_every == 0:
            raise Refusal(trouble.status, trouble.reason, "Please try again.")
        for refusal in trouble.refusals:
            pattern, times, status, reason, message = refusal
            if times and re.search(pattern, f"{self.command} {self.seen}"):
                refusal[1] -= 1
                raise Refusal(status, reason, message)
        path = self.seen.partition(f"/projects/{PROJECT}")[2]
        for method, pattern, permission in PERMISSIONS:
            if permission in trouble.denied and method == self.command and re.fullmatch(pattern, path):
                message = f"Access Denied: Project {PROJECT}: User does not have {permission} permission in {PROJECT}."
                raise Refusal(403, "accessDenied", message)

    def answer(self, path: str, query: dict[str, str], body: bytes) -> Json | None:
        service = self.service
        if path.startswith("/upload/"):
            return self.upload(query, body)
        found = re.fullmatch(rf"/bigquery/v2/projects/{PROJECT}/(.*)", path)
        if found is None:
            raise Refusal(404, "notFound", f"Not found: Project of {path}")
        parts, method = found[1].split("/"), self.command
        given: Json = json.loads(body) if body else {}
        if parts[0] in ("jobs", "queries"):
            return self.answer_job(method, parts, query, given)
        if method == "POST" and parts == ["datasets"]:
            return service.create_dataset(given)
        if method == "GET" and len(parts) == 2:
            return service.dataset(parts[1])
        if parts[2:3] != ["tables"]:
            raise Refusal(501, "notImplemented", f"{method} {path}")
        if method == "POST" and len(parts) == 3:
            return service.create_table(parts[1], given)
        if method == "GET" and len(parts) == 3:
            service.dataset(parts[1])
            names = sorted(name for dataset, name in service.tables if dataset == parts[1])
            return self.paged(names, query, lambda name: service.tables[parts[1], name], "tables")
        if method == "GET" and len(parts) == 4:
            return service.table(parts[1], parts[3])
        if method == "PATCH" and len(parts) == 4:
            return service.patch_table(parts[1], parts[3], given, self.headers.get("if-match"))
        if method == "DELETE" and len(parts) == 4:
            service.delete_table(parts[1], parts[3])
            return {}
        if method == "GET" and parts[4:] == ["data"]:
            service.table(parts[1], parts[3])
            rows = service.database.execute(f'SELECT * FROM "{parts[1]}"."{parts[3]}"').fetchall()
            return {**self.paged(rows, query, as_row, "rows"), "totalRows": str(len(rows))}
        raise Refusal(501, "notImplemented", f"{method} {path}")

    def paged(self, found: list[Any], query: dict[str, str], show: Callable[[Any], Json], key: str) -> Json:
        start = int(query.get("pageToken", "0"))
        end = start + min(self.service.page, int(query.get("maxResults", self.service.page)))
        token = {} if end >= len(found) else {"pageToken" if key == "rows" else "nextPageToken": str(end)}
        return {key: [show(each) for each in found[start:end]], **token}

    def answer_job(self, method: str, parts: list[str], query: dict[str, str], given: Json) -> Json:
        service = self.service
        if method == "POST" and parts == ["jobs"]:
            return service.insert_job(given, None)
        if len(parts) == 2 and method == "GET":
            job = service.jobs.get((query.get("location") or "US", parts[1]))
            if job is None:
                raise Refusal(404, "notFound", f"Not found: Job {PROJECT}:{query.get('location')}.{parts[1]}")
            service.state(job)
            if parts[0] == "queries" and "errorResult" in job.resource["status"]:
                error = job.resource["status"]["errorResult"]
                raise Refusal(400, error["reason"], error["message"])
            return service.results(job) if parts[0] == "queries" else job.resource
        raise Refusal(501, "notImplemented", f"{method} {parts}")

    def upload(self, query: dict[str, str], body: bytes) -> Json | None:
        """A job with data: in one request, or a request for a place and then chunks of it."""
        service = self.service
        if query.get("uploadType") == "multipart":
            boundary = re.fullmatch(r'multipart/related; boundary="?([^"]+)"?', self.headers["content-type"])
            assert boundary is not None
            _, first, second, _ = body.split(b"--" + boundary[1].encode())
            job, data = (part.partition(b"\r\n\r\n")[2][:-2] for part in (first, second))
            return service.insert_job(json.loads(job), data)
        if query.get("uploadType") != "resumable":
            raise Refusal(501, "notImplemented", f"upload {query}")
        if self.command == "POST":
            number = str(len(service.uploads) + 1)
            service.uploads[number] = {"job": json.loads(body), "data": b""}
            place = f"{service.endpoint}/upload/bigquery/v2/jobs?uploadType=resumable&upload_id={number}"
            self.send(200, {}, {"Location": place})
            return None
        upload = service.uploads[query["upload_id"]]
        sent = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", self.headers["content-range"])
        if sent is None or (sent[1] is not None and int(sent[1]) != len(upload["data"])):
            raise Refusal(400, "invalid", f"Content-Range: {self.headers['content-range']}")
        upload["data"] += body
        if sent[3] == "*" or int(sent[3]) > len(upload["data"]):
            self.send(308, None, {"Range": f"bytes=0-{len(upload['data']) - 1}"})
            return None
        return service.insert_job(upload["job"], upload["data"])

    def send(self, status: int, answer: Json | None, headers: dict[str, str] | None = None) -> None:
        self.service.log.append((self.command, self.seen, status))
        data = b"" if answer is None else json.dumps(answer, default=str).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def bigquery_server() -> Iterator[BigQuery]:
    """A service on a port of its own."""
    service = BigQuery()
    bound = type("BoundHandler", (Handler,), {"service": service})
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
        service.database.close()
