"""Tables as pickles: every type comes back, and bytes that are no table are an error and nothing worse."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from made_tables import TEXTS, every_type, table_of, texts, unpickler

import drugs_rs
from drugs_rs.exceptions import DrugsError, FormatError


def bytes_of(table: drugs_rs.Table) -> bytes:
    reduced = table.__reduce__()
    assert isinstance(reduced, tuple)
    data: bytes = reduced[1][0]
    return data


TABLES = {
    "every type": table_of(every_type()),
    "nulls alone": table_of(every_type(nulls=True)),
    "no rows": table_of(every_type()[:0]),
    "no columns": texts("a", "b", "c")[[]],
    "nothing": texts()[[]],
    "a slice": table_of(every_type())[1:],
    "every other row": table_of(every_type())[::-2],
    "lists of empty lists": table_of(pa.table({"lists": pa.array([[[], []], []], pa.large_list(TEXTS))})),
    "several chunks": table_of(pa.concat_tables([every_type()] * 3)),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_keeps_everything(name: str, protocol: int) -> None:
    table = TABLES[name]
    again = pickle.loads(pickle.dumps(table, protocol))
    assert type(again) is drugs_rs.Table
    assert again.to_arrow() == table.to_arrow() and again.to_arrow().schema == table.to_arrow().schema
    assert (again.num_rows, again.to_dicts(), repr(again)) == (table.num_rows, table.to_dicts(), repr(table))


def test_a_table_is_its_own_copy() -> None:
    table = TABLES["every type"]
    assert copy.copy(table) is copy.deepcopy(table) is table
    assert copy.deepcopy({"table": [table]})["table"][0] is table


def test_a_clean_table_keeps_its_rejected_rows(samples: Path) -> None:
    table = drugs_rs.read_publications(samples / "pubmed.csv")
    for again in (pickle.loads(pickle.dumps(table)), copy.deepcopy(table)):
        assert type(again) is drugs_rs.CleanTable
        assert (again.to_dicts(), again.sources, repr(again)) == (table.to_dicts(), table.sources, repr(table))
        assert again.rejected.to_dicts() == table.rejected.to_dicts()
        assert again.to_arrow().schema == table.to_arrow().schema
    reduced = table.__reduce__()
    assert isinstance(reduced, tuple)
    make, arguments = reduced
    for place in range(3):
        broken = list(arguments)
        broken[place] = broken[place][:-3]
        with pytest.raises(FormatError):
            make(*broken)


def test_a_slice_takes_no_more_than_its_rows() -> None:
    table = texts(*["x" * 1000] * 1000)
    assert len(bytes_of(table.head(1))) < 3000


def test_the_schema_is_pickled() -> None:
    schema = TABLES["every type"].schema
    again = pickle.loads(pickle.dumps(schema))
    assert list(again.items()) == list(schema.items()) and pa.schema(again) == pa.schema(schema)


def test_another_process_reads_it(tmp_path: Path) -> None:
    """Also another interpreter, if OTHER_PYTHON names one."""
    (tmp_path / "pickled").write_bytes(pickle.dumps(TABLES["every type"], 4))
    program = "import pickle, sys; print(ascii(pickle.load(open(sys.argv[1], 'rb')).to_dicts()))"
    python = os.environ.get("OTHER_PYTHON", sys.executable)
    done = subprocess.run([python, "-c", program, tmp_path / "pickled"], stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode().strip() == ascii(TABLES["every type"].to_dicts())


def test_every_cut_and_every_damaged_byte_is_noticed() -> None:
    data, make = bytes_of(TABLES["every type"]), unpickler()
    for place in range(len(data)):
        for damaged in (data[:place], data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :]):
            with pytest.raises(FormatError, match="make the table again and pickle it"):
                make(damaged)
    with pytest.raises(FormatError, match="cut off or damaged"):
        make(data + b"x")
    with pytest.raises(FormatError, match="format 2"):
        make(data[:16] + b"\x02" + data[17:])
    with pytest.raises(FormatError, match="not a pickled table"):
        make(b"")
    with pytest.raises(TypeError):
        make("text")  # type: ignore[arg-type]


def test_a_forked_child_reads_and_slices() -> None:
    """No thread of a pool is needed, which a child would wait for in vain."""
    matcher = drugs_rs.Matcher.from_names({"A": ["aspirin"]})
    table = matcher.find_many(["aspirin"] * 10_000)
    child = os.fork()
    if child == 0:  # pragma: no cover - in the child
        code = 1
        try:
            again = pickle.loads(pickle.dumps(table[::-3][["row", "drug"]]))
            code = 0 if again["row"] == list(range(9999, -1, -3)) and repr(again) and len(list(again)) == 3334 else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


def test_a_broken_table_is_an_error_of_this_package() -> None:
    data = pickle.dumps(TABLES["every type"], 0)
    with pytest.raises((DrugsError, pickle.UnpicklingError, EOFError, ValueError)):
        pickle.loads(data[: len(data) // 2])
