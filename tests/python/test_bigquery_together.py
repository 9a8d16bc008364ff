"""Two loads at once, and loads that die: the dataset ends with one state, whole."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
from bigquery_lakes import TARGET, at_request, check_rows, client_of, load
from lake_story import FIRST
from written_sources import write_drugs, write_pubmed

import drugs_rs
from drugs_rs import bigquery as module
from drugs_rs import exceptions
from drugs_rs.loading import LoadReceipt

if TYPE_CHECKING:
    from pathlib import Path

    from bigquery_server import BigQuery

pytestmark = pytest.mark.core

SOME = ["mentions", "journals"]


@pytest.fixture
def two_states(tmp_path: Path) -> drugs_rs.Lake:
    """A lake whose second state changes a date and adds one."""
    drugs = write_drugs(tmp_path / "drugs.csv", ("B01AA03", "warfarin"), ("N02BE01", "paracetamol"))
    for dt, title in ((FIRST, "Warfarin"), ("2024-03-02", "Paracetamol")):
        pubmed = write_pubmed(tmp_path / f"{dt}.csv", ("1", title, "2020", "BMJ"), (dt, "Warfarin", "2020", "Annals"))
        drugs_rs.run(lake=tmp_path / "lake", dt=dt, drugs=drugs, pubmed=pubmed)
    return drugs_rs.Lake(tmp_path / "lake")


class Dies(BaseException):
    """The end of a process, in one that goes on."""


def emptied(service: BigQuery) -> None:
    """Remove the dataset; its jobs stay, as their ids do."""
    for dataset, table in list(service.tables):
        service.delete_table(dataset, table)
    for name in list(service.datasets):
        service.execute(f"DROP SCHEMA {name}")
        del service.datasets[name]


def overtaken(service: BigQuery, lake: drugs_rs.Lake, number: int, patch: pytest.MonkeyPatch) -> str:
    """A load of the first state, and before one of its requests a load of the second one."""
    came = []

    def newer() -> None:
        came.append(number)
        patch.setattr("drugs_rs.loading.pinned", lambda _: lake.at(2))
        load(service, lake.root, tables=SOME)

    service.trouble.before = at_request(number, newer)
    patch.setattr("drugs_rs.loading.pinned", lambda _: lake.at(1))
    try:
        load(service, lake.root, tables=SOME)
    except exceptions.ConflictError as error:
        return str(error)
    finally:
        service.trouble.before = None
        service.settle()
    return "done" if came else "never"


@pytest.mark.parametrize(("seconds", "every"), [(0, 1), (0.01, 4)])
@pytest.mark.usefixtures("no_pauses")
def test_a_newer_load_wins_whenever_it_comes(
    bigquery: BigQuery, two_states: drugs_rs.Lake, seconds: float, every: int
) -> None:
    """Before each request of the older one in turn: it raises, or was done; the rows are those of the newer."""
    outcomes = []
    bigquery.trouble.job_seconds = seconds
    for number in range(1, 100, every):
        emptied(bigquery)
        with pytest.MonkeyPatch.context() as patch:
            outcome = overtaken(bigquery, two_states, number, patch)
        if outcome == "never":
            break
        outcomes.append(outcome.split(":")[-1].strip())
        check_rows(bigquery, two_states.at(2), SOME)
        assert load(bigquery, two_states, tables=SOME).unchanged
    assert outcomes[0] != "done" and outcomes.count("done") < 5 < len(outcomes)
    kinds = ("began load 1 at the same moment", "a newer load began meanwhile", "began while load 1 was at work")
    # Jobs that take time are asked for now and then, so only without them every request has its turn.
    for kind in (*kinds, "done") if every == 1 else ():
        assert any(kind in outcome for outcome in outcomes), kind
    assert all(outcome == "done" or any(kind in outcome for kind in kinds) for outcome in outcomes)


def test_two_loads_of_one_state(bigquery: BigQuery, story: dict[str, Path]) -> None:
    """Each finds the jobs of the other and waits for them: no part is loaded twice, and both succeed."""
    bigquery.trouble.job_seconds = 0.02
    start, errors = threading.Barrier(3), []

    def work() -> None:
        start.wait()
        try:
            load(bigquery, story["late"], tables=SOME)
        except exceptions.DrugsError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    check_rows(bigquery, story["late"], SOME)
    ids = [job_id for _, job_id in bigquery.jobs]
    assert all(job_id.endswith("_1") for job_id in ids) and sum("_begin_" in job_id for job_id in ids) == 1


def test_a_load_that_does_something_else_at_the_same_moment_is_refused(
    bigquery: BigQuery, story: dict[str, Path]
) -> None:
    """Both found no load and begin the first one: the second to begin changes nothing."""
    seen: list[str] = []

    def other(_method: str, path: str) -> None:
        if path.endswith("_2_begin_1") and not seen:
            seen.append(path)
            load(bigquery, story["late"], tables=["drugs"])

    bigquery.trouble.before = other
    with pytest.raises(exceptions.ConflictError, match=f"{TARGET}: another process began load 1 at the same moment"):
        load(bigquery, story["first"], tables=SOME)
    assert {name for _, name in bigquery.tables} == {"drugs", "load_log"}
    load(bigquery, story["first"], tables=SOME)
    check_rows(bigquery, story["first"], SOME)


def test_a_load_that_dies_anywhere_is_finished_by_the_next(bigquery: BigQuery, two_states: drugs_rs.Lake) -> None:
    """After each of its requests in turn, before it reads the answer: a load of the same state or a newer one comes."""
    load(bigquery, two_states.at(1), tables=SOME)
    number, deaths = 1, 0
    while True:
        state = 2 if number % 2 else 1
        died = dying_load(bigquery, two_states.at(state), number)
        if not died:
            break
        deaths += 1
        # Twice in a row, now and then.
        if number % 3 == 0:
            dying_load(bigquery, two_states.at(3 - state), number // 2)
        final = two_states.at(state if number % 5 else 3 - state)
        load(bigquery, final, tables=SOME)
        check_rows(bigquery, final, SOME)
        assert load(bigquery, final, tables=SOME).unchanged
        # The next one has something to do.
        load(bigquery, two_states.at(1 if (number + 1) % 2 else 2), tables=SOME)
        number += 1
    assert deaths > 10


def dying_load(service: BigQuery, lake: drugs_rs.Lake, number: int, **options: Any) -> bool:
    """A load that ends after one of its requests, before it reads the answer; whether it did."""
    count = 0
    send = requests.Session.send

    def sending(session: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        answer = send(session, *arguments, **options)
        if count == number:
            raise Dies
        return answer

    with pytest.MonkeyPatch.context() as patch, client_of(service) as client:
        patch.setattr(requests.Session, "send", sending)
        try:
            module.load(lake, TARGET, client=client, **{"tables": SOME, **options})
        except Dies:
            return True
    return False


def test_a_retry_goes_on_where_the_load_was(bigquery: BigQuery, story: dict[str, Path]) -> None:
    """As Airflow tries a killed task again: the jobs that finished are not run again."""
    load(bigquery, story["first"], tables=SOME)
    before = len(bigquery.jobs)
    assert dying_load(bigquery, drugs_rs.Lake(story["corrected"]), 14)
    done = [job_id for _, job_id in list(bigquery.jobs)[before:]]
    assert any("begin" in job_id for job_id in done) and any("mentions" in job_id for job_id in done)
    load(bigquery, story["corrected"], tables=SOME)
    later = [job_id for _, job_id in list(bigquery.jobs)[before + len(done) :]]
    assert later and not any("begin" in job_id for job_id in later)
    check_rows(bigquery, story["corrected"], SOME)


def test_a_retry_with_other_jobs_does_not_share_them(
    bigquery: BigQuery, two_states: drugs_rs.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs that replace a table and add to it must be all of one division of its partitions."""
    monkeypatch.setattr("drugs_rs.bigquery.parts.MOST_UPLOADS", 1)
    for number in range(10, 20):
        emptied(bigquery)
        assert dying_load(bigquery, two_states, number, max_partitions=1)
        receipt = load(bigquery, two_states, tables=SOME, max_partitions=2)
        assert isinstance(receipt, LoadReceipt) and receipt.load == 2
        check_rows(bigquery, two_states, SOME)


