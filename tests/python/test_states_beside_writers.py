"""Readers in a loop beside a writer that delivers, corrects, keeps and gives up: each read is one state, whole."""

from __future__ import annotations

import hashlib
import io
import random
import re
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pyarrow.parquet as parquet
import pytest
from changing_lake import Story, gold_view, table_digest
from written_sources import write_drugs, write_pubmed

import drugs_rs
from drugs_rs import exceptions

pytestmark = pytest.mark.core

SEED = 20261129
ROWS = 400
DAYS = 8
SEEN = ("mentions", "publications", "journals")


class Readers:
    """Threads that read until the writer is done; the first thing that is wrong ends all."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.reads = Counter[str]()
        self.faults: list[BaseException] = []

    def loop(self, name: str, read: Callable[[], str | None]) -> None:
        """Read again and again, and count what came of it."""
        try:
            while not self.done.is_set():
                self.reads[f"{name}: {read() or 'read'}"] += 1
        except BaseException as fault:  # noqa: BLE001 (it is raised again where it is seen)
            self.faults.append(fault)

    def beside(self, write: Callable[[], None], **reads: Callable[[], str | None]) -> None:
        """Run all until the writer is done."""
        threads = [threading.Thread(target=self.loop, args=item) for item in reads.items()]
        for thread in threads:
            thread.start()
        try:
            write()
        finally:
            self.done.set()
            for thread in threads:
                thread.join()
        if self.faults:
            raise self.faults[0]


class Writer:
    """Delivers day after day, with corrections of the last day but one, and gives states up; records each state."""

    def __init__(self, folder: Path, graph: str) -> None:
        self.root = folder / "lake"
        self.lake = drugs_rs.Lake(self.root)
        self.story = Story(folder, random.Random(f"{SEED} {graph}"), ROWS, {"graph": graph, "keep": "2 states"})
        self.states: dict[int, dict[str, str]] = {}
        self.answers: set[str] = set()
        for _ in range(2):
            self.deliver(self.story.date())

    def deliver(self, dt: str) -> None:
        """Run a date, and record what readers may see from now on."""
        self.story.deliver(dt).apply(self.root)
        self.states[self.lake.states()["state"][-1]] = gold_view(self.lake)
        self.answers.add(str(drugs_rs.read_answers(self.root)))

    def write(self) -> None:
        """All days."""
        for day in range(DAYS):
            self.deliver(self.story.dates[-2] if day % 4 == 3 else self.story.date())
            if day % 3 == 2:
                self.lake.vacuum(keep=f"{day % 2} states")


@pytest.mark.parametrize("graph", ["none", "json"])
def test_readers_beside_daily_runs_and_vacuums(graph: str, tmp_path: Path) -> None:
    """What a reader saw is compared at the end, when all states are recorded."""
    writer, readers = Writer(tmp_path, graph), Readers()
    lake, seen, answers = writer.lake, set[tuple[str, str]](), set[str]()

    def scan() -> str | None:
        for table in SEEN:
            seen.add((table, table_digest(lake, table)))
        return None

    def stream() -> str | None:
        try:
            rows = [row for table in lake.scan("publications") for row in table]
        except exceptions.ConflictError:
            return "conflict"
        assert len({(row["kind"], row["publication_id"]) for row in rows}) == len(rows), "a mixture of states"
        return None

    def files() -> str | None:
        """Every file by itself is whole; between the listing and the reading, it may be replaced or go."""
        for file in lake.files("publications"):
            try:
                data = Path(file["uri"]).read_bytes()
            except FileNotFoundError:
                return "a file is gone"
            table = parquet.ParquetFile(io.BytesIO(data)).read()
            if hashlib.sha256(data).hexdigest() != file["sha256"]:
                return "a file is another"
            assert table.num_rows == file["rows"]
        return None

    def answer() -> str | None:
        answers.add(str(drugs_rs.read_answers(lake.root)))
        return None

    readers.beside(writer.write, scan=scan, stream=stream, files=files, answer=answer)
    for table, digest in seen:
        assert digest in {state[table] for state in writer.states.values()}, table
    assert answers <= writer.answers
    assert all(readers.reads[f"{name}: read"] > 2 for name in ("scan", "files", "answer")), readers.reads


def test_readers_of_states_beside_daily_runs_and_vacuums(tmp_path: Path) -> None:
    writer, readers = Writer(tmp_path, "none"), Readers()
    seen = set[tuple[int, str, str]]()

    def at() -> str | None:
        number = random.choice(writer.lake.states()["state"])
        try:
            then = writer.lake.at(number)
            seen.update((number, table, table_digest(then, table)) for table in SEEN)
        except (exceptions.SourceNotFoundError, exceptions.ConflictError):
            # Given up after it was listed.
            assert number not in writer.lake.states()["state"]
            return "given up"
        return None

    readers.beside(writer.write, one=at, two=at)
    for number, table, digest in seen:
        assert digest == writer.states[number][table], (number, table)
    assert readers.reads["one: read"] > 2


def test_a_stream_of_a_state_has_no_rows_of_the_next(tmp_path: Path) -> None:
    """The second partition is replaced after the first was read: its rows came from the new delivery."""
    drugs = write_drugs(tmp_path / "drugs.csv", ("B01AA03", "WARFARIN"))
    one, two, other = (
        write_pubmed(tmp_path / f"{name}.csv", (number, f"Warfarin {name}", "2020", "BMJ"))
        for number, name in (("1", "aaa"), ("2", "bbb"), ("2", "ccc"))
    )
    drugs_rs.run(lake=tmp_path / "lake", dt="2024-01-01", drugs=drugs, pubmed=one)
    drugs_rs.run(lake=tmp_path / "lake", dt="2024-01-02", pubmed=two)
    stream = iter(drugs_rs.Lake(tmp_path / "lake").at(2).scan("publications"))
    assert next(stream)["title"] == ["Warfarin aaa"]
    drugs_rs.run(lake=tmp_path / "lake", dt="2024-01-02", pubmed=other)
    try:
        assert next(stream)["title"] == ["Warfarin bbb"]
    except exceptions.ConflictError:
        return


def test_a_stream_of_a_state_that_is_given_up_ends_with_an_error(tmp_path: Path) -> None:
    """Never with fewer rows, and never with those of another state."""
    lake = drugs_rs.Lake(tmp_path / "lake")
    story = Story(tmp_path, random.Random(SEED), ROWS, {"graph": "none"})
    for _ in range(3):
        story.deliver(story.date()).apply(tmp_path / "lake")
    then = lake.at(1)
    rows = then.scan("publications").read().to_dicts()
    stream = iter(then.scan("publications"))
    found = [row for table in [next(stream)] for row in table]
    lake.vacuum(keep="0 states")
    with pytest.raises(exceptions.DrugsError) if len(found) < len(rows) else pytest.raises(StopIteration):
        found.extend(row for row in next(stream))
    assert found == rows[: len(found)]
    with pytest.raises(exceptions.SourceNotFoundError, match=re.escape("state 1")):
        then.scan("publications").read()


def test_silver_beside_gold_keeps_what_states_need(tmp_path: Path) -> None:
    """A long silver step, and runs of gold that end meanwhile: each state keeps the silver that it was made from."""
    root = tmp_path / "lake"
    lake = drugs_rs.Lake(root)
    story = Story(tmp_path, random.Random(SEED), 300, {"graph": "none"})
    story.deliver(story.date()).apply(root)
    first = story.dates[0]
    story.rows = 60_000
    delivery = story.deliver(first).arguments
    for table in ("pubmed", "clinical_trials"):
        drugs_rs.bronze(lake=root, dt=first, **{table: delivery[table]})
    rows = {1: table_digest(lake, "publications_all")}
    ended: list[BaseException | None] = []

    def clean() -> None:
        try:
            drugs_rs.silver(lake=root, dt=first)
        except exceptions.DrugsError as error:
            ended.append(error)
        else:
            ended.append(None)

    thread = threading.Thread(target=clean)
    thread.start()
    settings: list[dict[str, Any]] = [{"max_exclusive": number} for number in range(1, 6)]
    time.sleep(0.02)
    for setting in settings:
        if thread.is_alive():
            drugs_rs.gold(lake=root, dt=first, graph="none", **setting)
    made_beside = lake.states()["state"]
    thread.join()
    assert ended == [None] and len(made_beside) > 3, "gold did not commit beside silver: nothing was tested"
    for number in made_beside[:-1]:
        assert table_digest(lake.at(number), "publications_all") == rows[1], number
