"""Vocabularies of several shapes: what Python sees of them, in a matcher, in a lake and in the shell."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import pytest
from lake_tables import DT, drugs, rejected
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs.exceptions import SchemaError

pytestmark = pytest.mark.core

DATA = Path(__file__).resolve().parents[1] / "data"
ALL = [DATA / "atc_classes.csv", DATA / "drugbank_names.csv", DATA / "ema_brands.csv"]


def codes(matcher: drugs_rs.Matcher, text: str) -> set[str]:
    """The codes that a text leads to."""
    return {mention.atccode for mention in matcher.find(text)}


def balanced(source: dict[str, Any]) -> bool:
    """Whether every row of a file is kept, merged or rejected, and the reasons add up."""
    kept, merged, refused = source["rows_kept"], source["rows_merged"], source["rows_rejected"]
    reasons = (sum(source["merged"].values()), sum(source["rejected"].values()))
    return bool(source["rows_in"] == kept + merged + refused and reasons == (merged, refused))


def test_a_matcher_takes_several_vocabularies() -> None:
    matcher = drugs_rs.Matcher.from_vocabulary(ALL)
    assert codes(matcher, "Vélorine") == {"Z01AA01"}, "a DrugBank synonym leads to the ATC code"
    assert codes(matcher, "Duocalm") == {"Z01AB01", "Z01AA01", "Z01AA02", "Z02AA09"}, "a product and what it holds"
    assert codes(matcher, "calming agents in combinations") == set(), "classes are no drugs"


EMA_KEYS = '{"name_of_medicine": "Velocalm", "international_non_proprietary_name_common_name": "velorin", %s}'
EMA_ROW = EMA_KEYS % '"active_substance": "velorin", "atc_code_human": "N05BA99"'
EMA_HEADER = "Name of medicine,International non-proprietary name (INN) / common name,ATC code (human)\n"


@pytest.mark.parametrize(
    "text",
    [
        f'{{"meta": {{"total_records": 1}}, "data": [{EMA_ROW}]}}',
        f"[{EMA_ROW}]",
        f"{EMA_ROW}\n",
        f"{EMA_HEADER}Velocalm,velorin,N05BA99\n",
        f"Medicines,,\nAn agency,,\n,,\nLast update: 01/04/2026,,\n{EMA_HEADER}Velocalm,velorin,N05BA99\n",
        f'"Medicines, human, authorised, of 1 April, 2026",,\n,,\n{EMA_HEADER}Velocalm,velorin,N05BA99\n',
    ],
)
def test_the_list_of_ema_in_every_form_that_it_comes_in(text: str, tmp_path: Path) -> None:
    """JSON was always plain, and the lines before the header of the workbook were the header."""
    source = tmp_path / "medicines"
    source.write_text(text, encoding="utf-8")
    (row,) = drugs_rs.read_drugs(source).to_dicts()
    assert (row["atccode"], row["drug"], list(row["synonyms"])) == ("N05BA99", "velorin", ["Velocalm"])
    assert codes(drugs_rs.Matcher.from_vocabulary(source), "Velocalm") == {"N05BA99"}


def test_a_matcher_tells_what_became_of_the_rows() -> None:
    sources = drugs_rs.Matcher.from_vocabulary(ALL).sources
    assert [Path(source["uri"]) for source in sources] == ALL
    assert all(balanced(source) for source in sources)
    assert sources[1]["merged"] == {"same_name": 1, "same_synonym": 2}
    assert sources[2]["joins"]["class_code"] == 1
    assert drugs_rs.Matcher.from_names({"A": ["x"]}).sources == []


def test_silver_combines_as_a_matcher_does(tmp_path: Path) -> None:
    drugs_rs.bronze(drugs=ALL, out=tmp_path, dt=DT)
    report = drugs_rs.silver(tables=["drugs"], out=tmp_path, dt=DT)
    assert report["sources"] == drugs_rs.Matcher.from_vocabulary(ALL).sources
    table = drugs(tmp_path)
    added = sum(source.get("joins", {}).get("added_drug", 0) for source in report["sources"])
    assert len(table) == report["rows_kept"] + added
    (velorin,) = [row for row in table if row["atccode"] == "Z01AA01"]
    assert velorin["drug"] == "velorin"
    assert {"Vélorine", "Velocalm", "Dogcalm", "velorin + dorantel hydrochloride"} <= set(velorin["synonyms"])
    (doubtful,) = [row for row in table if "doubtful_join" in row["flags"]]
    assert doubtful["atccode"] == "DB90003"
    aside = rejected(tmp_path, "drugs")
    assert [row["raw"].split(",")[0] for row in aside if row["reason"] == "class_of_drugs"][:4] == [
        "Z",
        "Z01",
        "Z01A",
        "Z01AA",
    ]
    assert len(aside) == report["rows_rejected"]


def test_the_command_takes_several_vocabularies() -> None:
    flags = [word for path in ALL for word in ("--vocabulary", str(path))]
    finished = shell("match", *flags, stdin=b"Velorinum\nnothing\nTwocodes")
    assert finished.returncode == 0, finished.stderr.decode()
    lines = [json.loads(line) for line in finished.stdout.decode().splitlines()]
    assert [(line["row"], line["atccode"]) for line in lines] == [(0, "Z01AA01"), (2, "Z03AB04"), (2, "Z03AD04")]


def test_a_header_of_no_known_shape_lists_those_that_are() -> None:
    with pytest.raises(SchemaError, match=r"`substance`, `number`.*plain.*WHO ATC.*DrugBank.*EMA"):
        drugs_rs.Matcher.from_vocabulary(DATA / "unknown_vocabulary.csv")


def rows_of(path: Path) -> list[list[str]]:
    """The rows after the header, read by Python's csv."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))[1:]


