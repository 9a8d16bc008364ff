"""Files of a lake that are not as they were written: told by name, never a different graph."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Callable

import pytest
from lake_state import gold_files
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

    from bucket_peers import Google

pytestmark = pytest.mark.core

DT, NEXT = "2024-03-01", "2024-03-02"


def flip(path: Path, place: float) -> None:
    """Change one bit, at a part of the file's length."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 1
    path.write_bytes(bytes(data))


def tables(lake: Path, layer: str) -> list[Path]:
    """The files of a layer that the next one reads."""
    files = (path for path in (lake / layer).rglob("*") if path.is_file() and not path.name.startswith("_"))
    return sorted(path for path in files if "rejected" not in path.parts and "held" not in path.parts)


@pytest.fixture
def lake(sample_lake: Path, tmp_path: Path) -> Path:
    shutil.copytree(str(sample_lake), str(tmp_path / "lake"))
    return tmp_path / "lake"


@pytest.mark.parametrize("layer", ["bronze", "silver"])
@pytest.mark.parametrize("on_bad_file", ["fail", "reject"])
def test_one_bit_of_a_table_is_told(lake: Path, layer: str, on_bad_file: Any) -> None:
    """In 92 of 300 places it gave another graph, and no error."""
    # Settings of their own, so that silver and gold have something to do.
    step: Callable[[], object] = {
        "bronze": lambda: drugs_rs.silver(out=lake, dt=DT, month_first=True, on_bad_file=on_bad_file),
        "silver": lambda: drugs_rs.gold(out=lake, dt=DT, abstracts=True),
    }[layer]
    for path in tables(lake, layer):
        whole = path.read_bytes()
        for place in (0.0, 0.3, 0.6, 0.9, 0.999):
            flip(path, place)
            with pytest.raises(exceptions.StorageError, match="not those that were written") as caught:
                step()
            assert "drugs-rs lake verify" in str(caught.value), place
            path.write_bytes(whole)


def test_a_damaged_table_that_is_deleted_is_made_again(lake: Path) -> None:
    before = gold_files(lake)
    damaged = tables(lake, "silver")[0]
    flip(damaged, 0.5)
    damaged.unlink()
    drugs_rs.silver(out=lake, dt=DT)
    drugs_rs.gold(out=lake, dt=DT)
    assert gold_files(lake) == before


def test_mentions_that_are_damaged_are_made_again(lake: Path, samples: Path) -> None:
    for mentions in (lake / "gold" / "mentions").rglob("*.parquet"):
        flip(mentions, 0.5)
    drugs_rs.run(drugs=samples / "drugs.csv", out=lake, dt=NEXT)
    assert shell("lake", "verify", lake).returncode == 0


def test_a_graph_of_other_bytes_is_told(lake: Path) -> None:
    graph = lake / "gold" / "drug_graph.json"
    text = graph.read_text(encoding="utf-8")
    graph.write_text(text.replace("2020", "2021"), encoding="utf-8")
    with pytest.raises(exceptions.StorageError, match="not those that were written"):
        drugs_rs.read_graph(lake)


def test_verify_lists_what_differs(lake: Path) -> None:
    ended = shell("lake", "verify", lake)
    assert ended.returncode == 0 and b"as they were written" in ended.stdout
    report = json.loads(shell("lake", "verify", lake, "--json").stdout)
    assert report["damaged"] == [] and report["files"] > 8
    bronze, silver = tables(lake, "bronze")[0], tables(lake, "silver")[-1]
    flip(bronze, 0.5)
    silver.unlink()
    ended = shell("lake", "verify", lake, "--json")
    assert ended.returncode == 1 and b"2 of " in ended.stderr
    damaged = {entry["path"]: entry["found"] for entry in json.loads(ended.stdout)["damaged"]}
    assert set(damaged) == {str(path.relative_to(lake)) for path in (bronze, silver)}
    assert damaged[str(silver.relative_to(lake))] == "no such file"
    assert shell("lake", "verify", lake / "none").returncode == 1
    assert shell("lake").returncode == 2


def test_a_bucket_is_verified_and_read_in_the_same_way(gs: Google, samples: Path) -> None:
    lake = gs.uri("lake")
    drugs_rs.run(drugs=samples / "drugs.csv", pubmed=samples / "pubmed.csv", out=lake, dt=DT)
    assert shell("lake", "verify", lake).returncode == 0
    for part, step in (("bronze/pubmed/", drugs_rs.silver), ("silver/publications/", drugs_rs.gold)):
        [name] = [name for name in gs.contents("lake/_runs") if part in name and not name.endswith("_manifest.json")]
        whole = gs.data(name)
        gs.put(name, whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
        ended = shell("lake", "verify", lake, "--json")
        assert ended.returncode == 1 and len(json.loads(ended.stdout)["damaged"]) == 1
        options: dict[str, Any] = {"month_first": True} if step is drugs_rs.silver else {"abstracts": True}
        with pytest.raises(exceptions.StorageError, match="not those that were written"):
            step(out=lake, dt=DT, **options)
        gs.put(name, whole)
