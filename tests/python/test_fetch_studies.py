"""`fetch clinicaltrials`: every study of some days comes once, in pages that the readers take, and is counted."""

from __future__ import annotations

import gzip
import json
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from nlm_server import Handler, Nlm, always, study, times
from shell import command
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

    from bucket_peers import Peer

DAYS = ("2026-01-05", "2026-01-09", "2026-01-12")


def publish(nlm: Nlm, count: int, day: str | None = None) -> None:
    """Studies of several days, or of one."""
    first = len(nlm.studies)
    nlm.studies += [(day or DAYS[number % 3], study(number)) for number in range(first, first + count)]


def fetch(nlm: Nlm, to: object, **settings: Any) -> dict[str, Any]:
    return drugs_rs.fetch("clinicaltrials", str(to), **{"base_url": nlm.trials, **settings})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(("_", ".")))


def ids(folder: Path) -> list[str]:
    """The studies in the pages of a folder, as they came."""
    pages = (json.loads(gzip.decompress((folder / name).read_bytes())) for name in names(folder))
    found = [entry["protocolSection"]["identificationModule"]["nctId"] for page in pages for entry in page["studies"]]
    return sorted(found)


def page_requests(nlm: Nlm) -> list[str]:
    return [seen.path for seen in nlm.log if "/studies?" in seen.path]


def all_ids(nlm: Nlm) -> list[str]:
    return sorted(entry["protocolSection"]["identificationModule"]["nctId"] for _, entry in nlm.studies)


