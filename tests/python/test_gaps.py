"""Gaps of a vocabulary: what each rule finds and leaves out, where, in which order, and from a shell."""

from __future__ import annotations

import csv
import datetime
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import shell
from written_sources import write, write_drugs, write_pubmed

import drugs_rs
from drugs_rs import Lake, exceptions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

DRUGS = [
    ("A04AD", "diphenhydramine"),
    ("L01XC18", "pembrolizumab"),
    ("N02BE01", "paracetamol"),
    ("C07AA05", "propranolol"),
]
A, B, C = "2026-01-01", "2026-01-02", "2026-01-03"
COUNTS = ["publications", "mentions", "journals", "first_date", "last_date"]
COLUMNS = ["name", "confidence", "rules", *COUNTS, "spellings", "examples"]


def article(
    identifier: str,
    title: str,
    *substances: tuple[str, str],
    mesh: tuple[str, ...] = (),
    abstract: str = "",
    kind: str = "Journal Article",
) -> str:
    """A record of PubMed with substances as (registry number, name)."""
    chemicals = "".join(
        f"<Chemical><RegistryNumber>{number}</RegistryNumber>"
        f'<NameOfSubstance UI="D1">{name}</NameOfSubstance></Chemical>'
        for number, name in substances
    )
    headings = "".join(f'<MeshHeading><DescriptorName UI="{ui}">x</DescriptorName></MeshHeading>' for ui in mesh)
    return (
        f"<PubmedArticle><MedlineCitation><PMID>{identifier}</PMID><Article><Journal><JournalIssue><PubDate><Year>2020"
        f"</Year></PubDate></JournalIssue><Title>Annals</Title></Journal><ArticleTitle>{title}</ArticleTitle>"
        f"<Abstract><AbstractText>{abstract or 'None.'}</AbstractText></Abstract>"
        f"<PublicationTypeList><PublicationType>{kind}</PublicationType></PublicationTypeList></Article>"
        "<MedlineJournalInfo><MedlineTA>Ann</MedlineTA></MedlineJournalInfo>"
        f"<ChemicalList>{chemicals}</ChemicalList><MeshHeadingList>{headings}</MeshHeadingList>"
        "</MedlineCitation></PubmedArticle>"
    )


def trial(identifier: str, title: str, *interventions: tuple[str | None, str, list[str]]) -> dict[str, Any]:
    """A study of ClinicalTrials.gov with interventions as (type, name, other names)."""
    given = [
        {"name": name, "otherNames": others, **({} if kind is None else {"type": kind})}
        for kind, name, others in interventions
    ]
    return {
        "protocolSection": {
            "identificationModule": {"nctId": identifier, "briefTitle": title},
            "statusModule": {"startDateStruct": {"date": "2021-02"}},
            "armsInterventionsModule": {"interventions": given},
        }
    }


