"""`iter_publications` as an Arrow stream: batches are made when the consumer pulls them, and nothing is leaked."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

import duckdb
import polars
import pyarrow
import pytest
from written_sources import PUBMED_COLUMNS, csv_text, write, write_pubmed

import drugs_rs
from drugs_rs import exceptions

linux = pytest.mark.skipif(sys.platform != "linux", reason="threads and files are read from /proc")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of four articles each, one of them without a title."""
    for name in ("a", "b", "c"):
        records = [(f"{name}{number}", f"Velorin {number}", "2020-05-02", "J") for number in range(3)]
        write_pubmed(tmp_path / "in" / f"{name}.csv", *records, ("", " ", "", ""))
    return tmp_path / "in"


def ids(folder: Path) -> list[str]:
    return [row["publication_id"] for row in drugs_rs.read_publications(folder).to_dicts()]


READERS: dict[str, Callable[[Any], list[dict[str, Any]]]] = {
    "pyarrow": lambda stream: pyarrow.RecordBatchReader.from_stream(stream).read_all().to_pylist(),
    "pyarrow.table": lambda stream: pyarrow.table(stream).to_pylist(),
    "polars": lambda stream: polars_frame(stream).to_dicts(),
    "duckdb": lambda stream: duckdb_rows(stream),
}


def polars_frame(stream: Any) -> polars.DataFrame:
    """The last polars for Python 3.8 takes an iterator for one of rows before it asks for a stream."""
    return polars.DataFrame(stream) if sys.version_info >= (3, 9) else polars.DataFrame(pyarrow.table(stream))


def duckdb_rows(stream: Any) -> list[dict[str, Any]]:
    reader = pyarrow.RecordBatchReader.from_stream(stream)
    with duckdb.connect() as connection:
        connection.register("ours", reader)
        found = connection.sql("FROM ours")
        return [dict(zip(found.columns, row)) for row in found.fetchall()]


@pytest.mark.parametrize("library", READERS)
@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_libraries_read_the_rows_of_all_files(library: str, batch_rows: int, folder: Path) -> None:
    batches = drugs_rs.iter_publications(folder, batch_rows=batch_rows)
    assert READERS[library](batches) == drugs_rs.read_publications(folder).to_dicts()
    assert [(source["rows_in"], source["rows_kept"]) for source in batches.sources] == [(4, 3)] * 3
    assert list(batches) == [], "at its end for good"


def test_a_batch_is_a_record_batch_and_none_is_empty(folder: Path) -> None:
    write(folder / "d.csv", csv_text(PUBMED_COLUMNS, [("", " ", "", "")]))
    reader = pyarrow.RecordBatchReader.from_stream(drugs_rs.iter_publications(folder, batch_rows=4))
    assert [batch.num_rows for batch in reader] == [4, 4, 1]


def test_the_schema_is_known_before_a_file_is_opened(folder: Path) -> None:
    write(folder / "a.csv", "x,y\n")
    batches = drugs_rs.iter_publications(folder)
    schema = pyarrow.schema(batches)
    assert schema == pyarrow.RecordBatchReader.from_stream(batches).schema
    assert schema == pyarrow.table(drugs_rs.read_publications(folder / "b.csv")).schema
    assert [source["rows_in"] for source in batches.sources] == [0, 0, 0]


def test_nothing_is_read_before_it_is_pulled(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_pubmed(tmp_path / f"{name}.csv", *((str(number), "Velorin", "2020", "J") for number in range(10)))
    batches = drugs_rs.iter_publications(tmp_path, batch_rows=5)
    reader = pyarrow.RecordBatchReader.from_stream(batches)
    assert [source["rows_in"] for source in batches.sources] == [0, 0, 0]
    reader.read_next_batch()
    assert [source["rows_in"] for source in batches.sources] == [10, 0, 0]
    assert len(next(batches)) == 5, "stream and iterator share their place"
    assert reader.read_all().num_rows == 20


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_an_error_is_the_consumers_with_our_message(library: str, folder: Path) -> None:
    write(folder / "b.csv", "x,y\n1,2\n")
    batches = drugs_rs.iter_publications(folder, batch_rows=1)
    with pytest.raises(exceptions.SchemaError) as ours:
        list(drugs_rs.iter_publications(folder))
    with pytest.raises(Exception) as theirs:
        READERS[library](batches)
    assert str(ours.value) in str(theirs.value)
    assert not isinstance(theirs.value, exceptions.DrugsError)
    assert list(batches) == []


def test_a_bad_file_is_kept_aside_in_a_stream_too(folder: Path) -> None:
    write(folder / "b.csv", "x,y\n1,2\n")
    batches = drugs_rs.iter_publications(folder, on_bad_file="reject")
    assert [row["publication_id"][0] for row in READERS["pyarrow"](batches)] == ["a"] * 3 + ["c"] * 3
    assert batches.sources[1]["rejected"] == {"bad_file": 1}


BATCHES = """
import json, sys
import drugs_rs
batches = drugs_rs.iter_publications(sys.argv[1], batch_rows=1000, on_bad_file="reject")
print(json.dumps([(len(batch), [list(row.values()) for row in batch.rejected.to_dicts()]) for batch in batches]))
"""


@pytest.mark.parametrize("rows", [36000, 42000])
def test_rejected_rows_come_in_the_same_batch_on_any_number_of_threads(tmp_path: Path, rows: int) -> None:
    # They came as soon as they were read, and how far files are read ahead depends on the threads.
    lines = [f"{row},{'' if row % 7 == 0 else 'A title of some length'},2020,J\n" for row in range(1, rows + 1)]
    for name, end in (("a", ""), ("b", "x,\xff,2020,J\n"), ("c", "")):
        (tmp_path / f"{name}.csv").write_bytes(("id,title,date,journal\n" + "".join(lines) + end).encode("latin-1"))
    found = []
    for threads in ("1", "2", "3"):
        environment = dict(os.environ, RAYON_NUM_THREADS=threads)
        program = [sys.executable, "-c", BATCHES, str(tmp_path)]
        printed = subprocess.run(program, stdout=subprocess.PIPE, env=environment, check=True).stdout
        found.append(json.loads(printed))
    assert found[0] == found[1] == found[2]
    reasons = [row[0] for _, rejected in found[0] for row in rejected]
    assert reasons.count("bad_file") == 1
    assert reasons.count("blank_title") > rows // 7 * 2
    uris = [row[3] for _, rejected in found[0] for row in rejected]
    assert uris == sorted(uris)


def test_pulled_in_another_thread(folder: Path) -> None:
    reader = pyarrow.RecordBatchReader.from_stream(drugs_rs.iter_publications(folder, batch_rows=2))
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.extend(reader.read_all()["publication_id"].to_pylist()))
    thread.start()
    thread.join(timeout=60)
    assert found == ids(folder)


