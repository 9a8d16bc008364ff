"""Buckets when things go wrong: servers fail, connections break, runs are killed, credentials are none."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Callable

import pytest
from bucket_peers import ACCESS_KEY, BUCKET, SECRET_KEY, Google, bucket_gold, local_gold, refused, upload
from google_storage import Trouble
from shell import command, program, run_arguments

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

DT = "2024-03-01"
DAY = 24 * 60 * 60
# The goal is one second; a noisy machine with two cores gets three.
PATIENCE_SECONDS = 3.0


@pytest.fixture
def sources(gs: Google, samples: Path) -> dict[str, Any]:
    return upload(gs, "data", samples)


def run(gs: Google, sources: dict[str, Any], **others: Any) -> dict[str, Any]:
    return drugs_rs.run(**dict(dict(sources, out=gs.uri("lake"), dt=DT), **others))


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(fail_every=3),
        Trouble(fail_every=3, status=429),
        Trouble(cut_every=2),
        Trouble(lose_every=3),
        Trouble(fail_every=5, cut_every=5, lose_every=5),
        # Every second answer: that of the lake's state, which is the first of a step, and any list.
        Trouble(cut_every=2, cut_lists_every=2),
    ],
    ids=["503", "429", "cut", "lost", "all", "states and lists"],
)
def test_a_server_in_trouble_is_asked_again(
    gs: Google, sources: dict[str, Any], sample_lake: Path, trouble: Trouble
) -> None:
    gs.service.trouble = trouble
    run(gs, sources)
    gs.service.trouble = Trouble()
    assert bucket_gold(gs, "lake") == local_gold(sample_lake)
    state = json.loads(gs.data("lake/_lake.json"))
    # Three by bronze, one by silver, one by gold.
    assert state["commit"] == 5, "an answer that was lost is no second commit"
    before = gs.contents("lake")
    assert run(gs, sources)["unchanged"] is True
    assert gs.contents("lake") == before


@pytest.mark.parametrize("source", ["data/in/", "data/in/*.csv", "data/in/pubmed.csv"])
def test_a_list_that_breaks_off_is_asked_for_again(gs: Google, sources: dict[str, Any], source: str) -> None:
    """The first broken body of a list, or of the lake's state, ended the run."""
    assert sources
    gs.put("vocabulary/drugs.csv", gs.data("data/in/drugs.csv"))
    gs.put("data/in/drugs.csv", b"id,title,date,journal\n77,Aspirin,2020-01-01,J\n")
    gs.put("data/in/clinical_trials.csv", b"id,title,date,journal\n78,Aspirin,2020-01-01,J\n")
    arguments: dict[str, Any] = {
        "drugs": gs.uri("vocabulary/drugs.csv"),
        "pubmed": gs.uri(source),
        "out": gs.uri("lake"),
        "dt": DT,
    }
    expected = drugs_rs.run(**arguments)
    gs.service.trouble = Trouble(cut_lists_every=2, cut_every=2)
    for what in ("list", "get"):
        # So that the second answer comes first.
        gs.service.every(what, 0)
    assert drugs_rs.run(**dict(arguments, out=gs.uri("other")))["rows_in"] == expected["rows_in"]


def test_a_server_that_is_busy_for_long_is_asked_again(gs: Google, sources: dict[str, Any], tmp_path: Path) -> None:
    """More refusals than the library asks again, and so as many seconds of a server out of order."""
    gs.service.trouble = Trouble(fail_first=16)
    drugs_rs.bronze(drugs=sources["drugs"], out=tmp_path, dt=DT)
    assert gs.service.trouble.fail_first == 0
    drugs_rs.bronze(drugs=sources["drugs"], out=gs.uri("lake"), dt=DT)

    def busy(method: str, name: str) -> None:
        # The put that commits.
        if method == "PUT" and name.endswith("_lake.json"):
            gs.service.trouble.before = None
            gs.service.trouble.fail_first = 16

    gs.service.trouble = Trouble(before=busy)
    drugs_rs.bronze(drugs=sources["drugs"], out=gs.uri("lake"), dt="2024-03-02")
    assert gs.service.trouble.fail_first == 0
    assert json.loads(gs.data("lake/_lake.json"))["commit"] == 2