class Desk:
    """A lake, and deliveries to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lake = folder / "lake"
        self.number = 0

    def path(self, ending: str) -> Path:
        self.number += 1
        return self.folder / f"source{self.number}.{ending}"

    def run(self, *, dt: str = A, drugs: Any = None, pubmed: Any = None, trials: Any = None, **settings: Any) -> Lake:
        """A delivery: articles as rows of a CSV file or as XML, trials as studies."""
        sources: dict[str, Any] = {}
        if drugs is not None or not self.lake.exists():
            sources["drugs"] = write_drugs(self.path("csv"), *(drugs or DRUGS))
        if isinstance(pubmed, str):
            sources["pubmed"] = write(self.path("xml"), f"<PubmedArticleSet>{pubmed}</PubmedArticleSet>")
        elif pubmed is not None:
            sources["pubmed"] = write_pubmed(self.path("csv"), *pubmed)
        if trials is not None:
            sources["clinical_trials"] = write(self.path("json"), json.dumps(trials))
        drugs_rs.run(lake=self.lake, dt=dt, **sources, **settings)
        return Lake(self.lake)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def titles(*texts: str) -> list[tuple[str, str, str, str]]:
    """An article for each title."""
    return [(str(number), text, "2020", "Annals") for number, text in enumerate(texts)]


def names(lake: Lake, **options: Any) -> list[str]:
    """The names of the gaps."""
    return [gap["name"] for gap in lake.vocabulary_gaps(**options).to_dicts()]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Tolebrutinib in multiple sclerosis", ["Tolebrutinib"]),
        ("Ifinatamab deruxtecan: first results", ["Ifinatamab deruxtecan"]),
        ("Use of lovotibeglogene autotemcel", ["lovotibeglogene autotemcel"]),
        ("Verenafusp alfa and nogapendekin alfa", ["Verenafusp alfa", "nogapendekin alfa"]),
        ("Cephalothin, cefuroxim and iocarmate", ["Cephalothin", "cefuroxim", "iocarmate"]),
        ("Pembrolizumab and PROPRANOLOL are in the vocabulary", []),
        ("Hydroxypropranolol is a metabolite, antipropranolol none", []),
        ("In April, a symbol of peptide, cholesterol and histidine concepts", []),
        ("Andersen and Larsen on cyclones, cryostats and nucleotides", []),
        ("Cephalic, cephalosporins, iodine, ions and sulfates", []),
        ("mab -mab tinib", []),
    ],
)
def test_stems(desk: Desk, title: str, expected: list[str]) -> None:
    lake = desk.run(pubmed=titles(title))
    assert sorted(names(lake, rules="inn_stem"), key=title.find) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("BMS-986165, MK-3475, AZD1480 and ABT-737", ["BMS-986165", "MK-3475", "AZD1480", "ABT-737"]),
        ("Ro 10-9359, L-365,260 and FK 33-824", ["Ro 10-9359", "L-365,260", "FK 33-824"]),
        ("(GS-5734™), SAR443122.", ["GS-5734", "SAR443122"]),
        ("NCT04280705, PMC7026692, R01-123456 and CA-125", []),
        ("HT-29 and PC-12 cells, strain LY-13845, grant MK-1234, MK-1234 cells", []),
        ("In CS 2001 and MK2, p53, CD34, IL-6 and B16 melanoma", []),
        ("XBMS-986165, BMS-986165b, 5-BMS-986165, AZD1480.5", []),
    ],
)
def test_codes(desk: Desk, title: str, expected: list[str]) -> None:
    lake = desk.run(pubmed=titles(title))
    assert sorted(names(lake, rules="company_code"), key=title.find) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Efficacy and safety of pridopidine in adults", ["pridopidine"]),
        ("Sepiapterin versus placebo", ["Sepiapterin"]),
        ("Paltusotine for the treatment of acromegaly", ["Paltusotine"]),
        ("Treatment with oral norucholic acid", ["norucholic acid"]),
        ("Thymalfasin, a selective modulator", ["Thymalfasin"]),
        ("Efficacy of paracetamol in adults", []),
        ("Use of acrylate root reproduction; trial of routine treatment", []),
        ("Evaluation of the protein in patients", []),
        ("Pridopidine and the brain", []),
    ],
)
def test_contexts(desk: Desk, title: str, expected: list[str]) -> None:
    gaps = desk.run(pubmed=titles(title)).vocabulary_gaps(rules=["context"]).to_dicts()
    assert [(gap["name"], gap["confidence"], gap["rules"]) for gap in gaps] == [
        (name, "medium", ["context"]) for name in expected
    ]


@pytest.mark.parametrize(
    ("kind", "name", "others", "expected"),
    [
        ("DRUG", "Bexotegrast 80 mg oral tablet", [], ["Bexotegrast"]),
        ("BIOLOGICAL", "AZD1222", [], ["AZD1222"]),
        ("COMBINATION_PRODUCT", "Zalfermin (once weekly)", [], ["Zalfermin"]),
        ("DRUG", "Acetaminophen", ["Paracetamol"], []),
        ("DRUG", "Paracetamol plus X-101", [], []),
        ("DRUG", "Placebo", [], []),
        ("DRUG", "Standard of care", [], []),
        ("DRUG", "Bexotegrast + Zalfermin", [], []),
        ("BIOLOGICAL", "Convalescent plasma", [], []),
        ("PROCEDURE", "Bexotegrast", [], []),
        ("DIETARY_SUPPLEMENT", "Curcumin", [], []),
        ("DRUG", "100 mg", [], []),
        ("DRUG", "(((", [], []),
        ("DRUG", "word " * 100, [], []),
    ],
)
def test_interventions(desk: Desk, kind: str, name: str, others: list[str], expected: list[str]) -> None:
    lake = desk.run(trials=[trial("NCT1", "A study", (kind, name, others))])
    assert names(lake, rules="intervention") == expected


def test_an_intervention_of_unknown_type_needs_a_stem(desk: Desk) -> None:
    header = "NCT Number,Title,Start Date,Interventions\n"
    rows = "NCT00000001,One,2020-01-01,Tolebrutinib|Yoga class|Bexotegrast\n"
    source = write(desk.path("csv"), header + rows)
    drugs_rs.run(lake=desk.lake, dt=A, drugs=write_drugs(desk.path("csv"), *DRUGS), clinical_trials=source)
    given = Lake(desk.lake).scan("publications_all", ["interventions"]).read().to_dicts()[0]["interventions"]
    assert [its["type"] for its in given] == [None] * len(given)
    assert names(Lake(desk.lake), rules="intervention") == ["Tolebrutinib"]


def test_substances(desk: Desk) -> None:
    treated = ("D002986", "D009369")
    sources = [
        article("1", "One", ("XXE1CET956", "Indomethacin"), ("EC 3.4.21.4", "Trypsin"), ("0", "Amino Acids")),
        article("2", "Two", ("G59M7S0WS3", "Nitroglycerin"), ("SY7Q814VUP", "Calcium"), mesh=treated),
        article("3", "Three", ("G59M7S0WS3", "Nitroglycerin"), ("0", "Antibodies, Viral"), mesh=treated),
        article("4", "Four", ("T3C89M417N", "Glutaral"), ("362O9ITL9D", "Acetaminophen and paracetamol")),
        article("5", "Five", ("0", "clometacillin"), ("0", "Penicillins"), ("9002-62-4", "Serum Proteins")),
    ]
    gaps = desk.run(pubmed="".join(sources)).vocabulary_gaps(rules=["substance"]).to_dicts()
    assert [(gap["name"], gap["confidence"], gap["publications"]) for gap in gaps] == [
        ("Nitroglycerin", "high", 2),
        ("clometacillin", "high", 1),
        ("Indomethacin", "high", 1),
        ("Glutaral", "low", 1),
    ]
    example = gaps[0]["examples"][0]
    assert (example["field"], example["start"], example["end"], example["text"]) == (
        "substances",
        0,
        13,
        "Nitroglycerin",
    )


def test_a_row_counts_all_spellings_and_publications(desk: Desk) -> None:
    rows = [
        ("1", "Tolebrutinib against tolebrutinib", "2019-05-04", "Annals"),
        ("2", "On tolébrutinib", "2021", "Bulletin"),
        ("3", "Ünd tolebrutinib", "", "Bulletin"),
        ("4", "CB-154 is CB 154", "2020", ""),
    ]
    table = desk.run(pubmed=rows).vocabulary_gaps()
    assert table.column_names == COLUMNS
    first, second = table.to_dicts()
    examples = first.pop("examples")
    assert first == {
        "name": "tolebrutinib",
        "confidence": "high",
        "rules": ["inn_stem"],
        "publications": 3,
        "mentions": 4,
        "journals": 2,
        "first_date": datetime.date(2019, 5, 4),
        "last_date": datetime.date(2021, 1, 1),
        "spellings": ["tolebrutinib", "Tolebrutinib", "tolébrutinib"],
    }
    texts = {row[0]: row[1] for row in rows}
    for example in examples:
        text = texts[example["publication_id"]]
        assert text[example["start"] : example["end"]] == example["surface"]
        assert (example["kind"], example["field"], example["text"]) == ("pubmed", "title", text)
    assert {example["publication_id"] for example in examples} == {"1", "2", "3"}
    assert (second["name"], second["publications"], second["mentions"], second["journals"]) == ("CB 154", 1, 2, 0)


def test_rules_that_agree_and_the_order(desk: Desk) -> None:
    rows = titles("Pridopidine tablets", "Dose of pridopidine", "On vimseltinib", "On vimseltinib", "Zastaprazan!")
    studies = [trial("NCT1", "A study", ("DRUG", "Pridopidine", []), ("DRUG", "Somename", []))]
    lake = desk.run(pubmed=rows, trials=studies)
    found = [
        (gap["name"], gap["confidence"], gap["rules"], gap["publications"]) for gap in lake.vocabulary_gaps().to_dicts()
    ]
    assert found == [
        ("Pridopidine", "high", ["intervention", "context"], 3),
        ("vimseltinib", "high", ["inn_stem"], 2),
        ("Zastaprazan", "high", ["inn_stem"], 1),
        ("Somename", "medium", ["intervention"], 1),
    ]
    assert names(lake, limit=2) == ["Pridopidine", "vimseltinib"]
    assert names(lake, limit=0) == []
    assert names(lake, min_publications=2, limit=None) == ["Pridopidine", "vimseltinib"]
    assert names(lake, rules=["inn_stem", "company_code"]) == ["vimseltinib", "Zastaprazan"]


def test_abstracts_only_if_gold_searched_them(desk: Desk) -> None:
    source = article("1", "Nothing", abstract="Long words before it, then zongertinib, and long words behind it. " * 3)
    lake = desk.run(pubmed=source)
    assert names(lake) == []
    gaps = desk.run(dt=B, pubmed=source, abstracts=True).vocabulary_gaps().to_dicts()
    assert [(gap["name"], gap["mentions"]) for gap in gaps] == [("zongertinib", 3)]
    example = gaps[0]["examples"][0]
    assert example["field"] == "abstract" and example["text"].endswith("…") and "zongertinib" in example["text"]


def test_current_publications_alone_and_earlier_states(desk: Desk) -> None:
    desk.run(pubmed=titles("Vimseltinib", "Zongertinib", "Sasanlimab"))
    deletion = "<DeleteCitation><PMID>1</PMID></DeleteCitation>"
    desk.run(dt=B, pubmed=article("0", "Tolebrutinib instead") + deletion)
    lake = desk.run(dt=C, drugs=[*DRUGS, ("L01", "sasanlimab")])
    assert names(lake) == ["Tolebrutinib"]
    assert names(lake.at(2)) == ["Sasanlimab", "Tolebrutinib"]
    assert names(lake.at(1)) == ["Sasanlimab", "Vimseltinib", "Zongertinib"]
    assert names(lake.at(A)) == names(lake.at(1))


def test_a_held_date_is_left_out(desk: Desk) -> None:
    desk.run(pubmed=titles("Vimseltinib"))
    desk.run(dt=B, pubmed=[("9", "Zongertinib", "2020", "Annals")])
    drugs_rs.hold(lake=desk.lake, dt=B, reason="to be checked")
    drugs_rs.gold(lake=desk.lake, dt=B)
    assert names(Lake(desk.lake)) == ["Vimseltinib"]


def test_statuses_that_gold_leaves_out(desk: Desk) -> None:
    source = article("1", "Vimseltinib", kind="Retracted Publication") + article("2", "Zongertinib")
    assert names(desk.run(pubmed=source)) == ["Vimseltinib", "Zongertinib"]
    assert names(desk.run(dt=B, pubmed=source, exclude_status=["retracted"])) == ["Zongertinib"]


def test_settings_of_gold_count(desk: Desk) -> None:
    lake = desk.run(pubmed=titles("Propranololum", "Pembrolizumab"), extra_stop_words=["pembrolizumab"])
    # A name that the vocabulary has and gold skips is no gap.
    assert names(lake) == []


def test_a_lake_without_publications_or_gaps(desk: Desk) -> None:
    table = desk.run().vocabulary_gaps()
    assert (len(table), table.column_names) == (0, COLUMNS)
    assert names(desk.run(dt=B, pubmed=titles("Diphenhydramine"))) == []
    assert shell.drugs_rs("gaps", desk.lake).stdout.startswith(b"no gaps")


def test_hostile_texts(desk: Desk) -> None:
    hostile = [
        "a" * 100_000 + "tinib",
        "dimethyl" * 1000 + "mab",
        "-" * 5000 + "mab " + "\u0301" * 1000,
        "BMS-" + "9" * 10_000,
        "İßﬁ tinib ﬀmab \u200bvimse\u00adltinib " + "é" * 500,
        "of " * 5000 + "acid",
        "Tolebrutinib " * 5000,
    ]
    lake = desk.run(pubmed=titles(*hostile))
    gaps = {gap["name"]: gap for gap in lake.vocabulary_gaps().to_dicts()}
    assert gaps["Tolebrutinib"]["mentions"] == 5000
    assert all(len(name) < 100 for name in gaps)


def test_what_is_refused(desk: Desk, tmp_path: Path) -> None:
    lake = desk.run(pubmed=titles("Vimseltinib"))
    with pytest.raises(exceptions.ArgumentError, match='`stem`; expected "inn_stem"'):
        lake.vocabulary_gaps(rules="stem")
    with pytest.raises(exceptions.ArgumentError, match="at least one rule"):
        lake.vocabulary_gaps(rules=[])
    for argument in ("limit", "min_publications"):
        below: dict[str, Any] = {argument: -1}
        with pytest.raises(exceptions.ArgumentError, match=f"{argument}.*-1.*a whole number from 0"):
            lake.vocabulary_gaps(**below)
    wrong: Any = 3
    with pytest.raises(TypeError, match="rules must be a string or a list"):
        lake.vocabulary_gaps(rules=wrong)
    with pytest.raises(exceptions.SourceNotFoundError):
        Lake(tmp_path / "nowhere").vocabulary_gaps()
    # Silver was made again, and gold was not.
    source = write_pubmed(desk.path("csv"), ("77", "Zongertinib", "2020", "Annals"))
    drugs_rs.bronze(lake=desk.lake, dt=A, pubmed=source)
    drugs_rs.silver(lake=desk.lake, dt=A)
    with pytest.raises(exceptions.FormatError, match="run the gold step"):
        lake.vocabulary_gaps()
    drugs_rs.gold(lake=desk.lake, dt=A)
    assert names(lake) == ["Zongertinib"]


def test_the_command(desk: Desk) -> None:
    rows = [("1", "Vimseltinib, again vimseltinib", "2019", "Annals"), ("2", "MK-3475 and x", "2021", "Annals")]
    lake = desk.run(pubmed=rows)
    done = shell.drugs_rs("gaps", desk.lake)
    assert (done.returncode, done.stdout.decode().splitlines()) == (
        0,
        [
            "MK-3475: high (company_code), 1 publication in 1 journal, 2021",
            "    pubmed 2 title: MK-3475 and x",
            "Vimseltinib: high (inn_stem), 1 publication in 1 journal, 2019",
            "    pubmed 1 title: Vimseltinib, again vimseltinib",
        ],
    )
    expected = lake.vocabulary_gaps().to_dicts()
    for gap in expected:
        for name in ("first_date", "last_date"):
            gap[name] = gap[name].isoformat()
    assert json.loads(shell.drugs_rs("gaps", desk.lake, "--json").stdout) == expected
    lines = shell.drugs_rs("gaps", desk.lake, "--format", "ndjson").stdout.splitlines()
    assert [json.loads(line) for line in lines] == expected
    table = list(csv.DictReader(io.StringIO(shell.drugs_rs("gaps", desk.lake, "--format", "csv").stdout.decode())))
    assert [row["name"] for row in table] == ["MK-3475", "Vimseltinib"]
    assert json.loads(table[1]["examples"])[0]["surface"] == "Vimseltinib"
    some = shell.drugs_rs("gaps", desk.lake, "--rules", "inn_stem,context", "--limit", "1", "--state", "1", "--json")
    assert [gap["name"] for gap in json.loads(some.stdout)] == ["Vimseltinib"]
    assert json.loads(shell.drugs_rs("gaps", desk.lake, "--min-publications", "2", "--json").stdout) == []
    assert shell.drugs_rs("gaps", desk.lake, variables={"DRUGS_RS_OUT": str(desk.lake)}).returncode == 0
    assert shell.drugs_rs("gaps", variables={"DRUGS_RS_OUT": str(desk.lake)}).stdout == done.stdout
    wrong = shell.drugs_rs("gaps", desk.lake, "--rules", "stem")
    assert wrong.returncode == 2 and b"inn_stem" in wrong.stderr
    assert shell.drugs_rs("gaps", desk.folder / "nowhere").returncode == 1
