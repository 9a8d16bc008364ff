"""`fetch` when things go wrong: servers that cut, stall, lie and move; full disks; kills and signals."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Callable

import pytest
from nlm_files import ONE, THREE, TWO, contents, fetch, leftovers, made, publish, statuses
from nlm_server import Handler, Nlm, Server, always, nlm_server, times
from shell import command

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

    from bucket_peers import Google

# The goal is one second; a noisy machine with two cores gets three.
PATIENCE_SECONDS = 3.0
SIZE = 300_000


def cut(handler: Handler) -> None:
    handler.half()


def refuses(status: int, **headers: str) -> Callable[[Handler], None]:
    return lambda handler: handler.say(status, b"", {name.replace("_", "-"): value for name, value in headers.items()})


def whole(handler: Handler) -> None:
    """A server without ranges."""
    del handler.headers["Range"]
    handler.answer()


def another_range(handler: Handler) -> None:
    data = handler.service.files[ONE].data
    tag = handler.service.files[ONE].tag
    handler.say(206, data[10:], {"Content-Range": f"bytes 10-{len(data) - 1}/{len(data)}", "ETag": tag})


def without_length(handler: Handler) -> None:
    """Half of the file, and its end is the end of the connection."""
    handler.note(200)
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + handler.service.files[ONE].data[: SIZE // 2])
    handler.close_connection = True


def hang_up(handler: Handler) -> None:
    handler.close_connection = True


def in_turn(*troubles: Callable[[Handler], None]) -> Callable[[Handler], bool]:
    """One trouble after the other, for the requests of the first file."""
    left = list(troubles)

    def next_one(handler: Handler) -> bool:
        if not left or not handler.where.endswith(ONE):
            return False
        left.pop(0)(handler)
        return True

    return next_one


@pytest.mark.parametrize(
    "troubles",
    [
        [cut],
        [cut, cut],
        [refuses(503), refuses(502)],
        [refuses(429)],
        [hang_up],
        [cut, whole],
        [cut, another_range],
        [cut, refuses(416, Content_Range="bytes */7")],
        [without_length],
        [cut, refuses(500), hang_up, cut],
    ],
    ids=["cut", "twice", "503", "429", "no answer", "no ranges", "another range", "416", "no length", "all"],
)
def test_a_file_comes_whole_all_the_same(nlm: Nlm, tmp_path: Path, troubles: list[Callable[[Handler], None]]) -> None:
    held = publish(nlm, ONE, TWO, size=SIZE)
    nlm.trouble = in_turn(*troubles)
    report = fetch(nlm, tmp_path)
    assert contents(tmp_path) == held and leftovers(tmp_path) == []
    assert (report["fetched"], report["bytes"]) == (2, 2 * SIZE)
    if troubles[0] is cut and whole not in troubles:
        assert nlm.asked(ONE)[1].range == f"bytes={SIZE // 2}-", "the first half is not asked for again"


def test_pages_and_sums_are_asked_for_again(nlm: Nlm, tmp_path: Path) -> None:
    held = publish(nlm, ONE)
    for ending, trouble in (("baseline/", cut), ("updatefiles/", refuses(503)), (".md5", hang_up)):
        nlm.trouble = times(1, trouble, ending)
        fetch(nlm, tmp_path / ending)
        assert contents(tmp_path / ending) == held


def test_a_slow_server_is_waited_for_and_a_silent_one_is_not(nlm: Nlm, tmp_path: Path) -> None:
    held = publish(nlm, ONE, size=SIZE)
    tag = {"ETag": nlm.files[ONE].tag}
    nlm.trouble = times(1, lambda handler: handler.slowly(200, held[ONE], tag, pieces=8, pause=0.2))
    started = time.monotonic()
    fetch(nlm, tmp_path / "slow", timeout=1)
    assert time.monotonic() - started > 1.4, "longer than the time without a byte"
    assert contents(tmp_path / "slow") == held and len(nlm.asked(ONE)) == 1
    nlm.forget()
    nlm.trouble = times(1, lambda handler: handler.slowly(200, held[ONE], tag, pieces=2, pause=2.5))
    fetch(nlm, tmp_path / "silent", timeout=1)
    assert contents(tmp_path / "silent") == held
    assert [seen.status for seen in nlm.asked(ONE)] == [200, 206]


def test_a_pause_that_the_server_asks_for_is_kept_by_all(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, ONE, TWO, THREE, size=100)
    moments: list[float] = []

    def trouble(handler: Handler) -> bool:
        moments.append(time.monotonic())
        if len(moments) == 3:
            # After the two pages.
            handler.say(429, b"", {"Retry-After": "1"})
            return True
        return False

    nlm.trouble = trouble
    fetch(nlm, tmp_path, parallel=1)
    assert moments[3] - moments[2] > 0.99


@pytest.mark.parametrize("pause", ["86400", "99999999999999999999999", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_long_pause_ends_the_fetch(nlm: Nlm, tmp_path: Path, pause: str) -> None:
    publish(nlm, ONE)
    nlm.trouble = times(9, refuses(429, Retry_After=pause))
    started = time.monotonic()
    message = (
        r"n0001.xml.gz: cannot fetch: the server answered 429 Too Many Requests and asks to wait \d+ seconds; start"
    )
    with pytest.raises(exceptions.StorageError, match=message):
        fetch(nlm, tmp_path)
    assert time.monotonic() - started < PATIENCE_SECONDS
    nlm.trouble = None
    assert fetch(nlm, tmp_path)["fetched"] == 1


def test_attempts_end(nlm: Nlm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(nlm, ONE, size=SIZE)
    nlm.trouble = always(refuses(503), ONE)
    with pytest.raises(
        exceptions.StorageError, match="answered 503 Service Unavailable, at attempt 3 of 3; start again"
    ):
        fetch(nlm, tmp_path, attempts=3)
    assert len(nlm.asked(ONE)) == 3
    # A server that was never there: its name may be wrong, so there are fewer attempts.
    with pytest.raises(exceptions.StorageError, match="no usable answer.*Connection refused.*at attempt 3 of 3"):
        fetch(nlm, tmp_path, base_url="http://127.0.0.1:9/")
    monkeypatch.setenv("HTTP_PROXY", "http://me:hunter2@127.0.0.1:9")
    with pytest.raises(exceptions.StorageError, match="no usable answer") as caught:
        fetch(nlm, tmp_path, attempts=1)
    assert "hunter2" not in str(caught.value)


def test_a_wrong_md5_fails_one_file(nlm: Nlm, tmp_path: Path) -> None:
    held = publish(nlm, ONE, TWO, THREE)
    nlm.files[TWO].md5 = "0" * 32
    message = rf"n0002.xml.gz: cannot verify the download: its MD5 is \w{{32}}, and NLM's says {'0' * 32}; it was downl"
    with pytest.raises(exceptions.StorageError, match=message):
        fetch(nlm, tmp_path, parallel=1)
    assert contents(tmp_path) == {ONE: held[ONE], THREE: held[THREE]}, "the others are there"
    assert leftovers(tmp_path) == [] and len(nlm.asked(TWO)) == 3
    nlm.files[TWO].md5 = None
    assert statuses(fetch(nlm, tmp_path)) == {ONE: "present", TWO: "fetched", THREE: "present"}
    nlm.put(TWO, held[TWO], listed="2026-02-01 10:00  1K", md5="x" * 32)
    with pytest.raises(
        exceptions.FormatError, match=r"n0002.xml.gz.md5: the file: no MD5 of this file; expected `MD5\("
    ):
        fetch(nlm, tmp_path)


def test_a_file_that_changes_while_it_is_read_begins_again(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, ONE, size=SIZE)

    def changes(handler: Handler) -> None:
        cut(handler)
        handler.service.put(ONE, made(9, SIZE))

    nlm.trouble = times(1, changes)
    fetch(nlm, tmp_path / "cut")
    assert contents(tmp_path / "cut") == {ONE: made(9, SIZE)}
    # The rest was asked for on condition that the file is the same; the new file came instead, with its own MD5.
    assert [seen.status for seen in nlm.asked(ONE)] == [200, 200]

    def changes_before(handler: Handler) -> None:
        handler.service.put(ONE, made(8, SIZE))
        handler.answer()

    nlm.forget()
    nlm.trouble = times(1, changes_before)
    fetch(nlm, tmp_path / "before")
    assert contents(tmp_path / "before") == {ONE: made(8, SIZE)}
    assert (len(nlm.asked(ONE)), len(nlm.asked(".md5"))) == (1, 2)


def test_a_part_of_an_earlier_content_is_not_used(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, ONE, size=SIZE)
    nlm.trouble = in_turn(cut, refuses(403))
    with pytest.raises(exceptions.StorageError):
        fetch(nlm, tmp_path)
    assert len(leftovers(tmp_path)) == 1, "a part stays"
    nlm.put(ONE, made(9, SIZE))
    nlm.forget()
    fetch(nlm, tmp_path)
    assert contents(tmp_path) == {ONE: made(9, SIZE)} and leftovers(tmp_path) == []
    assert [seen.range for seen in nlm.asked(ONE)] == [None]


def test_redirects_stay_on_the_server(nlm: Nlm, tmp_path: Path) -> None:
    held = publish(nlm, ONE)

    def moved(to: str) -> Callable[[Handler], bool]:
        return times(1, lambda handler: handler.say(302, b"", {"Location": to}))

    nlm.trouble = moved(f"/pubmed/{ONE}")
    fetch(nlm, tmp_path / "here")
    assert contents(tmp_path / "here") == held
    nlm.trouble = times(99, lambda handler: handler.say(301, b"", {"Location": handler.path}))
    with pytest.raises(exceptions.StorageError, match="more than 5 redirects"):
        fetch(nlm, tmp_path / "round")
    with nlm_server() as other:
        other.files = nlm.files
        for to in (f"{other.pubmed}{ONE}?token=hunter2", f"//localhost/{ONE}", "https://127.0.0.1/x", "ftp://x/y"):
            nlm.trouble = moved(to)
            with pytest.raises(exceptions.StorageError, match="cannot follow a redirect: it") as caught:
                fetch(nlm, tmp_path / "there")
            told = str(caught.value)
            assert "hunter2" not in told and "--base-url" in told
            if to.startswith(other.endpoint):
                assert f"it leads from {nlm.endpoint} to {other.endpoint}, another server" in told
            assert contents(tmp_path / "there") == {} and other.log == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate of a server")
def test_a_server_that_cannot_prove_who_it_is_gets_no_request(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "1",
    ]
    words += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out"]
    subprocess.run([*words, str(certificate)], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asked: list[str] = []

    class Secret(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

    server = Server(("127.0.0.1", 0), Secret)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    address = f"https://127.0.0.1:{server.server_address[1]}/"
    try:
        with pytest.raises(exceptions.StorageError, match="cannot connect: .*certificate.*cannot be switched off"):
            drugs_rs.fetch("pubmed", tmp_path / "to", base_url=address)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert asked == []


def test_a_full_disk_in_the_middle(nlm: Nlm, tmp_path: Path) -> None:
    """A limit on the size of files does what a full disk does: a write in the middle fails."""
    held = publish(nlm, ONE, size=SIZE)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE // 2, SIZE // 2))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    words = command("fetch", "pubmed", "--to", tmp_path, "--base-url", nlm.pubmed)
    failed = subprocess.run(words, preexec_fn=limit, capture_output=True, timeout=60, check=False)
    assert failed.returncode == 1
    told = failed.stderr.decode()
    assert re.search(r"\.part: cannot write: .*; free some space", told), told
    assert contents(tmp_path) == {}
    assert [path.stat().st_size for path in tmp_path.rglob("*.part")] == [SIZE // 2]
    nlm.forget()
    fetch(nlm, tmp_path)
    assert contents(tmp_path) == held and leftovers(tmp_path) == []
    assert [seen.range for seen in nlm.asked(ONE)] == [f"bytes={SIZE // 2}-"]


def begin(nlm: Nlm, to: str, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command("fetch", "pubmed", "--to", to, "--base-url", nlm.pubmed, *more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_fetch_goes_on(nlm: Nlm, tmp_path: Path) -> None:
    held = publish(nlm, ONE, TWO, size=SIZE)
    tag = {"ETag": nlm.files[TWO].tag}
    nlm.trouble = times(1, lambda handler: handler.slowly(200, held[TWO], tag, pieces=30, pause=0.2), TWO)
    process = begin(nlm, str(tmp_path))
    wait_until(lambda: (tmp_path / ONE).exists() and any(path.stat().st_size for path in tmp_path.rglob(".*2*.part")))
    process.kill()
    process.communicate()
    assert contents(tmp_path) == {ONE: held[ONE]}
    nlm.forget()
    assert statuses(fetch(nlm, tmp_path)) == {ONE: "present", TWO: "fetched"}
    assert contents(tmp_path) == held and leftovers(tmp_path) == []
    assert nlm.asked(ONE) == [], "nothing twice: without a record its MD5 is compared"
    (rest,) = nlm.asked(TWO)
    assert rest.status == 206


def test_a_kill_between_a_download_and_its_name(nlm: Nlm, tmp_path: Path) -> None:
    held = publish(nlm, ONE)
    fetch(nlm, tmp_path)
    (tmp_path / "_fetched.json").unlink()
    partial = next(tmp_path.rglob("*0001*"))
    md5 = nlm.files[ONE].sum_of("x").split()[-1].decode()
    partial.rename(partial.with_name(f".{partial.name}.{md5}.part"))
    nlm.forget()
    fetch(nlm, tmp_path)
    assert contents(tmp_path) == held and leftovers(tmp_path) == []
    assert [seen.status for seen in nlm.asked(ONE)] == [416]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("waits_for", ["bytes", "a pause"])
def test_a_signal_ends_a_fetch(nlm: Nlm, tmp_path: Path, number: signal.Signals, code: int, waits_for: str) -> None:
    held = publish(nlm, ONE, TWO, THREE, size=SIZE)
    tag = {"ETag": nlm.files[ONE].tag}

    def stalls(handler: Handler) -> None:
        handler.slowly(200, held[ONE], tag, pieces=2, pause=20)

    nlm.trouble = times(1, stalls if waits_for == "bytes" else refuses(503, Retry_After="60"), ONE)
    process = begin(nlm, str(tmp_path))
    wait_until(lambda: nlm.asked(ONE))
    time.sleep(0.3)
    process.send_signal(number)
    started = time.monotonic()
    _, told = process.communicate(timeout=30)
    assert time.monotonic() - started < PATIENCE_SECONDS
    assert process.returncode == code, told
    assert b"Traceback" not in told
    assert ONE not in contents(tmp_path)
    nlm.trouble = None
    fetch(nlm, tmp_path)
    assert contents(tmp_path) == held and leftovers(tmp_path) == []


def test_an_interrupt_in_python_is_its_exception(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, ONE)
    nlm.trouble = times(1, lambda handler: handler.slowly(200, b"x" * SIZE, {}, pieces=2, pause=20))
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetch(nlm, tmp_path)
    assert time.monotonic() - started < 0.5 + PATIENCE_SECONDS


def test_a_bucket_in_trouble(nlm: Nlm, gs: Google, prefix: str) -> None:
    held: dict[str, Any] = publish(nlm, ONE, TWO)
    nlm.trouble = times(1, cut)
    gs.service.trouble.fail_every = 4
    fetch(nlm, gs.uri(prefix), parallel=1)
    gs.service.trouble.fail_every = 0
    assert {name: gs.data(f"{prefix}/{name}") for name in held} == held
    gs.service.trouble.denied = ("PUT",)
    publish(nlm, THREE)
    with pytest.raises(exceptions.StorageError, match=rf"gs://tests/{prefix}/{THREE}: cannot write: .*403"):
        fetch(nlm, gs.uri(prefix))
