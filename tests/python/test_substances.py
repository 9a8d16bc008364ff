"""What counts as one drug: a substance or a code, everywhere where different drugs are counted."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest
import reference
from lake_tables import DT, mentions
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs.exceptions import ArgumentError

# No name contains another one, so that the mentions do not depend on which name is the longest.
VOCABULARY = {
    "A10AB01": "insulin (human)",
    "A10AB02": "INSULIN (beef)",
    "A10AC01": "Insulin (human)",
    "A10BA02": "metformin hydrochloride",
    "C01EB16": "ibuprofen",
    "G02CC01": "ibuprofen",
    "J05AR10": "lopinavir and ritonavir",
    "J05AR99": "ritonavir/lopinavir",
    "M01AE02": "naproxen sodium",
    "N02BE01": "paracetamol",
    "Z99ZZ01": "paracetamol",
}
JOURNALS = ("Annals", "Bulletin", "Cahiers", "Digest", "")


def made_up(folder: Path, seed: int) -> dict[str, Any]:
    """A vocabulary, articles and trials; the arguments of `run`."""
    dice = random.Random(seed)  # made-up records, no secret
    folder.mkdir()
    with (folder / "drugs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("atccode", "drug"), *VOCABULARY.items()])
    names = sorted(set(VOCABULARY.values()))
    for table, title in (("pubmed", "title"), ("clinical_trials", "scientific_title")):
        rows = [("id", title, "date", "journal")]
        for number in range(dice.randint(3, 12)):
            words = dice.choices(names, k=dice.randint(0, 4))
            rows.append((f"{table}{number}", "Study of " + ", ".join(words), "2020-01-01", dice.choice(JOURNALS)))
        with (folder / (table + ".csv")).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return {name: folder / (name + ".csv") for name in ("drugs", "pubmed", "clinical_trials")}


def answers_by_the_slow_way(sources: dict[str, Any], unit: str) -> dict[str, Any]:
    """Both answers and the pairs, from the reference."""
    records = [
        record
        for table, kind in (("pubmed", "pubmed"), ("clinical_trials", "clinical_trial"))
        for record in reference.publications(sources[table], kind, VOCABULARY)
    ]
    vocabulary, records = reference.counted(VOCABULARY, records, unit)
    return {
        "top_journals": reference.top_journals(records),
        "exclusive_drugs": reference.exclusive_drugs(vocabulary, records),
        "pairs": sum(len(record.drugs) for record in records),
    }


@pytest.mark.parametrize("unit", ["substance", "code"])
@pytest.mark.parametrize("seed", range(5))
def test_answers_and_numbers_are_those_of_the_slow_way(seed: int, unit: Any, tmp_path: Path) -> None:
    """Every code of a substance once counted: one word of a title was thirteen mentions of insulin."""
    sources = made_up(tmp_path / "sources", seed)
    lake = tmp_path / "lake"
    report = drugs_rs.run(out=lake, dt=DT, unit=unit, **sources)["steps"][-1]
    wanted = answers_by_the_slow_way(sources, unit)

    found = {
        name: json.loads((lake / "gold" / (name + ".json")).read_text(encoding="utf-8")) for name in list(wanted)[:2]
    }
    assert found == {name: wanted[name] for name in found}
    assert list(found["top_journals"]) == list(wanted["top_journals"])

    rows = mentions(lake)
    assert all(row["substance"] == reference.substance(row["drug"]) for row in rows)
    counted = "substance" if unit == "substance" else "atccode"
    place = (counted, "kind", "publication_id", "field", "start", "end")
    assert report["mentions"] == len({tuple(row[name] for name in place) for row in rows})
    assert report["pairs"] == wanted["pairs"]
    assert (report["unit"], report["drugs"], report["substances"]) == (unit, 11, 6)

    graph = drugs_rs.read_graph(lake)
    first = max(wanted["top_journals"].values(), default=0)
    assert graph.top_journals(unit=unit) == {name: n for name, n in wanted["top_journals"].items() if n == first}
    assert {row["journal"]: row["drugs"] for row in graph.journals(unit=unit).to_dicts()} == wanted["top_journals"]
    assert (
        graph.mentions(unit=unit).num_rows
        == sum(row["pubmed"] + row["clinical_trial"] for row in graph.drugs(unit=unit).to_dicts())
        == wanted["pairs"]
    )
    first_codes = reference.first_codes(VOCABULARY, unit)
    assert [row["atccode"] for row in graph.drugs(unit=unit).to_dicts()] == sorted(set(first_codes.values()))
    for code, representative in first_codes.items():
        assert graph.exclusive_drugs(code, unit=unit) == wanted["exclusive_drugs"][representative], code


def test_the_unit_is_a_substance_unless_told_otherwise(tmp_path: Path) -> None:
    sources = made_up(tmp_path / "sources", 1)
    reports = {unit: drugs_rs.run(out=tmp_path / unit, dt=DT, unit=unit, **sources) for unit in ("substance", "code")}
    assert reports["substance"]["pairs"] < reports["code"]["pairs"]
    report = drugs_rs.run(out=tmp_path / "default", dt=DT, **sources)
    assert {name: report[name] for name in ("unit", "mentions", "pairs")} == {
        name: reports["substance"][name] for name in ("unit", "mentions", "pairs")
    }
    graph = drugs_rs.read_graph(tmp_path / "default")
    for table in ("drugs", "journals", "mentions"):
        assert getattr(graph, table)().to_dicts() == getattr(graph, table)(unit="substance").to_dicts()
    assert graph.top_journals() == graph.top_journals(unit="substance")


def test_another_unit_looks_for_no_mention_again(tmp_path: Path) -> None:
    """The mentions do not depend on it: their files stay the same files."""
    sources = made_up(tmp_path / "sources", 2)
    lake = tmp_path / "lake"
    drugs_rs.run(out=lake, dt=DT, **sources)
    before = {path: path.stat().st_ino for path in (lake / "gold" / "mentions").rglob("*.parquet")}
    by_code = drugs_rs.gold(out=lake, dt=DT, unit="code")
    assert not by_code["unchanged"]
    assert before == {path: path.stat().st_ino for path in (lake / "gold" / "mentions").rglob("*.parquet")}
    fresh = drugs_rs.run(out=tmp_path / "fresh", dt=DT, unit="code", **sources)
    for name in ("unit", "mentions", "pairs", "top_journals"):
        assert by_code[name] == fresh[name], name


def test_an_unknown_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="unit.*`gram`.*substance"):
        drugs_rs.gold(out=tmp_path, dt=DT, unit="gram")  # type: ignore[arg-type]
    finished = shell("gold", "--out", tmp_path, "--dt", DT, "--unit", "gram")
    assert finished.returncode == 2
    assert b"substance" in finished.stderr


def crowded(folder: Path, drugs: int) -> dict[str, Any]:
    """One article of one journal that mentions every drug of a vocabulary."""
    names = [f"drug{number:04}amide" for number in range(drugs)]
    rows = "".join(f"C{number:06},{name}\n" for number, name in enumerate(names))
    (folder / "drugs.csv").write_text("atccode,drug\n" + rows, encoding="utf-8")
    article = f"id,title,date,journal\n1,{' '.join(names)},2020,Annals\n"
    (folder / "pubmed.csv").write_text(article, encoding="utf-8")
    return {"drugs": folder / "drugs.csv", "pubmed": folder / "pubmed.csv"}


def test_exclusive_drugs_are_cut_to_a_bound_and_each_list_is_still_to_be_had(tmp_path: Path) -> None:
    """120 KB of input with 3,000 drugs once gave an answer of 94 MB."""
    sources = crowded(tmp_path, 300)
    lake = tmp_path / "lake"
    report = drugs_rs.run(out=lake, dt=DT, max_exclusive=1000, **sources)
    found = json.loads((lake / "gold" / "exclusive_drugs.json").read_text(encoding="utf-8"))
    codes = [f"C{number:06}" for number in range(300)]
    assert found == {code: [other for other in codes[:4] if other != code][:3] for code in codes}
    assert (report["max_exclusive"], report["exclusive_cut"]) == (1000, 300)
    assert drugs_rs.read_answers(lake)["exclusive_drugs"] == found
    graph = drugs_rs.read_graph(lake)
    assert graph.exclusive_drugs(codes[7]) == [code for code in codes if code != codes[7]]

    whole = drugs_rs.gold(out=lake, dt=DT, max_exclusive=0)
    found = json.loads((lake / "gold" / "exclusive_drugs.json").read_text(encoding="utf-8"))
    assert sum(map(len, found.values())) == 300 * 299
    assert (whole["max_exclusive"], whole["exclusive_cut"]) == (0, 0)
    with pytest.raises(ArgumentError, match="max_exclusive"):
        drugs_rs.gold(out=lake, dt=DT, max_exclusive=-1)


def test_cut_lists_are_told_to_people(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    drugs_rs.run(out=tmp_path / "lake", dt=DT, **crowded(tmp_path, 300))
    assert not caplog.records
    drugs_rs.gold(out=tmp_path / "lake", dt=DT, max_exclusive=1000)
    record, changed = caplog.records
    assert changed.getMessage().startswith("max_exclusive is 1000, and was 1000000 in the last run")
    assert "300 lists are cut" in record.getMessage()
    assert "1000" in record.getMessage()
    finished = shell("gold", "--out", tmp_path / "lake", "--dt", DT, "--max-exclusive", "1000")
    assert b"300 lists are cut" in finished.stdout
    assert b"300 lists are cut" in finished.stderr


def test_a_graph_of_one_journal_and_many_drugs_is_written_at_once(tmp_path: Path) -> None:
    """80,000 drugs and one article without a mention once took four times as long as 40,000 of them."""
    rows = "".join(f"C{number:06},drug{number}amide\n" for number in range(300_000))
    (tmp_path / "drugs.csv").write_text("atccode,drug\n" + rows, encoding="utf-8")
    (tmp_path / "pubmed.csv").write_text("id,title,date,journal\n1,None of them,2020,Annals\n", encoding="utf-8")
    sources: dict[str, Any] = {name: tmp_path / (name + ".csv") for name in ("drugs", "pubmed")}
    report = drugs_rs.run(out=tmp_path / "lake", dt=DT, **sources)
    assert (report["drugs"], report["mentions"], report["pairs"]) == (300_000, 0, 0)