def test_a_server_that_stays_busy_ends_within_a_second_of_a_signal(gs: Google, sources: dict[str, Any]) -> None:
    asked = threading.Event()

    def count(_: str, __: str) -> None:
        if gs.service.trouble.fail_first < 10**6 - 14:
            asked.set()

    gs.service.trouble = Trouble(fail_first=10**6, before=count)
    arguments = run_arguments(sources, gs.uri("lake"), DT)  # type: ignore[arg-type]
    assert interrupted(arguments, asked.is_set, signal.SIGTERM) < PATIENCE_SECONDS


def test_a_large_object_through_broken_connections(gs: Google, tmp_path: Path) -> None:
    """Several pieces of one object, each of which breaks once in a while, arrive whole and in order."""
    rows = "".join(f"A{number:07d},name{number}\n" for number in range(600000))
    gs.put("big.csv", b"atccode,drug\n" + rows.encode())
    gs.service.trouble = Trouble(cut_every=3)
    drugs_rs.bronze(drugs=gs.uri("big.csv"), out=tmp_path, dt=DT)
    [copy] = (tmp_path / "bronze" / "drugs" / f"dt={DT}").glob("big.csv")
    assert copy.read_bytes() == gs.data("big.csv")
    drugs_rs.bronze(drugs=copy, out=gs.uri("lake"), dt=DT)
    [name] = [name for name in gs.contents("lake") if name.endswith("/big.csv")]
    assert gs.data(name) == gs.data("big.csv"), "it went up in parts"


