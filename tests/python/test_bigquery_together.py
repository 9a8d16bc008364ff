"""Two loads at once, and loads that die: the dataset ends with one state, whole."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from bigquery_lakes import TARGET, at_request, check_rows, client_of, load, rows_there
from lake_story import FIRST
from written_sources import write_drugs, write_pubmed

import drugs_rs
from drugs_rs import bigquery as module
from drugs_rs import exceptions

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


def pinned_at(monkeypatch: pytest.MonkeyPatch, lake: drugs_rs.Lake, state: int) -> None:
    """The next load finds this state to be the newest one."""
    monkeypatch.setattr("drugs_rs.loading.pinned", lambda _: lake.at(state))


def requests_of(service: BigQuery, lake: Any, **options: Any) -> int:
    """How many requests a load makes."""
    before = service.requests
    load(service, lake, tables=SOME, **options)
    return service.requests - before


@pytest.mark.parametrize("slow", [False, True])
def test_a_newer_load_wins_whenever_it_comes(
    bigquery: BigQuery, two_states: drugs_rs.Lake, monkeypatch: pytest.MonkeyPatch, slow: bool, no_pauses: list[float]
) -> None:
    """Before each request of the older one in turn: it raises, or was done; the rows are those of the newer."""
    outcomes = []
    bigquery.trouble.job_seconds = 0.01 if slow else 0
    number = 1
    while True:
        for name in list(bigquery.datasets):
            for dataset, table in list(bigquery.tables):
                bigquery.delete_table(dataset, table)
            bigquery.execute(f"DROP SCHEMA {name}")
            del bigquery.datasets[name]
        came: list[int] = []

        def newer() -> None:
            with monkeypatch.context() as patch:
                pinned_at(patch, two_states, 2)
                came.append(number)
                load(bigquery, two_states.root, tables=SOME)

        bigquery.trouble.before = at_request(number, newer)
        with monkeypatch.context() as patch:
            pinned_at(patch, two_states, 1)
            try:
                load(bigquery, two_states.root, tables=SOME)
                outcomes.append("done")
            except exceptions.ConflictError as error:
                assert "began meanwhile" in str(error) or "while load" in str(error)
                outcomes.append("conflict")
        bigquery.trouble.before = None
        bigquery.settle()
        if not came:
            break
        check_rows(bigquery, two_states.at(2), SOME)
        assert load(bigquery, two_states, tables=SOME).unchanged
        number += 3 if slow else 1
    assert set(outcomes) == {"done", "conflict"} and outcomes.count("conflict") > outcomes.count("done")
    assert outcomes[0] == "conflict"


def test_two_loads_of_one_state(bigquery: BigQuery, story: dict[str, Path]) -> None:
    """Each finds the jobs of the other and waits for them: no part is loaded twice, and both succeed."""
    bigquery.trouble.job_seconds = 0.02
    start, errors = threading.Barrier(3), []

    def work() -> None:
        start.wait()
        try:
            load(bigquery, story["late"], tables=SOME)
        except BaseException as error:
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


def test_loads_of_one_state_that_do_other_things(bigquery: BigQuery, story: dict[str, Path]) -> None:
    """The one that comes second is refused, and leaves the first alone."""
    caught: list[BaseException] = []

    def other() -> None:
        try:
            load(bigquery, story["late"], tables=["drugs"])
        except exceptions.ConflictError as error:
            caught.append(error)

    bigquery.trouble.job_seconds = 0.01
    seen = []

    def before(method: str, path: str) -> None:
        if path.endswith("_2_begin_1") and not seen:
            seen.append(path)
            bigquery.trouble.before = None
            other()

    bigquery.trouble.before = before
    load(bigquery, story["first"], tables=SOME)
    assert not caught or "another process began load" in str(caught[0])


@pytest.mark.parametrize("after", [False, True])
def test_a_load_that_dies_anywhere_is_finished_by_the_next(
    bigquery: BigQuery, two_states: drugs_rs.Lake, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """Before each of its requests in turn, or after it: then a load of the same state, or of a newer one."""
    load(bigquery, two_states.at(1), tables=SOME)
    number, deaths = 1, 0
    while True:
        state = 2 if number % 2 else 1
        died = dying_load(bigquery, two_states.at(state), number, after=after)
        if not died:
            break
        deaths += 1
        # Twice in a row, now and then.
        if number % 3 == 0:
            dying_load(bigquery, two_states.at(3 - state), number // 2, after=after)
        final = two_states.at(state if number % 5 else 3 - state)
        load(bigquery, final, tables=SOME)
        check_rows(bigquery, final, SOME)
        assert load(bigquery, final, tables=SOME).unchanged
        # The next one has something to do.
        load(bigquery, two_states.at(1 if (number + 1) % 2 else 2), tables=SOME)
        number += 1
    assert deaths > 10


def dying_load(service: BigQuery, lake: drugs_rs.Lake, number: int, *, after: bool) -> bool:
    """A load that ends at one of its requests, before it is sent or before its answer is read."""
    with client_of(service) as client:
        send, count = client._http.request, 0

        def request(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == number and not after:
                raise Dies
            answer = send(*arguments, **options)
            if count == number:
                raise Dies
            return answer

        client._http.request = request
        try:
            module.load(lake, TARGET, client=client, tables=SOME)
        except Dies:
            return True
        return False


def test_a_finished_job_is_not_run_again_by_a_retry(bigquery: BigQuery, story: dict[str, Path]) -> None:
    """A task that is killed and tried again, as Airflow does, goes on where it was."""
    load_count = requests_of(bigquery, story["first"])
    assert load_count > 20
    before = len(bigquery.jobs)
    with pytest.raises(Dies):
        bigquery.trouble.failures = {}
        if dying_load(bigquery, drugs_rs.Lake(story["corrected"]), 16, after=True):
            raise Dies
    done = [job_id for _, job_id in list(bigquery.jobs)[before:]]
    assert any("begin" in job_id for job_id in done) and any("mentions" in job_id for job_id in done)
    load(bigquery, story["corrected"], tables=SOME)
    later = [job_id for _, job_id in list(bigquery.jobs)[before + len(done) :]]
    assert not set(done) & set(later) and not any("begin" in job_id for job_id in later)
    check_rows(bigquery, story["corrected"], SOME)
    assert rows_there(bigquery, "mentions")
