"""`fetch pubmed`: what is listed and missing comes, verified, once; the command, settings, and folders that exist."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from nlm_files import ONE, THREE, TWO, UPDATE, contents, fetch, leftovers, made, publish, statuses
from nlm_server import always
from shell import command
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

    from bucket_peers import Peer
    from nlm_server import Nlm


def test_what_is_listed_comes_once(nlm: Nlm, tmp_path: Path) -> None:
    held = publish(nlm, ONE, TWO, UPDATE)
    folder = tmp_path / "new" / "pubmed"
    foreseen = fetch(nlm, folder, dry_run=True)
    assert not folder.parent.exists(), "a dry run writes nothing"
    assert statuses(foreseen) == dict.fromkeys(held, "missing")
    assert [file["bytes"] for file in foreseen["files"]] == [40_000] * 3
    report = fetch(nlm, folder)
    assert contents(folder) == held
    assert leftovers(folder) == []
    assert statuses(report) == dict.fromkeys(held, "fetched")
    assert (report["fetched"], report["bytes"], report["unchanged"]) == (3, 120_000, False)
    assert report["files"][0]["uri"] == str(folder / ONE)
    # Again: two pages, and not one file, MD5 or write.
    nlm.forget()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = fetch(nlm, folder)
    assert (again["unchanged"], again["present"], again["fetched"]) == (True, 3, 0)
    assert sorted(seen.path for seen in nlm.log) == ["/pubmed/baseline/", "/pubmed/updatefiles/"]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    # A day later.
    held.update(publish(nlm, "updatefiles/pubmed26n0005.xml.gz"))
    later = fetch(nlm, folder)
    assert (later["fetched"], later["present"]) == (1, 3)
    assert contents(folder) == held


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, [ONE, TWO, THREE, UPDATE]),
        ({"part": "baseline"}, [ONE, TWO, THREE]),
        ({"part": "updates"}, [UPDATE]),
        ({"first": 3}, [THREE, UPDATE]),
        ({"since": "2026-01-10"}, [TWO, UPDATE]),
        ({"since": datetime.date(2026, 1, 10), "until": "2026-01-11"}, [TWO]),
        ({"until": "2026-01-09"}, [ONE, THREE]),
        ({"limit": 2}, [ONE, TWO]),
        ({"since": "2026-03-01"}, []),
    ],
)
def test_settings_choose_files(nlm: Nlm, tmp_path: Path, settings: dict[str, Any], wanted: list[str]) -> None:
    for name, day in ((ONE, "2026-01-09"), (TWO, "2026-01-10"), (THREE, "2026-01-08"), (UPDATE, "2026-01-12")):
        publish(nlm, name, size=100, listed=f"{day} 14:31  17M")
    report = fetch(nlm, tmp_path / "to", **settings)
    assert sorted(contents(tmp_path / "to")) == sorted(statuses(report)) == wanted
    assert report["left"] == (2 if "limit" in settings else 0)
    if "limit" in settings:
        assert fetch(nlm, tmp_path / "to", **settings)["left"] == 0
        assert len(contents(tmp_path / "to")) == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"base_url": "http://mirror.example.com/"}, "base_url: .*has no TLS.*https://"),
        ({"base_url": "https://me:hunter2@mirror.example.com/"}, "base_url: credentials in `https://mirror"),
        ({"base_url": "ncbi"}, "base_url: `ncbi` is no address"),
        ({"since": "09/01/2026"}, "since: `09/01/2026`; expected an ISO date"),
        ({"since": "2026-01-10", "until": "2026-01-09"}, "since: 2026-01-10, after the last day"),
        ({"parallel": 9}, "parallel: 9; expected a number from 1 to 8"),
        ({"attempts": 0}, "attempts: 0; expected a number from 1 to 20"),
        ({"limit": 0}, "limit: 0; expected at least one file"),
        ({"first": -1}, "first: -1; expected a whole number"),
        ({"part": "update"}, 'part: `update`.*did you mean "updates"'),
        ({"to": " "}, "to: a blank path"),
        ({"source": "pubmeds"}, 'source: `pubmeds`.*did you mean "pubmed"'),
        ({"source": "clinicaltrials", "first": 3}, "first: a setting of pubmed for clinicaltrials"),
        ({"source": "clinicaltrials", "part": "updates"}, "part: a setting of pubmed for clinicaltrials"),
    ],
)
def test_a_setting_without_sense_is_refused(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    keywords = {"source": "pubmed", "to": tmp_path / "to", "base_url": "http://127.0.0.1:1/", **settings}
    with pytest.raises(exceptions.ArgumentError, match=message) as caught:
        drugs_rs.fetch(**keywords)
    assert "hunter2" not in str(caught.value)
    assert not (tmp_path / "to").exists()


def test_files_of_another_origin_are_verified(nlm: Nlm, tmp_path: Path) -> None:
    """A mirror that another program began: what is whole stays, a cut file is replaced, other files are let alone."""
    held = publish(nlm, ONE, TWO)
    folder = tmp_path / "baseline"
    folder.mkdir()
    (tmp_path / ONE).write_bytes(held[ONE])
    (tmp_path / TWO).write_bytes(held[TWO][:100])
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    assert statuses(fetch(nlm, tmp_path, dry_run=True)) == {ONE: "unverified", TWO: "unverified"}
    before = (tmp_path / ONE).stat().st_mtime_ns
    report = fetch(nlm, tmp_path)
    assert statuses(report) == {ONE: "present", TWO: "replaced"}
    assert (tmp_path / ONE).stat().st_mtime_ns == before
    assert nlm.asked(ONE) == [seen for seen in nlm.asked(ONE) if seen.method == "HEAD"], "it was there"
    assert contents(tmp_path) == {**held, "baseline/notes.txt": b"mine"}
    # A record that was cut or is of another version costs a look at each file, and nothing else.
    for text in ("{", "[]", '{"version": 99}'):
        (tmp_path / "_fetched.json").write_text(text, encoding="utf-8")
        assert statuses(fetch(nlm, tmp_path)) == {ONE: "present", TWO: "present"}


def test_a_file_that_is_published_again_is_replaced(nlm: Nlm, tmp_path: Path) -> None:
    held = publish(nlm, ONE, TWO)
    fetch(nlm, tmp_path)
    nlm.put(ONE, made(9), listed="2026-02-01 10:00  1.2K")
    nlm.put(TWO, held[TWO], listed="2026-02-01 10:00  1.2K")
    nlm.forget()
    report = fetch(nlm, tmp_path)
    assert statuses(report) == {ONE: "replaced", TWO: "present"}
    assert contents(tmp_path) == {ONE: made(9), TWO: held[TWO]}
    assert nlm.asked(TWO) == [], "only its MD5 was asked for"
    assert fetch(nlm, tmp_path)["unchanged"] is True


def test_a_new_baseline_is_announced(nlm: Nlm, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    publish(nlm, ONE, TWO)
    fetch(nlm, tmp_path)
    nlm.files = {}
    publish(nlm, "baseline/pubmed27n0001.xml.gz")
    report = fetch(nlm, tmp_path)
    assert (
        "baseline holds 2 files that NLM does not list any more, such as pubmed26n0001.xml.gz" in report["warnings"][0]
    )
    assert [record.getMessage() for record in caplog.records] == report["warnings"]


def test_a_page_has_odd_entries(nlm: Nlm, tmp_path: Path) -> None:
    held = publish(nlm, ONE)
    publish(nlm, TWO, has_md5=False)
    nlm.odd = "\n".join(
        f'<a href="{target}">x</a> 2026-01-09 14:31 1K'
        for target in (
            "../pubmed26n0009.xml.gz",
            "../../../etc/pubmed26n0009.xml.gz",
            "/pubmed26n0009.xml.gz",
            "https://evil.example/pubmed26n0009.xml.gz",
            "README.txt",
            "pubmed26n0001_stats.html",
            "?C=N;O=D",
            "%2e%2e/pubmed26n0009.xml.gz",
            "pubmed26n0009.xml.gz/../x",
        )
    )
    report = fetch(nlm, tmp_path / "to")
    assert contents(tmp_path / "to") == held
    assert [path.name for path in tmp_path.iterdir()] == ["to"]
    assert "1 files are listed without their MD5" in report["warnings"][0]
    # Only what is published was asked for.
    assert not [seen for seen in nlm.log if "n0009" in seen.path or seen.status == 404]
    assert not nlm.asked(TWO)


def test_a_page_without_files_is_an_error(nlm: Nlm, tmp_path: Path) -> None:
    with pytest.raises(exceptions.FormatError, match=r"/pubmed/baseline/: the page: no file of PubMed among 1 links"):
        fetch(nlm, tmp_path / "to")
    assert not (tmp_path / "to").exists()
    with pytest.raises(
        exceptions.SourceNotFoundError, match=r"nowhere/baseline/: not found.*404 Not Found.*--base-url"
    ):
        fetch(nlm, tmp_path / "to", base_url=f"{nlm.endpoint}/nowhere")
    # Just after a new baseline, there are no updates.
    publish(nlm, ONE)
    assert fetch(nlm, tmp_path / "to")["fetched"] == 1


def test_buckets_are_folders(nlm: Nlm, peer: Peer, prefix: str) -> None:
    held = publish(nlm, ONE, UPDATE)
    to = peer.uri(f"{prefix}/pubmed")
    assert statuses(fetch(nlm, to, dry_run=True)) == dict.fromkeys(held, "missing")
    assert peer.contents(f"{prefix}/") == {}
    # A file larger than what is sent at once.
    nlm.put(TWO, made(7, 9 << 20))
    report = fetch(nlm, to + "/")
    held[TWO] = nlm.files[TWO].data
    found = peer.contents(f"{prefix}/pubmed/")
    assert {name[len(f"{prefix}/pubmed/") :] for name in found} == {*held, "_fetched.json"}
    assert all(found[f"{prefix}/pubmed/{name}"][1] == data for name, data in held.items())
    assert report["files"][0]["uri"] == f"{to}/{ONE}"
    nlm.forget()
    assert fetch(nlm, to)["unchanged"] is True
    assert len(nlm.log) == 2 and peer.contents(f"{prefix}/pubmed/") == found
    nlm.put(ONE, made(9), listed="2026-02-01 10:00  1.2K")
    assert statuses(fetch(nlm, to)) == {ONE: "replaced", TWO: "present", UPDATE: "present"}
    assert peer.data(f"{prefix}/pubmed/{ONE}") == made(9)


def test_one_fetch_at_a_time_works_in_a_folder(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, ONE)
    nlm.trouble = always(lambda handler: handler.late(1), ONE)
    first = subprocess.Popen(
        command("fetch", "pubmed", "--to", tmp_path, "--base-url", nlm.pubmed, "-q"), stderr=subprocess.PIPE
    )
    while not nlm.log:
        time.sleep(0.01)
    with pytest.raises(exceptions.ConflictError, match="another run of fetch is at work here"):
        fetch(nlm, tmp_path)
    assert fetch(nlm, tmp_path, dry_run=True)["files"], "a look disturbs nobody"
    assert first.wait(timeout=60) == 0
    first.communicate()
    assert fetch(nlm, tmp_path)["unchanged"] is True


def test_the_command_prints_what_was_done(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, ONE, TWO)
    words = ("fetch", "pubmed", "--to", tmp_path / "to", "--base-url", nlm.pubmed)
    foreseen = shell(*words, "--dry-run")
    assert b"dry run" in foreseen.stdout and b"2 files to fetch, 78.12 KiB, 0 there already" in foreseen.stdout
    assert f"  {ONE}  40000\n".encode() in foreseen.stdout
    done = shell(*words, "--json", "-v")
    report = json.loads(done.stdout)
    assert (done.returncode, report["fetched"]) == (0, 2)
    assert b"step fetch pubmed" in done.stderr and f"fetched {ONE}, 40000 bytes".encode() in done.stderr
    again = shell(*words)
    assert b"nothing to do" in again.stdout and b"0 files fetched, 0 B, 2 there already" in again.stdout
    usage = shell(*words, "--since", "yesterday")
    assert (usage.returncode, usage.stdout) == (2, b"")
    assert usage.stderr == b"error: --since: `yesterday`; expected an ISO date such as 2026-11-22\n"
    nlm.trouble = always(lambda handler: handler.say(403, b"go away"), "/")
    failed = shell(*words, "--json")
    error = json.loads(failed.stderr)["error"]
    assert (failed.returncode, error["class"]) == (1, "StorageError")
    assert "/pubmed/baseline/: cannot fetch: the server answered 403 Forbidden; check base_url" in error["message"]


def test_a_forked_child_fetches_too(nlm: Nlm, tmp_path: Path) -> None:
    """It needs no engine, and each call has its own connections."""
    publish(nlm, ONE)
    fetch(nlm, tmp_path / "parent")
    drugs_rs.Matcher.from_names({"A": ["b"]}).find_many(["b"] * 1000)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            fetch(nlm, tmp_path / "child")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert contents(tmp_path / "child") == contents(tmp_path / "parent") != {}


def test_from_nlm_to_mentions(nlm: Nlm, tmp_path: Path) -> None:
    """All the way: made-up files are published, fetched, and read by the pipeline."""
    drugs_rs.generate(
        tmp_path / "made",
        articles=400,
        trials=0,
        drugs=50,
        articles_format="pubmed-xml",
        files=3,
        packing="gz",
        clean=True,
    )
    for number, path in enumerate(sorted((tmp_path / "made" / "pubmed").iterdir()), start=1):
        folder = "updatefiles" if number == 3 else "baseline"
        nlm.put(f"{folder}/pubmed26n{number:04}.xml.gz", path.read_bytes())
    fetch(nlm, tmp_path / "pubmed")
    report = drugs_rs.run(
        drugs=tmp_path / "made" / "drugs",
        pubmed=[tmp_path / "pubmed" / "baseline", tmp_path / "pubmed" / "updatefiles"],
        lake=tmp_path / "lake",
        dt="2026-02-01",
        unit="code",
    )
    truth = json.loads((tmp_path / "made" / "_generated.json").read_text(encoding="utf-8"))["truth"]["pubmed"]
    assert report["steps"][-1]["mentions"] == truth["mentions"] > 0