def killed_at(gs: Google, number: int, arguments: list[str]) -> bool:
    """Start a run and kill it right before its so-manieth write is done; False if it was done before."""
    process: list[subprocess.Popen[bytes]] = []
    started = threading.Event()
    count = 0

    def kill(method: str, _: str) -> bool:
        nonlocal count
        if method != "PUT":
            return False
        started.wait(30)
        count += 1
        if count >= number:
            process[0].kill()
            process[0].wait()
        return count >= number

    gs.service.trouble = Trouble(before=kill)
    process.append(subprocess.Popen(command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
    started.set()
    _, talk = process[0].communicate(timeout=120)
    gs.service.trouble = Trouble()
    assert process[0].returncode in (0, -signal.SIGKILL), talk.decode()
    return process[0].returncode != 0


def test_a_run_killed_at_any_write_leaves_the_old_state_or_the_new_one(
    gs: Google, sources: dict[str, Any], tmp_path: Path
) -> None:
    gs.put("data/other.csv", b"id,title,date,journal\n1,Warfarin and more,2020-01-01,Other\n")
    new = dict(sources, pubmed=gs.uri("data/other.csv"))
    run(gs, sources)
    drugs_rs.run(**dict(new, out=tmp_path, dt=DT))
    old = drugs_rs.read_graph(gs.uri("lake")).to_json().encode()
    expected = local_gold(tmp_path)["drug_graph.json"]
    arguments = run_arguments(new, gs.uri("lake"), DT)  # type: ignore[arg-type]
    start = gs.contents("lake")
    number, kills, graphs = 1, 0, set()
    while True:
        gs.service.buckets[BUCKET] = {
            name: blob for name, blob in gs.service.buckets[BUCKET].items() if not name.startswith("lake/")
        }
        for name, (_, data) in start.items():
            blob = gs.service.put(BUCKET, name, data)
            if name.startswith("lake/gold/"):
                blob.metadata["x-goog-meta-drugs-rs-sha256"] = digest_of(start, name)
        if not killed_at(gs, number, arguments):
            break
        kills += 1
        # A reader sees one of the two, and every file that the state names exists.
        graph = drugs_rs.read_graph(gs.uri("lake")).to_json().encode()
        assert graph in (old, expected), number
        graphs.add(graph)
        state = json.loads(gs.data("lake/_lake.json"))
        names = set(gs.contents("lake/_runs"))
        for path, entry in state["files"].items():
            # What a later state replaced is kept in its object, under another path.
            assert f"lake/_runs/{entry['run']}/{entry.get('written_as', path)}" in names, number
        # The next run succeeds, and the copies under plain names follow.
        run(gs, new)
        assert bucket_gold(gs, "lake") == local_gold(tmp_path), number
        number += 1
    assert kills > 10 and graphs == {old, expected}


def digest_of(contents: dict[str, Any], name: str) -> str:
    state = json.loads(contents["lake/_lake.json"][1])
    digest: str = state["files"][name[len("lake/") :]]["sha256"]
    return digest


def test_leftovers_go_a_day_later_by_the_servers_clock(gs: Google, sources: dict[str, Any], samples: Path) -> None:
    run(gs, sources)
    gs.put("data/other.csv", b"id,title,date,journal\n1,Warfarin and more,2020-01-01,Other\n")
    new = dict(sources, pubmed=gs.uri("data/other.csv"))
    # A marker, two objects, and the state: all but the state is written.
    assert killed_at(gs, 4, run_arguments(new, gs.uri("lake"), DT))  # type: ignore[arg-type]
    named = {f"{entry['run']}" for entry in json.loads(gs.data("lake/_lake.json"))["files"].values()}
    left = {name for name in gs.contents("lake/_runs") if name.split("/")[2] not in named}
    assert left
    gs.service.ahead = DAY + 60
    drugs_rs.bronze(drugs=samples / "drugs.csv", out=gs.uri("lake"), dt="2024-03-02")
    assert left <= set(gs.contents("lake/_runs")), "no commit knows yet that a day has passed"
    gs.service.ahead = 2 * DAY + 120
    for dt in ("2024-03-03", "2024-03-04"):
        drugs_rs.bronze(drugs=samples / "drugs.csv", out=gs.uri("lake"), dt=dt)
    assert not left & set(gs.contents("lake/_runs"))
    assert run(gs, sources)["unchanged"] is True


def test_no_permission_is_told(gs: Google, sources: dict[str, Any]) -> None:
    run(gs, sources)
    before = gs.contents("lake")
    gs.put("data/other.csv", b"id,title,date,journal\n1,Warfarin and more,2020-01-01,Other\n")
    gs.service.trouble = Trouble(denied=("PUT", "POST"))
    told = refused(lambda: run(gs, sources, pubmed=gs.uri("data/other.csv")))
    assert told.startswith(f"StorageError: {gs.uri('lake/')}") and "cannot write" in told
    assert "403 Forbidden (AccessDenied: The identity does not have access" in told and "grant the identity" in told
    assert gs.contents("lake") == before
    gs.service.trouble = Trouble(denied=("GET", "HEAD"))
    told = refused(lambda: drugs_rs.Matcher.from_vocabulary(sources["drugs"]))
    assert told.startswith(f"StorageError: {sources['drugs']}") and "403 Forbidden" in told
    # It may read but not list, so the files below a prefix are unknown.
    told = refused(lambda: drugs_rs.read_graph(gs.uri("lake")))
    assert told.startswith("StorageError") and "403" in told


def test_an_object_that_vanishes_or_changes_is_told(gs: Google, sources: dict[str, Any], tmp_path: Path) -> None:
    def vanish(method: str, name: str) -> None:
        if method == "GET" and name.endswith("drugs.csv"):
            gs.service.buckets[BUCKET].pop(name, None)

    gs.service.trouble = Trouble(before=vanish)
    told = refused(lambda: drugs_rs.bronze(drugs=sources["drugs"], out=tmp_path / "lake", dt=DT))
    assert told.startswith(f"StorageError: {sources['drugs']}: cannot read the source") and "NoSuchKey" in told
    assert "it was there when it was listed" in told

    def change(method: str, name: str) -> None:
        if method == "GET" and name.endswith("pubmed.csv"):
            gs.put(name, b"id,title\n1,Another\n")

    gs.service.trouble = Trouble(before=change)
    told = refused(lambda: drugs_rs.bronze(pubmed=gs.uri("data/in/pubmed.csv"), out=tmp_path / "lake", dt=DT))
    assert told.startswith("StorageError") and "412" in told and "somebody replaced it meanwhile" in told
    assert not (tmp_path / "lake").exists(), "and the lake is as it was"


def test_a_server_that_gives_no_pieces_is_told(gs: Google, sources: dict[str, Any]) -> None:
    gs.service.trouble = Trouble(whole=True)
    told = refused(lambda: drugs_rs.Matcher.from_vocabulary(sources["drugs"]))
    assert told.startswith("StorageError") and "Content-Encoding: gzip" in told


def interrupted(arguments: list[str], ready: Callable[[], bool], number: signal.Signals) -> float:
    """Start a command, send it a signal once it waits for the server, and time how long it takes to end."""
    process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not ready():
            assert process.poll() is None and time.monotonic() < deadline, process.communicate()[1].decode()
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(number)
        start = time.monotonic()
        _, talk = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 128 + number and b"Traceback" not in talk, talk.decode()
    return time.monotonic() - start


@pytest.fixture
def s3(gs: Google, monkeypatch: pytest.MonkeyPatch) -> Google:
    """The same server under the name of the other cloud, whose refusals have its own words."""
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    for name, value in {
        "AWS_ENDPOINT_URL": gs.service.endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return gs


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        ((400, "ExpiredToken", "The provided token has expired."), "the session token has expired: renew"),
        ((403, "RequestTimeTooSkewed", "The difference is too large."), "the clock of this machine"),
        ((403, "InvalidAccessKeyId", "No such key."), "check AWS_ACCESS_KEY_ID"),
        ((403, "SignatureDoesNotMatch", "It does not match."), "check AWS_SECRET_ACCESS_KEY"),
        ((400, "AuthorizationHeaderMalformed", "The region is wrong."), "set AWS_REGION"),
        ((403, "AccessDenied", "Access Denied"), "grant the identity"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else None,
)
@pytest.mark.parametrize("place", ["source", "folder", "lake"])
def test_a_refusal_names_its_cause(s3: Google, refusal: tuple[int, str, str], cause: str, place: str) -> None:
    """An expired token was reported as a missing permission, and in answers without a body as a wrong region."""
    s3.service.trouble = Trouble(refusal=refusal)
    calls: dict[str, Callable[[], object]] = {
        "source": lambda: drugs_rs.Matcher.from_vocabulary(f"s3://{BUCKET}/x.csv"),
        "folder": lambda: drugs_rs.Matcher.from_vocabulary(f"s3://{BUCKET}/x/"),
        "lake": lambda: drugs_rs.read_graph(f"s3://{BUCKET}/lake"),
    }
    told = refused(calls[place])
    assert told.startswith("StorageError: s3://") and refusal[1] in told and cause in told
    assert ("grant" in told) == (refusal[1] == "AccessDenied")


BAD_VARIABLES = [
    ("s3", "AWS_SESSION_TOKEN", "hunter2\n"),
    ("s3", "AWS_SESSION_TOKEN", "hunter2é"),
    ("s3", "AWS_SECRET_ACCESS_KEY", "hunter2 hunter2"),
    ("s3", "AWS_ACCESS_KEY_ID", "hunter2\r"),
    ("s3", "AWS_REGION", "hunter2\n"),
    ("s3", "AWS_REGION", "hunter2 b"),
    ("s3", "AWS_DEFAULT_REGION", "hunter2/b"),
    ("s3", "AWS_ENDPOINT_URL", "hunter2:9000"),
    ("s3", "AWS_ENDPOINT_URL_S3", "http://hun ter2:9000"),
    ("s3", "AWS_ENDPOINT_URL", "http://KEY:hunter2@host"),
    ("s3", "AWS_TIMEOUT", "hunter2"),
    ("s3", "AWS_ALLOW_HTTP", "hunter2"),
    ("s3", "AWS_PROXY_URL", "hunter2://x"),
    ("s3", "AWS_USER_AGENT", "hunter2\n"),
    ("gs", "STORAGE_EMULATOR_HOST", "local host:4443"),
    ("gs", "STORAGE_EMULATOR_HOST", "ftp://hunter2"),
    ("gs", "GOOGLE_BASE_URL", "hunter2"),
    ("gs", "GOOGLE_TIMEOUT", "hunter2"),
    ("gs", "GCE_METADATA_HOST", "hunter2 x"),
    ("gs", "GOOGLE_APPLICATION_CREDENTIALS", "/hunter2\n"),
]


@pytest.mark.usefixtures("no_clouds")
@pytest.mark.parametrize(("scheme", "name", "value"), BAD_VARIABLES)
def test_a_variable_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str, name: str, value: str
) -> None:
    """Some ended as a panic of the library below, some as credentials that were not found."""
    monkeypatch.setenv("HOME", str(tmp_path))
    if scheme == "s3":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv(name, value)
    told = refused(lambda: drugs_rs.Matcher.from_vocabulary(f"{scheme}://{BUCKET}/x.csv"))
    assert told.startswith(f"ArgumentError: {name}: ") and "hunter2" not in told


@pytest.mark.usefixtures("no_clouds")
def test_an_endpoint_without_tls_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    told = refused(lambda: drugs_rs.Matcher.from_vocabulary(f"s3://{BUCKET}/x.csv"))
    assert told.startswith("ArgumentError: AWS_ENDPOINT_URL: ") and "AWS_ALLOW_HTTP=true" in told


def test_a_blank_variable_counts_as_not_set(s3: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_PROXY_URL", "AWS_TIMEOUT"):
        monkeypatch.setenv(name, " ")
    s3.service.trouble = Trouble(refusal=(404, "NoSuchKey", "There is none."))
    assert "404 Not Found" in refused(lambda: drugs_rs.Matcher.from_vocabulary(f"s3://{BUCKET}/x.csv"))
    assert s3.service.log


@pytest.mark.parametrize("waits_for", ["source", "upload", "state"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_wait_within_a_second(
    gs: Google, sources: dict[str, Any], waits_for: str, number: signal.Signals
) -> None:
    end, waiting = threading.Event(), threading.Event()
    places = {"source": ("GET", "in/pubmed.csv"), "upload": ("PUT", "drugs.csv"), "state": ("PUT", "_lake.json")}
    method, place = places[waits_for]

    def hang(asked: str, name: str) -> None:
        if asked == method and name.endswith(place):
            waiting.set()
            end.wait(60)

    gs.service.trouble = Trouble(before=hang)
    arguments = run_arguments(sources, gs.uri("lake"), DT)  # type: ignore[arg-type]
    try:
        assert interrupted(arguments, waiting.is_set, number) < PATIENCE_SECONDS
    finally:
        end.set()
    gs.service.trouble = Trouble()
    run(gs, sources)


@pytest.mark.usefixtures("no_clouds")
def test_an_endpoint_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"127.0.0.1:{port}")
    told = refused(lambda: drugs_rs.Matcher.from_vocabulary(f"gs://{BUCKET}/x.csv"))
    assert told.startswith("StorageError") and "onnection refused" in told and "STORAGE_EMULATOR_HOST" in told


def test_reading_in_a_forked_child(gs: Google, sources: dict[str, Any]) -> None:
    run(gs, sources)
    out = subprocess.run(
        [sys.executable, str(program("fork_and_read")), gs.uri("lake")], capture_output=True, timeout=120, check=True
    )
    assert json.loads(out.stdout) == {"status": "worked"}


SECRETS = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_SESSION_TOKEN": "hunter2-token",
    "GOOGLE_SERVICE_ACCOUNT_KEY": '"hunter2-key"',
}


def test_no_secret_is_ever_told(gs: Google, sources: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets in the environment, and every kind of failure: none shows in an exception, a report or an object."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    # An emulator never gets real credentials.
    run(gs, sources)
    assert set(gs.service.authorizations) <= {"", "Bearer ", "Bearer"}
    told = [json.dumps(run(gs, sources))]
    # A server with another protocol rejects the requests, and repeats what it was sent.
    monkeypatch.setenv("AWS_ENDPOINT_URL", gs.service.endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    gs.service.trouble = Trouble(echoes=True)
    told.append(refused(lambda: drugs_rs.Matcher.from_vocabulary(f"s3://{BUCKET}/x/")))
    told.append(refused(lambda: drugs_rs.read_graph(f"s3://{BUCKET}/lake")))
    assert all("AWS4-HMAC-SHA256" in text for text in told[-2:]), "the server repeats what it was sent"
    # A key that cannot be read, and no key at all.
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    told.append(refused(lambda: drugs_rs.Matcher.from_vocabulary(f"gs://{BUCKET}/x.csv")))
    assert "GOOGLE_SERVICE_ACCOUNT_KEY" in told[-1] and "gcloud auth" in told[-1]
    for text in [*told, *(data.decode("utf-8", "replace") for _, data in gs.contents().values())]:
        for secret in SECRETS.values():
            assert secret.strip('"') not in text


URIS_WITH_SECRETS = [
    "s3://KEY:hunter2@bucket/x.csv",
    "s3:/KEY:hunter2@bucket/x.csv",
    "s3://KEY:hun/hunter2@bucket/x.csv",
    "s3:/KEY:hun/hunter2/x@bucket/x.csv",
    "https://user:hun/hunter2@host/x.csv",
    "https:/user:hun/hunter2@host/x.csv",
    "gs://bucket/x.csv?X-Goog-Signature=hunter2",
    "./s3://KEY:hunter2@bucket/x.csv",
    "../s3://KEY:hunter2@bucket/x.csv",
    "@s3://KEY:hunter2@bucket/x.csv",
    "@https://user:hunter2@host/x.csv",
]


@pytest.mark.parametrize("uri", URIS_WITH_SECRETS)
def test_credentials_in_a_uri_are_refused_and_never_told(uri: str, samples: Path, tmp_path: Path) -> None:
    """Wherever a URI is accepted: as a source, a lake, a file to write or load, in a list, on the command line."""
    drugs, lake = samples / "drugs.csv", tmp_path / "lake"
    names = tmp_path / "names.txt"
    names.write_text(f"{uri}\n", encoding="utf-8")
    matcher = drugs_rs.Matcher.from_names({"A01": ["aspirin"]})
    calls: list[Callable[[], object]] = [
        lambda: drugs_rs.bronze(drugs=uri, out=lake, dt=DT),
        lambda: drugs_rs.run(drugs=drugs, pubmed=[uri], out=lake, dt=DT),
        lambda: drugs_rs.run(drugs=drugs, out=uri, dt=DT),
        lambda: drugs_rs.gold(out=uri, dt=DT),
        lambda: drugs_rs.read_graph(uri),
        lambda: drugs_rs.read_answers(uri),
        lambda: drugs_rs.read_drugs(uri),
        lambda: list(drugs_rs.iter_publications(uri, kind="pubmed")),
        lambda: drugs_rs.Matcher.from_vocabulary(uri),
        lambda: drugs_rs.Matcher.load(uri),
        lambda: matcher.save(uri),
    ]
    for call in calls:
        told = refused(call)
        assert told.startswith("ArgumentError: ") and "hunter2" not in told and "KEY:" not in told, told
        assert "credentials come from the environment" in told
    for arguments in (
        ["bronze", f"--drugs={uri}", "--out", str(lake), "--dt", DT],
        ["bronze", "--drugs", f"@{names}", "--out", str(lake), "--dt", DT],
        ["run", "--drugs", str(drugs), "--out", uri, "--dt", DT],
        # Usage errors repeat the arguments.
        ["bronze", uri],
        ["bronze", f"--vocabulary={uri}"],
        ["match", "--vocabulary", uri, "--boundary", uri],
        # It is in a place where no URI is expected.
        ["bronze", "--drugs", str(drugs), "--out", str(lake), "--dt", uri],
        ["bronze", "--drugs", str(drugs), "--out", str(lake), "--dt", DT, "--name", uri],
    ):
        ended = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 2 and "hunter2" not in ended.stdout + ended.stderr, ended.stderr
    texts = tmp_path / "texts.csv"
    texts.write_text("a,b\n1,2\n", encoding="utf-8")
    long = uri.replace("hunter2", "hunter2" * 100)
    for arguments, says in (
        (["match", str(texts), "--column", uri], "missing column"),
        (["explain", "text", uri], "not found"),
        (["explain", "text", long], "not found"),
    ):
        words = command(*arguments, "--vocabulary", str(drugs))
        ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 1 and "hunter2" not in ended.stderr and says in ended.stderr, ended.stderr
    told = refused(lambda: drugs_rs.gold(out=lake, dt=uri))
    assert told.startswith("ArgumentError: dt: ") and "hunter2" not in told, told
    assert not lake.exists()


@pytest.mark.usefixtures("no_clouds")
def test_no_credentials_at_all_are_told(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """No variable, no file, and no answer from a metadata server."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("GCE_METADATA_HOST", "GCE_METADATA_IP"):
        monkeypatch.setenv(name, "127.0.0.1:9")
    start = time.monotonic()
    told = refused(lambda: drugs_rs.Matcher.from_vocabulary("gs://some-bucket/x.csv"))
    assert time.monotonic() - start < 30
    assert told.startswith("StorageError: gs://some-bucket: cannot connect: no credentials were found")
    assert "GOOGLE_APPLICATION_CREDENTIALS" in told
    key = tmp_path / "key.json"
    key.write_text('{"type": "service_account", "private_key": "hunter2"}', encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    told = refused(lambda: drugs_rs.Matcher.from_vocabulary("gs://some-bucket/x.csv"))
    assert "no usable credentials" in told and "GOOGLE_APPLICATION_CREDENTIALS" in told and "hunter2" not in told


def test_a_lake_of_a_newer_version_is_refused(gs: Google) -> None:
    gs.put("lake/_lake.json", b'{"format": 99}')
    with pytest.raises(exceptions.FormatError, match="format 99.*upgrade"):
        drugs_rs.read_graph(gs.uri("lake"))
