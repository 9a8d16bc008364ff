"""Real files, whole: what a second, slow reading with the standard library counts is what silver holds."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from lake_tables import DT, publications, rejected
from lake_tables import rows as rows_of

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core


def silver(lake: Path, **sources: Any) -> dict[str, Any]:
    """The report of silver on some sources, which must obey the law of conservation."""
    drugs_rs.bronze(out=lake, dt=DT, **sources)
    report: dict[str, Any] = drugs_rs.silver(out=lake, dt=DT)
    for source in report["sources"]:
        assert source["rows_in"] == source["rows_kept"] + source["rows_merged"] + source["rows_rejected"], source
    return report


def words(text: str | None) -> str:
    """A text as silver writes it, but for markup."""
    return " ".join((text or "").split())


def flags(rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter(flag for row in rows for flag in row["flags"])


def details(element: ElementTree.Element) -> dict[str, Any]:
    """What an article says beside title, date and journal."""
    citation = element.find("MedlineCitation")
    assert citation is not None

    def texts(path: str) -> list[str]:
        return [words("".join(found.itertext())) for found in citation.findall(path)]

    kinds = {found.get("RefType") for found in citation.findall("CommentsCorrectionsList/CommentsCorrections")}
    types = texts("Article/PublicationTypeList/PublicationType")
    ids = {found.get("IdType"): found.text for found in element.findall("PubmedData/ArticleIdList/ArticleId")}
    status = None
    if "Retracted Publication" in types or "RetractionIn" in kinds:
        status = "retracted"
    elif "Retraction of Publication" in types or "RetractionOf" in kinds:
        status = "retraction_notice"
    elif "Expression of Concern" in types or kinds & {"ExpressionOfConcernIn", "ExpressionOfConcernFor"}:
        status = "expression_of_concern"
    elif kinds & {"ErratumIn", "CorrectedandRepublishedIn", "PartialRetractionIn"}:
        status = "corrected"
    numbers = texts("ChemicalList/Chemical/RegistryNumber")
    substances = zip(citation.findall("ChemicalList/Chemical/NameOfSubstance"), numbers)
    return {
        "doi": ids.get("doi"),
        "pmcid": ids.get("pmc"),
        "publication_types": types,
        "status": status,
        "mesh": [found.get("UI") for found in citation.findall("MeshHeadingList/MeshHeading/DescriptorName")],
        "substances": [
            {"name": words(found.text), "registry_number": None if number == "0" else number, "ui": found.get("UI")}
            for found, number in substances
        ],
        "trial_ids": [
            number
            for number in texts("Article/DataBankList/DataBank/AccessionNumberList/AccessionNumber")
            if re.fullmatch(r"NCT\d{8}", number)
        ],
    }


@pytest.fixture(scope="module")
def pubmed_xml(corpora: Path) -> Path:
    path = corpora / "pubmed" / "pubmed20n0014.xml.gz"
    if not path.exists():
        pytest.skip(f"no {path}")
    return path


@pytest.fixture(scope="module")
def articles(pubmed_xml: Path) -> dict[str, dict[str, Any]]:
    """What the standard library reads of each article."""
    found = {}
    with gzip.open(str(pubmed_xml)) as source:
        for _, element in ElementTree.iterparse(source):
            if element.tag != "PubmedArticle":
                continue
            article = element.find("MedlineCitation/Article")
            assert article is not None
            title = article.find("ArticleTitle")
            sections = article.findall("Abstract/AbstractText")
            found[str(element.findtext("MedlineCitation/PMID"))] = {
                "title": words("".join(title.itertext()) if title is not None else ""),
                "journal": words(article.findtext("Journal/Title")),
                "nlm_id": element.findtext("MedlineCitation/MedlineJournalInfo/NlmUniqueID"),
                "issn": element.findtext("MedlineCitation/MedlineJournalInfo/ISSNLinking")
                or article.findtext("Journal/ISSN"),
                "abstract": words(" ".join("".join(section.itertext()) for section in sections)),
                "date": {part.tag: part.text or "" for part in article.findall("Journal/JournalIssue/PubDate/*")},
                "labels": [section.get("Label") for section in sections],
                "details": details(element),
            }
            element.clear()
    return found


def test_a_whole_baseline_file_of_pubmed(pubmed_xml: Path, articles: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    report = silver(tmp_path, pubmed=pubmed_xml)
    rows = publications(tmp_path)
    assert report["sources"][0]["format"] == "pubmed_xml"
    assert report["sources"][0]["rows_in"] == len(articles) == 30000
    assert {row["publication_id"] for row in rows} == set(articles)
    assert [row["source_row"] for row in rows] == list(range(1, len(rows) + 1))
    assert flags(rows)["bad_date"] == flags(rows)["missing_date"] == flags(rows)["missing_journal"] == 0
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    for row in rows:
        article = articles[row["publication_id"]]
        if "markup_removed" not in row["flags"] and "removed_escapes" not in row["flags"]:
            assert row["title"] == article["title"]
            if not any(article["labels"]):
                assert (row["abstract"] or "") == article["abstract"]
        assert row["journal"] == article["journal"]
        assert {name: row[name] for name in article["details"]} == article["details"], row["publication_id"]
        given = article["date"]
        if "Year" not in given:
            year = re.match(r"\d{4}", given["MedlineDate"])
            assert year is not None
            assert str(row["date"].year) == year.group()
            continue
        assert str(row["date"].year) == given["Year"]
        if "Month" in given:
            month = given["Month"]
            assert row["date"].month == (int(month) if month.isdigit() else months.index(month) + 1)
            assert row["date"].day == int(given.get("Day", "1"))
            assert row["date_precision"] == ("day" if "Day" in given else "month")


def test_the_ids_of_the_journals_of_a_whole_file(
    pubmed_xml: Path, articles: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    silver(tmp_path, pubmed=pubmed_xml)
    keys = {row["publication_id"]: row["journal_key"] for row in publications(tmp_path)}
    known = [
        tuple(row.values())
        for row in rows_of(tmp_path / "silver/journals/kind=pubmed" / f"dt={DT}" / "part-00000.parquet")
    ]
    wanted = {(keys[pmid], article["nlm_id"], article["issn"]) for pmid, article in articles.items()}
    assert len(known) == len(set(known))
    assert set(known) == wanted
    # The figures of docs/data-model.md for this file.
    pairs = {(key, nlm_id) for key, nlm_id, _ in known}
    keys_of_ids = Counter(nlm_id for _, nlm_id in pairs)
    ids_of_keys = Counter(key for key, _ in pairs)
    assert len(keys_of_ids) == 2003
    assert set(keys_of_ids.values()) == {1}
    assert [count for _, count in ids_of_keys.most_common(5)] == [2, 2, 2, 2, 1]


def test_medline_records(corpora: Path, tmp_path: Path) -> None:
    path = corpora / "pubmed" / "PUBMED_240.nbib"
    text = path.read_text(encoding="utf-8")
    report = silver(tmp_path, pubmed=path)
    rows = publications(tmp_path)
    assert report["sources"][0]["format"] == "medline"
    ids = re.findall(r"^PMID- (\d+)", text, re.MULTILINE)
    assert [row["publication_id"] for row in rows] == ids
    assert len(rows) == 240
    titles = re.findall(r"^TI  - (.*(?:\n      .*)*)", text, re.MULTILINE)
    for row, title in zip(rows, titles):
        # A title that was never translated is in its own language.
        assert row["title"] == words(title) or title == "[Not Available]."
    assert not any(row["title"].startswith("[Not Available") for row in rows)
    abstracts = len(re.findall(r"^AB  - ", text, re.MULTILINE))
    assert sum(row["abstract"] is not None for row in rows) == abstracts
    journals = re.findall(r"^JT  - (.*(?:\n      .*)*)", text, re.MULTILINE)
    assert [row["journal"] for row in rows] == [words(journal) for journal in journals]
    assert flags(rows)["bad_date"] == 0


def test_the_old_export_of_pubmed(corpora: Path, tmp_path: Path) -> None:
    path = corpora / "pubmed" / "pubmed_legacy_export.csv"
    with path.open(encoding="utf-8-sig", newline="") as source:
        given = list(csv.DictReader(source))
    silver(tmp_path, pubmed=path)
    rows = publications(tmp_path)
    last = {row["EntrezUID"]: row for row in given}
    assert len(rows) + len(rejected(tmp_path, "pubmed")) == len(last)
    assert flags(rows)["bad_date"] == 0
    # Books have no journal, only the year where others have both.
    books = {row["EntrezUID"] for row in last.values() if row["ShortDetails"].strip().isdigit()}
    assert {row["publication_id"] for row in rows if row["journal"] is None} == books
    for row in rows:
        details = last[row["publication_id"]]["Details"]
        assert (row["journal"] or "") in details
        assert str(row["date"].year) in details


@pytest.mark.parametrize(
    ("name", "title", "count"),
    [("ctgov_classic_export.csv", "Title", 3169), ("ctgov_new_export.csv", "Study Title", 172)],
)
def test_exports_of_clinicaltrials(corpora: Path, tmp_path: Path, name: str, title: str, count: int) -> None:
    path = corpora / "clinicaltrials" / name
    with path.open(encoding="utf-8-sig", newline="") as source:
        given = {row["NCT Number"]: row for row in csv.DictReader(source)}
    report = silver(tmp_path, clinical_trials=path)
    rows = publications(tmp_path, "clinical_trial")
    assert report["sources"][0]["rows_in"] == count
    assert {row["publication_id"] for row in rows} == set(given)
    assert flags(rows)["bad_date"] == 0
    assert flags(rows)["missing_date"] == sum(not row["Start Date"] for row in given.values())
    for row in rows:
        source_row = given[row["publication_id"]]
        if "markup_removed" not in row["flags"]:
            assert row["title"] == words(source_row[title])
        for intervention in source_row["Interventions"].split("|"):
            assert words(intervention).rstrip(".") in (row["abstract"] or "")


def test_studies_of_the_api(corpora: Path, tmp_path: Path) -> None:
    path = corpora / "clinicaltrials" / "ctgov_api_v2.json"
    studies = [study["protocolSection"] for study in json.loads(path.read_text(encoding="utf-8"))]
    folder = tmp_path / "studies"
    folder.mkdir()
    for number, study in enumerate(studies):
        (folder / f"{number:03}.json").write_text(json.dumps({"protocolSection": study}), encoding="utf-8")
    ndjson = tmp_path / "studies.ndjson"
    ndjson.write_text("".join(json.dumps({"protocolSection": s}) + "\n" for s in studies), encoding="utf-8")
    tables = []
    for number, source in enumerate((path, folder, ndjson)):
        lake = tmp_path / f"lake-{number}"
        silver(lake, clinical_trials=source)
        rows = publications(lake, "clinical_trial")
        tables.append([{k: v for k, v in row.items() if not k.startswith("source_")} for row in rows])
    assert tables[0] == tables[1] == tables[2]
    assert len(tables[0]) == len(studies) == 100
    for row, study in zip(tables[0], studies):
        names = study["identificationModule"]
        assert row["publication_id"] == names["nctId"]
        assert row["title"] == words(names.get("officialTitle", names["briefTitle"]))
        date = study["statusModule"]["startDateStruct"]["date"]
        assert str(row["date"]).startswith(date)
        assert row["date_precision"] == ("day" if len(date) == 10 else "month")
        for intervention in study.get("armsInterventionsModule", {}).get("interventions", []):
            assert words(intervention["name"]) in row["abstract"]


def test_many_files_give_the_same_table_as_one(pubmed_xml: Path, tmp_path: Path) -> None:
    """Lanes run in parallel, but the rows are in the order of the files."""
    sources = []
    for number in range(5):
        link = tmp_path / f"{number}.xml.gz"
        link.symlink_to(pubmed_xml)
        sources.append(link)
    silver(tmp_path / "one", pubmed=pubmed_xml)
    report = silver(tmp_path / "five", pubmed=sources)
    assert [source["rows_in"] for source in report["sources"]] == [30000] * 5
    # Five equal files: all rows but those of the first are merged.
    assert [source["rows_merged"] for source in report["sources"]] == [0] + [30000] * 4
    one, five = (publications(tmp_path / name) for name in ("one", "five"))
    for row in (*one, *five):
        del row["source_uri"]
    assert one == five
