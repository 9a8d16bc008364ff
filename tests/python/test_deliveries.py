"""Made-up deliveries: increments of one world, which correct records of the increments before them."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from lake_tables import mentions, rows
from shell import drugs_rs as shell
from test_generate import ARTICLES, DIRT, TRIALS, UUID5, check_rows, content, key, lines

import drugs_rs
from drugs_rs.exceptions import ArgumentError

pytestmark = pytest.mark.core

WORLD: dict[str, Any] = {"articles": 500, "trials": 230, "drugs": 120, "dirt": DIRT, "abstracts": 0.4}
PLACE = ("publication_id", "kind", "atccode", "field", "start", "end", "surface")


def deliveries(folder: Path, of: int, **settings: Any) -> list[tuple[Path, dict[str, Any]]]:
    """All deliveries of a world, the last one first: none needs another."""
    made = []
    for number in range(of, 0, -1):
        out = folder / str(number)
        made.append((out, drugs_rs.generate(out, delivery=number, of=of, **{**WORLD, **settings})))
    return made[::-1]


def dates(count: int) -> list[str]:
    return [f"2020-06-{day:02}" for day in range(1, count + 1)]


def run(folder: Path, lake: Path, dt: str) -> dict[str, Any]:
    sources: dict[str, Any] = {name: folder / name for name in ("drugs", "pubmed", "clinical_trials")}
    given = {name: source for name, source in sources.items() if source.exists()}
    report: dict[str, Any] = drugs_rs.run(**given, out=lake, dt=dt, abstracts=True, unit="code")
    return report


def corrections(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "truth" / "corrected.ndjson").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def mentions_of(line: dict[str, Any]) -> tuple[Any, ...]:
    return (*(line[name] for name in PLACE), line["date"], key(line["journal"]))


def truth_of_all(folders: list[Path]) -> Counter[tuple[Any, ...]]:
    """What is true after all deliveries: a correction takes the place of what was said before."""
    told: list[dict[str, Any]] = []
    for folder in folders:
        gone = {(line["kind"], line["publication_id"]) for line in corrections(folder)}
        told = [line for line in told if (line["kind"], line["publication_id"]) not in gone]
        told += lines(folder)
    return Counter(map(mentions_of, told))


def cells(folder: Path, table: str, form: str) -> Counter[Any]:
    """The records of a source, whatever file they are in."""
    found: Counter[Any] = Counter()
    for path in sorted((folder / table).glob("*")):
        if form == "parquet":
            found.update(tuple(row.items()) for row in rows(path))
        elif form == "study-files":
            found[path.name, path.read_text(encoding="utf-8")] += 1
        elif form == "medline":
            records = ("\n" + path.read_text(encoding="utf-8")).split("\nPMID")
            found.update(record.strip() for record in records)
        else:
            # In an array the last one has no comma.
            found.update(line.rstrip(",") for line in path.read_text(encoding="utf-8").splitlines())
    return found


@pytest.mark.parametrize(
    ("articles", "trials"), [(ARTICLES[place % len(ARTICLES)], TRIALS[place]) for place in range(9)]
)
def test_all_deliveries_are_the_world(articles: str, trials: str, tmp_path: Path) -> None:
    formats: dict[str, Any] = {"articles_format": articles, "trials_format": trials, "files": 2}
    world = drugs_rs.generate(tmp_path / "world", **WORLD, **formats)
    made = deliveries(tmp_path, 3, **formats)
    for table, form in (("pubmed", articles), ("clinical_trials", trials)):
        together: Counter[Any] = Counter()
        for folder, _ in made:
            together += cells(folder, table, form)
        whole = cells(tmp_path / "world", table, form)
        if form in ("ndjson", "studies-ndjson", "parquet", "study-files"):
            assert together == whole
        else:
            # Headers, brackets and notices of deletion are in each file.
            assert set(together) == set(whole)
        counts: Counter[str] = Counter()
        for _, told in made:
            counts.update({name: told["truth"][table][name] for name in ("rows_in", "rows_kept", "mentions")})
            assert "corrected" not in told["truth"][table]
        assert counts == {name: world["truth"][table][name] for name in counts}
    parts = Counter(mentions_of(line) for folder, _ in made for line in lines(folder))
    assert parts == Counter(map(mentions_of, lines(tmp_path / "world")))
    assert all(corrections(folder) == [] for folder, _ in made)


def test_deliveries_make_the_lake_of_the_world(tmp_path: Path) -> None:
    drugs_rs.generate(tmp_path / "world", **WORLD)
    run(tmp_path / "world", tmp_path / "whole", "2020-06-01")
    made = deliveries(tmp_path, 4)
    for (folder, _), dt in zip(made, dates(4)):
        run(folder, tmp_path / "parts", dt)

    def graph(lake: Path) -> Any:
        graph = drugs_rs.read_graph(lake)
        return sorted(
            tuple(sorted((name, str(value)) for name, value in row.items() if name != "journal"))
            for row in graph.mentions().to_dicts()
        )

    assert graph(tmp_path / "whole") == graph(tmp_path / "parts")


@pytest.mark.parametrize(
    ("articles", "trials"), [("csv", "csv"), ("pubmed-xml", "study-files"), ("ndjson", "studies-json")]
)
@pytest.mark.parametrize("changed", [0.2, 1.0])
def test_corrections_replace_what_earlier_deliveries_said(
    articles: str, trials: str, changed: float, tmp_path: Path
) -> None:
    formats: dict[str, Any] = {"articles_format": articles, "trials_format": trials, "packing": "none"}
    made = deliveries(tmp_path, 4, changed=changed, **formats)
    lake = tmp_path / "lake"
    for (folder, told), dt in zip(made, dates(4)):
        report = run(folder, lake, dt)
        check_rows(report, told)
    folders = [folder for folder, _ in made]
    expected = truth_of_all(folders)
    lake_mentions: Counter[tuple[Any, ...]] = Counter()
    for dt in dates(4):
        for row in mentions(lake, dt):
            line = {**row, "date": row["date"] and str(row["date"])}
            if UUID5.fullmatch(line["publication_id"]):
                line["publication_id"] = None
            lake_mentions[mentions_of(line)] += 1
    assert lake_mentions == expected
    corrected = sum(truth.get("corrected", 0) for _, told in made for truth in told["truth"].values())
    assert corrected == sum(len(corrections(folder)) for folder in folders) > 40
    assert report["steps"][-1]["superseded"] == corrected


def test_a_correction_has_the_id_of_an_earlier_record_and_other_words(tmp_path: Path) -> None:
    made = deliveries(tmp_path, 5, changed=0.3, clean=True, dirt={}, trials=0, abstracts=1.0)
    before: dict[str, dict[str, str]] = {}
    for number, (folder, told) in enumerate(made, 1):
        with (folder / "pubmed" / "part-00001.csv").open(encoding="utf-8", newline="") as file:
            records = list(csv.DictReader(file))
        changes = {line["publication_id"]: line["changed"] for line in corrections(folder)}
        new = [record for record in records if record["id"] not in changes]
        assert len(new) == 100
        assert len(changes) == told["truth"]["pubmed"].get("corrected", 0) == (0 if number == 1 else 30)
        assert not {record["id"] for record in new} & set(before)
        for record in records:
            if record["id"] in changes:
                first = before[record["id"]]
                assert changes[record["id"]]
                assert record["abstract"] == first["abstract"]
                for name in ("title", "journal"):
                    assert (record[name] != first[name]) == (name in changes[record["id"]])
                if "date" not in changes[record["id"]]:
                    assert record["date"] == first["date"]
        before.update({record["id"]: record for record in new})
    every = Counter(name for folder, _ in made for line in corrections(folder) for name in line["changed"])
    assert min(every[name] for name in ("title", "date", "journal")) > 30


def test_one_journal_cannot_change(tmp_path: Path) -> None:
    (_, _), (last, _) = deliveries(tmp_path, 2, changed=1.0, journals=1, clean=True, dirt={})
    assert {name for line in corrections(last) for name in line["changed"]} == {"title", "date"}


def test_the_same_delivery_has_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "same"):
        drugs_rs.generate(tmp_path / name, delivery=3, of=7, changed=0.5, **WORLD)
    assert content(tmp_path / "one") == content(tmp_path / "same")
    drugs_rs.generate(tmp_path / "seed", delivery=3, of=7, changed=0.5, seed=2, **WORLD)
    assert content(tmp_path / "one") != content(tmp_path / "seed")
    with pytest.raises(ArgumentError, match="holds something else"):
        drugs_rs.generate(tmp_path / "one", delivery=4, of=7, changed=0.5, **WORLD)


def test_the_only_delivery_is_the_world(tmp_path: Path) -> None:
    drugs_rs.generate(tmp_path / "world", **WORLD)
    drugs_rs.generate(tmp_path / "only", delivery=1, of=1, changed=1.0, **WORLD)
    world, only = content(tmp_path / "world"), content(tmp_path / "only")
    assert only.pop("truth/corrected.ndjson") == b""
    assert {name for name in world if world[name] != only[name]} == {"_generated.json"}


def test_more_deliveries_than_records(tmp_path: Path) -> None:
    made = deliveries(tmp_path, 7, articles=3, trials=0, changed=1.0, clean=True, dirt={})
    assert [folder.joinpath("pubmed").exists() for folder, _ in made].count(True) == 3
    assert sum(told["truth"].get("pubmed", {}).get("rows_in", 0) for _, told in made) == 5
    for folder, _ in made:
        run(folder, tmp_path / "lake", dates(7)[int(folder.name) - 1])


def test_a_world_of_lost_records_has_nothing_to_correct(tmp_path: Path) -> None:
    made = deliveries(
        tmp_path, 2, changed=1.0, clean=True, dirt={"blank_title": 1.0}, articles_format="json", trials=0, files=3
    )
    assert corrections(made[1][0]) == []
    report = run(made[1][0], tmp_path / "lake", "2020-06-01")
    check_rows(report, made[1][1])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"delivery": 0, "of": 3}, "delivery: 0; expected a number from 1 to 3"),
        ({"delivery": 4, "of": 3}, "delivery: 4; expected a number from 1 to 3"),
        ({"delivery": -1, "of": 3}, "delivery: -1; expected a whole number from 0"),
        ({"delivery": 1, "of": 0}, "of: 0; expected a number from 1 to 1000000"),
        ({"delivery": 1}, "delivery: 1 without `of`; expected the number of deliveries too"),
        ({"of": 3}, "of: 3 without `delivery`; expected the number of a delivery too"),
        ({"changed": 0.5}, "changed: 0.5 without `delivery` and `of`; expected a delivery"),
        ({"delivery": 1, "of": 3, "changed": 1.01}, "changed: 1.01; expected a share from 0 to 1"),
        ({"delivery": 1, "of": 3, "changed": -0.01}, "changed: -0.01; expected a share from 0 to 1"),
        ({"delivery": 1, "of": 3, "changed": float("nan")}, "changed: NaN; expected a share from 0 to 1"),
    ],
)
def test_deliveries_that_make_no_sense(settings: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError) as refused:
        drugs_rs.generate(tmp_path / "made", **settings)
    assert str(refused.value).startswith(told)
    assert list(tmp_path.iterdir()) == []
    flags = [word for name, value in settings.items() for word in ("--" + name, str(value))]
    finished = shell("generate", "--out", tmp_path / "made", *flags)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_to_run(tmp_path: Path) -> None:
    delivery = ["--delivery", "2", "--of", "5", "--changed", "0.1"]
    finished = shell("generate", "--out", tmp_path / "made", "--articles", "100", "--trials", "1", *delivery)
    assert finished.returncode == 0, finished.stderr.decode()
    # The only trial is in the last delivery.
    assert f"--pubmed {tmp_path}/made/pubmed --out LAKE" in finished.stdout.decode()
    made = drugs_rs.generate(tmp_path / "python", articles=100, trials=1, delivery=2, of=5, changed=0.1)
    assert content(tmp_path / "python") == content(tmp_path / "made")
    assert {name: made["settings"][name] for name in ("delivery", "of", "changed")} == {
        "delivery": 2,
        "of": 5,
        "changed": 0.1,
    }