def test_a_load_that_died_as_it_began_is_resumed_with_what_it_had_to_take_over(
    bigquery: BigQuery, two_states: drugs_rs.Lake
) -> None:
    """Its predecessor is alive for all that anybody knows, so it must not submit a job any more."""
    number = 1
    while not any("journals" in job_id for _, job_id in bigquery.jobs):
        assert dying_load(bigquery, two_states.at(1), number)
        number += 1
    number = 1
    while not any("_2_begin_" in job_id for _, job_id in bigquery.jobs):
        assert dying_load(bigquery, two_states, number)
        number += 1
    assert not [row for row in bigquery.rows("drugs", "load_log") if row["event"] == "overtaken"]
    receipt = load(bigquery, two_states, tables=SOME)
    assert isinstance(receipt, LoadReceipt) and receipt.load == 2
    [row] = [row for row in bigquery.rows("drugs", "load_log") if row["event"] == "overtaken"]
    assert row["load"] == 1 and row["lake"] == two_states.root
    check_rows(bigquery, two_states, SOME)


def test_what_a_dead_load_may_have_brought_is_loaded_again(bigquery: BigQuery, tmp_path: Path) -> None:
    """It began two dates; the next state changes one of them, and has the other as it was before."""
    drugs = write_drugs(tmp_path / "drugs.csv", ("B01AA03", "warfarin"), ("N02BE01", "paracetamol"))
    dates = (FIRST, "2024-03-02")
    for titles in (("Warfarin", "Warfarin"), ("Paracetamol", "Paracetamol"), ("Warfarin", "Warfarin, warfarin")):
        for dt, title in zip(dates, titles):
            pubmed = write_pubmed(tmp_path / f"{dt}.csv", (dt, title, "2020", "BMJ"))
            drugs_rs.bronze(lake=tmp_path / "lake", dt=dt, drugs=drugs, pubmed=pubmed)
            drugs_rs.silver(lake=tmp_path / "lake", dt=dt)
        drugs_rs.gold(lake=tmp_path / "lake", dt=dates[1])
    lake = drugs_rs.Lake(tmp_path / "lake")
    number = 1
    while True:
        load(bigquery, lake.at(1), tables=["mentions"])
        if not dying_load(bigquery, lake.at(2), number, tables=["mentions"]):
            break
        load(bigquery, lake.at(3), tables=["mentions"])
        check_rows(bigquery, lake.at(3), ["mentions"])
        number += 1
    assert number > 10