def test_two_threads_pull_one_iterator(folder: Path) -> None:
    batches = drugs_rs.iter_publications(folder, batch_rows=1)
    readers = [pyarrow.RecordBatchReader.from_stream(batches) for _ in range(2)]
    found: list[list[str]] = [[], []]

    def pull(number: int) -> None:
        found[number] += [batch["publication_id"][0].as_py() for batch in readers[number]]

    threads = [threading.Thread(target=pull, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(found[0] + found[1]) == ids(folder)


def open_files() -> list[str]:
    descriptors = Path("/proc/self/fd")
    return sorted(os.readlink(str(path)) for path in descriptors.iterdir() if path.exists())


def threads() -> set[str]:
    """This process's threads: those of the engine's pool stay, and one that was joined is listed a moment longer."""
    return {path.name for path in Path("/proc/self/task").iterdir()}


@linux
def test_a_consumer_that_stops_early_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("id,title,date,journal\n")
        file.writelines(f"{number},Velorin {'x' * 500},2020,J\n" for number in range(20_000))
    pyarrow.table(drugs_rs.iter_publications(path))
    files_before, threads_before = open_files(), threads()
    batches = drugs_rs.iter_publications(path, batch_rows=10)
    reader = pyarrow.RecordBatchReader.from_stream(batches)
    reader.read_next_batch()
    assert str(path) in open_files(), "it stands in the middle of the file"
    del batches
    assert reader.read_next_batch().num_rows == 10, "the stream goes on without the iterator"
    del reader
    gc.collect()
    # A joined thread leaves the list only a moment later: this call's, and that of the call before.
    until = time.monotonic() + 10
    while (open_files() != files_before or threads() - threads_before) and time.monotonic() < until:
        time.sleep(0.05)
    assert open_files() == files_before
    assert threads() <= threads_before


PULL = """
import sys, pyarrow, drugs_rs

def peak():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")))

held = peak()
reader = pyarrow.RecordBatchReader.from_stream(drugs_rs.iter_publications(sys.argv[1], batch_rows=500))
rows = sum(batch.num_rows for batch in reader)
print(rows, peak() - held)
"""


@linux
def test_a_pull_through_holds_no_file(tmp_path: Path) -> None:
    """A file of 300 MB is pulled in batches of a few; what that takes is far less than the file."""
    path = tmp_path / "long.csv"
    text = "x" * 3000
    with path.open("w", encoding="utf-8") as file:
        file.write("id,title,date,journal,abstract\n")
        file.writelines(f"{number},Velorin {number},2020,J,{text}\n" for number in range(100_000))
    finished = subprocess.run([sys.executable, "-c", PULL, str(path)], stdout=subprocess.PIPE, check=True, timeout=120)
    rows, kilobytes = map(int, finished.stdout.split())
    assert rows == 100_000
    assert kilobytes < 170_000


STOPPED = """
import os, signal, sys, threading, pyarrow, drugs_rs

threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
batches = drugs_rs.iter_publications([sys.argv[1]] , batch_rows=1 << 40)
try:
    pyarrow.RecordBatchReader.from_stream(batches).read_all()
except OSError as error:
    print(error)
"""


@linux
def test_ctrl_c_ends_a_pull(tmp_path: Path) -> None:
    """A pipe that never ends; pyarrow itself does not ask for signals while it waits for a batch."""
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    program = subprocess.Popen([sys.executable, "-c", STOPPED, str(pipe)], stdout=subprocess.PIPE)

    def feed() -> None:
        try:
            with pipe.open("w", encoding="utf-8") as file:
                file.write("id,title,date,journal\n")
                while True:
                    file.write("1,Velorin,2020,J\n" * 1000)
        except BrokenPipeError:
            pass

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    told, _ = program.communicate(timeout=60)
    assert b"stopped on request" in told


def test_a_forked_child_is_told_by_the_consumers_error(folder: Path) -> None:
    reader = pyarrow.RecordBatchReader.from_stream(drugs_rs.iter_publications(folder, batch_rows=1))
    reader.read_next_batch()
    read, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            reader.read_next_batch()
            told = "nothing"
        except BaseException as error:  # noqa: BLE001
            told = str(error)
        os.write(write_end, told.encode())
        os._exit(0)
    os.close(write_end)
    os.waitpid(child, 0)
    with os.fdopen(read) as pipe:
        assert "fork" in pipe.read()