@pytest.fixture(scope="module")
def real(corpora: Path) -> list[Path]:
    """The real vocabularies: WHO ATC, DrugBank, EMA."""
    names = ("who_atc_2026-04-25.csv", "drugbank_open_vocabulary.csv", "ema_medicines.csv")
    return [corpora / "vocabulary" / name for name in names]


def test_real_vocabularies_are_read_whole(real: list[Path]) -> None:
    began = time.perf_counter()
    matcher = drugs_rs.Matcher.from_vocabulary(real)
    seconds = time.perf_counter() - began
    assert [source["rows_in"] for source in matcher.sources] == [len(rows_of(path)) for path in real]
    assert all(balanced(source) for source in matcher.sources)
    headings = sum(len(row[0]) < 7 for row in rows_of(real[0]))
    assert headings < matcher.sources[0]["rejected"]["class_of_drugs"] < headings + 200
    assert seconds < 10, "54,000 names take well under a second on a free machine"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("acetaminophen", {"N02BE01"}),
        ("Abilify", {"N05AX12"}),
        ("Exforge", {"C09DB01", "C08CA01", "C09CA03"}),
        ("antibiotics, analgesics, combinations and vitamins", set()),
    ],
)
def test_real_names_lead_to_atc_codes(real: list[Path], text: str, wanted: set[str]) -> None:
    assert codes(drugs_rs.Matcher.from_vocabulary(real), text) == wanted


def test_every_drugbank_name_joined_by_name_has_the_codes_of_its_namesake(real: list[Path]) -> None:
    """A join written again in a few lines: equal names in small letters."""
    by_name: dict[str, set[str]] = {}
    for row in rows_of(real[0]):
        if len(row[0]) == 7:
            by_name.setdefault(row[1].lower(), set()).add(row[0])
    matcher = drugs_rs.Matcher.from_vocabulary(real[:2], stop_words=[])
    checked = 0
    for row in rows_of(real[1])[:4000]:
        wanted = by_name.get(row[2].lower())
        if wanted is None or not row[2].isalpha():
            continue
        checked += 1
        assert wanted <= codes(matcher, row[2]), row[2]
        assert row[0] not in codes(matcher, row[2]), row[2]
    assert checked > 500