@pytest.mark.parametrize("compresses", [True, False])
def test_all_studies_come_once(nlm: Nlm, tmp_path: Path, compresses: bool) -> None:
    publish(nlm, 8)
    nlm.compresses = compresses
    foreseen = fetch(nlm, tmp_path / "to", dry_run=True)
    assert not (tmp_path / "to").exists()
    assert (foreseen["studies"], [file["status"] for file in foreseen["files"]]) == (8, ["missing"])
    report = fetch(nlm, tmp_path / "to")
    assert (report["studies"], report["fetched"], report["until"]) == (8, 3, "2026-01-12")
    assert report["data_timestamp"] == nlm.timestamp
    assert names(tmp_path / "to") == [f"studies-2026-01-12-from-first-0000{number}.json.gz" for number in (1, 2, 3)]
    assert ids(tmp_path / "to") == all_ids(nlm)
    sizes = [path.stat().st_size for path in sorted((tmp_path / "to").glob("studies-*"))]
    assert [file["bytes"] for file in report["files"]] == sizes and report["bytes"] == sum(sizes)
    nlm.forget()
    again = fetch(nlm, tmp_path / "to")
    assert (again["unchanged"], again["studies"], again["present"]) == (True, 8, 3)
    assert [seen.path for seen in nlm.log] == ["/api/v2/version"]
    # The bytes depend on the studies alone.
    nlm.compresses = not compresses
    fetch(nlm, tmp_path / "other")
    for name in names(tmp_path / "to"):
        assert (tmp_path / "to" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_a_later_fetch_gets_the_days_since_the_last(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, 8)
    fetch(nlm, tmp_path)
    # Two days later: new studies, and one of the old ones was updated.
    publish(nlm, 2, "2026-01-14")
    updated = study(1, "Now of ramipril")
    nlm.studies[1] = ("2026-01-14", updated)
    nlm.timestamp = "2026-01-14T09:00:05"
    nlm.forget()
    report = fetch(nlm, tmp_path)
    assert [file["status"] for file in report["files"]] == ["present"] * 3 + ["fetched"] * 2
    assert all("RANGE%5B2026-01-12%2C2026-01-14%5D" in path for path in page_requests(nlm))
    table = drugs_rs.read_publications(tmp_path, kind="clinical_trial").to_polars()
    titles = dict(zip(table["publication_id"], table["title"]))
    assert sorted(titles) == all_ids(nlm)
    assert titles["NCT00000001"] == "Now of ramipril", "the newest state of a study counts"
    # Days that are there are not asked for again.
    nlm.forget()
    assert fetch(nlm, tmp_path, since="2026-01-06", until="2026-01-08")["unchanged"] is True
    assert page_requests(nlm) == []
    # A window that lost a page is fetched again.
    (tmp_path / names(tmp_path)[0]).unlink()
    assert fetch(nlm, tmp_path)["fetched"] > 0
    assert set(ids(tmp_path)) == set(all_ids(nlm))


def test_the_days_of_a_run(nlm: Nlm, tmp_path: Path) -> None:
    """What a daily task asks for: one day, in a folder of its own, as often as it is tried."""
    publish(nlm, 9)
    report = fetch(nlm, tmp_path / "a", since="2026-01-09", until="2026-01-09")
    assert (report["studies"], report["fetched"]) == (3, 1)
    assert names(tmp_path / "a") == ["studies-2026-01-09-from-2026-01-09-00001.json.gz"]
    again = fetch(nlm, tmp_path / "a", since="2026-01-09", until="2026-01-09")
    assert (again["unchanged"], again["studies"], again["files"]) == (
        True,
        3,
        [{**report["files"][0], "status": "present"}],
    )
    # A day without studies has no file.
    empty = fetch(nlm, tmp_path / "b", since="2026-01-07", until="2026-01-08")
    assert (empty["files"], empty["studies"]) == ([], 0) and names(tmp_path / "b") == []
    # A day after the data.
    assert fetch(nlm, tmp_path / "c", since="2026-02-01")["files"] == []


def test_pages_that_break_off_come_again(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, 8)
    tries = iter(
        [
            lambda handler: handler.say(429, b"", {"Retry-After": "0"}),
            lambda handler: handler.say(200, b'{"studies": [{"protocolSection": {"identi'),
            None,
            lambda handler: handler.say(200, b"\x1f\x8bnothing", {"Content-Encoding": "gzip"}),
            lambda handler: handler.say(200, b'{"error": "busy"}'),
            None,
            lambda handler: handler.say(200, b"x" * 100, cut=10),
            lambda handler: handler.say(503, b""),
        ]
    )

    def trouble(handler: Handler) -> bool:
        answer = next(tries, None) if handler.where.endswith("studies") else None
        if answer is not None:
            answer(handler)
        return answer is not None

    nlm.trouble = trouble
    assert fetch(nlm, tmp_path)["studies"] == 8
    assert ids(tmp_path) == all_ids(nlm)
    nlm.trouble = times(2, lambda handler: handler.say(200, b"<html>maintenance</html>"), "studies")
    with pytest.raises(exceptions.StorageError, match="what came is no page of studies, at attempt 2 of 2"):
        fetch(nlm, tmp_path / "html", attempts=2)


def test_a_fetch_goes_on_at_its_page(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, 8)
    first = fetch(nlm, tmp_path, limit=1)
    assert (first["left"], first["fetched"], len(names(tmp_path))) == (1, 1, 1)
    nlm.forget()
    second = fetch(nlm, tmp_path)
    assert [file["status"] for file in second["files"]] == ["present", "fetched", "fetched"]
    assert (second["studies"], len(page_requests(nlm))) == (8, 2), "the first page is not asked for again"
    assert ids(tmp_path) == all_ids(nlm)


def test_a_killed_fetch_goes_on(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, 8)
    nlm.trouble = always(lambda handler: handler.late(30 if "after-6" in handler.path else 0), "studies")
    process = subprocess.Popen(command("fetch", "clinicaltrials", "--to", tmp_path, "--base-url", nlm.trials))
    deadline = time.monotonic() + 30
    while len(page_requests(nlm)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.3)
    process.kill()
    process.communicate()
    assert len(names(tmp_path)) == 2
    nlm.trouble = None
    nlm.forget()
    assert fetch(nlm, tmp_path)["studies"] == 8
    assert len(page_requests(nlm)) == 1 and ids(tmp_path) == all_ids(nlm)


def test_pages_of_other_data_are_not_mixed(nlm: Nlm, tmp_path: Path) -> None:
    """The rest of the pages would belong to another state of the server."""
    publish(nlm, 8)
    fetch(nlm, tmp_path, limit=1)
    nlm.timestamp = "2026-01-13T09:00:05"
    nlm.studies.pop(0)
    report = fetch(nlm, tmp_path)
    assert (report["studies"], report["fetched"], report["present"]) == (7, 3, 0)
    assert {name[:18] for name in names(tmp_path)} == {"studies-2026-01-13"}
    assert ids(tmp_path) == all_ids(nlm)


def test_a_token_that_the_server_forgot(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, 8)
    fetch(nlm, tmp_path, limit=1)
    nlm.trouble = times(1, lambda handler: handler.say(400, b"unknown token"), "studies")
    assert fetch(nlm, tmp_path)["studies"] == 8
    assert ids(tmp_path) == all_ids(nlm)


@pytest.mark.parametrize("changes", ["once", "always"])
def test_data_that_change_while_they_are_paged(nlm: Nlm, tmp_path: Path, changes: str) -> None:
    publish(nlm, 8)
    count = [0]

    def trouble(handler: Handler) -> bool:
        # One study fewer, behind a page that has come.
        if "after-3" in handler.path and (changes == "always" or count[0] == 0):
            count[0] += 1
            nlm.studies.pop(0)
            nlm.timestamp = f"2026-01-12T2{count[0]}:00:00"
        return False

    nlm.trouble = trouble
    if changes == "once":
        report = fetch(nlm, tmp_path)
        assert report["studies"] == 7 and report["data_timestamp"] == "2026-01-12T21:00:00"
        assert ids(tmp_path) == all_ids(nlm)
    else:
        message = "studies: cannot count the studies: 6 studies came, 6 different.*counts 7; its data changed meanwhile"
        with pytest.raises(exceptions.StorageError, match=message):
            fetch(nlm, tmp_path)
        assert names(tmp_path) == []


@pytest.mark.parametrize(("miscounts", "counted"), [(1, 9), (-1, 7)])
def test_a_total_that_is_not_reached_is_an_error(nlm: Nlm, tmp_path: Path, miscounts: int, counted: int) -> None:
    publish(nlm, 8)
    nlm.miscounts = miscounts
    message = f"8 studies came, 8 different ones, but the server counts {counted}; no page of these days is kept"
    with pytest.raises(exceptions.StorageError, match=message):
        fetch(nlm, tmp_path)
    assert names(tmp_path) == []
    nlm.miscounts = 0
    nlm.studies.append(nlm.studies[0])
    with pytest.raises(exceptions.StorageError, match="9 studies came, 8 different ones, but the server counts 9"):
        fetch(nlm, tmp_path)
    nlm.studies.pop()
    assert fetch(nlm, tmp_path)["studies"] == 8


def test_a_server_that_is_another_one(nlm: Nlm, tmp_path: Path) -> None:
    for body in (b"<html>", b"{}", b'{"dataTimestamp": "yesterday"}', b'{"dataTimestamp": 5}'):
        nlm.trouble = times(1, lambda handler, body=body: handler.say(200, body), "version")  # type: ignore[misc]
        with pytest.raises(exceptions.FormatError, match="api/v2/version: the answer: .*where the time of the data"):
            fetch(nlm, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_buckets_and_the_pipeline(nlm: Nlm, peer: Peer, prefix: str, tmp_path: Path) -> None:
    publish(nlm, 8)
    fetch(nlm, peer.uri(prefix), limit=2)
    report = fetch(nlm, peer.uri(prefix))
    assert (report["studies"], report["present"], report["fetched"]) == (8, 2, 1)
    assert len(peer.contents(f"{prefix}/studies-")) == 3
    (tmp_path / "drugs.csv").write_text("atccode,drug\nB01AA03,WARFARIN\n", encoding="utf-8")
    run = drugs_rs.run(
        drugs=tmp_path / "drugs.csv", clinical_trials=peer.uri(prefix), lake=tmp_path / "lake", dt="2026-01-12"
    )
    assert (run["steps"][-1]["mentions"], run["rows_rejected"]) == (8, 0)


def test_the_command_says_how_many_studies(nlm: Nlm, tmp_path: Path) -> None:
    publish(nlm, 8)
    words = ("fetch", "clinicaltrials", "--to", tmp_path, "--base-url", nlm.trials)
    part = shell(*words, "--limit", "1")
    assert b"1 files fetched" in part.stdout and b"more left for the next fetch" in part.stdout
    done = shell(*words)
    assert b"2 files fetched" in done.stdout and b"1 there already" in done.stdout
    assert b"8 studies, of the data of 2026-01-12T09:00:05" in done.stdout
