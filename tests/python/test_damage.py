"""Damaged files of a lake: an error names them, and the graph never differs."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterator

import pytest
from lake_state import gold_files
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
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
    return sorted(path for path in files if not {"rejected", "held", "manifests"} & set(path.parts))


@pytest.fixture
def lake(sample_lake: Path, tmp_path: Path) -> Path:
    shutil.copytree(str(sample_lake), str(tmp_path / "lake"))
    return tmp_path / "lake"


@pytest.mark.parametrize("layer", ["bronze", "silver"])
@pytest.mark.parametrize("on_bad_file", ["fail", "reject"])
def test_one_bit_of_a_table_is_told(lake: Path, layer: str, on_bad_file: Any) -> None:
    """In 92 of 300 places it gave another graph, and no error."""
    # Settings that differ from the first run, so that silver and gold have work to do.
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


def after_bronze(lake: Path) -> None:
    for dt in (DT, NEXT):
        drugs_rs.silver(out=lake, dt=dt)
    drugs_rs.gold(out=lake, dt=NEXT)


def after_silver(lake: Path) -> None:
    drugs_rs.gold(out=lake, dt=NEXT)


# The steps after a layer, and the layers that they make.
STEPS: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "bronze": (after_bronze, ["silver", "gold"]),
    "silver": (after_silver, ["gold"]),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("layer", STEPS)
def test_a_bit_anywhere_is_told_or_changes_nothing(lake: Path, layer: str, samples: Path) -> None:
    """Also in manifests and in the file that holds a date."""
    step, made = STEPS[layer]
    drugs_rs.run(drugs=samples / "drugs.csv", pubmed=samples / "pubmed.json", out=lake, dt=NEXT)
    if layer == "silver":
        drugs_rs.hold(lake, NEXT, "not yet")

    def remake() -> frozenset[tuple[str, str]]:
        for folder in made:
            shutil.rmtree(str(lake / folder), ignore_errors=True)
        step(lake)
        return gold_files(lake)

    expected, dice = remake(), random.Random(20240301)
    paths = sorted(path for path in (lake / layer).rglob("*") if path.is_file())
    assert layer == "bronze" or any("held" in path.parts for path in paths)
    told = 0
    for path in paths:
        whole = path.read_bytes()
        for _ in range(6):
            data = bytearray(whole)
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            path.write_bytes(bytes(data))
            error = ""
            try:
                same = remake() == expected
            except exceptions.DrugsError as caught:
                error, same = str(caught), False
            # The copy in the lake and never the source, which somebody might delete.
            assert same or str(path) in error, (path, error)
            told += not same
        path.write_bytes(whole)
    assert told > 3 * len(paths) // 2


def manifests(lake: Path) -> Iterator[Path]:
    for path in lake.rglob("*.json"):
        if path.name == "_manifest.json" or {"held", "manifests"} & set(path.parts):
            yield path


@pytest.mark.parametrize("layer", ["bronze", "silver"])
def test_a_manifest_that_is_damaged_is_made_again_by_its_step(lake: Path, layer: str, samples: Path) -> None:
    before = gold_files(lake)
    damaged = sorted(path for path in manifests(lake / layer) if "held" not in path.parts)
    for path in damaged:
        flip(path, 0.4)
    ended = shell("lake", "verify", lake, "--json")
    found = {entry["path"]: entry for entry in json.loads(ended.stdout)["damaged"]}
    assert ended.returncode == 1 and set(found) == {path.relative_to(lake).as_posix() for path in damaged}
    assert all("the files that it names were not looked at" in entry["found"] for entry in found.values())
    reader: Callable[..., Any] = drugs_rs.silver if layer == "bronze" else drugs_rs.gold
    with pytest.raises(exceptions.DrugsError, match="run the step that writes it again"):
        reader(out=lake, dt=DT)
    drugs_rs.run(
        drugs=samples / "drugs.csv",
        pubmed=[samples / "pubmed.csv", samples / "pubmed.json"],
        clinical_trials=samples / "clinical_trials.csv",
        out=lake,
        dt=DT,
    )
    assert gold_files(lake) == before
    assert shell("lake", "verify", lake).returncode == 0


def test_the_manifest_of_gold_is_never_guessed(lake: Path) -> None:
    """Only this file says which date gold has reached."""
    flip(lake / "gold" / "_manifest.json", 0.3)
    with pytest.raises(exceptions.DrugsError, match="delete the folder `gold`"):
        drugs_rs.gold(out=lake, dt=DT)


def test_manifests_of_an_earlier_version_have_no_digest(lake: Path) -> None:
    before = gold_files(lake)
    for path in manifests(lake):
        told = json.loads(path.read_text(encoding="utf-8"))
        del told["sha256"]
        path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    assert shell("lake", "verify", lake).returncode == 0
    assert drugs_rs.silver(out=lake, dt=DT)["unchanged"]
    assert drugs_rs.gold(out=lake, dt=DT)["unchanged"]
    drugs_rs.gold(out=lake, dt=DT, abstracts=True)
    drugs_rs.gold(out=lake, dt=DT)
    assert gold_files(lake) == before


def bytes_read() -> int:
    """How many bytes this process has asked for so far."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar:"))


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """So many that a table of them is larger than what a bucket is asked for ahead."""
    source, dice = tmp_path / "articles.csv", random.Random(20240301)
    rows = (f"{number},Velorin {dice.random()},2020,Journal {dice.random()}\n" for number in range(40_000))
    source.write_text("id,title,date,journal\n" + "".join(rows), encoding="utf-8")
    return source


def test_a_rerun_reads_no_table(articles: Path, samples: Path, tmp_path: Path) -> None:
    lake, read = tmp_path / "lake", []
    size = articles.stat().st_size
    drugs_rs.bronze(drugs=samples / "drugs.csv", pubmed=articles, out=lake, dt=DT)
    for _ in range(2):
        before = bytes_read()
        drugs_rs.silver(out=lake, dt=DT)
        drugs_rs.gold(out=lake, dt=DT)
        read.append(bytes_read() - before)
    assert read[0] > size
    assert read[1] < 200_000 < size


def test_a_rerun_in_a_bucket_asks_for_no_table(gs: Google, articles: Path, samples: Path) -> None:
    lake = gs.uri("lake")

    def asked() -> set[str]:
        """The objects that were read, and not only looked up, of those that are not read ahead."""
        del gs.service.log[:]
        drugs_rs.run(drugs=samples / "drugs.csv", pubmed=articles, out=lake, dt=DT)
        read = {name.split("?")[0] for method, name, _ in gs.service.log if method == "GET"}
        return {name.rsplit("/", 1)[1] for name in read if "/dt=" in name and "/drugs/" not in name}

    assert {"articles.csv", "part-00000.parquet"} <= asked()
    again = asked()
    assert "_manifest.json" in again
    assert not again & {"articles.csv", "part-00000.parquet"}, again


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


def test_verify_passes_nothing_that_it_has_not_looked_at(lake: Path) -> None:
    """A wrong folder, and a graph without its manifest, once were as they were written."""
    ended = shell("lake", "verify", lake / "gold")
    assert ended.returncode == 1 and b"the root of a lake" in ended.stderr
    (lake / "gold" / "_manifest.json").unlink()
    ended = shell("lake", "verify", lake)
    assert ended.returncode == 1 and b"gold/_manifest.json: not found" in ended.stderr


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
